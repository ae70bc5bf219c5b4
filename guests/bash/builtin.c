// The table of builtins, and the small ones.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bash/sh.h"

#define BUILTIN(name) static int name(struct sh *sh, char **argv, size_t argc, struct bx_buf *out)

BUILTIN(bi_true) {
    (void)sh, (void)argv, (void)argc, (void)out;
    return 0;
}

BUILTIN(bi_false) {
    (void)sh, (void)argv, (void)argc, (void)out;
    return 1;
}

BUILTIN(bi_test) {
    (void)out;
    return sh_test(sh, argv, argc);
}

BUILTIN(bi_let) {
    long long n = 0;
    (void)out;
    for (size_t i = 1; i < argc; i++) {
        if (!sh_arith(sh, argv[i], &n)) {
            return 1;
        }
    }
    return !n;
}

static bool status_arg(struct sh *sh, char **argv, size_t argc, int *ret) {
    long long n = sh->status;
    if (argc > 1 && !sh_parse_int(argv[1], &n)) {
        sh_say(sh, "%s: %s: numeric argument required", argv[0], argv[1]);
        *ret = 2;
        return false;
    }
    *ret = (int)(n & 255);
    return true;
}

BUILTIN(bi_exit) {
    int status;
    (void)out;
    status_arg(sh, argv, argc, &status);
    sh->flow = SH_EXIT;
    return status;
}

BUILTIN(bi_return) {
    int status;
    (void)out;
    if (!sh->function_depth && sh->source_depth < 2) {
        sh_say(sh, "return: can only `return' from a function or sourced script");
        return 2;
    }
    status_arg(sh, argv, argc, &status);
    sh->flow = SH_RETURN;
    return status;
}

BUILTIN(bi_break) {
    long long n = 1;
    (void)out;
    if (!sh->loop_depth) {
        sh_say(sh, "%s: only meaningful in a `for', `while', or `until' loop", argv[0]);
        return 0;
    }
    if (argc > 1 && (!sh_parse_int(argv[1], &n) || n < 1)) {
        sh_say(sh, "%s: %s: loop count out of range", argv[0], argv[1]);
        sh->flow = SH_BREAK;
        sh->flow_count = sh->loop_depth;
        return 1;
    }
    sh->flow = argv[0][0] == 'b' ? SH_BREAK : SH_CONTINUE;
    sh->flow_count = n > sh->loop_depth ? sh->loop_depth : (int)n;
    return 0;
}

BUILTIN(bi_eval) {
    struct bx_buf text = {0};
    (void)out;
    for (size_t i = 1; i < argc; i++) {
        bx_buf_add_fmt(&text, "%s%s", i > 1 ? " " : "", argv[i]);
    }
    sh->status = 0;
    if (text.len) {
        sh_run_text(sh, text.data, text.len, sh->line);
    }
    bx_buf_deinit(&text);
    return sh->status;
}

