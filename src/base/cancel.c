#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"

/* A child is a watch of its parent: firing the parent fires the child through it. Locks are never nested: callbacks run
 * with the token unlocked, one at a time, and `running` says which, so that unwatch can wait for it. */
struct bx_cancel {
    atomic_int refs;
    atomic_bool fired;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    char reason[121];
    int fd; /* -1 until somebody asks */
    struct bx_cancel_watch *watches;
    struct bx_cancel_watch *running;
    pthread_t runner;
    struct bx_cancel *parent;
    struct bx_cancel_watch parent_watch;
};

static void fire_from_parent(void *user) {
    struct bx_cancel *c = user;
    bx_cancel_fire(c, bx_cancel_reason(c->parent));
}

struct bx_cancel *bx_cancel_new(struct bx_cancel *parent) {
    struct bx_cancel *c = bx_new(struct bx_cancel);
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->mutex, NULL);
    bx_cond_init(&c->idle);
    c->fd = -1;
    c->parent = bx_cancel_ref(parent);
    if (parent) {
        bx_cancel_watch(parent, &c->parent_watch, fire_from_parent, c);
    }
    return c;
}

struct bx_cancel *bx_cancel_ref(struct bx_cancel *c) {
    if (c) {
        atomic_fetch_add(&c->refs, 1);
    }
    return c;
}

void bx_cancel_unref(struct bx_cancel *c) {
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1) {
        return;
    }
    if (c->parent) {
        bx_cancel_unwatch(&c->parent_watch);
        bx_cancel_unref(c->parent);
    }
    assert(!c->watches);
    bx_fd_close(&c->fd);
    pthread_cond_destroy(&c->idle);
    pthread_mutex_destroy(&c->mutex);
    bx_free(c);
}

static void ring(int fd) {
    uint64_t one = 1;
    (void)bx_write_all(fd, &one, sizeof one);
}

void bx_cancel_fire(struct bx_cancel *c, const char *reason) {
    pthread_mutex_lock(&c->mutex);
    if (atomic_load(&c->fired)) {
        pthread_mutex_unlock(&c->mutex);
        return;
    }
    snprintf(c->reason, sizeof c->reason, "%s", reason ? reason : "");
    atomic_store(&c->fired, true);
    if (c->fd >= 0) {
        ring(c->fd);
    }
    c->runner = pthread_self();
    while (c->watches) {
        struct bx_cancel_watch *w = c->watches;
        c->watches = w->next;
        w->next = NULL;
        c->running = w;
        void (*fn)(void *) = w->fn;
        void *user = w->user;
        pthread_mutex_unlock(&c->mutex);
        fn(user);
        pthread_mutex_lock(&c->mutex);
        w->done = true;
        c->running = NULL;
        pthread_cond_broadcast(&c->idle);
    }
    pthread_mutex_unlock(&c->mutex);
}

bool bx_cancel_fired(const struct bx_cancel *c) {
    return c && atomic_load(&c->fired);
}

const char *bx_cancel_reason(const struct bx_cancel *c) {
    return bx_cancel_fired(c) ? c->reason : "";
}

int bx_cancel_fd(struct bx_cancel *c) {
    if (!c) {
        return -1;
    }
    BX_LOCKED(&c->mutex);
    if (c->fd < 0) {
        c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (c->fd < 0) {
            bx_die("no descriptor left for a cancel token");
        }
        if (atomic_load(&c->fired)) {
            ring(c->fd);
        }
    }
    return c->fd;
}

void bx_cancel_watch(struct bx_cancel *c, struct bx_cancel_watch *w, void (*fn)(void *user), void *user) {
    *w = (struct bx_cancel_watch){.fn = fn, .user = user, .token = c};
    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->mutex);
    bool now = atomic_load(&c->fired);
    if (!now) {
        w->next = c->watches;
        c->watches = w;
    } else {
        w->done = true;
    }
    pthread_mutex_unlock(&c->mutex);
    if (now) {
        fn(user);
    }
}

void bx_cancel_unwatch(struct bx_cancel_watch *w) {
    struct bx_cancel *c = w->token;
    if (!c) {
        return;
    }
    BX_LOCKED(&c->mutex);
    for (struct bx_cancel_watch **at = &c->watches; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    while (c->running == w) {
        assert(!pthread_equal(c->runner, pthread_self())); /* fn must not unwatch itself */
        pthread_cond_wait(&c->idle, &c->mutex);
    }
    w->token = NULL;
}

int bx_cancel_sleep(struct bx_cancel *c, uint64_t timeout_ms) {
    uint64_t until = bx_mono_ms() + timeout_ms;
    for (;;) {
        if (bx_cancel_fired(c)) {
            return BX_ERR_CANCELLED;
        }
        uint64_t now = bx_mono_ms();
        if (now >= until) {
            return 0;
        }
        struct pollfd p = {.fd = bx_cancel_fd(c), .events = POLLIN};
        (void)poll(&p, 1, (int)BX_MIN(until - now, (uint64_t)INT_MAX));
    }
}
