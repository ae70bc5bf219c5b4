#include "base/utf8.h"

/* Length of the character at p (1..4), 0 when invalid, -1 when cut off by the end but fine so far. */
static int char_len(const unsigned char *p, size_t n) {
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    int len = c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (!len) {
        return 0;
    }
    for (int i = 1; i < len; i++) {
        if ((size_t)i >= n) {
            return -1;
        }
        unsigned char low = 0x80, high = 0xbf;
        if (i == 1) { /* RFC 3629 §4: no overlong forms, no surrogates, nothing above U+10FFFF */
            low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        }
        if (p[i] < low || p[i] > high) {
            return 0;
        }
    }
    return len;
}

size_t bx_utf8_valid_prefix(struct bx_str s) {
    size_t at = 0;
    while (at < s.n) {
        int len = char_len((const unsigned char *)s.p + at, s.n - at);
        if (len <= 0) {
            break;
        }
        at += (size_t)len;
    }
    return at;
}

bool bx_utf8_valid(struct bx_str s) {
    return bx_utf8_valid_prefix(s) == s.n;
}

size_t bx_utf8_incomplete_tail(struct bx_str s) {
    for (size_t back = 1; back <= 3 && back <= s.n; back++) {
        unsigned char c = (unsigned char)s.p[s.n - back];
        if (c >= 0xc0) {
            return char_len((const unsigned char *)s.p + s.n - back, back) == -1 ? back : 0;
        }
        if (c < 0x80) {
            return 0;
        }
    }
    return 0;
}

size_t bx_utf8_cut(struct bx_str s, size_t n) {
    if (n >= s.n) {
        return s.n;
    }
    size_t at = n;
    while (at > 0 && n - at < 4 && ((unsigned char)s.p[at] & 0xc0) == 0x80) {
        at--;
    }
    return at;
}

int bx_utf8_add_clean(struct bx_buf *b, struct bx_str s) {
    int r = 0;
    while (s.n && r == 0) {
        size_t good = bx_utf8_valid_prefix(s);
        r = bx_buf_add(b, s.p, good);
        s = bx_str_slice(s, good, s.n);
        if (s.n && r == 0) {
            r = bx_buf_add(b, "\xef\xbf\xbd", 3);
            s = bx_str_slice(s, 1, s.n);
        }
    }
    return r;
}

int bx_utf8_add_char(struct bx_buf *b, uint32_t c) {
    unsigned char out[4];
    size_t n;
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = 0xfffd;
    }
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        n = 1;
    } else if (c < 0x800) {
        out[0] = (unsigned char)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        out[0] = (unsigned char)(0xe0 | c >> 12);
        n = 3;
    } else {
        out[0] = (unsigned char)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) {
        out[i] = (unsigned char)(0x80 | ((c >> (6 * (n - 1 - i))) & 0x3f));
    }
    return bx_buf_add(b, out, n);
}
