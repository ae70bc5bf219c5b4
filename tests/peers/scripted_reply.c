/* The replies of the scripted endpoint: from a turn of the script to the bytes of a response.
 * Included by scripted.c. */
#include "base/utf8.h"
#include "json/write.h"

#define PIECE_BYTES 24

struct reply {
    struct bx_buf out;
    size_t pause_at; /* offset in out; 0 = no pause */
    uint64_t pause_ms, delay_ms;
    size_t after_requests;
    size_t chunk_bytes;
    size_t forever_from; /* offset in out from where to repeat; 0 = not */
    bool close;
};

static void chunk(struct bx_buf *out, struct bx_str data) {
    bx_buf_addf(out, "%zx\r\n", data.n);
    bx_buf_adds(out, data);
    bx_buf_addz(out, "\r\n");
}

static void event_begin(struct bx_jw *w, struct bx_buf *b) {
    bx_buf_reset(b);
    bx_buf_addz(b, "data: ");
    bx_jw_init(w, b);
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", "chatcmpl-scripted");
    bx_jw_kstr(w, "object", "chat.completion.chunk");
    bx_jw_kint(w, "created", 1700000000);
    bx_jw_kstr(w, "model", "scripted");
}

static void event_end(struct bx_jw *w, struct bx_buf *b, struct bx_buf *body) {
    bx_jw_end(w);
    bx_buf_addz(b, "\n\n");
    bx_buf_adds(body, bx_buf_str(b));
}

static void delta_begin(struct bx_jw *w, struct bx_buf *b) {
    event_begin(w, b);
    bx_jw_karr(w, "choices");
    bx_jw_obj(w);
    bx_jw_kint(w, "index", 0);
    bx_jw_kobj(w, "delta");
}

static void delta_end(struct bx_jw *w, struct bx_buf *b, struct bx_buf *body, const char *finish) {
    bx_jw_end(w);
    bx_jw_kstr(w, "finish_reason", finish);
    bx_jw_end(w);
    bx_jw_end(w);
    event_end(w, b, body);
}

static void pieces(struct bx_buf *b, struct bx_buf *body, const char *key, struct bx_str text) {
    while (text.n > 0) {
        size_t n = text.n > PIECE_BYTES ? bx_utf8_cut(text, PIECE_BYTES) : text.n;
        struct bx_jw w;
        delta_begin(&w, b);
        bx_jw_kstrn(&w, key, bx_str_slice(text, 0, n));
        delta_end(&w, b, body, NULL);
        text = bx_str_slice(text, n, text.n);
    }
}

static void arguments_of(const struct bx_val *call, struct bx_buf *out) {
    if (bx_val_get(call, "arguments")) {
        bx_buf_adds(out, bx_val_get_str(call, "arguments"));
        return;
    }
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_val(&w, bx_val_get(call, "input"));
}

static void write_call(struct bx_jw *w, const struct bx_val *call, int64_t index, unsigned turn,
                       struct bx_str arguments, bool head) {
    bx_jw_obj(w);
    bx_jw_kint(w, "index", index);
    if (head) {
        char id[40];
        snprintf(id, sizeof id, "call_%u_%d", turn, (int)index);
        bx_jw_kstr(w, "id", id);
        bx_jw_kstr(w, "type", "function");
    }
    bx_jw_kobj(w, "function");
    if (head) {
        bx_jw_kstr(w, "name", bx_val_get_z(call, "tool"));
    }
    bx_jw_kstrn(w, "arguments", arguments);
    bx_jw_end(w);
    bx_jw_end(w);
}

static void call_pieces(struct bx_buf *b, struct bx_buf *body, const struct bx_val *calls,
                        unsigned turn) {
    int64_t index = 0;
    bx_val_foreach_item (calls, call) {
        struct bx_buf arguments = BX_BUF_INIT(16 * BX_MIB);
        arguments_of(call, &arguments);
        struct bx_str all = bx_buf_str(&arguments);
        size_t half = bx_utf8_cut(all, all.n / 2);
        for (int part = 0; part < 2; part++) {
            struct bx_jw w;
            delta_begin(&w, b);
            bx_jw_karr(&w, "tool_calls");
            write_call(&w, call, index, turn,
                       part == 0 ? bx_str_slice(all, 0, half) : bx_str_slice(all, half, all.n),
                       part == 0);
            bx_jw_end(&w);
            delta_end(&w, b, body, NULL);
        }
        bx_buf_deinit(&arguments);
        index++;
    }
}

static void write_usage(struct bx_jw *w, const struct bx_val *turn, size_t request_bytes) {
    const struct bx_val *usage = bx_val_get(turn, "usage");
    if (usage) {
        bx_jw_kval(w, "usage", usage);
        return;
    }
    size_t out = bx_val_get_str(turn, "text").n / 4 + 1;
    bx_jw_kobj(w, "usage");
    bx_jw_kuint(w, "prompt_tokens", request_bytes / 4);
    bx_jw_kuint(w, "completion_tokens", out);
    bx_jw_kuint(w, "total_tokens", request_bytes / 4 + out);
    bx_jw_end(w);
}

static const char *finish_of(const struct bx_val *turn) {
    const char *finish = bx_val_get_z(turn, "finish");
    return finish ? finish : bx_val_len(bx_val_get(turn, "calls")) > 0 ? "tool_calls" : "stop";
}

