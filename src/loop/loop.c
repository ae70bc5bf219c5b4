#include "loop/loop.h"

#include <pthread.h>
#include <uv.h>

#include "base/thread.h"
#include "loop/uv.h"

struct post {
    struct post *next;
    void (*fn)(void *user);
    void *user;
};
struct bx_loop {
    uv_loop_t uv;
    uv_async_t wake;
    pthread_mutex_t mutex; /* of the two lines below */
    struct post *first, **last;
    bool stopping;
};
struct bx_timer {
    uv_timer_t uv;
    void (*fn)(void *user);
    void *user;
};
struct on_signal {
    uv_signal_t uv;
    void (*fn)(void *user, int signum);
    void *user;
};

/* A timer's or signal's handle is the first member of its owner; its data is one of these
 * addresses, so that bx_loop_free can tell it from a handle of http, whose memory is http's. */
static char timer_tag, signal_tag;

static void free_handle(uv_handle_t *handle) {
    bx_free(handle);
}

/* Runs what has been posted so far; false when there was nothing. */
static bool run_posts(struct bx_loop *l) {
    pthread_mutex_lock(&l->mutex);
    struct post *list = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->mutex);
    bool any = list != NULL;
    while (list) {
        struct post *p = list;
        list = p->next;
        p->fn(p->user);
        bx_free(p);
    }
    return any;
}

static void run_all_posts(struct bx_loop *l) {
    while (run_posts(l)) {
    }
}

/* One batch a turn: what a post posts has woken the loop again, and the sockets get their turn in
 * between. */
static void on_wake(uv_async_t *async) {
    struct bx_loop *l = async->data;
    run_posts(l);
    pthread_mutex_lock(&l->mutex);
    bool stopping = l->stopping;
    pthread_mutex_unlock(&l->mutex);
    if (stopping) {
        uv_stop(&l->uv);
    }
}

int bx_loop_new(struct bx_loop **ret, struct bx_err *err) {
    struct bx_loop *l = bx_new(struct bx_loop);
    pthread_mutex_init(&l->mutex, NULL);
    l->last = &l->first;
    int r = uv_loop_init(&l->uv);
    if (r == 0) {
        r = uv_async_init(&l->uv, &l->wake, on_wake);
        if (r < 0) {
            uv_loop_close(&l->uv);
        }
    }
    if (r < 0) {
        pthread_mutex_destroy(&l->mutex);
        bx_free(l);
        return bx_fail(err, BX_ERR_IO, "cannot make an event loop: %s", uv_strerror(r));
    }
    l->wake.data = l;
    *ret = l;
    return 0;
}

static void close_handle(uv_handle_t *handle, void *loop) {
    (void)loop;
    if (!uv_is_closing(handle)) {
        bool ours = handle->data == &timer_tag || handle->data == &signal_tag;
        uv_close(handle, ours ? free_handle : NULL);
    }
}

void bx_loop_free(struct bx_loop *l) {
    if (!l) {
        return;
    }
    run_all_posts(l);
    uv_walk(&l->uv, close_handle, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT); /* runs the close callbacks */
    run_all_posts(l);               /* that may have posted */
    int r = uv_loop_close(&l->uv);
    if (r < 0) {
        bx_die("the event loop is still in use: %s", uv_strerror(r));
    }
    pthread_mutex_destroy(&l->mutex);
    bx_free(l);
}

void bx_loop_run(struct bx_loop *l) {
    uv_run(&l->uv, UV_RUN_DEFAULT);
    run_all_posts(l);
}

void bx_loop_stop(struct bx_loop *l) {
    pthread_mutex_lock(&l->mutex);
    l->stopping = true;
    pthread_mutex_unlock(&l->mutex);
    uv_async_send(&l->wake);
}

void bx_loop_post(struct bx_loop *l, void (*fn)(void *user), void *take_user) {
    struct post *p = bx_new(struct post);
    *p = (struct post){.fn = fn, .user = take_user};
    pthread_mutex_lock(&l->mutex);
    *l->last = p;
    l->last = &p->next;
    pthread_mutex_unlock(&l->mutex);
    uv_async_send(&l->wake);
}

static void on_timer(uv_timer_t *uv) {
    struct bx_timer *t = (struct bx_timer *)uv;
    t->fn(t->user);
}

struct bx_timer *bx_timer_start(struct bx_loop *l, uint64_t delay_ms, uint64_t repeat_ms,
                                void (*fn)(void *user), void *user) {
    struct bx_timer *t = bx_new(struct bx_timer);
    t->fn = fn;
    t->user = user;
    uv_timer_init(&l->uv, &t->uv);
    t->uv.data = &timer_tag;
    uv_update_time(
        &l->uv); /* the delay counts from now, not from the start of this turn of the loop */
    uv_timer_start(&t->uv, on_timer, delay_ms, repeat_ms);
    return t;
}

void bx_timer_stop(struct bx_timer *t) {
    if (t && !uv_is_closing((uv_handle_t *)&t->uv)) {
        uv_close((uv_handle_t *)&t->uv, free_handle);
    }
}

static void on_signal(uv_signal_t *uv, int signum) {
    struct on_signal *s = (struct on_signal *)uv;
    s->fn(s->user, signum);
}

int bx_loop_on_signal(struct bx_loop *l, int signum, void (*fn)(void *user, int signum), void *user,
                      struct bx_err *err) {
    struct on_signal *s = bx_new(struct on_signal);
    s->fn = fn;
    s->user = user;
    uv_signal_init(&l->uv, &s->uv);
    s->uv.data = &signal_tag;
    int r = uv_signal_start(&s->uv, on_signal, signum);
    if (r < 0) {
        uv_close((uv_handle_t *)&s->uv, free_handle);
        return bx_fail(err, BX_ERR_IO, "cannot watch signal %d: %s", signum, uv_strerror(r));
    }
    uv_unref((uv_handle_t *)&s->uv);
    return 0;
}

struct uv_loop_s *bx_loop_uv(struct bx_loop *l) {
    return &l->uv;
}