int sh_bi_dot(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    struct bx_buf text = {0};
    struct sh_io *io = NULL;
    (void)out;
    if (argc < 2) {
        sh_say(sh, "%s: filename argument required", argv[0]);
        return 2;
    }
    char *path = argv[1];
    struct stat st;
    if (stat(sh_path(sh, path), &st) == 0 && S_ISDIR(st.st_mode)) {
        sh_say(sh, "%s: %s: is a directory", argv[0], path);
        return 1;
    }
    int error = sh_open(sh, path, SH_IN, &io);
    if (error) {
        sh_say(sh, "%s: %s", path, sh_strerror(error));
        return 1;
    }
    struct sh_io *before = sh->fds[SH_FDS - 1];
    sh->fds[SH_FDS - 1] = io;
    ssize_t got;
    do {
        bx_buf_reserve(&text, 65536);
        got = sh_read(sh, SH_FDS - 1, text.data + text.len, 65536);
        text.len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    sh_io_unref(io);
    sh->fds[SH_FDS - 1] = before;
    char **args = sh->args;
    size_t n_args = sh->n_args;
    if (argc > 2) {
        sh->args = argv + 2;
        sh->n_args = argc - 2;
    }
    const char *name = sh->name;
    bool is_command_string = sh->is_command_string;
    sh->name = path;
    sh->is_command_string = false;
    sh->status = 0;
    sh_run_text(sh, text.data, text.len, 1);
    sh->name = name;
    sh->is_command_string = is_command_string;
    if (sh->flow == SH_RETURN) {
        sh->flow = SH_GO;
    }
    if (argc > 2) {
        sh->args = args;
        sh->n_args = n_args;
    }
    bx_buf_deinit(&text);
    return sh->status;
}

int sh_bi_exec(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    size_t i = 1;
    (void)out;
    while (i < argc && argv[i][0] == '-' && argv[i][1]) {
        i += strcmp(argv[i], "-a") == 0 ? 2 : 1;
    }
    if (i >= argc) {
        return 0;
    }
    int status = sh_run_program(sh, argv + i, argc - i);
    sh->flow = SH_EXIT; // nothing comes back from it
    free(sh->traps[SH_TRAP_EXIT]);
    sh->traps[SH_TRAP_EXIT] = NULL;
    return status;
}

BUILTIN(bi_shift) {
    long long n = 1;
    (void)out;
    if (argc > 1 && (!sh_parse_int(argv[1], &n) || n < 0)) {
        sh_say(sh, "shift: %s: numeric argument required", argv[1]);
        return 1;
    }
    if ((size_t)n > sh->n_args) {
        return 1;
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        free(sh->args[i]);
    }
    memmove(sh->args, sh->args + n, (sh->n_args - (size_t)n + 1) * sizeof *sh->args);
    sh->n_args -= (size_t)n;
    return 0;
}

int sh_bi_umask(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    if (argc < 2) {
        bx_buf_add_fmt(out, "%04o\n", (unsigned)sh->umask);
    } else if (strcmp(argv[1], "-S") == 0) {
        bx_buf_add_str(out, "u=rwx,g=rx,o=rx\n");
    } else {
        sh->umask = (int)strtol(argv[1], NULL, 8) & 0777;
    }
    return 0;
}

int sh_bi_ulimit(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    (void)sh;
    if (argc > 1 && strcmp(argv[1], "-a") == 0) {
        bx_buf_add_str(out, "The limits of a call (time, memory, output …) are the host's: "
                            "boxagnts tool describe bash\n");
    } else if (argc < 3) {
        bx_buf_add_str(out, "unlimited\n");
    }
    return 0;
}

BUILTIN(bi_times) {
    (void)sh, (void)argv, (void)argc;
    bx_buf_add_str(out, "0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n");
    return 0;
}

BUILTIN(bi_help) {
    (void)argv, (void)argc;
    bx_buf_add_str(out, "Commands of the shell:");
    for (size_t i = 0; i < sh_builtins_n; i++) {
        bx_buf_add_fmt(out, " %s", sh_builtins[i].name);
    }
    bx_buf_add_fmt(out, "\nPrograms: %s\n", sh->programs ? sh->programs : "those of this machine");
    return 0;
}

// --- where we are

static bool change_to(struct sh *sh, const char *command, const char *path, bool physical) {
    struct stat st;
    char *target = sh_path_normal(sh, path);
    if (stat(target, &st) < 0) {
        sh_say(sh, "%s: %s: %s", command, path, sh_strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        sh_say(sh, "%s: %s: Not a directory", command, path);
        return false;
    }
    if (physical) {
        char *real = realpath(target, NULL);
        if (real) {
            target = sh_arena_copy(&sh->scratch, real, strlen(real));
            free(real);
        }
    }
    sh_set(sh, "OLDPWD", sh->cwd);
    free(sh->cwd);
    sh->cwd = bx_strndup(target, strlen(target));
    sh_set(sh, "PWD", sh->cwd);
    return true;
}

int sh_bi_cd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    bool physical = false;
    size_t i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        physical |= strchr(argv[i], 'P') != NULL;
    }
    if (argc > i + 1) {
        sh_say(sh, "cd: too many arguments");
        return 1;
    }
    const char *path = i < argc ? argv[i] : sh_get(sh, "HOME");
    if (!path) {
        sh_say(sh, "cd: HOME not set");
        return 1;
    }
    bool is_back = strcmp(path, "-") == 0;
    if (is_back && !(path = sh_get(sh, "OLDPWD"))) {
        sh_say(sh, "cd: OLDPWD not set");
        return 1;
    }
    if (!path[0]) {
        return 0;
    }
    path = sh_arena_copy(&sh->scratch, path, strlen(path));
    if (!change_to(sh, "cd", path, physical)) {
        return 1;
    }
    if (is_back) {
        bx_buf_add_fmt(out, "%s\n", sh->cwd);
    }
    return 0;
}

int sh_bi_pwd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    char *real = argc > 1 && strcmp(argv[1], "-P") == 0 ? realpath(sh->cwd, NULL) : NULL;
    bx_buf_add_fmt(out, "%s\n", real ? real : sh->cwd);
    free(real);
    return 0;
}

static void add_dir(struct sh *sh, struct bx_buf *out, const char *path) {
    const char *home = sh_get(sh, "HOME");
    size_t n = home ? strlen(home) : 0;
    if (n > 1 && strncmp(path, home, n) == 0 && (!path[n] || path[n] == '/')) {
        bx_buf_add_fmt(out, "~%s", path + n);
    } else {
        bx_buf_add_str(out, path);
    }
}

