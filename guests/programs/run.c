// run.c - programs that run others: xargs, timeout; and tool_run()
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/process.h"
#include "common/start.h"
#include "programs/programs.h"
#include "programs/tool.h"

enum { NOT_FOUND = 127, NOT_RUN = 126, MAX_CHILDREN = 16 };

static int32_t start(char *const *argv, bool is_input) {
    int32_t pid = bx_start(argv, is_input ? 0 : BXP_NULL, 1, 2);
    if (pid < 0) {
        errno = -pid;
        bool is_missing = errno == ENOENT;
        tool_warn("%s%s%s: %s", is_missing && strcmp(bx_tool, "xargs") ? "'" : "", argv[0],
                  is_missing && strcmp(bx_tool, "xargs") ? "'" : "",
                  is_missing ? "No such file or directory" : strerror(errno));
        return is_missing ? -NOT_FOUND : -NOT_RUN;
    }
    return pid;
}

int tool_run(char *const *argv, bool is_input) {
    int32_t pid = start(argv, is_input);
    return pid < 0 ? -pid : bxp_wait(pid, -1);
}

// --- xargs

static struct {
    struct tool_list command, items;
    bool *ends_line; // of each item: nothing goes on behind it
    size_t cap;
    const char *replace;
    int delimiter; // -1: blanks and quotes
    long max_items, max_lines, max_bytes;
    int children;
    bool traces, skips_empty;
    int status;
    int32_t running[MAX_CHILDREN];
    int n_running;
} x;

static void add_item(const char *s, size_t n, bool ends_line) {
    if (x.items.n == x.cap) {
        x.cap = x.cap * 2 + 256;
        x.ends_line = tool_realloc(x.ends_line, x.cap * sizeof *x.ends_line);
    }
    x.ends_line[x.items.n] = ends_line;
    tool_push(&x.items, tool_strndup(s, n));
}

static void split_by(const char *text, size_t len) {
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, x.delimiter, len - at);
        size_t n = end ? (size_t)(end - text) - at : len - at;
        add_item(text + at, n, true);
        at += n + 1;
    }
}

// Blanks part items (with -I only line ends do), quotes and backslashes hide them
static void split_quoted(char *text, size_t len) {
    for (size_t at = 0;;) {
        while (at < len && isspace((unsigned char)text[at])) {
            at++;
        }
        if (at >= len) {
            return;
        }
        char *to = text + at, *from = to, quote = 0;
        for (; at < len; at++) {
            char c = text[at];
            if (quote) {
                if (c == quote) {
                    quote = 0;
                } else if (c == '\n') {
                    break;
                } else {
                    *to++ = c;
                }
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '\\' && at + 1 < len) {
                *to++ = text[++at];
            } else if (c == '\n' || (isspace((unsigned char)c) && !x.replace)) {
                break;
            } else {
                *to++ = c;
            }
        }
        if (quote) {
            tool_die(1,
                     "unmatched %s quote; by default quotes are special to xargs unless you use "
                     "the -0 option",
                     quote == '"' ? "double" : "single");
        }
        add_item(from, (size_t)(to - from), at >= len || text[at] == '\n');
        at++;
    }
}

static void note(int status) {
    if (status == NOT_FOUND || status == NOT_RUN) {
        x.status = status;
    } else if (status == 255) {
        tool_warn("%s: exited with status 255; aborting", x.command.p[0]);
        fflush(stdout);
        exit(124);
    } else if (status) {
        x.status = x.status ? x.status : 123;
    }
}

static void wait_until(int left) {
    while (x.n_running > left) {
        note(bxp_wait(x.running[0], -1));
        memmove(x.running, x.running + 1, (size_t)--x.n_running * sizeof *x.running);
    }
}

static void run_args(char **argv) {
    if (x.traces) {
        fflush(stdout);
        for (int i = 0; argv[i]; i++) {
            fprintf(stderr, "%s%s", i ? " " : "", tool_quote(argv[i]));
        }
        fputc('\n', stderr);
    }
    wait_until(x.children - 1);
    int32_t pid = start(argv, false);
    if (pid < 0) {
        exit(-pid);
    }
    x.running[x.n_running++] = pid;
    if (x.children == 1) {
        wait_until(0);
    }
}

static char *substitute(const char *text, const char *item) {
    struct tool_buf buf = {0};
    const char *at = text;
    for (const char *hit; (hit = strstr(at, x.replace)); at = hit + strlen(x.replace)) {
        tool_put(&buf, at, (size_t)(hit - at));
        tool_puts(&buf, item);
    }
    tool_puts(&buf, at);
    return buf.p;
}

static void run_all(void) {
    for (size_t at = 0; at < x.items.n || (!x.items.n && !x.replace && !x.skips_empty);) {
        struct tool_list args = {0};
        long bytes = 0, items = 0, lines = 0;
        for (size_t i = 0; i < x.command.n; i++) {
            tool_push(&args,
                      x.replace ? substitute(x.command.p[i], x.items.p[at]) : x.command.p[i]);
            bytes += (long)strlen(x.command.p[i]) + 1;
        }
        at += x.replace != NULL;
        while (!x.replace && at < x.items.n) {
            bytes += (long)strlen(x.items.p[at]) + 1;
            if (items && bytes > x.max_bytes) {
                break;
            }
            items++;
            lines += x.ends_line[at];
            tool_push(&args, x.items.p[at++]);
            if ((x.max_items && items >= x.max_items) || (x.max_lines && lines >= x.max_lines)) {
                break;
            }
        }
        run_args(args.p);
        free(args.p);
        if (!x.items.n) {
            break;
        }
    }
    wait_until(0);
}

