#include "fetch/outbound.h"

#include "base/vec.h"

static bool belongs_to_connection(const char *name) {
    static const char *const names[] = {"connection",
                                        "content-length",
                                        "expect",
                                        "host",
                                        "keep-alive",
                                        "te",
                                        "proxy-connection",
                                        "trailer",
                                        "upgrade",
                                        "transfer-encoding",
                                        "proxy-authorization",
                                        "proxy-authenticate"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_ieqz(bx_str(name), names[i])) {
            return true;
        }
    }
    return false;
}

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    struct bx_outbound_response *response = user;
    (void)err;
    response->status = head->status;
    response->headers = bx_alloc(head->header_count * sizeof *response->headers);
    for (size_t i = 0; i < head->header_count; i++) {
        if (!belongs_to_connection(head->headers[i].name)) {
            response->headers[response->header_count++] = (struct bx_fetch_header){
                bx_strdup(head->headers[i].name), bx_strdup(head->headers[i].value)};
        }
    }
    return 0;
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct bx_outbound_response *response = user;
    int r = bx_buf_adds(&response->body, piece);
    return r < 0 ? bx_fail(err, r, "the response is larger than %zu bytes", response->body.max) : 0;
}

void bx_outbound_response_deinit(struct bx_outbound_response *r) {
    for (size_t i = 0; i < r->header_count; i++) {
        bx_free((char *)(uintptr_t)r->headers[i].name);
        bx_free((char *)(uintptr_t)r->headers[i].value);
    }
    bx_free(r->headers);
    bx_buf_deinit(&r->body);
    *r = (struct bx_outbound_response){0};
}

int bx_outbound_perform(struct bx_fetch *f, const struct bx_policy *policy,
                        const struct bx_outbound_request *request, struct bx_cancel *cancel,
                        struct bx_outbound_response *ret, struct bx_err *err) {
    assert(policy);
    size_t max_out = request->max_request_bytes ? request->max_request_bytes : 10 * BX_MIB;
    size_t max_in = request->max_response_bytes ? request->max_response_bytes : 10 * BX_MIB;
    *ret = (struct bx_outbound_response){.body = BX_BUF_INIT(max_in)};
    if (request->body.n > max_out) {
        return bx_fail(err, BX_ERR_LIMIT, "the request's body is larger than %zu bytes", max_out);
    }
    BX_VEC(struct bx_fetch_header) headers = {0};
    for (size_t i = 0; i < request->header_count; i++) {
        if (!belongs_to_connection(request->headers[i].name)) {
            bx_vec_push(&headers, request->headers[i]);
        }
    }
    struct bx_fetch_request req = {
        .method = request->method,
        .url = request->url,
        .headers = headers.p,
        .header_count = headers.n,
        .body = request->body.n ? request->body : (struct bx_str){0},
        .policy = policy,
        .total_timeout_ms = request->timeout_ms ? request->timeout_ms : 30000,
        .max_response_bytes = max_in,
        .on_head = on_head,
        .on_body = on_body,
        .user = ret,
        .cancel = cancel,
    };
    struct bx_fetch_result result = {0};
    int r = bx_fetch_perform(f, &req, &result, err);
    ret->bytes_in = result.bytes_in;
    ret->bytes_out = result.bytes_out;
    bx_vec_free(&headers);
    return r;
}
