#include "box/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "base/vec.h"
#include "base/unwire.h"
#include "box/worker.h"

#define MAX_CALLS     32
#define MAX_PROCESSES 8 /* beyond this, idle ones are ended when another is started */

struct bx_process {
    struct bx_buf
        key; /* folders, by path and by what they are; two lives of one path are two keys */
    enum { STARTING, READY, DEAD } state; /* DEAD: takes no new call, freed with its last lane */
    atomic_bool killed;
    struct bx_started worker;
    uint32_t slots;
    unsigned in_use;
    struct bx_lane *free_lanes;
    uint64_t used_at_ms;
};

struct waiter { /* for a lane of a worker that has none to give: first come, first served */
    struct bx_str key;
    bool queued;
    pthread_cond_t turn;
    struct waiter *next;
};

struct bx_pool {
    struct bx_keeper *keeper;
    unsigned max_calls;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    BX_VEC(struct bx_process *) processes;
    struct waiter *waiters; /* the oldest first */
};

static void lane_free(struct bx_lane *lane) {
    bx_fd_close(&lane->fd);
    bx_buf_deinit(&lane->frame_in);
    bx_buf_deinit(&lane->frame_out);
    bx_free(lane);
}

/* Nobody may hold a lane of it any more. */
static void process_free(struct bx_process *p) {
    for (struct bx_lane *lane = p->free_lanes, *next; lane; lane = next) {
        next = lane->next_free;
        lane_free(lane);
    }
    bx_started_end(&p->worker);
    bx_buf_deinit(&p->key);
    bx_free(p);
}

int bx_pool_new(const struct bx_box_config *config, struct bx_pool **ret, struct bx_err *err) {
    struct bx_keeper *keeper = NULL;
    int r = bx_keeper_new(config->require_second_wall, &keeper, err);
    if (r < 0) {
        return r;
    }
    struct bx_pool *pool = bx_new(struct bx_pool);
    pool->keeper = keeper;
    pool->max_calls =
        BX_MIN(config->max_calls ? config->max_calls : MAX_CALLS, BX_WORKER_CALLS_MAX);
    pthread_mutex_init(&pool->mutex, NULL);
    bx_cond_init(&pool->changed);
    *ret = pool;
    return 0;
}

void bx_pool_free(struct bx_pool *pool) {
    if (!pool) {
        return;
    }
    bx_keeper_free(pool->keeper);
    for (size_t i = 0; i < pool->processes.n; i++) {
        process_free(pool->processes.p[i]);
    }
    bx_vec_free(&pool->processes);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    bx_free(pool);
}

static int make_key(const struct bx_grant *grant, struct bx_buf *out, struct bx_err *err) {
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        struct stat st;
        bx_auto(bx_fd_close) int fd = bx_dir_open_real(m->host_path, O_PATH);
        if (fd < 0 && errno == ELOOP) {
            return bx_fail(err, BX_ERR_DENIED,
                           "the folder %.300s cannot be mounted: a link stands in its place now, "
                           "which is not followed",
                           m->host_path);
        }
        if (fd < 0 || fstat(fd, &st) != 0) {
            return bx_fail_errno(err, errno, "the folder %.300s cannot be mounted", m->host_path);
        }
        bx_buf_addf(out, "%s\n%s\n%d %llu %llu\n", m->host_path, m->guest_path, m->writable,
                    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    }
    bx_buf_addf(out, "%" PRIu64 "\n", grant->limits.value[BX_LIMIT_WRITTEN]);
    if (grant->worker && !bx_unwired("own_worker")) {
        bx_buf_addz(out, grant->worker);
    }
    return 0;
}

static struct bx_process *find(struct bx_pool *pool, const struct bx_buf *key) {
    for (size_t i = 0; i < pool->processes.n; i++) {
        struct bx_process *p = pool->processes.p[i];
        if (p->state != DEAD && bx_str_eq(bx_buf_str(&p->key), bx_buf_str(key))) {
            return p;
        }
    }
    return NULL;
}

static void forget(struct bx_pool *pool, const struct bx_process *p) {
    for (size_t i = 0; i < pool->processes.n; i++) {
        if (pool->processes.p[i] == p) {
            bx_vec_remove(&pool->processes, i);
            return;
        }
    }
}

/* The idle process that was used longest ago, when there are many; taken out of the pool. */
static struct bx_process *surplus(struct bx_pool *pool) {
    struct bx_process *oldest = NULL;
    for (size_t i = 0; pool->processes.n >= MAX_PROCESSES && i < pool->processes.n; i++) {
        struct bx_process *p = pool->processes.p[i];
        if (p->state == READY && p->in_use == 0 &&
            (!oldest || p->used_at_ms < oldest->used_at_ms)) {
            oldest = p;
        }
    }
    if (oldest) {
        forget(pool, oldest);
    }
    return oldest;
}

