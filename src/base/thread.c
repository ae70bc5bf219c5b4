#include <signal.h>

#include "base/clock.h"
#include "base/thread.h"

int bx_thread_start(pthread_t *ret_thread, const char *name, void *(*thread_main)(void *user), void *user,
                    struct bx_err *err) {
    sigset_t all, before;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 * BX_KIB); /* address space, not memory; nothing here recurses deeply */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    int r = pthread_create(ret_thread, &attr, thread_main, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (r != 0) {
        return bx_fail_errno(err, r, "cannot start a thread");
    }
    pthread_setname_np(*ret_thread, name);
    return 0;
}

void bx_cond_init(pthread_cond_t *c) {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

bool bx_cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *m, uint64_t timeout_ms) {
    uint64_t until = bx_mono_ns();
    if (timeout_ms > (UINT64_MAX - until) / 1000000) {
        timeout_ms = (uint64_t)INT32_MAX * 1000;
    }
    until += timeout_ms * 1000000;
    struct timespec t = {.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
    return pthread_cond_timedwait(c, m, &t) != ETIMEDOUT;
}