int sh_bi_dirs(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    if (argc > 1 && strcmp(argv[1], "-c") == 0) {
        sh->n_dirs = 0;
        return 0;
    }
    bool lines = argc > 1 && strchr(argv[1], 'p');
    add_dir(sh, out, sh->cwd);
    for (size_t i = sh->n_dirs; i--;) {
        bx_buf_add_char(out, lines ? '\n' : ' ');
        add_dir(sh, out, sh->dirs[i]);
    }
    bx_buf_add_char(out, '\n');
    return 0;
}

int sh_bi_pushd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) { // and popd
    bool pops = argv[0][0] == 'p' && argv[0][1] == 'o';
    char *before = sh_arena_copy(&sh->scratch, sh->cwd, strlen(sh->cwd));
    if (pops || argc < 2) {
        if (!sh->n_dirs) {
            sh_say(sh, pops ? "popd: directory stack empty" : "pushd: no other directory");
            return 1;
        }
        char *top = sh->dirs[sh->n_dirs - 1];
        if (!change_to(sh, argv[0], top, false)) {
            return 1;
        }
        free(top);
        if (pops) {
            sh->n_dirs--;
        } else {
            sh->dirs[sh->n_dirs - 1] = bx_strndup(before, strlen(before));
        }
    } else {
        if (!change_to(sh, "pushd", argv[1], false)) {
            return 1;
        }
        sh->dirs = bx_realloc(sh->dirs, (sh->n_dirs + 1) * sizeof *sh->dirs);
        sh->dirs[sh->n_dirs++] = bx_strndup(before, strlen(before));
    }
    char *none[] = {"dirs", NULL};
    return sh_bi_dirs(sh, none, 1, out);
}

// --- which command is it?

static bool is_keyword(const char *name) {
    static const char *const words[] = {"if",    "then", "else", "elif", "fi",   "for", "while",
                                        "until", "do",   "done", "case", "esac", "in",  "function",
                                        "time",  "{",    "}",    "!",    "[[",   "]]",  "select"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool describe(struct sh *sh, const char *name, char how,
                     struct bx_buf *out) { // 'v' path or name, 'V' sentence, 't' kind
    char *path = NULL;
    const struct sh_function *f = sh_function_get(sh, name);
    const char *kind = is_keyword(name)        ? "keyword"
                       : f                     ? "function"
                       : sh_builtin_find(name) ? "builtin"
                                               : NULL;
    if (!kind && sh_program_exists(sh, name, &path)) {
        kind = "file";
    }
    if (!kind) {
        return false;
    }
    if (how == 't') {
        bx_buf_add_fmt(out, "%s\n", kind);
    } else if (how == 'v') {
        bx_buf_add_fmt(out, "%s\n", path ? path : name);
    } else if (path) {
        bx_buf_add_fmt(out, "%s is %s\n", name, path);
    } else if (f && !is_keyword(name)) {
        struct sh_text text = {.arena = &sh->scratch};
        sh_node_text(f->node, &text);
        bx_buf_add_fmt(out, "%s is a function\n%s\n", name, text.data);
    } else {
        bx_buf_add_fmt(out, "%s is a shell %s\n", name, kind);
    }
    return true;
}

int sh_bi_type(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    char how = 'V';
    int status = 0;
    size_t i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        how = strchr(argv[i], 't') ? 't' : strpbrk(argv[i], "pP") ? 'p' : how;
    }
    for (; i < argc; i++) {
        char *path = NULL;
        if (how == 'p') {
            if (sh_program_exists(sh, argv[i], &path)) {
                bx_buf_add_fmt(out, "%s\n", path);
            } else {
                status = 1;
            }
        } else if (!describe(sh, argv[i], how, out)) {
            if (how == 'V') {
                sh_say(sh, "type: %s: not found", argv[i]);
            }
            status = 1;
        }
    }
    return status;
}

BUILTIN(bi_which) {
    int status = argc < 2;
    for (size_t i = 1; i < argc; i++) {
        char *path = NULL;
        if (argv[i][0] == '-') {
            continue;
        }
        if (sh_program_exists(sh, argv[i], &path) || (sh->programs && sh_builtin_find(argv[i]))) {
            bx_buf_add_fmt(out, path ? "%s\n" : "/usr/bin/%s\n", path ? path : argv[i]);
        } else {
            status = 1;
        }
    }
    return status;
}

int sh_bi_command(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    char how = 0;
    size_t i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++) {
        how = strchr(argv[i], 'V') ? 'V' : strchr(argv[i], 'v') ? 'v' : how;
    }
    i += i < argc && strcmp(argv[i], "--") == 0;
    if (!how) {
        if (i >= argc) {
            return 0;
        }
        struct sh_fields words = {.v = argv + i, .n = argc - i};
        sh_run_words(sh, &words, true);
        return sh->status;
    }
    int status = i >= argc;
    for (; i < argc; i++) {
        if (!describe(sh, argv[i], how, out)) {
            if (how == 'V') {
                sh_say(sh, "command: %s: not found", argv[i]);
            }
            status = 1;
        }
    }
    return status;
}

