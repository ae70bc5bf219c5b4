#include "common/utf8.h"

#include <string.h>

static bool is_tail(const char *text, size_t at) {
    return ((unsigned char)text[at] & 0xC0) == 0x80;
}

size_t bx_utf8_length(const char *text, size_t len) {
    if (!len) {
        return 0;
    }
    unsigned char a = (unsigned char)text[0];
    unsigned char b = len > 1 ? (unsigned char)text[1] : 0;
    if (a < 0x80) {
        return 1;
    }
    if (a >= 0xC2 && a < 0xE0) {
        return len >= 2 && is_tail(text, 1) ? 2 : 0;
    }
    if (a >= 0xE0 && a < 0xF0) {
        bool range = !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F);
        return len >= 3 && range && is_tail(text, 1) && is_tail(text, 2) ? 3 : 0;
    }
    if (a >= 0xF0 && a < 0xF5) {
        bool range = !(a == 0xF0 && b < 0x90) && !(a == 0xF4 && b > 0x8F);
        return len >= 4 && range && is_tail(text, 1) && is_tail(text, 2) && is_tail(text, 3) ? 4
                                                                                             : 0;
    }
    return 0;
}

bool bx_utf8_valid(const char *text, size_t len) {
    for (size_t at = 0; at < len;) {
        uint64_t bytes[4];
        if (len - at >= sizeof bytes) { // most text is ASCII
            memcpy(bytes, text + at, sizeof bytes);
            if (!((bytes[0] | bytes[1] | bytes[2] | bytes[3]) & 0x8080808080808080U)) {
                at += sizeof bytes;
                continue;
            }
        }
        if (len - at >= sizeof *bytes) {
            memcpy(bytes, text + at, sizeof *bytes);
            if (!(*bytes & 0x8080808080808080U)) {
                at += sizeof *bytes;
                continue;
            }
        }
        size_t n = bx_utf8_length(text + at, len - at);
        if (!n) {
            return false;
        }
        at += n;
    }
    return true;
}

size_t bx_utf8_encode(char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | (c >> 6));
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | (c >> 12));
        out[1] = (char)(0x80 | ((c >> 6) & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18));
    out[1] = (char)(0x80 | ((c >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((c >> 6) & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

uint32_t bx_utf8_decode(const char *text, size_t len, size_t *ret_len) {
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t n = bx_utf8_length(text, len);
    uint32_t c = (unsigned char)text[0] & masks[n];
    for (size_t i = 1; i < n; i++) {
        c = (c << 6) | ((unsigned char)text[i] & 0x3F);
    }
    *ret_len = n;
    return c;
}

size_t bx_utf8_cut(const char *text, size_t len, size_t max) {
    if (len <= max) {
        return len;
    }
    size_t cut = max;
    while (cut > 0 && max - cut < 3 && is_tail(text, cut)) {
        cut--;
    }
    return is_tail(text, cut) ? max : cut;
}

bool bx_utf8_add_text(struct bx_buf *out, const char *text, size_t len) {
    bool utf8 = bx_utf8_valid(text, len);
    if (utf8 && !memchr(text, '\0', len)) {
        bx_buf_add(out, text, len);
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        char bytes[4];
        if (c == 0) {
            bx_buf_add_str(out, "\xE2\x90\x80");
        } else if (utf8 || c < 0x80) {
            bx_buf_add_char(out, text[i]);
        } else {
            bx_buf_add(out, bytes, bx_utf8_encode(bytes, c));
        }
    }
    return utf8;
}
