/* base/thread.h: threads, and a mutex that cannot be left locked.
 *
 * Locks are leaf-level: hold one for a few lines, call nothing under it that may block or lock again. */
#ifndef BX_BASE_THREAD_H
#define BX_BASE_THREAD_H

#include <pthread.h>

#include "base/base.h"

/* Starts main(user) on a new thread (joinable, all signals blocked, name of at most 15 characters). */
int bx_thread_start(pthread_t *ret_thread, const char *name, void *(*main)(void *user), void *user, struct bx_err *err);

static inline pthread_mutex_t *bx_lock_(pthread_mutex_t *m) {
    pthread_mutex_lock(m);
    return m;
}
static inline void bx_unlock_(pthread_mutex_t **m) {
    pthread_mutex_unlock(*m);
}
/* Locked from here to the end of the block. */
#define BX_LOCKED(mutex)   BX_LOCKED1_(mutex, __LINE__)
#define BX_LOCKED1_(m, l)  BX_LOCKED2_(m, l)
#define BX_LOCKED2_(m, l)  bx_auto(bx_unlock_) __attribute__((unused)) pthread_mutex_t *bx_held_##l = bx_lock_(m)

/* A condition variable on the monotonic clock, and waiting on it for at most timeout_ms; false on timeout. */
void bx_cond_init(pthread_cond_t *c);
bool bx_cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, uint64_t timeout_ms);

#endif
