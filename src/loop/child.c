#include "loop/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/thread.h"

/* PR_SET_PDEATHSIG follows the thread that forked, so all children are started by one thread that
 * lives as long as the process: the spawner. A start is a request that waits for its answer. */
struct request {
    const struct bx_child_spec *spec;
    pid_t pid;
    int failed_errno;
    bool done;
};
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t asked, answered;
    struct request *waiting;
    bool started;
} spawner = {.mutex = PTHREAD_MUTEX_INITIALIZER,
             .asked = PTHREAD_COND_INITIALIZER,
             .answered = PTHREAD_COND_INITIALIZER};

static void close_from(int low) {
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)low, ~0u, 0u) == 0) {
        return;
    }
#endif
    /* A kernel before 5.9. A limit of "none" would make this last for minutes. */
    struct rlimit limit;
    const rlim_t most = 1024 * 1024;
    rlim_t end = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? BX_MIN(limit.rlim_max, most) : most;
    for (int fd = low; fd < (int)end; fd++) {
        close(fd);
    }
}

/* In the child, between fork and exec: async-signal-safe calls only. `fds` are already above the
 * target numbers. */
static _Noreturn void become(const struct bx_child_spec *spec, const int *fds, size_t fd_count,
                             int report, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) {
        signal(s, SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int e = 0;
    if (getppid() != parent) {
        _exit(111); /* the parent died before prctl */
    }
    for (size_t i = 0; i < fd_count; i++) {
        /* 0, 1, 2, then the kept ones; dup2 clears FD_CLOEXEC */
        if (dup2(fds[i], (int)i) < 0) {
            e = errno;
        }
    }
    int report_at = (int)fd_count;
    if (report != report_at) {
        dup2(report, report_at);
    }
    fcntl(report_at, F_SETFD, FD_CLOEXEC);
    close_from(report_at + 1);
    if (!e && chdir(spec->cwd ? spec->cwd : "/") < 0) {
        e = errno;
    }
    if (!e) {
        static const char *const nothing[] = {NULL};
        execve(spec->path, (char *const *)(uintptr_t)spec->argv,
               (char *const *)(uintptr_t)(spec->env ? spec->env : nothing));
        e = errno;
    }
    (void)bx_write_all(report_at, &e, sizeof e);
    _exit(127);
}

/* Copies of all descriptors above the numbers that they will get, so that no dup2 overwrites one
 * still needed. */
static int lift(const struct bx_child_spec *spec, int *fds, size_t count, int *report) {
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int floor = (int)count + 1;
    int r = null_fd < 0 ? -errno : 0;
    const int std[3] = {spec->stdin_fd, spec->stdout_fd, spec->stderr_fd};
    for (size_t i = 0; i < count && r == 0; i++) {
        int fd = i < 3 ? std[i] : spec->keep_fds[i - 3];
        fds[i] = fcntl(fd < 0 ? null_fd : fd, F_DUPFD_CLOEXEC, floor);
        r = fds[i] < 0 ? -errno : 0;
    }
    if (r == 0) {
        int lifted = fcntl(*report, F_DUPFD_CLOEXEC, floor);
        if (lifted < 0) {
            r = -errno;
        } else {
            close(*report);
            *report = lifted;
        }
    }
    bx_fd_close(&null_fd);
    return r;
}

static int spawn(const struct bx_child_spec *spec, pid_t *ret_pid) {
    size_t count = 3 + spec->keep_fd_count;
    int *fds = bx_alloc(count * sizeof *fds);
    for (size_t i = 0; i < count; i++) {
        fds[i] = -1;
    }
    int pipe_fds[2] = {-1, -1};
    int r = pipe2(pipe_fds, O_CLOEXEC) < 0 ? -errno : lift(spec, fds, count, &pipe_fds[1]);
    pid_t parent = getpid(), pid = -1;
    if (r == 0) {
        pid = fork();
        if (pid == 0) {
            become(spec, fds, count, pipe_fds[1], parent);
        }
        r = pid < 0 ? -errno : 0;
    }
    bx_fd_close(&pipe_fds[1]);
    if (r == 0) {
        int child_errno = 0;
        ssize_t got;
        do {
            got = read(pipe_fds[0], &child_errno, sizeof child_errno);
        } while (got < 0 && errno == EINTR);
        if (got ==
            (ssize_t)sizeof child_errno) { /* exec failed; otherwise its success closed the pipe */
            waitpid(pid, NULL, 0);
            r = -child_errno;
        }
    }
    bx_fd_close(&pipe_fds[0]);
    for (size_t i = 0; i < count; i++) {
        bx_fd_close(&fds[i]);
    }
    bx_free(fds);
    if (r == 0) {
        *ret_pid = pid;
    }
    return r;
}

static void *spawner_main(void *user) {
    (void)user;
    pthread_mutex_lock(&spawner.mutex);
    for (;;) {
        while (!spawner.waiting || spawner.waiting->done) {
            pthread_cond_wait(&spawner.asked, &spawner.mutex);
        }
        struct request *q = spawner.waiting;
        pthread_mutex_unlock(&spawner.mutex);
        int r = spawn(q->spec, &q->pid);
        pthread_mutex_lock(&spawner.mutex);
        q->failed_errno = -r;
        q->done = true;
        pthread_cond_broadcast(&spawner.answered);
    }
    return NULL;
}

int bx_child_start(const struct bx_child_spec *spec, pid_t *ret_pid, struct bx_err *err) {
    struct request q = {.spec = spec};
    pthread_mutex_lock(&spawner.mutex);
    if (!spawner.started) {
        pthread_t thread;
        int r = bx_thread_start(&thread, "spawner", spawner_main, NULL, err);
        if (r < 0) {
            pthread_mutex_unlock(&spawner.mutex);
            return r;
        }
        pthread_detach(thread);
        spawner.started = true;
    }
    while (spawner.waiting) { /* one at a time */
        pthread_cond_wait(&spawner.answered, &spawner.mutex);
    }
    spawner.waiting = &q;
    pthread_cond_signal(&spawner.asked);
    while (!q.done) {
        pthread_cond_wait(&spawner.answered, &spawner.mutex);
    }
    spawner.waiting = NULL;
    pthread_cond_broadcast(&spawner.answered);
    pthread_mutex_unlock(&spawner.mutex);
    if (q.failed_errno) {
        return bx_fail_errno(err, q.failed_errno, "cannot start %s", spec->path);
    }
    *ret_pid = q.pid;
    return 0;
}

bool bx_child_poll(pid_t pid, int *ret_status) {
    int status = 0;
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == 0) {
        return false;
    }
    if (ret_status) {
        *ret_status = got < 0 ? 0 : status;
    }
    return true;
}

int bx_child_stop(pid_t pid, uint64_t grace_ms, int *ret_status) {
    kill(pid, SIGTERM);
    uint64_t until = bx_mono_ms() + grace_ms;
    for (unsigned wait_us = 200;; wait_us = BX_MIN(wait_us * 2, 10000u)) {
        if (bx_child_poll(pid, ret_status)) {
            return 0;
        }
        if (bx_mono_ms() >= until) {
            break;
        }
        struct timespec t = {.tv_nsec = (long)wait_us * 1000};
        nanosleep(&t, NULL);
    }
    kill(pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (ret_status) {
        *ret_status = status;
    }
    return 0;
}
