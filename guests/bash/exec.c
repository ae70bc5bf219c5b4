// Running what was parsed.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

void sh_defer(struct sh *sh, const char *path, const struct sh_node *list) {
    if (sh->n_deferred < sizeof sh->deferred / sizeof sh->deferred[0]) {
        sh->deferred[sh->n_deferred++] = (struct sh_deferred){bx_strndup(path, strlen(path)), list};
    }
}

void sh_run_deferred(struct sh *sh, size_t from) {
    int status = sh->status;
    while (sh->n_deferred > from) {
        struct sh_deferred d = sh->deferred[--sh->n_deferred];
        struct sh_io *io = NULL;
        struct sh_copy *copy = sh_subshell_enter(sh);
        if (sh_open(sh, d.path, SH_IN, &io) == 0) {
            sh_fd_set(sh, 0, io);
            sh_exec(sh, d.list);
        }
        sh_subshell_leave(sh, copy);
        free(d.path);
    }
    sh->status = status;
}

void sh_failed(struct sh *sh) {
    if (sh->quiet || sh->flow) {
        return;
    }
    if (!sh->function_depth || sh->options & SH_OPT_OTHER) {
        sh_run_trap(sh, SH_TRAP_ERR);
    }
    if (sh->options & SH_ERREXIT && !sh->flow) {
        sh->flow = SH_EXIT;
    }
}

static bool records(const struct sh *sh) {
    return sh->stages_open && sh->n_stages < SH_STAGES_MAX && !sh->function_depth &&
           sh->source_depth <= 1;
}

long long sh_record_start(const struct sh *sh) {
    return records(sh) ? sh_now_ms() : 0; // asking for the time is a call of the host
}

void sh_record(struct sh *sh, const struct sh_node *node, int status, long long start_ms) {
    if (!records(sh)) {
        return;
    }
    if (!sh->stages) {
        sh->stages = bx_alloc(SH_STAGES_MAX * sizeof *sh->stages);
    }
    size_t n = node->end - node->start, max = 200;
    char *text = bx_strndup(node->source->text + node->start, n > max ? max : n);
    sh->stages[sh->n_stages++] = (struct sh_stage){text, status, sh_now_ms() - start_ms};
}

// --- simple commands

static void trace(struct sh *sh, const struct sh_fields *words) {
    struct bx_buf text = {0};
    bx_buf_add_str(&text, "+");
    for (size_t i = 0; i < words->n; i++) {
        bx_buf_add_char(&text, ' ');
        sh_quote_trace(&text, words->v[i]);
    }
    sh_complain(sh, "%s", text.data);
    bx_buf_deinit(&text);
}

static int run_builtin(struct sh *sh, const struct sh_builtin *builtin,
                       const struct sh_fields *words) {
    struct bx_buf out = {0};
    int status = builtin->run(sh, words->v, words->n, &out);
    if (out.len) {
        int error = sh_write(sh, 1, out.data, out.len);
        if (error == -EPIPE) {
            status = 141; // ended by the signal, in silence
            sh->flow = SH_EXIT;
        } else if (error) {
            sh_say(sh, "%s: write error: %s", words->v[0], sh_strerror(error));
            status = 1;
        }
    }
    bx_buf_deinit(&out);
    return status;
}

int sh_call_function(struct sh *sh, struct sh_function *f, char **args, size_t n) {
    if (sh->function_depth > SH_MAX_EXEC_DEPTH / 2) {
        sh_say(sh, "%s: maximum function nesting level exceeded (%d)", f->name,
               SH_MAX_EXEC_DEPTH / 2);
        sh->flow = SH_EXIT;
        return 1;
    }
    struct sh_scope scope = {.is_function = true};
    char **before = sh->args;
    size_t n_before = sh->n_args;
    int loops = sh->loop_depth, line = sh->line;
    const char *name = sh->function_name;
    struct sh_program *program = sh->program;
    f->refs++;
    sh->program = f->program;
    sh->args = bx_alloc((n + 1) * sizeof *sh->args);
    for (size_t i = 0; i < n; i++) {
        sh->args[i] = bx_strndup(args[i], strlen(args[i]));
    }
    sh->args[n] = NULL;
    sh->n_args = n;
    sh->loop_depth = 0;
    sh->function_name = f->name;
    sh->function_depth++;
    sh_scope_push(sh, &scope);
    sh_exec(sh, f->node->left);
    if (sh->flow == SH_RETURN) {
        sh->flow = SH_GO;
    }
    sh_scope_pop(sh);
    sh->function_depth--;
    for (size_t i = 0; i < sh->n_args; i++) {
        free(sh->args[i]);
    }
    free(sh->args);
    sh->args = before;
    sh->n_args = n_before;
    sh->loop_depth = loops;
    sh->line = line;
    sh->function_name = name;
    sh->program = program;
    f->refs--; // the table's own is there, or in a copy
    return sh->status;
}

