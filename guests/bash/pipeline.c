// Pipelines and background jobs. Of a pipeline's stages, programs are started; the last stage that
// is the shell's own runs in this instance, the others of that kind as fresh instances. An echo in
// front is run first and its output handed on.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"
#include "common/process.h"

enum { MAX_STAGES = 64 };

struct stage {
    const struct sh_node *node;
    struct sh_io *in, *out; /* NULL: the pipeline's own */
    bool is_program;        /* a simple command that is neither function nor builtin */
    int32_t pid;            /* or -1000 - status */
    int status;
};
struct pipeline {
    struct stage stages[MAX_STAGES];
    size_t n, here; /* here: the stage that runs in this instance; n: none */
};

static bool may_assign(const struct sh_node *node) {
    for (const struct sh_word *word = node->words; word; word = word->next) {
        if (word->may_assign) {
            return true;
        }
    }
    return node->assigns != NULL;
}

static bool is_program(struct sh *sh, const struct sh_node *node) {
    const char *name =
        node->kind == SH_SIMPLE && node->words ? sh_word_constant(node->words) : NULL;
    return name && name[0] && !may_assign(node) && !sh_function_get(sh, name) &&
           !sh_builtin_find(name);
}

// echo, printf … with nothing that could wait or change something
static bool is_plain(struct sh *sh, const struct sh_node *node) {
    const char *name =
        node->kind == SH_SIMPLE && node->words ? sh_word_constant(node->words) : NULL;
    const struct sh_builtin *builtin =
        name && !sh_function_get(sh, name) ? sh_builtin_find(name) : NULL;
    return builtin && builtin->is_plain && !node->assigns;
}

static bool is_captured(const struct sh *sh) {
    return (sh->fds[1] && sh->fds[1]->kind == SH_IO_CAPTURE) ||
           (sh->fds[2] && sh->fds[2]->kind == SH_IO_CAPTURE);
}

static struct sh_io *pipe_end(int32_t number, bool is_writer) {
    struct sh_io *io = sh_io_new(SH_IO_PIPE);
    io->number = number;
    io->is_writer = is_writer;
    io->reads_ahead = !is_writer;
    return io;
}

struct swap {
    struct sh_io *before[3];
};

static void swap_in(struct sh *sh, const struct stage *stage, struct swap *swap) {
    for (int fd = 0; fd < 3; fd++) {
        swap->before[fd] = sh->fds[fd];
        sh_io_ref(sh->fds[fd]);
    }
    if (stage->in) {
        sh_fd_set(sh, 0, sh_io_ref(stage->in));
    }
    if (stage->out) {
        sh_fd_set(sh, 1, sh_io_ref(stage->out));
        if (stage->node->pipes_stderr) {
            sh_fd_set(sh, 2, sh_io_ref(stage->out));
        }
    }
}

static void swap_out(struct sh *sh, struct swap *swap) {
    for (int fd = 0; fd < 3; fd++) {
        sh_fd_set(sh, fd, swap->before[fd]);
    }
}

// A simple command that is a program: its pid, or -1000 - status
static int32_t start_simple(struct sh *sh, const struct sh_node *node) {
    struct sh_fields words = {0};
    struct sh_redirected saved = {0};
    struct sh_scope scope = {0};
    int32_t pid = -1001;
    sh->line = node->line;
    if (sh_expand_words(sh, node->words, &words) && words.n &&
        sh_push_assigns(sh, node->assigns, &scope)) {
        if (sh_redirect(sh, node->redirs, &saved)) {
            pid = sh_start_program(sh, words.v, words.n);
        }
        sh_redirect_back(sh, &saved);
    }
    if (sh->scope == &scope) {
        sh_scope_pop(sh);
    }
    return pid;
}

static int32_t start_stage(struct sh *sh, const struct stage *stage) {
    if (stage->is_program) {
        return start_simple(sh, stage->node);
    }
    struct sh_text text = {.arena = &sh->scratch};
    sh_node_text(stage->node, &text);
    int32_t pid = sh_spawn_text(sh, text.data, stage->in != NULL);
    return pid < 0 ? -1000 - 254 : pid;
}

