#include "box/answer.h"

int bx_outbound_head(struct bx_outbound_answer *a, unsigned status,
                     const struct bx_outbound_header *headers, size_t header_count) {
    return a->head(a, status, headers, header_count);
}

int bx_outbound_body(struct bx_outbound_answer *a, struct bx_str piece) {
    return a->body(a, piece);
}

static int keep_head(struct bx_outbound_answer *a, unsigned status,
                     const struct bx_outbound_header *headers, size_t header_count) {
    struct bx_outbound_kept *k = (struct bx_outbound_kept *)a;
    k->status = status;
    for (size_t i = 0; i < header_count; i++) {
        if (bx_str_ieqz(headers[i].name, "content-type")) {
            snprintf(k->content_type, sizeof k->content_type, BX_STR_FMT,
                     BX_STR_ARG(headers[i].value));
        }
    }
    return 0;
}

static int keep_body(struct bx_outbound_answer *a, struct bx_str piece) {
    return bx_buf_adds(&((struct bx_outbound_kept *)a)->body, piece);
}

void bx_outbound_kept_init(struct bx_outbound_kept *k, size_t max_bytes) {
    *k =
        (struct bx_outbound_kept){.answer = {keep_head, keep_body}, .body = BX_BUF_INIT(max_bytes)};
}

void bx_outbound_kept_deinit(struct bx_outbound_kept *k) {
    bx_buf_deinit(&k->body);
}
