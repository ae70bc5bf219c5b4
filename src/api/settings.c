/* Models, providers and settings. Worker threads. */
#include "agent/capability.h"
#include "api/call.h"
#include "base/thread.h"
#include "permit/permit.h"
#include "store/retention.h"

static void write_model(struct bx_jw *w, const struct bx_model_info *m) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", m->id);
    bx_jw_kstr(w, "name", m->name);
    bx_jw_kstr(w, "provider", m->provider);
    bx_jw_kbool(w, "local", m->local);
    bx_jw_key(w, "window");
    if (m->window > 0)
        bx_jw_int(w, m->window);
    else
        bx_jw_null(w);
    bx_jw_kstr(w, "tools", m->constrained ? "constrained" : "native");
    bx_jw_kbool(w, "available", m->available);
    bx_jw_kstr(w, "why", m->why ? m->why : "");
    bx_jw_end(w);
}

static void write_provider(void *user, const struct bx_provider_info *p) {
    struct bx_jw *w = user;
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", p->id);
    bx_jw_kstr(w, "name", p->name);
    bx_jw_kstr(w, "base_url", p->base_url ? p->base_url : "");
    bx_jw_kbool(w, "has_key", p->has_key);
    bx_jw_kstr(w, "key_env", p->key_env ? p->key_env : "");
    bx_jw_end(w);
}

int bx_route_models(struct bx_api_call *c, struct bx_err *err) {
    (void)err;
    struct bx_models *models = c->api->config->models;
    bx_auto(bx_model_unrefp) struct bx_model *best = NULL;
    struct bx_model_infos infos;
    int r = bx_models_get(models, NULL, &best, NULL);
    bx_models_list(models, &infos);
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstr(w, "default", r < 0 ? "" : bx_model_id(best));
    bx_jw_karr(w, "models");
    for (size_t i = 0; i < infos.n; i++)
        write_model(w, &infos.items[i]);
    bx_jw_end(w);
    bx_jw_karr(w, "providers");
    bx_models_each_provider(models, write_provider, w);
    bx_jw_end(w);
    bx_jw_end(w);
    bx_model_infos_deinit(&infos);
    return 0;
}

/* Keys belong into auth.json; where somebody wrote one into settings.json it does not leave through
 * here. */
static bool is_secret(struct bx_str name) {
    static const char *const names[] = {"key",     "api_key", "apikey",       "api-key",
                                        "token",   "secret",  "password",     "authorization",
                                        "headers", "env",     "client_secret"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_ieqz(name, names[i]))
            return true;
    }
    return false;
}

static void write_public(struct bx_jw *w,
                         const struct bx_val *v) { /* as deep as the parser's limit lets it be */
    if (bx_val_is(v, BX_VAL_OBJ)) {
        bx_jw_obj(w);
        bx_val_foreach_member (v, name, value) {
            if (!is_secret(name)) {
                bx_jw_keys(w, name);
                write_public(w, value);
            }
        }
        bx_jw_end(w);
    } else if (bx_val_is(v, BX_VAL_ARR)) {
        bx_jw_arr(w);
        bx_val_foreach_item (v, item)
            write_public(w, item);
        bx_jw_end(w);
    } else {
        bx_jw_val(w, v);
    }
}

static int reply_settings(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    int r = bx_settings_load(c->api->config->store, &settings, err);
    if (r == 0)
        write_public(bx_call_json(c, 200), bx_doc_root(settings));
    return r;
}

int bx_route_settings_get(struct bx_api_call *c, struct bx_err *err) {
    return reply_settings(c, err);
}

/* What the settings would be: the members of patch instead of those there are, without those that
 * it sets to null. */
