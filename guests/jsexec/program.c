// The shell's commands node, qjs and js: the same engine with its streams as they are. In the box
// only: common/start.c has main(), which opens the redirections, and comes here also when the image
// is called as the tool.
#ifndef BX_GUEST_NATIVE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/guest.h"
#include "jsexec/js.h"

extern char **environ;
int bx_program_main(int argc, char **argv);

enum { STATUS_USAGE = 9, MAX_ARGS = 4096 };

struct call {
    const char *code, *file; /* one of them, or neither: standard input */
    bool prints, checks;
    enum bx_js_kind kind;
    int rest; /* of argv: the script's own arguments */
};

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* The status to end with at once, -1: go on. */
static int take_options(int argc, char **argv, struct call *c) {
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        const char *option = argv[at];
        bool is_eval = !strcmp(option, "-e") || !strcmp(option, "--eval");
        bool is_print =
            !strcmp(option, "-p") || !strcmp(option, "--print") || !strcmp(option, "-pe");
        if (!strcmp(option, "--")) {
            at++;
            break;
        }
        if (is_eval || is_print) {
            if (at + 1 == argc) {
                fprintf(stderr, "%s: %s wants code behind it\n", argv[0], option);
                return STATUS_USAGE;
            }
            c->code = argv[++at];
            c->prints = c->prints || is_print;
        } else if (!strcmp(option, "-v") || !strcmp(option, "--version")) {
            printf("v22.0.0\n");
            return 0;
        } else if (!strcmp(option, "-h") || !strcmp(option, "--help")) {
            printf("%s [-e CODE | -p CODE | -c FILE | FILE | -] [ARGUMENT…]\n", argv[0]);
            return 0;
        } else if (!strcmp(option, "-c") || !strcmp(option, "--check")) {
            c->checks = true;
        } else if (!strcmp(option, "--input-type=module") || !strcmp(option, "-m") ||
                   !strcmp(option, "--module")) {
            c->kind = BX_JS_MODULE;
        } else if (!starts(option, "--no-") && !starts(option, "--experimental-") &&
                   !starts(option, "--input-type=") && !starts(option, "--stack-") &&
                   !starts(option, "--max-") && !starts(option, "--trace-") &&
                   strcmp(option, "--std") != 0) {
            fprintf(stderr, "%s: bad option: %s\n", argv[0], option);
            return STATUS_USAGE;
        }
    }
    if (!c->code && at < argc) {
        c->file = strcmp(argv[at], "-") == 0 ? NULL : argv[at];
        at++;
    }
    c->rest = at;
    return -1;
}

static void read_input(struct bx_buf *ret) {
    for (size_t n = 1; n;) {
        bx_buf_reserve(ret, 65536);
        n = fread(ret->data + ret->len, 1, 65536, stdin);
        ret->len += n;
    }
    bx_buf_add(ret, "", 0);
}

static bool read_file(const char *command, const char *path, struct bx_buf *ret) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: cannot open %s: ", command, path);
        perror(NULL);
        return false;
    }
    for (size_t n = 1; n;) {
        bx_buf_reserve(ret, 65536);
        n = fread(ret->data + ret->len, 1, 65536, file);
        ret->len += n;
    }
    bx_buf_add(ret, "", 0);
    bool is_good = !ferror(file);
    if (!is_good) {
        fprintf(stderr, "%s: cannot read %s: ", command, path);
        perror(NULL);
    }
    fclose(file);
    return is_good;
}

static bool ends(const char *text, const char *with) {
    size_t n = strlen(text), k = strlen(with);
    return n >= k && strcmp(text + n - k, with) == 0;
}

static int run(int argc, char **argv, struct call *c, const struct bx_buf *text, char *path) {
    static const char *args[MAX_ARGS];
    static struct bx_js js;
    size_t count = 0;
    char *cwd = getcwd(NULL, 0);
    struct bx_buf name = {0};
    args[count++] = "/usr/bin/node";
    if (path) {
        args[count++] = path;
    }
    for (int i = c->rest; i < argc && count < MAX_ARGS; i++) {
        args[count++] = argv[i];
    }
    if (path) {
        c->kind = ends(path, ".mjs") ? BX_JS_MODULE : ends(path, ".cjs") ? BX_JS_COMMON : c->kind;
        bx_buf_add_str(&name, path);
    } else {
        bx_buf_add_fmt(&name, "%s/%s", cwd && cwd[1] ? cwd : "", c->code ? "[eval]" : "[stdin]");
    }
    bx_js_open(&(struct bx_js_config){.cwd = cwd ? cwd : "/",
                                      .main_path = name.data,
                                      .argv = args,
                                      .argc = count,
                                      .env = environ,
                                      .is_live = true,
                                      .prints_result = c->prints},
               &js);
    const char *shown = path ? path : c->code ? "[eval]" : "[stdin]";
    if (c->checks) {
        return bx_js_check(&js, text->data, text->len, shown, c->kind) ? 0 : 1;
    }
    bx_js_run(&js, text->data, text->len, shown, c->kind);
    return js.status;
}

/* A tool is called by its name, whatever that is (a user's own may be called node), and without an
 * environment; what the shell starts always has PWD. */
static bool is_command(const char *called) {
    static const char *const names[] = {"node", "qjs", "js"};
    const char *slash = strrchr(called, '/'), *name = slash ? slash + 1 : called;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return getenv("PWD") != NULL;
        }
    }
    return false;
}

int bx_program_main(int argc, char **argv) {
    if (!argc || !is_command(argv[0])) {
        return BX_GUEST_MAIN(argc, argv);
    }
    struct call c = {0};
    struct bx_buf text = {0};
    char *path = NULL;
    int status = take_options(argc, argv, &c);
    if (status >= 0) {
        return status;
    }
    if (c.code) {
        bx_buf_add_str(&text, c.code);
    } else if (c.file) {
        char *cwd = getcwd(NULL, 0);
        path = bx_js_path(cwd ? cwd : "/", c.file);
        if (!read_file(argv[0], path, &text)) {
            return 1;
        }
    } else {
        read_input(&text);
    }
    return run(argc, argv, &c, &text, path);
}
#endif
