#include "box/guest_thread.h"

#include <signal.h>

#define NUDGE    SIGURG /* nothing else in a worker uses it */
#define IDLE_MAX 32

static void on_nudge(int signal_number) {
    (void)signal_number;
}

void bx_guest_threads_prepare(void) {
    struct sigaction sa = {.sa_handler = on_nudge, .sa_flags = SA_ONSTACK}; /* no SA_RESTART */
    sigaction(NUDGE, &sa, NULL);
}

void bx_guest_thread_begin(void) {
    static const int wanted[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGXFSZ, NUDGE};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < BX_ARRAY_LEN(wanted); i++) {
        sigaddset(&set, wanted[i]);
    }
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void bx_guest_thread_nudge(pthread_t thread) {
    pthread_kill(thread, NUDGE);
}

struct hand {
    struct bx_guest_crew *crew;
    void (*job)(void *user);
    void *user;
    pthread_cond_t called;
    struct hand *next_idle;
};

struct bx_guest_crew {
    pthread_mutex_t mutex;
    unsigned max_jobs, jobs, idle_count;
    struct hand *idle; /* the last to finish is the first to be called: its memory is warm */
};

struct bx_guest_crew *bx_guest_crew_new(unsigned max_jobs) {
    struct bx_guest_crew *crew = bx_new(struct bx_guest_crew);
    pthread_mutex_init(&crew->mutex, NULL);
    crew->max_jobs = max_jobs;
    return crew;
}

/* With the mutex held: until there is a job. False: enough others wait for one. */
static bool next_job(struct hand *h) {
    struct bx_guest_crew *crew = h->crew;
    crew->jobs--;
    if (crew->idle_count >= IDLE_MAX) {
        return false;
    }
    h->job = NULL;
    h->next_idle = crew->idle;
    crew->idle = h;
    crew->idle_count++;
    while (!h->job) {
        pthread_cond_wait(&h->called, &crew->mutex);
    }
    return true;
}

static void *hand_main(void *user) {
    struct hand *h = user;
    bool more = true;
    bx_guest_thread_begin();
    while (more) {
        h->job(h->user);
        BX_LOCKED(&h->crew->mutex);
        more = next_job(h);
    }
    pthread_cond_destroy(&h->called);
    bx_free(h);
    return NULL;
}

static int hire(struct bx_guest_crew *crew, void (*job)(void *user), void *user,
                struct bx_err *err) {
    pthread_t thread;
    struct hand *h = bx_new(struct hand);
    *h = (struct hand){.crew = crew, .job = job, .user = user};
    pthread_cond_init(&h->called, NULL);
    int r = bx_thread_start(&thread, "box-guest", hand_main, h, err);
    if (r < 0) {
        pthread_cond_destroy(&h->called);
        bx_free(h);
        BX_LOCKED(&crew->mutex);
        crew->jobs--;
        return r;
    }
    pthread_detach(thread);
    return 0;
}

int bx_guest_crew_start(struct bx_guest_crew *crew, void (*job)(void *user), void *user,
                        struct bx_err *err) {
    {
        BX_LOCKED(&crew->mutex);
        if (crew->jobs >= crew->max_jobs) {
            return bx_fail(err, BX_ERR_BUSY, "the worker already runs %u guests", crew->jobs);
        }
        crew->jobs++;
        struct hand *h = crew->idle;
        if (h) {
            crew->idle = h->next_idle;
            crew->idle_count--;
            h->job = job;
            h->user = user;
            pthread_cond_signal(&h->called);
            return 0;
        }
    }
    return hire(crew, job, user, err);
}
