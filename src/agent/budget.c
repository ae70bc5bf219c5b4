#include "agent/budget.h"

#include "base/clock.h"
#include "base/thread.h"
#include "base/unwire.h"

#define EXTENSION 10    /* a last word may cost this part of the cap */
#define LOOK_MS   60000 /* the clock's thread looks at least so often; a new budget wakes it */

static const char *const names[BX_BUDGET_COUNT] = {
    [BX_BUDGET_TURNS] = "max_turns", [BX_BUDGET_TOKENS] = "tokens", [BX_BUDGET_MONEY] = "money",
    [BX_BUDGET_CALLS] = "calls",     [BX_BUDGET_TIME_MS] = "time",  [BX_BUDGET_FUEL] = "fuel",
};

struct bx_budget {
    unsigned refs; /* atomic */
    struct bx_budget *parent;
    int64_t start_ms;     /* atomic */
    pthread_mutex_t lock; /* of what follows */
    int64_t caps[BX_BUDGET_COUNT], used[BX_BUDGET_COUNT];
    struct bx_cancel *cancel;
    const char *fired;
    bool extended;
    /* clock.lock */
    struct bx_budget *next;
    bool is_timed;
};

/* The budgets that have a cap on time. Its thread lives while there are any. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_once_t once;
    struct bx_budget *first;
    bool runs;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

const char *bx_budget_name(enum bx_budget_kind kind) {
    return names[kind];
}

const char *bx_budget_known(const char *name) {
    for (size_t kind = 0; kind < BX_BUDGET_COUNT; kind++)
        if (strcmp(name, names[kind]) == 0)
            return names[kind];
    return NULL;
}

/* Lock held. The token to fire when the lock is given up, or NULL. */
static struct bx_cancel *fire(struct bx_budget *b, enum bx_budget_kind kind) {
    if (b->fired || bx_unwired("budget"))
        return NULL;
    b->fired = names[kind];
    return bx_cancel_ref(b->cancel);
}

static void tell(struct bx_cancel *take_token, enum bx_budget_kind kind) {
    if (take_token)
        bx_cancel_fire(take_token, names[kind]);
    bx_cancel_unref(take_token);
}

static bool goes_up(enum bx_budget_kind kind) {
    return kind != BX_BUDGET_TURNS && kind != BX_BUDGET_TIME_MS;
}

static struct bx_budget *above(struct bx_budget *b, enum bx_budget_kind kind) {
    return goes_up(kind) ? b->parent : NULL;
}

/* ---- charging ---- */

enum count { ALWAYS, IF_IT_FITS, QUIETLY_IF_IT_FITS };

/* False: the cap is passed; but with ALWAYS nothing is counted then. */
static bool count(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount, enum count how) {
    struct bx_cancel *token = NULL;
    bool fits;
    {
        BX_LOCKED(&b->lock);
        int64_t after = 0;
        if (__builtin_add_overflow(b->used[kind], amount, &after))
            after = INT64_MAX;
        fits = b->caps[kind] < 0 || after <= b->caps[kind] || bx_unwired("budget");
        if (fits || how == ALWAYS)
            b->used[kind] = BX_MAX(after, 0);
        if (!fits && amount > 0 && how != QUIETLY_IF_IT_FITS)
            token = fire(b, kind);
    }
    tell(token, kind);
    return fits || amount <= 0;
}

bool bx_budget_charge(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount,
                      const char **ret_name) {
    bool ok = true;
    for (; b; b = above(b, kind)) /* all of them: it has been spent */
        ok &= count(b, kind, amount, ALWAYS);
    if (!ok && ret_name)
        *ret_name = names[kind];
    return ok;
}

static bool take(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount, enum count how) {
    for (struct bx_budget *at = b; at; at = above(at, kind)) {
        if (count(at, kind, amount, how))
            continue;
        for (struct bx_budget *undo = b; undo != at; undo = above(undo, kind))
            count(undo, kind, -amount, ALWAYS);
        return false;
    }
    return true;
}

bool bx_budget_take(struct bx_budget *b, enum bx_budget_kind kind, int64_t amount,
                    const char **ret_name) {
    bool ok = take(b, kind, amount, IF_IT_FITS);
    if (!ok && ret_name)
        *ret_name = names[kind];
    return ok;
}

int64_t bx_budget_take_some(struct bx_budget *b, enum bx_budget_kind kind, int64_t want) {
    int64_t left = bx_budget_left(b, kind), some = left < 0 ? want : BX_MIN(left, want);
    while (some > 0 && !take(b, kind, some, QUIETLY_IF_IT_FITS)) {
        left = bx_budget_left(b, kind); /* somebody else of the chain was quicker */
        some = BX_MIN(some - 1, left);
    }
    return BX_MAX(some, 0);
}

/* ---- looking ---- */

int64_t bx_budget_used(struct bx_budget *b, enum bx_budget_kind kind) {
    if (kind == BX_BUDGET_TIME_MS)
        return (int64_t)bx_mono_ms() - __atomic_load_n(&b->start_ms, __ATOMIC_RELAXED);
    BX_LOCKED(&b->lock);
    return b->used[kind];
}

int64_t bx_budget_cap(struct bx_budget *b, enum bx_budget_kind kind) {
    BX_LOCKED(&b->lock);
    return b->caps[kind];
}

int64_t bx_budget_left(struct bx_budget *b, enum bx_budget_kind kind) {
    int64_t left = -1;
    for (; b; b = above(b, kind)) {
        int64_t cap = bx_budget_cap(b, kind);
        int64_t own = BX_MAX(cap - bx_budget_used(b, kind), 0);
        if (cap >= 0 && (left < 0 || own < left))
            left = own;
    }
    return left;
}

