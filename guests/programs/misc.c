// misc.c - column, join, shuf, tsort, unexpand, sum, expr, which, tac, nl
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"
#include "programs/regex.h"
#include "programs/tool.h"

// --- column

static struct {
    bool is_table, fills_rows, is_greedy;
    const char *separators, *between, *names;
    struct tool_list lines;
    size_t width;
    bool has_own_separators;
    const char *right;
} col;

static void column_take(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        n -= line[n - 1] == '\n';
        if (n && strspn(line, " \t\n") != n) {
            tool_push(&col.lines, tool_strndup(line, n));
        }
    }
    free(line);
}

static void cells_of(char *line, struct tool_list *cells) {
    if (!col.has_own_separators) {
        for (char *cell = strtok(line, col.separators); cell; cell = strtok(NULL, col.separators)) {
            tool_push(cells, cell);
        }
        return;
    }
    for (;;) {
        size_t n = strcspn(line, col.separators);
        bool is_last = !line[n];
        line[n] = 0;
        tool_push(cells, line);
        if (is_last) {
            return;
        }
        line += n + 1;
    }
}

static bool is_right(size_t column) {
    for (const char *p = col.right; p && *p;) {
        char *end;
        if ((size_t)strtol(p, &end, 10) == column + 1) {
            return true;
        }
        p = *end == ',' ? end + 1 : end == p ? "" : end;
    }
    return false;
}

static void column_table(void) {
    enum { MAX = 512 };
    size_t widths[MAX] = {0}, columns = 0;
    struct tool_list *rows = tool_alloc((col.lines.n + 2) * sizeof *rows);
    size_t n = 0;
    if (col.names) {
        memset(&rows[n], 0, sizeof *rows);
        char *names = tool_strdup(col.names);
        for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
            tool_push(&rows[n], name);
        }
        n++;
    }
    for (size_t i = 0; i < col.lines.n; i++, n++) {
        memset(&rows[n], 0, sizeof *rows);
        cells_of(col.lines.p[i], &rows[n]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < rows[i].n && k < MAX; k++) {
            widths[k] = TOOL_MAX(widths[k], tool_width(rows[i].p[k], strlen(rows[i].p[k])));
            columns = TOOL_MAX(columns, k + 1);
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < columns; k++) {
            const char *cell = k < rows[i].n ? rows[i].p[k] : "";
            size_t pad = widths[k] - tool_width(cell, strlen(cell));
            bool is_end = k + 1 == columns;
            if (k >= rows[i].n && k) { // the rest of a short row is not padded
                break;
            }
            if (is_right(k)) {
                printf("%*s%s", (int)pad, "", cell);
            } else {
                fputs(cell, stdout);
                if (!is_end) {
                    printf("%*s", (int)pad, "");
                }
            }
            if (!is_end) {
                fputs(col.between, stdout);
            }
        }
        putchar('\n');
    }
}

static void column_fill(void) {
    size_t widest = 0;
    for (size_t i = 0; i < col.lines.n; i++) {
        widest = TOOL_MAX(widest, tool_width(col.lines.p[i], strlen(col.lines.p[i])));
    }
    widest = (widest + 8) / 8 * 8;
    size_t columns = TOOL_MAX((size_t)1, col.width / widest),
           rows = (col.lines.n + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t k = 0; k < columns; k++) {
            size_t i = col.fills_rows ? row * columns + k : k * rows + row,
                   next = col.fills_rows ? i + 1 : i + rows;
            if (i >= col.lines.n) {
                break;
            }
            fputs(col.lines.p[i], stdout);
            if (k + 1 < columns && next < col.lines.n) {
                for (size_t at = tool_width(col.lines.p[i], strlen(col.lines.p[i])); at < widest;
                     at = at / 8 * 8 + 8) {
                    putchar('\t');
                }
            }
        }
        putchar('\n');
    }
}

