#include "api/workers.h"

#include "base/thread.h"

struct job {
    struct job *next;
    void (*work)(void *user);
    void (*done)(void *user);
    void *user;
};

struct bx_workers {
    struct bx_loop *loop;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t more;
    struct job *first, **last;
    size_t queued, max_queued;
    bool ending;
    const char *name;
    pthread_t *threads;
    unsigned thread_count, max_threads, waiting;
};

static struct job *next_job(struct bx_workers *p) {
    BX_LOCKED(&p->mutex);
    p->waiting++;
    while (!p->first && !p->ending)
        pthread_cond_wait(&p->more, &p->mutex);
    p->waiting--;
    struct job *job = p->first;
    if (!job)
        return NULL;
    p->first = job->next;
    if (!p->first)
        p->last = &p->first;
    p->queued--;
    return job;
}

static void *worker_main(void *user) {
    struct bx_workers *p = user;
    for (struct job *job; (job = next_job(p)); bx_free(job)) {
        job->work(job->user);
        bx_loop_post(p->loop, job->done, job->user);
    }
    return NULL;
}

static int add_thread(struct bx_workers *p, struct bx_err *err) {
    int r = bx_thread_start(&p->threads[p->thread_count], p->name, worker_main, p, err);
    p->thread_count += r == 0;
    return r;
}

int bx_workers_new(struct bx_loop *loop, const char *name, unsigned threads, size_t max_queued,
                   struct bx_workers **ret, struct bx_err *err) {
    struct bx_workers *p = bx_new(struct bx_workers);
    p->loop = loop;
    p->max_queued = max_queued;
    p->last = &p->first;
    pthread_mutex_init(&p->mutex, NULL);
    bx_cond_init(&p->more);
    p->name = name;
    p->max_threads = threads;
    p->threads = bx_alloc(threads * sizeof *p->threads);
    int r = add_thread(p, err); /* the others when there is work for them */
    if (r < 0) {
        bx_workers_free(p);
        return r;
    }
    *ret = p;
    return 0;
}

void bx_workers_free(struct bx_workers *p) {
    if (!p)
        return;
    {
        BX_LOCKED(&p->mutex);
        p->ending = true;
        pthread_cond_broadcast(&p->more);
    }
    for (unsigned i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->mutex);
    bx_free(p->threads);
    bx_free(p);
}

bool bx_workers_run(struct bx_workers *p, void (*work)(void *user), void (*done)(void *user),
                    void *user) {
    BX_LOCKED(&p->mutex);
    if (p->queued >= p->max_queued || p->ending)
        return false;
    struct job *job = bx_new(struct job);
    *job = (struct job){.work = work, .done = done, .user = user};
    *p->last = job;
    p->last = &job->next;
    p->queued++;
    if (p->queued > p->waiting && p->thread_count < p->max_threads)
        add_thread(p, NULL); /* one fewer is slower, not wrong */
    pthread_cond_signal(&p->more);
    return true;
}