static long count(const char *text, char option) {
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || (n < 1 && option != 'P')) {
        tool_die(1, "invalid number \"%s\" for -%c option", text, option);
    }
    return n;
}

static int delimiter_of(const char *text) {
    if (*text != '\\' || !text[1]) {
        return (unsigned char)*text;
    }
    return text[1] == 'n'   ? '\n'
           : text[1] == 't' ? '\t'
           : text[1] == '0' ? 0
                            : (unsigned char)text[1];
}

int xargs_main(int argc, char **argv) {
    static const struct option longs[] = {{"null", 0, 0, '0'},
                                          {"arg-file", 1, 0, 'a'},
                                          {"delimiter", 1, 0, 'd'},
                                          {"max-lines", 1, 0, 'L'},
                                          {"max-args", 1, 0, 'n'},
                                          {"max-procs", 1, 0, 'P'},
                                          {"no-run-if-empty", 0, 0, 'r'},
                                          {"max-chars", 1, 0, 's'},
                                          {"verbose", 0, 0, 't'},
                                          {"replace", 2, 0, 'i'},
                                          {"eof", 2, 0, 'E'},
                                          {"exit", 0, 0, 'x'},
                                          {0}};
    const char *file = NULL, *end = NULL;
    x.delimiter = -1;
    x.max_bytes = 120000;
    x.children = 1;
    for (int c;
         (c = getopt_long(argc, argv, "+0rtxopa:d:E:e::I:i::L:l::n:P:s:", longs, NULL)) != -1;) {
        switch (c) {
        case '0':
            x.delimiter = 0;
            break;
        case 'd':
            x.delimiter = delimiter_of(optarg);
            break;
        case 'r':
            x.skips_empty = true;
            break;
        case 't':
            x.traces = true;
            break;
        case 'a':
            file = optarg;
            break;
        case 'E':
            end = optarg;
            break;
        case 'I':
        case 'i':
            x.replace = optarg ? optarg : "{}";
            break;
        case 'L':
        case 'l':
            x.max_lines = optarg ? count(optarg, 'L') : 1;
            break;
        case 'n':
            x.max_items = count(optarg, 'n');
            break;
        case 's':
            x.max_bytes = count(optarg, 's');
            break;
        case 'P':
            x.children = (int)count(optarg, 'P');
            x.children =
                x.children < 1 || x.children > MAX_CHILDREN ? MAX_CHILDREN / 2 : x.children;
            break;
        case 'x':
        case 'o':
        case 'p':
        case 'e':
            break;
        default:
            tool_die_usage(1);
        }
    }
    for (argv += optind; *argv; argv++) {
        tool_push(&x.command, *argv);
    }
    if (!x.command.n) {
        tool_push(&x.command, (char *)"echo");
    }
    FILE *in = file ? fopen(file, "r") : stdin;
    if (!in) {
        tool_die(1, "Cannot open input file '%s': %s", file, strerror(errno));
    }
    size_t len;
    char *text = tool_slurp(in, &len);
    if (x.delimiter >= 0) {
        split_by(text, len);
    } else {
        split_quoted(text, len);
    }
    for (size_t i = 0; end && i < x.items.n; i++) {
        if (!strcmp(x.items.p[i], end)) {
            x.items.n = i;
        }
    }
    run_all();
    return x.status;
}

// --- timeout

int timeout_main(int argc, char **argv) {
    static const struct option longs[] = {{"signal", 1, 0, 's'},          {"kill-after", 1, 0, 'k'},
                                          {"preserve-status", 0, 0, 'p'}, {"foreground", 0, 0, 'f'},
                                          {"verbose", 0, 0, 'v'},         {0}};
    int status = 124, number = 15;
    for (int c; (c = getopt_long(argc, argv, "+s:k:pfv", longs, NULL)) != -1;) {
        if (c == '?') {
            tool_die_usage(125);
        } else if (c == 's') {
            number = !strcmp(optarg, "KILL") || !strcmp(optarg, "SIGKILL") || !strcmp(optarg, "9")
                         ? 9
                         : number;
        } else if (c == 'p') {
            status = 128 + number;
        }
    }
    if (argc - optind < 2) {
        tool_warn("missing operand");
        tool_die_usage(125);
    }
    char *end;
    double seconds = strtod(argv[optind], &end);
    seconds *= *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
    if (end == argv[optind] || (*end && end[1]) || seconds < 0) {
        tool_warn("invalid time interval '%s'", argv[optind]);
        tool_die_usage(125);
    }
    int32_t pid = start(argv + optind + 1, true);
    if (pid < 0) {
        return -pid;
    }
    int32_t r = bxp_wait(pid, seconds > 0 ? (int64_t)(seconds * 1000) : -1);
    if (r != -ETIMEDOUT) {
        return r;
    }
    bxp_kill(pid, 128 + number);
    bxp_wait(pid, -1);
    return number == 9 ? 137 : status;
}
