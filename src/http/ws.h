/* http/ws.h: one WebSocket, driven by bytes (RFC 6455; frames by wslay).
 *
 * Loop thread. Nothing is queued for a slow client: whoever has much to send asks bx_ws_has_room, sends until there is
 * none, and goes on in on_writable. Control frames are answered here. A message from the client may have up to
 * max_message_bytes over all its fragments; too long, unmasked, badly framed or not UTF-8 ends the connection with the
 * code that RFC 6455 has for it, and so does a binary message (1003). */
#ifndef BX_HTTP_WS_H
#define BX_HTTP_WS_H

#include "base/base.h"

struct bx_ws;

struct bx_ws_handler {
    void (*on_text)(void *user, struct bx_ws *ws, struct bx_str text);
    void (*on_writable)(void *user, struct bx_ws *ws); /* everything sent so far has left */
    void (*on_close)(void *user, struct bx_ws *ws);    /* once, at the end; ws is gone when this returns */
};

struct bx_ws_config {
    size_t max_message_bytes;
    uint64_t ping_every_ms; /* also how long a pong may take */
};

enum {
    BX_WS_NORMAL = 1000,
    BX_WS_GOING_AWAY = 1001,
    BX_WS_NOT_TEXT = 1003,
    BX_WS_POLICY = 1008,
    BX_WS_TRY_LATER = 1013
};

bool bx_ws_has_room(const struct bx_ws *ws);
/* One text message; text must be UTF-8. Ignored once a close frame went out. */
void bx_ws_send(struct bx_ws *ws, struct bx_str text);
/* Between these two, sends are collected and leave together. on_text and on_writable are corked already. */
void bx_ws_cork(struct bx_ws *ws);
void bx_ws_uncork(struct bx_ws *ws);
void bx_ws_close(struct bx_ws *ws, uint16_t code, const char *reason);

/* For the connection (http/conn.c) and the fuzzer. `out` is borrowed and gets the frames; wake(wake_user) is called
 * when a send put something there. */
struct bx_ws *bx_ws_new(const struct bx_ws_config *config, const struct bx_ws_handler *handler, void *user,
                        struct bx_buf *out, void (*wake)(void *wake_user), void *wake_user, uint64_t now_ms);
void bx_ws_free(struct bx_ws *ws); /* calls on_close */
void bx_ws_feed(struct bx_ws *ws, const char *p, size_t n, uint64_t now_ms);
void bx_ws_flushed(struct bx_ws *ws);          /* `out` is empty and on its way */
void bx_ws_set_in_flight(struct bx_ws *ws, bool in_flight); /* bytes taken from `out` wait in the socket's queue */
bool bx_ws_is_over(const struct bx_ws *ws);    /* nothing more will be read or written */
uint64_t bx_ws_deadline_ms(const struct bx_ws *ws);
void bx_ws_tick(struct bx_ws *ws, uint64_t now_ms); /* pings, and gives up on a client that is silent */

#endif
