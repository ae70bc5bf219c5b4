#include "api/hub.h"

#include <stdatomic.h>

#include "base/map.h"

#define LIST_PAUSE_MS 200

struct bx_feed {
    struct bx_hub *hub;
    struct bx_session *session;
    struct bx_session_watch session_watch;
    struct bx_watch *watches;
    struct bx_watch *next_to_wake; /* while waking: survives those that leave meanwhile */
    atomic_bool posted;            /* a wake-up is on its way to the loop */
    bool waking, ended;
};

struct bx_hub {
    struct bx_loop *loop;
    struct bx_map *feeds; /* by session id; borrowed */
    size_t ending;        /* feeds that wait for their last wake-up */
    void (*on_list)(void *user);
    void *on_list_user;
    atomic_bool list_posted;
    struct bx_timer *list_timer;
    bool stopped;
};

struct bx_hub *bx_hub_new(struct bx_loop *loop) {
    struct bx_hub *h = bx_new(struct bx_hub);
    h->loop = loop;
    h->feeds = bx_map_new(NULL);
    return h;
}

void bx_hub_free(struct bx_hub *h) {
    if (!h)
        return;
    assert(bx_map_count(h->feeds) == 0 && h->ending == 0);
    bx_map_free(h->feeds);
    bx_free(h);
}

static void free_feed(struct bx_feed *f) {
    bx_session_unref(f->session);
    bx_free(f);
}

static void on_wake(void *user) {
    struct bx_feed *f = user;
    atomic_store(&f->posted,
                 false); /* before reading: what is appended from here on wakes us again */
    f->waking = true;
    for (struct bx_watch *w = f->watches; w; w = f->next_to_wake) {
        f->next_to_wake = w->next;
        w->news(w);
    }
    f->waking = false;
    if (f->ended && !atomic_load(&f->posted)) {
        f->hub->ending--;
        free_feed(f);
    }
}

static void on_append(void *user) { /* any thread */
    struct bx_feed *f = user;
    if (!atomic_exchange(&f->posted, true))
        bx_loop_post(f->hub->loop, on_wake, f);
}

static struct bx_feed *open_feed(struct bx_hub *h, struct bx_session *take_session) {
    struct bx_feed *f = bx_new(struct bx_feed);
    f->hub = h;
    f->session = take_session;
    f->session_watch = (struct bx_session_watch){.fn = on_append, .user = f};
    bx_map_put(h->feeds, bx_str(bx_session_header(take_session)->id), f);
    bx_session_watch(take_session, &f->session_watch);
    return f;
}

static void end_feed(struct bx_feed *f) {
    bx_session_unwatch(f->session, &f->session_watch); /* from here on nobody posts */
    bx_map_remove(f->hub->feeds, bx_str(bx_session_header(f->session)->id));
    f->ended = true;
    if (f->waking || atomic_load(&f->posted))
        f->hub->ending++; /* on_wake frees it */
    else
        free_feed(f);
}

void bx_hub_join(struct bx_hub *h, struct bx_session *take_session, struct bx_watch *w) {
    assert(!w->feed);
    struct bx_feed *f = bx_map_get(h->feeds, bx_str(bx_session_header(take_session)->id));
    if (f)
        bx_session_unref(take_session);
    else
        f = open_feed(h, take_session);
    w->feed = f;
    w->prev = NULL;
    w->next = f->watches;
    if (f->watches)
        f->watches->prev = w;
    f->watches = w;
}

void bx_hub_leave(struct bx_hub *h, struct bx_watch *w) {
    struct bx_feed *f = w->feed;
    (void)h;
    if (!f)
        return;
    if (f->next_to_wake == w)
        f->next_to_wake = w->next;
    if (w->next)
        w->next->prev = w->prev;
    *(w->prev ? &w->prev->next : &f->watches) = w->next;
    w->feed = NULL;
    if (!f->watches)
        end_feed(f);
}

struct bx_session *bx_watch_session(const struct bx_watch *w) {
    return w->feed->session;
}

void bx_hub_on_list(struct bx_hub *h, void (*fn)(void *user), void *user) {
    h->on_list = fn;
    h->on_list_user = user;
}

static void on_list_timer(void *user) {
    struct bx_hub *h = user;
    bx_timer_stop(bx_steal(&h->list_timer));
    atomic_store(&h->list_posted, false);
    h->on_list(h->on_list_user);
}

static void on_list_posted(void *user) {
    struct bx_hub *h = user;
    if (!h->stopped)
        h->list_timer = bx_timer_start(h->loop, LIST_PAUSE_MS, 0, on_list_timer, h);
}

void bx_hub_stop(struct bx_hub *h) {
    h->stopped = true;
    if (h->list_timer)
        bx_timer_stop(bx_steal(&h->list_timer));
}

void bx_hub_list_changed(void *hub) {
    struct bx_hub *h = hub;
    if (!atomic_exchange(&h->list_posted, true))
        bx_loop_post(h->loop, on_list_posted, h);
}
