#include "box/guest.h"

#include "base/clock.h"
#include "box/wasi.h"

#define FIRST_PIPE 3 /* below it: the caller's standard streams */

void bx_guest_nudge(const struct bx_guest *p) {
    if (p->on_thread) {
        bx_guest_thread_nudge(p->thread);
    }
}

static int32_t out_of_time(struct bx_group *g) {
    bx_group_end_all(g, BXE_LIMIT_TIME);
    return BXE_STOP;
}

/* --- streams and pipes: with the mutex held */

static void release(struct bx_group *g, struct bx_pipe *pipe, enum bx_pipe_end end) {
    if (!bx_pipe_release(pipe, end)) {
        return;
    }
    for (size_t i = 0; i < BX_PIPES_MAX; i++) {
        g->pipes[i] = g->pipes[i] == pipe ? NULL : g->pipes[i];
    }
    bx_pipe_free(pipe);
}

/* What a number means to this process as an input or an output of another */
bool bx_guest_stream(const struct bx_guest *p, int32_t number, enum bx_pipe_end end,
                     struct bx_stream *ret) {
    *ret = (struct bx_stream){BX_STREAM_NOTHING, NULL};
    if (number < 0) {
        return number == -1;
    }
    if (number < FIRST_PIPE) {
        *ret = p->std[number];
        return (number == 0) == (end == BX_PIPE_READ);
    }
    size_t i = (size_t)number - FIRST_PIPE;
    *ret = (struct bx_stream){BX_STREAM_PIPE, i < BX_PIPES_MAX ? p->group->pipes[i] : NULL};
    return i < BX_PIPES_MAX && p->holds[i][end];
}

void bx_guest_hold_streams(struct bx_guest *p) {
    for (size_t i = 0; i < 3; i++) {
        if (p->std[i].kind == BX_STREAM_PIPE) {
            bx_pipe_hold(p->std[i].pipe, i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE);
        }
    }
}

void bx_guest_release_all(struct bx_guest *p) {
    struct bx_group *g = p->group;
    for (size_t i = 0; i < 3; i++) {
        if (p->std[i].kind == BX_STREAM_PIPE) {
            release(g, p->std[i].pipe, i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE);
        }
    }
    for (size_t i = 0; i < BX_PIPES_MAX; i++) {
        for (int end = BX_PIPE_READ; end <= BX_PIPE_WRITE; end++) {
            if (p->holds[i][end]) {
                p->holds[i][end] = false;
                release(g, g->pipes[i], (enum bx_pipe_end)end);
            }
        }
    }
}

static struct bx_pipe_wait waiting(struct bx_guest *p) {
    return (struct bx_pipe_wait){&p->group->mutex, &p->ending, p->group->deadline_ms};
}

static int64_t read_pipe(struct bx_guest *p, struct bx_pipe *pipe, uint8_t *into, size_t max) {
    struct bx_pipe_wait w = waiting(p);
    int64_t n = bx_pipe_read(pipe, into, max, &w);
    return n == BX_PIPE_LATE ? out_of_time(p->group) : n < 0 ? BXE_STOP : n;
}

static int64_t write_pipe(struct bx_guest *p, struct bx_pipe *pipe, const uint8_t *bytes,
                          size_t n) {
    struct bx_pipe_wait w = waiting(p);
    int64_t done = bx_pipe_write(pipe, bytes, n, &w);
    return done == BX_PIPE_LATE ? out_of_time(p->group) : done == BX_PIPE_STOPPED ? BXE_STOP : done;
}

/* --- what a guest asks: on its thread */

