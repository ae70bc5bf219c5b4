#include "box/group.h"

#include "base/clock.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "box/embedded.h"
#include "box/pipe.h"
#include "box/spawn_request.h"
#include "box/wall_linux.h"
#include "box/wasi.h"

#define PIPES_MAX  128
#define FIRST_PIPE 3     /* below it: the caller's standard streams */
#define ENDED_MAX  10000 /* that nobody waited for yet */
#define NUDGE_MS   20

struct stream {
    enum { NOTHING, PIPE, CALL_IN, CALL_OUT, CALL_ERR } kind;
    struct bx_pipe *pipe;
};

struct process {
    struct bx_group *group;
    int32_t pid, parent; /* parent 0: the root, or nobody waits for it any more */
    unsigned depth;
    struct stream std[3];
    bool holds[PIPES_MAX][2]; /* by pipe and end; its standard streams not counted */
    bool ending;              /* it is to do nothing more */
    int32_t killed_status;    /* or -1 */
    pthread_t thread;         /* once it is on one */
    bool on_thread;
    struct bxe_cancel *cancel;
    const struct bxe_tool *tool;
    struct bx_spawn_request request; /* not the root */
};

struct ended { /* until its parent asks */
    int32_t pid, parent, status;
};

struct bx_group {
    struct bx_group_plan plan;
    struct bxe_budget *budget;
    uint64_t deadline_ms;
    unsigned processes_max;
    pthread_mutex_t mutex;  /* over what follows and over all processes and pipes */
    pthread_cond_t changed; /* a process ended */
    BX_VEC(struct process *) alive;
    BX_VEC(struct ended) ended;
    struct bx_pipe *pipes[PIPES_MAX];
    int32_t last_pid;
    unsigned refused; /* starts */
    size_t input_at;  /* of the call's standard input, which all share */
    bool over;        /* nothing starts any more */
    uint8_t limit;    /* that ended the call, as in DONE */
    uint8_t noted;    /* that somebody came up against and perhaps coped with */
};

static const struct bxe_process process_calls;

/* --- ends: with the mutex held */

static void wake_all(struct bx_group *g) {
    for (size_t i = 0; i < PIPES_MAX; i++) {
        if (g->pipes[i]) {
            bx_pipe_wake(g->pipes[i]);
        }
    }
    pthread_cond_broadcast(&g->changed);
}

static void end_process(struct process *p) {
    p->ending = true;
    bxe_cancel_fire(p->cancel);
}

/* It waits in the kernel, perhaps: to be repeated until it has ended. */
static void nudge(const struct process *p) {
    if (p->on_thread) {
        bx_guest_thread_nudge(p->thread);
    }
}

/* Everybody is to end; the first reason is the call's. */
static void end_all(struct bx_group *g, uint8_t limit) {
    g->limit = g->over ? g->limit : limit;
    g->over = true;
    for (size_t i = 0; i < g->alive.n; i++) {
        end_process(g->alive.p[i]);
    }
    wake_all(g);
}

static void note(struct bx_group *g, uint8_t limit) {
    g->noted = g->noted ? g->noted : limit;
}

static int32_t out_of_time(struct bx_group *g) {
    end_all(g, BXE_LIMIT_TIME);
    return BXE_STOP;
}

/* --- streams and pipes: with the mutex held */

static void release(struct bx_group *g, struct bx_pipe *pipe, enum bx_pipe_end end) {
    if (!bx_pipe_release(pipe, end)) {
        return;
    }
    for (size_t i = 0; i < PIPES_MAX; i++) {
        g->pipes[i] = g->pipes[i] == pipe ? NULL : g->pipes[i];
    }
    bx_pipe_free(pipe);
}

/* What a number means to this process as an input or an output of another */
static bool find_stream(const struct process *p, int32_t number, enum bx_pipe_end end,
                        struct stream *ret) {
    *ret = (struct stream){NOTHING, NULL};
    if (number < 0) {
        return number == -1;
    }
    if (number < FIRST_PIPE) {
        *ret = p->std[number];
        return (number == 0) == (end == BX_PIPE_READ);
    }
    size_t i = (size_t)number - FIRST_PIPE;
    *ret = (struct stream){PIPE, i < PIPES_MAX ? p->group->pipes[i] : NULL};
    return i < PIPES_MAX && p->holds[i][end];
}

