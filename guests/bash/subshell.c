// ( … ) and $( … ) in this instance: on a copy of the state, which is thrown away.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

struct sh_copy {
    struct sh before;
    struct sh_scope scope; // local variables of the subshell
};

struct sh_copy *sh_subshell_enter(struct sh *sh) {
    struct sh_copy *copy = bx_alloc(sizeof *copy);
    copy->before = *sh;
    sh->vars = sh_table_copy(sh->vars);
    sh->functions = sh_table_copy(sh->functions);
    sh->args = bx_alloc((sh->n_args + 1) * sizeof *sh->args);
    for (size_t i = 0; i <= sh->n_args; i++) {
        const char *arg = copy->before.args[i];
        sh->args[i] = arg ? bx_strndup(arg, strlen(arg)) : NULL;
    }
    sh->cwd = bx_strndup(sh->cwd, strlen(sh->cwd));
    sh->dirs = NULL;
    sh->n_dirs = 0;
    for (int fd = 0; fd < SH_FDS; fd++) {
        sh_io_ref(sh->fds[fd]);
    }
    memset(sh->traps, 0, sizeof sh->traps);
    sh->jobs = NULL;
    sh->n_jobs = sh->cap_jobs = 0;
    sh->loop_depth = 0;
    sh->subshell_depth++;
    sh->stages_open = false;
    sh->n_deferred = 0;
    copy->scope = (struct sh_scope){.is_function = sh->scope && sh->scope->is_function};
    sh_scope_push(sh, &copy->scope);
    return copy;
}

void sh_subshell_leave(struct sh *sh, struct sh_copy *copy) {
    sh_run_trap(sh, SH_TRAP_EXIT);
    int status = sh->status;
    for (size_t i = 0; i < copy->scope.n; i++) {
        free(copy->scope.saved[i].name);
        // the variable's reference goes with the table of the copy: it is only counted too high
    }
    free(copy->scope.saved);
    sh_table_free(sh->vars);
    sh_table_free(sh->functions);
    for (size_t i = 0; i <= sh->n_args; i++) {
        free(sh->args[i]);
    }
    free(sh->args);
    free(sh->cwd);
    for (int fd = 0; fd < SH_FDS; fd++) {
        sh_io_unref(sh->fds[fd]);
    }
    for (size_t i = 0; i < SH_TRAPS; i++) {
        free(sh->traps[i]);
    }
    for (size_t i = 0; i < sh->n_jobs; i++) {
        free(sh->jobs[i].text);
    }
    free(sh->jobs);
    struct sh after = *sh;
    *sh = copy->before;
    sh->status = status;
    sh->scratch = after.scratch;
    sh->program = copy->before.program;
    sh->random = after.random;
    sh->stages = after.stages;
    sh->n_stages = after.n_stages;
    sh->temps = after.temps;
    sh->n_temps = after.n_temps;
    sh->temp_count = after.temp_count;
    memcpy(sh->draining, after.draining, sizeof sh->draining);
    sh->n_draining = after.n_draining;
    free(copy);
}

// $(< file)
static bool is_read_file(const struct sh_node *list) {
    return list && list->kind == SH_SIMPLE && !list->words && !list->assigns && list->redirs &&
           !list->redirs->next && list->redirs->op == SH_IN && list->redirs->fd <= 0;
}

static void read_file(struct sh *sh, const struct sh_node *list, struct bx_buf *out) {
    struct sh_redirected saved = {0};
    sh->status = 1;
    if (sh_redirect(sh, list->redirs, &saved)) {
        ssize_t got;
        do {
            bx_buf_reserve(out, 65536);
            got = sh_read(sh, 0, out->data + out->len, 65536);
            out->len += got > 0 ? (size_t)got : 0;
        } while (got > 0);
        sh->status = 0;
    }
    sh_redirect_back(sh, &saved);
}

bool sh_capture(struct sh *sh, const struct sh_node *list, struct bx_buf *out) {
    if (sh->exec_depth > SH_MAX_EXEC_DEPTH) {
        sh_say(sh, "commands are nested too deeply (more than %d levels)", SH_MAX_EXEC_DEPTH);
        sh->flow = SH_EXIT;
        sh->status = 1;
        return false;
    }
    sh->exec_depth++;
    if (is_read_file(list)) {
        read_file(sh, list, out);
    } else if (list) {
        struct sh_copy *copy = sh_subshell_enter(sh);
        struct sh_io *io = sh_io_new(SH_IO_CAPTURE);
        sh_fd_set(sh, 1, sh_io_ref(io));
        if (!(sh->shopts & SH_INHERIT_ERREXIT)) {
            sh->options &= ~(unsigned)SH_ERREXIT;
        }
        size_t draining = sh->n_draining;
        sh_exec(sh, list);
        sh_run_trap(sh, SH_TRAP_EXIT);
        if (sh->n_draining > draining) {
            sh_drain(sh);
        }
        sh_subshell_leave(sh, copy);
        bx_buf_add(out, io->buf.data, io->buf.len);
        sh_io_unref(io);
    } else {
        sh->status = 0;
    }
    sh->exec_depth--;
    sh->last_substitution = sh->status;
    return true;
}
