#include "base/unwire.h"
#include "model/constrained.h"
#include "model/impl.h"

#define MAX_CONTINUATIONS 4

/* What the caller hears, and what it has heard of this reply: a retry in a continuation voids only
 * the last part. */
struct listener {
    bx_model_on_event *on_event;
    void *user;
    const char *before; /* text of the parts that stand, or NULL */
};

static void tell(struct listener *l, const struct bx_model_event *ev) {
    if (l->on_event) {
        l->on_event(l->user, ev);
    }
}

static void on_event(void *user, const struct bx_model_event *ev) {
    struct listener *l = user;
    tell(l, ev);
    if (ev->kind == BX_EV_RETRY && l->before) {
        tell(l, &(struct bx_model_event){.kind = BX_EV_TEXT, .text = bx_str(l->before)});
    }
}

static void on_phase(void *user, const char *text) {
    tell(user, &(struct bx_model_event){.kind = BX_EV_PHASE, .text = bx_str(text)});
}

/* The child is started, which the first request would do. What goes wrong the request says. */
static void start_embedded(struct bx_model *m, struct listener *l, struct bx_cancel *cancel) {
    struct bx_embedded_use use = {0};
    struct bx_err err;
    if (bx_embedded_acquire(m->models->embedded, m->gguf, m->embedded_window, on_phase, l, cancel,
                            &use, &err) == 0)
        bx_embedded_release(m->models->embedded, &use);
}

void bx_model_await_window(struct bx_model *m, bx_model_on_event *on_event_, void *user,
                           struct bx_cancel *cancel) {
    struct listener l = {.on_event = on_event_, .user = user};
    if (bx_unwired("await_window") || atomic_load(&m->window) > 0)
        return;
    if (m->gguf && bx_model_window(m) <= 0)
        start_embedded(m, &l, cancel);
    if (!m->told)
        return;
    bx_auto(bx_freep) char *key = bx_models_key(m->models, m->provider, m->key_env);
    bx_windows_await(m->models->windows, m->told, key, cancel, on_phase, &l);
}

/* ---- continuing a reply that the output limit cut ---- */

static struct bx_block *text_of(struct bx_message *m) {
    for (size_t i = m->blocks.n; i > 0; i--) {
        if (m->blocks.p[i - 1].kind == BX_BLOCK_TEXT) {
            return &m->blocks.p[i - 1];
        }
    }
    return NULL;
}

static bool has_call(const struct bx_message *m) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        if (m->blocks.p[i].kind == BX_BLOCK_CALL) {
            return true;
        }
    }
    return false;
}

static bool may_continue(const struct bx_model *m, const struct bx_model_request *req,
                         const struct bx_reply *reply) {
    if (reply->finish != BX_FINISH_LENGTH || req->once || req->max_output_tokens || m->small ||
        has_call(reply->message) || !text_of(reply->message)) {
        return false;
    }
    int64_t used = BX_MAX(reply->usage.input_tokens, 0) + BX_MAX(reply->usage.output_tokens, 0);
    int64_t window = atomic_load(&m->window);
    if (!window && m->told)
        window = atomic_load(&m->told->tokens);
    return window == 0 || used + 256 < window; // else it was the window that cut it
}

/* Puts the next part behind what there is. */
static void append(struct bx_reply *whole, struct bx_reply *take_next) {
    for (size_t i = 0; i < take_next->message->blocks.n; i++) {
        struct bx_block *b = &take_next->message->blocks.p[i];
        struct bx_block *text = text_of(whole->message);
        if (b->kind == BX_BLOCK_TEXT && text) {
            char *joined = bx_asprintf("%s%s", text->text, b->text);
            bx_free(text->text);
            text->text = joined;
        } else if (b->kind == BX_BLOCK_CALL) {
            *bx_message_add(whole->message, b->kind) = *b;
            *b = (struct bx_block){0};
        }
    }
    whole->finish = take_next->finish;
    bx_usage_add(&whole->usage, &take_next->usage);
    bx_reply_deinit(take_next);
}

static int ask_next(const struct bx_wire *w, const struct bx_model_request *req, struct listener *l,
                    struct bx_cancel *cancel, struct bx_reply *whole, struct bx_reply *next,
                    struct bx_err *err) {
    bx_auto(bx_message_freep) struct bx_message *so_far = bx_message_new(BX_ROLE_ASSISTANT);
    bx_auto(bx_message_freep) struct bx_message *go_on = bx_message_new(BX_ROLE_USER);
    bx_message_add_text(so_far, text_of(whole->message)->text);
    bx_message_add_text(
        go_on, "Your reply was cut off. Continue exactly where it stopped; repeat nothing.");
    BX_VEC(const struct bx_message *) messages = {0};
    for (size_t i = 0; i < req->message_count; i++) {
        bx_vec_push(&messages, req->messages[i]);
    }
    bx_vec_push(&messages, so_far);
    bx_vec_push(&messages, go_on);
    struct bx_model_request more = *req;
    more.messages = messages.p;
    more.message_count = messages.n;
    l->before = text_of(so_far)->text;
    int r = bx_wire_ask(w, &more, on_event, l, cancel, next, err);
    l->before = NULL;
    bx_vec_free(&messages);
    return r;
}