int column_main(int argc, char **argv) {
    static const struct option longs[] = {{"table", 0, 0, 't'},
                                          {"separator", 1, 0, 's'},
                                          {"output-separator", 1, 0, 'o'},
                                          {"fillrows", 0, 0, 'x'},
                                          {"output-width", 1, 0, 'c'},
                                          {"table-columns", 1, 0, 'N'},
                                          {"table-right", 1, 0, 'R'},
                                          {0}};
    col.separators = " \t";
    col.between = "  ";
    col.width = 80;
    for (int c; (c = getopt_long(argc, argv, "ts:o:xc:N:R:enL", longs, NULL)) != -1;) {
        switch (c) {
        case 't':
            col.is_table = true;
            break;
        case 's':
            col.separators = optarg;
            col.has_own_separators = true;
            break;
        case 'o':
            col.between = optarg;
            break;
        case 'x':
            col.fills_rows = true;
            break;
        case 'c':
            col.width = (size_t)atol(optarg);
            break;
        case 'N':
            col.names = optarg;
            break;
        case 'R':
            col.right = optarg;
            break;
        case '?':
            tool_die_usage(1);
        default:
            break;
        }
    }
    tool_each(argv + optind, column_take);
    if (col.is_table) {
        column_table();
    } else {
        column_fill();
    }
    return bx_status;
}

// --- join

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

// --- shuf

static uint64_t state;
static uint64_t random_below(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

static struct tool_list shuf_lines;
static char shuf_end = '\n';
static void shuf_take(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, shuf_end)) {
        n -= line[n - 1] == shuf_end;
        tool_push(&shuf_lines, tool_strndup(line, n));
    }
    free(line);
}

