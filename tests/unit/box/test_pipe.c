/* Pipes of a group, and the requests by which a guest starts another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "box/pipe.h"
#include "box/protocol.h"
#include "box/spawn_request.h"
#include "box/wasi.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool stop;
static const struct bx_pipe_wait for_ever = {&mutex, &stop, UINT64_MAX};
static const struct bx_pipe_wait no_time = {&mutex, &stop, 0};

static struct bx_pipe *new_pipe(void) {
    struct bx_pipe *pipe = bx_pipe_new();
    stop = false;
    bx_pipe_hold(pipe, BX_PIPE_READ);
    bx_pipe_hold(pipe, BX_PIPE_WRITE);
    return pipe;
}

static void test_ends(void **state) {
    (void)state;
    uint8_t bytes[100] = "hello";
    struct bx_pipe *pipe = new_pipe();
    BX_LOCKED(&mutex);
    assert_int_equal(bx_pipe_read(pipe, bytes, 100, &no_time), BX_PIPE_LATE);
    assert_int_equal(bx_pipe_write(pipe, bytes, 5, &no_time), 5);
    assert_int_equal(bx_pipe_read(pipe, bytes, 0, &no_time), 0);
    assert_int_equal(bx_pipe_read(pipe, bytes, 2, &no_time), 2);
    bx_pipe_hold(pipe, BX_PIPE_WRITE);
    assert_false(bx_pipe_release(pipe, BX_PIPE_WRITE));
    assert_false(bx_pipe_release(pipe, BX_PIPE_WRITE)); /* what is in it is still read */
    assert_int_equal(bx_pipe_read(pipe, bytes, 100, &no_time), 3);
    assert_memory_equal(bytes, "llo", 3);
    assert_int_equal(bx_pipe_read(pipe, bytes, 100, &no_time), 0);
    bx_pipe_hold(pipe, BX_PIPE_WRITE);
    assert_false(bx_pipe_release(pipe, BX_PIPE_READ));
    assert_int_equal(bx_pipe_write(pipe, bytes, 5, &no_time), BX_PIPE_BROKEN);
    assert_true(bx_pipe_release(pipe, BX_PIPE_WRITE));
    bx_pipe_free(pipe);
}

static void test_full(void **state) {
    (void)state;
    static uint8_t bytes[2 * BX_PIPE_BYTES];
    struct bx_pipe *pipe = new_pipe();
    BX_LOCKED(&mutex);
    assert_int_equal(bx_pipe_write(pipe, bytes, BX_PIPE_BYTES, &no_time), BX_PIPE_BYTES);
    assert_int_equal(bx_pipe_write(pipe, bytes, 0, &no_time), 0);
    assert_int_equal(bx_pipe_write(pipe, bytes, 1, &no_time), BX_PIPE_LATE);
    assert_int_equal(bx_pipe_read(pipe, bytes, 10, &no_time), 10);
    assert_int_equal(bx_pipe_write(pipe, bytes, 11, &no_time), BX_PIPE_LATE); /* ten are in */
    assert_int_equal(bx_pipe_read(pipe, bytes, sizeof bytes, &no_time), BX_PIPE_BYTES);
    bx_pipe_free(pipe);
}

struct mover {
    struct bx_pipe *pipe;
    uint64_t n, sum;
    int64_t result;
};

static void *write_many(void *user) {
    struct mover *m = user;
    uint8_t piece[5000];
    BX_LOCKED(&mutex);
    for (uint64_t at = 0; at < m->n;) {
        size_t n = (size_t)BX_MIN(m->n - at, 1 + at % sizeof piece);
        for (size_t i = 0; i < n; i++) {
            piece[i] = (uint8_t)((at + i) * 31);
            m->sum += piece[i];
        }
        m->result = bx_pipe_write(m->pipe, piece, n, &for_ever);
        at += n;
    }
    bx_pipe_release(m->pipe, BX_PIPE_WRITE);
    return NULL;
}

