/* agent/batch.h: which calls of one reply may run side by side, and the threads for them.
 *
 * Pure but for bx_batch_run, which works a batch off on the calling thread and on threads of a crew. Any number of calls
 * that read; calls that write, when they touch different paths; whatever runs a program, alone. Two calls that may not
 * overlap run in the order in which the model wrote them. */
#ifndef BX_AGENT_BATCH_H
#define BX_AGENT_BATCH_H

#include "base/level.h"

struct bx_batch_item {
    enum bx_level level;
    const char *const *paths; /* guest paths; none = may touch any */
    size_t path_count;
    void *user;
};
/* Must `later` wait for `earlier`? */
bool bx_batch_conflict(const struct bx_batch_item *earlier, const struct bx_batch_item *later);

struct bx_crew;
struct bx_crew *bx_crew_new(unsigned max_threads); /* threads come when they are first needed, and stay */
void bx_crew_free(struct bx_crew *c);              /* no batch may be running */

/* Around a wait for a person: the crew may have one more thread meanwhile, so that waiting calls hold nobody else's. Any
 * thread. */
void bx_crew_block(struct bx_crew *c);
void bx_crew_unblock(struct bx_crew *c);

/* Runs work(user) of every item and returns when all are done. A batch of one costs no thread. */
void bx_batch_run(struct bx_crew *c, const struct bx_batch_item *items, size_t count, void (*work)(void *user));

#endif
