#include "box/guest.h"

#include "base/clock.h"
#include "base/unwire.h"
#include "box/embedded.h"
#include "box/wall_linux.h"
#include "box/wasi.h"

#define ENDED_MAX      10000 /* that nobody waited for yet */
#define REFUSED_STATUS 254   /* as of a shell that cannot fork */
#define REFUSED_TOLD   3     /* so many are told why; what else asks is ended */
#define SHELL          "bash"
#define BARRED_STATUS  126 /* as of a shell that may not run it */

/* --- ends: with the mutex held */

void bx_group_wake_all(struct bx_group *g) {
    for (size_t i = 0; i < BX_PIPES_MAX; i++) {
        if (g->pipes[i]) {
            bx_pipe_wake(g->pipes[i]);
        }
    }
    pthread_cond_broadcast(&g->changed);
}

void bx_guest_end(struct bx_guest *p) {
    p->ending = true;
    bxe_cancel_fire(p->cancel);
}

/* Everybody is to end; the first reason is the call's. */
void bx_group_end_all(struct bx_group *g, uint8_t limit) {
    g->limit = g->over ? g->limit : limit;
    g->over = true;
    for (size_t i = 0; i < g->alive.n; i++) {
        bx_guest_end(g->alive.p[i]);
    }
    bx_group_wake_all(g);
}

static void note(struct bx_group *g, uint8_t limit) {
    g->noted = g->noted ? g->noted : limit;
}

/* --- one process, from its start to its end */

/* A shell is told by its host alone, whatever it was given by who started it. */
static void tell_bars(struct bx_guest *p, struct bxe_run *run) {
    size_t n = 0;
    if (!p->is_shell || !p->group->bars_env) {
        return;
    }
    p->env = bx_realloc_array(NULL, run->env_count + 1, sizeof *p->env);
    for (size_t i = 0; i < run->env_count; i++) {
        if (strncmp(run->env[i], BX_BARS_ENV, strlen(BX_BARS_ENV)) != 0) {
            p->env[n++] = run->env[i];
        }
    }
    p->env[n++] = p->group->bars_env;
    run->env = p->env;
    run->env_count = n;
}

static struct bxe_run run_of(struct bx_guest *p) {
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
    tell_bars(p, &run);
    run.budget = g->budget;
    run.cancel = p->cancel;
    run.user = p;
    run.read = bx_guest_read;
    run.write = bx_guest_write;
    run.process = &bx_guest_calls;
    return run;
}

/* Which limits end the whole call; others stop or hinder one process. */
static bool is_common(enum bxe_limit limit) {
    return limit == BXE_LIMIT_TIME || limit == BXE_LIMIT_CPU || limit == BXE_LIMIT_FUEL ||
           limit == BXE_LIMIT_OUTPUT;
}

/* A process that ended by a fault says so where its own errors go, as a shell would for it. */
static void say_crash(struct bx_guest *p, const struct bxe_result *r) {
    char text[600];
    bool stopped = r->limit == BXE_LIMIT_CANCELLED || is_common(r->limit);
    if ((r->exit == BXE_EXIT_TRAP && !stopped) || r->exit == BXE_EXIT_SETUP) {
        int n = snprintf(text, sizeof text, "%.100s: %s: %s\n", p->request.argv[0],
                         r->exit == BXE_EXIT_TRAP ? "crashed" : "cannot be started", r->message);
        bx_guest_write(p, 2, (const uint8_t *)text, (size_t)n);
    }
}

/* In the place of a program that may not be started. */
static void say_barred(struct bx_guest *p, struct bxe_result *ret) {
    char text[600];
    int n = snprintf(text, sizeof text, "%.100s: not started: %.450s\n", p->request.argv[0],
                     p->bar->why);
    *ret = (struct bxe_result){.exit = BXE_EXIT_ERROR, .status = BARRED_STATUS};
    bx_guest_write(p, 2, (const uint8_t *)text, (size_t)n);
}

static void leave(struct bx_guest *p, const struct bxe_result *r) {
    struct bx_group *g = p->group;
    bool cut = bx_wall_file_size_hit() && !bx_unwired("written");
    BX_LOCKED(&g->mutex);
    if (is_common(r->limit)) {
        bx_group_end_all(g, (uint8_t)r->limit);
    } else if (r->limit != BXE_LIMIT_NONE && r->limit != BXE_LIMIT_CANCELLED) {
        note(g, (uint8_t)r->limit);
    } else if (cut) {
        note(g, BX_DONE_WRITTEN);
    }
    bx_guest_release_all(p);
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
        bx_vec_push(&g->ended, ((struct bx_ended){p->pid, p->parent, status}));
    }
    pthread_cond_broadcast(&g->changed);
}