static void hold_streams(struct process *p) {
    for (size_t i = 0; i < 3; i++) {
        if (p->std[i].kind == PIPE) {
            bx_pipe_hold(p->std[i].pipe, i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE);
        }
    }
}

static void release_all(struct process *p) {
    struct bx_group *g = p->group;
    for (size_t i = 0; i < 3; i++) {
        if (p->std[i].kind == PIPE) {
            release(g, p->std[i].pipe, i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE);
        }
    }
    for (size_t i = 0; i < PIPES_MAX; i++) {
        for (int end = BX_PIPE_READ; end <= BX_PIPE_WRITE; end++) {
            if (p->holds[i][end]) {
                p->holds[i][end] = false;
                release(g, g->pipes[i], (enum bx_pipe_end)end);
            }
        }
    }
}

static struct bx_pipe_wait waiting(struct process *p) {
    return (struct bx_pipe_wait){&p->group->mutex, &p->ending, p->group->deadline_ms};
}

static int64_t read_pipe(struct process *p, struct bx_pipe *pipe, uint8_t *into, size_t max) {
    struct bx_pipe_wait w = waiting(p);
    int64_t n = bx_pipe_read(pipe, into, max, &w);
    return n == BX_PIPE_LATE ? out_of_time(p->group) : n < 0 ? BXE_STOP : n;
}

static int64_t write_pipe(struct process *p, struct bx_pipe *pipe, const uint8_t *bytes, size_t n) {
    struct bx_pipe_wait w = waiting(p);
    int64_t done = bx_pipe_write(pipe, bytes, n, &w);
    return done == BX_PIPE_LATE ? out_of_time(p->group) : done == BX_PIPE_STOPPED ? BXE_STOP : done;
}

/* --- what a guest asks: on its thread */

static int64_t on_read(void *user, uint8_t *into, size_t max) {
    struct process *p = user;
    struct bx_group *g = p->group;
    const struct bxe_run *run = g->plan.run;
    BX_LOCKED(&g->mutex);
    if (p->ending) {
        return BXE_STOP;
    }
    if (p->std[0].kind == PIPE) {
        return read_pipe(p, p->std[0].pipe, into, max);
    }
    size_t n = p->std[0].kind == CALL_IN ? BX_MIN(max, run->input_size - g->input_at) : 0;
    if (n > 0) {
        memcpy(into, run->input + g->input_at, n);
        g->input_at += n;
    }
    return (int64_t)n;
}

static enum bxe_write on_write(void *user, int fd, const uint8_t *bytes, size_t n) {
    struct process *p = user;
    struct bx_group *g = p->group;
    const struct stream *to = &p->std[fd];
    if (to->kind == CALL_OUT || to->kind == CALL_ERR) {
        enum bxe_write r =
            g->plan.run->write(g->plan.run->user, to->kind == CALL_OUT ? 1 : 2, bytes, n);
        if (r != BXE_WRITE_OK) {
            BX_LOCKED(&g->mutex);
            end_all(g, r == BXE_WRITE_LIMIT ? BXE_LIMIT_OUTPUT : BXE_LIMIT_CANCELLED);
        }
        return r;
    }
    BX_LOCKED(&g->mutex);
    int64_t done = to->kind == PIPE ? write_pipe(p, to->pipe, bytes, n) : 0;
    return done >= 0 ? BXE_WRITE_OK : done == BX_PIPE_BROKEN ? BXE_WRITE_NO_READER : BXE_WRITE_STOP;
}

