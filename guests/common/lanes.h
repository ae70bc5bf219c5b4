#ifndef BX_GUEST_LANES_H
#define BX_GUEST_LANES_H

#include <stdint.h>
#include <string.h>

/* Sixteen bytes at a time; in the test build on this machine by loops that mean the same. */
#ifdef __wasm_simd128__
#include <wasm_simd128.h>
typedef v128_t bx_lanes;
static inline bx_lanes bx_lanes_load(const char *at) { return wasm_v128_load(at); }
static inline bx_lanes bx_lanes_fill(unsigned char c) { return wasm_i8x16_splat((int8_t)c); }
static inline bx_lanes bx_lanes_equal(bx_lanes a, bx_lanes b) { return wasm_i8x16_eq(a, b); }
static inline bx_lanes bx_lanes_and(bx_lanes a, bx_lanes b) { return wasm_v128_and(a, b); }
static inline bx_lanes bx_lanes_or(bx_lanes a, bx_lanes b) { return wasm_v128_or(a, b); }
static inline int bx_lanes_any(bx_lanes a) { return wasm_v128_any_true(a); }
/* one bit for each lane that is not nought */
static inline unsigned bx_lanes_bits(bx_lanes a) {
    return ~(unsigned)wasm_i8x16_bitmask(wasm_i8x16_eq(a, wasm_i8x16_splat(0))) & 0xFFFFU;
}
#else
typedef struct { unsigned char b[16]; } bx_lanes;
#define BX_LANES(expression)                                                                                           \
    bx_lanes r;                                                                                                        \
    for (int i = 0; i < 16; i++)                                                                                       \
        r.b[i] = (unsigned char)(expression);                                                                          \
    return r
static inline bx_lanes bx_lanes_load(const char *at) { BX_LANES(at[i]); }
static inline bx_lanes bx_lanes_fill(unsigned char c) { BX_LANES(c); }
static inline bx_lanes bx_lanes_equal(bx_lanes a, bx_lanes b) { BX_LANES(a.b[i] == b.b[i] ? 255 : 0); }
static inline bx_lanes bx_lanes_and(bx_lanes a, bx_lanes b) { BX_LANES(a.b[i] & b.b[i]); }
static inline bx_lanes bx_lanes_or(bx_lanes a, bx_lanes b) { BX_LANES(a.b[i] | b.b[i]); }
static inline unsigned bx_lanes_bits(bx_lanes a) {
    unsigned bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= (unsigned)(a.b[i] != 0) << i;
    return bits;
}
static inline int bx_lanes_any(bx_lanes a) { return bx_lanes_bits(a) != 0; }
#endif

#endif
