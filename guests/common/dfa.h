#ifndef BX_GUEST_DFA_H
#define BX_GUEST_DFA_H

#include <stdbool.h>
#include <stddef.h>

#include "common/regex.h"

/*
 * The tree of a pattern as a machine that looks at each byte once, whatever the pattern: it says which lines may match. Its
 * states are made when they are first met, and thrown away when they are too many: memory is bounded.
 */
struct bx_dfa;

/* NULL when the pattern is too large for one. */
struct bx_dfa *bx_dfa_new(const struct bx_regex *regex);

/* A place in the first line of [at, end) that may match, NULL for none. A line begins at `at`. A line end belongs to the line
 * before it. */
const char *bx_dfa_find(struct bx_dfa *dfa, const char *at, const char *end);

/* What it finds is a match: there is nothing that only PCRE2 knows. */
bool bx_dfa_is_sure(const struct bx_dfa *dfa);

#endif
