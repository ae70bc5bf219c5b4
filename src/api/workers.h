/* api/workers.h: worker threads for what must not run on the loop.
 *
 * bx_workers_run is for the loop thread: work(user) runs on a worker, then done(user) on the loop, in no order among jobs. */
#ifndef BX_API_WORKERS_H
#define BX_API_WORKERS_H

#include "loop/loop.h"

struct bx_workers;

int bx_workers_new(struct bx_loop *loop, const char *name, unsigned threads, size_t max_queued, struct bx_workers **ret,
                   struct bx_err *err);
/* Runs what is queued, then joins. Their done is posted and still comes when the loop is freed. */
void bx_workers_free(struct bx_workers *p);
/* false, and nothing happens, when too much is queued. */
bool bx_workers_run(struct bx_workers *p, void (*work)(void *user), void (*done)(void *user), void *user);

#endif
