// Other processes: which program, its environment, and where its input and outputs go.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bash/sh.h"
#include "common/process.h"

enum { PIPE_ROOM = 60000, STATE_MAX = 60000, NAMES_SHOWN = 3 };

// --- descriptors

struct ends {
    int32_t number[3];
    int32_t close_after; /* the reading end of a pipe that was filled for it, or 0 */
    struct bx_buf fds;   /* BX_FDS */
};

static void add_path(struct bx_buf *out, const char *path) {
    for (const unsigned char *c = (const unsigned char *)path; *c; c++) {
        if (*c <= ' ' || *c == '%' || *c >= 0x7f) {
            bx_buf_add_fmt(out, "%%%02X", *c);
        } else {
            bx_buf_add_char(out, (char)*c);
        }
    }
}

static void add_file(struct ends *e, const struct sh_io *io, int fd, const char *path) {
    if (e->fds.len) {
        bx_buf_add_char(&e->fds, ' ');
    }
    long long at = io ? io->at - (long long)(io->buf.len - io->buf_at) : 0;
    if (io && io->is_writer && io->at < 0) {
        bx_buf_add_fmt(&e->fds, "%d>>", fd);
    } else if (io && io->is_writer) {
        bx_buf_add_fmt(&e->fds, "%d<>", fd);
    } else if (at > 0) {
        bx_buf_add_fmt(&e->fds, "%d@%lld<", fd, at);
    } else {
        bx_buf_add_fmt(&e->fds, "%d<", fd);
    }
    add_path(&e->fds, path);
}

// A text for somebody to read: in a pipe when it fits, else in a file
static bool offer_text(struct sh *sh, struct ends *e, int fd, const char *text, size_t n) {
    if (n > PIPE_ROOM) {
        char *path = NULL;
        if (!sh_temp_file(sh, text, n, &path)) {
            sh_say(sh, "cannot create temp file for here-document: %s", sh_strerror(errno));
            return false;
        }
        add_file(e, NULL, fd, path);
        return true;
    }
    int32_t pipe = bxp_pipe();
    if (pipe < 0) {
        sh_say(sh, "pipe: %s", sh_strerror(-pipe));
        return false;
    }
    if (n) {
        bxp_write(pipe, text, (uint32_t)n);
    }
    bxp_close(pipe, BXP_WRITE_END);
    e->number[fd] = pipe;
    e->close_after = pipe;
    return true;
}

static bool capture_pipe(struct sh *sh, struct sh_io *io) {
    if (!io->drain) {
        int32_t pipe = bxp_pipe();
        if (pipe < 0 || sh->n_draining == sizeof sh->draining / sizeof sh->draining[0]) {
            sh_say(sh, "pipe: %s", pipe < 0 ? sh_strerror(-pipe) : "too many");
            return false;
        }
        io->drain = pipe;
        sh->draining[sh->n_draining++] = sh_io_ref(io);
    }
    return true;
}

// Processes that put back what was read ahead: of this instance, whichever subshell started them
static struct {
    int32_t *pids;
    size_t n;
} feeders;

void sh_end_feeders(void) {
    for (size_t i = 0; i < feeders.n; i++) {
        bxp_kill(feeders.pids[i], 0);
    }
    free(feeders.pids);
    feeders.pids = NULL;
    feeders.n = 0;
}

