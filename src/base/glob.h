/* base/glob.h: the patterns of rules and settings. Pure; the cost is bounded by the square of the text, whatever the pattern.
 *
 * In a path `*` and `?` stop at a slash, `**` does not; "**" between slashes stands for any number of folders, also none,
 * and a pattern that ends in a slash and "**" matches the folder itself too. In other texts `*` stands for anything. */
#ifndef BX_BASE_GLOB_H
#define BX_BASE_GLOB_H

#include "base/base.h"

bool bx_glob_path(const char *pattern, const char *path);
bool bx_glob_text(const char *pattern, struct bx_str text);

#endif
