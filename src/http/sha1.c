#include "http/sha1.h"

static uint32_t rotate(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[static 5], const unsigned char *p) {
    uint32_t w[80];
    for (size_t i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
               (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (size_t i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (size_t i = 0; i < 80; i++) {
        uint32_t f, k;
        if (i < 20)
            f = (b & c) | (~b & d), k = 0x5a827999;
        else if (i < 40)
            f = b ^ c ^ d, k = 0x6ed9eba1;
        else if (i < 60)
            f = (b & c) | (b & d) | (c & d), k = 0x8f1bbcdc;
        else
            f = b ^ c ^ d, k = 0xca62c1d6;
        uint32_t t = rotate(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

void bx_sha1(struct bx_str s, unsigned char out[static 20]) {
    uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    size_t at = 0;
    for (; s.n - at >= 64; at += 64)
        sha1_block(h, (const unsigned char *)s.p + at);
    unsigned char tail[128] = {0};
    size_t left = s.n - at, size = left < 56 ? 64 : 128;
    memcpy(tail, s.p + at, left);
    tail[left] = 0x80;
    uint64_t bits = (uint64_t)s.n * 8;
    for (size_t i = 0; i < 8; i++)
        tail[size - 1 - i] = (unsigned char)(bits >> (8 * i));
    for (size_t i = 0; i < size; i += 64)
        sha1_block(h, tail + i);
    for (size_t i = 0; i < 20; i++)
        out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int bx_base64_add(struct bx_buf *out, const unsigned char *p, size_t n) {
    for (size_t i = 0; i < n; i += 3) {
        size_t left = BX_MIN(n - i, (size_t)3);
        uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (left > 2 ? p[i + 2] : 0);
        char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63],
                        left > 1 ? alphabet[v >> 6 & 63] : '=', left > 2 ? alphabet[v & 63] : '='};
        int r = bx_buf_add(out, four, sizeof four);
        if (r < 0)
            return r;
    }
    return 0;
}

bool bx_base64_is(struct bx_str s, size_t n) {
    size_t padding = (3 - n % 3) % 3;
    if (s.n != (n + 2) / 3 * 4)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool is_digit = s.p[i] != '\0' && strchr(alphabet, s.p[i]);
        if (i < s.n - padding ? !is_digit : s.p[i] != '=')
            return false;
    }
    return true;
}
