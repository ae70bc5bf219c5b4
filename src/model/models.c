#include "base/file.h"
#include "base/path.h"
#include "base/gzip.h"
#include "model/impl.h"

#define SMALL_FILE_BYTES (700ll * 1024 * 1024) /* about a billion parameters at 4 bits */
#define SMALL_WINDOW     4096
#define DEFAULT_WINDOW   8192
#define MAX_GGUF         200

static uint64_t positive(const struct bx_val *obj, const char *key, uint64_t fallback) {
    int64_t n = bx_val_get_int(obj, key, 0);
    return n > 0 ? (uint64_t)n : fallback;
}

int bx_models_reload(struct bx_models *m, const struct bx_val *settings, struct bx_err *err) {
    struct bx_doc *doc = settings ? bx_val_copy(settings) : NULL;
    const struct bx_val *root = doc ? bx_doc_root(doc) : NULL;
    struct bx_models fresh = {0};
    int r = bx_rows_load(&fresh, root, err);
    if (r < 0) {
        bx_rows_clear(&fresh);
        bx_doc_free(doc);
        return r;
    }
    const struct bx_val *requests = bx_val_get(root, "model_requests");
    BX_LOCKED(&m->lock);
    bx_rows_clear(m);
    bx_doc_free(m->settings);
    m->rows.p = fresh.rows.p;
    m->rows.n = fresh.rows.n;
    m->rows.cap = fresh.rows.cap;
    m->settings = doc;
    m->attempts = (unsigned)BX_MIN(positive(requests, "attempts", 5), 20);
    m->retry_base_ms = positive(requests, "retry_base_ms", 500);
    m->stall_ms = positive(requests, "stall_timeout_ms", 60000);
    m->first_byte_ms = positive(requests, "first_byte_timeout_ms", 0);
    m->embedded_window = (int64_t)positive(bx_val_get(root, "embedded"), "window", 0);
    return 0;
}

/* ---- life ---- */

int bx_models_new(const struct bx_models_config *config, struct bx_models **ret,
                  struct bx_err *err) {
    bx_auto(bx_models_freep) struct bx_models *m = bx_new(struct bx_models);
    atomic_init(&m->refs, 1);
    pthread_mutex_init(&m->lock, NULL);
    m->secret = config->secret;
    m->secret_user = config->secret_user;
    m->models_dir = bx_strdup(config->models_dir);
    m->runtime_dir = bx_strdup(config->runtime_dir);
    m->offline = config->offline;
    const struct bx_val *embedded = bx_val_get(config->settings, "embedded");
    int r = bx_models_reload(m, config->settings, err);
    r = r < 0 ? r
              : bx_fetch_new(&(struct bx_fetch_config){.offline = config->offline}, &m->fetch, err);
    if (r == 0) {
        m->windows = bx_windows_new(m->fetch);
        struct bx_embedded_config child = {
            .runtime_dir = config->runtime_dir,
            .fetch = m->fetch,
            .threads = (unsigned)BX_MIN(positive(embedded, "threads", 0), 256),
            .idle_ms = positive(embedded, "idle_ms", 0)};
        r = bx_embedded_new(&child, &m->embedded, err);
    }
    if (r == 0) {
        *ret = bx_steal(&m);
    }
    return r;
}

void bx_models_unref(struct bx_models *m) {
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1) {
        return;
    }
    bx_windows_free(m->windows);
    bx_embedded_free(m->embedded);
    bx_fetch_free(m->fetch);
    bx_rows_clear(m);
    bx_doc_free(m->settings);
    bx_free(m->models_dir);
    bx_free(m->runtime_dir);
    pthread_mutex_destroy(&m->lock);
    bx_free(m);
}

void bx_models_free(struct bx_models *m) {
    bx_models_unref(m);
}

char *bx_models_key(struct bx_models *m, const char *provider, const char *key_env) {
    const char *env = key_env ? getenv(key_env) : NULL;
    if (env && *env) {
        return bx_strdup(env);
    }
    bx_auto(bx_freep) char *name = bx_asprintf("provider.%s", provider);
    char *secret = m->secret ? m->secret(m->secret_user, name) : NULL;
    if (secret && !*secret) {
        bx_free(bx_steal(&secret));
    }
    return secret;
}

/* ---- making a model ---- */

