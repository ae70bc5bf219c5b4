/* What a client sends after its handshake, cut into pieces of a size that the first byte chooses:
 * texts that come out are UTF-8 and within the limit, and nothing comes after the end. */
#include "base/utf8.h"
#include "fuzz.h"
#include "http/ws.h"

#define MAX_MESSAGE 500

struct watch {
    bool over;
    unsigned closes;
};

static void on_text(void *user, struct bx_ws *ws, struct bx_str text) {
    struct watch *w = user;
    assert(!w->over && text.n <= MAX_MESSAGE && bx_utf8_valid(text));
    bx_ws_send(ws, text);
}

static void on_writable(void *user, struct bx_ws *ws) {
    (void)user;
    (void)ws;
}

static void on_close(void *user, struct bx_ws *ws) {
    (void)ws;
    ((struct watch *)user)->closes++;
}

static void on_wake(void *user) {
    (void)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct bx_ws_handler handler = {on_text, on_writable, on_close};
    static const struct bx_ws_config config = {.max_message_bytes = MAX_MESSAGE,
                                               .ping_every_ms = 1000};
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct watch watch = {0};
    if (size < 2)
        return 0;
    size_t step = data[0] ? data[0] : size;
    struct bx_ws *ws = bx_ws_new(&config, &handler, &watch, &out, on_wake, NULL, 0);
    for (size_t at = 1; at < size;) {
        size_t n = BX_MIN(step, size - at);
        char *copy = bx_memdup(data + at, n);
        watch.over = bx_ws_is_over(ws);
        bx_ws_feed(ws, copy, n, 0);
        bx_free(copy);
        bx_buf_reset(&out);
        bx_ws_flushed(ws);
        at += n;
    }
    bx_ws_tick(ws, 5000);
    bx_ws_tick(ws, 50000);
    bx_ws_free(ws);
    assert(watch.closes == 1);
    bx_buf_deinit(&out);
    return 0;
}
