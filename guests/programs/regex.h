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
/* Text that every match holds (never with is_caseless), or NULL; *ret_is_all: it is the whole pattern. */
const char *regex_literal(const struct regex *re, size_t *ret_len, bool *ret_is_all);

const char *regex_memmem(const char *text, size_t len, const char *needle, size_t n);

#endif
