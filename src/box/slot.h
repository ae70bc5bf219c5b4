/* box/slot.h: one lane of calls inside a worker: a socket, a thread, one call at a time.
 *
 * In the worker. The slot's thread reads CALL frames from its socket, runs them and answers on the same socket; the
 * worker's main thread starts slots and stops calls. A guest that starts others gets a group (box/group.h), whose threads
 * write to the socket, too. */
#ifndef BX_BOX_SLOT_H
#define BX_BOX_SLOT_H

#include "box/group.h"

struct bx_slot_setup { /* the worker's, for its whole life */
    struct bx_loader *loader;
    struct bx_guest_crew *crew;
    struct bx_flusher *flusher; /* of bx_slot_flush */
    const struct bxe_dir *dirs;
    size_t dir_count;
};
struct bx_slot;

/* Starts the thread. It ends when the socket is closed by the server; slots are never freed: a worker's life is short. */
int bx_slot_start(const struct bx_slot_setup *setup, int take_socket, struct bx_slot **ret, struct bx_err *err);
/* Stops the call with this number, at once or as soon as it arrives. Other numbers: nothing. */
void bx_slot_stop(struct bx_slot *slot, uint32_t call);

/* For the flusher (box/flusher.h): sends what a live call has kept. */
bool bx_slot_flush(void *slot);

#endif
