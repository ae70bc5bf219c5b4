// join.c - join
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "programs/programs.h"
#include "programs/tool.h"

struct row {
    char *line;
    size_t cap;
    struct tool_list fields;
    bool is_there, is_paired;
};

static struct {
    long field[2];
    char tab;
    bool shows[2], hides_pairs, is_caseless;
    const char *empty, *format;
    bool has_header;
} jo;

static void join_read(FILE *file, struct row *r) {
    size_t n;
    r->is_paired = false;
    r->fields.n = 0;
    r->is_there = tool_line(file, &r->line, &r->cap, &n, '\n');
    if (!r->is_there) {
        return;
    }
    n -= r->line[n - 1] == '\n';
    r->line[n] = 0;
    char *at = r->line;
    if (jo.tab) {
        for (char *end; (end = strchr(at, jo.tab)); at = end + 1) {
            *end = 0;
            tool_push(&r->fields, at);
        }
        tool_push(&r->fields, at);
        return;
    }
    for (char *f = strtok(at, " \t"); f; f = strtok(NULL, " \t")) {
        tool_push(&r->fields, f);
    }
}

static const char *field_of(const struct row *r, long n) {
    const char *f = r && n >= 1 && (size_t)n <= r->fields.n ? r->fields.p[n - 1] : "";
    return *f || !jo.empty ? f : jo.empty;
}

static void join_put(const struct row *a, const struct row *b) {
    char tab = jo.tab ? jo.tab : ' ';
    bool is_first = true;
    if (jo.format && strcmp(jo.format, "auto")) {
        for (const char *p = jo.format; *p; p += strcspn(p, ", "), p += *p != 0) {
            bool is_key = *p == '0';
            const struct row *r = is_key ? (a ? a : b) : *p == '1' ? a : b;
            long n = is_key ? jo.field[a ? 0 : 1] : atol(p + 2);
            if (!is_first) {
                putchar(tab);
            }
            fputs(field_of(r, n), stdout);
            is_first = false;
        }
        putchar('\n');
        return;
    }
    fputs(field_of(a ? a : b, jo.field[a ? 0 : 1]), stdout);
    for (int side = 0; side < 2; side++) {
        const struct row *r = side ? b : a;
        for (size_t i = 0; r && i < r->fields.n; i++) {
            if ((long)i + 1 != jo.field[side]) {
                printf("%c%s", tab, field_of(r, (long)i + 1));
            }
        }
    }
    putchar('\n');
}

static int join_compare(const struct row *a, const struct row *b) {
    const char *x = field_of(a, jo.field[0]), *y = field_of(b, jo.field[1]);
    return jo.is_caseless ? strcasecmp(x, y) : strcmp(x, y);
}

static struct row *row_copy(const struct row *r) {
    struct row *copy = tool_alloc(sizeof *copy);
    memset(copy, 0, sizeof *copy);
    copy->is_there = true;
    for (size_t i = 0; i < r->fields.n; i++) {
        tool_push(&copy->fields, tool_strdup(r->fields.p[i]));
    }
    return copy;
}

static void join_run(FILE *x, FILE *y) {
    struct row a = {0}, b = {0};
    join_read(x, &a);
    join_read(y, &b);
    if (jo.has_header && a.is_there && b.is_there) {
        join_put(&a, &b);
        join_read(x, &a);
        join_read(y, &b);
    }
    while (a.is_there || b.is_there) {
        int r = !a.is_there ? 1 : !b.is_there ? -1 : join_compare(&a, &b);
        if (r < 0) {
            if (jo.shows[0]) {
                join_put(&a, NULL);
            }
            join_read(x, &a);
        } else if (r > 0) {
            if (jo.shows[1]) {
                join_put(NULL, &b);
            }
            join_read(y, &b);
        } else { // every pair of lines with this key
            struct tool_list same = {0};
            while (b.is_there && join_compare(&a, &b) == 0) {
                tool_push(&same, (char *)row_copy(&b));
                join_read(y, &b);
            }
            struct row *first = (struct row *)(void *)same.p[0];
            while (a.is_there && join_compare(&a, first) == 0) {
                for (size_t i = 0; i < same.n && !jo.hides_pairs; i++) {
                    join_put(&a, (struct row *)(void *)same.p[i]);
                }
                join_read(x, &a);
            }
        }
    }
}

int join_main(int argc, char **argv) {
    static const struct option longs[] = {{"header", 0, 0, 'H'},
                                          {"ignore-case", 0, 0, 'i'},
                                          {"check-order", 0, 0, 'k'},
                                          {"nocheck-order", 0, 0, 'k'},
                                          {0}};
    jo.field[0] = jo.field[1] = 1;
    for (int c; (c = getopt_long(argc, argv, "1:2:j:t:a:v:e:o:i", longs, NULL)) != -1;) {
        switch (c) {
        case '1':
            jo.field[0] = atol(optarg);
            break;
        case '2':
            jo.field[1] = atol(optarg);
            break;
        case 'j':
            jo.field[0] = jo.field[1] = atol(optarg);
            break;
        case 't':
            jo.tab = !strcmp(optarg, "\\t") ? '\t' : *optarg;
            break;
        case 'v':
            jo.hides_pairs = true; // fall through
        case 'a':
            if (*optarg != '1' && *optarg != '2') {
                tool_die(1, "invalid file number: '%s'", optarg);
            }
            jo.shows[*optarg - '1'] = true;
            break;
        case 'e':
            jo.empty = optarg;
            break;
        case 'o':
            jo.format = optarg;
            break;
        case 'i':
            jo.is_caseless = true;
            break;
        case 'H':
            jo.has_header = true;
            break;
        case 'k':
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (argc - optind != 2) {
        tool_warn("missing operand");
        tool_die_usage(1);
    }
    FILE *a = tool_open(argv[optind]), *b = a ? tool_open(argv[optind + 1]) : NULL;
    if (b) {
        join_run(a, b);
    }
    return bx_status;
}
