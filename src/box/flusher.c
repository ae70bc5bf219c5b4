#include "box/flusher.h"

#include "base/clock.h"
#include "base/thread.h"
#include "base/vec.h"

struct bx_flusher {
    bool (*flush)(void *slot);
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t poked;
    BX_VEC(void *) slots;
    bool runs;
};

static void pause_a_while(void) {
    struct timespec t = {.tv_nsec = BX_FLUSH_MS * 1000000L};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {
    }
}

static void *flusher_main(void *user) {
    struct bx_flusher *f = user;
    BX_VEC(void *) now = {0};
    for (;;) {
        {
            BX_LOCKED(&f->lock);
            while (!f->slots.n) {
                pthread_cond_wait(&f->poked, &f->lock);
            }
        }
        pause_a_while();
        {
            BX_LOCKED(&f->lock);
            for (size_t i = 0; i < f->slots.n; i++) {
                bx_vec_push(&now, f->slots.p[i]);
            }
            f->slots.n = 0;
        }
        for (size_t i = 0; i < now.n; i++) {
            if (f->flush(now.p[i])) {
                bx_flusher_poke(f, now.p[i]);
            }
        }
        now.n = 0;
    }
    return NULL;
}

struct bx_flusher *bx_flusher_new(bool (*flush)(void *slot)) {
    struct bx_flusher *f = bx_new(struct bx_flusher);
    f->flush = flush;
    pthread_mutex_init(&f->lock, NULL);
    bx_cond_init(&f->poked);
    return f;
}

void bx_flusher_poke(struct bx_flusher *f, void *slot) {
    pthread_t thread;
    BX_LOCKED(&f->lock);
    for (size_t i = 0; i < f->slots.n; i++) {
        if (f->slots.p[i] == slot) {
            return;
        }
    }
    bx_vec_push(&f->slots, slot);
    if (!f->runs && bx_thread_start(&thread, "box-flush", flusher_main, f, NULL) == 0) {
        f->runs = true; /* else the next poke tries again; what is kept goes with the next write */
        pthread_detach(thread);
    }
    pthread_cond_signal(&f->poked);
}
