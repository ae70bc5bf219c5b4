/* http/exchange.h: inside of the http room: a request, its reply and who waits for it (http/conn.h has the outside). */
#ifndef BX_HTTP_EXCHANGE_H
#define BX_HTTP_EXCHANGE_H

#include "http/conn.h"

struct bx_http_exchange {
    int refs;
    struct bx_http_conn *conn; /* NULL once the connection is gone */
    struct bx_http_request request;
    struct bx_http_reply reply;
    size_t max_body_bytes;
    bool replied, head_done, in_value, has_body;
    void (*on_gone)(void *user);
    void *gone_user;
    const void *route;
};

struct bx_http_exchange *bx_http_exchange_new(struct bx_http_conn *conn, const struct bx_http_limits *limits);
/* Nobody waits for the reply any more. */
void bx_http_exchange_leave(struct bx_http_exchange *ex);
void bx_http_exchange_refuse(struct bx_http_exchange *ex, int status, const char *detail);

/* Assembling the head from the parser's pieces. Negative beyond a limit. */
int bx_http_exchange_add_name(struct bx_http_exchange *ex, const char *p, size_t n);
int bx_http_exchange_add_value(struct bx_http_exchange *ex, const char *p, size_t n);
/* Makes the views, decodes the path and checks what the parser does not. 0 or the status to refuse with, and why. */
int bx_http_exchange_finish_head(struct bx_http_exchange *ex, const char **ret_why);

/* conn.c */
void bx_http_conn_replied(struct bx_http_conn *c, struct bx_http_exchange *ex);
struct bx_ws *bx_http_conn_upgrade(struct bx_http_conn *c, const struct bx_ws_handler *handler, void *user);

#endif