int shuf_main(int argc, char **argv) {
    static const struct option longs[] = {{"head-count", 1, 0, 'n'},
                                          {"input-range", 1, 0, 'i'},
                                          {"echo", 0, 0, 'e'},
                                          {"repeat", 0, 0, 'r'},
                                          {"random-source", 1, 0, 'S'},
                                          {"output", 1, 0, 'o'},
                                          {"zero-terminated", 0, 0, 'z'},
                                          {0}};
    long long count = -1, from = 0, to = -1;
    bool is_echo = false, repeats = false, is_range = false;
    struct timespec now;
    tool_now(&now);
    state = (uint64_t)now.tv_nsec * 2654435761u + (uint64_t)now.tv_sec + (uint64_t)(uintptr_t)&argc;
    state = state ? state : 1;
    for (int c; (c = getopt_long(argc, argv, "n:i:ero:z", longs, NULL)) != -1;) {
        switch (c) {
        case 'n':
            count = atoll(optarg);
            break;
        case 'i':
            is_range = true;
            if (sscanf(optarg, "%lld-%lld", &from, &to) != 2 || to < from - 1) {
                tool_die(1, "invalid input range: '%s'", optarg);
            }
            break;
        case 'e':
            is_echo = true;
            break;
        case 'r':
            repeats = true;
            break;
        case 'S': {
            FILE *file = fopen(optarg, "r");
            size_t n = 0;
            char *text = file ? tool_slurp(file, &n) : (char *)"";
            state = 88172645463325252u;
            for (size_t i = 0; i < n; i++) {
                state = state * 31 + (unsigned char)text[i];
            }
            break;
        }
        case 'o':
            if (!freopen(optarg, "w", stdout)) {
                tool_die(1, "%s: %s", optarg, strerror(errno));
            }
            break;
        case 'z':
            shuf_end = 0;
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (is_range) {
        for (long long i = from; i <= to; i++) {
            struct tool_buf b = {0};
            tool_printf(&b, "%lld", i);
            tool_push(&shuf_lines, b.p);
        }
    } else if (is_echo) {
        for (char **a = argv + optind; *a; a++) {
            tool_push(&shuf_lines, *a);
        }
    } else {
        tool_each(argv + optind, shuf_take);
    }
    long long n = (long long)shuf_lines.n;
    if (repeats) {
        for (long long i = 0; n && (count < 0 || i < count); i++) {
            if (printf("%s%c", shuf_lines.p[random_below((uint64_t)n)], shuf_end) < 0) {
                break;
            }
        }
        return bx_status;
    }
    for (long long i = 0; i < n && (count < 0 || i < count); i++) {
        long long k = i + (long long)random_below((uint64_t)(n - i));
        char *line = shuf_lines.p[k];
        shuf_lines.p[k] = shuf_lines.p[i];
        printf("%s%c", line, shuf_end);
    }
    return bx_status;
}

// --- tsort

int tsort_main(int argc, char **argv) {
    struct tool_list names = {0};
    size_t len, *pairs = NULL, n = 0;
    FILE *file = argc > 1 ? tool_open(argv[1]) : stdin;
    if (!file) {
        return 1;
    }
    char *text = tool_slurp(file, &len);
    size_t last = 0, words = 0;
    for (char *w = strtok(text, " \t\n"); w; w = strtok(NULL, " \t\n"), words++) {
        size_t i = 0;
        while (i < names.n && strcmp(names.p[i], w)) {
            i++;
        }
        if (i == names.n) {
            tool_push(&names, w);
        }
        if (words % 2) {
            pairs = tool_realloc(pairs, (n + 1) * 2 * sizeof *pairs);
            pairs[2 * n] = last;
            pairs[2 * n++ + 1] = i;
        }
        last = i;
    }
    if (words % 2) {
        tool_die(1, "%s: input contains an odd number of tokens", argc > 1 ? argv[1] : "-");
    }
    long *before = tool_alloc((names.n + 1) * sizeof *before);
    memset(before, 0, (names.n + 1) * sizeof *before);
    for (size_t i = 0; i < n; i++) {
        before[pairs[2 * i + 1]] += pairs[2 * i] != pairs[2 * i + 1];
    }
    size_t *queue = tool_alloc((names.n + 1) * sizeof *queue), head = 0, tail = 0, done = 0;
    for (size_t i = 0; i < names.n; i++) {
        if (!before[i]) {
            queue[tail++] = i;
        }
    }
    while (done < names.n) {
        if (head == tail) { // a loop: broken at its first name
            tool_warn("%s: input contains a loop:", argc > 1 ? argv[1] : "-");
            for (size_t i = 0; i < names.n; i++) {
                if (before[i] > 0) {
                    tool_warn("%s", names.p[i]);
                    before[i] = 0;
                    queue[tail++] = i;
                    break;
                }
            }
        }
        size_t i = queue[head++];
        puts(names.p[i]);
        before[i] = -1;
        done++;
        for (size_t k = 0; k < n; k++) {
            size_t to = pairs[2 * k + 1];
            if (pairs[2 * k] == i && to != i && before[to] > 0 && --before[to] == 0) {
                queue[tail++] = to;
            }
        }
    }
    return bx_status;
}

// --- unexpand, sum, tac, nl

static long tab_size = 8;
static bool unexpands_all;
static void unexpand_run(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        long column = 0, blanks = 0;
        bool is_start = true;
        for (size_t i = 0; i < n; i++) {
            if ((line[i] == ' ' || line[i] == '\t') && (is_start || unexpands_all)) {
                blanks++;
                column = line[i] == '\t' ? (column / tab_size + 1) * tab_size : column + 1;
                if (column % tab_size == 0) {
                    bool is_single =
                        blanks == 1 && line[i] == ' ' && !(i + 1 < n && line[i + 1] == ' ');
                    putchar(is_single ? ' ' : '\t');
                    blanks = 0;
                }
                continue;
            }
            for (; blanks; blanks--) {
                putchar(' ');
            }
            is_start = false;
            putchar(line[i]);
            column++;
        }
    }
    free(line);
}

int unexpand_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"all", 0, 0, 'a'}, {"tabs", 1, 0, 't'}, {"first-only", 0, 0, 'f'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "at:f", longs, NULL)) != -1;) {
        if (c == 't') {
            tab_size = atol(optarg) > 0 ? atol(optarg) : 8;
            unexpands_all = true;
        } else if (c == 'a' || c == 'f') {
            unexpands_all = c == 'a';
        } else {
            tool_die_usage(1);
        }
    }
    tool_each(argv + optind, unexpand_run);
    return bx_status;
}

