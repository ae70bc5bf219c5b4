#include "model/window.h"

#include "base/thread.h"
#include "base/vec.h"
#include "json/write.h"

#define ANSWER_MAX  (8 * BX_MIB)
#define PATIENCE_MS 5000
#define ROUNDS      2
#define WINDOW_MAX  (1LL << 32)

struct asked { /* a model; `window` is what others see */
    struct bx_window window;
    char *base_url, *name, *key;
    bool local;
    unsigned rounds; /* begun */
    enum { RESTING, QUEUED, ASKING } state;
};

struct bx_windows {
    struct bx_fetch *fetch;
    struct bx_cancel *cancel;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    BX_VEC(struct asked *) all;
    pthread_t thread;
    bool started, closing;
};

/* ---- reading answers ---- */

static int64_t number_of(const struct bx_val *obj, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++) {
        int64_t tokens = bx_val_get_int(obj, names[i], 0);
        if (tokens > 0 && tokens < WINDOW_MAX)
            return tokens;
    }
    return 0;
}

static bool same_name(struct bx_str a, const char *name) {
    if (bx_str_eqz(a, name))
        return true;
    size_t n = strlen(name); /* Ollama: "llama3" is "llama3:latest" */
    return a.n > n && memcmp(a.p, name, n) == 0 && bx_str_eqz(bx_str_slice(a, n, a.n), ":latest");
}

static int64_t read_models(const struct bx_val *root, const char *name) {
    static const char *const members[] = {"max_model_len", "context_length", "context_window",
                                          "max_context_length"};
    const struct bx_val *list = bx_val_get(root, "data");
    bx_val_foreach_item (bx_val_is(list, BX_VAL_ARR) ? list : root, m) {
        if (!same_name(bx_val_get_str(m, "id"), name))
            continue;
        /* OpenRouter: what the provider that serves it gives, which may be less than the model's */
        int64_t served = number_of(bx_val_get(m, "top_provider"), members, BX_ARRAY_LEN(members));
        return served ? served : number_of(m, members, BX_ARRAY_LEN(members));
    }
    return 0;
}

static int64_t read_props(const struct bx_val *root) {
    static const char *const members[] = {"n_ctx"};
    return number_of(bx_val_get(root, "default_generation_settings"), members, 1);
}

/* What runs now, with the window that it was loaded with. */
static int64_t read_ps(const struct bx_val *root, const char *name) {
    static const char *const members[] = {"context_length"};
    bx_val_foreach_item (bx_val_get(root, "models"), m) {
        if (same_name(bx_val_get_str(m, "name"), name) ||
            same_name(bx_val_get_str(m, "model"), name))
            return number_of(m, members, 1);
    }
    return 0;
}

/* "num_ctx    8192" among the parameters of its model file. `model_info` has the trained maximum,
 * which is not it. */
static int64_t read_show(const struct bx_val *root) {
    struct bx_str rest = bx_val_get_str(root, "parameters"), line;
    while (bx_str_split(&rest, '\n', &line)) {
        uint64_t tokens = 0;
        line = bx_str_trim(line);
        if (bx_str_starts(line, "num_ctx") &&
            bx_str_to_u64(bx_str_trim(bx_str_slice(line, 7, line.n)), &tokens) &&
            tokens < (uint64_t)WINDOW_MAX)
            return (int64_t)tokens;
    }
    return 0;
}

static int64_t read_lmstudio(const struct bx_val *root) {
    static const char *const members[] = {"loaded_context_length"};
    return number_of(root, members, 1);
}

int64_t bx_window_read(enum bx_window_answer kind, struct bx_str body, const char *name) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(body, NULL, &doc, NULL))
        return 0;
    const struct bx_val *root = bx_doc_root(doc);
    switch (kind) {
    case BX_WINDOW_MODELS:
        return read_models(root, name);
    case BX_WINDOW_PROPS:
        return read_props(root);
    case BX_WINDOW_PS:
        return read_ps(root, name);
    case BX_WINDOW_SHOW:
        return read_show(root);
    case BX_WINDOW_LMSTUDIO:
        return read_lmstudio(root);
    }
    return 0;
}

