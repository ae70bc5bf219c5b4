#include "base/sha256.h"

#include <stdatomic.h>

#include "base/id.h"

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n) {
    return x >> n | x << (32 - n);
}

static uint32_t load(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void blocks_portable(uint32_t state[8], const unsigned char *p, size_t count) {
    for (; count > 0; count--, p += 64) {
        uint32_t w[64], s[8];
        for (size_t i = 0; i < 16; i++) {
            w[i] = load(p + 4 * i);
        }
        for (size_t i = 16; i < 64; i++) {
            uint32_t a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        memcpy(s, state, sizeof s);
        for (size_t i = 0; i < 64; i++) {
            uint32_t e = s[4], a = s[0];
            uint32_t t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                          ((e & s[5]) ^ (~e & s[6])) + K[i] + w[i];
            uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                          ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            memmove(s + 1, s, 7 * sizeof *s);
            s[4] += t1;
            s[0] = t1 + t2;
        }
        for (size_t i = 0; i < 8; i++) {
            state[i] += s[i];
        }
    }
}

static atomic_bool cpu_allowed = true;

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

/* Four rounds; the instruction does two at a time on the halves of its 128-bit input. */
#define ROUNDS(i, m)                                                                               \
    do {                                                                                           \
        __m128i wk = _mm_add_epi32(m, _mm_loadu_si128((const __m128i *)(const void *)&K[i]));      \
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, wk);                                              \
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(wk, 0x0e));                     \
    } while (0)
/* The next four words of the message schedule replace the oldest four. */
#define SCHEDULE(m0, m1, m2, m3)                                                                   \
    m0 = _mm_sha256msg2_epu32(                                                                     \
        _mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), _mm_alignr_epi8(m3, m2, 4)), m3)

__attribute__((target("sha,sse4.1,ssse3"))) static void
blocks_x86(uint32_t state[8], const unsigned char *p, size_t count) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i lo = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hi = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    lo = _mm_shuffle_epi32(lo, 0xb1);
    hi = _mm_shuffle_epi32(hi, 0x1b);
    __m128i abef = _mm_alignr_epi8(lo, hi, 8);
    __m128i cdgh = _mm_blend_epi16(hi, lo, 0xf0);
    for (; count > 0; count--, p += 64) {
        __m128i abef_old = abef, cdgh_old = cdgh;
        const __m128i *in = (const __m128i *)(const void *)p;
        __m128i a = _mm_shuffle_epi8(_mm_loadu_si128(in), swap);
        __m128i b = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), swap);
        __m128i c = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), swap);
        __m128i d = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), swap);
        for (size_t i = 0;; i += 16) {
            ROUNDS(i, a);
            ROUNDS(i + 4, b);
            ROUNDS(i + 8, c);
            ROUNDS(i + 12, d);
            if (i == 48) {
                break;
            }
            SCHEDULE(a, b, c, d);
            SCHEDULE(b, c, d, a);
            SCHEDULE(c, d, a, b);
            SCHEDULE(d, a, b, c);
        }
        abef = _mm_add_epi32(abef, abef_old);
        cdgh = _mm_add_epi32(cdgh, cdgh_old);
    }
    lo = _mm_shuffle_epi32(abef, 0x1b);
    hi = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(lo, hi, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(hi, lo, 8));
}

static bool cpu_can(void) {
    static atomic_int known = -1;
    int can = atomic_load_explicit(&known, memory_order_relaxed);
    if (can < 0) {
        unsigned a, b, c, d;
        can = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1u << 29) &&
              __builtin_cpu_supports("sse4.1");
        atomic_store_explicit(&known, can, memory_order_relaxed);
    }
    return can;
}

static void blocks(uint32_t state[8], const unsigned char *p, size_t count) {
    if (cpu_can() && atomic_load_explicit(&cpu_allowed, memory_order_relaxed)) {
        blocks_x86(state, p, count);
    } else {
        blocks_portable(state, p, count);
    }
}
#else
static void blocks(uint32_t state[8], const unsigned char *p, size_t count) {
    blocks_portable(state, p, count);
}
#endif

void bx_sha256_use_cpu(bool use) {
    cpu_allowed = use;
}

void bx_sha256_init(struct bx_sha256 *h) {
    *h = (struct bx_sha256){.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
                                      0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};
}

void bx_sha256_add(struct bx_sha256 *h, const void *data, size_t n) {
    const unsigned char *p = data;
    size_t used = h->total_bytes % 64;
    h->total_bytes += n;
    if (used > 0) {
        size_t k = BX_MIN(n, 64 - used);
        memcpy(h->block + used, p, k);
        p += k;
        n -= k;
        if (used + k < 64) {
            return;
        }
        blocks(h->state, h->block, 1);
    }
    blocks(h->state, p, n / 64);
    if (n % 64 > 0) {
        memcpy(h->block, p + n / 64 * 64, n % 64);
    }
}

void bx_sha256_end(struct bx_sha256 *h, unsigned char out[static BX_SHA256_SIZE]) {
    uint64_t bits = h->total_bytes * 8;
    unsigned char tail[72] = {0x80};
    size_t used = h->total_bytes % 64, pad = used < 56 ? 56 - used : 120 - used;
    for (size_t i = 0; i < 8; i++) {
        tail[pad + i] = (unsigned char)(bits >> (56 - 8 * i));
    }
    bx_sha256_add(h, tail, pad + 8);
    for (size_t i = 0; i < 32; i++) {
        out[i] = (unsigned char)(h->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void bx_sha256_of(const void *p, size_t n, unsigned char out[static BX_SHA256_SIZE]) {
    struct bx_sha256 h;
    bx_sha256_init(&h);
    bx_sha256_add(&h, p, n);
    bx_sha256_end(&h, out);
}

void bx_sha256_hex_of(const void *p, size_t n, char out[static BX_SHA256_HEX + 1]) {
    unsigned char digest[BX_SHA256_SIZE];
    bx_sha256_of(p, n, digest);
    bx_hex(digest, sizeof digest, out);
}

void bx_hmac_init(struct bx_hmac *m, const void *key, size_t key_size) {
    unsigned char pad[64] = {0};
    if (key_size > sizeof pad) {
        bx_sha256_of(key, key_size, pad);
    } else if (key_size > 0) {
        memcpy(pad, key, key_size);
    }
    for (size_t i = 0; i < sizeof pad; i++) {
        m->outer_pad[i] = pad[i] ^ 0x5c;
        pad[i] ^= 0x36;
    }
    bx_sha256_init(&m->inner);
    bx_sha256_add(&m->inner, pad, sizeof pad);
}

void bx_hmac_add(struct bx_hmac *m, const void *p, size_t n) {
    bx_sha256_add(&m->inner, p, n);
}

void bx_hmac_end(struct bx_hmac *m, unsigned char out[static BX_SHA256_SIZE]) {
    unsigned char inner[BX_SHA256_SIZE];
    bx_sha256_end(&m->inner, inner);
    struct bx_sha256 outer;
    bx_sha256_init(&outer);
    bx_sha256_add(&outer, m->outer_pad, sizeof m->outer_pad);
    bx_sha256_add(&outer, inner, sizeof inner);
    bx_sha256_end(&outer, out);
}
