#include "fetch/url.h"
#include "model/impl.h"
#include "model/providers.h"

static void row_deinit(struct bx_provider_row *r) {
    bx_free(r->id);
    bx_free(r->name);
    bx_free(r->base_url);
    bx_free(r->key_env);
    bx_free(r->max_tokens_key);
    bx_free(r->absent_hint);
}

void bx_rows_clear(struct bx_models *m) {
    for (size_t i = 0; i < m->rows.n; i++) {
        row_deinit(&m->rows.p[i]);
    }
    bx_vec_free(&m->rows);
}

struct bx_provider_row *bx_rows_find(struct bx_models *m, struct bx_str id) {
    for (size_t i = 0; i < m->rows.n; i++) {
        if (bx_str_eqz(id, m->rows.p[i].id)) {
            return &m->rows.p[i];
        }
    }
    return NULL;
}

static void replace(char **at, const struct bx_val *v) {
    if (bx_val_is(v, BX_VAL_STR)) {
        bx_free(*at);
        *at = bx_strdup(bx_val_z(v));
    }
}

static bool url_is_local(const char *text) {
    struct bx_url url;
    if (bx_url_parse(text, &url, NULL) < 0) {
        return false;
    }
    bool local = bx_url_is_loopback(&url);
    bx_url_deinit(&url);
    return local;
}

/* A price that is no number would make a budget of money mean nothing. */
static int check_prices(const char *provider, const struct bx_val *models, struct bx_err *err) {
    static const char *const parts[] = {"input", "output", "cached"};
    bx_val_foreach_item (models, model) {
        const struct bx_val *price = bx_val_get(model, "price");
        bool ok = !price || (bx_val_is(price, BX_VAL_OBJ) && bx_val_get(price, "input") &&
                             bx_val_get(price, "output"));
        for (size_t i = 0; ok && i < BX_ARRAY_LEN(parts); i++)
            ok =
                bx_val_real(bx_val_get(price, parts[i]), bx_val_get(price, parts[i]) ? -1 : 0) >= 0;
        if (!ok) {
            return bx_fail(err, BX_ERR_INVALID,
                           "settings: providers: %s: the price of %.80s must be {\"input\": N, "
                           "\"output\": N, \"cached\": N}, US$ for a million tokens",
                           provider, bx_val_get_z(model, "id") ? bx_val_get_z(model, "id") : "?");
        }
    }
    return 0;
}

static int row_from_settings(struct bx_models *m, struct bx_str id, const struct bx_val *v,
                             struct bx_err *err) {
    struct bx_provider_row *r = bx_rows_find(m, id);
    if (bx_str_eqz(id, "embedded") || id.n == 0 || bx_str_find(id, '/') != (size_t)-1) {
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: providers: \"" BX_STR_FMT "\" cannot be a provider's name",
                       BX_STR_ARG(id));
    }
    if (!r) {
        bx_vec_push(&m->rows, (struct bx_provider_row){0});
        r = &m->rows.p[m->rows.n - 1];
        r->id = bx_str_dup(id);
        r->name = bx_str_dup(id);
    }
    replace(&r->name, bx_val_get(v, "name"));
    replace(&r->base_url, bx_val_get(v, "base_url"));
    replace(&r->key_env, bx_val_get(v, "key_env"));
    replace(&r->max_tokens_key, bx_val_get(v, "max_tokens_key"));
    r->no_stream_usage = bx_val_get_bool(v, "no_stream_usage", r->no_stream_usage);
    r->short_ids = bx_val_get_bool(v, "short_ids", r->short_ids);
    r->images = bx_val_get_bool(v, "images", r->images);
    r->models = bx_val_get(v, "models");
    struct bx_url url;
    struct bx_err why;
    if (!r->base_url || bx_url_parse(r->base_url, &url, &why) < 0) {
        return bx_fail(err, BX_ERR_INVALID,
                       "settings: providers: %s: base_url must be an http or https URL (%s)", r->id,
                       r->base_url ? why.msg : "it is missing");
    }
    bx_url_deinit(&url);
    if (check_prices(r->id, r->models, err) < 0) {
        return BX_ERR_INVALID;
    }
    for (size_t n = strlen(r->base_url); n > 0 && r->base_url[n - 1] == '/'; n--) {
        r->base_url[n - 1] = 0;
    }
    return 0;
}

static void rows_builtin(struct bx_models *m) {
    for (size_t i = 0; i < bx_provider_count; i++) {
        const struct bx_provider *p = &bx_providers[i];
        struct bx_provider_row r = {.id = bx_strdup(p->id),
                                    .name = bx_strdup(p->name),
                                    .base_url = bx_strdup(p->base_url),
                                    .key_env = bx_strdup(p->key_env),
                                    .max_tokens_key = bx_strdup(p->max_tokens_key),
                                    .absent_hint = bx_strdup(p->absent_hint),
                                    .no_stream_usage = p->no_stream_usage,
                                    .short_ids = p->short_ids,
                                    .images = p->images};
        bx_vec_push(&m->rows, r);
    }
}

int bx_rows_load(struct bx_models *m, const struct bx_val *settings, struct bx_err *err) {
    int r = 0;
    rows_builtin(m);
    bx_val_foreach_member (bx_val_get(settings, "providers"), id, v) {
        r = r < 0 ? r : row_from_settings(m, id, v, err);
    }
    for (size_t i = 0; r == 0 && i < m->rows.n; i++) {
        m->rows.p[i].local = url_is_local(m->rows.p[i].base_url);
    }
    return r;
}
