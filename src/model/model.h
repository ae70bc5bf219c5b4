/* model/model.h: asking a model.
 *
 * bx_model_ask blocks the calling run thread until the reply is whole; everything that streams is told through on_event
 * on that same thread. Retries (408, 429, 5xx, cut or stalled streams; never 400, 401, 403) happen inside, with backoff,
 * jitter and Retry-After, and are told as events. The token stops everything within 100 ms. A model that cannot call
 * tools by itself is put through the constrained mode here (two steps, JSON schema first): callers see no difference. */
#ifndef BX_MODEL_MODEL_H
#define BX_MODEL_MODEL_H

#include "base/cancel.h"
#include "model/message.h"

struct bx_model; /* one model of one provider; ref-counted, any thread */

struct bx_tool_spec {
    const char *name, *description;
    const char *schema;  /* JSON text of the input schema */
    const char *example; /* JSON text of one typical input, or NULL: for the constrained mode */
};

struct bx_model_request {
    const char *system;
    const struct bx_message *const *messages;
    size_t message_count;
    const struct bx_tool_spec *tools; /* in a stable order: prefix caches */
    size_t tool_count;
    int64_t max_output_tokens; /* 0 = the model's default */
    bool no_tools;             /* tools are described but must not be called (last turn) */
    bool plain;                /* as it stands, whatever the model: no constrained mode */
    bool once;                 /* a reply that the output limit cuts is not gone on with here: the caller counts each request */
    bool quick;                /* the caller has another way: one retry, soon or not at all, and none after a time limit */
};

struct bx_usage {
    int64_t input_tokens, output_tokens, cached_tokens; /* -1 = the provider did not say */
    int64_t ms, first_token_ms;
    double cost; /* US$, as the provider counted it; below 0 = it did not say */
};
enum bx_finish { BX_FINISH_STOP, BX_FINISH_CALLS, BX_FINISH_LENGTH, BX_FINISH_FILTER };

struct bx_reply {
    struct bx_message *message; /* role assistant */
    enum bx_finish finish;
    struct bx_usage usage;
};
void bx_reply_deinit(struct bx_reply *r);

enum bx_model_event_kind {
    BX_EV_PHASE,     /* text: what is going on before the first token ("starting smollm2") */
    BX_EV_TEXT,      /* text: a piece, valid UTF-8 */
    BX_EV_REASONING, /* text: a piece */
    BX_EV_CALL,      /* index, tool: a call begins */
    BX_EV_ARGUMENTS, /* index, text: a piece of its arguments */
    BX_EV_RETRY,     /* attempt, wait_ms, text: the reason. What was shown of this reply is void */
};
struct bx_model_event {
    enum bx_model_event_kind kind;
    struct bx_str text;
    unsigned index, attempt;
    const char *tool;
    uint64_t wait_ms;
};

/* BX_ERR_CANCELLED, BX_ERR_AUTH (which key is missing and where to put it), BX_ERR_LIMIT (context too long),
 * BX_ERR_PROTO, BX_ERR_UNAVAILABLE … ret_reply is set on success only. */
int bx_model_ask(struct bx_model *m, const struct bx_model_request *req,
                 void (*on_event)(void *user, const struct bx_model_event *ev), void *user, struct bx_cancel *cancel,
                 struct bx_reply *ret_reply, struct bx_err *err);

const char *bx_model_id(const struct bx_model *m);   /* "provider/name" */
/* Tokens; 0 = not known. From the settings, from the embedded server (once it has run), or from the endpoint, which the first look
 * here asks in the background (model/window.h). */
int64_t bx_model_window(struct bx_model *m);
/* Before the first request of a run, where nothing else says it: asks the endpoint and waits, as bx_windows_await does; an embedded
 * server is started.
 * on_event hears BX_EV_PHASE. */
void bx_model_await_window(struct bx_model *m, void (*on_event)(void *user, const struct bx_model_event *ev), void *user,
                           struct bx_cancel *cancel);
const char *bx_model_window_from(struct bx_model *m); /* "settings" "embedded" "provider" "error"; NULL = not known. Static */
bool bx_model_is_small(const struct bx_model *m);    /* short instructions and few tools serve it better */
/* US$ for a million tokens: of the settings (providers.*.models[].price: {"input","output","cached"?}); the embedded ones cost
 * nothing. False: it is not known. */
struct bx_price {
    double input, output, cached; /* cached: input tokens that the provider had in its cache */
};
bool bx_model_price(const struct bx_model *m, struct bx_price *ret);
/* What this usage costs in US$: as the provider counted it, else by the price; below 0 = not known. */
double bx_model_cost(const struct bx_model *m, const struct bx_usage *usage);
bool bx_model_sees(const struct bx_model *m);        /* takes images */
struct bx_model *bx_model_ref(struct bx_model *m);
void bx_model_unref(struct bx_model *m);
BX_DEFINE_AUTO(struct bx_model, bx_model_unref)

#endif