static int32_t on_pipe(void *user) {
    struct process *p = user;
    struct bx_group *g = p->group;
    BX_LOCKED(&g->mutex);
    for (size_t i = 0; i < PIPES_MAX && !p->ending; i++) {
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

static struct bx_pipe *held_pipe(const struct process *p, int32_t number, enum bx_pipe_end end) {
    struct stream s;
    return number >= FIRST_PIPE && find_stream(p, number, end, &s) ? s.pipe : NULL;
}

static int32_t on_pipe_read(void *user, int32_t number, uint8_t *into, uint32_t max) {
    struct process *p = user;
    BX_LOCKED(&p->group->mutex);
    struct bx_pipe *pipe = held_pipe(p, number, BX_PIPE_READ);
    return p->ending ? BXE_STOP : pipe ? (int32_t)read_pipe(p, pipe, into, max) : -BX_WASI_EBADF;
}

static int32_t on_pipe_write(void *user, int32_t number, const uint8_t *bytes, size_t n) {
    struct process *p = user;
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
    struct process *p = user;
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

static struct process *find_process(const struct bx_group *g, int32_t pid) {
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
    struct process *p = user;
    struct bx_group *g = p->group;
    uint64_t start = bx_mono_ms(),
             until = timeout_ms < 0 ? UINT64_MAX : start + (uint64_t)timeout_ms;
    BX_LOCKED(&g->mutex);
    for (;;) {
        int32_t status;
        const struct process *child;
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
            nudge(child);
            left = BX_MIN(left, (uint64_t)NUDGE_MS);
        }
        bx_cond_wait_ms(&g->changed, &g->mutex, left);
    }
}

/* A process and what it started, and what those started. */
static void kill_tree(struct bx_group *g, struct process *top, int32_t status) {
    top->killed_status = status;
    end_process(top);
    for (size_t i = 0; i < g->alive.n; i++) {
        struct process *p = g->alive.p[i];
        if (p->parent == top->pid && !p->ending) {
            kill_tree(g, p, status); /* not deeper than starts may be nested */
        }
    }
}

static int32_t on_kill(void *user, int32_t pid, int32_t status) {
    struct process *p = user;
    struct bx_group *g = p->group;
    BX_LOCKED(&g->mutex);
    if (status < 0 || status > 255) {
        return -BX_WASI_EINVAL;
    }
    for (size_t i = 0; i < g->ended.n; i++) {
        if (g->ended.p[i].pid == pid && g->ended.p[i].parent == p->pid) {
            return 0;
        }
    }
    struct process *child = find_process(g, pid);
    if (!child || child->parent != p->pid) {
        return -BX_WASI_ECHILD;
    }
    if (!child->ending) {
        kill_tree(g, child, status);
        wake_all(g);
    }
    return 0;
}

/* --- one process, from its start to its end */

static struct bxe_run run_of(struct process *p) {
    struct bx_group *g = p->group;
    struct bxe_run run = *g->plan.run;
    if (p->request.argv) { /* not the root */
        uint64_t now = bx_mono_ms();
        run.argv = p->request.argv;
        run.argc = p->request.argc;
        run.env = p->request.env;
        run.env_count = p->request.env_count;
        run.time_ms = g->deadline_ms == UINT64_MAX ? 0
                      : g->deadline_ms > now       ? g->deadline_ms - now
                                                   : 1;
        run.ask = NULL;
        run.answer = NULL;
    }
    run.budget = g->budget;
    run.cancel = p->cancel;
    run.user = p;
    run.read = on_read;
    run.write = on_write;
    run.process = &process_calls;
    return run;
}

/* Which limits end the whole call; others stop or hinder one process. */
static bool is_common(enum bxe_limit limit) {
    return limit == BXE_LIMIT_TIME || limit == BXE_LIMIT_CPU || limit == BXE_LIMIT_FUEL ||
           limit == BXE_LIMIT_OUTPUT;
}

/* A process that ended by a fault says so where its own errors go, as a shell would for it. */
static void say_crash(struct process *p, const struct bxe_result *r) {
    char text[600];
    bool stopped = r->limit == BXE_LIMIT_CANCELLED || is_common(r->limit);
    if ((r->exit == BXE_EXIT_TRAP && !stopped) || r->exit == BXE_EXIT_SETUP) {
        int n = snprintf(text, sizeof text, "%.100s: %s: %s\n", p->request.argv[0],
                         r->exit == BXE_EXIT_TRAP ? "crashed" : "cannot be started", r->message);
        on_write(p, 2, (const uint8_t *)text, (size_t)n);
    }
}

static void leave(struct process *p, const struct bxe_result *r) {
    struct bx_group *g = p->group;
    bool cut = bx_wall_file_size_hit() && !bx_unwired("written");
    BX_LOCKED(&g->mutex);
    if (is_common(r->limit)) {
        end_all(g, (uint8_t)r->limit);
    } else if (r->limit != BXE_LIMIT_NONE && r->limit != BXE_LIMIT_CANCELLED) {
        note(g, (uint8_t)r->limit);
    } else if (cut) {
        note(g, BX_DONE_WRITTEN);
    }
    release_all(p);
    for (size_t i = g->alive.n; i-- > 0;) {
        if (g->alive.p[i] == p) {
            bx_vec_remove(&g->alive, i);
        } else if (g->alive.p[i]->parent == p->pid) {
            g->alive.p[i]->parent = 0;
        }
    }
    for (size_t i = g->ended.n; i-- > 0;) {
        if (g->ended.p[i].parent == p->pid) {
            bx_vec_remove(&g->ended, i);
        }
    }
    if (p->parent != 0) {
        int32_t status = p->killed_status >= 0 ? p->killed_status : r->status;
        bx_vec_push(&g->ended, ((struct ended){p->pid, p->parent, status}));
    }
    pthread_cond_broadcast(&g->changed);
}

static void process_free(struct process *p) {
    bxe_cancel_free(p->cancel);
    bx_spawn_request_deinit(&p->request);
    bx_free(p);
}

static void process_main(void *user) {
    struct process *p = user;
    struct bxe_result result;
    struct bxe_run run = run_of(p);
    {
        BX_LOCKED(&p->group->mutex);
        p->thread = pthread_self();
        p->on_thread = true;
    }
    bx_wall_file_size_hit();
    bxe_run(p->tool, &run, &result);
    say_crash(p, &result);
    leave(p, &result); /* from here on the group may be gone */
    process_free(p);
}

/* --- starting one */

static int32_t refuse(struct bx_group *g, uint8_t limit) {
    note(g, limit);
    if (++g->refused > g->processes_max) { /* it does not take no for an answer */
        end_all(g, limit);
        return BXE_STOP;
    }
    return -BX_WASI_EAGAIN;
}

/* With the mutex held: the child is a process of the group, or why not. */
static int32_t admit(struct process *p, struct process *child) {
    struct bx_group *g = p->group;
    const int32_t numbers[] = {child->request.in, child->request.out, child->request.err};
    for (size_t i = 0; i < 3; i++) {
        if (!find_stream(p, numbers[i], i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE, &child->std[i])) {
            return -BX_WASI_EBADF;
        }
    }
    if (p->ending) {
        return BXE_STOP;
    }
    if (g->alive.n >= g->processes_max || p->depth >= g->processes_max || g->ended.n >= ENDED_MAX) {
        return refuse(g, BX_DONE_PROCESSES);
    }
    child->pid = ++g->last_pid;
    child->parent = p->pid;
    child->depth = p->depth + 1;
    hold_streams(child);
    bx_vec_push(&g->alive, child);
    return child->pid;
}

/* Undoes admit; nobody can have waited for it, because its parent is here. */
static int32_t dismiss(struct process *child) {
    struct bx_group *g = child->group;
    BX_LOCKED(&g->mutex);
    for (size_t i = 0; i < g->alive.n; i++) {
        if (g->alive.p[i] == child) {
            bx_vec_remove(&g->alive, i);
            break;
        }
    }
    release_all(child);
    return refuse(g, BXE_LIMIT_ROOM);
}

static int32_t find_program(struct process *child) {
    const struct bx_group *g = child->group;
    struct bx_call_frame call = *g->plan.call;
    call.embedded = bx_embedded_program(bx_str(child->request.argv[0]));
    if (call.embedded.n == 0) {
        return -BX_WASI_ENOENT;
    }
    return bx_loader_find(g->plan.loader, &call, &child->tool, NULL) < 0 ? -BX_WASI_ENOEXEC : 0;
}

static struct process *process_new(struct bx_group *g) {
    struct process *p = bx_new(struct process);
    p->group = g;
    p->killed_status = -1;
    p->cancel = bxe_cancel_new();
    return p;
}

static int32_t start(struct process *p, struct process *child) {
    int32_t pid;
    {
        BX_LOCKED(&p->group->mutex);
        pid = admit(p, child);
    }
    if (pid > 0 && bx_guest_crew_start(p->group->plan.crew, process_main, child, NULL) < 0) {
        pid = dismiss(child);
    }
    return pid;
}

static int32_t on_spawn(void *user, const uint8_t *request, size_t n) {
    struct process *p = user, *child = process_new(p->group);
    int32_t r = bx_spawn_request_decode(request, n, &child->request);
    r = r < 0 ? r : find_program(child);
    r = r < 0 ? r : start(p, child);
    if (r < 0) {
        process_free(child);
    }
    return r;
}

static const struct bxe_process process_calls = {
    .pipe = on_pipe,
    .spawn = on_spawn,
    .wait = on_wait,
    .kill = on_kill,
    .read = on_pipe_read,
    .write = on_pipe_write,
    .close = on_close,
};

/* --- the group */

struct bx_group *bx_group_new(const struct bx_group_plan *plan) {
    struct bx_group *g = bx_new(struct bx_group);
    const struct bxe_run *run = plan->run;
    g->plan = *plan;
    g->budget = bxe_budget_new(run->fuel, run->cpu_ms, run->memory_bytes);
    g->processes_max =
        bx_unwired("processes") ? UINT32_MAX : (unsigned)plan->call->limits[BX_LIMIT_PROCESSES];
    g->deadline_ms = run->time_ms ? bx_mono_ms() + run->time_ms : UINT64_MAX;
    pthread_mutex_init(&g->mutex, NULL);
    bx_cond_init(&g->changed);
    return g;
}

void bx_group_free(struct bx_group *g) {
    if (g) {
        bxe_budget_free(g->budget);
        bx_vec_free(&g->alive);
        bx_vec_free(&g->ended);
        pthread_cond_destroy(&g->changed);
        pthread_mutex_destroy(&g->mutex);
        bx_free(g);
    }
}

void bx_group_stop(struct bx_group *g) {
    BX_LOCKED(&g->mutex);
    end_all(g, BXE_LIMIT_CANCELLED);
}

/* Requests for the network are the root's alone: their answers come to its thread. */
static enum bxe_http_error on_ask(void *user, const struct bxe_request *request) {
    const struct bxe_run *run = ((struct process *)user)->group->plan.run;
    return run->ask(run->user, request);
}

static int on_answer(void *user, struct bxe_answers *answers) {
    const struct bxe_run *run = ((struct process *)user)->group->plan.run;
    return run->answer(run->user, answers);
}

static void run_root(struct bx_group *g, struct bxe_result *ret) {
    struct process *root = process_new(g);
    root->std[0].kind = CALL_IN;
    root->std[1].kind = CALL_OUT;
    root->std[2].kind = CALL_ERR;
    root->tool = g->plan.tool;
    struct bxe_run run = run_of(root);
    run.ask = run.ask ? on_ask : NULL;
    run.answer = run.answer ? on_answer : NULL;
    {
        BX_LOCKED(&g->mutex);
        root->pid = ++g->last_pid;
        root->thread = pthread_self();
        root->on_thread = true;
        bx_vec_push(&g->alive, root);
        if (g->over) {
            end_process(root);
        }
    }
    bx_wall_file_size_hit();
    bxe_run(root->tool, &run, ret);
    leave(root, ret);
    process_free(root);
}

/* Nobody outlives the root. */
static void end_rest(struct bx_group *g) {
    BX_LOCKED(&g->mutex);
    end_all(g, BXE_LIMIT_NONE);
    while (g->alive.n > 0) {
        if (!bx_cond_wait_ms(&g->changed, &g->mutex, NUDGE_MS)) {
            for (size_t i = 0; i < g->alive.n; i++) {
                nudge(g->alive.p[i]);
            }
        }
    }
}

void bx_group_run(struct bx_group *g, struct bxe_result *ret, uint8_t *ret_limit) {
    struct bxe_used used;
    run_root(g, ret);
    end_rest(g);
    bxe_budget_used(g->budget, &used);
    ret->fuel_used = used.fuel;
    ret->cpu_us = used.cpu_us;
    ret->memory_peak_bytes = used.memory_peak_bytes;
    if (g->limit) {
        ret->exit = BXE_EXIT_TRAP;
        *ret_limit = g->limit;
    } else {
        *ret_limit = ret->limit != BXE_LIMIT_NONE ? (uint8_t)ret->limit : g->noted;
    }
}
