/* model/impl.h: what the files of this room share; nobody else includes it. */
#ifndef BX_MODEL_IMPL_H
#define BX_MODEL_IMPL_H

#include <stdatomic.h>

#include "base/thread.h"
#include "model/embedded.h"
#include "model/models.h"
#include "model/window.h"
#include "model/wire.h"

/* A provider as it is configured: a row of providers.c, changed or added by the settings. Strings are its own. */
struct bx_provider_row {
    char *id, *name, *base_url, *key_env, *max_tokens_key, *absent_hint;
    bool no_stream_usage, short_ids, images, local;
    const struct bx_val *models; /* of the settings, or NULL */
};

struct bx_models {
    atomic_int refs; /* the registry's own and one for each model that is out */
    pthread_mutex_t lock;
    struct bx_doc *settings;
    BX_VEC(struct bx_provider_row) rows;
    char *(*secret)(void *user, const char *name);
    void *secret_user;
    char *models_dir, *runtime_dir;
    bool offline;
    struct bx_fetch *fetch;
    struct bx_embedded *embedded;
    struct bx_windows *windows;
    unsigned attempts;
    uint64_t retry_base_ms, stall_ms, first_byte_ms;
    int64_t embedded_window;
};

/* One model, immutable but for the window; it keeps copies, so a reload of the settings does not pull the rug. */
struct bx_model {
    atomic_int refs;
    struct bx_models *models;
    char *id, *name, *provider, *who;
    char *url, *key_env, *max_tokens_key, *absent_hint;
    bool no_stream_usage, short_ids, images, local, small;
    int constrained; /* 0, 1, or -1: as its template says */
    int64_t max_output_tokens;
    bool has_price;
    struct bx_price price;
    char *gguf; /* embedded: the file */
    int64_t embedded_window;
    _Atomic int64_t window;   /* of the settings, or of the embedded server; 0: not told */
    struct bx_window *told;   /* by the endpoint; NULL: not asked */
};

/* provider_rows.c: the rows of providers.c with the settings' changes; views into `settings` are kept. */
int bx_rows_load(struct bx_models *m, const struct bx_val *settings, struct bx_err *err);
void bx_rows_clear(struct bx_models *m);
struct bx_provider_row *bx_rows_find(struct bx_models *m, struct bx_str id);

void bx_models_unref(struct bx_models *m);
/* The key of a provider: environment, then secret; the caller's, NULL when there is none. */
char *bx_models_key(struct bx_models *m, const char *provider, const char *key_env);

#endif