void bx_windows_heard(struct bx_window *of, struct bx_str message) {
    static const char *const before[] = {"maximum context length is ",
                                         "context length is ",
                                         "context length of ",
                                         "context length of only ",
                                         "context window of ",
                                         "context window is ",
                                         "context size ("};
    for (size_t i = 0; i < BX_ARRAY_LEN(before) && !atomic_load(&of->tokens); i++) {
        size_t at = bx_str_find_str(message, bx_str(before[i])), n = 0;
        if (at == (size_t)-1)
            continue;
        struct bx_str digits = bx_str_slice(message, at + strlen(before[i]), message.n);
        while (n < digits.n && digits.p[n] >= '0' && digits.p[n] <= '9')
            n++;
        int64_t tokens = 0;
        if (bx_str_to_i64(bx_str_slice(digits, 0, n), &tokens) && tokens >= 256 &&
            tokens < WINDOW_MAX) {
            atomic_store(&of->from, "error");
            atomic_store(&of->tokens, tokens);
        }
    }
}

/* ---- asking ---- */

static int collect(void *user, struct bx_str piece, struct bx_err *err) {
    int r = bx_buf_adds(user, piece);
    return r < 0 ? bx_fail(err, r, "the answer is too large") : 0;
}

static int64_t ask_one(struct bx_windows *w, const struct asked *a, enum bx_window_answer kind,
                       const char *url, struct bx_str body) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(ANSWER_MAX);
    bx_auto(bx_freep) char *bearer = a->key ? bx_asprintf("Bearer %s", a->key) : NULL;
    struct bx_fetch_header headers[] = {{"Content-Type", "application/json"},
                                        {"Authorization", bearer}};
    struct bx_fetch_request request = {.url = url,
                                       .headers = headers,
                                       .header_count = bearer ? 2 : 1,
                                       .body = body,
                                       .total_timeout_ms = PATIENCE_MS,
                                       .max_response_bytes = ANSWER_MAX,
                                       .on_body = collect,
                                       .user = &out,
                                       .cancel = w->cancel};
    struct bx_fetch_result result = {0};
    struct bx_err err;
    if (bx_fetch_perform(w->fetch, &request, &result, &err) || result.status != 200)
        return 0;
    return bx_window_read(kind, bx_buf_str(&out), a->name);
}

static int64_t ask_local(struct bx_windows *w, const struct asked *a) {
    bx_auto(bx_buf_deinit) struct bx_buf show = BX_BUF_INIT(8 * BX_KIB);
    struct bx_str base = bx_str(a->base_url);
    struct bx_str origin = bx_str_ends(base, "/v1") ? bx_str_slice(base, 0, base.n - 3) : base;
    struct bx_jw j;
    bx_jw_init(&j, &show);
    bx_jw_obj(&j);
    bx_jw_kstr(&j, "model", a->name);
    bx_jw_end(&j);
    const struct {
        enum bx_window_answer kind;
        const char *path, *tail;
        struct bx_str body;
    } asks[] = {{BX_WINDOW_PROPS, "/props", "", {0}},
                {BX_WINDOW_PS, "/api/ps", "", {0}},
                {BX_WINDOW_SHOW, "/api/show", "", bx_buf_str(&show)},
                {BX_WINDOW_LMSTUDIO, "/api/v0/models/", a->name, {0}}};
    int64_t tokens = 0;
    for (size_t i = 0; i < BX_ARRAY_LEN(asks) && !tokens; i++) {
        bx_auto(bx_freep) char *url =
            bx_asprintf(BX_STR_FMT "%s%s", BX_STR_ARG(origin), asks[i].path, asks[i].tail);
        tokens = ask_one(w, a, asks[i].kind, url, asks[i].body);
    }
    return tokens;
}

