// cut.c - cut and comm
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"
#include "programs/tool.h"

// --- cut

static struct {
    long from[256], to[256];
    int n;
    char kind, delimiter;
    const char *between;
    bool only_delimited, is_complement;
    char end;
} cut;

static void cut_list(char *list) {
    for (char *part = strtok(list, ", "); part; part = strtok(NULL, ", ")) {
        char *end;
        long from = *part == '-' ? 1 : strtol(part, &end, 10), to;
        end = *part == '-' ? part : end;
        to = *end == '-' ? (end[1] ? strtol(end + 1, &end, 10) : (end++, LONG_MAX)) : from;
        if (*end || cut.n == 256) {
            tool_die(1, "invalid %s value '%s'", cut.kind == 'f' ? "field" : "byte/character",
                     part);
        }
        if (from < 1) {
            fprintf(stderr, "cut: %s are numbered from 1\nTry 'cut --help' for more information.\n",
                    cut.kind == 'f' ? "fields" : "byte/character positions");
            exit(1);
        }
        if (to < from) {
            tool_die(1, "invalid decreasing range\nTry 'cut --help' for more information.");
        }
        cut.from[cut.n] = from;
        cut.to[cut.n++] = to;
    }
}

static bool cut_wants(long i) {
    bool is_in = false;
    for (int k = 0; k < cut.n && !is_in; k++) {
        is_in = i >= cut.from[k] && i <= cut.to[k];
    }
    return is_in != cut.is_complement;
}

static void cut_fields(const char *line, size_t n) {
    bool has_any = false;
    if (!memchr(line, cut.delimiter, n)) {
        if (!cut.only_delimited) {
            fwrite(line, 1, n, stdout);
            putchar(cut.end);
        }
        return;
    }
    for (long i = 1;; i++) {
        const char *end = memchr(line, cut.delimiter, n);
        size_t len = end ? (size_t)(end - line) : n;
        if (cut_wants(i)) {
            if (has_any) {
                fputs(cut.between, stdout);
            }
            fwrite(line, 1, len, stdout);
            has_any = true;
        }
        if (!end) {
            break;
        }
        line += len + 1;
        n -= len + 1;
    }
    putchar(cut.end);
}

static void cut_bytes(const char *line, size_t n) {
    bool was_in = false, has_any = false;
    long i = 1;
    for (size_t at = 0; at < n; i++) {
        size_t len = 1;
        bool is_in = cut_wants(i);
        if (is_in && !was_in && has_any && cut.between) {
            fputs(cut.between, stdout);
        }
        if (is_in) {
            fwrite(line + at, 1, len, stdout);
            has_any = true;
        }
        was_in = is_in;
        at += len;
    }
    putchar(cut.end);
}

static void cut_run(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, cut.end)) {
        n -= line[n - 1] == cut.end;
        if (cut.kind == 'f') {
            cut_fields(line, n);
        } else {
            cut_bytes(line, n);
        }
    }
    free(line);
}

int cut_main(int argc, char **argv) {
    static const struct option longs[] = {{"bytes", 1, 0, 'b'},
                                          {"characters", 1, 0, 'c'},
                                          {"delimiter", 1, 0, 'd'},
                                          {"fields", 1, 0, 'f'},
                                          {"complement", 0, 0, 'C'},
                                          {"only-delimited", 0, 0, 's'},
                                          {"output-delimiter", 1, 0, 'O'},
                                          {"zero-terminated", 0, 0, 'z'},
                                          {0}};
    static char one[2];
    char *list = NULL;
    cut.delimiter = '\t';
    cut.end = '\n';
    for (int c; (c = getopt_long(argc, argv, "b:c:d:f:snz", longs, NULL)) != -1;) {
        switch (c) {
        case 'b':
        case 'c':
        case 'f':
            cut.kind = (char)c;
            list = optarg;
            break;
        case 'd':
            if (*optarg && optarg[1]) {
                tool_die(1, "the delimiter must be a single character\nTry 'cut --help' for more "
                            "information.");
            }
            cut.delimiter = *optarg;
            break;
        case 'C':
            cut.is_complement = true;
            break;
        case 's':
            cut.only_delimited = true;
            break;
        case 'O':
            cut.between = optarg;
            break;
        case 'z':
            cut.end = 0;
            break;
        case 'n':
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (!list) {
        tool_die(1, "you must specify a list of bytes, characters, or fields\nTry 'cut --help' for "
                    "more information.");
    }
    cut_list(list);
    one[0] = cut.delimiter;
    if (cut.kind == 'f' && !cut.between) {
        cut.between = one;
    }
    tool_each(argv + optind, cut_run);
    return bx_status;
}

// --- comm

int comm_main(int argc, char **argv) {
    bool hide[3] = {0};
    const char *between = "\t";
    static const struct option longs[] = {{"output-delimiter", 1, 0, 'O'},
                                          {"check-order", 0, 0, 'k'},
                                          {"nocheck-order", 0, 0, 'k'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "123", longs, NULL)) != -1;) {
        if (c == '?') {
            tool_die_usage(1);
        } else if (c == 'O') {
            between = optarg;
        } else if (c != 'k') {
            hide[c - '1'] = true;
        }
    }
    if (argc - optind != 2) {
        tool_die(1, argc - optind < 2 ? "missing operand\nTry 'comm --help' for more information."
                                      : "extra operand\nTry 'comm --help' for more information.");
    }
    FILE *a = tool_open(argv[optind]), *b = a ? tool_open(argv[optind + 1]) : NULL;
    if (!b) {
        return 1;
    }
    char *x = NULL, *y = NULL, *last[2] = {NULL, NULL};
    size_t xcap = 0, ycap = 0, n;
    bool has_x = tool_line(a, &x, &xcap, &n, '\n'), has_y = tool_line(b, &y, &ycap, &n, '\n'),
         said[2] = {0};
    while (has_x || has_y) {
        if (has_x) {
            x[strcspn(x, "\n")] = 0;
        }
        if (has_y) {
            y[strcspn(y, "\n")] = 0;
        }
        int r = !has_x ? 1 : !has_y ? -1 : strcmp(x, y), column = r < 0 ? 0 : r > 0 ? 1 : 2;
        if (!hide[column]) {
            for (int i = 0; i < column; i++) {
                fputs(hide[i] ? "" : between, stdout);
            }
            puts(r > 0 ? y : x);
        }
        for (int side = 0; side < 2; side++) {
            bool moves = side ? r >= 0 : r <= 0;
            char **line = side ? &y : &x;
            if (moves) {
                free(last[side]);
                last[side] = tool_strdup(*line);
                if (side) {
                    has_y = tool_line(b, &y, &ycap, &n, '\n');
                } else {
                    has_x = tool_line(a, &x, &xcap, &n, '\n');
                }
                if ((side ? has_y : has_x) && !said[side] &&
                    strncmp(last[side], *line, strcspn(*line, "\n") + 1) > 0 &&
                    strcmp(last[side], "")) {
                    char *copy_of = tool_strndup(*line, strcspn(*line, "\n"));
                    if (strcmp(last[side], copy_of) > 0) {
                        tool_warn("file %d is not in sorted order", side + 1);
                        said[side] = true;
                    }
                    free(copy_of);
                }
            }
        }
    }
    if (said[0] || said[1]) {
        tool_warn("input is not in sorted order");
    }
    return bx_status;
}
