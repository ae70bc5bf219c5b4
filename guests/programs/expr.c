// expr.c - expr, numfmt, csplit
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"
#include "programs/regex.h"
#include "programs/tool.h"

// --- expr: values are strings, numbers when they look like it

static char **args;

static char *parse_or(void);

static bool is_number(const char *s, long long *ret) {
    char *end;
    errno = 0;
    *ret = strtoll(s, &end, 10);
    return end != s && !*end && *s != ' ' && *s != '+';
}

static char *from_number(long long n) {
    struct tool_buf b = {0};
    tool_printf(&b, "%lld", n);
    return b.p;
}

static bool is_null(const char *s) {
    long long n;
    return !*s || (is_number(s, &n) && n == 0);
}

static bool accept(const char *word) {
    if (*args && !strcmp(*args, word)) {
        args++;
        return true;
    }
    return false;
}

static char *match(const char *text, const char *pattern) {
    struct regex_options options = {.syntax = REGEX_BASIC};
    struct tool_buf anchored = {0};
    const char *why;
    tool_printf(&anchored, "^%s", *pattern == '^' ? pattern + 1 : pattern);
    const char *p = anchored.p;
    struct regex *re = regex_new(&p, &anchored.n, 1, &options, &why);
    struct regex_match m;
    if (!re) {
        tool_die(2, "%s", why);
    }
    bool has_group = regex_groups(re) > 0;
    if (!regex_find(re, text, strlen(text), 0, false, &m)) {
        return has_group ? tool_strdup("") : from_number(0);
    }
    if (has_group) {
        return m.start[1] == (size_t)-1 ? tool_strdup("")
                                        : tool_strndup(text + m.start[1], m.end[1] - m.start[1]);
    }
    long long n = 0;
    for (size_t i = m.start[0]; i < m.end[0]; i += tool_char(text + i, m.end[0] - i)) {
        n++;
    }
    return from_number(n);
}

static size_t characters(const char *s) {
    size_t n = 0, len = strlen(s);
    for (size_t i = 0; i < len; i += tool_char(s + i, len - i)) {
        n++;
    }
    return n;
}

static char *substring(const char *s, long long from, long long count) {
    size_t len = strlen(s), i = 0;
    if (from < 1 || count < 1) {
        return tool_strdup("");
    }
    for (; i < len && from > 1; from--) {
        i += tool_char(s + i, len - i);
    }
    size_t start = i;
    for (; i < len && count > 0; count--) {
        i += tool_char(s + i, len - i);
    }
    return tool_strndup(s + start, i - start);
}

static char *parse_primary(void) {
    if (!*args) {
        tool_die(2, "syntax error: missing argument after '%s'", args[-1]);
    }
    if (accept("(")) {
        char *value = parse_or();
        if (!accept(")")) {
            tool_die(2,
                     *args ? "syntax error: expecting ')' instead of '%s'"
                           : "syntax error: expecting ')' after '%s'",
                     *args ? *args : args[-1]);
        }
        return value;
    }
    if (!strcmp(*args, "length") && args[1]) {
        args++;
        return from_number((long long)characters(parse_primary()));
    }
    if (!strcmp(*args, "substr") && args[1]) {
        args++;
        char *s = parse_primary();
        long long from, count;
        bool is_right = is_number(parse_primary(), &from);
        is_right = is_number(parse_primary(), &count) && is_right;
        return is_right ? substring(s, from, count) : tool_strdup("");
    }
    if (!strcmp(*args, "index") && args[1]) {
        args++;
        char *s = parse_primary(), *set = parse_primary();
        size_t n = strcspn(s, set);
        return from_number(s[n] ? (long long)n + 1 : 0);
    }
    if (!strcmp(*args, "match") && args[1]) {
        args++;
        char *s = parse_primary();
        return match(s, parse_primary());
    }
    if (accept("+") && *args) {
        return tool_strdup(*args++);
    }
    return tool_strdup(*args++);
}

static char *parse_match(void) {
    char *left = parse_primary();
    while (accept(":")) {
        left = match(left, parse_primary());
    }
    return left;
}

static long long number_of(const char *s) {
    long long n;
    if (!is_number(s, &n)) {
        tool_die(2, "non-integer argument");
    }
    return n;
}

