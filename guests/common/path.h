#ifndef BX_GUEST_PATH_H
#define BX_GUEST_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/*
 * Paths. Inside a tool a path is relative to the root, without "." and ".." and doubled or trailing
 * slashes; the root itself is ".". The working directory is the root, so they go to open() as they
 * are.
 */

/* "/a", "a", "./a//b/../" -> the form above, owned by the caller. NULL and *ret_why if it cannot
 * be. */
char *bx_path_parse(const char *text, size_t len, const char **ret_why);

/* dir/name, or name when dir is "."; the caller's. */
char *bx_path_join(const char *dir, const char *name);

/* The folder of a path ("." at the top); the caller's. And its last part, a view into path. */
char *bx_path_dir(const char *path);
const char *bx_path_name(const char *path);

/* Can the C library be asked about it? The component interface of WASI ends a program that says a name which is not UTF-8;
 * such names come from common/files.h. */
bool bx_path_is_text(const char *path);

/* Append a path for people: names with line breaks, quotes or bad UTF-8 are written "like\nthis".
 */
void bx_path_put(struct bx_buf *out, const char *path);

/* The same as a string, kept until the program ends. */
const char *bx_path_show(const char *path);

#endif
