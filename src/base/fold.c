#include "base/fold.h"

#include "base/fold_table.h"

uint32_t bx_fold_char(uint32_t c) {
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    size_t low = 0, high = BX_ARRAY_LEN(fold_table);
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (fold_table[mid].last < c)
            low = mid + 1;
        else
            high = mid;
    }
    bool in = low < BX_ARRAY_LEN(fold_table) && c >= fold_table[low].first &&
              (c - fold_table[low].first) % fold_table[low].step == 0;
    return in ? c + (uint32_t)fold_table[low].delta : c;
}

/* The character at the front, and its bytes; 0: it is none. */
static size_t decode(const char *at, size_t n, uint32_t *ret) {
    unsigned char lead = (unsigned char)at[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (len == 0 || len > n || lead > 0xf4)
        return 0;
    uint32_t c = len == 1 ? lead : lead & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)at[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)at[i] & 0x3f);
    }
    *ret = c;
    return len;
}

static unsigned char fold_byte(unsigned char c) {
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* ---- making ready ---- */

static void add_form(struct bx_needle *n, unsigned char form) {
    for (size_t i = 0; i < n->form_count; i++)
        if (n->forms[i] == form)
            return;
    if (n->form_count < BX_ARRAY_LEN(n->forms))
        n->forms[n->form_count++] = form;
}

/* How rare an ASCII byte is in such texts; 0 is the most common one. */
static size_t rank_of(unsigned char c) {
    static const char common[] = "\" ,:eationrslhdcu{}[]mfpgwybv0123456789.-_/\\kxjqz";
    const char *at = memchr(common, fold_byte(c), sizeof common - 1);
    return at ? (size_t)(at - common) : sizeof common;
}

/* The last byte of a character tells it best from its neighbours: its forms are all characters that
 * fold to the same one, which have as many bytes. */
static void take_character(struct bx_needle *n, size_t last, uint32_t c) {
    uint32_t folded = bx_fold_char(c);
    n->anchor = last;
    n->form_count = 0;
    add_form(n, (unsigned char)(0x80 | (folded & 0x3f)));
    for (size_t i = 0; i < BX_ARRAY_LEN(fold_table); i++) {
        uint32_t other = folded - (uint32_t)fold_table[i].delta;
        if (other != folded && bx_fold_char(other) == folded)
            add_form(n, (unsigned char)(0x80 | (other & 0x3f)));
    }
}

static void take_byte(struct bx_needle *n, size_t at, unsigned char c) {
    unsigned char low = fold_byte(c);
    n->anchor = at;
    n->form_count = 0;
    add_form(n, low);
    if (low >= 'a' && low <= 'z')
        add_form(n, (unsigned char)(low - 32));
}

void bx_needle_init(struct bx_needle *n, struct bx_str text) {
    *n = (struct bx_needle){.text = text, .is_ascii = true};
    size_t best = 0;
    for (size_t i = 0; i < text.n;) {
        uint32_t c = 0;
        size_t len = decode(text.p + i, text.n - i, &c);
        size_t rank = 1 + (len == 1 ? rank_of((unsigned char)c) : SIZE_MAX / 2);
        n->is_ascii = n->is_ascii && len == 1;
        if (rank > best && len > 1)
            take_character(n, i + len - 1, c);
        else if (rank > best)
            take_byte(n, i, (unsigned char)text.p[i]);
        best = BX_MAX(best, rank);
        i += BX_MAX(len, (size_t)1);
    }
}

/* ---- looking ---- */

/* `at` has as many bytes as the needle. */
static bool same_ascii(const char *at, struct bx_str needle) {
    for (size_t i = 0; i < needle.n; i++)
        if (fold_byte((unsigned char)at[i]) != fold_byte((unsigned char)needle.p[i]))
            return false;
    return true;
}

static bool same(const char *at, struct bx_str needle) {
    for (size_t i = 0; i < needle.n;) {
        uint32_t a, b;
        size_t len = decode(needle.p + i, needle.n - i, &b);
        size_t bytes = BX_MAX(len, (size_t)1);
        if (memcmp(at + i, needle.p + i, bytes) != 0 &&
            (!len || decode(at + i, needle.n - i, &a) != len || bx_fold_char(a) != bx_fold_char(b)))
            return false;
        i += bytes;
    }
    return true;
}

/* The next place of the byte at or behind `from`, or the end; `known` is the last answer. */
static size_t next_of(struct bx_str text, size_t from, unsigned char c, size_t *known) {
    if (*known == SIZE_MAX || (*known < from && *known != text.n)) {
        const char *at = from < text.n ? memchr(text.p + from, c, text.n - from) : NULL;
        *known = at ? (size_t)(at - text.p) : text.n;
    }
    return *known;
}

size_t bx_needle_find(const struct bx_needle *n, struct bx_str text) {
    if (!n->text.n || n->text.n > text.n)
        return n->text.n ? SIZE_MAX : 0;
    size_t known[BX_ARRAY_LEN(n->forms)];
    memset(known, 0xff, sizeof known); /* SIZE_MAX */
    for (size_t at = n->anchor; at < text.n; at++) {
        size_t next = text.n;
        for (size_t i = 0; i < n->form_count; i++)
            next = BX_MIN(next, next_of(text, at, n->forms[i], &known[i]));
        at = next;
        if (at >= text.n || at - n->anchor + n->text.n > text.n)
            break;
        const char *begin = text.p + (at - n->anchor);
        if (n->is_ascii ? same_ascii(begin, n->text) : same(begin, n->text))
            return at - n->anchor;
    }
    return SIZE_MAX;
}

size_t bx_find_folded(struct bx_str text, struct bx_str needle) {
    struct bx_needle n;
    bx_needle_init(&n, needle);
    return bx_needle_find(&n, text);
}