static void run_here(struct sh *sh, struct stage *stage) {
    struct sh_copy *copy = sh_subshell_enter(sh);
    for (int fd = 0; fd < 2; fd++) {
        struct sh_io *io = fd ? stage->out : stage->in;
        if (io) {
            sh_fd_set(sh, fd, sh_io_ref(io));
        }
    }
    if (stage->out && stage->node->pipes_stderr) {
        sh_fd_set(sh, 2, sh_io_ref(stage->out));
    }
    sh_io_unref(
        stage->in); // the copy's descriptors are the only ones now, so that exec can close them
    sh_io_unref(stage->out);
    stage->in = stage->out = NULL;
    sh_exec(sh, stage->node);
    sh_subshell_leave(sh, copy);
    stage->status = sh->status;
}

// shopt -s lastpipe: the last stage is no subshell
static void run_last(struct sh *sh, struct stage *stage) {
    struct swap swap;
    swap_in(sh, stage, &swap);
    sh_io_unref(stage->in);
    stage->in = NULL;
    sh_exec(sh, stage->node);
    swap_out(sh, &swap);
    stage->status = sh->status;
}

// The first stage's output as a text for the second
static struct sh_io *run_plain(struct sh *sh, struct stage *stage) {
    struct sh_copy *copy = sh_subshell_enter(sh);
    struct sh_io *io = sh_io_new(SH_IO_CAPTURE);
    sh_fd_set(sh, 1, sh_io_ref(io));
    if (stage->node->pipes_stderr) {
        sh_fd_set(sh, 2, sh_io_ref(io));
    }
    sh_exec(sh, stage->node);
    sh_subshell_leave(sh, copy);
    stage->status = sh->status;
    stage->pid = -1000 - stage->status;
    io->kind = SH_IO_TEXT;
    return io;
}

static bool plan(struct sh *sh, const struct sh_node *node, struct pipeline *p) {
    for (const struct sh_node *one = node->left; one; one = one->next) {
        if (p->n == MAX_STAGES) {
            sh_say(sh, "a pipeline may have at most %d stages", MAX_STAGES);
            return false;
        }
        p->stages[p->n++] = (struct stage){.node = one, .is_program = is_program(sh, one)};
    }
    p->here = p->n;
    for (size_t i = p->n; i-- && p->here == p->n;) {
        // Where the last stage's output is captured, nobody empties it while another stage runs
        // here
        if (!p->stages[i].is_program && (i == p->n - 1 || !is_captured(sh))) {
            p->here = i;
        }
    }
    return true;
}

static void start_all(struct sh *sh, struct pipeline *p) {
    struct sh_io *next_in = NULL;
    for (size_t i = 0; i < p->n; i++) {
        struct stage *stage = &p->stages[i];
        stage->in = next_in;
        next_in = NULL;
        if (i == 0 && p->n > 1 && is_plain(sh, stage->node)) {
            next_in = run_plain(sh, stage);
            p->here = p->here == 0 ? p->n : p->here;
            continue;
        }
        if (i + 1 < p->n) {
            int32_t pipe = bxp_pipe();
            if (pipe < 0) {
                sh_say(sh, "pipe: %s", sh_strerror(-pipe));
                stage->pid = -1001;
                continue;
            }
            stage->out = pipe_end(pipe, true);
            next_in = pipe_end(pipe, false);
        }
        if (i == p->here) {
            continue;
        }
        struct swap swap;
        swap_in(sh, stage, &swap);
        stage->pid = start_stage(sh, stage);
        swap_out(sh, &swap);
        sh_io_unref(stage->in);
        sh_io_unref(stage->out);
        stage->in = stage->out = NULL;
    }
}

static void finish(struct sh *sh, const struct sh_node *node, struct pipeline *p,
                   long long start_ms) {
    char numbers[MAX_STAGES][12];
    const char *list[MAX_STAGES];
    int failed = 0;
    for (size_t i = 0; i < p->n; i++) {
        struct stage *stage = &p->stages[i];
        if (i != p->here) {
            stage->status = stage->pid < 0 ? -1000 - stage->pid : sh_wait(sh, stage->pid);
        }
        failed = stage->status ? stage->status : failed;
        snprintf(numbers[i], sizeof numbers[i], "%d", stage->status);
        list[i] = numbers[i];
        sh_record(sh, stage->node, stage->status, start_ms);
    }
    sh_set_array(sh, "PIPESTATUS", list, p->n);
    sh->status = sh->options & SH_PIPEFAIL ? failed : p->stages[p->n - 1].status;
    (void)node;
}

