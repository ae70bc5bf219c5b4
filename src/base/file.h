/* base/file.h: whole files and folders. Any thread; these calls block on the disk, so not on the loop thread for
 * anything large. Messages name the file as given. */
#ifndef BX_BASE_FILE_H
#define BX_BASE_FILE_H

#include <sys/types.h>

#include "base/base.h"

/* Adds the file's content to buf, or nothing. BX_ERR_NOTFOUND, BX_ERR_LIMIT (larger than the buffer's maximum), BX_ERR_IO …;
 * refuses what is not a regular file. */
int bx_file_read(const char *path, struct bx_buf *buf, struct bx_err *err);
/* Old content or new content, never half: temporary name, fsync, rename, fsync of the folder. */
int bx_file_write_atomic(const char *path, struct bx_str content, mode_t mode, struct bx_err *err);
/* Makes the folder and its parents with the mode; fine when it is there. */
int bx_dir_make(const char *path, mode_t mode, struct bx_err *err);
/* The same for a folder whose content is acknowledged to somebody: the new names last through a crash, too. */
int bx_dir_make_lasting(const char *path, mode_t mode, struct bx_err *err);
/* Makes what was renamed into the folder or out of it last through a crash. */
int bx_dir_sync(const char *path, struct bx_err *err);
/* Brings a whole tree to the platter, files and folders, before it is renamed into its place. Links are left as they are. */
int bx_tree_sync(const char *path, struct bx_err *err);
/* How many folders were brought to the platter in this process: for tests, which can see no power loss. */
uint64_t bx_dir_syncs(void);
/* Deletes a tree without following links; fine when it is not there; BX_ERR_INVALID when path itself is no folder. */
int bx_dir_remove(const char *path, struct bx_err *err);
/* Calls visit(name) for each entry but "." and ".."; stops when visit returns non-zero and returns that. */
int bx_dir_each(const char *path, int (*visit)(void *user, const char *name), void *user, struct bx_err *err);
bool bx_file_exists(const char *path);
/* Opens a name below the folder `dir` by the kernel's own resolution (openat2): whatever links are planted meanwhile, it never
 * leads out of the folder. flags as of open(2). The descriptor, or -1 and errno. */
int bx_file_open_beneath(int dir, const char *name, int flags);
/* The same where no link at all may be on the way; with O_PATH | O_NOFOLLOW the last part may be one, which is then what is opened. */
int bx_file_open_without_links(int dir, const char *name, int flags);
/* Opens a folder by a path that had no link in it when it was looked at (bx_path_real): one that was put there since is not followed,
 * so that what was checked is what is opened (ELOOP). */
int bx_dir_open_real(const char *path, int flags);
int bx_write_all(int fd, const void *p, size_t n); /* 0 or -errno; EINTR handled */
void bx_fd_close(int *fd);                         /* closes unless -1, sets -1; for bx_auto(bx_fd_close) int fd = -1; */

#endif
