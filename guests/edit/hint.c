#include "hint.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum {
    MAX_LINES_TRIED = 200000,
    MAX_COMPARED = 400, // bytes of a line that count for likeness
    MAX_SHOWN_LINES = 12,
    MAX_SHOWN_BYTES = 300,
    BUCKETS = 256,
};

struct span {
    const char *at;
    size_t len;
};

struct spans {
    struct span *at;
    size_t n;
};

static struct spans split(const char *text, size_t len) {
    struct spans out = {0};
    size_t cap = 0;
    for (const char *end = text + len; text < end && out.n < MAX_LINES_TRIED;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((newline ? newline : end) - text);
        if (out.n == cap) {
            cap = cap * 2 + 64;
            out.at = bx_realloc(out.at, cap * sizeof *out.at);
        }
        out.at[out.n++] = (struct span){text, n};
        text += n + 1;
    }
    return out;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

// The character at a place with typographic quotes, dashes and spaces as their ASCII; 0 at the end.
static uint32_t plain_char(const char *at, const char *end, size_t *ret_len) {
    uint32_t c = (unsigned char)*at;
    *ret_len = 1;
    if (c >= 0x80) {
        size_t n = 0;
        c = bx_utf8_decode(at, (size_t)(end - at), &n);
        *ret_len = n ? n : 1;
    }
    switch (c) {
    case 0x2018:
    case 0x2019:
    case '`':
        return '\'';
    case 0x201C:
    case 0x201D:
        return '"';
    case 0x2013:
    case 0x2014:
    case 0x2212:
        return '-';
    case 0xA0:
        return ' ';
    default:
        return c;
    }
}

// The next character that counts, or 0 at the end: without white space, quotes made plain.
static uint32_t next_essential(const char **at, const char *end) {
    while (*at < end) {
        size_t n = 0;
        uint32_t c = plain_char(*at, end, &n);
        bool skip = c < 0x80 && is_space((char)c);
        *at += n;
        if (!skip) {
            return c;
        }
    }
    return 0;
}

static bool alike(struct span a, struct span b) {
    const char *end_a = a.at + a.len, *end_b = b.at + b.len;
    for (;;) {
        uint32_t c = next_essential(&a.at, end_a);
        if (c != next_essential(&b.at, end_b)) {
            return false;
        }
        if (!c) {
            return true;
        }
    }
}

static bool is_blank(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if (!is_space(s.at[i])) {
            return false;
        }
    }
    return true;
}

static bool has_line_number(struct span s) {
    size_t i = 0, first;
    while (i < s.len && s.at[i] == ' ') {
        i++;
    }
    first = i;
    while (i < s.len && s.at[i] >= '0' && s.at[i] <= '9') {
        i++;
    }
    return i > first && i < s.len && s.at[i] == '\t';
}

static void pairs(struct span s, unsigned char *counts, unsigned *ret_n) {
    size_t len = s.len < MAX_COMPARED ? s.len : MAX_COMPARED;
    unsigned char last = 0;
    *ret_n = 0;
    memset(counts, 0, BUCKETS);
    for (size_t i = 0; i < len; i++) {
        if (!is_space(s.at[i])) {
            unsigned char c = (unsigned char)s.at[i];
            unsigned char *bucket = &counts[(unsigned char)(last * 31 + c)];
            *bucket = (unsigned char)(*bucket + (*bucket < 255));
            ++*ret_n;
            last = c;
        }
    }
}

// 0 to 100: how many of the pairs of neighbouring characters two lines share.
static unsigned likeness(const unsigned char *a, unsigned n_a, struct span line) {
    unsigned char b[BUCKETS];
    unsigned n_b = 0, shared = 0;
    pairs(line, b, &n_b);
    for (size_t i = 0; i < BUCKETS; i++) {
        shared += a[i] < b[i] ? a[i] : b[i];
    }
    return n_a + n_b ? 200 * shared / (n_a + n_b) : 0;
}

static void put_lines(struct bx_buf *out, const struct spans *lines, size_t first, size_t n) {
    for (size_t i = first; i < first + n && i < lines->n; i++) {
        if (i - first == MAX_SHOWN_LINES) {
            bx_buf_add_fmt(out, "[... %zu more lines]\n", first + n - i);
            break;
        }
        struct span s = lines->at[i];
        size_t shown;
        s.len -= s.len && s.at[s.len - 1] == '\r';
        shown = bx_utf8_cut(s.at, s.len, MAX_SHOWN_BYTES);
        bx_buf_add_fmt(out, "%6zu\t", i + 1);
        bx_buf_add(out, s.at, shown);
        bx_buf_add_str(out, shown < s.len ? " [...]\n" : "\n");
    }
}