int64_t bx_guest_read(void *user, uint8_t *into, size_t max) {
    struct bx_guest *p = user;
    struct bx_group *g = p->group;
    const struct bxe_run *run = g->plan.run;
    BX_LOCKED(&g->mutex);
    if (p->ending) {
        return BXE_STOP;
    }
    if (p->std[0].kind == BX_STREAM_PIPE) {
        return read_pipe(p, p->std[0].pipe, into, max);
    }
    size_t n = p->std[0].kind == BX_STREAM_CALL_IN ? BX_MIN(max, run->input_size - g->input_at) : 0;
    if (n > 0) {
        memcpy(into, run->input + g->input_at, n);
        g->input_at += n;
    }
    return (int64_t)n;
}

enum bxe_write bx_guest_write(void *user, int fd, const uint8_t *bytes, size_t n) {
    struct bx_guest *p = user;
    struct bx_group *g = p->group;
    const struct bx_stream *to = &p->std[fd];
    if (to->kind == BX_STREAM_CALL_OUT || to->kind == BX_STREAM_CALL_ERR) {
        enum bxe_write r =
            g->plan.run->write(g->plan.run->user, to->kind == BX_STREAM_CALL_OUT ? 1 : 2, bytes, n);
        if (r != BXE_WRITE_OK) {
            BX_LOCKED(&g->mutex);
            bx_group_end_all(g, r == BXE_WRITE_LIMIT ? BXE_LIMIT_OUTPUT : BXE_LIMIT_CANCELLED);
        }
        return r;
    }
    BX_LOCKED(&g->mutex);
    int64_t done = to->kind == BX_STREAM_PIPE ? write_pipe(p, to->pipe, bytes, n) : 0;
    return done >= 0 ? BXE_WRITE_OK : done == BX_PIPE_BROKEN ? BXE_WRITE_NO_READER : BXE_WRITE_STOP;
}

static int32_t on_pipe(void *user) {
    struct bx_guest *p = user;
    struct bx_group *g = p->group;
    BX_LOCKED(&g->mutex);
    for (size_t i = 0; i < BX_PIPES_MAX && !p->ending; i++) {
        if (!g->pipes[i]) {
            g->pipes[i] = bx_pipe_new();
            for (int end = BX_PIPE_READ; end <= BX_PIPE_WRITE; end++) {
                bx_pipe_hold(g->pipes[i], (enum bx_pipe_end)end);
                p->holds[i][end] = true;
            }
            return (int32_t)i + FIRST_PIPE;
        }
    }
    return p->ending ? BXE_STOP : -BX_WASI_EMFILE;
}

static struct bx_pipe *held_pipe(const struct bx_guest *p, int32_t number, enum bx_pipe_end end) {
    struct bx_stream s;
    return number >= FIRST_PIPE && bx_guest_stream(p, number, end, &s) ? s.pipe : NULL;
}

static int32_t on_pipe_read(void *user, int32_t number, uint8_t *into, uint32_t max) {
    struct bx_guest *p = user;
    BX_LOCKED(&p->group->mutex);
    struct bx_pipe *pipe = held_pipe(p, number, BX_PIPE_READ);
    return p->ending ? BXE_STOP : pipe ? (int32_t)read_pipe(p, pipe, into, max) : -BX_WASI_EBADF;
}

static int32_t on_pipe_write(void *user, int32_t number, const uint8_t *bytes, size_t n) {
    struct bx_guest *p = user;
    BX_LOCKED(&p->group->mutex);
    struct bx_pipe *pipe = held_pipe(p, number, BX_PIPE_WRITE);
    if (p->ending) {
        return BXE_STOP;
    }
    if (!pipe || n > INT32_MAX) {
        return pipe ? -BX_WASI_EINVAL : -BX_WASI_EBADF;
    }
    int64_t done = write_pipe(p, pipe, bytes, n);
    return done == BX_PIPE_BROKEN ? -BX_WASI_EPIPE : (int32_t)done;
}