static int ask_whole(const struct bx_model *m, const struct bx_wire *w,
                     const struct bx_model_request *req, struct listener *l,
                     struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    struct bx_reply whole = {0};
    int r = bx_wire_ask(w, req, on_event, l, cancel, &whole, err);
    for (int i = 0; r == 0 && i < MAX_CONTINUATIONS && may_continue(m, req, &whole); i++) {
        struct bx_reply next = {0};
        r = ask_next(w, req, l, cancel, &whole, &next, err);
        if (r == BX_ERR_LIMIT) {
            r = 0; // the window is full: what there is stands, and says that it was cut
            break;
        }
        if (r == 0) {
            append(&whole, &next);
        }
    }
    if (r < 0) {
        bx_reply_deinit(&whole);
        return r;
    }
    *ret = whole;
    return 0;
}

/* ---- the two kinds of model ---- */

static struct bx_wire wire_of(const struct bx_model *m) {
    struct bx_models *models = m->models;
    BX_LOCKED(&models->lock); // a reload may change the numbers
    return (struct bx_wire){
        .fetch = models->fetch,
        .who = m->who,
        .url = m->url,
        .absent_hint = m->absent_hint,
        .local = m->local,
        .attempts = models->attempts,
        .retry_base_ms = models->retry_base_ms,
        .stall_ms = models->stall_ms,
        .first_byte_ms = models->first_byte_ms ? models->first_byte_ms
                         : m->local            ? 600000
                                               : 120000,
        .options = {.model = m->name,
                    .max_tokens_key = m->max_tokens_key,
                    .max_tokens = m->max_output_tokens,
                    .stream = true,
                    .stream_usage = !m->no_stream_usage,
                    .images = m->images,
                    .short_ids = m->short_ids},
    };
}

static int ask_endpoint(struct bx_model *m, const struct bx_model_request *req, struct listener *l,
                        struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    struct bx_wire w = wire_of(m);
    bx_auto(bx_freep) char *key = bx_models_key(m->models, m->provider, m->key_env);
    bx_auto(bx_freep) char *hint =
        m->key_env ? bx_asprintf("boxagnts secret set %s, the page's settings, or the variable %s",
                                 m->provider, m->key_env)
                   : bx_asprintf("boxagnts secret set %s", m->provider);
    if (m->key_env && !key && !m->local) {
        return bx_fail(err, BX_ERR_AUTH, "%s wants a key: %s", m->who, hint);
    }
    w.key = key;
    w.key_hint = hint;
    w.options.greedy = m->constrained == 1;
    struct bx_err local;
    err = err ? err : &local;
    int r = m->constrained == 1 && !req->plain
                ? bx_constrained_ask(&w, req, on_event, l, cancel, ret, err)
                : ask_whole(m, &w, req, l, cancel, ret, err);
    if (r == 0 && !atomic_load(&m->window))
        bx_windows_replied(m->models->windows, m->told, key);
    else if (r == BX_ERR_LIMIT)
        bx_windows_heard(m->told, bx_str(err->msg));
    return r;
}

static int ask_embedded_once(struct bx_model *m, const struct bx_model_request *req,
                             struct listener *l, struct bx_cancel *cancel, struct bx_reply *ret,
                             bool *ret_ended, struct bx_err *err) {
    struct bx_embedded *e = m->models->embedded;
    struct bx_embedded_use use = {0};
    *ret_ended = false;
    int r = bx_embedded_acquire(e, m->gguf, m->embedded_window, on_phase, l, cancel, &use, err);
    if (r < 0) {
        return r;
    }
    if (use.window > 0) {
        atomic_store(&m->window, use.window);
    }
    struct bx_wire w = wire_of(m);
    w.unix_socket = use.socket;
    w.local = true;
    w.attempts = 1; // the child either answers or has a reason that a second try will not change
    w.options.greedy = m->small;
    bool constrained =
        !req->plain && (m->constrained == 1 || (m->constrained < 0 && !use.supports_tools));
    r = constrained ? bx_constrained_ask(&w, req, on_event, l, cancel, ret, err)
                    : ask_whole(m, &w, req, l, cancel, ret, err);
    if (r == BX_ERR_RETRY || r == BX_ERR_UNAVAILABLE) {
        struct bx_err why;
        *ret_ended = bx_embedded_has_ended(e, &use, &why);
        if (*ret_ended) {
            r = bx_fail(err, BX_ERR_UNAVAILABLE, "%s", why.msg);
        }
    }
    bx_embedded_release(e, &use);
    return r;
}

static int ask_embedded(struct bx_model *m, const struct bx_model_request *req, struct listener *l,
                        struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    struct bx_err local;
    err = err ? err : &local;
    bool ended;
    int r = ask_embedded_once(m, req, l, cancel, ret, &ended, err);
    if (r < 0 && ended && !bx_cancel_fired(cancel)) { // a fresh child, once
        tell(l,
             &(struct bx_model_event){.kind = BX_EV_RETRY, .attempt = 1, .text = bx_str(err->msg)});
        r = ask_embedded_once(m, req, l, cancel, ret, &ended, err);
    }
    return r;
}

int bx_model_ask(struct bx_model *m, const struct bx_model_request *req,
                 void (*on_event_)(void *user, const struct bx_model_event *ev), void *user,
                 struct bx_cancel *cancel, struct bx_reply *ret_reply, struct bx_err *err) {
    struct listener l = {.on_event = on_event_, .user = user};
    return m->gguf ? ask_embedded(m, req, &l, cancel, ret_reply, err)
                   : ask_endpoint(m, req, &l, cancel, ret_reply, err);
}
