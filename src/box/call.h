/* box/call.h: the conversation of one call with its worker. Inside the box room only.
 *
 * In the server, on the caller's thread: sends the call, takes output as it comes, answers outbound requests, stops the
 * worker's call when the token fires or when it goes on after its time, kills the worker when it does not stop. */
#ifndef BX_BOX_CALL_H
#define BX_BOX_CALL_H

#include "base/vec.h"
#include "box/pool.h"
#include "box/receipt.h"

struct bx_call {
    struct bx_pool *pool;
    struct bx_lane *lane;
    const struct bx_box_request *request;
    struct bx_cancel *cancel;
    struct bx_box_result *result;
    uint64_t deadline_ms; /* when the worker is killed; monotonic */
    uint64_t remind_ms;   /* when it is told (again) to stop the call */
    bool stopping;        /* the worker was asked to stop the call */
    bool done;
    bool forced;          /* the worker had to be killed */
    uint8_t limit;        /* of DONE */
    char denied[480];     /* why the first outbound request was refused; "" none was */
    const char *denied_limit; /* the limit's name: network, request, response */
    BX_VEC(struct bx_receipt_host) hosts;
    BX_VEC(struct bx_ask) asks;
};
struct bx_ask { /* an outbound request that waits for its answer */
    uint64_t id;
    char *method, *url;
    struct bx_buf headers, body;
    uint64_t body_size;
};

/* The embedded image that runs a request without an image of its own */
static inline struct bx_str bx_box_embedded(const struct bx_box_request *q) {
    return bx_str(q->embedded ? q->embedded : q->tool);
}

/* Runs the call on c->lane; c->result has its buffers. 0 when there is a result (also a forced end), BX_ERR_RETRY when the
 * worker died. */
int bx_call_run(struct bx_call *c, struct bx_err *err);
void bx_call_deinit(struct bx_call *c);

/* call_http.c: answers one request; called by bx_call_run when it is complete. */
void bx_call_answer(struct bx_call *c, const struct bx_ask *ask);
/* Sends while taking what comes in, so that two full sockets cannot wait for each other. BX_ERR_CANCELLED when the call is
 * over or stopping. */
int bx_call_send(struct bx_call *c, const struct bx_buf *frame, struct bx_err *err);

#endif
