#include "base/thread.h"

#include <signal.h>

struct start {
    void *(*main)(void *user);
    void *user;
    char name[16];
};

static void *start_main(void *p) {
    struct start start = *(struct start *)p;
    bx_free(p);
    pthread_setname_np(pthread_self(), start.name);
    return start.main(start.user);
}

int bx_thread_start(pthread_t *ret_thread, const char *name, void *(*main)(void *user), void *user,
                    struct bx_err *err) {
    struct start *start = bx_new(struct start);
    start->main = main;
    start->user = user;
    snprintf(start->name, sizeof start->name, "%s", name);

    /* A thread inherits the mask: signals are for the loop thread only. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_t thread;
    int r = pthread_create(&thread, NULL, start_main, start);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (r != 0) {
        bx_free(start);
        return bx_fail_errno(err, r, "cannot start the thread '%s'", name);
    }
    *ret_thread = thread;
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
    const uint64_t century_ms = (uint64_t)100 * 365 * 86400 * 1000;
    timeout_ms = BX_MIN(timeout_ms, century_ms); /* "for ever" must not overflow the sum */
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(c, m, &until) != ETIMEDOUT;
}