static char *calculate(const char *a, char op, const char *b) {
    long long x = number_of(a), y = number_of(b), r;
    bool is_over = false;
    if ((op == '/' || op == '%') && !y) {
        tool_die(2, "division by zero");
    }
    switch (op) {
    case '+':
        is_over = __builtin_add_overflow(x, y, &r);
        break;
    case '-':
        is_over = __builtin_sub_overflow(x, y, &r);
        break;
    case '*':
        is_over = __builtin_mul_overflow(x, y, &r);
        break;
    case '/':
        r = y == -1 ? -x : x / y;
        break;
    default:
        r = y == -1 ? 0 : x % y;
        break;
    }
    if (is_over) {
        tool_die(2, "%s: Numerical result out of range", a);
    }
    return from_number(r);
}

static char *parse_product(void) {
    char *left = parse_match();
    while (*args && strlen(*args) == 1 && strchr("*/%", **args)) {
        char op = **args++;
        left = calculate(left, op, parse_match());
    }
    return left;
}

static char *parse_sum(void) {
    char *left = parse_product();
    while (*args && strlen(*args) == 1 && strchr("+-", **args)) {
        char op = **args++;
        left = calculate(left, op, parse_product());
    }
    return left;
}

static char *parse_comparison(void) {
    static const char *const ops[] = {"<", "<=", "=", "==", "!=", ">=", ">"};
    char *left = parse_sum();
    for (size_t i = 0; *args && i < TOOL_LEN(ops); i++) {
        if (strcmp(*args, ops[i])) {
            continue;
        }
        args++;
        char *right = parse_sum();
        long long x, y;
        int r =
            is_number(left, &x) && is_number(right, &y) ? (x > y) - (x < y) : strcmp(left, right);
        bool is_true = i == 0   ? r < 0
                       : i == 1 ? r <= 0
                       : i <= 3 ? r == 0
                       : i == 4 ? r != 0
                       : i == 5 ? r >= 0
                                : r > 0;
        left = from_number(is_true);
        i = (size_t)-1;
    }
    return left;
}

static char *parse_and(void) {
    char *left = parse_comparison();
    while (accept("&")) {
        char *right = parse_comparison();
        left = is_null(left) || is_null(right) ? from_number(0) : left;
    }
    return left;
}

static char *parse_or(void) {
    char *left = parse_and();
    while (accept("|")) {
        char *right = parse_and();
        left = !is_null(left) ? left : is_null(right) ? from_number(0) : right;
    }
    return left;
}

int expr_main(int argc, char **argv) {
    args = argv + 1;
    if (argc > 1 && !strcmp(*args, "--")) {
        args++;
    }
    if (!*args) {
        tool_warn("missing operand");
        tool_die_usage(2);
    }
    char *value = parse_or();
    if (*args) {
        tool_die(2, "syntax error: unexpected argument '%s'", *args);
    }
    puts(value);
    return is_null(value);
}

// --- numfmt

static struct {
    const char *from, *to, *suffix, *format, *rounding;
    long field, padding, header;
    char delimiter;
    bool keeps_invalid, is_grouped;
} nf;

static bool nf_parse(const char *text, double *ret, const char **ret_end) {
    char *end;
    static const char units[] = "KMGTPEZY";
    *ret = strtod(text, &end);
    if (end == text) {
        return false;
    }
    const char *at = *end ? (*end == 'k' ? units : strchr(units, *end)) : NULL;
    if (nf.from && at && *at) {
        double base =
            !strcmp(nf.from, "si") || (!strcmp(nf.from, "auto") && end[1] != 'i') ? 1000 : 1024;
        for (long i = 0; i <= at - units; i++) {
            *ret *= base;
        }
        end += end[1] == 'i' ? 2 : 1;
    }
    *ret_end = end;
    return true;
}

static double round_up(double v) { // away from zero, as numfmt does unless told
    double whole = (double)(long long)v;
    return v > whole ? whole + 1 : v < whole ? whole - 1 : whole;
}

static void nf_text(struct tool_buf *out, double v) {
    static const char units[] = "KMGTPEZY";
    double base = nf.to && !strcmp(nf.to, "si") ? 1000 : 1024, size = v < 0 ? -v : v;
    int unit = -1;
    if (!nf.to || !strcmp(nf.to, "none")) {
        tool_printf(out, v == (double)(long long)v ? "%.0f" : "%g", v);
        return;
    }
    while (size >= base && unit < 7) {
        size /= base;
        unit++;
    }
    double shown = unit >= 0 && size < 10 ? round_up(size * 10) / 10 : round_up(size);
    if (shown >= base && unit < 7) {
        shown /= base;
        unit++;
    }
    tool_printf(out, unit >= 0 && shown < 10 ? "%s%.1f" : "%s%.0f", v < 0 ? "-" : "", shown);
    if (unit >= 0) {
        tool_putc(out, units[unit]);
        tool_puts(out, !strcmp(nf.to, "iec-i") ? "i" : "");
    }
}

