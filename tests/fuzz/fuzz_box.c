/* Frames of a worker that was taken over: whatever arrives is a frame that can be written again the
 * same way, or an error. */
#include "fuzz/fuzz.h"

#include "box/protocol.h"

static void same(const struct bx_buf *again, const uint8_t *data, size_t size, const char *what) {
    /* bytes that are only looked at as yes or no may differ; lengths may not */
    if (bx_buf_failed(again) || again->size != size ||
        memcmp(again->p, data, BX_FRAME_HEADER) != 0) {
        bx_die("fuzz_box: %s is not what was read", what);
    }
}

static void look_at_barred(struct bx_str bytes) {
    struct bx_barred *barred = NULL;
    size_t n = 0;
    bx_auto(bx_buf_deinit) struct bx_buf again = BX_BUF_INIT(BX_FRAME_MAX);
    if (bx_barred_decode(bytes, 3, &barred, &n, NULL) < 0) {
        return;
    }
    bx_barred_encode(&again, barred, n);
    if (!bx_str_eq(bx_buf_str(&again), bytes)) {
        bx_die("fuzz_box: what was stopped is not what was read");
    }
    bx_barred_free(barred, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_frame f;
    if (bx_frame_decode(data, size, &f, NULL) < 0) {
        return 0;
    }
    bx_auto(bx_buf_deinit) struct bx_buf again = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_call_frame call;
    struct bx_done_frame done;
    struct bx_ask_frame ask;
    struct bx_hello_frame hello;
    struct bx_config_frame config;
    if (f.type == BX_FRAME_CALL && bx_call_decode(f.body, &call, NULL) == 0) {
        bx_call_encode(&again, f.call, &call);
        same(&again, data, size, "a call");
    }
    if (f.type == BX_FRAME_DONE && bx_done_decode(f.body, &done, NULL) == 0) {
        bx_done_encode(&again, f.call, &done);
        same(&again, data, size, "an end");
        look_at_barred(done.barred);
    }
    if (f.type == BX_FRAME_ASK && bx_ask_decode(f.body, &ask, NULL) == 0) {
        bx_ask_encode(&again, f.call, &ask);
        same(&again, data, size, "a question");
        struct bx_reader r = bx_reader(ask.headers);
        while (r.left.n > 0 && !r.failed) {
            struct bx_str text = bx_read_str(&r);
            if (text.n > ask.headers.n) {
                bx_die("fuzz_box: a header is longer than all of them");
            }
        }
    }
    if (f.type == BX_FRAME_HELLO && bx_hello_decode(f.body, &hello, NULL) == 0) {
        bx_hello_encode(&again, &hello);
    }
    if (f.type == BX_FRAME_CONFIG && bx_config_decode(f.body, &config, NULL) == 0) {
        if (config.mount_count > BX_MOUNTS_MAX) {
            bx_die("fuzz_box: too many mounts");
        }
        bx_config_deinit(&config);
    }
    return 0;
}
