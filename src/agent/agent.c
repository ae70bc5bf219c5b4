#include "agent/internal.h"

#include "agent/context.h"
#include "agent/executor.h"
#include "agent/prefix.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/path.h"
#include "base/unwire.h"
#include "base/utf8.h"
#include "skills/expand.h"

#define DEFAULT_TOOL_THREADS 128 /* made when they are needed; most calls wait */
#define DEFAULT_RESULT_BYTES (48 * BX_KIB)
#define TITLE_MAX            80
#define HISTORIES_MAX        4
#define HISTORIES_BYTES      (4 * BX_MIB)

/* ---- the agent ---- */

static int copy_mounts(struct bx_agent *a, const struct bx_agent_config *config,
                       struct bx_err *err) {
    a->mounts = bx_alloc((config->mount_count + 1) * sizeof *a->mounts);
    char *root = bx_path_real(config->root, err);
    if (!root)
        return err ? err->code : BX_ERR_NOTFOUND;
    a->mounts[a->mount_count++] = (struct bx_mount){
        .host_path = root, .guest_path = bx_strdup("/"), .writable = !config->root_read_only};
    for (size_t i = 0; i < config->mount_count; i++) {
        char *host = bx_path_real(config->mounts[i].host_path, err);
        if (!host)
            return err ? err->code : BX_ERR_NOTFOUND;
        a->mounts[a->mount_count++] =
            (struct bx_mount){.host_path = host,
                              .guest_path = bx_path_normal(config->mounts[i].guest_path),
                              .writable = config->mounts[i].writable};
    }
    struct bx_grant grant;
    bx_grant_init(&grant);
    grant.mounts = a->mounts;
    grant.mount_count = a->mount_count;
    return bx_grant_check(&grant, err);
}

int bx_agent_new(const struct bx_agent_config *config, struct bx_agent **ret, struct bx_err *err) {
    bx_auto(bx_agent_freep) struct bx_agent *a = bx_new(struct bx_agent);
    pthread_mutex_init(&a->lock, NULL);
    pthread_mutex_init(&a->settings_lock, NULL);
    pthread_mutex_init(&a->spawn_lock, NULL);
    pthread_mutex_init(&a->show_lock, NULL);
    pthread_mutex_init(&a->queue_lock, NULL);
    bx_cond_init(&a->changed);
    a->store = config->store;
    a->models = config->models;
    a->registry = config->registry;
    a->allow_bypass = config->allow_bypass;
    a->built_in_agents = config->built_in_agents;
    a->user_agents = bx_strdup(config->user_agents);
    a->crew = bx_crew_new(config->tool_threads ? config->tool_threads : DEFAULT_TOOL_THREADS);
    int rc = copy_mounts(a, config, err);
    if (rc)
        return rc;
    if (a->store)
        a->worktrees = bx_worktrees_new(a->mounts[0].host_path, bx_store_dir(a->store));
    *ret = bx_steal(&a);
    return 0;
}

struct bx_worktrees *bx_agent_worktrees(struct bx_agent *a) {
    return a->worktrees;
}

void bx_run_free(struct bx_run *run) {
    if (!run)
        return;
    bx_session_unref(run->session);
    bx_model_unref(run->model);
    bx_budget_unref(run->budget);
    bx_cancel_unref(run->spend);
    bx_cancel_unref(run->cancel);
    bx_history_free(run->history);
    bx_context_free(run->context);
    bx_prefix_free(run->prefix);
    bx_executor_unref(run->executor);
    bx_rules_free(run->rules, run->rule_count);
    bx_run_narrows_free(run);
    bx_run_skills_deinit(run);
    bx_settings_unref(run->rules_settings);
    for (size_t i = 0; run->allow_hosts && run->allow_hosts[i]; i++)
        bx_free((char *)(uintptr_t)run->allow_hosts[i]);
    bx_free(run->allow_hosts);
    bx_free(run->model_option);
    bx_free(run->mode);
    bx_free(run->earlier_mode);
    bx_free(run->last_failure);
    bx_free(run->compact);
    bx_resume_free(run->resume);
    bx_question_deinit(&run->question);
    pthread_mutex_destroy(&run->rules_lock);
    bx_free(run);
}

/* Joins what has ended. */
static void reap(struct bx_agent *a) {
    for (;;) {
        struct bx_run *ended = NULL;
        {
            BX_LOCKED(&a->lock);
            for (size_t i = 0; i < a->runs.n && !ended; i++) {
                if (a->runs.p[i]->over && a->runs.p[i]->started) {
                    ended = a->runs.p[i];
                    bx_vec_remove(&a->runs, i);
                }
            }
        }
        if (!ended)
            return;
        pthread_join(ended->thread, NULL);
        bx_run_free(ended);
    }
}

