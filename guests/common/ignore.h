#ifndef BX_GUEST_IGNORE_H
#define BX_GUEST_IGNORE_H

#include <stdbool.h>

/*
 * What .gitignore files leave out, and .git/info/exclude, by git's rules: nested files, the nearest file and its last
 * matching line win, "!" takes back. Paths are relative to the root, as everywhere.
 */
struct bx_ignore;

/* The rules of dir on top of those above; just above when there are none. */
const struct bx_ignore *bx_ignore_load(const char *dir, const struct bx_ignore *above);

/* Free what load() added to above. */
void bx_ignore_free(const struct bx_ignore *rules, const struct bx_ignore *above);

/* Is the path itself left out? (That a folder above it is, is for the walk to see.) */
bool bx_ignore_test(const struct bx_ignore *rules, const char *path, bool is_dir);

#endif
