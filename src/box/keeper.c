#include "box/keeper.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/thread.h"
#include "base/unwire.h"
#include "box/channel.h"
#include "box/wall_linux.h"
#include "box/worker.h"

#define START_MS 10000

struct job {
    int socket;
    pid_t pid;
    int error;
    bool done;
};

struct bx_keeper {
    bool require_second_wall;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job *job;
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
    struct bx_keeper *k = user;
    BX_LOCKED(&k->mutex);
    while (!k->closing) {
        struct job *job = k->job;
        if (!job) {
            pthread_cond_wait(&k->changed, &k->mutex);
            continue;
        }
        k->job = NULL;
        pthread_mutex_unlock(&k->mutex);
        job->error = spawn_worker(job->socket, &job->pid);
        pthread_mutex_lock(&k->mutex);
        job->done = true;
        pthread_cond_broadcast(&k->changed);
    }
    return NULL;
}

static int spawn_by_keeper(struct bx_keeper *k, int socket, pid_t *ret_pid) {
    struct job job = {.socket = socket};
    BX_LOCKED(&k->mutex);
    while (k->job) {
        pthread_cond_wait(&k->changed, &k->mutex);
    }
    k->job = &job;
    pthread_cond_broadcast(&k->changed);
    while (!job.done) {
        pthread_cond_wait(&k->changed, &k->mutex);
    }
    *ret_pid = job.pid;
    return job.error;
}

int bx_keeper_new(bool require_second_wall, struct bx_keeper **ret, struct bx_err *err) {
    struct bx_keeper *k = bx_new(struct bx_keeper);
    k->require_second_wall = require_second_wall;
    pthread_mutex_init(&k->mutex, NULL);
    bx_cond_init(&k->changed);
    int r = bx_thread_start(&k->thread, "box-keeper", keeper_main, k, err);
    if (r < 0) {
        bx_free(k);
        return r;
    }
    *ret = k;
    return 0;
}

void bx_keeper_free(struct bx_keeper *k) {
    {
        BX_LOCKED(&k->mutex);
        k->closing = true;
        pthread_cond_broadcast(&k->changed);
    }
    pthread_join(k->thread, NULL);
    pthread_cond_destroy(&k->changed);
    pthread_mutex_destroy(&k->mutex);
    bx_free(k);
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

static int read_hello(struct bx_started *s, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf buf = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    struct bx_hello_frame hello;
    struct pollfd p = {.fd = s->control, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, START_MS);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the box worker did not start within %d s",
                       START_MS / 1000);
    }
    if (bx_channel_recv(s->control, &buf, &f, NULL, NULL) < 0) {
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
        walls_from(&hello, &s->walls);
        s->compat = hello.compat;
    }
    return r;
}

static int configure(const struct bx_started *s, const struct bx_grant *grant, bool probe,
                     struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
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
    return bx_channel_send(s->control, &frame, NULL, 0, err);
}

int bx_keeper_start(struct bx_keeper *k, const struct bx_grant *grant, bool probe,
                    struct bx_started *ret, struct bx_err *err) {
    bx_auto(bx_started_end) struct bx_started s = BX_STARTED_NONE;
    int pair[2];
    *ret = BX_STARTED_NONE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return bx_fail_errno(err, errno, "a box worker cannot be started");
    }
    s.control = pair[0];
    int e = spawn_by_keeper(k, pair[1], &s.pid);
    bx_fd_close(&pair[1]);
    if (e != 0) {
        s.pid = 0;
        return bx_fail_errno(err, e, "a box worker cannot be started");
    }
    int r = configure(&s, grant, probe, err);
    r = r < 0 ? r : read_hello(&s, err);
    if (r == 0 && k->require_second_wall && s.walls.parts != BX_WALL_ALL) {
        return bx_fail(
            err, BX_ERR_UNAVAILABLE,
            "the second wall is required, but this machine does not give all of it (missing: %s); "
            "run without --require-second-wall to accept that",
            s.walls.missing);
    }
    if (r == 0) {
        *ret = s;
        s = BX_STARTED_NONE;
    }
    return r;
}

void bx_started_end(struct bx_started *s) {
    bx_fd_close(&s->control);
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    *s = BX_STARTED_NONE;
}