void bx_agent_free(struct bx_agent *a) {
    if (!a)
        return;
    BX_VEC(struct bx_cancel *) tokens = {0};
    pthread_mutex_lock(&a->lock);
    a->closing = true;
    bx_agent_suspend(a);
    for (size_t i = 0; i < a->runs.n; i++)
        bx_vec_push(&tokens, bx_cancel_ref(a->runs.p[i]->cancel));
    pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < tokens.n; i++) {
        bx_cancel_fire(tokens.p[i], "the program ends");
        bx_cancel_unref(tokens.p[i]);
    }
    bx_vec_free(&tokens);
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->runs.n;)
        if (a->runs.p[i]->over)
            i++;
        else
            pthread_cond_wait(&a->changed, &a->lock), i = 0;
    pthread_mutex_unlock(&a->lock);
    reap(a);
    bx_crew_free(a->crew);
    for (size_t i = 0; i < a->histories.n; i++)
        bx_history_free(a->histories.p[i]);
    bx_vec_free(&a->histories);
    bx_vec_free(&a->runs);
    bx_vec_free(&a->executors);
    for (size_t i = 0; i < a->mount_count; i++) {
        bx_free((char *)(uintptr_t)a->mounts[i].host_path);
        bx_free((char *)(uintptr_t)a->mounts[i].guest_path);
    }
    bx_free(a->mounts);
    bx_free(a->user_agents);
    bx_worktrees_free(a->worktrees);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->settings_lock);
    pthread_mutex_destroy(&a->spawn_lock);
    pthread_mutex_destroy(&a->show_lock);
    pthread_mutex_destroy(&a->queue_lock);
    bx_settings_unref(a->settings);
    bx_free(a);
}

/* ---- agent definitions ---- */

void bx_agent_definition_places(const struct bx_agent *a, struct bx_agent_places *ret) {
    *ret = (struct bx_agent_places){.root = a->mounts[0].host_path,
                                    .state = a->store ? bx_store_dir(a->store) : NULL,
                                    .user = a->user_agents,
                                    .built_in = a->built_in_agents,
                                    .registry = a->registry};
}

char *bx_agent_definition_folder(const struct bx_agent *a, size_t i) {
    struct bx_agent_places places;
    bx_agent_definition_places(a, &places);
    return bx_agent_places_folder(&places, i);
}

struct bx_agent_defs *bx_agent_definitions(struct bx_agent *a) {
    struct bx_agent_places places;
    bx_agent_definition_places(a, &places);
    return bx_agent_defs_load(&places);
}

/* ---- histories of sessions that rest ---- */

void bx_agent_keep_history(struct bx_agent *a, struct bx_history *take_h) {
    struct bx_history *out[HISTORIES_MAX + 2];
    size_t n = 0;
    {
        BX_LOCKED(&a->lock);
        size_t bytes = take_h->bytes;
        for (size_t i = a->histories.n; i-- > 0;) { /* somebody may have looked meanwhile */
            if (strcmp(a->histories.p[i]->session_id, take_h->session_id) == 0 && n < 1) {
                out[n++] = a->histories.p[i];
                bx_vec_remove(&a->histories, i);
            }
        }
        bx_vec_push(&a->histories, take_h);
        for (size_t i = a->histories.n - 1; i-- > 0;) { /* the newest first */
            bytes += a->histories.p[i]->bytes;
            if ((bytes > HISTORIES_BYTES || a->histories.n - i > HISTORIES_MAX) &&
                n < BX_ARRAY_LEN(out)) {
                out[n++] = a->histories.p[i];
                bx_vec_remove(&a->histories, i);
            }
        }
        if (take_h->bytes > HISTORIES_BYTES) {
            out[n++] = take_h;
            a->histories.n--;
        }
    }
    for (size_t i = 0; i < n; i++)
        bx_history_free(out[i]);
}

/* A fifth of the window for one result, at three bytes a token. */
size_t bx_agent_result_max(int64_t window) {
    int64_t bytes = window * 3 / 5;
    return window > 0 ? (size_t)BX_MAX(1024, BX_MIN(bytes, (int64_t)DEFAULT_RESULT_BYTES))
                      : DEFAULT_RESULT_BYTES;
}