BUILTIN(bi_builtin) {
    (void)out;
    if (argc < 2) {
        return 0;
    }
    if (!sh_builtin_find(argv[1])) {
        sh_say(sh, "builtin: %s: not a shell builtin", argv[1]);
        return 1;
    }
    struct sh_fields words = {.v = argv + 1, .n = argc - 1};
    sh_run_words(sh, &words, true);
    return sh->status;
}

// "export x" through command, eval of words and so on: the words are ready
BUILTIN(bi_declare_words) {
    struct sh_word *first = NULL, **tail = &first;
    for (size_t i = 0; i < argc; i++) {
        struct sh_part *part = sh_arena_alloc(&sh->scratch, sizeof *part);
        *part = (struct sh_part){.kind = SH_QUOTED, .text = argv[i], .len = strlen(argv[i])};
        *tail = sh_arena_alloc(&sh->scratch, sizeof **tail);
        (*tail)->parts = part;
        (*tail)->is_quoted = true;
        tail = &(*tail)->next;
    }
    return sh_bi_declare(sh, first, argv[0], out);
}

const struct sh_builtin sh_builtins[] = {
    {".", sh_bi_dot, true, false},
    {":", bi_true, true, true},
    {"[", bi_test, false, false},
    {"alias", bi_true, false, false},
    {"break", bi_break, true, false},
    {"builtin", bi_builtin, false, false},
    {"cd", sh_bi_cd, false, false},
    {"command", sh_bi_command, false, false},
    {"continue", bi_break, true, false},
    {"declare", bi_declare_words, false, false},
    {"dirs", sh_bi_dirs, false, false},
    {"disown", bi_true, false, false},
    {"echo", sh_bi_echo, false, true},
    {"eval", bi_eval, true, false},
    {"exec", sh_bi_exec, true, false},
    {"exit", bi_exit, true, false},
    {"export", bi_declare_words, true, false},
    {"false", bi_false, false, true},
    {"getopts", sh_bi_getopts, false, false},
    {"hash", bi_true, false, false},
    {"help", bi_help, false, false},
    {"jobs", sh_bi_jobs, false, false},
    {"kill", sh_bi_kill, false, false},
    {"let", bi_let, false, false},
    {"local", bi_declare_words, false, false},
    {"mapfile", sh_bi_mapfile, false, false},
    {"nice", sh_bi_prefix, false, false},
    {"nohup", sh_bi_prefix, false, false},
    {"popd", sh_bi_pushd, false, false},
    {"printf", sh_bi_printf, false, true},
    {"pushd", sh_bi_pushd, false, false},
    {"pwd", sh_bi_pwd, false, true},
    {"read", sh_bi_read, false, false},
    {"readarray", sh_bi_mapfile, false, false},
    {"readonly", bi_declare_words, true, false},
    {"return", bi_return, true, false},
    {"set", sh_bi_set, true, false},
    {"shift", bi_shift, true, false},
    {"shopt", sh_bi_shopt, false, false},
    {"source", sh_bi_dot, true, false},
    {"stdbuf", sh_bi_prefix, false, false},
    {"test", bi_test, false, false},
    {"timeout", sh_bi_timeout, false, false},
    {"times", bi_times, true, false},
    {"trap", sh_bi_trap, true, false},
    {"true", bi_true, false, true},
    {"type", sh_bi_type, false, false},
    {"typeset", bi_declare_words, false, false},
    {"ulimit", sh_bi_ulimit, false, false},
    {"umask", sh_bi_umask, false, false},
    {"unalias", bi_true, false, false},
    {"unset", sh_bi_unset, true, false},
    {"wait", sh_bi_wait, false, false},
    {"which", bi_which, false, false},
};
const size_t sh_builtins_n = sizeof sh_builtins / sizeof sh_builtins[0];

static int compare(const void *name, const void *builtin) {
    return strcmp(name, ((const struct sh_builtin *)builtin)->name);
}

const struct sh_builtin *sh_builtin_find(const char *name) {
    return bsearch(name, sh_builtins, sh_builtins_n, sizeof sh_builtins[0], compare);
}
