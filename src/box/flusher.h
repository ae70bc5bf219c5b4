/* box/flusher.h: live output that its guest leaves behind: a command that prints and then waits.
 *
 * In the worker, one a worker. Whoever keeps output back for the next write pokes; a while later the flusher's own thread sends
 * it, without ever waiting for a slow reader. The thread is started by the first poke: most workers need none. */
#ifndef BX_BOX_FLUSHER_H
#define BX_BOX_FLUSHER_H

#include "base/base.h"

#define BX_FLUSH_MS 50 /* live output is sent at most that often: a call that is over sooner needs one message */

struct bx_flusher;

/* flush(slot) runs on the flusher's thread and must not wait; true: could not be done now, again in a while. */
struct bx_flusher *bx_flusher_new(bool (*flush)(void *slot));
/* Any thread, with any lock but those that flush takes by waiting. A slot may be poked again while it waits. */
void bx_flusher_poke(struct bx_flusher *f, void *slot);

#endif