const char *bx_budget_fired(struct bx_budget *b) {
    for (; b; b = b->parent) {
        BX_LOCKED(&b->lock);
        if (b->fired)
            return b->fired;
    }
    return NULL;
}

/* ---- time ---- */

static bool ref_try(struct bx_budget *b) {
    unsigned n = __atomic_load_n(&b->refs, __ATOMIC_RELAXED);
    while (n && !__atomic_compare_exchange_n(&b->refs, &n, n + 1, true, __ATOMIC_ACQ_REL,
                                             __ATOMIC_RELAXED)) {
    }
    return n > 0;
}

/* Lock of the clock held. Milliseconds to the next cap that is reached; *ret_due: one that is
 * reached already, a reference. */
static uint64_t look(struct bx_budget **ret_due) {
    int64_t next = LOOK_MS;
    *ret_due = NULL;
    for (struct bx_budget *b = watch.first; b; b = b->next) {
        BX_LOCKED(&b->lock);
        int64_t left = b->caps[BX_BUDGET_TIME_MS] - ((int64_t)bx_mono_ms() - b->start_ms);
        if (b->fired || bx_unwired("budget")) /* nothing is left to say */
            continue;
        if (left > 0) {
            next = BX_MIN(next, left);
        } else if (ref_try(
                       b)) { /* else its last owner waits for the lock, to take it off the list */
            *ret_due = b;
            return 0;
        }
    }
    return (uint64_t)next;
}

static void *watch_main(void *user) {
    (void)user;
    pthread_mutex_lock(&watch.lock);
    while (watch.first) {
        struct bx_budget *due = NULL;
        uint64_t wait_ms = look(&due);
        if (due) {
            pthread_mutex_unlock(&watch.lock);
            struct bx_cancel *token;
            {
                BX_LOCKED(&due->lock);
                token = fire(due, BX_BUDGET_TIME_MS);
            }
            tell(token, BX_BUDGET_TIME_MS);
            bx_budget_unref(due);
            pthread_mutex_lock(&watch.lock);
        } else {
            bx_cond_wait_ms(&watch.changed, &watch.lock, wait_ms);
        }
    }
    watch.runs = false;
    pthread_mutex_unlock(&watch.lock);
    return NULL;
}

static void watch_once(void) {
    bx_cond_init(&watch.changed);
}

static void watch_time(struct bx_budget *b) {
    pthread_once(&watch.once, watch_once);
    BX_LOCKED(&watch.lock);
    b->is_timed = true;
    b->next = watch.first;
    watch.first = b;
    pthread_t thread;
    if (!watch.runs && bx_thread_start(&thread, "bx-budget", watch_main, NULL, NULL) == 0) {
        watch.runs = true;
        pthread_detach(thread);
    }
    pthread_cond_signal(&watch.changed);
}

static void unwatch_time(struct bx_budget *b) {
    if (!b->is_timed)
        return;
    BX_LOCKED(&watch.lock);
    struct bx_budget **at = &watch.first;
    while (*at != b)
        at = &(*at)->next;
    *at = b->next;
    pthread_cond_signal(&watch.changed);
}

/* ---- life ---- */

struct bx_budget *bx_budget_new(struct bx_budget *parent, const int64_t caps[BX_BUDGET_COUNT],
                                struct bx_cancel *cancel) {
    struct bx_budget *b = bx_new(struct bx_budget);
    *b = (struct bx_budget){.refs = 1,
                            .parent = bx_budget_ref(parent),
                            .start_ms = (int64_t)bx_mono_ms(),
                            .cancel = bx_cancel_ref(cancel)};
    memcpy(b->caps, caps, sizeof b->caps);
    pthread_mutex_init(&b->lock, NULL);
    if (caps[BX_BUDGET_TIME_MS] >= 0)
        watch_time(b);
    return b;
}

struct bx_budget *bx_budget_ref(struct bx_budget *b) {
    if (b)
        __atomic_fetch_add(&b->refs, 1, __ATOMIC_RELAXED);
    return b;
}

void bx_budget_unref(struct bx_budget *b) {
    while (b && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        struct bx_budget *parent = b->parent;
        unwatch_time(b);
        bx_cancel_unref(b->cancel);
        pthread_mutex_destroy(&b->lock);
        bx_free(b);
        b = parent;
    }
}

void bx_budget_age(struct bx_budget *b, int64_t ms) {
    BX_LOCKED(&watch.lock); /* its thread reads it under this */
    __atomic_fetch_sub(&b->start_ms, ms, __ATOMIC_RELAXED);
    if (b->is_timed)
        pthread_cond_signal(&watch.changed);
}

bool bx_budget_extend(struct bx_budget *b, struct bx_cancel *cancel) {
    if (b->parent && bx_budget_fired(b->parent))
        return false;
    struct bx_cancel *old;
    {
        BX_LOCKED(&b->lock);
        if (!b->fired || b->extended)
            return false;
        for (unsigned kind = 0; kind < BX_BUDGET_COUNT; kind++)
            if (b->fired == names[kind] &&
                __builtin_add_overflow(b->caps[kind], BX_MAX(b->caps[kind] / EXTENSION, 1),
                                       &b->caps[kind]))
                b->caps[kind] = INT64_MAX;
        b->extended = true;
        b->fired = NULL;
        old = b->cancel;
        b->cancel = bx_cancel_ref(cancel);
    }
    bx_cancel_unref(old);
    if (b->is_timed) {
        BX_LOCKED(&watch.lock);
        pthread_cond_signal(&watch.changed);
    }
    return true;
}
