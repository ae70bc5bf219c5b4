#include "base/utf8.h"

/* What stands at the start of s: a character of 1..4 bytes, the start of one that the end of s cuts
 * (-1), or a byte that can start none (0). The second byte's range is what shuts out overlong
 * forms, surrogates and > U+10FFFF. */
static int char_at(const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    unsigned char c = p[0], low = 0x80, high = 0xbf;
    size_t need;
    if (c < 0x80) {
        return 1;
    } else if (c >= 0xc2 && c <= 0xdf) {
        need = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
        need = 3;
        low = c == 0xe0 ? 0xa0 : 0x80;
        high = c == 0xed ? 0x9f : 0xbf;
    } else if (c >= 0xf0 && c <= 0xf4) {
        need = 4;
        low = c == 0xf0 ? 0x90 : 0x80;
        high = c == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    for (size_t i = 1; i < need; i++) {
        if (i == n) {
            return -1;
        }
        if (p[i] < low || p[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return (int)need;
}

bool bx_utf8_valid(struct bx_str s) {
    return bx_utf8_valid_prefix(s) == s.n;
}

size_t bx_utf8_valid_prefix(struct bx_str s) {
    size_t at = 0;
    while (at < s.n) {
        uint64_t eight;
        if (s.n - at >= sizeof eight) { /* most text is ASCII */
            memcpy(&eight, s.p + at, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                at += sizeof eight;
                continue;
            }
        }
        int n = char_at(s.p + at, s.n - at);
        if (n <= 0) {
            break;
        }
        at += (size_t)n;
    }
    return at;
}

size_t bx_utf8_incomplete_tail(struct bx_str s) {
    for (size_t n = BX_MIN(s.n, (size_t)3); n > 0; n--) {
        if (char_at(s.p + s.n - n, n) == -1) {
            return n;
        }
    }
    return 0;
}

size_t bx_utf8_cut(struct bx_str s, size_t n) {
    if (n >= s.n) {
        return s.n;
    }
    for (size_t back = 1; back <= 3 && back <= n; back++) {
        int len = char_at(s.p + n - back, s.n - (n - back));
        if (len > 0) {
            return (size_t)len > back ? n - back : n;
        }
    }
    return n;
}

int bx_utf8_add_clean(struct bx_buf *b, struct bx_str s) {
    while (s.n > 0) {
        size_t good = bx_utf8_valid_prefix(s);
        int r = bx_buf_add(b, s.p, good);
        if (r == 0 && good < s.n) {
            r = bx_buf_addz(b, "\xef\xbf\xbd");
            good++;
        }
        if (r < 0) {
            return r;
        }
        s = bx_str_slice(s, good, s.n);
    }
    return 0;
}

int bx_utf8_add_char(struct bx_buf *b, uint32_t c) {
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = 0xfffd;
    }
    char out[4];
    size_t n = 0;
    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        out[n++] = (char)(0xe0 | c >> 12);
        out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        out[n++] = (char)(0xf0 | c >> 18);
        out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) {
        out[n++] = (char)(0x80 | (c & 0x3f));
    }
    return bx_buf_add(b, out, n);
}
