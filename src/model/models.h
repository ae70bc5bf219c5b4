/* model/models.h: which models there are and where they are had from.
 *
 * Any thread. Providers are rows of data (model/providers.c): id, base URL, key variable, quirks; settings.json may add or
 * change rows: {"providers":{"my":{"base_url":"http://127.0.0.1:8080/v1","key_env":"MY_KEY","models":[{"id":"m","window":32768}]}}}.
 * The provider "embedded" is the llama.cpp child: "smollm2", "tour" and any .gguf of the models folder or by path. */
#ifndef BX_MODEL_MODELS_H
#define BX_MODEL_MODELS_H

#include "model/model.h"

struct bx_models;

struct bx_models_config {
    const struct bx_val *settings;    /* settings.json's root, or NULL; copied */
    char *(*secret)(void *user, const char *name); /* "provider.openai" → the caller's copy or NULL (environment is looked at first) */
    void *secret_user;
    const char *models_dir;           /* $XDG_DATA_HOME/boxagnts/models */
    const char *runtime_dir;          /* 0700 folder for the model server's socket */
    bool offline;                     /* only embedded models and loopback endpoints */
};
int bx_models_new(const struct bx_models_config *config, struct bx_models **ret, struct bx_err *err);
void bx_models_free(struct bx_models *m); /* stops the embedded server */
BX_DEFINE_AUTO(struct bx_models, bx_models_free)

/* "provider/name", a name that only one provider has, "tour", "smollm2", or a path ending in .gguf; NULL or "" = the
 * default: settings "model", else the first that is ready (embedded weights, an endpoint with a key). BX_ERR_NOTFOUND says
 * what there is. */
int bx_models_get(struct bx_models *m, const char *id, struct bx_model **ret, struct bx_err *err);

struct bx_model_info {
    char *id, *name, *provider;
    int64_t window;      /* 0 = unknown */
    bool local, constrained, available;
    char *why;           /* when not available: what to do */
};
struct bx_model_infos {
    struct bx_model_info *items;
    size_t n;
};
void bx_models_list(struct bx_models *m, struct bx_model_infos *ret); /* no network traffic */
void bx_model_infos_deinit(struct bx_model_infos *infos);

struct bx_provider_info {
    const char *id, *name, *base_url, *key_env;
    bool has_key;
};
/* fn for each provider row; the views are valid during the call, in which fn must not call back into the registry. */
void bx_models_each_provider(struct bx_models *m, void (*fn)(void *user, const struct bx_provider_info *p), void *user);

int bx_models_reload(struct bx_models *m, const struct bx_val *settings, struct bx_err *err); /* settings changed */

/* The embedded server's main: what main.c calls for the hidden first argument "--model-server". Never returns. */
_Noreturn void bx_model_server_main(int argc, char **argv);

#endif
