/* store/fork.h: a copy of a session up to any event, to go on from there in another way. Any thread.
 *
 * The copy is a chat of its own: its events are those of the first one with their seq and time, so that what refers to them
 * (a rewind, a summary, a result's handle) holds in the copy too. A run that is cut in the middle is closed: calls without a
 * result get one that says so. Executors are referred to, not copied; a pin and
 * what was allowed for the first one stay behind. */
#ifndef BX_STORE_FORK_H
#define BX_STORE_FORK_H

#include "store/session.h"

/* up_to: the last event that is copied; 0 = all that there are now. BX_ERR_INVALID: there is no such event. */
int bx_session_fork(struct bx_store *store, struct bx_session *from, uint64_t up_to, struct bx_session **ret,
                    struct bx_err *err);

#endif