void sh_run_words(struct sh *sh, struct sh_fields *words, bool no_functions) {
    struct sh_function *f = no_functions ? NULL : sh_function_get(sh, words->v[0]);
    const struct sh_builtin *builtin = f ? NULL : sh_builtin_find(words->v[0]);
    if ((f || builtin) && sh_is_barred(words->v, words->n)) {
        sh->status = sh_run_barred(sh, words->v, words->n);
    } else if (f) {
        sh->status = sh_call_function(sh, f, words->v + 1, words->n - 1);
    } else if (builtin) {
        sh->status = run_builtin(sh, builtin, words);
    } else {
        sh->status = sh_run_program(sh, words->v, words->n);
    }
}

static bool is_declaration(const struct sh_node *node) {
    static const char *const names[] = {"declare", "typeset", "local", "export", "readonly"};
    const char *name = node->words ? sh_word_constant(node->words) : NULL;
    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return !node->words->is_quoted;
        }
    }
    return false;
}

static void run_command(struct sh *sh, const struct sh_node *node, struct sh_fields *words) {
    if (is_declaration(node)) {
        struct bx_buf out = {0};
        sh->last_substitution = -1;
        sh->status = sh_bi_declare(sh, node->words, sh_word_constant(node->words), &out);
        if (out.len) {
            sh_write(sh, 1, out.data, out.len);
        }
        bx_buf_deinit(&out);
        return;
    }
    if (sh->options & SH_XTRACE) {
        trace(sh, words);
    }
    sh_run_words(sh, words, false);
    if (words->n) {
        sh_set(sh, "_", words->v[words->n - 1]);
    }
}

static bool is_exec(const struct sh_fields *words) {
    return words->n == 1 && strcmp(words->v[0], "exec") == 0;
}

static void exec_words(struct sh *sh, const struct sh_node *node, struct sh_fields *words) {
    struct sh_redirected saved = {0};
    struct sh_scope scope = {0};
    bool has_scope = node->assigns && words->n;
    bool is_ok = !has_scope || sh_push_assigns(sh, node->assigns, &scope);
    if (is_ok && is_exec(words)) {
        sh->status = sh_redirect(sh, node->redirs, NULL) ? 0 : 1;
        if (sh->status) {
            sh->flow = SH_EXIT;
        }
    } else if (is_ok && sh_redirect(sh, node->redirs, &saved)) {
        run_command(sh, node, words);
    } else {
        sh->status = 1;
    }
    sh_redirect_back(sh, &saved);
    if (has_scope) {
        sh_scope_pop(sh);
    }
}

static void exec_simple(struct sh *sh, const struct sh_node *node) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    size_t temps = sh->n_temps, deferred = sh->n_deferred;
    long long start_ms = sh_record_start(sh);
    struct sh_fields words = {0};
    struct sh_redirected saved = {0};
    sh->line = node->line;
    sh->last_substitution = -1;
    sh->is_erred = false;
    bool is_ok = is_declaration(node) || sh_expand_words(sh, node->words, &words);
    if (is_declaration(node)) {
        sh_fields_add(sh, &words, sh_word_constant(node->words));
    }
    if (!is_ok) {
        sh->status = sh->flow == SH_EXIT ? sh->status : 1;
    } else if (words.n) {
        exec_words(sh, node, &words);
    } else {
        bool done = sh_assign_all(sh, node->assigns);
        if (!done && !sh->flow) { // a variable that cannot be set ends a script
            sh->status = 1;
            sh->is_erred = true;
        }
        int status = sh->last_substitution >= 0 ? sh->last_substitution : 0;
        if (done) {
            sh->status = sh_redirect(sh, node->redirs, &saved) ? status : 1;
            sh_redirect_back(sh, &saved);
        }
    }
    sh_run_deferred(sh, deferred);
    sh_drop_temps(sh, temps);
    sh_arena_rewind(&sh->scratch, mark);
    if (sh->is_erred && !sh->flow) { // bash gives up the whole text
        sh->flow = SH_EXIT;
        sh->status = 1;
    }
    sh_record(sh, node, sh->status, start_ms);
    if (sh->status) {
        sh_failed(sh);
    }
}

