/* Every file of tests/cases/http fed to a connection: what is answered, and does the connection go
 * on?
 *
 * A file is: "expect: 200 200 keep" (the statuses of the replies, then keep, close or wait), lines
 * beginning with '#', an empty line, then the bytes. In them \r \n \t \0 \\ \xHH are escapes, a
 * real line end is nothing, and
 * "{{TEXT*N}}" is TEXT N times. Each case is fed whole, byte by byte, and in pieces of 7. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "http/conn.h"

struct served {
    size_t heads, requests;
};

static void on_head(void *user, struct bx_http_exchange *ex) {
    struct served *served = user;
    served->heads++;
    const struct bx_http_request *r = bx_http_exchange_request(ex);
    if (bx_str_eqz(r->path, "/refuse")) {
        struct bx_http_reply reply;
        bx_http_reply_refuse(&reply, 403, "Not for you");
        bx_http_exchange_reply(ex, &reply);
    }
    bx_http_exchange_set_max_body(ex, bx_str_eqz(r->path, "/none") ? 0 : 1000);
}

static void on_request(void *user, struct bx_http_exchange *ex) {
    struct served *served = user;
    served->requests++;
    const struct bx_http_request *r = bx_http_exchange_request(ex);
    struct bx_http_reply reply;
    bx_http_reply_init(&reply, 200, BX_MIB);
    bx_http_reply_header(&reply, "X-Path", r->path);
    bx_buf_adds(&reply.body, bx_buf_str(&r->body));
    bx_http_exchange_reply(ex, &reply);
}

static void on_wake(void *user) {
    (void)user;
    fail_msg("nothing here is answered later");
}

/* The transport: takes all output at once. */
static void pump(struct bx_http_conn *c, struct bx_buf *sent) {
    struct bx_str pieces[2];
    for (size_t n; (n = bx_http_conn_peek(c, pieces)) > 0;) {
        size_t total = 0;
        for (size_t i = 0; i < n; i++) {
            bx_buf_adds(sent, pieces[i]);
            total += pieces[i].n;
        }
        bx_http_conn_consume(c, total);
        bx_http_conn_flushed(c, 0);
    }
}

static void feed(struct bx_str input, size_t step, struct served *served, struct bx_buf *ret) {
    static const struct bx_http_handler handler = {on_head, on_request};
    struct bx_http_limits limits;
    bx_http_limits_default(&limits);
    *served = (struct served){0};
    struct bx_http_conn *c = bx_http_conn_new(&limits, &handler, served, on_wake, NULL, 0);
    struct bx_buf sent = BX_BUF_INIT(8 * BX_MIB);
    for (size_t at = 0; at < input.n && bx_http_conn_end(c) == BX_HTTP_OPEN;) {
        size_t n = BX_MIN(BX_MIN(step, input.n - at), BX_HTTP_READ_BYTES);
        char *copy = bx_memdup(input.p + at,
                               n); /* an exact block: reading past it is seen by the sanitizer */
        bx_http_conn_feed(c, copy, n, 0);
        bx_free(copy);
        pump(c, &sent);
        at += n;
    }
    struct bx_str rest = bx_buf_str(&sent);
    for (size_t at; (at = bx_str_find_str(rest, BX_STR_LIT("HTTP/1.1 "))) != (size_t)-1;) {
        rest = bx_str_slice(rest, at + 9, rest.n);
        bx_buf_adds(ret, bx_str_slice(rest, 0, 4));
    }
    bool partial = bx_http_conn_deadline_ms(c) == limits.head_timeout_ms ||
                   bx_http_conn_deadline_ms(c) == limits.body_timeout_ms;
    bx_buf_addz(ret, bx_http_conn_end(c) != BX_HTTP_OPEN ? "close" : partial ? "wait" : "keep");
    bx_buf_deinit(&sent);
    bx_http_conn_free(c);
}

static unsigned hex(char c) {
    return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

static void unescape(struct bx_str s, struct bx_buf *out) {
    for (size_t i = 0; i < s.n; i++) {
        struct bx_str here = bx_str_slice(s, i, s.n);
        size_t end, star;
        if (s.p[i] == '\n')
            continue;
        if (bx_str_starts(here, "{{") &&
            (end = bx_str_find_str(here, BX_STR_LIT("}}"))) != (size_t)-1) {
            struct bx_str body = bx_str_slice(here, 2, end - 2);
            uint64_t times = 0;
            assert_true((star = bx_str_find(body, '*')) != (size_t)-1);
            assert_true(bx_str_to_u64(bx_str_slice(body, star + 1, body.n), &times));
            for (uint64_t k = 0; k < times; k++)
                unescape(bx_str_slice(body, 0, star), out);
            i += end + 1;
        } else if (s.p[i] == '\\' && i + 1 < s.n) {
            char c = s.p[++i];
            if (c == 'x') {
                bx_buf_addc(out, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
                i += 2;
            } else {
                bx_buf_addc(out, c == 'r'   ? '\r'
                                 : c == 'n' ? '\n'
                                 : c == 't' ? '\t'
                                 : c == '0' ? '\0'
                                            : c);
            }
        } else {
            bx_buf_addc(out, s.p[i]);
        }
    }
}

static size_t failures;

static void check_file(const char *path) {
    static const size_t steps[] = {SIZE_MAX, 1, 7};
    struct bx_buf text = BX_BUF_INIT(BX_MIB), input = BX_BUF_INIT(8 * BX_MIB),
                  got = BX_BUF_INIT(4096);
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    struct bx_str rest = bx_buf_str(&text), line, expect = {NULL, 0};
    while (bx_str_split(&rest, '\n', &line) && line.n) {
        if (bx_str_starts(line, "expect: "))
            expect = bx_str_slice(line, 8, line.n);
        else if (line.p[0] != '#')
            fail_msg("%s: a head line must be 'expect:' or a comment", path);
    }
    assert_true(expect.n > 0);
    unescape(rest, &input);
    for (size_t i = 0; i < BX_ARRAY_LEN(steps); i++) {
        struct served served;
        feed(bx_buf_str(&input), steps[i], &served, &got);
        if (!bx_str_eq(bx_buf_str(&got), expect))
            failures++, print_error("%s in steps of %zu: '%s' instead of '" BX_STR_FMT "'\n", path,
                                    steps[i], bx_buf_z(&got), BX_STR_ARG(expect));
        assert_true(served.requests <= served.heads);
        bx_buf_reset(&got);
    }
    bx_buf_deinit(&text);
    bx_buf_deinit(&input);
    bx_buf_deinit(&got);
}

static int check_entry(void *user, const char *name) {
    size_t *count = user;
    if (bx_str_ends(bx_str(name), ".txt")) {
        struct bx_buf path = BX_BUF_INIT(4096);
        bx_buf_addf(&path, "%s/cases/http/%s", BX_TESTS_DIR, name);
        check_file(bx_buf_z(&path));
        bx_buf_deinit(&path);
        (*count)++;
    }
    return 0;
}

static void test_all_cases(void **state) {
    (void)state;
    size_t count = 0;
    assert_int_equal(bx_dir_each(BX_TESTS_DIR "/cases/http", check_entry, &count, NULL), 0);
    assert_true(count >= 40);
    assert_int_equal(failures, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
