// diff.c - diff (normal, unified, context, side by side, brief, recursive) and the comparison below
// it
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "programs/diff.h"
#include "programs/programs.h"

struct diff_options d;

// --- output

struct change {
    size_t a0, a1, b0, b1;
};

static bool is_blank(const struct side *s, size_t from, size_t to) {
    for (; from < to; from++) {
        for (size_t i = 0; i < s->lens[from]; i++) {
            if (!isspace((unsigned char)s->lines[from][i]) ||
                !(d.ignores_space || d.ignores_space_change)) {
                return false;
            }
        }
    }
    return true;
}

static struct change *changes_of(const struct side *a, const struct side *b, size_t *ret_n) {
    struct change *list = NULL;
    size_t n = 0, cap = 0, i = 0, k = 0;
    while (i < a->n || k < b->n) {
        struct change c = {i, i, k, k};
        while (c.a1 < a->n && a->differs[c.a1]) {
            c.a1++;
        }
        while (c.b1 < b->n && b->differs[c.b1]) {
            c.b1++;
        }
        bool is_ignored =
            d.ignores_blank_lines && is_blank(a, c.a0, c.a1) && is_blank(b, c.b0, c.b1);
        if ((c.a1 > c.a0 || c.b1 > c.b0) && !is_ignored) {
            if (n == cap) {
                cap = cap * 2 + 64;
                list = tool_realloc(list, cap * sizeof *list);
            }
            list[n++] = c;
        }
        i = c.a1 + 1;
        k = c.b1 + 1;
    }
    *ret_n = n;
    return list;
}

static void color(const char *code) {
    if (d.has_color) {
        printf("\33[%sm", code);
    }
}

static void put_line(const struct side *s, size_t i, const char *mark, const char *code) {
    color(code);
    fputs(mark, stdout);
    fwrite(s->lines[i], 1, s->lens[i], stdout);
    color("0");
    putchar('\n');
    if (s->lacks_end && i + 1 == s->n) {
        puts("\\ No newline at end of file");
    }
}

static void put_range(size_t from, size_t to, bool is_unified) {
    if (is_unified) {
        size_t n = to - from;
        printf(n == 1 ? "%zu" : "%zu,%zu", n ? from + 1 : from, n);
    } else if (to - from <= 1) {
        printf("%zu", to);
    } else {
        printf("%zu,%zu", from + 1, to);
    }
}

static void put_normal(const struct side *a, const struct side *b, const struct change *list,
                       size_t n) {
    for (size_t i = 0; i < n; i++) {
        const struct change *c = &list[i];
        put_range(c->a0, c->a1, false);
        putchar(c->a0 == c->a1 ? 'a' : c->b0 == c->b1 ? 'd' : 'c');
        put_range(c->b0, c->b1, false);
        putchar('\n');
        for (size_t k = c->a0; k < c->a1; k++) {
            put_line(a, k, "< ", "31");
        }
        if (c->a0 < c->a1 && c->b0 < c->b1) {
            puts("---");
        }
        for (size_t k = c->b0; k < c->b1; k++) {
            put_line(b, k, "> ", "32");
        }
    }
}

static void put_title(const char *mark, const struct side *s, int which) {
    char when[80];
    color("1");
    if (d.n_labels > which) {
        printf("%s %s", mark, d.labels[which]);
    } else {
        bool is_context = d.style == 'c';
        strftime(when, sizeof when, is_context ? "%a %b %e %H:%M:%S %Y" : "%Y-%m-%d %H:%M:%S",
                 gmtime(&s->st.st_mtim.tv_sec));
        printf("%s %s\t%s", mark, s->path, when);
        (void)is_context;
        printf(".%09ld +0000", s->st.st_mtim.tv_nsec);
    }
    color("0");
    putchar('\n');
}

// Changes whose context touches make one hunk: its last change
static size_t hunk_end(const struct change *list, size_t n, size_t i) {
    while (i + 1 < n && list[i + 1].a0 - list[i].a1 <= 2 * (size_t)d.context) {
        i++;
    }
    return i;
}

static void put_unified(const struct side *a, const struct side *b, const struct change *list,
                        size_t n) {
    size_t around = (size_t)d.context;
    put_title("---", a, 0);
    put_title("+++", b, 1);
    for (size_t i = 0; i < n; i++) {
        size_t last = hunk_end(list, n, i), before = TOOL_MIN(around, list[i].a0);
        size_t after = TOOL_MIN(around, a->n - list[last].a1);
        color("36");
        fputs("@@ -", stdout);
        put_range(list[i].a0 - before, list[last].a1 + after, true);
        fputs(" +", stdout);
        put_range(list[i].b0 - before, list[last].b1 + after, true);
        fputs(" @@", stdout);
        color("0");
        putchar('\n');
        size_t at = list[i].a0 - before;
        for (; i <= last; i++) {
            for (; at < list[i].a0; at++) {
                put_line(a, at, " ", "0");
            }
            for (; at < list[i].a1; at++) {
                put_line(a, at, "-", "31");
            }
            for (size_t k = list[i].b0; k < list[i].b1; k++) {
                put_line(b, k, "+", "32");
            }
        }
        i--;
        for (size_t k = 0; k < after; k++) {
            put_line(a, at + k, " ", "0");
        }
    }
}