static int sum_files;
static void sum_run(FILE *file, const char *path) {
    unsigned sum = 0;
    unsigned long long size = 0;
    for (int c; (c = getc(file)) != EOF; size++) {
        sum = ((sum >> 1) + ((sum & 1) << 15) + (unsigned)c) & 0xffff;
    }
    printf("%05u %5llu", sum, (size + 1023) / 1024);
    printf(sum_files ? " %s\n" : "\n", path);
}

int sum_main(int argc, char **argv) {
    while (getopt(argc, argv, "rs") != -1) {
    }
    sum_files = argv[optind] != NULL;
    tool_each(argv + optind, sum_run);
    return bx_status;
}

static void tac_run(FILE *file, const char *path) {
    size_t n;
    char *text = tool_slurp(file, &n);
    (void)path;
    for (size_t end = n; end;) {
        const char *before = end > 1 ? memrchr(text, '\n', end - 1) : NULL;
        size_t start = before ? (size_t)(before + 1 - text) : 0;
        fwrite(text + start, 1, end - start, stdout);
        end = start;
    }
    free(text);
}

int tac_main(int argc, char **argv) {
    (void)argc;
    tool_each(argv + 1, tac_run);
    return bx_status;
}

static struct {
    char style;
    struct regex *re;
    long next, step;
    int width;
    const char *between, *format;
} number = {'t', NULL, 1, 1, 6, "\t", "%*ld%s"};

static void nl_run(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        n -= line[n - 1] == '\n';
        bool is_wanted = number.style == 'a' || (number.style == 't' && n) ||
                         (number.re && regex_find(number.re, line, n, 0, false, NULL));
        if (is_wanted) {
            if (number.format[1] == '-') {
                printf("%-*ld%s", number.width, number.next, number.between);
            } else if (number.format[1] == '0') {
                printf("%0*ld%s", number.width, number.next, number.between);
            } else {
                printf("%*ld%s", number.width, number.next, number.between);
            }
            number.next += number.step;
        } else {
            printf("%*s", number.width + (int)strlen(number.between), "");
        }
        fwrite(line, 1, n, stdout);
        putchar('\n');
    }
    free(line);
}

int nl_main(int argc, char **argv) {
    static const struct option longs[] = {{"body-numbering", 1, 0, 'b'},
                                          {"number-width", 1, 0, 'w'},
                                          {"number-separator", 1, 0, 's'},
                                          {"starting-line-number", 1, 0, 'v'},
                                          {"line-increment", 1, 0, 'i'},
                                          {"number-format", 1, 0, 'n'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "b:w:s:v:i:n:pd:h:f:l:", longs, NULL)) != -1;) {
        switch (c) {
        case 'b':
            number.style = *optarg;
            if (*optarg == 'p') {
                struct regex_options options = {.syntax = REGEX_BASIC};
                const char *text = optarg + 1, *why;
                size_t len = strlen(text);
                number.re = regex_new(&text, &len, 1, &options, &why);
                if (!number.re) {
                    tool_die(1, "%s", why);
                }
            }
            break;
        case 'w':
            number.width = atoi(optarg);
            break;
        case 's':
            number.between = optarg;
            break;
        case 'v':
            number.next = atol(optarg);
            break;
        case 'i':
            number.step = atol(optarg);
            break;
        case 'n':
            number.format = !strcmp(optarg, "ln") ? "%-" : !strcmp(optarg, "rz") ? "%0" : "%*";
            break;
        case '?':
            tool_die_usage(1);
        default:
            break;
        }
    }
    tool_each(argv + optind, nl_run);
    return bx_status;
}
