/* The thread that brings batched appends to the platter. It sleeps without a timer while nothing is
 * dirty. */
#include "base/cancel.h"
#include "store/internal.h"

#define BATCH_MS 4

static void *flush_main(void *user) {
    struct bx_store *s = user;
    pthread_mutex_lock(&s->flush_lock);
    for (;;) {
        while (!s->dirty.n && !s->stopping)
            pthread_cond_wait(&s->flush_wake, &s->flush_lock);
        if (!s->dirty.n)
            break;
        if (!s->stopping) {
            /* What comes within the next milliseconds shares the sync. */
            pthread_mutex_unlock(&s->flush_lock);
            bx_cancel_sleep(NULL, BATCH_MS);
            pthread_mutex_lock(&s->flush_lock);
        }
        BX_VEC(struct bx_session *) batch = {s->dirty.p, s->dirty.n, s->dirty.cap};
        s->dirty.p = NULL;
        s->dirty.n = s->dirty.cap = 0;
        pthread_mutex_unlock(&s->flush_lock);
        for (size_t i = 0; i < batch.n; i++) {
            /* A failure is remembered by the session: its next durable append tries again and
             * reports it. */
            bx_session_sync(batch.p[i], NULL);
            bx_session_unref(batch.p[i]);
        }
        bx_vec_free(&batch);
        pthread_mutex_lock(&s->flush_lock);
    }
    pthread_mutex_unlock(&s->flush_lock);
    return NULL;
}

int bx_flusher_start(struct bx_store *s, struct bx_err *err) {
    int rc = bx_thread_start(&s->flusher, "bx-flush", flush_main, s, err);
    s->flusher_runs = rc == 0;
    return rc;
}

void bx_flusher_stop(struct bx_store *s) {
    if (!s->flusher_runs)
        return;
    {
        BX_LOCKED(&s->flush_lock);
        s->stopping = true;
        pthread_cond_signal(&s->flush_wake);
    }
    pthread_join(s->flusher, NULL);
    s->flusher_runs = false;
}

void bx_flusher_add(struct bx_store *s, struct bx_session *session) {
    bx_session_ref(session);
    BX_LOCKED(&s->flush_lock);
    bx_vec_push(&s->dirty, session);
    pthread_cond_signal(&s->flush_wake);
}
