#include "http/ws.h"

#include <wslay/wslay.h>

#define ROOM_BYTES (64 * BX_KIB)

struct bx_ws {
    wslay_event_context_ptr wslay;
    struct bx_ws_config config;
    const struct bx_ws_handler *handler;
    void *user;
    struct bx_buf *out;
    void (*wake)(void *);
    void *wake_user;
    const char *in; /* what is being fed */
    size_t in_size;
    uint64_t heard_at_ms, pinged_at_ms;
    unsigned corked; /* wake is not called: by bx_ws_cork, or because the transport called us */
    bool in_flight, gave_up;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags,
                       void *user) {
    (void)flags;
    struct bx_ws *ws = user;
    if (ws->in_size == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t n = BX_MIN(len, ws->in_size);
    memcpy(buf, ws->in, n);
    ws->in += n;
    ws->in_size -= n;
    return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags,
                       void *user) {
    (void)flags;
    struct bx_ws *ws = user;
    if (bx_buf_add(ws->out, data, len) < 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)len;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                       void *user) {
    struct bx_ws *ws = user;
    if (arg->opcode == WSLAY_TEXT_FRAME) {
        if (!wslay_event_get_close_sent(ctx))
            ws->handler->on_text(ws->user, ws, bx_str_n((const char *)arg->msg, arg->msg_length));
    } else if (arg->opcode == WSLAY_BINARY_FRAME) {
        bx_ws_close(ws, BX_WS_NOT_TEXT, "text messages only");
    }
}

struct bx_ws *bx_ws_new(const struct bx_ws_config *config, const struct bx_ws_handler *handler,
                        void *user, struct bx_buf *out, void (*wake)(void *wake_user),
                        void *wake_user, uint64_t now_ms) {
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
    struct bx_ws *ws = bx_new(struct bx_ws);
    ws->config = *config;
    ws->handler = handler;
    ws->user = user;
    ws->out = out;
    ws->wake = wake;
    ws->wake_user = wake_user;
    ws->heard_at_ms = ws->pinged_at_ms = now_ms;
    if (wslay_event_context_server_init(&ws->wslay, &callbacks, ws) != 0)
        bx_die("out of memory for a WebSocket");
    wslay_event_config_set_max_recv_msg_length(ws->wslay, config->max_message_bytes);
    return ws;
}

void bx_ws_free(struct bx_ws *ws) {
    if (!ws)
        return;
    ws->handler->on_close(ws->user, ws);
    wslay_event_context_free(ws->wslay);
    bx_free(ws);
}

/* Moves what wslay has queued into out, and tells the transport unless it is the one that called
 * us. */
static void push(struct bx_ws *ws) {
    if (wslay_event_send(ws->wslay) != 0)
        ws->gave_up = true;
    if (!ws->corked)
        ws->wake(ws->wake_user);
}

void bx_ws_cork(struct bx_ws *ws) {
    ws->corked++;
}

void bx_ws_uncork(struct bx_ws *ws) {
    if (--ws->corked == 0)
        ws->wake(ws->wake_user);
}

bool bx_ws_has_room(const struct bx_ws *ws) {
    return !ws->in_flight && ws->out->size < ROOM_BYTES && !ws->gave_up &&
           wslay_event_get_write_enabled(ws->wslay);
}

void bx_ws_send(struct bx_ws *ws, struct bx_str text) {
    if (ws->gave_up || !wslay_event_get_write_enabled(ws->wslay))
        return;
    struct wslay_event_msg msg = {WSLAY_TEXT_FRAME, (const uint8_t *)text.p, text.n};
    if (wslay_event_queue_msg(ws->wslay, &msg) == 0)
        push(ws);
}

void bx_ws_close(struct bx_ws *ws, uint16_t code, const char *reason) {
    if (wslay_event_queue_close(ws->wslay, code, (const uint8_t *)reason, strlen(reason)) == 0)
        push(ws);
}

void bx_ws_feed(struct bx_ws *ws, const char *p, size_t n, uint64_t now_ms) {
    ws->heard_at_ms = now_ms;
    ws->in = p;
    ws->in_size = n;
    ws->corked++;
    /* wslay stops after each kind of trouble; what it has not read by then it never wants */
    if (wslay_event_recv(ws->wslay) != 0)
        ws->gave_up = true;
    push(ws);
    ws->corked--;
    ws->in_size = 0;
}

void bx_ws_flushed(struct bx_ws *ws) {
    if (bx_ws_has_room(ws)) {
        ws->corked++;
        ws->handler->on_writable(ws->user, ws);
        ws->corked--;
    }
}

void bx_ws_set_in_flight(struct bx_ws *ws, bool in_flight) {
    ws->in_flight = in_flight;
}

bool bx_ws_is_over(const struct bx_ws *ws) {
    return ws->gave_up || (!wslay_event_want_read(ws->wslay) && !wslay_event_want_write(ws->wslay));
}

uint64_t bx_ws_deadline_ms(const struct bx_ws *ws) {
    return BX_MAX(ws->heard_at_ms, ws->pinged_at_ms) + ws->config.ping_every_ms;
}

void bx_ws_tick(struct bx_ws *ws, uint64_t now_ms) {
    if (now_ms < bx_ws_deadline_ms(ws))
        return;
    if (ws->pinged_at_ms > ws->heard_at_ms || wslay_event_get_close_sent(ws->wslay)) {
        ws->gave_up = true; /* the last ping (or our close) went unanswered */
        return;
    }
    ws->pinged_at_ms = now_ms;
    struct wslay_event_msg ping = {WSLAY_PING, NULL, 0};
    if (wslay_event_queue_msg(ws->wslay, &ping) == 0)
        push(ws);
}
