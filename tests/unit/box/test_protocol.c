/* Frames survive the way there; whatever is cut off or added is an error, never a read beyond the
 * frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>

#include "base/file.h"
#include "box/channel.h"

static void encode_call(struct bx_buf *out) {
    struct bx_call_frame c = {
        .embedded = BX_STR_LIT("read"),
        .fuel = true,
        .flags = BX_CALL_LIVE,
        .error_bytes = 65536,
        .args = BX_STR_LIT("read\0one"),
        .input_size = 10,
        .input = BX_STR_LIT("{}"),
    };
    c.args.n++; /* its NUL */
    memset(c.key, 7, sizeof c.key);
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        c.limits[i] = UINT64_C(0x0102030405060708) * i;
    }
    bx_call_encode(out, 42, &c);
}

static void test_call(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf b = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    struct bx_call_frame c;
    encode_call(&b);
    assert_int_equal(bx_frame_decode(b.p, b.size, &f, NULL), 0);
    assert_int_equal(f.type, BX_FRAME_CALL);
    assert_int_equal(f.call, 42);
    assert_int_equal(bx_call_decode(f.body, &c, NULL), 0);
    assert_true(bx_str_eqz(c.embedded, "read") && c.fuel && c.flags == BX_CALL_LIVE &&
                c.input_size == 10);
    assert_int_equal(c.limits[3], UINT64_C(0x0102030405060708) * 3);
    assert_int_equal(c.args.n, 9);
}

static void test_done_and_others(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf b = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    struct bx_done_frame d;
    bx_done_encode(
        &b, 1,
        &(struct bx_done_frame){
            .exit = 2, .limit = 3, .status = 200, .cpu_us = 5, .out = BX_STR_LIT("out")});
    assert_int_equal(bx_frame_decode(b.p, b.size, &f, NULL), 0);
    assert_int_equal(bx_done_decode(f.body, &d, NULL), 0);
    assert_true(d.exit == 2 && d.limit == 3 && d.status == 200 && d.cpu_us == 5 &&
                bx_str_eqz(d.out, "out"));
    struct bx_ask_frame a;
    bx_ask_encode(&b, 1,
                  &(struct bx_ask_frame){.id = 9, .url = BX_STR_LIT("http://x/"), .body_size = 4});
    assert_int_equal(bx_frame_decode(b.p, b.size, &f, NULL), 0);
    assert_int_equal(bx_ask_decode(f.body, &a, NULL), 0);
    assert_true(a.id == 9 && bx_str_eqz(a.url, "http://x/") && a.body_size == 4);
    struct bx_config_frame c = {.mounts = {{"/host", "/", true}},
                                .mount_count = 1,
                                .server_pid = 3},
                           got;
    bx_config_encode(&b, &c);
    assert_int_equal(bx_frame_decode(b.p, b.size, &f, NULL), 0);
    assert_int_equal(bx_config_decode(f.body, &got, NULL), 0);
    assert_string_equal(got.mounts[0].host_path, "/host");
    assert_true(got.mounts[0].writable && got.server_pid == 3);
    bx_config_deinit(&got);
}

/* Every frame, cut at every length and with a byte too many: an error. Each copy ends where its
 * memory ends, so that AddressSanitizer sees a read beyond it. */
