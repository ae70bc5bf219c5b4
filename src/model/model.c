#include "model/impl.h"

const char *bx_model_id(const struct bx_model *m) {
    return m->id;
}

int64_t bx_model_window(struct bx_model *m) {
    return atomic_load(&m->window);
}

bool bx_model_is_small(const struct bx_model *m) {
    return m->small;
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
