/* base/clock.h: time. Any thread. Intervals are monotonic, stamps are wall clock; both carry their unit in the name. */
#ifndef BX_BASE_CLOCK_H
#define BX_BASE_CLOCK_H

#include "base/base.h"

uint64_t bx_mono_ns(void);
uint64_t bx_mono_ms(void);
uint64_t bx_mono_us(void);
int64_t bx_wall_ms(void); /* since 1970, UTC */
/* "2026-11-23T21:31:05.123Z" into out[25] (NUL ended). */
void bx_time_format(int64_t wall_ms, char out[static 25]);
/* The date of HTTP headers: "Thu, 26 Nov 2026 08:05:00 GMT". */
bool bx_time_parse_http(struct bx_str s, int64_t *ret_wall_ms);
bool bx_time_parse(struct bx_str s, int64_t *ret_wall_ms); /* only the form above, fraction optional */

#endif
