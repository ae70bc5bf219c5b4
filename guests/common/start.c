// start.c - the start and the end of a Unix program in the box, and how it starts others. WASI has
// no working directory, no redirections and no exit status above 1: BX_FDS, PWD and bxp_exit()
// stand in for them (common/process.h).
#define BX_PORT_SELF
#include "common/port.h"

#include <stdbool.h>
#include <wasi/api.h>

#include "common/process.h"
#include "common/start.h"

enum { BUFFER_BYTES = 32768, MAX_STREAMS = 16, STATUS_PIPE = 141 };

extern char **environ;
int bx_program_main(int argc, char **argv);

static char *redirections; // BX_FDS as it was: children get the outputs of it
static char **made;        // the environment for the next child
static int last = -1;      // wait status of the last child

// --- start

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void decode(char *to, const char *from, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int high = from[i] == '%' && i + 2 < n ? hex(from[i + 1]) : -1;
        int low = high >= 0 ? hex(from[i + 2]) : -1;
        *to++ = low < 0 ? from[i] : (char)(high * 16 + low);
        i += low < 0 ? 0 : 2;
    }
    *to = 0;
}

// One redirection, "2>>err.txt"; "0@120<in.txt" is read from byte 120 on
static void redirect(const char *word, size_t n) {
    const char *op = word;
    while (op < word + n && *op >= '0' && *op <= '9') {
        op++;
    }
    int fd = atoi(word), flags;
    long long at = *op == '@' ? strtoll(op + 1, (char **)&op, 10) : 0;
    size_t skip = 1;
    if (!strncmp(op, ">>", 2)) {
        flags = O_WRONLY | O_CREAT | O_APPEND;
        skip = 2;
    } else if (!strncmp(op, "<>", 2)) {
        flags = O_RDWR | O_CREAT;
        skip = 2;
    } else {
        flags = *op == '<' ? O_RDONLY : O_WRONLY | O_CREAT;
    }
    char *path = malloc(n + 1);
    decode(path, op + skip, n - (size_t)(op - word) - skip);
    if (fd > 2) { // nobody can ask for it: the numbers above are the runtime's
        free(path);
        return;
    }
    int opened = bx_port_open(path, flags, 0666);
    if (opened < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        bxp_exit(1);
    }
    if (at) {
        lseek(opened, at, SEEK_SET);
    }
    if (opened != fd) {
        bx_port_move(opened, fd);
    }
    free(path);
}

static void redirect_all(void) {
    const char *list = getenv("BX_FDS");
    if (!list) {
        return;
    }
    redirections = strdup(list);
    unsetenv("BX_FDS");
    for (const char *at = redirections; *at;) {
        size_t n = strcspn(at, " ");
        if (n) {
            redirect(at, n);
        }
        at += n + (at[n] == ' ');
    }
}

