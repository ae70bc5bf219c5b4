/* box/keeper.h: starts worker processes, each with its walls up, or none. Inside the box room only.
 *
 * In the server; any thread. The processes are made by a thread that lives as long as the keeper: PR_SET_PDEATHSIG means the
 * thread, not the process, that made the child. */
#ifndef BX_BOX_KEEPER_H
#define BX_BOX_KEEPER_H

#include "box/box.h"

struct bx_keeper;

struct bx_started {
    int control;  /* its control socket, HELLO already read; -1: none was started. Closing it ends the process */
    pid_t pid;
    struct bx_box_walls walls;
    uint64_t compat; /* of compiled tools (struct bx_hello_frame) */
};
#define BX_STARTED_NONE ((struct bx_started){.control = -1})
/* Closes, kills, waits for the end, and leaves none; none is fine. For bx_auto. */
void bx_started_end(struct bx_started *s);

int bx_keeper_new(bool require_second_wall, struct bx_keeper **ret, struct bx_err *err);
void bx_keeper_free(struct bx_keeper *keeper); /* no start may be on its way; what was started lives on */

/* A worker with these folders. probe: it tries what its wall forbids before it greets. On failure *ret is none; BX_ERR_UNAVAILABLE: it
 * did not start, or the second wall is required and not up. */
int bx_keeper_start(struct bx_keeper *keeper, const struct bx_grant *grant, bool probe, struct bx_started *ret, struct bx_err *err);

#endif