static struct bx_model *model_new(struct bx_models *m, const char *provider, const char *name) {
    struct bx_model *model = bx_new(struct bx_model);
    atomic_init(&model->refs, 1);
    atomic_fetch_add(&m->refs, 1);
    model->models = m;
    model->id = bx_asprintf("%s/%s", provider, name);
    model->provider = bx_strdup(provider);
    model->name = bx_strdup(name);
    return model;
}

static const struct bx_val *model_settings(const struct bx_val *models, const char *name) {
    bx_val_foreach_item (models, v) {
        if (bx_str_eqz(bx_val_get_str(v, "id"), name)) {
            return v;
        }
    }
    return NULL;
}

static int get_remote(struct bx_models *m, const struct bx_provider_row *row, const char *name,
                      struct bx_model **ret, struct bx_err *err) {
    if (!*name) {
        return bx_fail(err, BX_ERR_NOTFOUND, "name a model behind the provider, as in %s/NAME",
                       row->id);
    }
    if (m->offline && !row->local) {
        return bx_fail(err, BX_ERR_UNAVAILABLE,
                       "offline: %s is not on this machine; embedded models work", row->name);
    }
    const struct bx_val *s = model_settings(row->models, name);
    struct bx_model *model = model_new(m, row->id, name);
    model->who = bx_strdup(row->name);
    model->url = bx_asprintf("%s/chat/completions", row->base_url);
    model->key_env = bx_strdup(row->key_env);
    model->max_tokens_key = bx_strdup(row->max_tokens_key);
    model->absent_hint = bx_strdup(row->absent_hint);
    model->no_stream_usage = row->no_stream_usage;
    model->short_ids = row->short_ids;
    model->images = bx_val_get_bool(s, "images", row->images);
    model->local = row->local;
    model->small = bx_val_get_bool(s, "small", false);
    model->constrained = bx_val_get_bool(s, "constrained", false);
    model->max_output_tokens = bx_val_get_int(s, "max_output_tokens", 0);
    const struct bx_val *price = bx_val_get(s, "price");
    model->has_price = bx_val_is(price, BX_VAL_OBJ);
    model->price.input = bx_val_real(bx_val_get(price, "input"), 0);
    model->price.output = bx_val_real(bx_val_get(price, "output"), 0);
    model->price.cached = bx_val_real(bx_val_get(price, "cached"), model->price.input);
    atomic_init(&model->window, bx_val_get_int(s, "window", 0));
    model->told = bx_windows_get(m->windows, row->base_url, name, row->local);
    *ret = model;
    return 0;
}

static int64_t file_size(const char *path) {
    FILE *f = fopen(path, "re");
    int64_t size = -1;
    if (f) {
        size = fseek(f, 0, SEEK_END) == 0 ? (int64_t)ftell(f) : -1;
        fclose(f);
    }
    return size;
}

static struct bx_model *embedded_model(struct bx_models *m, const char *name, const char *path) {
    bool tour = strcmp(name, "tour") == 0;
    int64_t size = file_size(path);
    struct bx_model *model = model_new(m, "embedded", name);
    model->who = bx_strdup(name);
    model->url = bx_strdup("http://model/v1/chat/completions");
    model->gguf = bx_strdup(path);
    model->local = true;
    model->small = !tour && size >= 0 && size < SMALL_FILE_BYTES;
    model->constrained = -1;
    model->has_price = true; /* nothing */
    model->max_output_tokens = model->small ? 160 : 2048;
    model->embedded_window = m->embedded_window ? m->embedded_window
                             : tour             ? 16384
                             : model->small     ? SMALL_WINDOW
                                                : DEFAULT_WINDOW;
    atomic_init(&model->window, 0);
    return model;
}

/* Written anew for each process: a folder of its own, and a name that nobody else writes. */
static int write_tour(const char *path, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf bytes = BX_BUF_INIT(64 * BX_MIB);
    int r = bx_gunzip(bx_str_n((const char *)bx_tour_gguf.p, bx_tour_gguf.n), &bytes, err);
    return r ? r : bx_file_write_atomic(path, bx_buf_str(&bytes), 0600, err);
}

static int get_tour(struct bx_models *m, struct bx_model **ret, struct bx_err *err) {
    if (!&bx_tour_gguf || bx_tour_gguf.n == 0) {
        return bx_fail(err, BX_ERR_NOTFOUND, "this build holds no tour");
    }
    bx_auto(bx_freep) char *path = bx_asprintf("%s/tour.gguf", m->runtime_dir);
    int r = bx_dir_make(m->runtime_dir, 0700, err);
    if (r == 0 && file_size(path) <= 0) {
        r = write_tour(path, err);
    }
    if (r == 0) {
        *ret = embedded_model(m, "tour", path);
    }
    return r;
}

