/* mcp/wire.h: how messages get to a server and back: a child's pipes (stdio.c) or HTTP (http.c).
 *
 * A wire is for any thread at once. request blocks its thread until the answer is there, the deadline has passed, the token
 * fires (within 100 ms) or the server is gone, whichever is first: nothing that a server does or leaves undone keeps a
 * caller longer. What is no answer to a request goes to on_message, on a thread of the wire's or the caller's. */
#ifndef BX_MCP_WIRE_H
#define BX_MCP_WIRE_H

#include "base/cancel.h"
#include "base/thread.h"
#include "mcp/config.h"
#include "mcp/rpc.h"

struct bx_fetch;

struct bx_mcp_param { /* a header Mcp-Param-<name> of one call */
    const char *name, *value;
};
struct bx_mcp_exchange { /* one request; borrowed while it runs */
    uint64_t id;
    const char *method, *name; /* name: of the tool, prompt or resource, or NULL: for the header Mcp-Name */
    const struct bx_mcp_param *params;
    size_t param_count;
    struct bx_str body;
    uint64_t deadline_ms; /* monotonic */
    struct bx_cancel *cancel;
    void (*on_progress)(void *user, struct bx_str text); /* on the calling thread; may be NULL */
    void *user;
};

struct bx_mcp_wire;
struct bx_mcp_wire_config { /* borrowed until the wire is closed */
    const struct bx_mcp_server_config *server;
    const char *root;        /* working folder of children that name none */
    struct bx_fetch *fetch;
    bx_mcp_secret_fn *secret; /* for ${secret:NAME} */
    void *secret_user;
    /* The bearer token for HTTP, the caller's; NULL: none. Called for each request. */
    char *(*token)(void *user);
    void *token_user;
    void (*on_message)(void *user, struct bx_mcp_wire *w, const struct bx_rpc *message);
    void *user;
};
struct bx_mcp_wire {
    /* 0 and the response's document, whether result or error. Else: BX_ERR_CANCELLED, BX_ERR_TIMEOUT, BX_ERR_RETRY (the server
     * is gone), BX_ERR_AUTH, BX_ERR_UNAVAILABLE, BX_ERR_PROTO, BX_ERR_LIMIT. BX_ERR_NOTFOUND: an HTTP answer 4xx that is no
     * answer of MCP. */
    int (*request)(struct bx_mcp_wire *w, const struct bx_mcp_exchange *x, struct bx_doc **ret, struct bx_rpc *ret_message,
                   struct bx_err *err);
    int (*notify)(struct bx_mcp_wire *w, struct bx_str body, uint64_t deadline_ms, struct bx_err *err);
    /* The version that was agreed on; listen: the server tells of changes. Once, before the first call. */
    void (*ready)(struct bx_mcp_wire *w, const char *version, bool listen);
    bool (*is_alive)(struct bx_mcp_wire *w, char why[static 200]);
    void (*tail)(struct bx_mcp_wire *w, struct bx_buf *out); /* the end of what it wrote to standard error */
    void (*close)(struct bx_mcp_wire *w); /* no request may be running */
};
int bx_mcp_stdio_open(const struct bx_mcp_wire_config *config, struct bx_mcp_wire **ret, struct bx_err *err);
/* sse: the transport of 2024-11-05, with one stream for all answers. It is opened here, until the deadline. */
int bx_mcp_http_open(const struct bx_mcp_wire_config *config, bool sse, uint64_t deadline_ms, struct bx_cancel *cancel,
                     struct bx_mcp_wire **ret, struct bx_err *err);
/* What a 401 said about where to sign in (WWW-Authenticate); the caller's, NULL: nothing. */
char *bx_mcp_http_challenge(struct bx_mcp_wire *w);

/* ---- waiting for an answer that another thread reads (waiters.c) ---- */
struct bx_mcp_waiter;
struct bx_mcp_waiters {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct bx_mcp_waiter *first;
    bool gone;
    char why[200];
};
void bx_mcp_waiters_init(struct bx_mcp_waiters *s);
void bx_mcp_waiters_deinit(struct bx_mcp_waiters *s);
/* Sends by `send` and waits. */
int bx_mcp_waiters_run(struct bx_mcp_waiters *s, const struct bx_mcp_exchange *x,
                       int (*send)(void *user, const struct bx_mcp_exchange *x, struct bx_err *err), void *user,
                       struct bx_doc **ret, struct bx_rpc *ret_message, struct bx_err *err);
/* Gives the message to whom it is for; false: nobody waits for it. Takes the document when true. */
bool bx_mcp_waiters_give(struct bx_mcp_waiters *s, struct bx_doc *doc, const struct bx_rpc *m);
void bx_mcp_waiters_gone(struct bx_mcp_waiters *s, const char *why); /* all fail, now and later */
bool bx_mcp_waiters_is_gone(struct bx_mcp_waiters *s, char why[static 200]);

#endif