static void process_free(struct bx_guest *p) {
    bxe_cancel_free(p->cancel);
    bx_spawn_request_deinit(&p->request);
    bx_free(p->env);
    bx_free(p);
}

static void process_main(void *user) {
    struct bx_guest *p = user;
    struct bxe_result result;
    struct bxe_run run = run_of(p);
    {
        BX_LOCKED(&p->group->mutex);
        p->thread = pthread_self();
        p->on_thread = true;
    }
    bx_wall_file_size_hit();
    if (p->bar) {
        say_barred(p, &result);
    } else {
        bxe_run(p->tool, &run, &result);
        say_crash(p, &result);
    }
    leave(p, &result); /* from here on the group may be gone */
    process_free(p);
}

/* --- starting one */

/* Of a crowd that all want more, a few say so and the others end in silence; the call's own guest
 * always hears. */
static int32_t refuse(struct bx_guest *p, uint8_t limit) {
    struct bx_group *g = p->group;
    note(g, limit);
    if (++g->refused > g->processes_max) { /* it does not take no for an answer */
        bx_group_end_all(g, limit);
        return BXE_STOP;
    }
    if (g->refused > REFUSED_TOLD && p->request.argv) {
        p->killed_status = REFUSED_STATUS;
        bx_guest_end(p);
        return BXE_STOP;
    }
    return -BX_WASI_EAGAIN;
}

/* With the mutex held */
static void note_barred(struct bx_group *g, const struct bx_guest *child) {
    uint32_t bar = (uint32_t)(child->bar - g->plan.bars);
    for (size_t i = 0; i < g->barred.n; i++) {
        if (g->barred.p[i].bar == bar) {
            g->barred.p[i].times += g->barred.p[i].times < UINT32_MAX;
            return;
        }
    }
    if (g->barred.n < BX_BARRED_MAX) {
        char *command = bx_bars_command(child->request.argv, child->request.argc);
        bx_vec_push(&g->barred, ((struct bx_barred){.bar = bar, .times = 1, .command = command}));
    }
}

/* With the mutex held: the child is a process of the group, or why not. */
static int32_t admit(struct bx_guest *p, struct bx_guest *child) {
    struct bx_group *g = p->group;
    const int32_t numbers[] = {child->request.in, child->request.out, child->request.err};
    for (size_t i = 0; i < 3; i++) {
        if (!bx_guest_stream(p, numbers[i], i == 0 ? BX_PIPE_READ : BX_PIPE_WRITE,
                             &child->std[i])) {
            return -BX_WASI_EBADF;
        }
    }
    if (p->ending) {
        return BXE_STOP;
    }
    if (g->alive.n >= g->processes_max || p->depth >= g->processes_max || g->ended.n >= ENDED_MAX) {
        return refuse(p, BX_DONE_PROCESSES);
    }
    if (child->bar) {
        note_barred(g, child);
    }
    child->pid = ++g->last_pid;
    child->parent = p->pid;
    child->depth = p->depth + 1;
    bx_guest_hold_streams(child);
    bx_vec_push(&g->alive, child);
    return child->pid;
}

/* Undoes admit; nobody can have waited for it, because its parent is here. */
static int32_t dismiss(struct bx_guest *p, struct bx_guest *child) {
    struct bx_group *g = child->group;
    BX_LOCKED(&g->mutex);
    for (size_t i = 0; i < g->alive.n; i++) {
        if (g->alive.p[i] == child) {
            bx_vec_remove(&g->alive, i);
            break;
        }
    }
    bx_guest_release_all(child);
    return refuse(p, BXE_LIMIT_ROOM);
}

static int32_t find_program(struct bx_guest *child) {
    const struct bx_group *g = child->group;
    struct bx_call_frame call = *g->plan.call;
    const struct bx_spawn_request *q = &child->request;
    size_t bar =
        bx_bars_find(g->plan.bars, g->plan.bar_count, q->argv, q->argc, q->env, q->env_count);
    if (bar < g->plan.bar_count && !bx_unwired("command_deny")) {
        child->bar = &g->plan.bars[bar];
        return 0;
    }
    call.embedded = bx_embedded_program(bx_str(q->argv[0]));
    if (call.embedded.n == 0) {
        return -BX_WASI_ENOENT;
    }
    child->is_shell = bx_str_eqz(call.embedded, SHELL);
    return bx_loader_find(g->plan.loader, &call, &child->tool, NULL) < 0 ? -BX_WASI_ENOEXEC : 0;
}