int main(int argc, char **argv) {
    const char *dir = getenv("BX_PWD") ? getenv("BX_PWD") : getenv("PWD");
    if (dir && *dir == '/' && chdir(dir)) {
        fprintf(stderr, "%s: %s: %s\n", argv[0], dir, strerror(errno));
        bxp_exit(1);
    }
    unsetenv("BX_PWD");
    redirect_all();
    // A call of the host is dear; the library's own buffers have 1 KB
    setvbuf(stdin, malloc(BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
    setvbuf(stdout, malloc(BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
    bx_port_exit_flush(bx_program_main(argc, argv));
}

// --- end

__attribute__((weak)) void bx_port_at_end(void) {
}

_Noreturn void bx_port_exit(int status) {
    int failed = fflush(stdout);
    int why = errno;
    bx_port_at_end();
    if (failed && why == EPIPE) {
        status = STATUS_PIPE;
    }
    bxp_exit(status & 255);
}

_Noreturn void bx_port_exit_flush(int status) {
    fflush(NULL);
    bx_port_exit(status);
}

_Noreturn void bx_port_longjmp(int value) {
    bx_port_exit_flush(value ? value : 1);
}

// --- other programs

// What a child's environment is: PWD (or, where that is not wanted, BX_PWD, which the child takes
// out) is where we are, and outputs that were redirected go where ours go.
static void make_env(char *const *env, bool is_out, bool is_err) {
    size_t n = 0, at = 0;
    bool has_pwd = false;
    char *dir = getcwd(NULL, 0), *fds = NULL;
    while (env[n]) {
        n++;
    }
    made = calloc(n + 3, sizeof *made);
    for (size_t i = 0; i < n; i++) {
        has_pwd = has_pwd || !strncmp(env[i], "PWD=", 4);
        if (strncmp(env[i], "PWD=", 4) && strncmp(env[i], "BX_FDS=", 7) && strchr(env[i], '=')) {
            made[at++] = env[i];
        }
    }
    if (dir && asprintf(&made[at], "%sPWD=%s", has_pwd ? "" : "BX_", dir) > 0) {
        at++;
    }
    for (const char *word = redirections; word && *word;) {
        size_t len = strcspn(word, " ");
        bool wanted = (*word == '1' && is_out) || (*word == '2' && is_err);
        char *longer;
        if (len && wanted &&
            asprintf(&longer, "%s%s%.*s", fds ? fds : "BX_FDS=", fds ? " " : "", (int)len, word) >
                0) {
            fds = longer;
        }
        word += len + (word[len] == ' ');
    }
    made[at] = fds;
    free(dir);
}

int32_t bx_start_env(char *const *argv, char *const *env, int32_t in, int32_t out, int32_t err) {
    size_t argc = 0, count = 0;
    while (argv[argc]) {
        argc++;
    }
    fflush(NULL);
    make_env(env, out == 1, err == 2);
    while (made[count]) {
        count++;
    }
    struct bxp_spawn spawn = {
        (const char *const *)argv, argc, (const char *const *)made, count, in, out, err};
    return bxp_spawn(&spawn);
}

int32_t bx_start(char *const *argv, int32_t in, int32_t out, int32_t err) {
    return bx_start_env(argv, environ, in, out, err);
}

static int to_wait_status(int32_t status) {
    return status < 0 ? (status == -ENOENT ? 127 : 126) << 8 : (status & 255) << 8;
}

static int32_t run_env(char *const *argv, char *const *env) {
    int32_t pid = bx_start_env(argv, env, 0, 1, 2);
    return pid < 0 ? pid : bxp_wait(pid, -1);
}

pid_t bx_port_spawn(char **argv) {
    last = to_wait_status(run_env(argv, environ));
    return 4242;
}

pid_t bx_port_done(int status) {
    last = to_wait_status(status);
    return 4242;
}

pid_t waitpid(pid_t pid, int *status, int options) {
    (void)pid, (void)options;
    if (last < 0) {
        errno = ECHILD;
        return -1;
    }
    if (status) {
        *status = last;
    }
    last = -1;
    return 4242;
}

pid_t wait(int *status) {
    return waitpid(-1, status, 0);
}

pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage) {
    if (usage) {
        memset(usage, 0, sizeof *usage);
    }
    return waitpid(pid, status, options);
}

int execve(const char *path, char *const *argv, char *const *env) {
    (void)path;
    int32_t status = run_env(argv, env);
    if (status < 0) {
        errno = -status;
        return -1;
    }
    bx_port_exit(status);
}

int execvp(const char *path, char *const *argv) {
    return execve(path, argv, environ);
}

int execv(const char *path, char *const *argv) {
    return execve(path, argv, environ);
}

int system(const char *command) {
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    return command ? to_wait_status(run_env(argv, environ)) : 1;
}

// --- popen: a child behind a pipe

static struct stream {
    FILE *file;
    int32_t pid, pipe;
    bool is_reading;
} streams[MAX_STREAMS];

static ssize_t stream_read(void *cookie, char *bytes, size_t n) {
    struct stream *s = cookie;
    int32_t r = bxp_read(s->pipe, bytes, (uint32_t)n);
    if (r < 0) {
        errno = -r;
    }
    return r < 0 ? -1 : r;
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t n) {
    struct stream *s = cookie;
    int32_t r = bxp_write(s->pipe, bytes, (uint32_t)n);
    if (r < 0) {
        errno = -r;
    }
    return r < 0 ? -1 : r;
}

FILE *popen(const char *command, const char *mode) {
    struct stream *s = streams;
    while (s < streams + MAX_STREAMS && s->file) {
        s++;
    }
    if (s == streams + MAX_STREAMS) {
        errno = EMFILE;
        return NULL;
    }
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    s->is_reading = *mode == 'r';
    s->pipe = bxp_pipe();
    s->pid = s->pipe < 0
                 ? s->pipe
                 : bx_start(argv, s->is_reading ? 0 : s->pipe, s->is_reading ? s->pipe : 1, 2);
    if (s->pid < 0) {
        errno = -s->pid;
        return NULL;
    }
    bxp_close(s->pipe, s->is_reading ? BXP_WRITE_END : BXP_READ_END);
    s->file =
        fopencookie(s, mode, (cookie_io_functions_t){.read = stream_read, .write = stream_write});
    if (s->file) {
        setvbuf(s->file, malloc(BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
    }
    return s->file;
}

int pclose(FILE *file) {
    struct stream *s = streams;
    while (s < streams + MAX_STREAMS && s->file != file) {
        s++;
    }
    if (s == streams + MAX_STREAMS) {
        errno = ECHILD;
        return -1;
    }
    fclose(file);
    s->file = NULL;
    bxp_close(s->pipe, s->is_reading ? BXP_READ_END : BXP_WRITE_END);
    return to_wait_status(bxp_wait(s->pid, -1));
}