static void ask(struct bx_windows *w, struct asked *a) {
    bx_auto(bx_freep) char *url = bx_asprintf("%s/models", a->base_url);
    int64_t tokens = a->local ? ask_local(w, a) : 0;
    if (!tokens)
        tokens = ask_one(w, a, BX_WINDOW_MODELS, url, (struct bx_str){0});
    if (tokens) {
        atomic_store(&a->window.from, "provider");
        atomic_store(&a->window.tokens, tokens);
    }
}

static struct asked *next(struct bx_windows *w) { /* lock held */
    for (size_t i = 0; i < w->all.n; i++)
        if (w->all.p[i]->state == QUEUED)
            return w->all.p[i];
    return NULL;
}

static void *work(void *user) {
    struct bx_windows *w = user;
    pthread_mutex_lock(&w->lock);
    while (!w->closing) {
        struct asked *a = next(w);
        if (!a) {
            pthread_cond_wait(&w->changed, &w->lock);
            continue;
        }
        a->state = ASKING; /* its strings are not changed while it is */
        pthread_mutex_unlock(&w->lock);
        ask(w, a);
        pthread_mutex_lock(&w->lock);
        a->state = RESTING;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- for others ---- */

struct bx_windows *bx_windows_new(struct bx_fetch *fetch) {
    struct bx_windows *w = bx_new(struct bx_windows);
    w->fetch = fetch;
    w->cancel = bx_cancel_new(NULL);
    pthread_mutex_init(&w->lock, NULL);
    bx_cond_init(&w->changed);
    return w;
}

void bx_windows_free(struct bx_windows *w) {
    if (!w)
        return;
    {
        BX_LOCKED(&w->lock);
        w->closing = true;
        pthread_cond_broadcast(&w->changed);
    }
    bx_cancel_fire(w->cancel, "the program ends");
    if (w->started)
        pthread_join(w->thread, NULL);
    for (size_t i = 0; i < w->all.n; i++) {
        bx_free(w->all.p[i]->base_url);
        bx_free(w->all.p[i]->name);
        bx_free(w->all.p[i]->key);
        bx_free(w->all.p[i]);
    }
    bx_vec_free(&w->all);
    bx_cancel_unref(w->cancel);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    bx_free(w);
}

struct bx_window *bx_windows_get(struct bx_windows *w, const char *base_url, const char *name,
                                 bool local) {
    BX_LOCKED(&w->lock);
    for (size_t i = 0; i < w->all.n; i++)
        if (strcmp(w->all.p[i]->base_url, base_url) == 0 && strcmp(w->all.p[i]->name, name) == 0)
            return &w->all.p[i]->window;
    struct asked *a = bx_new(struct asked);
    a->base_url = bx_strdup(base_url);
    a->name = bx_strdup(name);
    a->local = local;
    bx_vec_push(&w->all, a);
    return &a->window;
}

static void queue(struct bx_windows *w, struct bx_window *of, const char *key, unsigned rounds) {
    struct asked *a = (struct asked *)of; /* its first member */
    BX_LOCKED(&w->lock);
    if (atomic_load(&of->tokens) || a->rounds >= rounds || a->state != RESTING || w->closing)
        return;
    bx_free(a->key);
    a->key = bx_strdup(key);
    a->rounds++;
    a->state = QUEUED;
    if (!w->started)
        w->started = bx_thread_start(&w->thread, "bx-window", work, w, NULL) == 0;
    if (!w->started)
        a->state = RESTING;
    pthread_cond_broadcast(&w->changed);
}

void bx_windows_ask(struct bx_windows *w, struct bx_window *of, const char *key) {
    queue(w, of, key, 1);
}

void bx_windows_replied(struct bx_windows *w, struct bx_window *of, const char *key) {
    queue(w, of, key, ROUNDS);
}

void bx_windows_settle(struct bx_windows *w) {
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->all.n;)
        if (w->all.p[i]->state == RESTING)
            i++;
        else
            pthread_cond_wait(&w->changed, &w->lock), i = 0;
    pthread_mutex_unlock(&w->lock);
}
