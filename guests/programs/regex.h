#ifndef BX_PROGRAM_REGEX_H
#define BX_PROGRAM_REGEX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Regular expressions of grep, sed, find and expr: POSIX's two syntaxes with GNU's additions, translated for PCRE2, and
 * PCRE2's own (grep -P). Lines with bytes above 127 are matched as UTF-8 characters, others byte by byte.
 *
 * Differs from POSIX: of several alternatives the first that matches is taken, not the longest.
 */
enum regex_syntax { REGEX_BASIC, REGEX_EXTENDED, REGEX_PERL, REGEX_FIXED };

struct regex_options {
    enum regex_syntax syntax;
    bool is_caseless;
    bool is_word;      /* grep -w */
    bool is_line;      /* grep -x */
    bool is_multiline; /* sed's M: ^ and $ at every line */
};

enum { REGEX_GROUPS = 10 };
struct regex_match {
    size_t start[REGEX_GROUPS], end[REGEX_GROUPS]; /* (size_t)-1: took no part */
};

struct regex;
/* Patterns are alternatives of each other. NULL: *ret_why is a sentence. */
struct regex *regex_new(const char *const *patterns, const size_t *lens, size_t n, const struct regex_options *options,
                        const char **ret_why);
/* The first match at or after from; not_bol: ^ does not match at 0. */
bool regex_find(struct regex *re, const char *text, size_t len, size_t from, bool not_bol, struct regex_match *ret);
int regex_groups(const struct regex *re);
/*
 * The first line of [at, end) that has a match, NULL for none; *ret_len: without its end. Lines end with newlines, the last one
 * may lack it. is_ascii: no byte in there is above 127 (regex_has_high).
 */
const char *regex_find_line(struct regex *re, const char *at, const char *end, bool is_ascii, size_t *ret_len);
bool regex_has_high(const char *text, size_t len);

#endif
