/* model/wire.h: one request to one endpoint until its answer is whole, retries included.
 *
 * Any thread; blocks it. Below bx_model_ask, above fetch: it knows neither settings nor the embedded server. */
#ifndef BX_MODEL_WIRE_H
#define BX_MODEL_WIRE_H

#include "fetch/fetch.h"
#include "model/openai.h"

struct bx_wire {
    struct bx_fetch *fetch;
    const char *who;         /* the provider's name, for messages */
    const char *url;         /* of …/chat/completions */
    const char *unix_socket; /* or NULL */
    const char *key;         /* or NULL */
    const char *key_hint;    /* where a key is put, for BX_ERR_AUTH */
    const char *absent_hint; /* what to do when nothing listens there */
    bool local;              /* nothing listens = nobody started it: no retry */
    uint64_t first_byte_ms, stall_ms, retry_base_ms;
    unsigned attempts;
    struct bx_openai_options options;
};

typedef void bx_model_on_event(void *user, const struct bx_model_event *ev);

int bx_wire_ask(const struct bx_wire *w, const struct bx_model_request *req, bx_model_on_event *on_event, void *user,
                struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err);

/* Two requests that make one reply: what was not said of one is taken from the other, but for the cost, which is then unknown. */
void bx_usage_add(struct bx_usage *whole, const struct bx_usage *next);

/* A small GET, e.g. of /props: the body into out. Non-200 is BX_ERR_UNAVAILABLE. No retries. */
int bx_wire_get(struct bx_fetch *fetch, const char *url, const char *unix_socket, struct bx_cancel *cancel,
                struct bx_buf *out, struct bx_err *err);

#endif
