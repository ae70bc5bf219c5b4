// The start: as the tool (a call of the host), as the program sh or bash, or as a fresh instance
// that goes on with a pipeline's stage.
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bash/sh.h"
#include "common/json.h"
#include "common/process.h"
#include "descriptor.h" // generated from bash.json by build.sh

static struct sh shell;

_Noreturn void bx_die(const char *message) { // out of memory, wherever it was noticed
    static const char said[] = "bash: cannot allocate memory\n";
    (void)message;
    (void)!write(STDERR_FILENO, said, sizeof said - 1);
    bxp_exit(1);
}

static char *copy(const char *text) {
    return bx_strndup(text, strlen(text));
}

// --- redirections that were made for this process (BX_FDS, common/process.h): kept as files with
// their names, for what this shell starts is given them by name too

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool open_files(struct sh *sh, const char *list) {
    while (*list) {
        char *op;
        int fd = (int)strtol(list, &op, 10);
        long long at = *op == '@' ? strtoll(op + 1, &op, 10) : 0;
        enum sh_redir_op kind = op[0] == '>' ? SH_APPEND : op[1] == '>' ? SH_BOTH : SH_IN;
        op += op[1] == '>' ? 2 : 1;
        struct bx_buf path = {0};
        for (; *op && *op != ' '; op++) {
            bool is_escape = *op == '%' && hex(op[1]) >= 0 && hex(op[2]) >= 0;
            bx_buf_add_char(&path, is_escape ? (char)(hex(op[1]) * 16 + hex(op[2])) : *op);
            op += is_escape ? 2 : 0;
        }
        struct sh_io *io = NULL;
        int error = sh_open(sh, path.data ? path.data : "", kind, &io);
        if (error || fd < 0 || fd >= SH_FDS) {
            sh_say(sh, "%s: %s", path.data ? path.data : "", sh_strerror(error));
            return false;
        }
        io->at = kind == SH_APPEND ? -1 : at;
        sh_fd_set(sh, fd, io);
        bx_buf_deinit(&path);
        list = op + (*op == ' ');
    }
    return true;
}

// --- a process that puts back what was read ahead (spawn.c)

