// sort.c - sort
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "programs/programs.h"
#include "programs/tool.h"

struct key {
    long field, character;         // of the start, from 1
    long end_field, end_character; // 0: to the end of the line / of the field
    bool skips_start, skips_end;   // b
    bool is_numeric, is_general, is_human, is_version, is_month, is_random, is_reverse, is_folded,
        is_dictionary, is_printable;
    bool has_own; // options of its own
};

struct line {
    char *text;
    size_t len;
    const char *key; // of the first key
    size_t key_len;
    double number; // when the first key is a number
};

static struct key keys[32], whole; // whole: the options outside of keys
static int n_keys;
static char tab;
static bool is_stable, is_unique, is_merging;
static char line_end = '\n';
static unsigned seed;

static bool has_order(const struct key *k) {
    return k->is_numeric || k->is_general || k->is_human || k->is_version || k->is_month ||
           k->is_random || k->is_reverse || k->is_folded || k->is_dictionary || k->is_printable ||
           k->skips_start;
}

static bool key_letter(struct key *k, char c, bool is_end) {
    switch (c) {
    case 'b':
        if (is_end) {
            k->skips_end = true;
        } else {
            k->skips_start = true;
        }
        break;
    case 'n':
        k->is_numeric = true;
        break;
    case 'g':
        k->is_general = true;
        break;
    case 'h':
        k->is_human = true;
        break;
    case 'V':
        k->is_version = true;
        break;
    case 'M':
        k->is_month = true;
        break;
    case 'R':
        k->is_random = true;
        break;
    case 'r':
        k->is_reverse = true;
        break;
    case 'f':
        k->is_folded = true;
        break;
    case 'd':
        k->is_dictionary = true;
        break;
    case 'i':
        k->is_printable = true;
        break;
    default:
        return false;
    }
    k->has_own = true;
    return true;
}