// What was read ahead of a pipe comes first for the one who is given the pipe now: a process in
// between puts it back.
static bool put_back(struct sh *sh, struct sh_io *io) {
    struct bx_buf state = {0};
    bx_buf_add_str(&state, "BX_FEED=");
    for (size_t i = io->buf_at; i < io->buf.len; i++) {
        bx_buf_add_fmt(&state, "%02X", (unsigned char)io->buf.data[i]);
    }
    const char *argv[] = {"bash"}, *env[] = {state.data};
    int32_t pipe = bxp_pipe(), from = io->number;
    struct bxp_spawn spawn = {argv, 1, env, 1, from, pipe, BXP_NULL};
    int32_t pid = pipe < 0 ? pipe : bxp_spawn(&spawn);
    bx_buf_deinit(&state);
    if (pid < 0) {
        sh_say(sh, "fork: %s", sh_strerror(-pid));
        return false;
    }
    feeders.pids = bx_realloc(feeders.pids, (feeders.n + 1) * sizeof *feeders.pids);
    feeders.pids[feeders.n++] = pid;
    bxp_close(pipe, BXP_WRITE_END);
    if (io->kind == SH_IO_PIPE) {
        bxp_close(io->number, BXP_READ_END);
    }
    io->kind = SH_IO_PIPE;
    io->number = pipe;
    io->reads_ahead = false;
    io->buf_at = io->buf.len = 0;
    return true;
}

static bool resolve(struct sh *sh, int fd, struct ends *e) {
    struct sh_io *io = sh->fds[fd];
    e->number[fd] = BXP_NULL;
    if (!io) {
        return true;
    }
    if ((io->kind == SH_IO_PIPE || io->kind == SH_IO_STD) && io->buf_at < io->buf.len &&
        !put_back(sh, io)) {
        return false;
    }
    switch (io->kind) {
    case SH_IO_NULL:
        return true;
    case SH_IO_STD:
        io->reads_ahead = false;
        e->number[fd] = io->number;
        return true;
    case SH_IO_PIPE:
        io->reads_ahead = false;
        e->number[fd] = io->number;
        return true;
    case SH_IO_FILE:
        add_file(e, io, fd, io->path);
        return true;
    case SH_IO_TEXT:
        return offer_text(sh, e, fd, io->buf.data + io->buf_at, io->buf.len - io->buf_at);
    case SH_IO_CAPTURE:
        if (!capture_pipe(sh, io)) {
            return false;
        }
        e->number[fd] = io->drain;
        return true;
    }
    return true;
}

void sh_drain(struct sh *sh) {
    while (sh->n_draining) {
        struct sh_io *io = sh->draining[--sh->n_draining];
        int32_t pipe = io->drain, got;
        io->drain = 0;
        bxp_close(pipe, BXP_WRITE_END);
        do {
            bx_buf_reserve(&io->buf, 65536);
            got = bxp_read(pipe, io->buf.data + io->buf.len, 65536);
            io->buf.len += got > 0 ? (size_t)got : 0;
        } while (got > 0);
        bxp_close(pipe, BXP_READ_END);
        sh_io_unref(io);
    }
}

// --- environment

struct env {
    struct sh *sh;
    char **v;
    size_t n, cap;
};

static void add_env(struct env *env, const char *name, const char *value) {
    char *text = NULL;
    if (asprintf(&text, "%s=%s", name, value) < 0) {
        return;
    }
    if (env->n == env->cap) {
        env->cap = env->cap * 2 + 32;
        env->v = bx_realloc(env->v, env->cap * sizeof *env->v);
    }
    env->v[env->n++] = text;
}

static void make_env(struct env *env, const struct ends *e, const char *state) {
    struct sh *sh = env->sh;
    size_t n;
    const char **names = sh_names(sh, sh->vars, &n);
    for (size_t i = 0; i < n; i++) {
        const struct sh_var *var = sh_var_get_raw(sh, names[i]);
        if (var->flags & SH_EXPORT && var->value && strcmp(names[i], "PWD") != 0 &&
            strcmp(names[i], "_") != 0) {
            add_env(env, names[i], var->value);
        }
    }
    add_env(env, "PWD", sh->cwd);
    if (e->fds.len) {
        add_env(env, "BX_FDS", e->fds.data);
    }
    if (sh->programs) {
        add_env(env, "BX_PROGRAMS", sh->programs);
    }
    if (state) {
        add_env(env, "BX_STATE", state);
    }
}

