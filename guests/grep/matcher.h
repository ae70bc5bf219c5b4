#ifndef BX_GUEST_MATCHER_H
#define BX_GUEST_MATCHER_H

#include <stdbool.h>
#include <stddef.h>

struct bx_answer;
struct bx_json;
struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

/*
 * A pattern, ready to search with: plain text by SIMD, everything else by PCRE2 under limits of
 * work, depth and memory.
 */
struct bx_matcher {
    const char *literal; /* text that every match holds, or NULL: lines without it need no look */
    size_t literal_len;
    bool is_plain; /* the literal is the whole pattern */
    bool is_multiline;
    struct pcre2_real_code_8 *code;
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

/* The first place of needle (len > 0) in text, or NULL. */
const char *bx_matcher_memmem(const char *text, size_t len, const char *needle, size_t needle_len);

#endif
