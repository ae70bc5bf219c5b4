// uniq.c - uniq
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "programs/programs.h"
#include "programs/tool.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static struct {
    bool counts, only_repeated, only_unique, is_folded, shows_all;
    char group; // -D's separators: n, p(repend), s(eparate)
    long fields, chars, width;
    char end;
} uniq;

static const char *uniq_key(const char *line, size_t len, size_t *ret_len) {
    const char *p = line, *end = line + len;
    for (long i = 0; i < uniq.fields; i++) {
        while (p < end && is_blank(*p)) {
            p++;
        }
        while (p < end && !is_blank(*p)) {
            p++;
        }
    }
    p = end - p < uniq.chars ? end : p + uniq.chars;
    *ret_len =
        uniq.width >= 0 ? TOOL_MIN((size_t)uniq.width, (size_t)(end - p)) : (size_t)(end - p);
    return p;
}

static bool uniq_same(const char *a, size_t n, const char *b, size_t m) {
    size_t x, y;
    const char *p = uniq_key(a, n, &x), *q = uniq_key(b, m, &y);
    return x == y && (uniq.is_folded ? strncasecmp(p, q, x) == 0 : memcmp(p, q, x) == 0);
}

static void uniq_put(const char *line, size_t n, long count) {
    if ((uniq.only_repeated && count < 2) || (uniq.only_unique && count > 1)) {
        return;
    }
    if (uniq.counts) {
        printf("%7ld ", count);
    }
    fwrite(line, 1, n, stdout);
    putchar(uniq.end);
}

static void uniq_run(FILE *file) {
    char *line = NULL, *last = NULL;
    size_t cap = 0, n, last_n = 0;
    long count = 0;
    bool has_group = false;
    while (tool_line(file, &line, &cap, &n, uniq.end)) {
        n -= line[n - 1] == uniq.end;
        if (count && uniq_same(line, n, last, last_n)) {
            count++;
            if (uniq.shows_all) {
                if (count == 2) {
                    if (uniq.group == 'p' || (uniq.group == 's' && has_group)) {
                        putchar(uniq.end);
                    }
                    has_group = true;
                    fwrite(last, 1, last_n, stdout);
                    putchar(uniq.end);
                }
                fwrite(line, 1, n, stdout);
                putchar(uniq.end);
            }
            continue;
        }
        if (count && !uniq.shows_all) {
            uniq_put(last, last_n, count);
        }
        count = 1;
        free(last);
        last = tool_strndup(line, n);
        last_n = n;
    }
    if (count && !uniq.shows_all) {
        uniq_put(last, last_n, count);
    }
    free(last);
    free(line);
}

int uniq_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"count", 0, 0, 'c'},           {"repeated", 0, 0, 'd'},
        {"unique", 0, 0, 'u'},          {"ignore-case", 0, 0, 'i'},
        {"skip-fields", 1, 0, 'f'},     {"skip-chars", 1, 0, 's'},
        {"check-chars", 1, 0, 'w'},     {"all-repeated", 2, 0, 'D'},
        {"zero-terminated", 0, 0, 'z'}, {0}};
    uniq.width = -1;
    uniq.end = '\n';
    for (int c; (c = getopt_long(argc, argv, "cdDuif:s:w:z", longs, NULL)) != -1;) {
        switch (c) {
        case 'c':
            uniq.counts = true;
            break;
        case 'd':
            uniq.only_repeated = true;
            break;
        case 'D':
            uniq.shows_all = true;
            uniq.group = optarg ? *optarg : 'n';
            break;
        case 'u':
            uniq.only_unique = true;
            break;
        case 'i':
            uniq.is_folded = true;
            break;
        case 'f':
            uniq.fields = atol(optarg);
            break;
        case 's':
            uniq.chars = atol(optarg);
            break;
        case 'w':
            uniq.width = atol(optarg);
            break;
        case 'z':
            uniq.end = 0;
            break;
        default:
            tool_die_usage(1);
        }
    }
    FILE *file = argv[optind] ? tool_open(argv[optind]) : stdin;
    if (!file) {
        return 1;
    }
    if (argv[optind] && argv[optind + 1] && strcmp(argv[optind + 1], "-") &&
        !freopen(argv[optind + 1], "w", stdout)) {
        tool_warn_file(argv[optind + 1]);
        return 1;
    }
    uniq_run(file);
    return bx_status;
}
