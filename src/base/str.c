#include "base/base.h"

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool bx_str_eq(struct bx_str a, struct bx_str b) {
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bx_str_eqz(struct bx_str a, const char *z) {
    return bx_str_eq(a, bx_str(z));
}

bool bx_str_ieqz(struct bx_str a, const char *z) {
    struct bx_str b = bx_str(z);
    if (a.n != b.n) {
        return false;
    }
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

int bx_str_cmp(struct bx_str a, struct bx_str b) {
    size_t n = BX_MIN(a.n, b.n);
    int r = n > 0 ? memcmp(a.p, b.p, n) : 0;
    return r ? r : (a.n > b.n) - (a.n < b.n);
}

bool bx_str_starts(struct bx_str s, const char *prefix) {
    size_t n = strlen(prefix);
    return n == 0 || (s.n >= n && memcmp(s.p, prefix, n) == 0);
}

bool bx_str_ends(struct bx_str s, const char *suffix) {
    size_t n = strlen(suffix);
    return n == 0 || (s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0);
}

struct bx_str bx_str_trim(struct bx_str s) {
    while (s.n > 0 && is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_space(s.p[s.n - 1])) {
        s.n--;
    }
    return s;
}

struct bx_str bx_str_slice(struct bx_str s, size_t from, size_t n) {
    from = BX_MIN(from, s.n);
    return (struct bx_str){s.p ? s.p + from : NULL, BX_MIN(n, s.n - from)};
}

size_t bx_str_find(struct bx_str s, char c) {
    const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : (size_t)-1;
}

size_t bx_str_find_str(struct bx_str s, struct bx_str needle) {
    if (needle.n == 0) {
        return 0;
    }
    const char *at = s.n > 0 ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
    return at ? (size_t)(at - s.p) : (size_t)-1;
}

bool bx_str_split(struct bx_str *rest, char sep, struct bx_str *ret_piece) {
    if (!rest->p) {
        return false;
    }
    size_t at = bx_str_find(*rest, sep);
    if (at == (size_t)-1) {
        *ret_piece = *rest;
        *rest = (struct bx_str){NULL, 0};
    } else {
        *ret_piece = bx_str_slice(*rest, 0, at);
        *rest = bx_str_slice(*rest, at + 1, rest->n);
    }
    return true;
}

bool bx_str_to_u64(struct bx_str s, uint64_t *ret) {
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n)) {
            return false;
        }
    }
    if (s.n == 0) {
        return false;
    }
    *ret = n;
    return true;
}

bool bx_str_to_i64(struct bx_str s, int64_t *ret) {
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t n, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    if (!bx_str_to_u64(negative ? bx_str_slice(s, 1, s.n) : s, &n) || n > limit) {
        return false;
    }
    /* The unsigned negation also makes INT64_MIN, which has no positive twin. */
    *ret = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

char *bx_str_dup(struct bx_str s) {
    char *copy = bx_alloc(s.n + 1);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    return copy;
}

uint64_t bx_str_hash(struct bx_str s) {
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    }
    return h;
}

static char loosely(char c) {
    return c == '-' ? '_' : lower(c);
}

size_t bx_str_slips(struct bx_str a, struct bx_str b) { /* optimal string alignment distance */
    enum { MAX = 64 };
    unsigned char d[MAX + 1][MAX + 1];
    if (a.n > MAX || b.n > MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= a.n; i++) {
        for (size_t j = 0; j <= b.n; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = (unsigned char)(i + j);
                continue;
            }
            char x = loosely(a.p[i - 1]), y = loosely(b.p[j - 1]);
            int best = d[i - 1][j - 1] + (x != y);
            best = BX_MIN(best, d[i - 1][j] + 1);
            best = BX_MIN(best, d[i][j - 1] + 1);
            if (i > 1 && j > 1 && x == loosely(b.p[j - 2]) && y == loosely(a.p[i - 2])) {
                best = BX_MIN(best, d[i - 2][j - 2] + 1);
            }
            d[i][j] = (unsigned char)best;
        }
    }
    return d[a.n][b.n];
}
