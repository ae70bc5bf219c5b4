#include "agent/batch.h"

#include "base/path.h"
#include "base/thread.h"
#include "base/vec.h"

static bool paths_meet(const struct bx_batch_item *a, const struct bx_batch_item *b) {
    if (!a->path_count || !b->path_count)
        return true;
    for (size_t i = 0; i < a->path_count; i++)
        for (size_t k = 0; k < b->path_count; k++)
            if (bx_path_is_under(a->paths[i], b->paths[k]) ||
                bx_path_is_under(b->paths[k], a->paths[i]))
                return true;
    return false;
}

bool bx_batch_conflict(const struct bx_batch_item *earlier, const struct bx_batch_item *later) {
    enum bx_level low = BX_MIN(earlier->level, later->level),
                  high = BX_MAX(earlier->level, later->level);
    if (low == BX_LEVEL_NONE || high <= BX_LEVEL_READ_ONLY)
        return false;
    return high > BX_LEVEL_WRITE || paths_meet(earlier, later);
}

struct batch {
    const struct bx_batch_item *items;
    size_t count, left;
    unsigned char *state; /* per item: */
    void (*work)(void *user);
    pthread_cond_t changed;
    struct batch *next;
};
enum { WAITS, RUNS, DONE };

struct bx_crew {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct batch *batches; /* those with items that may still start */
    BX_VEC(pthread_t) threads;
    unsigned max_threads, idle, blocked;
    bool closing;
};

struct bx_crew *bx_crew_new(unsigned max_threads) {
    struct bx_crew *c = bx_new(struct bx_crew);
    pthread_mutex_init(&c->lock, NULL);
    bx_cond_init(&c->work);
    c->max_threads = max_threads;
    return c;
}

void bx_crew_free(struct bx_crew *c) {
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->work);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->threads.n; i++)
        pthread_join(c->threads.p[i], NULL);
    bx_vec_free(&c->threads);
    pthread_cond_destroy(&c->work);
    pthread_mutex_destroy(&c->lock);
    bx_free(c);
}

/* Lock held. An item all of whose forerunners are done, or SIZE_MAX. */
static size_t ready_item(const struct batch *b) {
    for (size_t i = 0; i < b->count; i++) {
        bool ready = b->state[i] == WAITS;
        for (size_t k = 0; ready && k < i; k++)
            ready = b->state[k] == DONE || !bx_batch_conflict(&b->items[k], &b->items[i]);
        if (ready)
            return i;
    }
    return SIZE_MAX;
}

/* Lock held; given up while the item works. */
static void work_item(struct bx_crew *c, struct batch *b, size_t item) {
    b->state[item] = RUNS;
    pthread_mutex_unlock(&c->lock);
    b->work(b->items[item].user);
    pthread_mutex_lock(&c->lock);
    b->state[item] = DONE;
    b->left--;
    pthread_cond_broadcast(
        &b->changed); /* its own thread may wait for this, or for what may start now */
    if (b->left && c->idle && ready_item(b) != SIZE_MAX)
        pthread_cond_broadcast(&c->work);
}

static void *crew_main(void *user) {
    struct bx_crew *c = user;
    pthread_mutex_lock(&c->lock);
    while (!c->closing) {
        struct batch *b = c->batches;
        size_t item = SIZE_MAX;
        while (b && (item = ready_item(b)) == SIZE_MAX)
            b = b->next;
        if (b) {
            work_item(c, b, item);
        } else {
            c->idle++;
            pthread_cond_wait(&c->work, &c->lock);
            c->idle--;
        }
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Lock held. As many threads as could start right away, within the maximum. */
static void want_threads(struct bx_crew *c, size_t wanted) {
    for (size_t missing = wanted > c->idle ? wanted - c->idle : 0;
         missing && c->threads.n < c->max_threads + c->blocked; missing--) {
        pthread_t thread;
        if (bx_thread_start(&thread, "bx-tool", crew_main, c, NULL))
            return; /* the calling thread works them off alone */
        bx_vec_push(&c->threads, thread);
    }
}

void bx_crew_block(struct bx_crew *c) {
    BX_LOCKED(&c->lock);
    c->blocked++;
    bool ready = false;
    for (const struct batch *b = c->batches; b && !ready; b = b->next)
        ready = ready_item(b) != SIZE_MAX;
    if (ready && !c->idle)
        want_threads(c, 1);
}

void bx_crew_unblock(struct bx_crew *c) {
    BX_LOCKED(&c->lock);
    c->blocked--;
}

static void unlink_batch(struct bx_crew *c, struct batch *b) {
    for (struct batch **at = &c->batches; *at; at = &(*at)->next) {
        if (*at == b) {
            *at = b->next;
            return;
        }
    }
}

void bx_batch_run(struct bx_crew *c, const struct bx_batch_item *items, size_t count,
                  void (*work)(void *user)) {
    if (count == 1) {
        work(items[0].user);
        return;
    }
    bx_auto(bx_freep) unsigned char *state = bx_alloc(count);
    struct batch b = {.items = items, .count = count, .left = count, .state = state, .work = work};
    bx_cond_init(&b.changed);
    pthread_mutex_lock(&c->lock);
    b.next = c->batches;
    c->batches = &b;
    want_threads(c, count ? count - 1 : 0);
    pthread_cond_broadcast(&c->work);
    while (b.left) {
        size_t item = ready_item(&b);
        if (item != SIZE_MAX)
            work_item(c, &b, item);
        else
            pthread_cond_wait(&b.changed, &c->lock);
    }
    unlink_batch(c, &b);
    pthread_mutex_unlock(&c->lock);
    pthread_cond_destroy(&b.changed);
}