struct bx_history *bx_agent_take_history(struct bx_agent *a, const struct bx_run *run) {
    const char *session_id = bx_session_header(run->session)->id;
    size_t result_max_bytes = bx_agent_result_max(bx_model_window(run->model));
    struct bx_history *h = NULL;
    {
        BX_LOCKED(&a->lock);
        for (size_t i = 0; i < a->histories.n && !h; i++) {
            if (strcmp(a->histories.p[i]->session_id, session_id) == 0) {
                h = a->histories.p[i];
                bx_vec_remove(&a->histories, i);
            }
        }
    }
    if (h && h->result_max_bytes == result_max_bytes)
        return h;
    bx_history_free(h);
    return bx_history_new(session_id, result_max_bytes);
}

/* ---- sending ---- */

static void copy_hosts(struct bx_run *run, const struct bx_run_options *o) {
    size_t n = 0;
    while (o && o->allow_hosts && o->allow_hosts[n])
        n++;
    run->allow_hosts = bx_alloc((n + 1) * sizeof *run->allow_hosts);
    for (size_t i = 0; i < n; i++)
        run->allow_hosts[i] = bx_strdup(o->allow_hosts[i]);
}

int bx_run_read_options(struct bx_run *run, const struct bx_run_options *o, struct bx_err *err) {
    bx_auto(bx_settings_unrefp) struct bx_settings *settings = NULL;
    struct bx_agent *a = run->agent;
    int rc = bx_agent_settings(a, &settings, err);
    if (rc)
        return rc;
    copy_hosts(run, o);
    run->model_option = o && o->model && *o->model ? bx_strdup(o->model) : NULL;
    if (o)
        memcpy(run->budget_option, o->budget, sizeof run->budget_option);
    if (o && o->max_turns)
        run->budget_option[BX_BUDGET_TURNS] = o->max_turns;
    run->headless = o && o->headless;
    run->yes_levels = o ? o->yes_levels : 0;
    if (o && o->mode && *o->mode) {
        enum bx_mode mode;
        if (!bx_mode_parse(bx_str(o->mode), &mode))
            return bx_fail(
                err, BX_ERR_INVALID,
                "there is no mode \"%.60s\": plan, default, accept-edits, auto or bypass", o->mode);
        if (mode == BX_MODE_BYPASS && !a->allow_bypass)
            return bx_fail(err, BX_ERR_DENIED,
                           "the mode bypass must be allowed when the program is started");
        run->mode = bx_strdup(o->mode);
    }
    bx_auto(bx_freep) char *model =
        o && o->model && *o->model ? bx_strdup(o->model) : bx_session_model(run->session);
    rc = bx_models_get(a->models, model, &run->model, err);
    return rc ? rc : bx_run_open_budget(run, bx_settings_root(settings), err);
}

static int append(struct bx_run *run, struct bx_event *take_e, const char *type,
                  struct bx_err *err) {
    bx_jw_end(&take_e->w);
    int rc =
        bx_session_append(run->session, type, bx_buf_str(&take_e->body), BX_BATCHED, NULL, err);
    bx_buf_deinit(&take_e->body);
    return rc;
}

/* The first line of the first message: no model is asked for a title. */
static int give_title(struct bx_run *run, const char *text, struct bx_err *err) {
    bx_auto(bx_freep) char *old = bx_session_title(run->session);
    if (run->history->has_title || (old && *old) || run->history->messages.n)
        return 0;
    struct bx_str title = bx_str_trim(bx_str(text));
    size_t line = bx_str_find(title, '\n');
    title = bx_str_slice(title, 0, line == (size_t)-1 ? title.n : line);
    title = bx_str_trim(bx_str_slice(title, 0, bx_utf8_cut(title, BX_MIN(title.n, TITLE_MAX))));
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstrn(&e.w, "title", title);
    return append(run, &e, "title", err);
}

static int rewind_first(struct bx_run *run, const struct bx_run_options *o, struct bx_err *err) {
    int rc = o && o->replace ? bx_session_rewind(run->session, o->replace, err) : 0;
    return rc ? rc : bx_history_catch_up(run->history, run->session, err);
}

static int attach_packs(struct bx_run *run, const struct bx_run_options *o, struct bx_err *err) {
    int rc = 0;
    for (size_t i = 0; o && o->packs && o->packs[i] && !rc; i++) {
        rc = bx_agent_attach_pack(run->agent, run->session, o->packs[i], err);
        if (rc == BX_ERR_NOTFOUND ||
            rc == BX_ERR_DAMAGED) { /* the context says that it is missing */
            bx_auto(bx_freep) char *body = bx_asprintf("{\"pack\":\"%s\"}", o->packs[i]);
            rc = bx_session_append(run->session, "attach", bx_str(body), BX_BATCHED, NULL, err);
        }
    }
    return rc ? rc : bx_history_catch_up(run->history, run->session, err);
}