int32_t sh_spawn(struct sh *sh, const struct sh_process *process) {
    struct ends e = {{BXP_NULL, BXP_NULL, BXP_NULL}, 0, {0}};
    struct env env = {.sh = sh};
    int32_t pid = -EIO;
    if (resolve(sh, 0, &e) && resolve(sh, 1, &e) && resolve(sh, 2, &e)) {
        make_env(&env, &e, process->state);
        struct bxp_spawn spawn = {(const char *const *)process->argv,
                                  process->argc,
                                  (const char *const *)env.v,
                                  env.n,
                                  e.number[0],
                                  e.number[1],
                                  e.number[2]};
        pid = bxp_spawn(&spawn);
    }
    if (e.close_after) {
        bxp_close(e.close_after, BXP_READ_END);
    }
    for (size_t i = 0; i < env.n; i++) {
        free(env.v[i]);
    }
    free(env.v);
    bx_buf_deinit(&e.fds);
    return pid;
}

int sh_wait(struct sh *sh, int32_t pid) {
    (void)sh;
    int32_t status = bxp_wait(pid, -1);
    return status < 0 ? 127 : status;
}

int32_t sh_spawn_text(struct sh *sh, const char *text, bool owns_stdin) {
    char *argv[] = {"bash", "-c", (char *)(uintptr_t)text, NULL},
         *state = sh_state_text(sh, owns_stdin), *path = NULL;
    if (strlen(state) > STATE_MAX &&
        sh_temp_file(sh, state, strlen(state), &path)) { // too long for an environment
        struct sh_text name = {.arena = &sh->scratch};
        sh_text_char(&name, '@');
        sh_text_add(&name, path, strlen(path));
        state = name.data;
        free(sh->temps[--sh->n_temps]); // the new instance removes it
    }
    struct sh_process process = {.argv = argv, .argc = 3, .state = state};
    int32_t pid = sh_spawn(sh, &process);
    if (pid < 0 && pid != -EIO) {
        sh_say(sh, "fork: %s",
               pid == -EAGAIN
                   ? "Resource temporarily unavailable (this call may not have more processes)"
                   : sh_strerror(-pid));
    }
    return pid;
}

// --- which program

static bool in_list(const char *list, const char *name) {
    size_t n = strlen(name);
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, name, n) == 0) {
            return true;
        }
        at += len + (at[len] == ' ');
    }
    return false;
}

static const char *standard_folder(const char *path) { // the name in /bin, /usr/bin …
    static const char *const folders[] = {"/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/",
                                          "/usr/sbin/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t n = strlen(folders[i]);
        if (strncmp(path, folders[i], n) == 0 && !strchr(path + n, '/')) {
            return path + n;
        }
    }
    return NULL;
}

static bool in_path(struct sh *sh, const char *name, char **ret_path) {
    const char *path = sh_get(sh, "PATH");
    for (const char *at = path ? path : ""; *at;) {
        size_t n = strcspn(at, ":");
        struct sh_text text = {.arena = &sh->scratch};
        sh_text_add(&text, at, n);
        sh_text_char(&text, '/');
        sh_text_add(&text, name, strlen(name));
        struct stat st;
        if (stat(sh_path(sh, text.data), &st) == 0 && S_ISREG(st.st_mode) &&
            (sh->programs || access(text.data, X_OK) == 0)) {
            *ret_path = text.data;
            return true;
        }
        at += n + (at[n] == ':');
    }
    return false;
}

bool sh_program_exists(struct sh *sh, const char *name, char **ret_path) {
    struct stat st;
    if (!name[0]) {
        return false;
    }
    if (strchr(name, '/')) {
        *ret_path = (char *)(uintptr_t)name;
        const char *base = standard_folder(name);
        return (stat(sh_path(sh, name), &st) == 0 && S_ISREG(st.st_mode)) ||
               (base && sh->programs && in_list(sh->programs, base));
    }
    if (sh->programs &&
        (in_list(sh->programs, name) || strcmp(name, "bash") == 0 || strcmp(name, "sh") == 0)) {
        struct sh_text text = {.arena = &sh->scratch};
        sh_text_add(&text, "/usr/bin/", 9);
        sh_text_add(&text, name, strlen(name));
        *ret_path = text.data;
        return true;
    }
    return in_path(sh, name, ret_path);
}

