#include "model/embedded.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/unwire.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/vec.h"
#include "json/json.h"
#include "loop/child.h"
#include "model/wire.h"

#define TAIL_BYTES     (4 * BX_KIB)
#define START_LIMIT_MS 600000

enum state { STARTING, READY, ENDED };

struct bx_embedded_server {
    char *path, *socket;
    enum state state;
    unsigned users;
    uint64_t idle_since_ms;
    pid_t pid; /* 0 = reaped, or not started */
    int status, stderr_fd;
    struct bx_buf tail;
    int64_t asked, window; /* tokens; as the child was started, as it says */
    bool supports_tools;
};

struct known_window {
    char *path;
    int64_t asked, told;
};

struct bx_embedded {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    BX_VEC(struct bx_embedded_server *) servers; /* at most one for a path */
    BX_VEC(struct known_window) windows;         /* outlast the children */
    BX_VEC(struct bx_embedded_server *) retired; /* the supervisor's, to stop and free */
    pthread_t thread;
    bool running, stopping;
    int wake_fd;
    unsigned next_socket;
    char *runtime_dir, *exe;
    struct bx_fetch *fetch;
    unsigned threads;
    uint64_t idle_ms;
};

static unsigned default_threads(void) {
    uint64_t wanted;
    if (bx_str_to_u64(bx_str(getenv("BOXAGNTS_MODEL_THREADS")), &wanted) && wanted >= 1 &&
        wanted <= 256) {
        return (unsigned)wanted;
    }
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 2 ? (unsigned)cores - 1 : 1;
}

int bx_embedded_new(const struct bx_embedded_config *config, struct bx_embedded **ret,
                    struct bx_err *err) {
    struct bx_embedded *e = bx_new(struct bx_embedded);
    e->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (e->wake_fd < 0) {
        bx_free(e);
        return bx_fail_errno(err, errno, "eventfd");
    }
    pthread_mutex_init(&e->lock, NULL);
    bx_cond_init(&e->changed);
    e->runtime_dir = bx_strdup(config->runtime_dir);
    e->exe = bx_strdup(config->exe ? config->exe : "/proc/self/exe");
    e->fetch = config->fetch;
    e->threads = config->threads ? config->threads : default_threads();
    e->idle_ms = config->idle_ms ? config->idle_ms : 300000;
    *ret = e;
    return 0;
}

static void wake(struct bx_embedded *e) {
    uint64_t one = 1;
    (void)!write(e->wake_fd, &one, sizeof one);
}

/* Reaps when it ended; with the lock held. */
static bool has_ended(struct bx_embedded_server *s) {
    if (s->pid > 0 && bx_child_poll(s->pid, &s->status)) {
        s->pid = 0;
        s->state = ENDED;
    }
    return s->state == ENDED;
}

static void server_free(struct bx_embedded_server *s) {
    if (s->pid > 0) {
        bx_child_stop(s->pid, 500, &s->status);
    }
    if (s->socket) {
        unlink(s->socket);
    }
    bx_fd_close(&s->stderr_fd);
    bx_buf_deinit(&s->tail);
    bx_free(s->path);
    bx_free(s->socket);
    bx_free(s);
}

/* Takes it off the list; the supervisor stops and frees it. With the lock held. */
static void retire(struct bx_embedded *e, struct bx_embedded_server *s) {
    for (size_t i = 0; i < e->servers.n; i++) {
        if (e->servers.p[i] == s) {
            bx_vec_remove(&e->servers, i);
            bx_vec_push(&e->retired, s);
            break;
        }
    }
    pthread_cond_broadcast(&e->changed);
    wake(e);
}

static void drain(struct bx_embedded_server *s) {
    char buf[1024];
    ssize_t n = 0;
    while (s->stderr_fd >= 0 && (n = read(s->stderr_fd, buf, sizeof buf)) > 0) {
        if (s->tail.size + (size_t)n > s->tail.max) {
            bx_buf_consume(&s->tail, BX_MIN(s->tail.size, (size_t)n + s->tail.max / 2));
        }
        bx_buf_add(&s->tail, buf, (size_t)n);
    }
    if (n == 0) {
        bx_fd_close(&s->stderr_fd);
    }
}