static struct bx_guest *process_new(struct bx_group *g) {
    struct bx_guest *p = bx_new(struct bx_guest);
    p->group = g;
    p->killed_status = -1;
    p->cancel = bxe_cancel_new();
    return p;
}

static int32_t start(struct bx_guest *p, struct bx_guest *child) {
    int32_t pid;
    {
        BX_LOCKED(&p->group->mutex);
        pid = admit(p, child);
    }
    if (pid > 0 && bx_guest_crew_start(p->group->plan.crew, process_main, child, NULL) < 0) {
        pid = dismiss(p, child);
    }
    return pid;
}

int32_t bx_guest_spawn(void *user, const uint8_t *request, size_t n) {
    struct bx_guest *p = user, *child = process_new(p->group);
    int32_t r = bx_spawn_request_decode(request, n, &child->request);
    r = r < 0 ? r : find_program(child);
    r = r < 0 ? r : start(p, child);
    if (r < 0) {
        process_free(child);
    }
    return r;
}

/* --- the group */

struct bx_group *bx_group_new(const struct bx_group_plan *plan) {
    struct bx_group *g = bx_new(struct bx_group);
    const struct bxe_run *run = plan->run;
    g->plan = *plan;
    g->bars_env = bx_unwired("command_deny") ? NULL : bx_bars_env(plan->bars, plan->bar_count);
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
        bx_barred_free(g->barred.p, g->barred.n);
        bx_free(g->bars_env);
        pthread_cond_destroy(&g->changed);
        pthread_mutex_destroy(&g->mutex);
        bx_free(g);
    }
}

void bx_group_stop(struct bx_group *g) {
    BX_LOCKED(&g->mutex);
    bx_group_end_all(g, BXE_LIMIT_CANCELLED);
}

/* Requests for the network are the root's alone: their answers come to its thread. */
static enum bxe_http_error on_ask(void *user, const struct bxe_request *request) {
    const struct bxe_run *run = ((struct bx_guest *)user)->group->plan.run;
    return run->ask(run->user, request);
}

static int on_answer(void *user, struct bxe_answers *answers) {
    const struct bxe_run *run = ((struct bx_guest *)user)->group->plan.run;
    return run->answer(run->user, answers);
}

static void run_root(struct bx_group *g, struct bxe_result *ret) {
    struct bx_guest *root = process_new(g);
    root->std[0].kind = BX_STREAM_CALL_IN;
    root->std[1].kind = BX_STREAM_CALL_OUT;
    root->std[2].kind = BX_STREAM_CALL_ERR;
    root->tool = g->plan.tool;
    root->is_shell = bx_str_eqz(g->plan.call->embedded, SHELL);
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
            bx_guest_end(root);
        }
    }
    bx_wall_file_size_hit();
    bxe_run(root->tool, &run, ret);
    leave(root, ret);
    process_free(root);
}

/* Waits until only so many are left; all others were told to end. */
static void wait_for_ends(struct bx_group *g, size_t stay) {
    while (g->alive.n > stay) {
        if (!bx_cond_wait_ms(&g->changed, &g->mutex, BX_NUDGE_MS)) {
            for (size_t i = 0; i < g->alive.n; i++) {
                bx_guest_nudge(g->alive.p[i]);
            }
        }
    }
}

void bx_group_end_others(struct bx_guest *root, int32_t status) {
    struct bx_group *g = root->group;
    for (size_t i = 0; i < g->alive.n; i++) {
        if (g->alive.p[i] != root && !g->alive.p[i]->ending) {
            g->left++;
            g->alive.p[i]->killed_status = status;
            bx_guest_end(g->alive.p[i]);
        }
    }
    bx_group_wake_all(g);
    wait_for_ends(g, 1);
}

/* Nobody outlives the root. */
static void end_rest(struct bx_group *g) {
    BX_LOCKED(&g->mutex);
    for (size_t i = 0; i < g->alive.n && !g->over; i++) {
        g->left += !g->alive.p[i]->ending;
    }
    bx_group_end_all(g, BXE_LIMIT_NONE);
    wait_for_ends(g, 0);
}

unsigned bx_group_left(const struct bx_group *g) {
    return g->left;
}

const struct bx_barred *bx_group_barred(const struct bx_group *g, size_t *ret_count) {
    *ret_count = g->barred.n;
    return g->barred.p;
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
