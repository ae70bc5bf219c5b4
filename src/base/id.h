/* base/id.h: identifiers and random bytes. Any thread. */
#ifndef BX_BASE_ID_H
#define BX_BASE_ID_H

#include "base/base.h"

#define BX_ID_LEN 36 /* UUIDv7 (RFC 9562 §5.7), lower case: names sort by the time of making, also within one millisecond */

void bx_id_new(char out[static BX_ID_LEN + 1]);
int64_t bx_id_time_ms(const char id[static BX_ID_LEN]); /* when it was made, as it says itself */
bool bx_id_is_valid(struct bx_str s); /* 36 characters of hex and dashes at the right places */
void bx_random(void *p, size_t n);    /* from the kernel; aborts when the kernel has none */
void bx_hex(const void *p, size_t n, char *out); /* 2n characters and a NUL */
/* Equal content, in time that depends on n only. */
bool bx_const_time_eq(const void *a, const void *b, size_t n);

#endif