static int feed(const char *text) {
    char bytes[16384];
    size_t n = 0;
    ssize_t got;
    for (; text[0] && text[1]; text += 2) {
        bytes[n++] = (char)(hex(text[0]) * 16 + hex(text[1]));
        if (n == sizeof bytes || !text[2]) {
            if (write(STDOUT_FILENO, bytes, n) < 0) {
                return 141;
            }
            n = 0;
        }
    }
    while ((got = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
        for (ssize_t done = 0, step; done < got; done += step) {
            step = write(STDOUT_FILENO, bytes + done, (size_t)(got - done));
            if (step <= 0) {
                return 141;
            }
        }
    }
    return 0;
}

// --- as a program

static bool read_all(struct sh *sh, int fd, struct bx_buf *out) {
    ssize_t got;
    do {
        bx_buf_reserve(out, 65536);
        got = sh_read(sh, fd, out->data + out->len, 65536);
        out->len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    return got == 0;
}

static int run_script(struct sh *sh, const char *path) {
    struct bx_buf text = {0};
    struct sh_io *io = NULL;
    int error = sh_open(sh, path, SH_IN, &io);
    sh->name = path;
    if (error) {
        sh_complain(sh, "bash: %s: %s", path, sh_strerror(error));
        return 127;
    }
    sh_fd_set(sh, SH_FDS - 1, io);
    bool is_read = read_all(sh, SH_FDS - 1, &text);
    sh_fd_set(sh, SH_FDS - 1, NULL);
    if (!is_read) {
        sh_complain(sh, "bash: %s: %s: Is a directory", path, path);
        return 126;
    }
    if (text.len && memchr(text.data, 0, text.len < 80 ? text.len : 80)) {
        sh_complain(sh, "bash: %s: cannot execute binary file", path);
        return 126;
    }
    sh_run_text(sh, text.data ? text.data : "", text.len, 1);
    return sh_exit_shell(sh);
}

static void read_state(struct sh *sh, const char *state) {
    struct bx_buf text = {0};
    struct sh_io *io = NULL;
    if (state[0] != '@') {
        sh_state_read(sh, state);
    } else if (sh_open(sh, state + 1, SH_IN, &io) == 0) {
        sh_fd_set(sh, SH_FDS - 1, io);
        read_all(sh, SH_FDS - 1, &text);
        sh_fd_set(sh, SH_FDS - 1, NULL);
        unlink(state + 1);
        sh_state_read(sh, text.data ? text.data : "");
        bx_buf_deinit(&text);
    }
}

static void set_positional(struct sh *sh, char **args, int n) {
    sh->args = bx_realloc(sh->args, ((size_t)n + 1) * sizeof *sh->args);
    for (int i = 0; i < n; i++) {
        sh->args[i] = copy(args[i]);
    }
    sh->args[n] = NULL;
    sh->n_args = (size_t)n;
}

static int run_program(struct sh *sh, int argc, char **argv) {
    bool is_command = false, from_stdin = false;
    int i = 1;
    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
        bool on = argv[i][0] == '-';
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (strcmp(argv[i], "--version") == 0) {
            static const char text[] = "GNU bash, version 5.2.15(1)-release (wasm32-unknown-wasi) "
                                       "compatible: the shell of BoxAgnts\n";
            sh_write(sh, 1, text, sizeof text - 1);
            return 0;
        }
        if (argv[i][1] == '-') {
            continue; // --norc and the like
        }
        for (const char *c = argv[i] + 1; *c; c++) {
            char letter[2] = {*c, 0};
            is_command |= *c == 'c';
            from_stdin |= *c == 's';
            if (*c == 'o' || *c == 'O') {
                char *words[] = {*c == 'o' ? "set" : "shopt",
                                 *c == 'o' ? (on ? "-o" : "+o")
                                 : on      ? "-s"
                                           : "-u",
                                 i + 1 < argc ? argv[++i] : "", NULL};
                struct bx_buf ignored = {0};
                (void)(*c == 'o' ? sh_bi_set : sh_bi_shopt)(sh, words, 3, &ignored);
                bx_buf_deinit(&ignored);
                break;
            }
            if (!strchr("csilrp", *c) && !sh_option_set(sh, letter, on)) {
                sh_complain(sh, "bash: -%c: invalid option", *c);
                return 2;
            }
        }
    }
    const char *state = getenv("BX_STATE");
    if (is_command) {
        if (i >= argc) {
            sh_complain(sh, "bash: -c: option requires an argument");
            return 2;
        }
        const char *text = argv[i++];
        sh->is_command_string = true;
        if (i < argc) {
            free(sh->arg0);
            sh->arg0 = copy(argv[i]);
            sh->name = sh->arg0;
            set_positional(sh, argv + i + 1, argc - i - 1);
        }
        if (state) {
            read_state(sh, state);
        }
        sh_run_text(sh, text, strlen(text), state ? sh->line : 1);
        return sh_exit_shell(sh);
    }
    if (i < argc && !from_stdin) {
        free(sh->arg0);
        sh->arg0 = copy(argv[i]);
        set_positional(sh, argv + i + 1, argc - i - 1);
        return run_script(sh, argv[i]);
    }
    struct bx_buf text = {0};
    set_positional(sh, argv + i, argc - i);
    read_all(sh, 0, &text);
    sh_run_text(sh, text.data ? text.data : "", text.len, 1);
    return sh_exit_shell(sh);
}

// --- as the tool

static void add_stages(struct sh *sh, struct bx_buf *out) {
    for (size_t i = 0; i < sh->n_stages; i++) {
        const struct sh_stage *stage = &sh->stages[i];
        bx_buf_add_str(out, i ? ",{\"command\":" : "{\"command\":");
        bx_json_put_string(out, stage->command, strlen(stage->command));
        bx_buf_add_fmt(out, ",\"status\":%d,\"ms\":%lld}", stage->status, stage->ms);
    }
}

// What the host wants to know, behind the output: marked by a word that only it and we know
static void report(struct sh *sh, const char *mark, int status) {
    struct bx_buf out = {0};
    bx_buf_add_fmt(&out, "\036%s {\"exit_status\":%d,\"cwd\":", mark, status);
    bx_json_put_string(&out, sh->cwd, strlen(sh->cwd));
    bx_buf_add_str(&out, ",\"exports\":\"");
    sh_state_exports(sh, &out);
    bx_buf_add_str(&out, "\",\"stages\":[");
    add_stages(sh, &out);
    bx_buf_add_str(&out, "]}\036\n");
    struct sh_io *io = sh_io_std(1);
    sh_fd_set(sh, 1, io);
    sh_write(sh, 1, out.data, out.len);
}

// False: the folder that the call asks for is not there. Where the session was is no such wish.
static bool go_to(struct sh *sh, const char *asked) {
    const char *wanted = asked ? sh_path_normal(sh, asked) : sh->cwd;
    char *argv[] = {"cd", "--", (char *)(uintptr_t)wanted, NULL};
    struct bx_buf out = {0};
    if (!sh_test_file(sh, 'd', wanted)) {
        sh_complain(sh,
                    asked ? "bash: cwd: there is no folder %s; nothing was run."
                          : "bash: the folder %s is not there any more; the command runs in /.",
                    wanted);
        if (asked) {
            return false;
        }
        argv[2] = "/";
    }
    sh_bi_cd(sh, argv, 3, &out);
    bx_buf_deinit(&out);
    sh_var_unset(sh, "OLDPWD", false);
    return true;
}

static int refuse(struct sh *sh, const char *mark) {
    report(sh, mark, 2);
    return 2;
}

static int run_call(struct sh *sh, const char *mark) {
    struct bx_buf text = {0};
    const char *why = "";
    size_t at;
    read_all(sh, 0, &text);
    sh_fd_set(sh, 0, sh_io_new(SH_IO_NULL));
    struct bx_json *input = text.len ? bx_json_parse(text.data, text.len, &why, &at) : NULL;
    const struct bx_json *command = input ? bx_json_get(input, "command") : NULL;
    const struct bx_json *cwd = input ? bx_json_get(input, "cwd") : NULL;
    if (!command || command->type != BX_JSON_STRING) {
        sh_complain(sh, "bash: command must be given, as a string %s", why);
        return refuse(sh, mark);
    }
    if (memchr(command->text, 0, command->len)) {
        sh_complain(sh, "bash: command has a NUL character, which no command can have; let "
                        "printf '\\\\0' write one where it is needed.");
        return refuse(sh, mark);
    }
    sh->is_root = sh->stages_open = sh->is_command_string = true;
    bool is_given = cwd && cwd->type == BX_JSON_STRING && cwd->len;
    if (!go_to(sh, is_given ? cwd->text : NULL)) {
        return refuse(sh, mark);
    }
    sh->start_ms = sh_now_ms();
    sh_run_text(sh, command->text, command->len, 1);
    sh->stages_open = false;
    int status = sh_exit_shell(sh);
    bxp_kill(0, 143); // nobody writes into the report
    report(sh, mark, status);
    return status;
}

int main(int argc, char **argv) {
    const char *mark = getenv("BX_CALL"), *files = getenv("BX_FDS"), *fed = getenv("BX_FEED");
    if (argc == 2 && strcmp(argv[1], "--describe") == 0) {
        return write(STDOUT_FILENO, bx_descriptor, sizeof bx_descriptor - 1) < 0;
    }
    if (fed) {
        bxp_exit(feed(fed));
    }
    setlocale(LC_CTYPE, "C.UTF-8");
    sh_init(&shell);
    if (files && !open_files(&shell, files)) {
        bxp_exit(1);
    }
    bxp_exit(mark ? run_call(&shell, mark) & 0 : run_program(&shell, argc, argv));
}
