/* api/hub.h: who watches which session.
 *
 * Loop thread, but for the wake-ups that sessions send from the threads that append. A session that somebody watches has one
 * feed, however many watch: many appends before the loop gets to it are one wake-up. */
#ifndef BX_API_HUB_H
#define BX_API_HUB_H

#include "loop/loop.h"
#include "store/session.h"

struct bx_hub;
struct bx_feed;

/* One watcher of one session: owned by who subscribes. */
struct bx_watch {
    struct bx_feed *feed; /* NULL: not subscribed */
    struct bx_watch *next, *prev;
    void (*news)(struct bx_watch *w); /* there may be more to read */
};

struct bx_hub *bx_hub_new(struct bx_loop *loop);
void bx_hub_stop(struct bx_hub *h); /* no more list notices; on the loop or after it */
void bx_hub_free(struct bx_hub *h); /* nobody may be subscribed; after the loop is freed */

void bx_hub_join(struct bx_hub *h, struct bx_session *take_session, struct bx_watch *w);
void bx_hub_leave(struct bx_hub *h, struct bx_watch *w); /* fine when not subscribed */
struct bx_session *bx_watch_session(const struct bx_watch *w); /* the feed's */

/* `sessions` notices: from any thread; fn(user) on the loop at most every 200 ms. */
void bx_hub_on_list(struct bx_hub *h, void (*fn)(void *user), void *user);
void bx_hub_list_changed(void *hub);

#endif