static bool options_compact(struct bx_run *run, const char *focus, const struct bx_run_options *o) {
    if (o && o->compact)
        run->compact = bx_strdup(focus ? focus : "");
    run->leaves_queue = run->compact && bx_session_has_queued(run->session);
    return run->compact != NULL;
}

/* What waits comes first, but for a message that takes an earlier one's place. */
static int say_all(struct bx_run *run, const char *text, const struct bx_run_options *o,
                   struct bx_skill_use *use, struct bx_err *err) {
    bool replaces = o && o->replace;
    if (!replaces && bx_run_join_queued(run))
        return bx_fail(err, BX_ERR_IO, "the session's file cannot be written");
    int rc = text ? bx_run_say(run, text, NULL, use->skill ? use : NULL, err) : 0;
    if (!rc && replaces && bx_run_join_queued(run))
        return bx_fail(err, BX_ERR_IO, "the session's file cannot be written");
    return rc || !text ? rc : give_title(run, text, err);
}

/* Everything that can be refused is refused before the first event. */
static int begin(struct bx_run *run, const char *text, struct bx_run_options *options,
                 struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *skills = NULL;
    bx_auto(bx_skill_use_deinit) struct bx_skill_use use = {0};
    int rc = bx_executor_enter(run, options, err);
    if (rc || (rc = bx_run_read_options(run, options, err)))
        return rc;
    if (!text && !bx_session_has_queued(run->session))
        return bx_fail(err, BX_ERR_NOTFOUND, "nothing waits to be sent");
    run->history = bx_agent_take_history(run->agent, run);
    if ((rc = bx_history_catch_up(run->history, run->session, err)) ||
        (rc = bx_session_close_open(run->session, run->history, err)) ||
        (rc = bx_run_expand_skill(run, options->skill, options->skill_args, &skills, &use, err)) ||
        (rc = rewind_first(run, options, err)) || (rc = attach_packs(run, options, err)) ||
        (rc = bx_run_load_rules(run, err)) || (rc = bx_executor_move_in(run, err)))
        return rc;
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "model", bx_model_id(run->model));
    bx_jw_kstr(&e.w, "mode", bx_mode_name(bx_run_mode(run)));
    bx_jw_kint(&e.w, "max_turns", bx_budget_cap(run->budget, BX_BUDGET_TURNS));
    bx_run_write_budget(run, &e.w);
    if (run->mode)
        bx_jw_kstr(&e.w, "own_mode", run->mode);
    if (run->executor && run->executor->manager)
        bx_jw_kstr(&e.w, "manager", run->executor->manager->id);
    if ((rc = append(run, &e, "run_start", err)) || options_compact(run, text, options))
        return rc;
    return say_all(run, text, options, &use, err);
}

static struct bx_run *run_of(struct bx_agent *a, const char *session_id) { /* lock held */
    for (size_t i = 0; i < a->runs.n; i++)
        if (!a->runs.p[i]->done &&
            strcmp(bx_session_header(a->runs.p[i]->session)->id, session_id) == 0)
            return a->runs.p[i];
    return NULL;
}

int bx_run_reserve(struct bx_agent *a, struct bx_run *run, struct bx_err *err) {
    const char *id = bx_session_header(run->session)->id;
    BX_LOCKED(&a->lock);
    if (a->closing)
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the program is about to end");
    for (struct bx_run *other; (other = run_of(a, id)) != NULL;) {
        if (!other->ending)
            return bx_fail(err, BX_ERR_BUSY,
                           "this session is working on a message; stop it or wait for its end");
        pthread_cond_wait(&a->changed, &a->lock);
    }
    bx_vec_push(&a->runs, run);
    return 0;
}

struct bx_run *bx_run_new(struct bx_agent *a, struct bx_session *session, struct bx_cancel *above) {
    struct bx_run *run = bx_new(struct bx_run);
    run->agent = a;
    run->session = bx_session_ref(session);
    run->cancel = bx_cancel_new(above);
    pthread_mutex_init(&run->rules_lock, NULL);
    run->start_ms = bx_mono_ms();
    bx_id_new(run->id);
    return run;
}

void bx_run_give_up(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    {
        BX_LOCKED(&a->lock);
        for (size_t i = 0; i < a->runs.n; i++) {
            if (a->runs.p[i] == run) {
                bx_vec_remove(&a->runs, i);
                break;
            }
        }
        pthread_cond_broadcast(&a->changed);
    }
    bx_run_free(run);
}

