#include "box/pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"
#include "base/vec.h"
#include "base/unwire.h"
#include "box/wall_linux.h"
#include "box/worker.h"

#define MAX_CALLS     32
#define MAX_PROCESSES 8 /* beyond this, idle ones are ended when another is started */
#define START_MS      10000

struct bx_process {
    struct bx_buf
        key; /* folders, by path and by what they are; two lives of one path are two keys */
    enum { STARTING, READY, DEAD } state; /* DEAD: takes no new call, freed with its last lane */
    atomic_bool killed;
    pid_t pid;
    int control;
    struct bx_box_walls walls;
    uint64_t compat;
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

struct spawn_job {
    int socket;
    pid_t pid;
    int error;
    bool done;
};

struct bx_pool {
    bool require_second_wall;
    unsigned max_calls;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    BX_VEC(struct bx_process *) processes;
    struct waiter *waiters; /* the oldest first */
    /* Processes are started by a thread that lives as long as the pool: PR_SET_PDEATHSIG means the
     * thread, not the process, that made the child. */
    pthread_t keeper;
    struct spawn_job *job;
    bool closing;
};

static int spawn_worker(int socket, pid_t *ret_pid) {
    char name[] = "boxagnts-box", arg[] = BX_BOX_WORKER_ARG;
    char *argv[] = {name, arg, NULL}, *env[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, BX_BOX_WORKER_FD);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setpgroup(&attr, 0); /* Ctrl-C in the terminal is the server's business */
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETPGROUP);
    int e = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

static void *keeper_main(void *user) {
    struct bx_pool *pool = user;
    pthread_mutex_lock(&pool->mutex);
    while (!pool->closing) {
        struct spawn_job *job = pool->job;
        if (!job) {
            pthread_cond_wait(&pool->changed, &pool->mutex);
            continue;
        }
        pool->job = NULL;
        pthread_mutex_unlock(&pool->mutex);
        job->error = spawn_worker(job->socket, &job->pid);
        pthread_mutex_lock(&pool->mutex);
        job->done = true;
        pthread_cond_broadcast(&pool->changed);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

static int spawn_by_keeper(struct bx_pool *pool, int socket, pid_t *ret_pid) {
    struct spawn_job job = {.socket = socket};
    BX_LOCKED(&pool->mutex);
    while (pool->job) {
        pthread_cond_wait(&pool->changed, &pool->mutex);
    }
    pool->job = &job;
    pthread_cond_broadcast(&pool->changed);
    while (!job.done) {
        pthread_cond_wait(&pool->changed, &pool->mutex);
    }
    *ret_pid = job.pid;
    return job.error;
}

static void reap(pid_t pid) {
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void walls_from(const struct bx_hello_frame *hello, struct bx_box_walls *ret) {
    struct bx_buf text = BX_BUF_INIT(sizeof ret->missing - 1);
    for (unsigned part = 1; part & BX_WALL_ALL; part <<= 1) {
        if (!(hello->wall_parts & part)) {
            bx_buf_addf(&text, "%s%s", text.size ? ", " : "",
                        bx_wall_part_name((enum bx_wall_part)part));
        }
    }
    *ret = (struct bx_box_walls){hello->wall_parts, hello->probed_parts, hello->landlock_abi, ""};
    snprintf(ret->missing, sizeof ret->missing, "%s", bx_buf_z(&text));
    bx_buf_deinit(&text);
}

static int read_hello(int control, struct bx_box_walls *ret_walls, uint64_t *ret_compat,
                      struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf buf = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    struct bx_hello_frame hello;
    struct pollfd p = {.fd = control, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, START_MS);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the box worker did not start within %d s",
                       START_MS / 1000);
    }
    if (bx_channel_recv(control, &buf, &f, NULL, NULL) < 0) {
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the box worker ended while it started");
    }
    if (f.type == BX_FRAME_FATAL) {
        struct bx_reader r = bx_reader(f.body);
        struct bx_str why = bx_read_str(&r);
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the box worker cannot start: " BX_STR_FMT,
                       BX_STR_ARG(why));
    }
    int r = f.type == BX_FRAME_HELLO ? bx_hello_decode(f.body, &hello, err)
                                     : bx_fail(err, BX_ERR_PROTO, "box protocol: no greeting");
    if (r == 0) {
        walls_from(&hello, ret_walls);
        *ret_compat = hello.compat;
    }
    return r;
}

/* A process with its walls up, or nothing. */
static int start_process(struct bx_pool *pool, const struct bx_grant *grant, bool probe,
                         int *ret_control, pid_t *ret_pid, struct bx_box_walls *ret_walls,
                         uint64_t *ret_compat, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return bx_fail_errno(err, errno, "a box worker cannot be started");
    }
    bx_auto(bx_fd_close) int control = pair[0];
    int e = spawn_by_keeper(pool, pair[1], ret_pid);
    bx_fd_close(&pair[1]);
    if (e != 0) {
        return bx_fail_errno(err, e, "a box worker cannot be started");
    }
    struct bx_config_frame config = {
        .written_max_bytes = grant->limits.value[BX_LIMIT_WRITTEN],
        .server_pid = (uint32_t)getpid(),
        .probe = probe,
        .unwire = bx_str(bx_unwire_list()),
        .mount_count = grant->mount_count,
    };
    for (size_t i = 0; i < grant->mount_count; i++) {
        config.mounts[i] = grant->mounts[i];
    }
    bx_config_encode(&frame, &config);
    int r = bx_channel_send(control, &frame, NULL, 0, err);
    r = r < 0 ? r : read_hello(control, ret_walls, ret_compat, err);
    if (r == 0 && pool->require_second_wall && ret_walls->parts != BX_WALL_ALL) {
        r = bx_fail(
            err, BX_ERR_UNAVAILABLE,
            "the second wall is required, but this machine does not give all of it (missing: %s); "
            "run without --require-second-wall to accept that",
            ret_walls->missing);
    }
    if (r < 0) {
        reap(*ret_pid);
        return r;
    }
    *ret_control = control;
    control = -1;
    return 0;
}

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
    bx_fd_close(&p->control);
    if (p->pid > 0) {
        reap(p->pid);
    }
    bx_buf_deinit(&p->key);
    bx_free(p);
}