/* Called and returns with the mutex held; lets go of it while the process starts. */
static int start_for(struct bx_pool *pool, const struct bx_grant *grant, const struct bx_buf *key,
                     struct bx_err *err) {
    struct bx_process *p = bx_new(struct bx_process), *old = surplus(pool);
    p->worker = BX_STARTED_NONE;
    p->key = BX_BUF_INIT(key->max);
    bx_buf_adds(&p->key, bx_buf_str(key));
    bx_vec_push(&pool->processes, p);
    pthread_mutex_unlock(&pool->mutex);
    if (old) {
        process_free(old);
    }
    int r = bx_keeper_start(pool->keeper, grant, false, &p->worker, err);
    pthread_mutex_lock(&pool->mutex);
    p->state = READY;
    p->used_at_ms = bx_mono_ms();
    if (r < 0) {
        forget(pool, p);
        process_free(p);
    }
    pthread_cond_broadcast(&pool->changed);
    return r;
}

/* With the mutex held: the order of SLOT messages is the numbering of slots. */
static struct bx_lane *make_lane(struct bx_process *p, struct bx_err *err) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        bx_fail_errno(err, errno, "a lane to the box worker cannot be made");
        return NULL;
    }
    struct bx_lane *lane = bx_new(struct bx_lane);
    lane->process = p;
    lane->fd = pair[0];
    lane->index = p->slots;
    lane->frame_in = lane->frame_out = BX_BUF_INIT(BX_FRAME_MAX);
    bx_frame_begin(&lane->frame_out, BX_FRAME_SLOT, 0);
    int r = bx_channel_send(p->worker.control, &lane->frame_out, &pair[1], 1, err);
    bx_fd_close(&pair[1]);
    if (r < 0) {
        lane_free(lane);
        return NULL;
    }
    p->slots++;
    return lane;
}

static struct bx_lane *take_lane(struct bx_process *p, struct bx_err *err) {
    struct bx_lane *lane = p->free_lanes;
    if (lane) {
        p->free_lanes = lane->next_free;
    } else {
        lane = make_lane(p, err);
    }
    p->in_use += lane ? 1 : 0;
    return lane;
}

/* With the mutex held; true when the process can be freed by the caller, outside. */
static bool bury(struct bx_pool *pool, struct bx_process *p) {
    p->state = DEAD;
    if (p->in_use > 0) {
        return false;
    }
    forget(pool, p);
    return true;
}

static bool belongs_to(const struct bx_process *p, struct bx_str worker) {
    struct bx_str key = bx_buf_str(&p->key);
    return bx_str_ends(key, worker.p) && key.n > worker.n && key.p[key.n - worker.n - 1] == '\n';
}

void bx_pool_end_worker(struct bx_pool *pool, const char *worker) {
    BX_VEC(struct bx_process *) ended = {0};
    {
        BX_LOCKED(&pool->mutex);
        for (size_t i = pool->processes.n; i-- > 0;) {
            struct bx_process *p = pool->processes.p[i];
            if (p->state == READY && belongs_to(p, bx_str(worker)) && bury(pool, p)) {
                bx_vec_push(&ended, p);
            }
        }
    }
    for (size_t i = 0; i < ended.n; i++) {
        process_free(ended.p[i]);
    }
    bx_vec_free(&ended);
}

static struct waiter *first_waiter(struct bx_pool *pool, struct bx_str key) {
    struct waiter *w = pool->waiters;
    while (w && !bx_str_eq(w->key, key)) {
        w = w->next;
    }
    return w;
}

static void wait_for_turn(struct bx_pool *pool, struct waiter *w) {
    if (!w->queued) {
        struct waiter **end = &pool->waiters;
        while (*end) {
            end = &(*end)->next;
        }
        *end = w;
        w->queued = true;
    }
    bx_cond_wait_ms(&w->turn, &pool->mutex, 50);
}

