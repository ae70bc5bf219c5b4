#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/id.h"

void bx_random(void *p, size_t n) {
    unsigned char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            bx_die("the kernel gives no random bytes: %d", errno);
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

/* RFC 9562 §6.2 method 1: within one millisecond a counter (12 bits of rand_a) goes up; when it is used up the time
 * stamp runs ahead of the clock. So ids of one process always sort in the order of making. */
void bx_id_new(char out[static BX_ID_LEN + 1]) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static uint64_t last_ms;
    static unsigned counter;
    unsigned char id[16];
    bx_random(id, sizeof id);

    pthread_mutex_lock(&mutex);
    uint64_t now = (uint64_t)bx_wall_ms();
    if (now > last_ms) {
        last_ms = now;
        counter = (unsigned)(id[6] << 8 | id[7]) & 0x7ff; /* head room for 2048 more */
    } else if (++counter > 0xfff) {
        last_ms++;
        counter = 0;
    }
    uint64_t ms = last_ms;
    unsigned count = counter;
    pthread_mutex_unlock(&mutex);

    for (unsigned i = 0; i < 6; i++) {
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
    }
    id[6] = (unsigned char)(0x70 | count >> 8);
    id[7] = (unsigned char)count;
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    char hex[33];
    bx_hex(id, sizeof id, hex);
    snprintf(out, BX_ID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool bx_id_is_valid(struct bx_str s) {
    if (s.n != BX_ID_LEN) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

bool bx_const_time_eq(const void *a, const void *b, size_t n) {
    const volatile unsigned char *x = a, *y = b;
    unsigned char different = 0;
    for (size_t i = 0; i < n; i++) {
        different |= (unsigned char)(x[i] ^ y[i]);
    }
    return different == 0;
}
