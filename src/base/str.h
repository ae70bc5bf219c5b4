/* base/str.h: a view of bytes that somebody else owns. Any thread. Not NUL ended, may hold any byte. */
#ifndef BX_BASE_STR_H
#define BX_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bx_str {
    const char *p;
    size_t n;
};

#define BX_STR_FMT     "%.*s"                   /* printf("name " BX_STR_FMT, BX_STR_ARG(s)) */
#define BX_STR_ARG(s)  (int)((s).n > 4096 ? 4096 : (s).n), ((s).p ? (s).p : "")
#define BX_STR_LIT(s)  ((struct bx_str){(s), sizeof(s) - 1})

static inline struct bx_str bx_str(const char *s) { /* NULL gives the empty view */
    return (struct bx_str){s, s ? strlen(s) : 0};
}
static inline struct bx_str bx_str_n(const char *p, size_t n) {
    return (struct bx_str){p, n};
}
bool bx_str_eq(struct bx_str a, struct bx_str b);
bool bx_str_eqz(struct bx_str a, const char *z);
bool bx_str_ieqz(struct bx_str a, const char *z);         /* ASCII case folded */
int bx_str_cmp(struct bx_str a, struct bx_str b);
bool bx_str_starts(struct bx_str s, const char *prefix);
bool bx_str_ends(struct bx_str s, const char *suffix);
struct bx_str bx_str_trim(struct bx_str s);               /* ASCII white space off both ends */
struct bx_str bx_str_slice(struct bx_str s, size_t from, size_t n); /* clamped */
/* Index of the first byte c / first occurrence of needle, or (size_t)-1. */
size_t bx_str_find(struct bx_str s, char c);
size_t bx_str_find_str(struct bx_str s, struct bx_str needle);
/* Cuts the next piece up to sep off *rest; false when nothing is left (rest->p is NULL then). "a,,b" gives "a", "", "b";
 * "a," gives "a", ""; "" gives one empty piece, a NULL view none. */
bool bx_str_split(struct bx_str *rest, char sep, struct bx_str *ret_piece);
/* Whole view must be a decimal number in range; otherwise false and *ret untouched. */
bool bx_str_to_i64(struct bx_str s, int64_t *ret);
bool bx_str_to_u64(struct bx_str s, uint64_t *ret);
char *bx_str_dup(struct bx_str s);                        /* NUL ended copy, the caller's */
uint64_t bx_str_hash(struct bx_str s);                    /* FNV-1a: the same in every run; no guard against chosen input */

/* How many slips lead from one word to the other (a letter too many, too few, wrong, or two swapped), ASCII case folded, '-'
 * and '_' the same: for "did you mean". SIZE_MAX when one is longer than 64 bytes. */
size_t bx_str_slips(struct bx_str a, struct bx_str b);

#endif