static void nf_field(struct tool_buf *out, const char *text, size_t n) {
    char *one = tool_strndup(text, n);
    const char *rest = "";
    double value;
    size_t blanks = strspn(one, " \t");
    struct tool_buf made = {0};
    if (!nf_parse(one, &value, &rest) || (*rest && (!nf.suffix || strcmp(rest, nf.suffix)))) {
        tool_warn("invalid number: '%s'", one + blanks);
        bx_status = 2;
        tool_put(out, one, n);
        free(one);
        if (!nf.keeps_invalid) {
            exit(2);
        }
        return;
    }
    nf_text(&made, value);
    tool_puts(&made, nf.suffix ? nf.suffix : "");
    long width = nf.padding ? nf.padding : blanks ? (long)n : 0;
    tool_printf(out, "%*s", (int)width, made.p);
    free(made.p);
    free(one);
}

static void nf_line(const char *line) {
    struct tool_buf out = {0};
    long field = 1;
    tool_puts(&out, "");
    for (const char *p = line; *p || field == 1; field++) {
        size_t n = nf.delimiter ? strcspn(p, (char[]){nf.delimiter, 0})
                                : strspn(p, " \t") + strcspn(p + strspn(p, " \t"), " \t");
        if (field == nf.field) {
            nf_field(&out, p, n);
        } else {
            tool_put(&out, p, n);
        }
        p += n;
        if (nf.delimiter && *p) {
            tool_putc(&out, *p++);
        }
        if (!*p) {
            break;
        }
    }
    puts(out.p);
    free(out.p);
}

