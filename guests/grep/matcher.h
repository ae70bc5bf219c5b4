#ifndef BX_GUEST_MATCHER_H
#define BX_GUEST_MATCHER_H

#include <stdbool.h>
#include <stddef.h>

struct bx_answer;
struct bx_dfa;
struct bx_finder;
struct bx_json;
struct bx_regex;
struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

/*
 * A pattern, ready to search with. What must be in a match is looked for by SIMD (finder.h), or, when there is no such text,
 * each byte is looked at once (dfa.h); PCRE2 then decides about the line, under limits of work, depth and memory, where those
 * are not sure themselves.
 */
struct bx_matcher {
    bool is_multiline;
    struct bx_finder *finder;
    bool is_finder_sure; /* what it finds is a match */
    struct bx_regex *regex;
    struct bx_dfa *dfa;
    bool has_tried_dfa;
    unsigned long long n_found, n_bytes, n_passed; /* lines that the finder found, their bytes, and all that were searched */
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

/* A place in the first line of [at, end) that may match, or does when *ret_is_sure; NULL for none. A line begins at `at`. */
const char *bx_matcher_next(struct bx_matcher *m, const char *at, const char *end, bool *ret_is_sure);
/* Before PCRE2 looks at a line that was found and is not sure: false when it cannot match. */
bool bx_matcher_may_match(struct bx_matcher *m, const char *line, const char *end, bool *ret_is_sure);
/* So many bytes have been searched: the way of searching is chosen by it. */
void bx_matcher_passed(struct bx_matcher *m, size_t n_bytes);

/* The first match in text that starts at or after from. */
enum bx_match bx_matcher_find(const struct bx_matcher *m, const char *text, size_t len, size_t from,
                              size_t *ret_start, size_t *ret_end);

#endif
