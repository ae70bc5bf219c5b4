#include "base/id.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/thread.h"

/* RFC 9562 §6.2, method 1: 26 counter bits behind the time, seeded anew each millisecond with the
 * top bit 0, so that at least 2^25 names fit into one. The last time is never left backwards,
 * whatever the wall clock does. */
#define COUNTER_BITS 26

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ms, counter;

static void next(uint64_t seed, uint64_t *ret_ms, uint64_t *ret_counter) {
    uint64_t now_ms = (uint64_t)bx_wall_ms();
    BX_LOCKED(&mutex);
    if (now_ms > last_ms) {
        last_ms = now_ms;
        counter = seed & ((1u << (COUNTER_BITS - 1)) - 1);
    } else if (++counter >> COUNTER_BITS) {
        last_ms++;
        counter = 0;
    }
    *ret_ms = last_ms;
    *ret_counter = counter;
}

void bx_id_new(char out[static BX_ID_LEN + 1]) {
    uint64_t random[2], ms, count;
    bx_random(random, sizeof random);
    next(random[1], &ms, &count);
    uint64_t high = ms << 16 | 0x7000 | count >> 14;
    uint64_t low = (uint64_t)1 << 63 | (count & 0x3fff) << 48 | random[0] >> 16;
    snprintf(out, BX_ID_LEN + 1, "%08x-%04x-%04x-%04x-%012" PRIx64, (unsigned)(high >> 32),
             (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xffff), (unsigned)(low >> 48),
             low & 0xffffffffffff);
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

int64_t bx_id_time_ms(const char id[static BX_ID_LEN]) {
    char hex[13] = {0};
    memcpy(hex, id, 8);
    memcpy(hex + 8, id + 9, 4);
    return (int64_t)strtoull(hex, NULL, 16);
}

bool bx_id_is_valid(struct bx_str s) {
    if (s.n != BX_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : !is_hex(s.p[i])) {
            return false;
        }
    }
    return true;
}

void bx_random(void *p, size_t n) {
    char *at = p;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            bx_die("the kernel gives no random bytes");
        }
        at += got;
        n -= (size_t)got;
    }
}

void bx_hex(const void *p, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

bool bx_const_time_eq(const void *a, const void *b, size_t n) {
    const volatile unsigned char *x = a, *y = b;
    unsigned char differ = 0;
    for (size_t i = 0; i < n; i++) {
        differ = (unsigned char)(differ | (x[i] ^ y[i]));
    }
    return differ == 0;
}