// --- compound commands

static bool loop_goes_on(struct sh *sh) {
    if (sh->flow == SH_BREAK || sh->flow == SH_CONTINUE) {
        bool is_break = sh->flow == SH_BREAK;
        if (sh->flow_count > 1 && sh->loop_depth > 1) {
            sh->flow_count--;
            return false;
        }
        sh->flow = SH_GO;
        return !is_break;
    }
    return sh->flow == SH_GO;
}

static void exec_for(struct sh *sh, const struct sh_node *node) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    struct sh_fields words = {0};
    int status = 0;
    sh->line = node->line;
    sh->is_erred = false;
    if (node->has_in ? !sh_expand_words(sh, node->words, &words) : false) {
        sh->status = 1;
        sh->flow = SH_EXIT;
        return;
    }
    for (size_t i = 0; !node->has_in && i < sh->n_args; i++) {
        sh_fields_add(sh, &words, sh_arena_copy(&sh->scratch, sh->args[i], strlen(sh->args[i])));
    }
    sh->loop_depth++;
    for (size_t i = 0; i < words.n; i++) {
        if (!sh_set(sh, node->name, words.v[i])) {
            status = 1;
            break;
        }
        sh_exec(sh, node->left);
        status = sh->status;
        if (!loop_goes_on(sh)) {
            status = sh->status;
            break;
        }
    }
    sh->loop_depth--;
    sh->status = status;
    sh_arena_rewind(&sh->scratch, mark);
}

static bool arith_word(struct sh *sh, const struct sh_word *word, long long *ret) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    char *text = sh_expand_quoted(sh, word);
    bool is_ok = text && sh_arith(sh, text, ret);
    sh_arena_rewind(&sh->scratch, mark);
    return is_ok;
}

static void exec_arith_for(struct sh *sh, const struct sh_node *node) {
    long long n = 0;
    int status = 0;
    sh->line = node->line;
    if (!arith_word(sh, node->arith[0], &n)) {
        sh->status = 1;
        return;
    }
    sh->loop_depth++;
    for (;;) {
        n = 1;
        if (node->arith[1]->parts && !arith_word(sh, node->arith[1], &n)) {
            status = 1;
            break;
        }
        if (!n) {
            break;
        }
        sh_exec(sh, node->left);
        status = sh->status;
        if (!loop_goes_on(sh)) {
            status = sh->status;
            break;
        }
        if (!arith_word(sh, node->arith[2], &n)) {
            status = 1;
            break;
        }
    }
    sh->loop_depth--;
    sh->status = status;
}

static void exec_while(struct sh *sh, const struct sh_node *node) {
    int status = 0;
    sh->loop_depth++;
    for (;;) {
        sh->quiet++;
        sh_exec(sh, node->left);
        sh->quiet--;
        if (sh->flow) {
            if (loop_goes_on(sh)) {
                continue;
            }
            status = sh->status;
            break;
        }
        if ((sh->status == 0) == (node->kind == SH_UNTIL)) {
            break;
        }
        sh_exec(sh, node->right);
        status = sh->status;
        if (!loop_goes_on(sh)) {
            status = sh->status;
            break;
        }
    }
    sh->loop_depth--;
    sh->status = status;
}

static bool case_matches(struct sh *sh, const struct sh_case_item *item, const char *text) {
    for (const struct sh_word *p = item->patterns; p; p = p->next) {
        char *pattern = sh_expand_pattern(sh, p);
        unsigned fold = sh->shopts & SH_NOCASEMATCH ? SH_MATCH_FOLD : 0;
        if (pattern && sh_match(pattern, text, strlen(text), SH_MATCH_EXT | fold)) {
            return true;
        }
    }
    return false;
}

static void exec_case(struct sh *sh, const struct sh_node *node) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    sh->line = node->line;
    char *text = sh_expand_text(sh, node->words);
    sh->status = text ? 0 : 1;
    bool falls = false;
    for (const struct sh_case_item *item = node->items; text && item && !sh->flow;
         item = item->next) {
        if (!falls && !case_matches(sh, item, text)) {
            continue;
        }
        sh->status = 0;
        sh_exec(sh, item->body);
        falls = item->end == '&';
        if (item->end == ';') {
            break;
        }
    }
    sh_arena_rewind(&sh->scratch, mark);
}