// How many changes make one name of the other, roughly
static int distance(const char *a, const char *b) {
    int row[34];
    size_t n = strlen(a), m = strlen(b);
    if (n > 32 || m > 32) {
        return 99;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = (int)j;
    }
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]),
                least = row[j] < row[j - 1] ? row[j] : row[j - 1];
            diagonal = row[j];
            row[j] = change < least + 1 ? change : least + 1;
        }
    }
    return row[m];
}

static void say_nearest(struct sh *sh, const char *name) {
    static const char *const native[] = {
        "git",  "npm",  "npx",     "python", "python3", "pip",  "pip3",   "cargo",
        "make", "gcc",  "cc",      "clang",  "go",      "java", "docker", "curl",
        "wget", "apt",  "apt-get", "sudo",   "rustc",   "yarn", "pnpm",   "cmake",
        "perl", "ruby", "php",     "ssh",    "gh",      "rg",   "vim",    "nano"};
    struct sh_text near = {.arena = &sh->scratch};
    int shown = 0;
    for (int wanted = 1; wanted <= 2 && sh->programs; wanted++) {
        for (const char *at = sh->programs; *at && shown < NAMES_SHOWN;) {
            size_t n = strcspn(at, " ");
            char *one = sh_arena_copy(&sh->scratch, at, n);
            if (distance(name, one) == wanted && strlen(name) > (size_t)wanted) {
                sh_text_add(&near, near.len ? ", " : "", near.len ? 2 : 0);
                sh_text_add(&near, one, n);
                shown++;
            }
            at += n + (at[n] == ' ');
        }
    }
    bool is_native = false;
    for (size_t i = 0; i < sizeof native / sizeof native[0]; i++) {
        is_native |= strcmp(name, native[i]) == 0;
    }
    if (is_native) {
        sh_complain(sh,
                    "%s is not in the box: programs of the machine (git, npm, python …) need the "
                    "native lane, which is off.%s",
                    name,
                    strcmp(name, "curl") == 0 || strcmp(name, "wget") == 0
                        ? " Use the tool web_fetch."
                    : strcmp(name, "rg") == 0 ? " Use grep -r, or the tool grep."
                                              : "");
    } else {
        sh_complain(sh,
                    "%s is not in the box, which has the common Unix commands (programs of the "
                    "machine need the native lane, "
                    "which is off).%s%s%s",
                    name, near.len ? " Near: " : "", near.len ? near.data : "",
                    near.len ? "." : " `help` lists them.");
    }
}

void sh_not_found(struct sh *sh, const char *name) {
    sh_say(sh, "%s: command not found", name);
    if (sh->programs) {
        say_nearest(sh, name);
    }
}

