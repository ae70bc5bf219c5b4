/* The reader of server-sent events: the same events however the bytes are cut. */
#include "fetch/sse.h"
#include "fuzz/fuzz.h"

static int add(void *user, const struct bx_sse_event *e) {
    bx_buf_adds(user, e->type);
    bx_buf_addc(user, '|');
    bx_buf_adds(user, e->data);
    bx_buf_addc(user, '\n');
    return 0;
}

static int read_in_pieces(struct bx_str all, size_t piece, struct bx_buf *out) {
    struct bx_sse s;
    bx_sse_init(&s, 256);
    int r = 0;
    for (size_t at = 0; at < all.n && r == 0; at += piece) {
        r = bx_sse_feed(&s, bx_str_slice(all, at, piece), add, out, NULL);
    }
    r = r == 0 ? bx_sse_end(&s, add, out, NULL) : r;
    bx_sse_deinit(&s);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_str all = bx_str_n((const char *)data, size);
    struct bx_buf one = BX_BUF_INIT(BX_MIB), many = BX_BUF_INIT(BX_MIB);
    int a = read_in_pieces(all, 1, &one), b = read_in_pieces(all, 7, &many);
    if (a != b || (a == 0 && !bx_str_eq(bx_buf_str(&one), bx_buf_str(&many)))) {
        abort();
    }
    bx_buf_deinit(&one);
    bx_buf_deinit(&many);
    return 0;
}