int numfmt_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"from", 1, 0, 'f'},   {"to", 1, 0, 't'},       {"suffix", 1, 0, 's'},
        {"field", 1, 0, 'F'},  {"padding", 1, 0, 'p'},  {"delimiter", 1, 0, 'd'},
        {"header", 2, 0, 'h'}, {"invalid", 1, 0, 'i'},  {"round", 1, 0, 'r'},
        {"format", 1, 0, 'm'}, {"grouping", 0, 0, 'g'}, {0}};
    nf.field = 1;
    for (int c; (c = getopt_long(argc, argv, "d:", longs, NULL)) != -1;) {
        switch (c) {
        case 'f':
            nf.from = optarg;
            break;
        case 't':
            nf.to = optarg;
            break;
        case 's':
            nf.suffix = optarg;
            break;
        case 'F':
            nf.field = atol(optarg);
            break;
        case 'p':
            nf.padding = atol(optarg);
            break;
        case 'd':
            nf.delimiter = *optarg;
            break;
        case 'h':
            nf.header = optarg ? atol(optarg) : 1;
            break;
        case 'i':
            nf.keeps_invalid = *optarg != 'a';
            break;
        case 'r':
            nf.rounding = optarg;
            break;
        case 'm':
            nf.format = optarg;
            break;
        case 'g':
            nf.is_grouped = true;
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (argv[optind]) {
        for (char **a = argv + optind; *a; a++) {
            nf_line(*a);
        }
        return bx_status;
    }
    char *line = NULL;
    size_t cap = 0, n;
    while (tool_line(stdin, &line, &cap, &n, '\n')) {
        line[n - (line[n - 1] == '\n')] = 0;
        if (nf.header-- > 0) {
            puts(line);
        } else {
            nf_line(line);
        }
    }
    return bx_status;
}

// --- csplit

static struct {
    const char *prefix;
    int digits, n;
    bool is_quiet, drops_empty, keeps, drops_match;
    char **lines;
    size_t count, at;
} cs;

static void cs_write(size_t to) {
    char name[300];
    long long size = 0;
    to = to > cs.count ? cs.count : to;
    for (size_t i = cs.at; i < to; i++) {
        size += (long long)strlen(cs.lines[i]);
    }
    if (!(cs.drops_empty && !size)) {
        snprintf(name, sizeof name, "%s%0*d", cs.prefix, cs.digits, cs.n++);
        FILE *out = fopen(name, "w");
        if (!out) {
            tool_die(1, "%s: %s", name, strerror(errno));
        }
        for (size_t i = cs.at; i < to; i++) {
            fputs(cs.lines[i], out);
        }
        fclose(out);
        if (!cs.is_quiet) {
            printf("%lld\n", size);
        }
    }
    cs.at = to > cs.at ? to : cs.at;
}

static _Noreturn void cs_fail(const char *what, const char *pattern) {
    char name[300];
    for (int i = 0; !cs.keeps && i < cs.n; i++) {
        snprintf(name, sizeof name, "%s%0*d", cs.prefix, cs.digits, i);
        remove(name);
    }
    tool_die(1, "'%s': %s", pattern, what);
}

static bool cs_regex(const char *pattern, bool is_last_optional) {
    char *copy = tool_strdup(pattern + 1), *end = strrchr(copy, *pattern);
    if (!end) {
        cs_fail("closing delimiter missing", pattern);
    }
    long offset = strtol(end + 1, NULL, 10);
    *end = 0;
    const char *text = copy, *why;
    size_t len = strlen(text);
    struct regex_options options = {.syntax = REGEX_BASIC};
    struct regex *re = regex_new(&text, &len, 1, &options, &why);
    if (!re) {
        cs_fail(why, pattern);
    }
    static size_t last_hit = (size_t)-1;
    size_t i = cs.at;
    for (i += cs.at == last_hit;
         i < cs.count &&
         !regex_find(re, cs.lines[i], strcspn(cs.lines[i], "\n"), 0, false, NULL);) {
        i++;
    }
    free(copy);
    if (i >= cs.count) {
        if (!is_last_optional) {
            cs_write(cs.count);
            cs_fail("match not found", pattern);
        }
        return false;
    }
    size_t to = (size_t)((long)i + offset);
    last_hit = to;
    if (*pattern == '%') {
        cs.at = to;
    } else {
        cs_write(to);
    }
    cs.at = cs.drops_match ? cs.at + 1 : cs.at;
    return true;
}

int csplit_main(int argc, char **argv) {
    static const struct option longs[] = {{"prefix", 1, 0, 'f'},
                                          {"digits", 1, 0, 'n'},
                                          {"quiet", 0, 0, 's'},
                                          {"silent", 0, 0, 's'},
                                          {"elide-empty-files", 0, 0, 'z'},
                                          {"keep-files", 0, 0, 'k'},
                                          {"suppress-matched", 0, 0, 'm'},
                                          {"suffix-format", 1, 0, 'b'},
                                          {0}};
    cs.prefix = "xx";
    cs.digits = 2;
    for (int c; (c = getopt_long(argc, argv, "f:n:szkb:q", longs, NULL)) != -1;) {
        switch (c) {
        case 'f':
            cs.prefix = optarg;
            break;
        case 'n':
            cs.digits = atoi(optarg);
            break;
        case 's':
        case 'q':
            cs.is_quiet = true;
            break;
        case 'z':
            cs.drops_empty = true;
            break;
        case 'k':
            cs.keeps = true;
            break;
        case 'm':
            cs.drops_match = true;
            break;
        case 'b':
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (argc - optind < 2) {
        tool_warn("missing operand");
        tool_die_usage(1);
    }
    FILE *file = tool_open(argv[optind++]);
    struct tool_list lines = {0};
    char *line = NULL;
    size_t cap = 0, n;
    while (file && tool_line(file, &line, &cap, &n, '\n')) {
        tool_push(&lines, tool_strndup(line, n));
    }
    if (!file) {
        return 1;
    }
    cs.lines = lines.p;
    cs.count = lines.n;
    for (char **a = argv + optind; *a; a++) {
        const char *repeat = a[1] && *a[1] == '{' ? a[1] + 1 : NULL;
        bool is_endless = repeat && *repeat == '*';
        long times = repeat && !is_endless ? atol(repeat) + 1 : 1;
        for (long i = 0; is_endless || i < times; i++) {
            if (**a == '/' || **a == '%') {
                if (!cs_regex(*a, is_endless)) {
                    break;
                }
                continue;
            }
            long to = atol(*a) * (repeat ? i + 1 : 1);
            if (to < 1 || (size_t)to > cs.count) {
                if (is_endless) {
                    break;
                }
                cs_write(cs.count);
                cs_fail("line number out of range", *a);
            }
            cs_write((size_t)to - 1);
        }
        a += repeat != NULL;
    }
    cs_write(cs.count);
    return bx_status;
}