static void parse_key(const char *text) {
    struct key k = {.character = 1};
    char *end;
    if (n_keys == (int)TOOL_LEN(keys)) {
        tool_die(2, "too many keys");
    }
    k.field = strtol(text, &end, 10);
    if (end == text) {
        tool_die(2, "invalid number at field start: invalid count at start of '%s'", text);
    }
    if (k.field < 1) {
        tool_die(2, "-: invalid field specification '%s'", text);
    }
    if (*end == '.') {
        k.character = strtol(end + 1, &end, 10);
    }
    while (*end && *end != ',' && key_letter(&k, *end, false)) {
        end++;
    }
    if (*end == ',') {
        k.end_field = strtol(end + 1, &end, 10);
        if (*end == '.') {
            k.end_character = strtol(end + 1, &end, 10);
        }
        while (*end && key_letter(&k, *end, true)) {
            end++;
        }
    }
    if (*end) {
        tool_die(2, "stray character in field spec: invalid field specification '%s'", text);
    }
    keys[n_keys++] = k;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

// Where field n (from 0) begins
static const char *field_start(const char *p, const char *end, long n) {
    for (; n > 0 && p < end; n--) {
        if (tab) {
            const char *q = memchr(p, tab, (size_t)(end - p));
            p = q ? q + 1 : end;
            continue;
        }
        while (p < end && is_blank(*p)) {
            p++;
        }
        while (p < end && !is_blank(*p)) {
            p++;
        }
    }
    return p;
}

static const char *field_end(const char *p, const char *end) {
    if (tab) {
        const char *q = memchr(p, tab, (size_t)(end - p));
        return q ? q : end;
    }
    while (p < end && is_blank(*p)) {
        p++;
    }
    while (p < end && !is_blank(*p)) {
        p++;
    }
    return p;
}

static const char *key_of(const struct key *k, const struct line *l, size_t *ret_len) {
    const char *text = l->text, *end = text + l->len;
    const char *from = field_start(text, end, k->field - 1), *to = end;
    if (k->skips_start) {
        while (from < end && is_blank(*from)) {
            from++;
        }
    }
    from = (long)(end - from) < k->character - 1 ? end : from + (k->character - 1);
    if (k->end_field) {
        to = field_start(text, end, k->end_field - 1);
        if (!k->end_character) {
            to = field_end(to, end);
        } else {
            if (k->skips_end || k->skips_start) {
                while (k->skips_end && to < end && is_blank(*to)) {
                    to++;
                }
            }
            to = (long)(end - to) < k->end_character ? end : to + k->end_character;
        }
    }
    to = to < from ? from : to;
    *ret_len = (size_t)(to - from);
    return from;
}

static int compare_bytes(const char *a, size_t n, const char *b, size_t m) {
    int r = memcmp(a, b, TOOL_MIN(n, m));
    return r ? r : (n > m) - (n < m);
}

// Of the number's text: sign, digits, fraction, without rounding
static int compare_numbers(const char *a, size_t n, const char *b, size_t m) {
    struct part {
        bool is_negative;
        const char *whole, *fraction;
        size_t n_whole, n_fraction;
    } x[2];
    for (int i = 0; i < 2; i++) {
        const char *p = i ? b : a, *end = p + (i ? m : n);
        struct part *v = &x[i];
        memset(v, 0, sizeof *v);
        while (p < end && is_blank(*p)) {
            p++;
        }
        if (p < end && *p == '-') {
            v->is_negative = true;
            p++;
        }
        while (p < end && *p == '0') {
            p++;
        }
        for (v->whole = p; p < end && isdigit((unsigned char)*p); p++) {
            v->n_whole++;
        }
        if (p < end && *p == '.') {
            for (v->fraction = ++p; p < end && isdigit((unsigned char)*p); p++) {
                v->n_fraction++;
            }
            while (v->n_fraction && v->fraction[v->n_fraction - 1] == '0') {
                v->n_fraction--;
            }
        }
        if (!v->n_whole && !v->n_fraction) {
            v->is_negative = false;
        }
    }
    if (x[0].is_negative != x[1].is_negative) {
        return x[0].is_negative ? -1 : 1;
    }
    int r = (x[0].n_whole > x[1].n_whole) - (x[0].n_whole < x[1].n_whole);
    r = r ? r : memcmp(x[0].whole, x[1].whole, x[0].n_whole);
    if (!r && (x[0].n_fraction || x[1].n_fraction)) {
        r = compare_bytes(x[0].fraction ? x[0].fraction : "", x[0].n_fraction,
                          x[1].fraction ? x[1].fraction : "", x[1].n_fraction);
    }
    return x[0].is_negative ? -r : r;
}

static int suffix_of(const char *s, size_t n) {
    static const char units[] = "KMGTPEZY";
    size_t i = 0;
    while (i < n && is_blank(s[i])) {
        i++;
    }
    int sign = i < n && s[i] == '-' ? -1 : 1;
    i += sign < 0;
    size_t from = i;
    bool has_digit = false;
    for (; i < n && (isdigit((unsigned char)s[i]) || s[i] == '.'); i++) {
        has_digit = has_digit || (s[i] != '.' && s[i] != '0');
    }
    const char *at = i < n && i > from ? (s[i] == 'k' ? units : strchr(units, s[i])) : NULL;
    return at && *at && has_digit ? sign * (int)(at - units + 1) : 0;
}

static int compare_human(const char *a, size_t n, const char *b, size_t m) {
    int x = suffix_of(a, n), y = suffix_of(b, m);
    bool x_negative = compare_numbers(a, n, "0", 1) < 0,
         y_negative = compare_numbers(b, m, "0", 1) < 0;
    if (x_negative != y_negative || x == y) {
        return compare_numbers(a, n, b, m);
    }
    return x - y;
}

static int compare_general(const char *a, size_t n, const char *b, size_t m) {
    char x[64], y[64], *xe, *ye;
    snprintf(x, sizeof x, "%.*s", (int)n, a);
    snprintf(y, sizeof y, "%.*s", (int)m, b);
    double p = strtod(x, &xe), q = strtod(y, &ye);
    if (xe == x || ye == y) {
        return (xe != x) - (ye != y);
    }
    return (p > q) - (p < q);
}

static int month_of(const char *s, size_t n) {
    static const char names[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    while (n && is_blank(*s)) {
        s++;
        n--;
    }
    for (int i = 0; n >= 3 && i < 12; i++) {
        if (!strncasecmp(s, names + (size_t)i * 3, 3)) {
            return i + 1;
        }
    }
    return 0;
}

static unsigned hash_of(const char *s, size_t n) {
    unsigned h = seed;
    while (n--) {
        h = (h ^ (unsigned char)*s++) * 16777619u;
        h ^= h >> 13;
    }
    return h;
}

static int compare_folded(const struct key *k, const char *a, size_t n, const char *b, size_t m) {
    const char *a_end = a + n, *b_end = b + m;
    for (;;) {
        int x = -1, y = -1;
        for (; a < a_end && x < 0; a++) {
            unsigned char c = (unsigned char)*a;
            bool is_out = (k->is_dictionary && !isalnum(c) && !is_blank((char)c)) ||
                          (k->is_printable && !isprint(c));
            x = is_out ? -1 : k->is_folded ? toupper(c) : c;
        }
        for (; b < b_end && y < 0; b++) {
            unsigned char c = (unsigned char)*b;
            bool is_out = (k->is_dictionary && !isalnum(c) && !is_blank((char)c)) ||
                          (k->is_printable && !isprint(c));
            y = is_out ? -1 : k->is_folded ? toupper(c) : c;
        }
        if (x != y || x < 0) {
            return x - y;
        }
    }
}

static int compare_key(const struct key *k, const char *a, size_t n, const char *b, size_t m) {
    int r;
    if (k->is_numeric) {
        r = compare_numbers(a, n, b, m);
    } else if (k->is_human) {
        r = compare_human(a, n, b, m);
    } else if (k->is_general) {
        r = compare_general(a, n, b, m);
    } else if (k->is_month) {
        r = month_of(a, n) - month_of(b, m);
    } else if (k->is_version) {
        char *x = tool_strndup(a, n), *y = tool_strndup(b, m);
        r = tool_version_cmp(x, y);
        free(x);
        free(y);
    } else if (k->is_random) {
        unsigned x = hash_of(a, n), y = hash_of(b, m);
        r = (x > y) - (x < y);
    } else if (k->is_folded || k->is_dictionary || k->is_printable) {
        r = compare_folded(k, a, n, b, m);
    } else {
        r = compare_bytes(a, n, b, m);
    }
    return k->is_reverse ? -r : r;
}

static int compare_by_keys(const struct line *a, const struct line *b) {
    for (int i = 0; i < n_keys; i++) {
        size_t n = a->key_len, m = b->key_len;
        const char *x = i ? key_of(&keys[i], a, &n) : a->key,
                   *y = i ? key_of(&keys[i], b, &m) : b->key;
        int r = compare_key(&keys[i], x, n, y, m);
        if (r) {
            return r;
        }
    }
    return 0;
}

static int compare(const void *p, const void *q) {
    const struct line *a = p, *b = q;
    int r = n_keys ? compare_by_keys(a, b) : compare_key(&whole, a->text, a->len, b->text, b->len);
    if (r || is_stable || is_unique) {
        return r;
    }
    bool is_last_resort = n_keys || has_order(&whole);
    r = is_last_resort ? compare_bytes(a->text, a->len, b->text, b->len) : 0;
    return whole.is_reverse ? -r : r;
}

// Merge sort: stable, and few comparisons
static void merge_sort(struct line *a, struct line *spare, size_t n) {
    if (n <= 8) {
        for (size_t i = 1; i < n; i++) {
            struct line x = a[i];
            size_t k = i;
            for (; k && compare(&a[k - 1], &x) > 0; k--) {
                a[k] = a[k - 1];
            }
            a[k] = x;
        }
        return;
    }
    size_t half = n / 2;
    merge_sort(a, spare, half);
    merge_sort(a + half, spare, n - half);
    if (compare(&a[half - 1], &a[half]) <= 0) {
        return;
    }
    memcpy(spare, a, half * sizeof *a);
    size_t i = 0, k = half, to = 0;
    while (i < half && k < n) {
        if (compare(&spare[i], &a[k]) <= 0) {
            a[to++] = spare[i++];
        } else {
            a[to++] = a[k++];
        }
    }
    memcpy(a + to, spare + i, (half - i) * sizeof *a);
}

static struct line *lines;
static size_t n_lines, cap_lines;

static void take(FILE *file, const char *path) {
    size_t n;
    char *text = tool_slurp(file, &n);
    (void)path;
    for (size_t at = 0; at < n;) {
        char *end = memchr(text + at, line_end, n - at);
        size_t len = end ? (size_t)(end - text) - at : n - at;
        if (n_lines == cap_lines) {
            cap_lines = cap_lines * 2 + 1024;
            lines = tool_realloc(lines, cap_lines * sizeof *lines);
        }
        struct line *l = &lines[n_lines++];
        memset(l, 0, sizeof *l);
        l->text = text + at;
        l->len = len;
        text[at + len] = 0;
        if (n_keys) {
            l->key = key_of(&keys[0], l, &l->key_len);
        }
        at += len + 1;
    }
}

static int check(const char *path, bool is_quiet) {
    for (size_t i = 1; i < n_lines; i++) {
        int r = compare(&lines[i - 1], &lines[i]);
        if (r > 0 || (is_unique && r == 0)) {
            if (!is_quiet) {
                fprintf(stderr, "sort: %s:%zu: disorder: %s\n", path, i + 1, lines[i].text);
            }
            return 1;
        }
    }
    return 0;
}

static void settle_keys(void) {
    for (int i = 0; i < n_keys; i++) {
        if (!keys[i].has_own) {
            struct key k = whole;
            k.field = keys[i].field;
            k.character = keys[i].character;
            k.end_field = keys[i].end_field;
            k.end_character = keys[i].end_character;
            k.skips_end = k.skips_start;
            keys[i] = k;
        }
    }
}

static const struct option sort_options[] = {{"ignore-leading-blanks", 0, 0, 'b'},
                                             {"dictionary-order", 0, 0, 'd'},
                                             {"ignore-case", 0, 0, 'f'},
                                             {"general-numeric-sort", 0, 0, 'g'},
                                             {"human-numeric-sort", 0, 0, 'h'},
                                             {"month-sort", 0, 0, 'M'},
                                             {"numeric-sort", 0, 0, 'n'},
                                             {"random-sort", 0, 0, 'R'},
                                             {"reverse", 0, 0, 'r'},
                                             {"version-sort", 0, 0, 'V'},
                                             {"check", 2, 0, 'c'},
                                             {"key", 1, 0, 'k'},
                                             {"merge", 0, 0, 'm'},
                                             {"output", 1, 0, 'o'},
                                             {"stable", 0, 0, 's'},
                                             {"buffer-size", 1, 0, 'S'},
                                             {"field-separator", 1, 0, 't'},
                                             {"temporary-directory", 1, 0, 'T'},
                                             {"unique", 0, 0, 'u'},
                                             {"zero-terminated", 0, 0, 'z'},
                                             {"parallel", 1, 0, 'S'},
                                             {0}};

int sort_main(int argc, char **argv) {
    const char *out = NULL;
    int checking = 0;
    for (int c;
         (c = getopt_long(argc, argv, "bcCdfghiMmno:rRsS:t:T:uVzk:", sort_options, NULL)) != -1;) {
        switch (c) {
        case 'k':
            parse_key(optarg);
            break;
        case 'c':
            checking = optarg && *optarg == 'q' ? 'C' : 'c';
            break;
        case 'C':
            checking = 'C';
            break;
        case 'm':
            is_merging = true;
            break;
        case 'o':
            out = optarg;
            break;
        case 's':
            is_stable = true;
            break;
        case 't':
            if (!strcmp(optarg, "\\0")) {
                tab = 0;
            } else if (strlen(optarg) != 1) {
                tool_die(2, *optarg ? "multi-character tab '%s'" : "empty tab%s", optarg);
            } else {
                tab = *optarg;
            }
            break;
        case 'u':
            is_unique = true;
            break;
        case 'z':
            line_end = 0;
            break;
        case 'S':
        case 'T':
            break;
        default:
            if (c == '?' || !key_letter(&whole, (char)c, false)) {
                tool_die_usage(2);
            }
        }
    }
    settle_keys();
    struct timespec now;
    tool_now(&now);
    seed = (unsigned)now.tv_nsec | 1;
    for (char **f = argv + optind; *f || f == argv + optind; f++) {
        const char *path = *f ? *f : "-";
        FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
        struct stat st;
        if (file && file != stdin && fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
            tool_die(2, "read failed: %s: Is a directory", path);
        }
        if (!file) {
            tool_die(2, "cannot read: %s: %s", path, strerror(errno));
        }
        take(file, path);
        tool_close(file);
        if (!*f) {
            break;
        }
    }
    if (checking) {
        return check(argv[optind] ? argv[optind] : "-", checking == 'C');
    }
    if (n_lines) {
        merge_sort(lines, tool_alloc((n_lines / 2 + 1) * sizeof *lines), n_lines);
    }
    if (out && !freopen(out, "w", stdout)) {
        tool_die(2, "open failed: %s: %s", out, strerror(errno));
    }
    for (size_t i = 0; i < n_lines; i++) {
        if (!is_unique || !i || compare(&lines[i - 1], &lines[i]) != 0) {
            fwrite(lines[i].text, 1, lines[i].len, stdout);
            putchar(line_end);
        } else {
            lines[i] = lines[i - 1]; // later ones are compared with the first of the run
        }
    }
    return 0;
}
