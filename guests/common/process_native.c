// The processes of process.h over fork and exec: so that the shell can be built, tested and fuzzed
// on this machine with the machine's own programs. BX_FDS is obeyed here, for they do not know it.
#include "common/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIPES = 4096, FIRST_PIPE = 3 };

static struct {
    int fd[2]; // reading, writing; -1: given up
    bool is_used;
} pipes[PIPES];

int32_t bxp_pipe(void) {
    for (int i = 0; i < PIPES; i++) {
        if (!pipes[i].is_used) {
            if (pipe2(pipes[i].fd, O_CLOEXEC) < 0) {
                return -errno;
            }
            pipes[i].is_used = true;
            return i + FIRST_PIPE;
        }
    }
    return -EMFILE;
}

static int end_of(int32_t number, enum bxp_end end) {
    return number >= FIRST_PIPE && number < FIRST_PIPE + PIPES ? pipes[number - FIRST_PIPE].fd[end]
                                                               : -1;
}

int32_t bxp_close(int32_t pipe, enum bxp_end end) {
    int fd = end_of(pipe, end);
    if (fd < 0) {
        return -EBADF;
    }
    close(fd);
    pipes[pipe - FIRST_PIPE].fd[end] = -1;
    pipes[pipe - FIRST_PIPE].is_used = pipes[pipe - FIRST_PIPE].fd[!end] >= 0;
    return 0;
}

int32_t bxp_read(int32_t pipe, void *bytes, uint32_t max) {
    ssize_t got = read(end_of(pipe, BXP_READ_END), bytes, max);
    return got < 0 ? -errno : (int32_t)got;
}

int32_t bxp_write(int32_t pipe, const void *bytes, uint32_t n) {
    const char *at = bytes;
    for (uint32_t left = n; left;) {
        ssize_t done = write(end_of(pipe, BXP_WRITE_END), at, left);
        if (done < 0) {
            return -errno;
        }
        at += done;
        left -= (uint32_t)done;
    }
    return (int32_t)n;
}

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void open_files(const char *list) {
    while (*list) {
        char *op;
        int fd = (int)strtol(list, &op, 10);
        long long at = *op == '@' ? strtoll(op + 1, &op, 10) : 0;
        int flags = op[0] == '>' ? O_WRONLY | O_CREAT : op[1] == '>' ? O_RDWR | O_CREAT : O_RDONLY;
        if (op[0] == '>' && op[1] == '>') {
            flags |= O_APPEND;
        }
        op += op[1] == '>' ? 2 : 1;
        char path[4096];
        size_t n = 0;
        for (; *op && *op != ' ' && n < sizeof path - 1; op++) {
            bool is_escape = *op == '%' && hex(op[1]) >= 0 && hex(op[2]) >= 0;
            path[n++] = is_escape ? (char)(hex(op[1]) * 16 + hex(op[2])) : *op;
            op += is_escape ? 2 : 0;
        }
        path[n] = '\0';
        int opened = open(path, flags, 0666);
        if (opened < 0) {
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
            _exit(1);
        }
        if (at) {
            lseek(opened, at, SEEK_SET);
        }
        dup2(opened, fd);
        if (opened != fd) {
            close(opened);
        }
        list = op + (*op == ' ');
    }
}

static void become(const struct bxp_spawn *spawn, const char *program, char *const *argv,
                   char *const *env) {
    const char *files = NULL, *dir = NULL;
    int32_t numbers[3] = {spawn->in, spawn->out, spawn->err};
    int from[3];
    bool is_shell = strcmp(argv[0], "bash") == 0 || strcmp(argv[0], "sh") == 0;
    for (int i = 0; i < 3;
         i++) { // above the three first, so that none is overwritten before it is used
        int fd = numbers[i] == BXP_NULL ? open("/dev/null", O_RDWR)
                 : numbers[i] < FIRST_PIPE
                     ? numbers[i]
                     : end_of(numbers[i], i == 0 ? BXP_READ_END : BXP_WRITE_END);
        from[i] = fcntl(fd, F_DUPFD, 10);
    }
    for (int i = 0; i < 3; i++) {
        dup2(from[i], i);
        close(from[i]);
    }
    for (size_t i = 0; env[i]; i++) {
        files = strncmp(env[i], "BX_FDS=", 7) == 0 ? env[i] + 7 : files;
        dir = strncmp(env[i], "PWD=", 4) == 0 ? env[i] + 4 : dir;
    }
    if (dir && chdir(dir) < 0) {
        _exit(126);
    }
    if (files && !is_shell) {
        open_files(files);
    }
    signal(SIGPIPE, SIG_DFL);
    execve(program, argv, env);
    _exit(errno == ENOENT ? 127 : 126);
}

// The program's path, "" when there is none
static void find(const char *name, const char *const *env, size_t env_count, char *path,
                 size_t max) {
    const char *list = "/usr/bin:/bin";
    struct stat st;
    if (strcmp(name, "bash") == 0 || strcmp(name, "sh") == 0) {
        ssize_t n = readlink("/proc/self/exe", path, max - 1);
        path[n < 0 ? 0 : n] = '\0';
        return;
    }
    if (strchr(name, '/')) {
        snprintf(path, max, "%s", name);
        return;
    }
    for (size_t i = 0; i < env_count; i++) {
        list = strncmp(env[i], "PATH=", 5) == 0 ? env[i] + 5 : list;
    }
    while (*list) {
        size_t n = strcspn(list, ":");
        snprintf(path, max, "%.*s/%s", (int)n, list, name);
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0) {
            return;
        }
        list += n + (list[n] == ':');
    }
    path[0] = '\0';
}

int32_t bxp_spawn(const struct bxp_spawn *spawn) {
    char program[4096];
    find(spawn->argv[0], spawn->env, spawn->env_count, program, sizeof program);
    if (!program[0]) {
        return -ENOENT;
    }
    char **argv = calloc(spawn->argc + 1, sizeof *argv),
         **env = calloc(spawn->env_count + 1, sizeof *env);
    for (size_t i = 0; i < spawn->argc; i++) {
        argv[i] = (char *)(uintptr_t)spawn->argv[i];
    }
    size_t count = 0;
    bool is_shell = strcmp(argv[0], "bash") == 0 || strcmp(argv[0], "sh") == 0;
    for (size_t i = 0; i < spawn->env_count; i++) {
        env[count++] = (char *)(uintptr_t)spawn->env[i];
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        become(spawn, program, argv, env);
    }
    (void)is_shell;
    free(argv);
    free(env);
    return pid < 0 ? -errno : pid;
}

int32_t bxp_wait(int32_t pid, int64_t timeout_ms) {
    int status;
    if (timeout_ms < 0) {
        if (waitpid(pid, &status, 0) < 0) {
            return -errno;
        }
    } else {
        for (int64_t waited = 0;; waited++) {
            pid_t done = waitpid(pid, &status, WNOHANG);
            if (done < 0) {
                return -errno;
            }
            if (done) {
                break;
            }
            if (waited >= timeout_ms) {
                return -ETIMEDOUT;
            }
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int32_t bxp_kill(int32_t pid, int32_t status) {
    if (pid <= 0) { // of this machine's they are others
        return -ECHILD;
    }
    return kill(pid, status > 128 ? status - 128 : SIGTERM) < 0 ? -errno : 0;
}

void bxp_exit(int32_t status) {
    fflush(NULL);
    _exit(status);
}
