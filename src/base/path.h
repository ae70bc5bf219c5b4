/* base/path.h: names of files, as text. Any thread; only bx_path_real touches the disk. */
#ifndef BX_BASE_PATH_H
#define BX_BASE_PATH_H

#include "base/base.h"

char *bx_path_join(const char *dir, const char *name);   /* "a/" + "b" = "a/b"; an absolute name replaces dir */
/* Without ".", "..", double slashes and a trailing slash; ".." at the top of an absolute path stays at "/". */
char *bx_path_normal(const char *path);
char *bx_path_absolute(const char *path);                /* against the current folder, then normal */
char *bx_path_real(const char *path, struct bx_err *err); /* symlinks resolved; NULL and err when it does not exist */
const char *bx_path_base(const char *path);              /* a view of the last part */
char *bx_path_dir(const char *path);                     /* "." for a bare name */
/* Both normal and absolute: is path the folder itself or below it? */
bool bx_path_is_under(const char *path, const char *dir);

#endif