static void *read_many(void *user) {
    struct mover *m = user;
    uint8_t piece[7000];
    BX_LOCKED(&mutex);
    while ((m->result = bx_pipe_read(m->pipe, piece, sizeof piece, &for_ever)) > 0) {
        m->n += (uint64_t)m->result;
        for (int64_t i = 0; i < m->result; i++) {
            m->sum += piece[i];
        }
    }
    return NULL;
}

/* Two writers, two readers: nothing is lost, everybody comes to an end. */
static void test_threads(void **state) {
    (void)state;
    struct bx_pipe *pipe = new_pipe();
    bx_pipe_hold(pipe, BX_PIPE_WRITE);
    struct mover movers[4] = {
        {.pipe = pipe, .n = 3000000}, {.pipe = pipe, .n = 2000000}, {.pipe = pipe}, {.pipe = pipe}};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            bx_thread_start(&threads[i], "mover", i < 2 ? write_many : read_many, &movers[i], NULL),
            0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(movers[2].n + movers[3].n, 5000000);
    assert_int_equal(movers[2].sum + movers[3].sum, movers[0].sum + movers[1].sum);
    bx_pipe_free(pipe);
}

static void *read_one(void *user) {
    struct mover *m = user;
    uint8_t byte;
    BX_LOCKED(&mutex);
    m->result = bx_pipe_read(m->pipe, &byte, 1, &for_ever);
    return NULL;
}

static void test_stop(void **state) {
    (void)state;
    struct mover m = {.pipe = new_pipe()};
    pthread_t thread;
    assert_int_equal(bx_thread_start(&thread, "reader", read_one, &m, NULL), 0);
    {
        BX_LOCKED(&mutex);
        stop = true;
        bx_pipe_wake(m.pipe);
    }
    pthread_join(thread, NULL);
    assert_int_equal(m.result, BX_PIPE_STOPPED);
    bx_pipe_free(m.pipe);
}

static void put_request(struct bx_buf *b, const char *word) {
    bx_put_u32(b, 0);
    bx_put_u32(b, (uint32_t)-1);
    bx_put_u32(b, 3);
    bx_put_u32(b, 2);
    bx_put_str(b, bx_str("grep"));
    bx_put_str(b, bx_str(word));
    bx_put_u32(b, 1);
    bx_put_str(b, bx_str("PWD=/a b"));
}

static void test_requests(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf b = BX_BUF_INIT(1000);
    struct bx_spawn_request q;
    put_request(&b, "");
    assert_int_equal(bx_spawn_request_decode(b.p, b.size, &q), 0);
    assert_true(q.in == 0 && q.out == -1 && q.err == 3 && q.argc == 2 && q.env_count == 1);
    assert_string_equal(q.argv[0], "grep");
    assert_string_equal(q.argv[1], "");
    assert_null(q.argv[2]);
    assert_string_equal(q.env[0], "PWD=/a b");
    bx_spawn_request_deinit(&q);
    for (size_t n = 0; n < b.size; n++) { /* cut anywhere, in memory that ends there */
        char *copy = bx_memdup(b.p, n);
        assert_int_equal(bx_spawn_request_decode(copy, n, &q), -BX_WASI_EINVAL);
        bx_free(copy);
    }
    bx_put_u8(&b, 0);
    assert_int_equal(bx_spawn_request_decode(b.p, b.size, &q), -BX_WASI_EINVAL);
    bx_auto(bx_freep) char *huge = bx_alloc(BX_SPAWN_REQUEST_MAX + 1);
    assert_int_equal(bx_spawn_request_decode(huge, BX_SPAWN_REQUEST_MAX + 1, &q), -BX_WASI_E2BIG);
    assert_int_equal(bx_spawn_request_decode(huge, BX_SPAWN_REQUEST_MAX, &q), -BX_WASI_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),     cmocka_unit_test(test_full),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_stop),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