static bool has_byte(struct span s, char c) {
    return memchr(s.at, c, s.len) != NULL;
}

static const char *difference(struct span in_file, struct span wanted) {
    const char *at_a = in_file.at, *at_b = wanted.at;
    const char *end_a = at_a + in_file.len, *end_b = at_b + wanted.len;
    while (at_a < end_a && at_b < end_b && *at_a == *at_b) {
        at_a++;
        at_b++;
    }
    char a = at_a < end_a ? *at_a : '\n', b = at_b < end_b ? *at_b : '\n';
    if (a == '\t' || b == '\t') {
        return has_byte(wanted, '\t') ? "spaces and tabs differ (old_string has a tab)"
                                      : "the file has tabs where old_string has spaces";
    }
    if (at_a < end_a && at_b < end_b && !is_space(a) && !is_space(b)) {
        return "quotation marks or dashes differ";
    }
    if (is_blank((struct span){at_a, (size_t)(end_a - at_a)}) &&
        is_blank((struct span){at_b, (size_t)(end_b - at_b)})) {
        return "white space at the end of a line differs";
    }
    return "white space differs";
}

// Lines of the file that are the wanted ones but for white space and quotes.
static bool put_same_but_space(struct bx_buf *out, const struct spans *lines,
                               const struct spans *wanted) {
    for (size_t i = 0; i + wanted->n <= lines->n; i++) {
        size_t j = 0;
        while (j < wanted->n && alike(lines->at[i + j], wanted->at[j])) {
            j++;
        }
        if (j < wanted->n) {
            continue;
        }
        const char *what = "line ends differ";
        for (j = 0; j < wanted->n; j++) {
            struct span a = lines->at[i + j], b = wanted->at[j];
            if (a.len != b.len || memcmp(a.at, b.at, a.len) != 0) {
                what = difference(a, b);
                break;
            }
        }
        bx_buf_add_fmt(out, " Almost the same text is at line %zu: %s. It is, exactly:\n", i + 1,
                       what);
        put_lines(out, lines, i, wanted->n);
        return true;
    }
    return false;
}

static void put_closest(struct bx_buf *out, const struct spans *lines, const struct spans *wanted) {
    unsigned char counts[BUCKETS];
    unsigned n_pairs = 0, best = 0;
    size_t at = 0, row = 0;
    while (row < wanted->n && is_blank(wanted->at[row])) {
        row++;
    }
    if (row == wanted->n) {
        return;
    }
    pairs(wanted->at[row], counts, &n_pairs);
    for (size_t i = 0; i < lines->n; i++) {
        unsigned score = likeness(counts, n_pairs, lines->at[i]);
        if (score > best) {
            best = score;
            at = i;
        }
    }
    if (best < 50) {
        bx_buf_add_str(out, " Nothing in the file is like it: read the file again.");
        return;
    }
    // show what stands where the wanted text should be, as far as it is the same and one line on
    size_t n = 1;
    while (row + n < wanted->n && at + n < lines->n &&
           alike(lines->at[at + n - 1], wanted->at[row + n - 1])) {
        n++;
    }
    if (row + n <= wanted->n && n > 1) {
        bx_buf_add_fmt(out, " From line %zu on it is the same up to line %zu, which differs:\n",
                       at + 1, at + n);
    } else {
        bx_buf_add_fmt(out, " The closest to its %s line is line %zu:\n",
                       row ? "first full" : "first", at + 1);
    }
    put_lines(out, lines, at, n);
}

void bx_hint_put(struct bx_buf *out, const char *text, size_t len, const char *wanted,
                 size_t wanted_len) {
    struct spans lines = split(text, len), pattern = split(wanted, wanted_len);
    size_t numbered = 0;
    while (numbered < pattern.n && has_line_number(pattern.at[numbered])) {
        numbered++;
    }
    if (pattern.n && numbered == pattern.n) {
        bx_buf_add_str(out, " Its lines begin with line numbers and a tab, as read shows them; "
                            "those are not in the file, leave them out.");
    } else if (!put_same_but_space(out, &lines, &pattern)) {
        put_closest(out, &lines, &pattern);
    }
    free(lines.at);
    free(pattern.at);
}
