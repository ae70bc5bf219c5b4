/* The reader of chat completions: the same reply however the bytes are cut, and every piece of text
 * is valid UTF-8. */
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "model/openai.h"

static void check(void *user, const struct bx_model_event *ev) {
    (void)user;
    if (!bx_utf8_valid(ev->text)) {
        abort();
    }
}

static int read_in_pieces(struct bx_str all, size_t piece, struct bx_buf *out) {
    struct bx_openai_reader *reader = bx_openai_reader_new(true, check, NULL);
    struct bx_reply reply;
    struct bx_err err;
    int r = 0;
    for (size_t at = 0; at < all.n && r == 0; at += piece) {
        r = bx_openai_reader_feed(reader, bx_str_slice(all, at, piece), &err);
    }
    r = r == 0 ? bx_openai_reader_end(reader, &reply, &err) : r;
    if (r == 0) {
        for (size_t i = 0; i < reply.message->blocks.n; i++) {
            const struct bx_block *b = &reply.message->blocks.p[i];
            bx_buf_addf(out, "%d %s %s %s\n", (int)b->kind, b->text ? b->text : "",
                        b->tool ? b->tool : "", b->arguments ? b->arguments : "");
        }
        bx_reply_deinit(&reply);
    }
    bx_openai_reader_free(reader);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_str all = bx_str_n((const char *)data, size);
    struct bx_buf one = BX_BUF_INIT(64 * BX_MIB), many = BX_BUF_INIT(64 * BX_MIB);
    int a = read_in_pieces(all, 1, &one), b = read_in_pieces(all, 13, &many);
    if (a != b || !bx_str_eq(bx_buf_str(&one), bx_buf_str(&many))) {
        abort();
    }
    bx_buf_deinit(&one);
    bx_buf_deinit(&many);
    return 0;
}
