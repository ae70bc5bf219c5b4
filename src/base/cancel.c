#include "base/cancel.h"

#include <stdatomic.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "base/utf8.h"
#include "base/vec.h"

/* One mutex for each tree, the root's, so there is no order of locks to get wrong. It guards the
 * lists of children, the lists of watches and the descriptors of the whole tree, and no callback
 * runs under it.
 *
 * A child holds a reference to its parent; the parent's list of children is weak. A child on the
 * list may already have lost its last reference and be waiting for the mutex to leave it: whoever
 * walks the list takes a reference by ref_try. */
struct bx_cancel {
    atomic_uint refs;
    atomic_bool fired; /* set under the mutex, after reason is final */
    char reason[121];
    int fd; /* -1 until asked for */
    struct bx_cancel *parent, *root;
    struct bx_cancel *children, *older, *younger; /* first child; siblings */
    struct bx_cancel_watch *watches;
    pthread_cond_t changed; /* fired, or a watch is done */
    pthread_mutex_t mutex;  /* used in the root only */
};

static bool ref_try(struct bx_cancel *c) {
    unsigned n = atomic_load(&c->refs);
    while (n > 0) {
        if (atomic_compare_exchange_weak(&c->refs, &n, n + 1)) {
            return true;
        }
    }
    return false;
}

static void copy_reason(struct bx_cancel *c, const char *reason) {
    size_t n = bx_utf8_cut(bx_str(reason), sizeof c->reason - 1);
    if (n > 0) {
        memcpy(c->reason, reason, n);
    }
    c->reason[n] = '\0';
}

struct bx_cancel *bx_cancel_new(struct bx_cancel *parent) {
    struct bx_cancel *c = bx_new(struct bx_cancel);
    atomic_init(&c->refs, 1);
    atomic_init(&c->fired, false);
    c->fd = -1;
    c->root = parent ? parent->root : c;
    bx_cond_init(&c->changed);
    pthread_mutex_init(&c->mutex, NULL);
    if (parent) {
        c->parent = bx_cancel_ref(parent);
        BX_LOCKED(&c->root->mutex);
        c->older = parent->children;
        if (c->older) {
            c->older->younger = c;
        }
        parent->children = c;
        if (atomic_load(&parent->fired)) {
            copy_reason(c, parent->reason);
            atomic_store(&c->fired, true);
        }
    }
    return c;
}

struct bx_cancel *bx_cancel_ref(struct bx_cancel *c) {
    if (c) {
        atomic_fetch_add(&c->refs, 1);
    }
    return c;
}

static void leave_parent(struct bx_cancel *c) {
    BX_LOCKED(&c->root->mutex);
    if (c->younger) {
        c->younger->older = c->older;
    } else {
        c->parent->children = c->older;
    }
    if (c->older) {
        c->older->younger = c->younger;
    }
}

void bx_cancel_unref(struct bx_cancel *c) {
    while (c && atomic_fetch_sub(&c->refs, 1) == 1) {
        struct bx_cancel *parent = c->parent;
        if (parent) {
            leave_parent(c);
        }
        assert(!c->watches && !c->children);
        if (c->fd >= 0) {
            close(c->fd);
        }
        pthread_cond_destroy(&c->changed);
        pthread_mutex_destroy(&c->mutex);
        bx_free(c);
        c = parent;
    }
}

struct tokens {
    struct bx_cancel **p;
    size_t n, cap;
};

/* Marks c and all below it, under the mutex, and adds each that was not marked yet, with a
 * reference, to list. */
static void mark(struct bx_cancel *c, const char *reason, struct tokens *list) {
    if (atomic_load(&c->fired) || !ref_try(c)) {
        return;
    }
    bx_vec_push(list, c);
    copy_reason(c, reason);
    atomic_store(&c->fired, true);
    if (c->fd >= 0) {
        eventfd_write(c->fd, 1);
    }
    pthread_cond_broadcast(&c->changed);
    for (struct bx_cancel *child = c->children; child; child = child->older) {
        mark(child, reason, list);
    }
}

static void call(struct bx_cancel *c, struct bx_cancel_watch *w) {
    w->fn(w->user);
    BX_LOCKED(&c->root->mutex);
    w->done = true; /* from here on the watch may be gone */
    pthread_cond_broadcast(&c->changed);
}

static struct bx_cancel_watch *pop_watch(struct bx_cancel *c) {
    BX_LOCKED(&c->root->mutex);
    struct bx_cancel_watch *w = c->watches;
    if (w) {
        c->watches = w->next;
    }
    return w;
}

void bx_cancel_fire(struct bx_cancel *c, const char *reason) {
    struct tokens list = {0};
    if (!c) {
        return;
    }
    {
        BX_LOCKED(&c->root->mutex);
        mark(c, reason ? reason : "", &list);
    }
    for (size_t i = 0; i < list.n; i++) {
        struct bx_cancel_watch *w;
        while ((w = pop_watch(list.p[i]))) {
            call(list.p[i], w);
        }
    }
    for (size_t i = 0; i < list.n; i++) {
        bx_cancel_unref(list.p[i]);
    }
    bx_vec_free(&list);
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
    BX_LOCKED(&c->root->mutex);
    if (c->fd < 0) {
        c->fd = eventfd(atomic_load(&c->fired) ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    return c->fd;
}

void bx_cancel_watch(struct bx_cancel *c, struct bx_cancel_watch *w, void (*fn)(void *user),
                     void *user) {
    *w = (struct bx_cancel_watch){.fn = fn, .user = user, .token = bx_cancel_ref(c)};
    if (!c) {
        return;
    }
    {
        BX_LOCKED(&c->root->mutex);
        if (!atomic_load(&c->fired)) {
            w->next = c->watches;
            c->watches = w;
            return;
        }
    }
    call(c, w);
}

static bool take_off(struct bx_cancel *c, struct bx_cancel_watch *w) {
    for (struct bx_cancel_watch **at = &c->watches; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            return true;
        }
    }
    return false;
}

void bx_cancel_unwatch(struct bx_cancel_watch *w) {
    struct bx_cancel *c = w->token;
    if (!c) {
        return;
    }
    {
        BX_LOCKED(&c->root->mutex);
        if (!take_off(c, w)) {
            while (!w->done) {
                pthread_cond_wait(&c->changed, &c->root->mutex);
            }
        }
    }
    w->token = NULL;
    bx_cancel_unref(c);
}

int bx_cancel_sleep(struct bx_cancel *c, uint64_t timeout_ms) {
    struct bx_cancel *own = c ? NULL : bx_cancel_new(NULL);
    struct bx_cancel *token = c ? c : own;
    uint64_t now_ms = bx_mono_ms();
    uint64_t until_ms = timeout_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + timeout_ms;
    bool fired;
    {
        BX_LOCKED(&token->root->mutex);
        while (!(fired = atomic_load(&token->fired)) && (now_ms = bx_mono_ms()) < until_ms) {
            bx_cond_wait_ms(&token->changed, &token->root->mutex, until_ms - now_ms);
        }
    }
    bx_cancel_unref(own);
    return fired ? BX_ERR_CANCELLED : 0;
}
