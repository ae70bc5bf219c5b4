/* loop/watch.h: tells when something in a folder has changed.
 *
 * Loop thread. One folder, without what is below its folders. A burst of changes (a file that is being copied) is told once,
 * when it has been quiet for 100 ms, or after 500 ms of changes without a pause; so what is told is whole most of the time,
 * and what was not whole is told again. The folder may be missing, or go and come again: then its coming and going is told. */
#ifndef BX_LOOP_WATCH_H
#define BX_LOOP_WATCH_H

#include "loop/loop.h"

struct bx_folder_watch;

/* dir is absolute; changed(user) is called on the loop thread. BX_ERR_IO: the system cannot watch any more folders. */
int bx_folder_watch_start(struct bx_loop *l, const char *dir, void (*changed)(void *user), void *user,
                          struct bx_folder_watch **ret, struct bx_err *err);
/* Before the loop is freed; NULL is fine. No call comes after it. */
void bx_folder_watch_stop(struct bx_folder_watch *take_w);

#endif