/* ---- the .gguf files of the models folder ---- */

struct ggufs {
    char *names[MAX_GGUF]; /* without .gguf */
    size_t n;
};

static int add_gguf(void *user, const char *name) {
    struct ggufs *g = user;
    struct bx_str s = bx_str(name);
    if (bx_str_ends(s, ".gguf") && s.n > 5 && name[0] != '.' && g->n < MAX_GGUF) {
        g->names[g->n++] = bx_str_dup(bx_str_slice(s, 0, s.n - 5));
    }
    return 0;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void ggufs_init(struct bx_models *m, struct ggufs *g) {
    g->n = 0;
    if (m->models_dir) {
        bx_dir_each(m->models_dir, add_gguf, g, NULL);
        qsort(g->names, g->n, sizeof g->names[0], by_name);
    }
}

static void ggufs_deinit(struct ggufs *g) {
    for (size_t i = 0; i < g->n; i++) {
        bx_free(g->names[i]);
    }
}

/* The file of a name, the caller's, or NULL. "smollm2" is also a file that came under its long
 * name. */
static char *gguf_of(struct bx_models *m, const char *name) {
    struct ggufs g;
    char *path = NULL;
    ggufs_init(m, &g);
    for (int round = 0; round < 2 && !path; round++) {
        for (size_t i = 0; i < g.n && !path; i++) {
            bool same = strcmp(g.names[i], name) == 0;
            bool alias = round == 1 && strcmp(name, "smollm2") == 0 &&
                         bx_str_ieqz(bx_str_slice(bx_str(g.names[i]), 0, 7), "smollm2");
            if (same || alias) {
                path = bx_asprintf("%s/%s.gguf", m->models_dir, g.names[i]);
            }
        }
    }
    ggufs_deinit(&g);
    return path;
}

static int get_embedded(struct bx_models *m, const char *name, struct bx_model **ret,
                        struct bx_err *err) {
    if (strcmp(name, "tour") == 0) {
        return get_tour(m, ret, err);
    }
    bx_auto(bx_freep) char *path = NULL;
    bx_auto(bx_freep) char *stem = bx_strdup(name);
    if (bx_str_ends(bx_str(name), ".gguf")) {
        path = bx_file_exists(name) ? bx_path_absolute(name) : NULL;
        stem[strlen(stem) - 5] = 0;
        if (path) {
            bx_auto(bx_freep) char *base = bx_strdup(bx_path_base(stem));
            *ret = embedded_model(m, base, path);
            bx_free((*ret)->id); // the path is what finds it again
            (*ret)->id = bx_asprintf("embedded/%s", path);
            return 0;
        }
    }
    path = gguf_of(m, stem);
    if (!path) {
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "there are no weights for \"%s\": put the file at %s/%s.gguf%s", stem,
                       m->models_dir ? m->models_dir : ".", stem,
                       strcmp(stem, "smollm2") == 0 ? " (boxagnts model pull smollm2)" : "");
    }
    *ret = embedded_model(m, stem, path);
    return 0;
}

/* ---- finding a model by its name ---- */

static int not_found(struct bx_models *m, const char *id, struct bx_err *err) {
    struct ggufs g;
    struct bx_buf names = BX_BUF_INIT(300);
    ggufs_init(m, &g);
    for (size_t i = 0; i < g.n; i++) {
        bx_buf_addf(&names, "embedded/%s, ", g.names[i]);
    }
    ggufs_deinit(&g);
    for (size_t i = 0; i < m->rows.n; i++) {
        bx_val_foreach_item (m->rows.p[i].models, v) {
            const char *name = bx_val_is(v, BX_VAL_STR) ? bx_val_z(v) : bx_val_get_z(v, "id");
            bx_buf_addf(&names, "%s/%s, ", m->rows.p[i].id, name ? name : "?");
        }
    }
    int r = bx_fail(err, BX_ERR_NOTFOUND,
                    "there is no model \"%s\"; there are: %sembedded/tour, or PROVIDER/NAME", id,
                    bx_buf_z(&names));
    bx_buf_deinit(&names);
    return r;
}

