#ifndef BX_GUEST_MATCHER_H
#define BX_GUEST_MATCHER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/scout.h"

struct bx_answer;
struct bx_json;
struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

/*
 * A pattern, ready to search with: the scout finds the lines that may match, PCRE2 then decides where the scout is not sure,
 * under limits of work, depth and memory.
 */
struct bx_matcher {
    bool is_multiline;
    struct bx_scout scout;
    struct pcre2_real_code_8 *code; /* NULL: the pattern is plain text */
    struct pcre2_real_match_data_8 *data;
    struct pcre2_real_match_context_8 *context;
};

enum bx_match {
    BX_MATCH_NONE,
    BX_MATCH_FOUND,
    BX_MATCH_TOO_COSTLY, /* given up at a limit: not known */
};

/* Compile; false after an answer that says what is wrong where. */
bool bx_matcher_open(struct bx_matcher *m, const struct bx_json *pattern, bool is_caseless,
                     bool is_multiline, struct bx_answer *answer);

/* The first match in text that starts at or after from. */
enum bx_match bx_matcher_find(const struct bx_matcher *m, const char *text, size_t len, size_t from,
                              size_t *ret_start, size_t *ret_end);

#endif
