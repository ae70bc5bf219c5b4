#include "box/call.h"

#include "base/clock.h"
#include "box/answer.h"
#include "engine.h"

struct guest_answer {
    struct bx_outbound_answer answer;
    struct bx_call *call;
    uint64_t id;
    uint64_t received_bytes, max_bytes;
    bool head_sent;
    int broken; /* the first error of sending */
};

static int send_part(struct guest_answer *a) {
    a->broken = a->broken ? a->broken : bx_call_send(a->call, &a->call->lane->frame_out, NULL);
    return a->broken;
}

static int guest_head(struct bx_outbound_answer *answer, unsigned status,
                      const struct bx_outbound_header *headers, size_t header_count) {
    struct guest_answer *a = (struct guest_answer *)answer;
    struct bx_buf *frame = &a->call->lane->frame_out;
    assert(!a->head_sent);
    a->head_sent = true;
    bx_frame_begin(frame, BX_FRAME_HEAD, a->call->lane->last_call);
    bx_put_u64(frame, a->id);
    bx_put_u32(frame, status);
    for (size_t i = 0; i < header_count; i++) {
        size_t room = BX_FRAME_MAX - frame->size;
        if (headers[i].name.n + headers[i].value.n + 8 <=
            room) { /* what does not fit is left out */
            bx_put_str(frame, headers[i].name);
            bx_put_str(frame, headers[i].value);
        }
    }
    return send_part(a);
}

static int guest_body(struct bx_outbound_answer *answer, struct bx_str piece) {
    struct guest_answer *a = (struct guest_answer *)answer;
    struct bx_buf *frame = &a->call->lane->frame_out;
    a->received_bytes += piece.n;
    if (a->received_bytes > a->max_bytes) {
        return BX_ERR_LIMIT;
    }
    int r = a->broken;
    for (size_t at = 0; r == 0 && at < piece.n; at += BX_FRAME_DATA) {
        bx_frame_begin(frame, BX_FRAME_BODY, a->call->lane->last_call);
        bx_put_u64(frame, a->id);
        bx_buf_adds(frame, bx_str_slice(piece, at, BX_FRAME_DATA));
        r = send_part(a);
    }
    return r;
}

/* "https://user@host:80/path" -> "host:80" */
static struct bx_str host_of(const char *url) {
    struct bx_str s = bx_str(url);
    size_t at = bx_str_find_str(s, BX_STR_LIT("://"));
    s = at == (size_t)-1 ? s : bx_str_slice(s, at + 3, s.n);
    s.n = strcspn(s.p, "/?#");
    at = bx_str_find(s, '@');
    return at == (size_t)-1 ? s : bx_str_slice(s, at + 1, s.n);
}

static struct bx_receipt_host *ledger(struct bx_call *c, struct bx_str host) {
    for (size_t i = 0; i < c->hosts.n; i++) {
        if (bx_str_eqz(host, c->hosts.p[i].host)) {
            return &c->hosts.p[i];
        }
    }
    bx_vec_push(&c->hosts, ((struct bx_receipt_host){.host = bx_str_dup(host)}));
    return &c->hosts.p[c->hosts.n - 1];
}

static enum bxe_http_error guest_error(int code) {
    switch (code) {
    case 0:
        return BXE_HTTP_OK;
    case BX_ERR_DENIED:
        return BXE_HTTP_DENIED;
    case BX_ERR_LIMIT:
        return BXE_HTTP_RESPONSE_SIZE;
    case BX_ERR_NOTFOUND:
        return BXE_HTTP_NOT_FOUND;
    case BX_ERR_UNAVAILABLE:
        return BXE_HTTP_REFUSED;
    case BX_ERR_TIMEOUT:
        return BXE_HTTP_TIMEOUT;
    case BX_ERR_AUTH:
        return BXE_HTTP_TLS;
    default:
        return BXE_HTTP_FAILED;
    }
}

void bx_call_answer(struct bx_call *c, const struct bx_ask *ask) {
    BX_VEC(struct bx_outbound_header) headers = {0};
    struct bx_reader r = bx_reader(bx_buf_str(&ask->headers));
    while (r.left.n > 0 && !r.failed) {
        struct bx_str name = bx_read_str(&r), value = bx_read_str(&r);
        bx_vec_push(&headers, ((struct bx_outbound_header){name, value}));
    }
    uint64_t now = bx_mono_ms();
    struct guest_answer answer = {
        .answer = {guest_head, guest_body},
        .call = c,
        .id = ask->id,
        .max_bytes = c->request->grant->limits.value[BX_LIMIT_RESPONSE],
    };
    struct bx_outbound_request q = {
        .method = ask->method,
        .url = ask->url,
        .headers = headers.p,
        .header_count = r.failed && headers.n > 0 ? headers.n - 1 : headers.n,
        .body = bx_buf_str(&ask->body),
        .grant = c->request->grant,
        .cancel = c->cancel,
        .timeout_ms = c->deadline_ms > now ? c->deadline_ms - now : 1,
    };
    struct bx_err err = {0};
    int code = c->request->outbound(c->request->user, &q, &answer.answer, &err);
    struct bx_receipt_host *host = ledger(c, host_of(ask->url));
    host->sent_bytes += ask->body.size;
    host->received_bytes += answer.received_bytes;
    host->denied = host->denied || code == BX_ERR_DENIED;
    if ((code == BX_ERR_DENIED || code == BX_ERR_LIMIT) && !c->denied[0]) {
        bool asked_too_much = q.body.n > c->request->grant->limits.value[BX_LIMIT_REQUEST];
        enum bx_limit_id size = asked_too_much ? BX_LIMIT_REQUEST : BX_LIMIT_RESPONSE;
        c->denied_limit = code == BX_ERR_DENIED ? "network" : bx_limit_info(size)->name;
        snprintf(c->denied, sizeof c->denied, "%s", err.msg);
    }
    struct bx_buf *frame = &c->lane->frame_out;
    bx_frame_begin(frame, BX_FRAME_END, c->lane->last_call);
    bx_put_u64(frame, ask->id);
    bx_put_u8(frame, (uint8_t)guest_error(code));
    send_part(&answer);
    bx_vec_free(&headers);
}