/* One look at every child; the time until the next idle one is due. With the lock held. */
static uint64_t look(struct bx_embedded *e) {
    uint64_t now = bx_mono_ms(), next = UINT64_MAX;
    for (size_t i = e->servers.n; i > 0; i--) {
        struct bx_embedded_server *s = e->servers.p[i - 1];
        drain(s);
        if (s->users > 0) {
            continue;
        }
        if (has_ended(s) || now - s->idle_since_ms >= e->idle_ms) {
            retire(e, s);
        } else {
            next = BX_MIN(next, s->idle_since_ms + e->idle_ms - now);
        }
    }
    return next;
}

static void stop_retired(struct bx_embedded *e) {
    for (;;) {
        struct bx_embedded_server *s = NULL;
        {
            BX_LOCKED(&e->lock);
            if (e->retired.n == 0) {
                return;
            }
            s = e->retired.p[--e->retired.n];
        }
        server_free(s);
    }
}

static void *supervise(void *user) {
    struct bx_embedded *e = user;
    BX_VEC(struct pollfd) fds = {0};
    for (bool stopping = false; !stopping;) {
        uint64_t next, count;
        fds.n = 0;
        bx_vec_push(&fds, ((struct pollfd){.fd = e->wake_fd, .events = POLLIN}));
        {
            BX_LOCKED(&e->lock);
            stopping = e->stopping;
            while (stopping && e->servers.n > 0) {
                retire(e, e->servers.p[0]);
            }
            next = look(e);
            for (size_t i = 0; i < e->servers.n; i++) {
                bx_vec_push(&fds,
                            ((struct pollfd){.fd = e->servers.p[i]->stderr_fd, .events = POLLIN}));
            }
        }
        stop_retired(e);
        if (!stopping) {
            poll(fds.p, fds.n, next == UINT64_MAX ? -1 : (int)BX_MIN(next + 1, 3600000));
            (void)!read(e->wake_fd, &count, sizeof count);
        }
    }
    bx_vec_free(&fds);
    return NULL;
}

void bx_embedded_free(struct bx_embedded *e) {
    if (!e) {
        return;
    }
    if (e->running) {
        {
            BX_LOCKED(&e->lock);
            e->stopping = true;
        }
        wake(e);
        pthread_join(e->thread, NULL);
    }
    bx_fd_close(&e->wake_fd);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    bx_vec_free(&e->servers);
    bx_vec_free(&e->retired);
    for (size_t i = 0; i < e->windows.n; i++) {
        bx_free(e->windows.p[i].path);
    }
    bx_vec_free(&e->windows);
    bx_free(e->runtime_dir);
    bx_free(e->exe);
    bx_free(e);
}

/* How it ended, with its last words. With the lock held. */
static int tell_end(struct bx_embedded_server *s, struct bx_err *err) {
    drain(s);
    struct bx_str words = bx_str_trim(bx_buf_str(&s->tail));
    if (words.n > 300) {
        words = bx_str_slice(words, words.n - 300, 300);
    }
    char how[64];
    if (WIFSIGNALED(s->status)) {
        bool memory = WTERMSIG(s->status) == 9;
        snprintf(how, sizeof how, "signal %d%s", WTERMSIG(s->status),
                 memory ? ", maybe out of memory" : "");
    } else {
        snprintf(how, sizeof how, "status %d", WEXITSTATUS(s->status));
    }
    return bx_fail(err, BX_ERR_UNAVAILABLE, "the model server of %s ended (%s)%s" BX_STR_FMT,
                   bx_path_base(s->path), how, words.n ? "; it said: " : "", BX_STR_ARG(words));
}

static int spawn(struct bx_embedded *e, struct bx_embedded_server *s, int64_t window,
                 struct bx_err *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0) {
        return bx_fail_errno(err, errno, "pipe");
    }
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    char window_text[24], threads_text[16];
    snprintf(window_text, sizeof window_text, "%" PRId64, window);
    snprintf(threads_text, sizeof threads_text, "%u", e->threads);
    const char *argv[] = {"boxagnts",  "--model-server", s->path, s->socket,
                          window_text, threads_text,     NULL};
    bx_auto(bx_freep) char *cpu =
        getenv("BOXAGNTS_CPU") ? bx_asprintf("BOXAGNTS_CPU=%s", getenv("BOXAGNTS_CPU")) : NULL;
    bx_auto(bx_freep) char *unwire =
        bx_unwire_list()[0] ? bx_asprintf("BX_UNWIRE=%s", bx_unwire_list()) : NULL;
    const char *env[] = {"LC_ALL=C.UTF-8", cpu ? cpu : unwire, cpu ? unwire : NULL, NULL};
    struct bx_child_spec spec = {.path = e->exe,
                                 .argv = argv,
                                 .env = env,
                                 .stdin_fd = -1,
                                 .stdout_fd = -1,
                                 .stderr_fd = fds[1]};
    pid_t pid = 0;
    int r = bx_child_start(&spec, &pid, err);
    close(fds[1]);
    if (r < 0) {
        close(fds[0]);
        return bx_wrap(err, r, "the model server cannot be started");
    }
    BX_LOCKED(&e->lock);
    s->pid = pid;
    s->stderr_fd = fds[0];
    wake(e);
    return 0;
}

