/* base/sha256.h: SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104). Any thread. Uses the CPU's instructions for it where
 * it has them, so that hashing what a tool read and wrote costs microseconds. */
#ifndef BX_BASE_SHA256_H
#define BX_BASE_SHA256_H

#include "base/base.h"

#define BX_SHA256_SIZE 32
#define BX_SHA256_HEX  64

struct bx_sha256 {
    uint32_t state[8];
    uint64_t total_bytes;
    unsigned char block[64];
};

void bx_sha256_init(struct bx_sha256 *h);
void bx_sha256_add(struct bx_sha256 *h, const void *p, size_t n);
void bx_sha256_end(struct bx_sha256 *h, unsigned char out[static BX_SHA256_SIZE]); /* init before using h again */

void bx_sha256_of(const void *p, size_t n, unsigned char out[static BX_SHA256_SIZE]);
void bx_sha256_hex_of(const void *p, size_t n, char out[static BX_SHA256_HEX + 1]); /* lower case */

struct bx_hmac {
    struct bx_sha256 inner;
    unsigned char outer_pad[64];
};
void bx_hmac_init(struct bx_hmac *m, const void *key, size_t key_size);
void bx_hmac_add(struct bx_hmac *m, const void *p, size_t n);
void bx_hmac_end(struct bx_hmac *m, unsigned char out[static BX_SHA256_SIZE]);

/* For tests: false keeps the portable code even where the CPU could do better. */
void bx_sha256_use_cpu(bool use);

#endif
