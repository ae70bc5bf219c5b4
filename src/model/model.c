#include "model/impl.h"

const char *bx_model_id(const struct bx_model *m) {
    return m->id;
}

int64_t bx_model_window(struct bx_model *m) {
    int64_t window = atomic_load(&m->window);
    if (window <= 0 && m->gguf) {
        window = bx_embedded_window(m->models->embedded, m->gguf, m->embedded_window);
        atomic_store(&m->window, window);
    }
    if (window > 0 || !m->told)
        return window;
    window = atomic_load(&m->told->tokens);
    if (!window) {
        bx_auto(bx_freep) char *key = bx_models_key(m->models, m->provider, m->key_env);
        bx_windows_ask(m->models->windows, m->told, key);
    }
    return window;
}

const char *bx_model_window_from(struct bx_model *m) {
    if (atomic_load(&m->window) > 0)
        return m->gguf ? "embedded" : "settings";
    return m->told ? atomic_load(&m->told->from) : NULL;
}

bool bx_model_is_small(const struct bx_model *m) {
    return m->small;
}

bool bx_model_price(const struct bx_model *m, struct bx_price *ret) {
    *ret = m->price;
    return m->has_price;
}

static int64_t sum(int64_t a, int64_t b) {
    return a < 0 || b < 0 ? BX_MAX(a, b) : a + b;
}

void bx_usage_add(struct bx_usage *whole, const struct bx_usage *next) {
    whole->input_tokens = sum(whole->input_tokens, next->input_tokens);
    whole->output_tokens = sum(whole->output_tokens, next->output_tokens);
    whole->cached_tokens = sum(whole->cached_tokens, next->cached_tokens);
    whole->cost = whole->cost < 0 || next->cost < 0 ? -1 : whole->cost + next->cost;
    whole->ms += next->ms;
}

double bx_model_cost(const struct bx_model *m, const struct bx_usage *u) {
    if (u->cost >= 0 || !m->has_price) {
        return u->cost;
    }
    int64_t input = BX_MAX(u->input_tokens, 0), cached = BX_MIN(BX_MAX(u->cached_tokens, 0), input);
    return ((double)(input - cached) * m->price.input + (double)cached * m->price.cached +
            (double)BX_MAX(u->output_tokens, 0) * m->price.output) /
           1e6;
}

bool bx_model_sees(const struct bx_model *m) {
    return m->images;
}

struct bx_model *bx_model_ref(struct bx_model *m) {
    if (m) {
        atomic_fetch_add(&m->refs, 1);
    }
    return m;
}

void bx_model_unref(struct bx_model *m) {
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1) {
        return;
    }
    bx_free(m->id);
    bx_free(m->name);
    bx_free(m->provider);
    bx_free(m->who);
    bx_free(m->url);
    bx_free(m->key_env);
    bx_free(m->max_tokens_key);
    bx_free(m->absent_hint);
    bx_free(m->gguf);
    bx_models_unref(m->models);
    bx_free(m);
}