// A file that is to be run: its interpreter's arguments in front. False after a message,
// *ret_status says why.
static bool script(struct sh *sh, char ***argv, size_t *argc, int *ret_status) {
    const char *path = (*argv)[0], *base = standard_folder(path);
    struct stat st;
    char *real = sh_path(sh, path), head[160] = "";
    *ret_status = 126;
    if (stat(real, &st) < 0) {
        if (base) {
            (*argv)[0] = (char *)(uintptr_t)base;
            return true;
        }
        *ret_status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
        sh_say(sh, "%s: %s", path, sh_strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        sh_say(sh, "%s: Is a directory", path);
        return false;
    }
    int fd = S_ISREG(st.st_mode) ? open(real, O_RDONLY) : -1; // a pipe could wait for ever
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head - 1);
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0 || (!sh->programs && access(real, X_OK) != 0)) {
        sh_say(sh, "%s: Permission denied", path);
        return false;
    }
    if (!sh->programs && strncmp(head, "\177ELF", 4) == 0) {
        return true;
    }
    if (memchr(head, 0, (size_t)got)) {
        sh_say(sh, "%s: cannot execute binary file: Exec format error", path);
        return false;
    }
    char *interpreter = "bash", *option = NULL;
    if (strncmp(head, "#!", 2) == 0) {
        head[strcspn(head, "\r\n")] = '\0';
        char *save = NULL, *first = strtok_r(head + 2, " \t", &save),
             *second = strtok_r(NULL, " \t", &save);
        const char *slash = first ? strrchr(first, '/') : NULL;
        interpreter = slash ? (char *)(uintptr_t)(slash + 1) : first ? first : interpreter;
        option = second;
        if (strcmp(interpreter, "env") == 0 && second) {
            option = strtok_r(NULL, " \t", &save);
            interpreter = strcmp(second, "-S") == 0 && option ? option : second;
            option = strcmp(second, "-S") == 0 ? strtok_r(NULL, " \t", &save) : option;
        }
        if (strcmp(interpreter, "dash") == 0 || strcmp(interpreter, "ash") == 0) {
            interpreter = "sh";
        }
    }
    bool is_shell = strcmp(interpreter, "sh") == 0 || strcmp(interpreter, "bash") == 0;
    if (!is_shell && sh->programs && !in_list(sh->programs, interpreter)) {
        sh_say(sh, "%s: %s: bad interpreter: No such file or directory", path, interpreter);
        say_nearest(sh, interpreter);
        return false;
    }
    size_t extra = option ? 2 : 1;
    char **longer = sh_arena_alloc(&sh->scratch, (*argc + extra + 1) * sizeof *longer);
    longer[0] = sh_arena_copy(&sh->scratch, interpreter, strlen(interpreter));
    if (option) {
        longer[1] = sh_arena_copy(&sh->scratch, option, strlen(option));
    }
    memcpy(longer + extra, *argv, (*argc + 1) * sizeof *longer);
    *argv = longer;
    *argc += extra;
    return true;
}

// The program's process, or the status that there is instead of one (as -1000 - status).
int32_t sh_start_program(struct sh *sh, char **argv, size_t argc) {
    int status = 127;
    const char *name = argv[0];
    char *path = NULL;
    if (!name[0]) {
        sh_not_found(sh, name);
        return -1000 - 127;
    }
    if (strchr(name, '/')) {
        if (!script(sh, &argv, &argc, &status)) {
            return -1000 - status;
        }
    } else if (sh->programs && !sh_program_exists(sh, name, &path)) {
        sh_not_found(sh, name);
        return -1000 - 127;
    } else if (path && !in_list(sh->programs, name) && strcmp(name, "bash") != 0 &&
               strcmp(name, "sh") != 0) {
        argv[0] = path; // a script in $PATH
        if (!script(sh, &argv, &argc, &status)) {
            return -1000 - status;
        }
    }
    struct sh_process process = {.argv = argv, .argc = argc};
    int32_t pid = sh_spawn(sh, &process);
    if (pid == -ENOENT) {
        sh_not_found(sh, name);
        return -1000 - 127;
    }
    if (pid == -E2BIG) {
        sh_say(sh, "%s: Argument list too long", name);
        return -1000 - 126;
    }
    if (pid == -EAGAIN) {
        sh_say(sh,
               "fork: Resource temporarily unavailable (this call may not have more processes)");
        return -1000 - 254;
    }
    if (pid < 0) {
        sh_say(sh, "%s: %s", name, sh_strerror(-pid));
        return -1000 - 126;
    }
    return pid;
}

int sh_run_barred(struct sh *sh, char **argv, size_t argc) {
    struct sh_process process = {.argv = argv, .argc = argc};
    int32_t pid = sh_spawn(sh, &process);
    if (pid < 0) { // the host would have let it pass: there is no program of this name
        sh_say(sh, "%s: not run: a rule denies it", argv[0]);
        return 126;
    }
    sh_drain(sh);
    return sh_wait(sh, pid);
}

int sh_run_program(struct sh *sh, char **argv, size_t argc) {
    int32_t pid = sh_start_program(sh, argv, argc);
    if (pid < 0) {
        return -1000 - pid;
    }
    sh_drain(sh);
    return sh_wait(sh, pid);
}