static bool row_has(const struct bx_provider_row *row, const char *name) {
    bx_val_foreach_item (row->models, v) {
        if (bx_str_eqz(bx_val_is(v, BX_VAL_STR) ? bx_val_str(v) : bx_val_get_str(v, "id"), name)) {
            return true;
        }
    }
    return false;
}

static int get_bare(struct bx_models *m, const char *id, struct bx_model **ret,
                    struct bx_err *err) {
    bx_auto(bx_freep) char *path = gguf_of(m, id);
    if (path || strcmp(id, "tour") == 0 || strcmp(id, "smollm2") == 0 ||
        bx_str_ends(bx_str(id), ".gguf")) {
        return get_embedded(m, id, ret, err);
    }
    const struct bx_provider_row *found = NULL;
    for (size_t i = 0; i < m->rows.n; i++) {
        if (row_has(&m->rows.p[i], id)) {
            if (found) {
                return bx_fail(err, BX_ERR_INVALID,
                               "both %s and %s have a model \"%s\": write PROVIDER/NAME", found->id,
                               m->rows.p[i].id, id);
            }
            found = &m->rows.p[i];
        }
    }
    return found ? get_remote(m, found, id, ret, err) : not_found(m, id, err);
}

static int get_named(struct bx_models *m, const char *id, struct bx_model **ret,
                     struct bx_err *err) {
    struct bx_str all = bx_str(id);
    size_t slash = bx_str_find(all, '/');
    if (slash == (size_t)-1) {
        return get_bare(m, id, ret, err);
    }
    struct bx_str provider = bx_str_slice(all, 0, slash);
    const struct bx_provider_row *row = bx_rows_find(m, provider);
    if (bx_str_eqz(provider, "embedded")) {
        return get_embedded(m, id + slash + 1, ret, err);
    }
    if (row) {
        return get_remote(m, row, id + slash + 1, ret, err);
    }
    return bx_str_ends(all, ".gguf") ? get_embedded(m, id, ret, err) : get_bare(m, id, ret, err);
}

static bool row_is_ready(struct bx_models *m, const struct bx_provider_row *row) {
    if (m->offline && !row->local) {
        return false;
    }
    bx_auto(bx_freep) char *key = bx_models_key(m, row->id, row->key_env);
    return key || !row->key_env || row->local;
}

static int get_default(struct bx_models *m, struct bx_model **ret, struct bx_err *err) {
    const char *wanted = m->settings ? bx_val_get_z(bx_doc_root(m->settings), "model") : NULL;
    if (wanted && *wanted) {
        return get_named(m, wanted, ret, err);
    }
    if (get_embedded(m, "smollm2", ret, NULL) == 0) {
        return 0;
    }
    struct ggufs g;
    ggufs_init(m, &g);
    int r = g.n > 0 ? get_embedded(m, g.names[0], ret, err) : BX_ERR_NOTFOUND;
    ggufs_deinit(&g);
    for (size_t i = 0; r < 0 && i < m->rows.n; i++) {
        const struct bx_val *first = bx_val_at(m->rows.p[i].models, 0);
        const char *name =
            bx_val_is(first, BX_VAL_STR) ? bx_val_z(first) : bx_val_get_z(first, "id");
        if (name && row_is_ready(m, &m->rows.p[i])) {
            r = get_remote(m, &m->rows.p[i], name, ret, err);
        }
    }
    if (r < 0) {
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "no model is ready: put a .gguf into %s, or name one with --model "
                       "PROVIDER/NAME and set its key",
                       m->models_dir ? m->models_dir : "the models folder");
    }
    return 0;
}

int bx_models_get(struct bx_models *m, const char *id, struct bx_model **ret, struct bx_err *err) {
    BX_LOCKED(&m->lock);
    return id && *id ? get_named(m, id, ret, err) : get_default(m, ret, err);
}

/* ---- lists ---- */

static void push_info(struct bx_model_infos *infos, struct bx_model_info info) {
    infos->items = bx_realloc_array(infos->items, infos->n + 1, sizeof *infos->items);
    infos->items[infos->n++] = info;
}