static void stream_body(const struct bx_val *turn, unsigned k, size_t request_bytes,
                        struct bx_buf *body, size_t *ret_first) {
    struct bx_buf b = BX_BUF_INIT(32 * BX_MIB);
    struct bx_jw w;
    delta_begin(&w, &b);
    bx_jw_kstr(&w, "role", "assistant");
    bx_jw_kstr(&w, "content", NULL);
    delta_end(&w, &b, body, NULL);
    *ret_first = body->size;
    pieces(&b, body, "reasoning_content", bx_val_get_str(turn, "reasoning"));
    pieces(&b, body, "content", bx_val_get_str(turn, "text"));
    call_pieces(&b, body, bx_val_get(turn, "calls"), k);
    if (!bx_val_get_bool(turn, "forever", false)) {
        delta_begin(&w, &b);
        delta_end(&w, &b, body, finish_of(turn));
        event_begin(&w, &b);
        bx_jw_karr(&w, "choices");
        bx_jw_end(&w);
        write_usage(&w, turn, request_bytes);
        event_end(&w, &b, body);
        bx_buf_addz(body, "data: [DONE]\n\n");
    }
    bx_buf_deinit(&b);
}

static void whole_body(const struct bx_val *turn, unsigned k, size_t request_bytes,
                       struct bx_buf *body) {
    struct bx_jw w;
    bx_jw_init(&w, body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "object", "chat.completion");
    bx_jw_karr(&w, "choices");
    bx_jw_obj(&w);
    bx_jw_kint(&w, "index", 0);
    bx_jw_kobj(&w, "message");
    bx_jw_kstr(&w, "role", "assistant");
    bx_jw_kstr(&w, "content", bx_val_get_z(turn, "text"));
    if (bx_val_get(turn, "reasoning")) {
        bx_jw_kval(&w, "reasoning_content", bx_val_get(turn, "reasoning"));
    }
    if (bx_val_get(turn, "calls")) {
        bx_jw_karr(&w, "tool_calls");
        int64_t index = 0;
        bx_val_foreach_item (bx_val_get(turn, "calls"), call) {
            struct bx_buf arguments = BX_BUF_INIT(16 * BX_MIB);
            arguments_of(call, &arguments);
            write_call(&w, call, index++, k, bx_buf_str(&arguments), true);
            bx_buf_deinit(&arguments);
        }
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    bx_jw_kstr(&w, "finish_reason", finish_of(turn));
    bx_jw_end(&w);
    bx_jw_end(&w);
    write_usage(&w, turn, request_bytes);
    bx_jw_end(&w);
}

static void plain_reply(struct reply *r, int status, const char *extra, const char *type,
                        struct bx_str body) {
    bx_buf_addf(&r->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%sContent-Length: %zu\r\n\r\n",
                status, status == 200 ? "OK" : "Fault", type, extra, body.n);
    bx_buf_adds(&r->out, body);
}

static void error_reply(struct reply *r, const struct bx_val *turn) {
    struct bx_buf body = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kobj(&w, "error");
    bx_jw_kstr(&w, "message",
               bx_val_get_z(turn, "error") ? bx_val_get_z(turn, "error") : "scripted fault");
    bx_jw_end(&w);
    bx_jw_end(&w);
    char extra[64] = "";
    if (bx_val_get_z(turn, "retry_after")) {
        snprintf(extra, sizeof extra, "Retry-After: %.40s\r\n", bx_val_get_z(turn, "retry_after"));
    } else if (bx_val_get(turn, "retry_after")) {
        snprintf(extra, sizeof extra, "Retry-After: %d\r\n",
                 (int)bx_val_get_int(turn, "retry_after", 0));
    }
    plain_reply(r, (int)bx_val_get_int(turn, "status", 500), extra, "application/json",
                bx_buf_str(&body));
    bx_buf_deinit(&body);
}

/* The response to one request for turn number k. */
static void turn_reply(struct reply *r, const struct bx_val *turn, unsigned k, bool stream,
                       size_t request_bytes) {
    r->delay_ms = (uint64_t)bx_val_get_int(turn, "delay_ms", 0);
    r->after_requests = (size_t)bx_val_get_int(turn, "after_requests", 0);
    r->chunk_bytes = (size_t)bx_val_get_int(turn, "chunk_bytes", 0);
    if (bx_val_get(turn, "status")) {
        error_reply(r, turn);
        return;
    }
    struct bx_buf body = BX_BUF_INIT(64 * BX_MIB);
    size_t first = 0;
    const struct bx_val *raw = bx_val_get(turn, "raw");
    if (raw) {
        bx_buf_adds(&body, bx_val_str(raw));
    } else if (stream) {
        stream_body(turn, k, request_bytes, &body, &first);
    } else {
        whole_body(turn, k, request_bytes, &body);
    }
    struct bx_str all = bx_str_n(bx_buf_z(&body), body.size);
    int64_t cut = bx_val_get_int(turn, "cut_after", -1);
    r->close = cut >= 0;
    all = bx_str_slice(all, 0, cut >= 0 ? (size_t)cut : all.n);
    r->pause_ms = (uint64_t)bx_val_get_int(turn, "stall_ms", 0);
    size_t pause = (size_t)bx_val_get_int(turn, "stall_after", (int64_t)first);
    bx_buf_addf(&r->out,
                "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
                stream ? "text/event-stream" : "application/json");
    pause = BX_MIN(pause, all.n);
    if (pause > 0) {
        chunk(&r->out, bx_str_slice(all, 0, pause));
    }
    r->pause_at = r->out.size;
    size_t from = r->out.size;
    if (pause < all.n) {
        chunk(&r->out, bx_str_slice(all, pause, all.n));
    }
    if (bx_val_get_bool(turn, "forever", false)) {
        r->forever_from = from;
    } else if (!r->close) {
        bx_buf_addz(&r->out, "0\r\n\r\n");
    }
    bx_buf_deinit(&body);
}