static void test_cut(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf b = BX_BUF_INIT(BX_FRAME_MAX);
    for (int kind = 0; kind < 5; kind++) {
        switch (kind) {
        case 0:
            encode_call(&b);
            break;
        case 1:
            bx_done_encode(
                &b, 1,
                &(struct bx_done_frame){.message = BX_STR_LIT("m"), .out = BX_STR_LIT("out")});
            break;
        case 2:
            bx_ask_encode(&b, 1, &(struct bx_ask_frame){.url = BX_STR_LIT("http://x/")});
            break;
        case 3:
            bx_hello_encode(&b, &(struct bx_hello_frame){.engine = BX_STR_LIT("e")});
            break;
        default:
            bx_config_encode(
                &b, &(struct bx_config_frame){.mounts = {{"/h", "/", true}}, .mount_count = 1});
        }
        bx_buf_addc(&b, 'x');
        for (size_t n = 0; n <= b.size; n++) {
            if (n == b.size - 1) {
                continue; /* the frame as it should be */
            }
            char *copy = bx_memdup(b.p, n);
            struct bx_frame f;
            struct bx_call_frame call;
            struct bx_done_frame done;
            struct bx_ask_frame ask;
            struct bx_hello_frame hello;
            struct bx_config_frame config;
            if (bx_frame_decode(copy, n, &f, NULL) == 0) {
                int r = kind == 0   ? bx_call_decode(f.body, &call, NULL)
                        : kind == 1 ? bx_done_decode(f.body, &done, NULL)
                        : kind == 2 ? bx_ask_decode(f.body, &ask, NULL)
                        : kind == 3 ? bx_hello_decode(f.body, &hello, NULL)
                                    : bx_config_decode(f.body, &config, NULL);
                assert_int_equal(r, BX_ERR_PROTO);
            }
            bx_free(copy);
        }
    }
}

static void test_unknown(void **state) {
    (void)state;
    struct bx_frame f;
    assert_int_equal(bx_frame_decode("\x09\0\0\0\0\0\0\0", 8, &f, NULL), BX_ERR_PROTO);
    assert_int_equal(bx_frame_decode("\x01\x01\0\0\0\0\0\0", 8, &f, NULL), BX_ERR_PROTO);
    assert_int_equal(bx_frame_decode("", 0, &f, NULL), BX_ERR_PROTO);
}

static void test_channel(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf b = BX_BUF_INIT(BX_FRAME_MAX),
                                         in = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    int pair[2], fds[BX_CHANNEL_FDS], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(bx_channel_try_recv(pair[1], &in, &f, NULL), BX_ERR_BUSY);
    bx_frame_begin(&b, BX_FRAME_IMAGE, 5);
    assert_int_equal(bx_channel_send(pair[0], &b, &null, 1, NULL), 0);
    assert_int_equal(bx_channel_recv(pair[1], &in, &f, fds, NULL), 0);
    assert_true(f.type == BX_FRAME_IMAGE && f.call == 5 && fds[0] >= 0 && fds[1] == -1);
    close(fds[0]);
    /* a full socket does not block try_send */
    int sent = 0;
    bx_frame_begin(&b, BX_FRAME_OUT, 5);
    while (b.size < BX_FRAME_MAX) {
        bx_buf_addc(&b, 'x');
    }
    while (bx_channel_try_send(pair[0], &b, NULL) == 0) {
        sent++;
    }
    assert_true(sent > 0);
    assert_int_equal(bx_channel_try_send(pair[0], &b, NULL), BX_ERR_BUSY);
    for (; sent > 0; sent--) {
        assert_int_equal(bx_channel_recv(pair[1], &in, &f, NULL, NULL), 0);
        assert_int_equal(f.body.n, BX_FRAME_MAX - BX_FRAME_HEADER);
    }
    /* larger than a frame: refused by the sender, and by a receiver whose peer is not ours */
    bx_buf_addc(&b, 'x');
    assert_int_equal(bx_channel_send(pair[0], &b, NULL, 0, NULL), BX_ERR_LIMIT);
    bx_auto(bx_freep) char *large = bx_alloc(BX_FRAME_MAX + 1);
    large[0] = BX_FRAME_OUT;
    assert_int_equal(send(pair[0], large, BX_FRAME_MAX + 1, 0), BX_FRAME_MAX + 1);
    assert_int_equal(bx_channel_recv(pair[1], &in, &f, NULL, NULL), BX_ERR_PROTO);
    bx_fd_close(&pair[0]);
    assert_int_equal(bx_channel_recv(pair[1], &in, &f, NULL, NULL), BX_ERR_IO);
    bx_fd_close(&pair[1]);
    bx_fd_close(&null);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call),    cmocka_unit_test(test_done_and_others),
        cmocka_unit_test(test_cut),     cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
