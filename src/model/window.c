#include "model/window.h"

#include "base/clock.h"
#include "base/thread.h"
#include "base/vec.h"
#include "json/write.h"

#define ANSWER_MAX  (8 * BX_MIB)
#define PATIENCE_MS 5000   /* of one answer that nobody waits for */
#define WAIT_MS     3000   /* of a run, for all answers */
#define LOAD_MS     600000 /* until a model is loaded */
#define SLICE_MS    50     /* until a stop is seen */
#define ROUNDS      2
#define WINDOW_MAX  (1LL << 32)

struct asked { /* a model; `window` is what others see */
    struct bx_window window;
    char *base_url, *name, *key;
    bool local;
    unsigned rounds; /* begun */
    bool awaited;    /* a run has waited for it, or (by_run) does now */
    bool by_run;
    bool loads; /* the server is loading it */
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

/* What it was trained for: "llama.context_length", with the name of its kind in front. */
static int64_t trained(const struct bx_val *root) {
    bx_val_foreach_member (bx_val_get(root, "model_info"), key, value) {
        int64_t tokens = bx_val_int(value, 0);
        if (bx_str_ends(key, ".context_length") && tokens > 0)
            return tokens;
    }
    return WINDOW_MAX;
}

/* "num_ctx    8192" among the parameters of its model file; the server gives no more than the model
 * was trained for, which alone says nothing. */
static int64_t read_show(const struct bx_val *root) {
    struct bx_str rest = bx_val_get_str(root, "parameters"), line;
    while (bx_str_split(&rest, '\n', &line)) {
        uint64_t tokens = 0;
        line = bx_str_trim(line);
        if (bx_str_starts(line, "num_ctx") &&
            bx_str_to_u64(bx_str_trim(bx_str_slice(line, 7, line.n)), &tokens) &&
            tokens < (uint64_t)WINDOW_MAX)
            return BX_MIN((int64_t)tokens, trained(root));
    }
    return 0;
}

/* Its newer address: each instance that is loaded, with what it was loaded with. */
static int64_t read_instances(const struct bx_val *root, const char *name) {
    static const char *const members[] = {"context_length"};
    bx_val_foreach_item (bx_val_get(root, "models"), m) {
        bx_val_foreach_item (bx_val_get(m, "loaded_instances"), i) {
            if (bx_str_eqz(bx_val_get_str(i, "id"), name) ||
                bx_str_eqz(bx_val_get_str(m, "key"), name))
                return number_of(bx_val_get(i, "config"), members, 1);
        }
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
    case BX_WINDOW_INSTANCES:
        return read_instances(root, name);
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

struct asking {
    struct bx_windows *windows;
    struct bx_cancel *cancel;
    uint64_t end_ms; /* 0: each answer has its own time */
    bool may_load;
    void (*on_phase)(void *user, const char *text);
    void *user;
};

/* -1: there was no answer. */
static int exchange(const struct asking *q, const struct asked *a, const char *url,
                    struct bx_str body, uint64_t timeout_ms, struct bx_buf *out) {
    bx_auto(bx_freep) char *bearer = a->key ? bx_asprintf("Bearer %s", a->key) : NULL;
    struct bx_fetch_header headers[] = {{"Content-Type", "application/json"},
                                        {"Authorization", bearer}};
    struct bx_fetch_request request = {.url = url,
                                       .headers = headers,
                                       .header_count = bearer ? 2 : 1,
                                       .body = body,
                                       .first_byte_timeout_ms = timeout_ms,
                                       .total_timeout_ms = timeout_ms,
                                       .max_response_bytes = ANSWER_MAX,
                                       .on_body = collect,
                                       .user = out,
                                       .cancel = q->cancel};
    struct bx_fetch_result result = {0};
    struct bx_err err;
    return bx_fetch_perform(q->windows->fetch, &request, &result, &err) || result.status != 200 ? -1
                                                                                                : 0;
}

/* 0: the answer does not have it; -1: there was none. */
static int64_t ask_one(const struct asking *q, const struct asked *a, enum bx_window_answer kind,
                       const char *url, struct bx_str body) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(ANSWER_MAX);
    uint64_t now = bx_mono_ms(), time = PATIENCE_MS;
    if (q->end_ms)
        time = q->end_ms > now ? BX_MIN(time, q->end_ms - now) : 0;
    if (!time || exchange(q, a, url, body, time, &out))
        return -1;
    return bx_window_read(kind, bx_buf_str(&out), a->name);
}

/* Ollama knows what it gives a model once it is loaded, and loads it when it is asked for nothing.
 * The first request would wait for that, too. */
static int64_t load(const struct asking *q, struct asked *a, struct bx_str origin) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(8 * BX_KIB);
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(ANSWER_MAX);
    bx_auto(bx_freep) char *generate = bx_asprintf(BX_STR_FMT "/api/generate", BX_STR_ARG(origin));
    bx_auto(bx_freep) char *ps = bx_asprintf(BX_STR_FMT "/api/ps", BX_STR_ARG(origin));
    bx_auto(bx_freep) char *phase = bx_asprintf("loading %s", a->name);
    struct bx_jw j;
    bx_jw_init(&j, &body);
    bx_jw_obj(&j);
    bx_jw_kstr(&j, "model", a->name);
    bx_jw_kstr(&j, "prompt", "");
    bx_jw_kbool(&j, "stream", false);
    bx_jw_kobj(&j, "options"); /* of those that look like it and do not know this use */
    bx_jw_kint(&j, "num_predict", 1);
    bx_jw_end(&j);
    bx_jw_end(&j);
    q->on_phase(q->user, phase);
    {
        BX_LOCKED(&q->windows->lock);
        a->loads = true;
    }
    int rc = exchange(q, a, generate, bx_buf_str(&body), LOAD_MS, &out);
    struct asking again = *q;
    again.end_ms = 0;
    int64_t tokens = rc ? -1 : ask_one(&again, a, BX_WINDOW_PS, ps, (struct bx_str){0});
    BX_LOCKED(&q->windows->lock);
    a->loads = false;
    return tokens;
}

static int64_t ask_local(const struct asking *q, struct asked *a) {
    bx_auto(bx_buf_deinit) struct bx_buf show = BX_BUF_INIT(8 * BX_KIB);
    struct bx_str base = bx_str(a->base_url);
    struct bx_str origin = bx_str_ends(base, "/v1") ? bx_str_slice(base, 0, base.n - 3) : base;
    struct bx_jw j;
    bx_jw_init(&j, &show);
    bx_jw_obj(&j);
    bx_jw_kstr(&j, "model", a->name);
    bx_jw_end(&j);
    /* What the model file says before what runs now: another program may have loaded it in another
     * way, and our request has it loaded as the file says. */
    const struct {
        enum bx_window_answer kind;
        const char *path, *tail;
        struct bx_str body;
    } asks[] = {{BX_WINDOW_PROPS, "/props", "", {0}},
                {BX_WINDOW_SHOW, "/api/show", "", bx_buf_str(&show)},
                {BX_WINDOW_PS, "/api/ps", "", {0}},
                {BX_WINDOW_LMSTUDIO, "/api/v0/models/", a->name, {0}},
                {BX_WINDOW_INSTANCES, "/api/v1/models", "", {0}}};
    int64_t tokens = 0;
    bool is_ollama = false;
    for (size_t i = 0; i < BX_ARRAY_LEN(asks) && tokens <= 0; i++) {
        bx_auto(bx_freep) char *url =
            bx_asprintf(BX_STR_FMT "%s%s", BX_STR_ARG(origin), asks[i].path, asks[i].tail);
        tokens = ask_one(q, a, asks[i].kind, url, asks[i].body);
        is_ollama |= asks[i].kind == BX_WINDOW_SHOW && tokens >= 0;
        if (tokens == 0 && asks[i].kind == BX_WINDOW_PS && is_ollama)
            return q->may_load ? load(q, a, origin) : 0;
    }
    return tokens;
}

static void ask(const struct asking *q, struct asked *a) {
    bx_auto(bx_freep) char *url = bx_asprintf("%s/models", a->base_url);
    int64_t tokens = a->local ? ask_local(q, a) : 0;
    if (tokens <= 0)
        tokens = ask_one(q, a, BX_WINDOW_MODELS, url, (struct bx_str){0});
    if (tokens > 0) {
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
        ask(&(struct asking){.windows = w, .cancel = w->cancel}, a);
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

/* True: it is the caller's to ask. */
static bool take_turn(struct bx_windows *w, struct asked *a, const char *key,
                      const struct asking *q) {
    BX_LOCKED(&w->lock);
    while (a->state != RESTING && (a->by_run || !a->awaited) && !bx_cancel_fired(q->cancel) &&
           (a->loads || bx_mono_ms() < q->end_ms))
        bx_cond_wait_ms(&w->changed, &w->lock, SLICE_MS);
    if (bx_cancel_fired(q->cancel))
        return false;
    bool asked = a->rounds > 0 && !a->local; /* loading a model is all that could tell more */
    if (atomic_load(&a->window.tokens) || a->state != RESTING || a->awaited || asked) {
        a->awaited = true; /* it was long enough: also where somebody else is still asking */
        return false;
    }
    bx_free(a->key);
    a->key = bx_strdup(key);
    a->rounds = BX_MAX(a->rounds, 1u);
    a->awaited = a->by_run = true;
    a->state = ASKING;
    return true;
}

void bx_windows_await(struct bx_windows *w, struct bx_window *of, const char *key,
                      struct bx_cancel *cancel, void (*on_phase)(void *user, const char *text),
                      void *user) {
    struct asked *a = (struct asked *)of; /* its first member */
    struct asking q = {.windows = w,
                       .cancel = cancel,
                       .end_ms = bx_mono_ms() + WAIT_MS,
                       .may_load = true,
                       .on_phase = on_phase,
                       .user = user};
    if (!take_turn(w, a, key, &q))
        return;
    ask(&q, a);
    BX_LOCKED(&w->lock);
    a->awaited = !bx_cancel_fired(cancel);
    a->by_run = false;
    a->state = RESTING;
    pthread_cond_broadcast(&w->changed);
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