static void put_context_side(const struct side *s, const struct change *list, size_t from,
                             size_t to, size_t first, size_t last, bool is_b) {
    printf(is_b ? "--- " : "*** ");
    printf(to - from <= 1 ? "%zu" : "%zu,%zu", to - from <= 1 ? to : from + 1, to);
    puts(is_b ? " ----" : " ****");
    bool has_any = false;
    for (size_t i = first; i <= last; i++) {
        has_any = has_any || (is_b ? list[i].b1 > list[i].b0 : list[i].a1 > list[i].a0);
    }
    for (size_t at = from, i = first; has_any && at < to; at++) {
        while (i <= last && at >= (is_b ? list[i].b1 : list[i].a1)) {
            i++;
        }
        bool is_in = i <= last && at >= (is_b ? list[i].b0 : list[i].a0);
        bool is_both = is_in && list[i].a1 > list[i].a0 && list[i].b1 > list[i].b0;
        put_line(s, at, is_both ? "! " : is_in ? (is_b ? "+ " : "- ") : "  ", "0");
    }
}

static void put_context(const struct side *a, const struct side *b, const struct change *list,
                        size_t n) {
    put_title("***", a, 0);
    put_title("---", b, 1);
    for (size_t i = 0; i < n; i++) {
        size_t first = i, last = hunk_end(list, n, i),
               before = TOOL_MIN((size_t)d.context, list[i].a0);
        size_t after = TOOL_MIN((size_t)d.context, a->n - list[last].a1);
        puts("***************");
        put_context_side(a, list, list[first].a0 - before, list[last].a1 + after, first, last,
                         false);
        put_context_side(b, list, list[first].b0 - before, list[last].b1 + after, first, last,
                         true);
        i = last;
    }
}

// A half of a line of two, cut to the width and padded, with tabs widened as a terminal does
static size_t put_half(const struct side *s, size_t i, size_t width, size_t column) {
    size_t at = 0;
    for (size_t k = 0; k < s->lens[i];) {
        size_t len = tool_char(s->lines[i] + k, s->lens[i] - k), w;
        if (s->lines[i][k] == '\t') {
            w = 8 - at % 8;
            if (at + w > width) {
                break;
            }
            for (size_t x = 0; x < w; x++) {
                putchar(' ');
            }
        } else {
            w = tool_width(s->lines[i] + k, len);
            if (at + w > width) {
                break;
            }
            fwrite(s->lines[i] + k, 1, len, stdout);
        }
        at += w;
        k += len;
    }
    return column + at;
}

static size_t pad_to(size_t from, size_t to) { // with tabs where they fit
    while (from / 8 * 8 + 8 <= to) {
        putchar('\t');
        from = from / 8 * 8 + 8;
    }
    for (; from < to; from++) {
        putchar(' ');
    }
    return from;
}

static void put_sides(const struct side *a, const struct side *b) {
    size_t width = (size_t)d.width, t = 8, w = 3, off = (width + t + w) / (2 * t) * t;
    size_t half = TOOL_MIN(off - w, width - off), column2 = off < width ? off : width;
    half = half < width ? half : 0;
    size_t i = 0, k = 0;
    while (i < a->n || k < b->n) {
        bool is_left = i < a->n && a->differs[i], is_right = k < b->n && b->differs[k];
        bool is_same = !is_left && !is_right;
        char mark = is_same ? ' ' : is_left && is_right ? '|' : is_left ? '<' : '>';
        if (is_same && d.hides_common) {
            i++;
            k++;
            continue;
        }
        size_t at = 0;
        if (is_same || is_left) {
            at = put_half(a, i, half, 0);
        }
        if (mark != ' ') {
            at = pad_to(at, (half + column2 - 1) / 2);
            putchar(mark);
            at++;
        }
        if ((is_same && !d.left_only) || is_right) {
            if (b->lens[k]) {
                pad_to(at, column2);
            }
            put_half(b, k, half, column2);
        }
        putchar('\n');
        i += is_same || is_left;
        k += is_same || is_right;
    }
}

// --- files