static int merge(const struct bx_val *old, const struct bx_val *patch, struct bx_doc **ret,
                 struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(8 * BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_val_foreach_member (old, name, value) {
        if (bx_val_is(bx_val_get_n(patch, name), BX_VAL_ABSENT)) {
            bx_jw_keys(&w, name);
            bx_jw_val(&w, value);
        }
    }
    bx_val_foreach_member (patch, key, changed) {
        if (!bx_val_is(changed, BX_VAL_NULL)) {
            bx_jw_keys(&w, key);
            bx_jw_val(&w, changed);
        }
    }
    bx_jw_end(&w);
    if (bx_buf_failed(&text))
        return bx_fail(err, BX_ERR_LIMIT, "the settings would be larger than 8 MiB");
    return bx_doc_parse(bx_buf_str(&text), NULL, ret, err);
}

static bool has_secret(const struct bx_val *v) {
    bx_val_foreach_member (v, name, value) {
        if ((is_secret(name) && !bx_str_ieqz(name, "headers")) || has_secret(value))
            return true;
    }
    return false;
}

static int check_patch(struct bx_api_call *c, struct bx_err *err) {
    struct bx_retention retention;
    enum bx_mode mode;
    struct bx_str word = bx_val_get_str(c->body, "mode");
    if (word.p && (!bx_mode_parse(word, &mode) || mode == BX_MODE_BYPASS))
        return bx_call_fault(c, "mode", err,
                             "\"mode\" must be plan, default, accept-edits or auto");
    const struct bx_val *at = bx_val_get(c->body, "compact_at");
    if (bx_val_is(at, BX_VAL_INT) && !bx_compact_at_ok(bx_val_int(at, 0)))
        return bx_call_fault(
            c, "compact_at", err,
            "\"compact_at\" is a percentage of the window: 10 to 95, or 0 for never");
    if (bx_retention_read(c->body, &retention, err) < 0) {
        snprintf(c->field, sizeof c->field, "retention");
        return BX_ERR_INVALID;
    }
    if (has_secret(bx_val_get(c->body, "providers")))
        return bx_call_fault(
            c, "providers", err,
            "a key does not belong into the settings: store it with PUT /api/v1/providers/ID/key");
    return 0;
}

/* Everybody takes the new settings, or nobody does and err says who would not. */
static int apply(struct bx_api_call *c, const struct bx_val *old, const struct bx_val *settings,
                 struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_model_unrefp) struct bx_model *model = NULL;
    const char *wanted = bx_val_get_z(c->body, "model");
    int64_t caps[BX_BUDGET_COUNT];
    int r = bx_budget_read(bx_val_get(settings, "budgets"), caps, err);
    if (r < 0) {
        snprintf(c->field, sizeof c->field, "budgets");
        return r;
    }
    struct bx_executor_settings executors;
    if ((r = bx_executor_settings_read(settings, &executors, err)) < 0) {
        static const char *const names[] = {"max_concurrent_executors", "max_executor_depth",
                                            "max_executors"};
        snprintf(c->field, sizeof c->field, "executor_budget");
        for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
            if (strstr(err->msg, names[i]))
                snprintf(c->field, sizeof c->field, "%s", names[i]);
        return r;
    }
    r = bx_registry_reload(config->registry, settings, err);
    if (r < 0) {
        snprintf(c->field, sizeof c->field, "%s",
                 strstr(err->msg, "\"defer_tools\"") ? "defer_tools" : "limits");
        return r;
    }
    r = bx_models_reload(config->models, settings, err);
    if (r < 0)
        snprintf(c->field, sizeof c->field, "providers");
    else if (wanted && *wanted && (r = bx_models_get(config->models, wanted, &model, err)) < 0)
        snprintf(c->field, sizeof c->field, "model");
    if (r == 0)
        r = bx_settings_patch(config->store, c->body, err);
    if (r < 0) {
        bx_registry_reload(config->registry, old, NULL);
        bx_models_reload(config->models, old, NULL);
    }
    return r;
}

int bx_route_settings_put(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *old = NULL, *settings = NULL;
    int r = check_patch(c, err);
    if (r < 0)
        return r;
    BX_LOCKED(&c->api->settings_mutex);
    r = bx_settings_load(c->api->config->store, &old, err);
    if (r == 0)
        r = merge(bx_doc_root(old), c->body, &settings, err);
    if (r == 0)
        r = apply(c, bx_doc_root(old), bx_doc_root(settings), err);
    return r < 0 ? r : reply_settings(c, err);
}

struct provider_search {
    struct bx_str id;
    bool found;
};

static void match_provider(void *user, const struct bx_provider_info *p) {
    struct provider_search *search = user;
    if (bx_str_eqz(search->id, p->id))
        search->found = true;
}

int bx_route_provider_key(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    struct provider_search search = {.id = bx_call_param(c, 0)};
    struct bx_str key = bx_val_get_str(c->body, "key");
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    bx_models_each_provider(config->models, match_provider, &search);
    if (!search.found)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no provider of this name");
    for (size_t i = 0; i < key.n; i++) {
        if ((unsigned char)key.p[i] <= ' ' || (unsigned char)key.p[i] >= 0x7f)
            return bx_call_fault(c, "key", err,
                                 "a key has no spaces and no line ends: copy it again");
    }
    BX_LOCKED(&c->api->settings_mutex);
    bx_auto(bx_freep) char *name = bx_asprintf("provider." BX_STR_FMT, BX_STR_ARG(search.id));
    int r = bx_secret_set(config->store, name, key.n ? bx_val_get_z(c->body, "key") : NULL, err);
    if (r == 0)
        r = bx_settings_load(config->store, &settings, err);
    if (r == 0)
        r = bx_models_reload(config->models, bx_doc_root(settings), err); /* it may be ready now */
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}
