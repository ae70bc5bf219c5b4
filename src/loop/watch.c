#include "loop/watch.h"

#include <uv.h>

#include "base/clock.h"
#include "loop/uv.h"

#define QUIET_MS   100
#define AT_LAST_MS 500

struct bx_folder_watch {
    uv_fs_event_t uv; /* first: its close frees the whole */
    struct bx_loop *loop;
    struct bx_timer *timer; /* runs while changes have not been told */
    uint64_t first_ms;      /* of the changes that have not been told */
    void (*changed)(void *user);
    void *user;
};

static void tell(void *user) {
    struct bx_folder_watch *w = user;
    bx_timer_stop(w->timer);
    w->timer = NULL;
    w->changed(w->user);
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status) {
    struct bx_folder_watch *w = (struct bx_folder_watch *)uv;
    (void)name;
    (void)events;
    (void)status; /* an overflow of the queue is a change like any other */
    uint64_t now = bx_mono_ms();
    if (!w->timer) {
        w->first_ms = now;
    } else if (now - w->first_ms >= AT_LAST_MS - QUIET_MS) {
        return; /* the timer that runs is the last one */
    }
    bx_timer_stop(w->timer);
    w->timer = bx_timer_start(w->loop, QUIET_MS, 0, tell, w);
}

int bx_folder_watch_start(struct bx_loop *l, const char *dir, void (*changed)(void *user),
                          void *user, struct bx_folder_watch **ret, struct bx_err *err) {
    struct bx_folder_watch *w = bx_new(struct bx_folder_watch);
    w->loop = l;
    w->changed = changed;
    w->user = user;
    uv_fs_event_init(bx_loop_uv(l), &w->uv);
    int r = uv_fs_event_start(&w->uv, on_event, dir, 0);
    if (r < 0) {
        bx_folder_watch_stop(w);
        return bx_fail(err, r == UV_ENOENT ? BX_ERR_NOTFOUND : BX_ERR_IO,
                       "the folder %s cannot be watched: %s", dir, uv_strerror(r));
    }
    *ret = w;
    return 0;
}

static void on_closed(uv_handle_t *uv) {
    bx_free(uv);
}

void bx_folder_watch_stop(struct bx_folder_watch *w) {
    if (!w) {
        return;
    }
    bx_timer_stop(w->timer);
    uv_close((uv_handle_t *)&w->uv, on_closed);
}