static bool load(struct side *s, const char *path) {
    s->path = path;
    FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
    if (!file) {
        if (errno == ENOENT && d.new_files) {
            s->text = tool_strdup("");
            return true;
        }
        tool_warn_file(path);
        bx_status = 2;
        return false;
    }
    fstat(fileno(file), &s->st);
    if (file == stdin) {
        tool_now(&s->st.st_mtim);
    }
    s->text = tool_slurp(file, &s->len);
    tool_close(file);
    return true;
}

static void drop(struct side *s) {
    free(s->text);
    free(s->lines);
    free(s->lens);
    free(s->ids);
    free(s->differs);
}

static void differ(void) {
    bx_status = bx_status ? bx_status : 1;
}

static void diff_files(const char *x, const char *y, bool has_command) {
    struct side a = {0}, b = {0};
    if (!load(&a, x) || !load(&b, y)) {
        return;
    }
    bool is_same = a.len == b.len && !memcmp(a.text, b.text, a.len);
    bool is_binary = !d.is_text && (memchr(a.text, 0, TOOL_MIN(a.len, (size_t)8000)) ||
                                    memchr(b.text, 0, TOOL_MIN(b.len, (size_t)8000)));
    size_t n = 0;
    struct change *list = NULL;
    if (!is_same && !is_binary) {
        diff_split(&a);
        diff_split(&b);
        diff_compare(&a, &b);
        list = changes_of(&a, &b, &n);
        is_same = n == 0;
    } else if (d.style == 'y') {
        diff_split(&a);
        diff_split(&b);
    }
    if (is_same) {
        if (d.style == 'y' && !is_binary) {
            put_sides(&a, &b);
        }
        if (d.same_too) {
            printf("Files %s and %s are identical\n", x, y);
        }
    } else {
        differ();
        if (d.style == 'q') {
            printf("Files %s and %s differ\n", x, y);
        } else if (is_binary) {
            printf("Binary files %s and %s differ\n", x, y);
        } else {
            if (has_command) {
                printf("diff%s %s %s\n", d.options, x, y);
            }
            if (d.style == 'u') {
                put_unified(&a, &b, list, n);
            } else if (d.style == 'c') {
                put_context(&a, &b, list, n);
            } else if (d.style == 'y') {
                put_sides(&a, &b);
            } else {
                put_normal(&a, &b, list, n);
            }
        }
    }
    free(list);
    drop(&a);
    drop(&b);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_of(const char *dir, struct tool_list *list) {
    DIR *open = opendir(dir);
    if (!open) {
        tool_warn_file(dir);
        bx_status = 2;
        return;
    }
    for (struct dirent *e; (e = readdir(open));) {
        bool is_out = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
        for (size_t i = 0; i < d.excluded.n; i++) {
            is_out = is_out || fnmatch(d.excluded.p[i], e->d_name, 0) == 0;
        }
        if (!is_out) {
            tool_push(list, tool_strdup(e->d_name));
        }
    }
    closedir(open);
    if (list->n) {
        qsort(list->p, list->n, sizeof *list->p, by_name);
    }
}

static const char *kind_of(const struct stat *st) {
    return S_ISDIR(st->st_mode) ? "directory" : st->st_size ? "regular file" : "regular empty file";
}

static void diff_dirs(const char *x, const char *y) {
    struct tool_list a = {0}, b = {0};
    names_of(x, &a);
    names_of(y, &b);
    for (size_t i = 0, k = 0; i < a.n || k < b.n;) {
        int r = i >= a.n ? 1 : k >= b.n ? -1 : strcmp(a.p[i], b.p[k]);
        const char *name = r <= 0 ? a.p[i] : b.p[k];
        char *p = tool_join(x, name), *q = tool_join(y, name);
        struct stat s = {0}, t = {0};
        bool is_in_a = r <= 0 && stat(p, &s) == 0, is_in_b = r >= 0 && stat(q, &t) == 0;
        bool is_dir = (is_in_a && S_ISDIR(s.st_mode)) || (is_in_b && S_ISDIR(t.st_mode));
        if (r && !(d.new_files && !is_dir)) {
            printf("Only in %s: %s\n", r < 0 ? x : y, name);
            differ();
        } else if (is_in_a && is_in_b && S_ISDIR(s.st_mode) != S_ISDIR(t.st_mode)) {
            printf("File %s is a %s while file %s is a %s\n", p, kind_of(&s), q, kind_of(&t));
            differ();
        } else if (is_dir) {
            if (d.is_recursive) {
                diff_dirs(p, q);
            } else {
                printf("Common subdirectories: %s and %s\n", p, q);
            }
        } else {
            diff_files(p, q, d.style != 'q' && d.style != 'y');
        }
        i += r <= 0;
        k += r >= 0;
        free(p);
        free(q);
    }
}

static const struct option longs[] = {{"unified", 2, 0, 'U'},
                                      {"context", 2, 0, 'C'},
                                      {"brief", 0, 0, 'q'},
                                      {"recursive", 0, 0, 'r'},
                                      {"side-by-side", 0, 0, 'y'},
                                      {"ignore-case", 0, 0, 'i'},
                                      {"ignore-all-space", 0, 0, 'w'},
                                      {"ignore-space-change", 0, 0, 'b'},
                                      {"ignore-blank-lines", 0, 0, 'B'},
                                      {"ignore-trailing-space", 0, 0, 'Z'},
                                      {"new-file", 0, 0, 'N'},
                                      {"text", 0, 0, 'a'},
                                      {"report-identical-files", 0, 0, 's'},
                                      {"label", 1, 0, 'L'},
                                      {"exclude", 1, 0, 'x'},
                                      {"width", 1, 0, 'W'},
                                      {"color", 2, 0, 256},
                                      {"strip-trailing-cr", 0, 0, 257},
                                      {"suppress-common-lines", 0, 0, 258},
                                      {"left-column", 0, 0, 259},
                                      {"minimal", 0, 0, 'd'},
                                      {"speed-large-files", 0, 0, 'd'},
                                      {"normal", 0, 0, 260},
                                      {"no-dereference", 0, 0, 'd'},
                                      {"show-c-function", 0, 0, 'p'},
                                      {0}};

static void option(int c) {
    switch (c) {
    case 'u':
        d.style = 'u';
        break;
    case 'c':
        d.style = 'c';
        break;
    case 'U':
    case 'C':
        d.style = c == 'U' ? 'u' : 'c';
        d.context = optarg ? atol(optarg) : 3;
        break;
    case 'q':
    case 'y':
        d.style = (char)c;
        break;
    case 'r':
        d.is_recursive = true;
        break;
    case 'i':
        d.ignores_case = true;
        break;
    case 'w':
        d.ignores_space = true;
        break;
    case 'b':
        d.ignores_space_change = true;
        break;
    case 'B':
        d.ignores_blank_lines = true;
        break;
    case 'Z':
        d.ignores_end = true;
        break;
    case 'N':
        d.new_files = true;
        break;
    case 'a':
        d.is_text = true;
        break;
    case 's':
        d.same_too = true;
        break;
    case 'L':
        if (d.n_labels < 2) {
            d.labels[d.n_labels++] = optarg;
        }
        break;
    case 'x':
        tool_push(&d.excluded, optarg);
        break;
    case 'W':
        d.width = atoi(optarg);
        break;
    case 256:
        d.has_color = optarg && !strcmp(optarg, "always");
        break;
    case 257:
        d.strips_cr = true;
        break;
    case 258:
        d.hides_common = true;
        break;
    case 259:
        d.left_only = true;
        break;
    case 'd':
    case 'p':
    case 't':
        break;
    case 260:
        d.style = 'n';
        break;
    default:
        tool_die_usage(2);
    }
}

int diff_main(int argc, char **argv) {
    struct tool_buf options = {0};
    d.style = 'n';
    d.context = 3;
    d.width = 130;
    tool_puts(&options, "");
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            tool_printf(&options, " %s", tool_quote(argv[i]));
        }
    }
    d.options = options.p;
    for (int c; (c = getopt_long(argc, argv, "ucU:C:qyriwbBZNasL:x:W:dpt", longs, NULL)) != -1;) {
        option(c);
    }
    if (argc - optind != 2) {
        tool_warn(argc - optind < 2 ? "missing operand after '%s'" : "extra operand '%s'",
                  argc - optind < 2 ? argv[argc - 1] : argv[optind + 2]);
        fprintf(stderr, "diff: Try 'diff --help' for more information.\n");
        return 2;
    }
    const char *x = argv[optind], *y = argv[optind + 1];
    struct stat s = {0}, t = {0};
    bool x_there = strcmp(x, "-") == 0 || stat(x, &s) == 0,
         y_there = strcmp(y, "-") == 0 || stat(y, &t) == 0;
    if (x_there && y_there && S_ISDIR(s.st_mode) && S_ISDIR(t.st_mode)) {
        diff_dirs(x, y);
        return bx_status;
    }
    const char *base;
    if (x_there && y_there && S_ISDIR(s.st_mode)) { // diff dir file
        base = strrchr(y, '/');
        x = tool_join(x, base ? base + 1 : y);
    } else if (x_there && y_there && S_ISDIR(t.st_mode)) {
        base = strrchr(x, '/');
        y = tool_join(y, base ? base + 1 : x);
    }
    diff_files(x, y, false);
    return bx_status;
}
