#ifndef BX_GUEST_SCOUT_H
#define BX_GUEST_SCOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/dfa.h"
#include "common/finder.h"
#include "common/regex.h"

/*
 * Finds the lines that a pattern may match. What must be in a match is looked for by SIMD (finder.h), or, when there is no such
 * text, each byte is looked at once (dfa.h). Where these are not sure themselves PCRE2 decides about the line, and that is the
 * caller's to do.
 */
struct bx_scout {
    struct bx_finder *finder;
    bool is_finder_sure; /* what it finds is a match */
    struct bx_regex regex;
    struct bx_dfa *dfa;
    bool has_tried_dfa;
    unsigned long long n_found, n_bytes, n_passed; /* lines that the finder found, their bytes, and all that were searched */
};

/* For a pattern that PCRE2 has compiled; keeps_cr as in regex.h. */
void bx_scout_init(struct bx_scout *s, const char *pattern, size_t len, bool is_caseless, enum bx_regex_text text, bool keeps_cr);
/* For plain text, not empty. is_caseless: of ASCII letters, and the text is ASCII then. */
void bx_scout_init_plain(struct bx_scout *s, const char *text, size_t len, bool is_caseless);

/* A place in the first line of [at, end) that may match, or does when *ret_is_sure; NULL for none. A line begins at `at`. */
const char *bx_scout_next(struct bx_scout *s, const char *at, const char *end, bool *ret_is_sure);
/* Before PCRE2 looks at a line that was found and is not sure: false when it cannot match. */
bool bx_scout_may_match(struct bx_scout *s, const char *line, const char *end, bool *ret_is_sure);
/* So many bytes have been searched: the way of searching is chosen by it. */
void bx_scout_passed(struct bx_scout *s, size_t n_bytes);

#endif