int bx_pool_new(const struct bx_box_config *config, struct bx_pool **ret, struct bx_err *err) {
    struct bx_pool *pool = bx_new(struct bx_pool);
    pool->require_second_wall = config->require_second_wall;
    pool->max_calls =
        BX_MIN(config->max_calls ? config->max_calls : MAX_CALLS, BX_WORKER_CALLS_MAX);
    pthread_mutex_init(&pool->mutex, NULL);
    bx_cond_init(&pool->changed);
    int r = bx_thread_start(&pool->keeper, "box-keeper", keeper_main, pool, err);
    if (r < 0) {
        bx_free(pool);
        return r;
    }
    *ret = pool;
    return 0;
}

void bx_pool_free(struct bx_pool *pool) {
    if (!pool) {
        return;
    }
    {
        BX_LOCKED(&pool->mutex);
        pool->closing = true;
        pthread_cond_broadcast(&pool->changed);
    }
    pthread_join(pool->keeper, NULL);
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
    p->control = -1;
    p->key = BX_BUF_INIT(key->max);
    bx_buf_adds(&p->key, bx_buf_str(key));
    bx_vec_push(&pool->processes, p);
    pthread_mutex_unlock(&pool->mutex);
    if (old) {
        process_free(old);
    }
    int r = start_process(pool, grant, false, &p->control, &p->pid, &p->walls, &p->compat, err);
    pthread_mutex_lock(&pool->mutex);
    p->state = READY;
    p->used_at_ms = bx_mono_ms();
    if (r < 0) {
        p->pid = 0;
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
    int r = bx_channel_send(p->control, &lane->frame_out, &pair[1], 1, err);
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
        } else if (bury(pool, p) && lost++ < 2) { /* it died between two calls */
            pthread_mutex_unlock(&pool->mutex);
            process_free(p);
            pthread_mutex_lock(&pool->mutex);
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
    kill(lane->process->pid, SIGKILL); /* not reaped yet: the number is still its own */
}

bool bx_lane_is_killed(const struct bx_lane *lane) {
    return lane->process->killed;
}

void bx_pool_stop_call(struct bx_lane *lane) {
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
    bx_frame_begin(&frame, BX_FRAME_STOP, lane->last_call);
    bx_put_u32(&frame, lane->index);
    bx_channel_try_send(lane->process->control, &frame,
                        NULL); /* a worker that does not read is killed soon */
}

void bx_lane_last_words(struct bx_lane *lane, char *out, size_t size) {
    bx_auto(bx_buf_deinit) struct bx_buf buf = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    snprintf(out, size, "%s", "");
    if (bx_channel_try_recv(lane->process->control, &buf, &f, NULL) == 0 &&
        f.type == BX_FRAME_FATAL) {
        struct bx_reader r = bx_reader(f.body);
        struct bx_str words = bx_read_str(&r);
        snprintf(out, size, BX_STR_FMT, BX_STR_ARG(words));
    }
}

pid_t bx_lane_pid(const struct bx_lane *lane) {
    return lane->process->pid;
}

const struct bx_box_walls *bx_lane_walls(const struct bx_lane *lane) {
    return &lane->process->walls;
}

uint64_t bx_lane_compat(const struct bx_lane *lane) {
    return lane->process->compat;
}

int bx_pool_start_compiler(struct bx_pool *pool, int *ret_fd, pid_t *ret_pid, uint64_t *ret_compat,
                           struct bx_err *err) {
    struct bx_grant nothing;
    struct bx_box_walls walls;
    bx_grant_init(&nothing);
    return start_process(pool, &nothing, false, ret_fd, ret_pid, &walls, ret_compat, err);
}

void bx_pool_reap(struct bx_pool *pool, pid_t pid) {
    (void)pool;
    reap(pid);
}

int bx_pool_probe(struct bx_pool *pool, const struct bx_grant *grant, struct bx_box_walls *ret,
                  struct bx_err *err) {
    int control;
    pid_t pid;
    uint64_t compat;
    int r = start_process(pool, grant, true, &control, &pid, ret, &compat, err);
    if (r == 0) {
        bx_fd_close(&control);
        reap(pid);
    }
    return r;
}
