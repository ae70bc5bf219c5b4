/* tests/fuzz/change.h: how the fuzz targets change an input: the same changes in every run. */
#ifndef BX_TESTS_FUZZ_CHANGE_H
#define BX_TESTS_FUZZ_CHANGE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FUZZ_COPIES 300

static inline uint64_t fuzz_random(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Flips, overwrites, cuts, doubles and swaps pieces. */
static inline size_t fuzz_change(uint8_t *p, size_t n, size_t cap, uint64_t *seed) {
    static const uint8_t telling[] = {0, '\n', '"', '{', '}', '[', ']', ':', ',', '\\', 0x7f, 0xff, '0', '9', '-', 0xc3, '<', '>', '&', '/'};
    for (uint64_t changes = 1 + fuzz_random(seed) % 6; changes > 0 && n > 0; changes--) {
        size_t at = fuzz_random(seed) % n, len = 1 + fuzz_random(seed) % (n - at < 64 ? n - at : 64);
        switch (fuzz_random(seed) % 5) {
        case 0:
            p[at] = (uint8_t)(p[at] ^ (1u << fuzz_random(seed) % 8));
            break;
        case 1:
            p[at] = telling[fuzz_random(seed) % sizeof telling];
            break;
        case 2:
            memmove(p + at, p + at + len, n - at - len);
            n -= len;
            break;
        case 3:
            if (n + len <= cap) {
                memmove(p + at + len, p + at, n - at);
                n += len;
            }
            break;
        default:
            n = at;
        }
    }
    return n;
}

#endif
