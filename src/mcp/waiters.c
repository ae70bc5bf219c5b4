#include "base/clock.h"
#include "mcp/wire.h"

struct bx_mcp_waiter { /* on the stack of who waits */
    uint64_t id;
    struct bx_doc *doc;
    struct bx_rpc message;
    struct bx_buf
        progress; /* what came since it was last looked at; bounded, the newest is dropped */
    struct bx_mcp_waiter *next;
};

void bx_mcp_waiters_init(struct bx_mcp_waiters *s) {
    pthread_mutex_init(&s->lock, NULL);
    bx_cond_init(&s->changed);
}

void bx_mcp_waiters_deinit(struct bx_mcp_waiters *s) {
    assert(!s->first);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

static void wake(void *user) {
    struct bx_mcp_waiters *s = user;
    BX_LOCKED(&s->lock);
    pthread_cond_broadcast(&s->changed);
}

static void add(struct bx_mcp_waiters *s, struct bx_mcp_waiter *w) {
    BX_LOCKED(&s->lock);
    w->next = s->first;
    s->first = w;
}

static void take_off(struct bx_mcp_waiters *s, struct bx_mcp_waiter *w) {
    BX_LOCKED(&s->lock);
    struct bx_mcp_waiter **at = &s->first;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

/* Until there is something to do. The progress that came is moved out. */
static int wait_once(struct bx_mcp_waiters *s, struct bx_mcp_waiter *w,
                     const struct bx_mcp_exchange *x, struct bx_buf *ret_progress,
                     struct bx_err *err) {
    BX_LOCKED(&s->lock);
    for (;;) {
        uint64_t now = bx_mono_ms();
        if (w->progress.size) {
            bx_buf_adds(ret_progress, bx_buf_str(&w->progress));
            bx_buf_reset(&w->progress);
            return 0;
        }
        if (w->doc)
            return 0;
        if (bx_cancel_fired(x->cancel))
            return bx_fail(err, BX_ERR_CANCELLED, "stopped");
        if (s->gone)
            return bx_fail(err, BX_ERR_RETRY, "%s", s->why);
        if (now >= x->deadline_ms)
            return bx_fail(err, BX_ERR_TIMEOUT, "no answer to %s in time", x->method);
        bx_cond_wait_ms(&s->changed, &s->lock, x->deadline_ms - now);
    }
}

static int wait_for(struct bx_mcp_waiters *s, struct bx_mcp_waiter *w,
                    const struct bx_mcp_exchange *x, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf progress = BX_BUF_INIT(16 * BX_KIB);
    for (;;) {
        int rc = wait_once(s, w, x, &progress, err);
        if (rc || !progress.size)
            return rc;
        if (x->on_progress)
            x->on_progress(x->user, bx_buf_str(&progress));
        bx_buf_reset(&progress);
    }
}

int bx_mcp_waiters_run(struct bx_mcp_waiters *s, const struct bx_mcp_exchange *x,
                       int (*send)(void *user, const struct bx_mcp_exchange *x, struct bx_err *err),
                       void *user, struct bx_doc **ret, struct bx_rpc *ret_message,
                       struct bx_err *err) {
    struct bx_mcp_waiter w = {.id = x->id, .progress = BX_BUF_INIT(8 * BX_KIB)};
    struct bx_cancel_watch watch = {.fn = NULL};
    add(s, &w);
    bx_cancel_watch(x->cancel, &watch, wake, s);
    int rc = send(user, x, err);
    if (!rc)
        rc = wait_for(s, &w, x, err);
    bx_cancel_unwatch(&watch);
    take_off(s, &w);
    bx_buf_deinit(&w.progress);
    if (rc) {
        bx_doc_free(w.doc);
        return rc;
    }
    *ret = w.doc;
    *ret_message = w.message;
    return 0;
}

bool bx_mcp_waiters_give(struct bx_mcp_waiters *s, struct bx_doc *doc, const struct bx_rpc *m) {
    uint64_t progress = bx_rpc_progress_id(m);
    BX_LOCKED(&s->lock);
    for (struct bx_mcp_waiter *w = s->first; w; w = w->next) {
        if (progress && w->id == progress) {
            bx_rpc_progress_text(m, &w->progress);
            w->progress.failed = false; /* a storm of them is dropped */
            pthread_cond_broadcast(&s->changed);
            bx_doc_free(doc);
            return true;
        }
        if (m->kind == BX_RPC_RESPONSE && !w->doc && bx_rpc_id_is(m, w->id)) {
            w->doc = doc;
            w->message = *m;
            pthread_cond_broadcast(&s->changed);
            return true;
        }
    }
    return false;
}

void bx_mcp_waiters_gone(struct bx_mcp_waiters *s, const char *why) {
    BX_LOCKED(&s->lock);
    if (!s->gone)
        snprintf(s->why, sizeof s->why, "%s", why);
    s->gone = true;
    pthread_cond_broadcast(&s->changed);
}

bool bx_mcp_waiters_is_gone(struct bx_mcp_waiters *s, char why[static 200]) {
    BX_LOCKED(&s->lock);
    memcpy(why, s->why, sizeof s->why);
    return s->gone;
}