static void exec_if(struct sh *sh, const struct sh_node *node) {
    sh->quiet++;
    sh_exec(sh, node->left);
    sh->quiet--;
    if (sh->flow) {
        return;
    }
    bool is_true = sh->status == 0;
    sh->status = 0;
    sh_exec(sh, is_true ? node->right : node->other);
}

static void exec_subshell(struct sh *sh, const struct sh_node *node) {
    struct sh_copy *copy = sh_subshell_enter(sh);
    long long start_ms = sh_record_start(sh);
    sh_exec(sh, node->left);
    sh_subshell_leave(sh, copy);
    sh_record(sh, node, sh->status, start_ms);
    if (sh->status) {
        sh_failed(sh);
    }
}

static void exec_test(struct sh *sh, const struct sh_node *node) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    long long n = 0;
    sh->line = node->line;
    sh->is_erred = false;
    if (node->kind == SH_TEST) {
        sh->status = sh_cond_run(sh, node->cond);
    } else {
        sh->status = !arith_word(sh, node->arith[0], &n) || !n;
    }
    sh_arena_rewind(&sh->scratch, mark);
    if (sh->status) {
        sh_failed(sh);
    }
}

static void exec_and_or(struct sh *sh, const struct sh_node *node) {
    sh->quiet++;
    sh_exec(sh, node->left);
    sh->quiet--;
    if (!sh->flow && (sh->status == 0) == (node->kind == SH_AND)) {
        sh_exec(sh, node->right);
    }
}

static void exec_list(struct sh *sh, const struct sh_node *node) {
    for (const struct sh_node *one = node->left; one && !sh->flow; one = one->next) {
        if (one->is_background) {
            sh_exec_background(sh, one);
        } else {
            sh_exec(sh, one);
        }
    }
}

static void exec_kind(struct sh *sh, const struct sh_node *node) {
    switch (node->kind) {
    case SH_SIMPLE:
        exec_simple(sh, node);
        break;
    case SH_PIPELINE:
        sh_exec_pipeline(sh, node);
        break;
    case SH_AND:
    case SH_OR:
        exec_and_or(sh, node);
        break;
    case SH_LIST:
        exec_list(sh, node);
        break;
    case SH_GROUP:
        sh_exec(sh, node->left);
        break;
    case SH_SUBSHELL:
        exec_subshell(sh, node);
        break;
    case SH_IF:
        exec_if(sh, node);
        break;
    case SH_FOR:
        exec_for(sh, node);
        break;
    case SH_ARITH_FOR:
        exec_arith_for(sh, node);
        break;
    case SH_WHILE:
    case SH_UNTIL:
        exec_while(sh, node);
        break;
    case SH_CASE:
        exec_case(sh, node);
        break;
    case SH_FUNCTION:
        sh_function_set(sh, node->name, node);
        sh->status = 0;
        break;
    case SH_ARITH_COMMAND:
    case SH_TEST:
        exec_test(sh, node);
        break;
    }
}

void sh_exec(struct sh *sh, const struct sh_node *node) {
    if (!node || sh->flow || sh->options & SH_NOEXEC) {
        return;
    }
    if (sh->exec_depth >= SH_MAX_EXEC_DEPTH) {
        sh_say(sh, "commands are nested too deeply (more than %d levels)", SH_MAX_EXEC_DEPTH);
        sh->flow = SH_EXIT;
        sh->status = 1;
        return;
    }
    sh->exec_depth++;
    if (node->redirs && node->kind != SH_SIMPLE) {
        struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
        struct sh_redirected saved = {0};
        size_t temps = sh->n_temps, deferred = sh->n_deferred;
        sh->line = node->line;
        if (sh_redirect(sh, node->redirs, &saved)) {
            exec_kind(sh, node);
        } else {
            sh->status = 1;
            sh_failed(sh);
        }
        sh_redirect_back(sh, &saved);
        sh_run_deferred(sh, deferred);
        sh_drop_temps(sh, temps);
        sh_arena_rewind(&sh->scratch, mark);
    } else {
        exec_kind(sh, node);
    }
    sh->exec_depth--;
}