/* With the mutex held. The next one may have its turn now. */
static void leave_queue(struct bx_pool *pool, struct waiter *w) {
    for (struct waiter **at = &pool->waiters; w->queued && *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    struct waiter *next = w->queued ? first_waiter(pool, w->key) : NULL;
    if (next) {
        pthread_cond_signal(&next->turn);
    }
}

static int acquire(struct bx_pool *pool, const struct bx_grant *grant, const struct bx_buf *key,
                   struct waiter *w, struct bx_cancel *cancel, struct bx_lane **ret,
                   struct bx_err *err) {
    for (unsigned lost = 0;;) {
        struct bx_process *p = find(pool, key);
        const struct waiter *first = first_waiter(pool, w->key);
        if (bx_cancel_fired(cancel)) {
            return bx_fail(err, BX_ERR_CANCELLED, "stopped before the tool started");
        }
        if (!p) {
            int r = start_for(pool, grant, key, err);
            if (r < 0) {
                return r;
            }
        } else if (p->state == STARTING) {
            bx_cond_wait_ms(&pool->changed, &pool->mutex, 50);
        } else if (p->in_use >= pool->max_calls || (first && first != w)) {
            wait_for_turn(pool, w);
        } else if ((*ret = take_lane(p, err))) {
            return 0;
        } else if (bury(pool, p)) { /* it died between two calls */
            pthread_mutex_unlock(&pool->mutex);
            process_free(p);
            pthread_mutex_lock(&pool->mutex);
            if (lost++ == 2) {
                return BX_ERR_RETRY;
            }
        } else {
            return BX_ERR_RETRY;
        }
    }
}

int bx_pool_acquire(struct bx_pool *pool, const struct bx_grant *grant, struct bx_cancel *cancel,
                    struct bx_lane **ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf key = BX_BUF_INIT(BX_MIB);
    int r = make_key(grant, &key, err);
    if (r < 0) {
        return r;
    }
    struct waiter w = {.key = bx_buf_str(&key)};
    bx_cond_init(&w.turn);
    {
        BX_LOCKED(&pool->mutex);
        r = acquire(pool, grant, &key, &w, cancel, ret, err);
        leave_queue(pool, &w);
    }
    pthread_cond_destroy(&w.turn);
    return r;
}

size_t bx_pool_waiting(struct bx_pool *pool) {
    size_t n = 0;
    BX_LOCKED(&pool->mutex);
    for (const struct waiter *w = pool->waiters; w; w = w->next) {
        n++;
    }
    return n;
}

void bx_pool_release(struct bx_pool *pool, struct bx_lane *lane) {
    struct bx_process *p = lane->process, *ended = NULL;
    {
        BX_LOCKED(&pool->mutex);
        p->in_use--;
        p->used_at_ms = bx_mono_ms();
        if (p->state == DEAD) {
            lane_free(lane);
            ended = bury(pool, p) ? p : NULL;
        } else {
            lane->next_free = p->free_lanes;
            p->free_lanes = lane;
        }
        struct waiter *next = first_waiter(pool, bx_buf_str(&p->key));
        if (next) {
            pthread_cond_signal(&next->turn);
        }
    }
    if (ended) {
        process_free(ended);
    }
}

void bx_pool_kill(struct bx_pool *pool, struct bx_lane *lane) {
    BX_LOCKED(&pool->mutex);
    lane->process->state = DEAD;
    lane->process->killed = true;
    kill(lane->process->worker.pid, SIGKILL); /* not reaped yet: the number is still its own */
}

bool bx_lane_is_killed(const struct bx_lane *lane) {
    return lane->process->killed;
}

void bx_pool_stop_call(struct bx_lane *lane) {
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
    bx_frame_begin(&frame, BX_FRAME_STOP, lane->last_call);
    bx_put_u32(&frame, lane->index);
    bx_channel_try_send(lane->process->worker.control, &frame,
                        NULL); /* a worker that does not read is killed soon */
}

void bx_lane_last_words(struct bx_lane *lane, char *out, size_t size) {
    bx_auto(bx_buf_deinit) struct bx_buf buf = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    snprintf(out, size, "%s", "");
    if (bx_channel_try_recv(lane->process->worker.control, &buf, &f, NULL) == 0 &&
        f.type == BX_FRAME_FATAL) {
        struct bx_reader r = bx_reader(f.body);
        struct bx_str words = bx_read_str(&r);
        snprintf(out, size, BX_STR_FMT, BX_STR_ARG(words));
    }
}

pid_t bx_lane_pid(const struct bx_lane *lane) {
    return lane->process->worker.pid;
}

const struct bx_box_walls *bx_lane_walls(const struct bx_lane *lane) {
    return &lane->process->worker.walls;
}

uint64_t bx_lane_compat(const struct bx_lane *lane) {
    return lane->process->worker.compat;
}

int bx_pool_start_compiler(struct bx_pool *pool, struct bx_started *ret, struct bx_err *err) {
    struct bx_grant nothing;
    bx_grant_init(&nothing);
    return bx_keeper_start(pool->keeper, &nothing, false, ret, err);
}

int bx_pool_probe(struct bx_pool *pool, const struct bx_grant *grant, struct bx_box_walls *ret,
                  struct bx_err *err) {
    bx_auto(bx_started_end) struct bx_started worker = BX_STARTED_NONE;
    int r = bx_keeper_start(pool->keeper, grant, true, &worker, err);
    if (r == 0) {
        *ret = worker.walls;
    }
    return r;
}