static int read_props(struct bx_embedded *e, struct bx_embedded_server *s,
                      struct bx_cancel *cancel) {
    struct bx_buf body = BX_BUF_INIT(4 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int r = bx_wire_get(e->fetch, "http://model/props", s->socket, cancel, &body, NULL);
    r = r < 0 ? r : bx_doc_parse(bx_buf_str(&body), NULL, &doc, NULL);
    if (r == 0) {
        const struct bx_val *root = bx_doc_root(doc);
        s->window = bx_val_get_int(bx_val_get(root, "default_generation_settings"), "n_ctx", 0);
        s->supports_tools =
            bx_val_get_bool(bx_val_get(root, "chat_template_caps"), "supports_tools", false);
    }
    bx_buf_deinit(&body);
    return r;
}

static int wait_ready(struct bx_embedded *e, struct bx_embedded_server *s, struct bx_cancel *cancel,
                      struct bx_err *err) {
    uint64_t start = bx_mono_ms();
    for (uint64_t wait_ms = 2;; wait_ms = BX_MIN(wait_ms * 2, 100)) {
        int r = bx_cancel_sleep(cancel, wait_ms);
        if (r < 0) {
            return bx_fail(err, r, "stopped");
        }
        {
            BX_LOCKED(&e->lock);
            if (has_ended(s)) {
                return tell_end(s, err);
            }
        }
        struct bx_buf body = BX_BUF_INIT(64 * BX_KIB);
        r = bx_file_exists(s->socket)
                ? bx_wire_get(e->fetch, "http://model/health", s->socket, cancel, &body, NULL)
                : BX_ERR_UNAVAILABLE;
        bx_buf_deinit(&body);
        if (r == 0 && read_props(e, s, cancel) == 0) {
            return 0;
        }
        if (bx_mono_ms() - start > START_LIMIT_MS) {
            return bx_fail(err, BX_ERR_UNAVAILABLE, "%s did not become ready within %d s",
                           bx_path_base(s->path), START_LIMIT_MS / 1000);
        }
    }
}

static int prepare(struct bx_embedded *e, struct bx_embedded_server *s, struct bx_err *err) {
    if (access(s->path, R_OK) < 0) {
        return bx_fail_errno(err, errno, "%s", s->path);
    }
    int r = bx_dir_make(e->runtime_dir, 0700, err);
    struct sockaddr_un un;
    if (r == 0 && strlen(s->socket) >= sizeof un.sun_path) {
        return bx_fail(err, BX_ERR_INVALID, "the folder for sockets has too long a name: %s",
                       e->runtime_dir);
    }
    unlink(s->socket); // of a process that was killed
    return r;
}

static struct known_window *find_window(struct bx_embedded *e, const char *path, int64_t asked) {
    for (size_t i = 0; i < e->windows.n; i++) {
        if (e->windows.p[i].asked == asked && strcmp(e->windows.p[i].path, path) == 0) {
            return &e->windows.p[i];
        }
    }
    return NULL;
}

int64_t bx_embedded_window(struct bx_embedded *e, const char *model_path, int64_t window) {
    BX_LOCKED(&e->lock);
    const struct known_window *known = find_window(e, model_path, window);
    return known ? known->told : 0;
}

/* With the lock held. */
static void fill(struct bx_embedded *e, struct bx_embedded_server *s, struct bx_embedded_use *ret) {
    struct known_window *known = find_window(e, s->path, s->asked);
    if (!known) {
        bx_vec_push(&e->windows,
                    ((struct known_window){.path = bx_strdup(s->path), .asked = s->asked}));
        known = &e->windows.p[e->windows.n - 1];
    }
    known->told = s->window;
    *ret = (struct bx_embedded_use){
        .server = s, .socket = s->socket, .window = s->window, .supports_tools = s->supports_tools};
}

/* The server of that path, or a new one in state STARTING that the caller has to start (*ret_mine).
 * With the lock held. */
static struct bx_embedded_server *find_or_add(struct bx_embedded *e, const char *path,
                                              int64_t asked, bool *ret_mine) {
    for (size_t i = e->servers.n; i > 0; i--) {
        struct bx_embedded_server *s = e->servers.p[i - 1];
        if (strcmp(s->path, path) == 0 && s->state != ENDED && (s->users || s->asked == asked) &&
            !(s->state == READY && has_ended(s))) {
            *ret_mine = false;
            return s;
        }
        if (s->users == 0) {
            retire(e, s); // make room for the new one
        }
    }
    struct bx_embedded_server *s = bx_new(struct bx_embedded_server);
    s->path = bx_strdup(path);
    s->asked = asked;
    s->socket = bx_asprintf("%s/model-%d-%u.sock", e->runtime_dir, (int)getpid(), e->next_socket++);
    s->stderr_fd = -1;
    s->tail = BX_BUF_INIT(TAIL_BYTES);
    bx_vec_push(&e->servers, s);
    *ret_mine = true;
    return s;
}

static int start_thread(struct bx_embedded *e, struct bx_err *err) {
    BX_LOCKED(&e->lock);
    if (e->running) {
        return 0;
    }
    int r = bx_thread_start(&e->thread, "bx-models", supervise, e, err);
    e->running = r == 0;
    return r;
}

/* Another thread starts it: wait for that. 0 = look again. */
static int wait_for_starter(struct bx_embedded *e, struct bx_cancel *cancel, struct bx_err *err) {
    if (bx_cancel_fired(cancel)) {
        return bx_fail(err, BX_ERR_CANCELLED, "stopped");
    }
    bx_cond_wait_ms(&e->changed, &e->lock, 50);
    return 0;
}

int bx_embedded_acquire(struct bx_embedded *e, const char *model_path, int64_t window,
                        void (*on_phase)(void *user, const char *text), void *user,
                        struct bx_cancel *cancel, struct bx_embedded_use *ret, struct bx_err *err) {
    int r = start_thread(e, err);
    struct bx_embedded_server *s = NULL;
    for (bool mine = false; r == 0 && !mine;) {
        BX_LOCKED(&e->lock);
        s = find_or_add(e, model_path, window, &mine);
        if (!mine && s->state == READY) {
            s->users++;
            fill(e, s, ret);
            return 0;
        }
        if (mine) {
            s->users = 1;
        } else {
            r = wait_for_starter(e, cancel, err);
        }
    }
    if (r < 0) {
        return r;
    }
    if (on_phase) {
        bx_auto(bx_freep) char *text = bx_asprintf("starting %s", bx_path_base(model_path));
        on_phase(user, text);
    }
    r = prepare(e, s, err);
    r = r < 0 ? r : spawn(e, s, window, err);
    r = r < 0 ? r : wait_ready(e, s, cancel, err);
    BX_LOCKED(&e->lock);
    if (r < 0) {
        retire(e, s);
        return r;
    }
    s->state = READY;
    pthread_cond_broadcast(&e->changed);
    fill(e, s, ret);
    return 0;
}

void bx_embedded_release(struct bx_embedded *e, struct bx_embedded_use *use) {
    BX_LOCKED(&e->lock);
    if (use->server && --use->server->users == 0) {
        use->server->idle_since_ms = bx_mono_ms();
        wake(e);
    }
    *use = (struct bx_embedded_use){0};
}

bool bx_embedded_has_ended(struct bx_embedded *e, struct bx_embedded_use *use, struct bx_err *err) {
    // the socket may be gone a moment before the process is
    for (int i = 0; i < 20; i++) {
        {
            BX_LOCKED(&e->lock);
            if (has_ended(use->server)) {
                tell_end(use->server, err);
                return true;
            }
            bx_cond_wait_ms(&e->changed, &e->lock, 5);
        }
    }
    return false;
}

size_t bx_embedded_pids(struct bx_embedded *e, pid_t *out, size_t max) {
    BX_LOCKED(&e->lock);
    size_t n = 0;
    for (size_t i = 0; i < e->servers.n && n < max; i++) {
        if (e->servers.p[i]->pid > 0) {
            out[n++] = e->servers.p[i]->pid;
        }
    }
    return n;
}