static void list_embedded(struct bx_models *m, struct bx_model_infos *ret) {
    struct ggufs g;
    ggufs_init(m, &g);
    bx_auto(bx_freep) char *weights = gguf_of(m, "smollm2");
    if (!weights) {
        push_info(ret, (struct bx_model_info){
                           .id = bx_strdup("embedded/smollm2"),
                           .name = bx_strdup("smollm2"),
                           .provider = bx_strdup("embedded"),
                           .local = true,
                           .constrained = true,
                           .why = bx_asprintf("its weights are not at %s/smollm2.gguf (boxagnts "
                                              "model pull smollm2 puts them there)",
                                              m->models_dir ? m->models_dir : ".")});
    }
    for (size_t i = 0; i < g.n; i++) {
        bool is_smollm2 = weights && bx_str_ends(bx_str(weights), ".gguf") &&
                          strncmp(bx_path_base(weights), g.names[i], strlen(g.names[i])) == 0 &&
                          strlen(bx_path_base(weights)) == strlen(g.names[i]) + 5;
        const char *name = is_smollm2 ? "smollm2" : g.names[i];
        bx_auto(bx_freep) char *path = bx_asprintf("%s/%s.gguf", m->models_dir, g.names[i]);
        push_info(ret, (struct bx_model_info){.id = bx_asprintf("embedded/%s", name),
                                              .name = bx_strdup(name),
                                              .provider = bx_strdup("embedded"),
                                              .local = true,
                                              .constrained = file_size(path) < SMALL_FILE_BYTES,
                                              .available = true});
    }
    ggufs_deinit(&g);
    if (&bx_tour_gguf && bx_tour_gguf.n > 0) {
        push_info(ret, (struct bx_model_info){.id = bx_strdup("embedded/tour"),
                                              .name = bx_strdup("tour (scripted)"),
                                              .provider = bx_strdup("embedded"),
                                              .local = true,
                                              .available = true});
    }
}

static int64_t window_of(struct bx_models *m, const struct bx_provider_row *row, const char *name,
                         const struct bx_val *settings) {
    int64_t window = bx_val_get_int(settings, "window", 0);
    return window > 0
               ? window
               : atomic_load(&bx_windows_get(m->windows, row->base_url, name, row->local)->tokens);
}

static void list_row(struct bx_models *m, const struct bx_provider_row *row,
                     struct bx_model_infos *ret) {
    bx_val_foreach_item (row->models, v) {
        const char *name = bx_val_is(v, BX_VAL_STR) ? bx_val_z(v) : bx_val_get_z(v, "id");
        if (!name) {
            continue;
        }
        bool ready = row_is_ready(m, row);
        char *why = NULL;
        if (!ready && m->offline && !row->local) {
            why = bx_strdup("offline: it is not on this machine");
        } else if (!ready) {
            why = bx_asprintf("it wants a key: boxagnts secret set %s, or the variable %s", row->id,
                              row->key_env);
        }
        const char *shown = bx_val_get_z(v, "name");
        push_info(ret,
                  (struct bx_model_info){.id = bx_asprintf("%s/%s", row->id, name),
                                         .name = bx_strdup(shown ? shown : name),
                                         .provider = bx_strdup(row->id),
                                         .window = window_of(m, row, name, v),
                                         .local = row->local,
                                         .constrained = bx_val_get_bool(v, "constrained", false),
                                         .available = ready,
                                         .why = why});
    }
}

void bx_models_list(struct bx_models *m, struct bx_model_infos *ret) {
    BX_LOCKED(&m->lock);
    *ret = (struct bx_model_infos){0};
    list_embedded(m, ret);
    for (size_t i = 0; i < m->rows.n; i++) {
        list_row(m, &m->rows.p[i], ret);
    }
}

void bx_model_infos_deinit(struct bx_model_infos *infos) {
    for (size_t i = 0; i < infos->n; i++) {
        bx_free(infos->items[i].id);
        bx_free(infos->items[i].name);
        bx_free(infos->items[i].provider);
        bx_free(infos->items[i].why);
    }
    bx_free(infos->items);
    *infos = (struct bx_model_infos){0};
}

void bx_models_each_provider(struct bx_models *m,
                             void (*fn)(void *user, const struct bx_provider_info *p), void *user) {
    BX_LOCKED(&m->lock);
    for (size_t i = 0; i < m->rows.n; i++) {
        const struct bx_provider_row *r = &m->rows.p[i];
        bx_auto(bx_freep) char *key = bx_models_key(m, r->id, r->key_env);
        struct bx_provider_info info = {.id = r->id,
                                        .name = r->name,
                                        .base_url = r->base_url,
                                        .key_env = r->key_env,
                                        .has_key = key != NULL};
        fn(user, &info);
    }
}