static void run_stages(struct sh *sh, const struct sh_node *node) {
    struct pipeline *p = bx_alloc(sizeof *p);
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    size_t temps = sh->n_temps, deferred = sh->n_deferred;
    long long start_ms = sh_record_start(sh);
    *p = (struct pipeline){.n = 0};
    sh->line = node->line;
    if (plan(sh, node, p)) {
        int loops = sh->loop_depth;
        start_all(sh, p);
        if (p->here + 1 == p->n && sh->shopts & SH_LASTPIPE) {
            run_last(sh, &p->stages[p->here]);
        } else if (p->here < p->n) {
            run_here(sh, &p->stages[p->here]);
        }
        sh_drain(sh);
        finish(sh, node, p, start_ms);
        sh->loop_depth = loops;
    } else {
        sh->status = 1;
    }
    free(p);
    sh_run_deferred(sh, deferred);
    sh_drop_temps(sh, temps);
    sh_arena_rewind(&sh->scratch, mark);
}

static void say_time(struct sh *sh, const struct sh_node *node, long long ms) {
    if (node->is_timed_posix) {
        sh_complain(sh, "real %lld.%02lld\nuser 0.00\nsys 0.00", ms / 1000, ms % 1000 / 10);
    } else {
        sh_complain(sh, "\nreal\t%lldm%lld.%03llds\nuser\t0m0.000s\nsys\t0m0.000s", ms / 60000,
                    ms / 1000 % 60, ms % 1000);
    }
}

void sh_exec_pipeline(struct sh *sh, const struct sh_node *node) {
    long long start_ms = sh_now_ms();
    sh->quiet += node->is_negated;
    if (node->left && node->left->next) {
        bool records = sh->stages_open;
        run_stages(sh, node);
        sh->stages_open = records;
    } else {
        sh->status = 0;
        sh_exec(sh, node->left);
    }
    sh->quiet -= node->is_negated;
    if (node->is_timed) {
        say_time(sh, node, sh_now_ms() - start_ms);
    }
    if (node->is_negated) {
        if (!sh->flow) {
            sh->status = !sh->status;
        }
    } else if (sh->status && node->left && node->left->next) {
        sh_failed(sh);
    }
}

// --- background

struct sh_job *sh_job_add(struct sh *sh, const char *text) {
    if (sh->n_jobs == sh->cap_jobs) {
        sh->cap_jobs = sh->cap_jobs * 2 + 8;
        sh->jobs = bx_realloc(sh->jobs, sh->cap_jobs * sizeof *sh->jobs);
    }
    struct sh_job *job = &sh->jobs[sh->n_jobs++];
    *job = (struct sh_job){.text = bx_strndup(text, strlen(text))};
    return job;
}

int sh_job_wait(struct sh *sh, struct sh_job *job) {
    for (size_t i = 0; i < job->n; i++) {
        if (!job->is_waited[i]) {
            job->statuses[i] = sh_wait(sh, job->pids[i]);
            job->is_waited[i] = true;
        }
        job->status = job->statuses[i];
    }
    job->is_done = true;
    return job->status;
}

void sh_exec_background(struct sh *sh, const struct sh_node *node) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    struct sh_text text = {.arena = &sh->scratch};
    struct stage stage = {
        .node = node, .is_program = is_program(sh, node), .in = sh_io_new(SH_IO_NULL)};
    struct swap swap;
    sh->line = node->line;
    sh_node_text(node, &text);
    swap_in(sh, &stage, &swap);
    int32_t pid = start_stage(sh, &stage);
    swap_out(sh, &swap);
    sh_io_unref(stage.in);
    struct sh_job *job = sh_job_add(sh, text.data);
    if (pid >= 0) {
        job->pids[job->n++] = pid;
        job->id = pid;
        sh->last_background = pid;
        sh->status = 0;
    } else {
        job->is_done = true;
        job->status = -1000 - pid;
        job->id = sh->last_background =
            1000000 + (int32_t)sh->n_jobs; // a number for $!, whose status wait knows
        sh->status = job->status == 254 ? 254 : 0;
        if (sh->status) {
            sh->flow = SH_EXIT; // no more processes: bash would try again and again
        }
    }
    sh_arena_rewind(&sh->scratch, mark);
}
