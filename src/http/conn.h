/* http/conn.h: one HTTP/1.1 connection as a machine of bytes: no socket, no clock, no thread of its own.
 *
 * Loop thread. A transport (http/server.c, the tests, the fuzzer) feeds it what came, sends what it puts out, and ticks
 * it at its deadline. One request at a time: the parser stands still from the end of a request until its reply has left,
 * so pipelined requests wait as bytes (64 KiB of them, then reading stops) and never pile up as work or replies.
 *
 * The parser is llhttp, strict. Beyond it we refuse: no or two Host fields, folded header lines, both lengths or
 * either twice, any transfer coding but chunked, HTTP versions but 1.0 and 1.1, targets that are not a path. A refused
 * request always ends the connection, so that nothing behind it can be taken for a request. */
#ifndef BX_HTTP_CONN_H
#define BX_HTTP_CONN_H

#include "http/reply.h"
#include "http/request.h"
#include "http/ws.h"

#define BX_HTTP_READ_BYTES ((size_t)64 * 1024) /* a transport feeds at most this much at once */

struct bx_http_conn;
struct bx_http_exchange; /* a request and the place of its reply; ref-counted, outlives the connection */

struct bx_http_limits {
    size_t max_target_bytes, max_head_bytes;
    size_t max_held_bytes; /* pipelined bytes behind the request in work */
    uint64_t head_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
    struct bx_ws_config ws;
};
void bx_http_limits_default(struct bx_http_limits *ret);

struct bx_http_handler {
    /* The head is whole, nothing of the body was read. Set the body's limit (0 = none is taken), or reply to refuse, or
     * upgrade. */
    void (*on_head)(void *user, struct bx_http_exchange *ex);
    /* The request is whole: reply now or later, from the loop thread. */
    void (*on_request)(void *user, struct bx_http_exchange *ex);
};

const struct bx_http_request *bx_http_exchange_request(const struct bx_http_exchange *ex);
void bx_http_exchange_set_max_body(struct bx_http_exchange *ex, size_t max_body_bytes);
/* The first reply counts; its insides move. Fine when the connection is gone. */
void bx_http_exchange_reply(struct bx_http_exchange *ex, struct bx_http_reply *take_reply);
/* From on_head only: answers 101. NULL when the handshake is not one; then 400 or 426 was answered. The handler's
 * on_close comes exactly once for a socket that was returned; nothing is sent on it before that socket's first callback. */
struct bx_ws *bx_http_exchange_upgrade(struct bx_http_exchange *ex, const struct bx_ws_handler *handler, void *user);
/* fn(user) once when the client went away before the reply; NULL to forget it. Not called after the reply. */
void bx_http_exchange_on_gone(struct bx_http_exchange *ex, void (*fn)(void *user), void *user);
void bx_http_exchange_set_route(struct bx_http_exchange *ex, const void *route); /* a slot for the handler's use */
const void *bx_http_exchange_route(const struct bx_http_exchange *ex);
struct bx_http_exchange *bx_http_exchange_ref(struct bx_http_exchange *ex);
void bx_http_exchange_unref(struct bx_http_exchange *ex);

/* For transports. limits and handler are borrowed for the connection's life; wake(wake_user) says that output came up
 * or the end was reached outside of feed, eof, tick and flushed. */
struct bx_http_conn *bx_http_conn_new(const struct bx_http_limits *limits, const struct bx_http_handler *handler,
                                      void *user, void (*wake)(void *wake_user), void *wake_user, uint64_t now_ms);
void bx_http_conn_free(struct bx_http_conn *c);
void bx_http_conn_feed(struct bx_http_conn *c, const char *p, size_t n, uint64_t now_ms);
void bx_http_conn_eof(struct bx_http_conn *c);
bool bx_http_conn_wants_read(const struct bx_http_conn *c);

/* Output: look, send, say how much went. What a socket does not take at once is taken along (the caller's) and
 * reported with bx_http_conn_flushed when it has left; so is output that went completely. */
size_t bx_http_conn_peek(const struct bx_http_conn *c, struct bx_str ret[static 2]); /* how many pieces */
void bx_http_conn_consume(struct bx_http_conn *c, size_t n);
struct bx_http_output {
    char *p; /* to free */
    struct bx_str pieces[2];
};
void bx_http_conn_take(struct bx_http_conn *c, struct bx_http_output *ret);
void bx_http_conn_flushed(struct bx_http_conn *c, uint64_t now_ms);

enum bx_http_end {
    BX_HTTP_OPEN,
    BX_HTTP_LINGER, /* all is said: shut the sending side, drop what still comes for a moment, close */
    BX_HTTP_ABORT   /* close now */
};
enum bx_http_end bx_http_conn_end(const struct bx_http_conn *c);
uint64_t bx_http_conn_deadline_ms(const struct bx_http_conn *c); /* UINT64_MAX: none */
void bx_http_conn_tick(struct bx_http_conn *c, uint64_t now_ms);
/* The server stops: idle connections end, a reply in work is still given, WebSockets are told 1001. */
void bx_http_conn_shut(struct bx_http_conn *c);

#endif
