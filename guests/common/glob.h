#ifndef BX_GUEST_GLOB_H
#define BX_GUEST_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * File name patterns: * and ? within a name, [a-z] and [!a-z], ** for any number of folders, {a,b}
 * for one of several, \ before a character that means itself. Names that begin with a dot are not
 * special.
 *
 * Matching takes at most time proportional to pattern times path, whatever the pattern.
 */
struct bx_glob {
    char **patterns; /* with the braces expanded */
    size_t n;
};

/* Compile. False and *ret_why (the end of a sentence) for a brace that is not closed or too many.
 */
bool bx_glob_parse(struct bx_glob *glob, const char *text, size_t len, const char **ret_why);
void bx_glob_deinit(struct bx_glob *glob);

bool bx_glob_matches(const struct bx_glob *glob, const char *path);

/* Could a file below this folder match? */
bool bx_glob_may_match_below(const struct bx_glob *glob, const char *dir);

/* One pattern without braces: against a whole path, and against one name. */
bool bx_glob_match_path(const char *pattern, const char *path);
bool bx_glob_match_name(const char *pattern, const char *name);

/* Bytes at the start of a pattern that are plain folder names ("src/a/" of "src/a/x*.c"). */
size_t bx_glob_plain_prefix(const char *pattern);
bool bx_glob_is_plain(const char *pattern);

#endif