static int32_t on_close(void *user, int32_t number, int32_t end) {
    struct bx_guest *p = user;
    BX_LOCKED(&p->group->mutex);
    if (end != BX_PIPE_READ && end != BX_PIPE_WRITE) {
        return -BX_WASI_EINVAL;
    }
    struct bx_pipe *pipe = held_pipe(p, number, (enum bx_pipe_end)end);
    if (!pipe) {
        return -BX_WASI_EBADF;
    }
    p->holds[number - FIRST_PIPE][end] = false;
    release(p->group, pipe, (enum bx_pipe_end)end);
    return 0;
}

static struct bx_guest *find_process(const struct bx_group *g, int32_t pid) {
    for (size_t i = 0; i < g->alive.n; i++) {
        if (g->alive.p[i]->pid == pid) {
            return g->alive.p[i];
        }
    }
    return NULL;
}

static bool take_ended(struct bx_group *g, int32_t pid, int32_t parent, int32_t *ret_status) {
    for (size_t i = 0; i < g->ended.n; i++) {
        if (g->ended.p[i].pid == pid && g->ended.p[i].parent == parent) {
            *ret_status = g->ended.p[i].status;
            bx_vec_remove(&g->ended, i);
            return true;
        }
    }
    return false;
}

static int32_t on_wait(void *user, int32_t pid, int64_t timeout_ms) {
    struct bx_guest *p = user;
    struct bx_group *g = p->group;
    uint64_t start = bx_mono_ms(),
             until = timeout_ms < 0 ? UINT64_MAX : start + (uint64_t)timeout_ms;
    BX_LOCKED(&g->mutex);
    for (;;) {
        int32_t status;
        const struct bx_guest *child;
        uint64_t now = bx_mono_ms();
        if (p->ending) {
            return BXE_STOP;
        }
        if (take_ended(g, pid, p->pid, &status)) {
            return status;
        }
        if (!(child = find_process(g, pid)) || child->parent != p->pid) {
            return -BX_WASI_ECHILD;
        }
        if (now >= g->deadline_ms) {
            return out_of_time(g);
        }
        if (now >= until) {
            return -BX_WASI_ETIMEDOUT;
        }
        uint64_t left = BX_MIN(until, g->deadline_ms) - now;
        if (child->ending) { /* killed, but it may wait in the kernel */
            bx_guest_nudge(child);
            left = BX_MIN(left, (uint64_t)BX_NUDGE_MS);
        }
        bx_cond_wait_ms(&g->changed, &g->mutex, left);
    }
}

/* A process and what it started, and what those started. */
static void kill_tree(struct bx_group *g, struct bx_guest *top, int32_t status) {
    top->killed_status = status;
    bx_guest_end(top);
    for (size_t i = 0; i < g->alive.n; i++) {
        struct bx_guest *p = g->alive.p[i];
        if (p->parent == top->pid && !p->ending) {
            kill_tree(g, p, status); /* not deeper than starts may be nested */
        }
    }
}

static int32_t on_kill(void *user, int32_t pid, int32_t status) {
    struct bx_guest *p = user;
    struct bx_group *g = p->group;
    BX_LOCKED(&g->mutex);
    if (status < 0 || status > 255) {
        return -BX_WASI_EINVAL;
    }
    if (pid == 0 && !p->request.argv) {
        bx_group_end_others(p, status);
        return p->ending ? BXE_STOP : 0;
    }
    for (size_t i = 0; i < g->ended.n; i++) {
        if (g->ended.p[i].pid == pid && g->ended.p[i].parent == p->pid) {
            return 0;
        }
    }
    struct bx_guest *child = find_process(g, pid);
    if (!child || child->parent != p->pid) {
        return -BX_WASI_ECHILD;
    }
    if (!child->ending) {
        kill_tree(g, child, status);
        bx_group_wake_all(g);
    }
    return 0;
}

const struct bxe_process bx_guest_calls = {
    .pipe = on_pipe,
    .spawn = bx_guest_spawn,
    .wait = on_wait,
    .kill = on_kill,
    .read = on_pipe_read,
    .write = on_pipe_write,
    .close = on_close,
};
