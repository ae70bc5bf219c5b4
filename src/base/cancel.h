/* base/cancel.h: one token says "stop" to everything that a run is doing.
 *
 * Any thread may cancel; any thread may ask or wait. Cancelled stays cancelled. Tokens form a tree: cancelling a
 * parent cancels its children. Everything that can wait for longer than 100 ms takes a token and honours it. */
#ifndef BX_BASE_CANCEL_H
#define BX_BASE_CANCEL_H

#include "base/base.h"

struct bx_cancel;

struct bx_cancel *bx_cancel_new(struct bx_cancel *parent); /* parent may be NULL; the child keeps it alive */
struct bx_cancel *bx_cancel_ref(struct bx_cancel *c);      /* NULL gives NULL */
void bx_cancel_unref(struct bx_cancel *c);                 /* NULL is fine */
void bx_cancel_fire(struct bx_cancel *c, const char *reason); /* the first reason stays; copied, cut at 120 bytes */
bool bx_cancel_fired(const struct bx_cancel *c);           /* NULL is never cancelled */
const char *bx_cancel_reason(const struct bx_cancel *c);   /* "" before; a view for the token's life */

/* Readable once cancelled; the token's, never read from it. For poll(2) loops. NULL gives -1 (poll ignores it);
 * so does a process that is out of descriptors, where only bx_cancel_fired tells. */
int bx_cancel_fd(struct bx_cancel *c);

/* Calls fn(user) once when cancelled, on the cancelling thread, without locks held; at once when it has been already.
 * After bx_cancel_unwatch returns fn is not running and will not run. fn must not unwatch itself. A watch keeps the token
 * alive until it is unwatched, also when it has been called; unwatching a zeroed or an unwatched one does nothing. */
struct bx_cancel_watch {
    void (*fn)(void *user);
    void *user;
    struct bx_cancel_watch *next;
    struct bx_cancel *token;
    bool done;
};
void bx_cancel_watch(struct bx_cancel *c, struct bx_cancel_watch *w, void (*fn)(void *user), void *user);
void bx_cancel_unwatch(struct bx_cancel_watch *w);

/* Sleeps; BX_ERR_CANCELLED as soon as the token fires. */
int bx_cancel_sleep(struct bx_cancel *c, uint64_t timeout_ms);
BX_DEFINE_AUTO(struct bx_cancel, bx_cancel_unref)

#endif