int bx_run_start(struct bx_run *run, struct bx_err *err) {
    int rc = bx_thread_start(&run->thread, "bx-run", bx_run_main, run, err);
    if (rc)
        return rc;
    BX_LOCKED(&run->agent->lock); /* nobody frees it before it is said to have started */
    if (run->executor)
        run->executor->has_thread = true;
    run->started = true;
    return 0;
}

int bx_agent_send(struct bx_agent *a, struct bx_session *session, const char *text,
                  const struct bx_run_options *options, char *ret_run, struct bx_err *err) {
    reap(a);
    struct bx_run *run =
        bx_run_new(a, session, options && options->executor ? options->executor->cancel : NULL);
    int rc = bx_run_reserve(a, run, err);
    if (rc) {
        bx_run_free(run);
        return rc;
    }
    char id[sizeof run->id];
    memcpy(id, run->id, sizeof id);
    struct bx_run_options own = options ? *options : (struct bx_run_options){0};
    bx_auto(bx_cancel_unrefp) struct bx_cancel *token = bx_cancel_ref(run->cancel);
    rc = begin(run, text, &own, err);
    if (!rc)
        rc = bx_run_start(run, err);
    if (rc) {
        bx_executor_move_out(run);
        bx_run_give_up(run);
        return rc;
    }
    /* The model is being asked while the message goes to the platter. */
    if ((rc = bx_session_sync(session, err))) {
        bx_cancel_fire(token, "the message could not be kept");
        return rc;
    }
    if (ret_run)
        memcpy(ret_run, id, sizeof id);
    return 0;
}

/* ---- looking and stopping ---- */

int bx_agent_stop_run(struct bx_agent *a, const char *session_id, struct bx_err *err) {
    bx_auto(bx_cancel_unrefp) struct bx_cancel *token = NULL;
    {
        BX_LOCKED(&a->lock);
        struct bx_run *run = run_of(a, session_id);
        token = run ? bx_cancel_ref(run->cancel) : NULL;
    }
    if (!token && bx_executors_stop_session(a, session_id))
        return 0; /* one that waited for its turn */
    if (!token)
        return bx_fail(err, BX_ERR_NOTFOUND, "nothing runs in this session");
    bx_cancel_fire(token, "stopped by the user"); /* without the lock: watchers take it */
    return 0;
}

bool bx_agent_is_running(struct bx_agent *a, const char *session_id) {
    BX_LOCKED(&a->lock);
    return run_of(a, session_id) != NULL;
}

bool bx_agent_takes_queued(struct bx_agent *a, const char *session_id, bool ring) {
    BX_LOCKED(&a->lock);
    struct bx_run *run = run_of(a, session_id);
    if (!run || run->ending)
        return false;
    run->rung |= ring;
    if (ring)
        pthread_cond_broadcast(&a->changed);
    return true;
}

bool bx_agent_carries_out(struct bx_agent *a, const char *session_id, const char *queued) {
    BX_LOCKED(&a->lock);
    struct bx_run *run = run_of(a, session_id);
    return run && strcmp(run->carries_out, queued) == 0;
}

bool bx_agent_is_waiting(struct bx_agent *a, const char *session_id) {
    BX_LOCKED(&a->lock);
    struct bx_run *run = run_of(a, session_id);
    return run && run->question.id[0] && !run->question.answered;
}

void bx_agent_open_question(struct bx_agent *a, const char *session_id, char *ret) {
    BX_LOCKED(&a->lock);
    struct bx_run *run = run_of(a, session_id);
    snprintf(ret, BX_ID_LEN + 1, "%s", run && !run->question.answered ? run->question.id : "");
}

void bx_agent_wait(struct bx_agent *a, const char *session_id) {
    pthread_mutex_lock(&a->lock);
    while (run_of(a, session_id))
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    reap(a);
}

static bool is_settling(struct bx_agent *a, const char *session_id) { /* lock held */
    for (size_t i = 0; i < a->runs.n; i++)
        if (a->runs.p[i]->done && !a->runs.p[i]->over &&
            strcmp(bx_session_header(a->runs.p[i]->session)->id, session_id) == 0)
            return true;
    return false;
}

bool bx_agent_goes_on(struct bx_agent *a, const char *session_id) {
    pthread_mutex_lock(&a->lock);
    while (!run_of(a, session_id) && is_settling(a, session_id))
        pthread_cond_wait(&a->changed, &a->lock);
    bool runs = run_of(a, session_id) != NULL;
    pthread_mutex_unlock(&a->lock);
    return runs;
}
