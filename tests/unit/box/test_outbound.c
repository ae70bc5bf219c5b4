/* A guest's HTTP requests: they arrive as questions, and time, stop and sizes hold while they wait.
 */
#include "rig.h"

struct script { /* what the other side does */
    int code;
    uint64_t wait_ms;
    size_t body_bytes;
    const char *message;
    struct bx_cancel *fire;
    int asked;
    char url[200];
};

static int answer(void *user, const struct bx_outbound_request *q, struct bx_outbound_answer *a,
                  struct bx_err *err) {
    struct script *s = user;
    static char block[100000];
    s->asked++;
    snprintf(s->url, sizeof s->url, "%s %s", q->method, q->url);
    assert_true(q->timeout_ms > 0);
    if (s->fire) {
        bx_cancel_fire(s->fire, "enough");
    }
    if (s->wait_ms) {
        bx_cancel_sleep(NULL, s->wait_ms);
    }
    if (s->code) {
        return bx_fail(err, s->code, "%s", s->message ? s->message : "no");
    }
    struct bx_outbound_header header = {BX_STR_LIT("content-type"), BX_STR_LIT("text/plain")};
    int r = bx_outbound_head(a, 200, &header, 1);
    if (r == 0 && s->body_bytes == 0) {
        r = bx_outbound_body(a, BX_STR_LIT("hello"));
    }
    memset(block, 'x', sizeof block);
    for (size_t left = s->body_bytes; r == 0 && left > 0; left -= BX_MIN(left, sizeof block)) {
        r = bx_outbound_body(a, bx_str_n(block, BX_MIN(left, sizeof block)));
    }
    return r < 0 ? bx_fail(err, r, "%s", s->message ? s->message : "given up") : 0;
}

struct want {
    const char *limit, *output, *message;
    int asked;
};

static void run(struct rig_call *call, struct script *s, const struct want *w) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    call->user = s;
    if (rig_run(call, &r, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    if (strcmp(r.limit ? r.limit : "", w->limit) != 0 ||
        (w->output && strcmp(bx_buf_z(&r.out), w->output) != 0) ||
        (w->message && !strstr(r.message, w->message)) || strstr(r.message, "by force") ||
        s->asked != w->asked) {
        fail_msg("limit \"%s\", output \"%s\", message \"%s\", asked %d", r.limit ? r.limit : "",
                 bx_buf_z(&r.out), r.message, s->asked);
    }
    bx_box_result_deinit(&r);
}

static void test_answered(void **state) {
    (void)state;
    struct script s = {0};
    run(&(struct rig_call){.command = "fetch example.org:8080 /a?b=c", .outbound = answer}, &s,
        &(struct want){"", "status 200 hello bytes 5\n", NULL, 1});
    assert_string_equal(s.url, "GET http://example.org:8080/a?b=c");
    s = (struct script){0};
    run(&(struct rig_call){.command = "fetch example.org / 3", .outbound = answer}, &s,
        &(struct want){
            "", "status 200 hello bytes 5\nstatus 200 hello bytes 5\nstatus 200 hello bytes 5\n",
            NULL, 3});
}

/* More than both sockets hold */
static void test_large(void **state) {
    (void)state;
    struct script s = {.body_bytes = 9000000};
    run(&(struct rig_call){.command = "fetch example.org /", .outbound = answer}, &s,
        &(struct want){"", "status 200  bytes 9000000\n", NULL, 1});
}

static void test_denied(void **state) {
    (void)state;
    struct script s = {.code = BX_ERR_DENIED,
                       .message = "http://example.org is not allowed; add http://example.org"};
    run(&(struct rig_call){.command = "fetch example.org /", .outbound = answer}, &s,
        &(struct want){"network", NULL, "add http://example.org", 1});
    s = (struct script){0}; /* nobody to ask: denied without a question */
    run(&(struct rig_call){.command = "fetch example.org /"}, &s,
        &(struct want){"network", NULL, "no network", 0});
}

static void test_failed(void **state) {
    (void)state;
    static const int codes[] = {BX_ERR_NOTFOUND, BX_ERR_UNAVAILABLE, BX_ERR_TIMEOUT, BX_ERR_AUTH,
                                BX_ERR_IO};
    for (size_t i = 0; i < BX_ARRAY_LEN(codes); i++) {
        struct script s = {.code = codes[i]};
        run(&(struct rig_call){.command = "fetch example.org /", .outbound = answer}, &s,
            &(struct want){"", NULL, NULL, 1});
    }
}

static void test_too_large(void **state) {
    (void)state;
    struct script s = {.body_bytes = 200000, .message = "larger than 100 KiB"};
    run(&(struct rig_call){.command = "fetch example.org /",
                           .limits = "response=100KiB",
                           .outbound = answer},
        &s, &(struct want){"response", NULL, "larger than 100 KiB", 1});
}

/* The guest waits for an answer that does not come: its time is up all the same. It has to come to
 * the question within it, so where that takes longer it has more. */
static void test_time(void **state) {
    (void)state;
    for (uint64_t time_ms = 120;; time_ms *= 4) {
        bx_auto(bx_freep) char *limits = bx_asprintf("time=%" PRIu64 "ms", time_ms),
                               *message = bx_asprintf("%" PRIu64 " ms", time_ms);
        struct script s = {.wait_ms = 3 * time_ms};
        struct rig_call call = {
            .command = "fetch example.org /", .limits = limits, .outbound = answer, .user = &s};
        struct bx_box_result r = {0};
        struct bx_err err = {0};
        assert_int_equal(rig_run(&call, &r, &err), 0);
        assert_string_equal(r.limit, "time");
        assert_string_equal(bx_buf_z(&r.out), "");
        assert_non_null(strstr(r.message, message));
        assert_null(strstr(r.message, "by force"));
        bx_box_result_deinit(&r);
        if (s.asked == 1)
            return;
        assert_true(time_ms < 30000);
    }
}

static void test_cancel(void **state) {
    (void)state;
    struct bx_cancel *cancel = bx_cancel_new(NULL);
    struct script s = {.fire = cancel};
    run(&(struct rig_call){.command = "fetch example.org / 50",
                           .cancel = cancel,
                           .outbound = answer},
        &s, &(struct want){"cancelled", NULL, "enough", 1});
    bx_cancel_unref(cancel);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_denied),    cmocka_unit_test(test_failed),
        cmocka_unit_test(test_too_large), cmocka_unit_test(test_time),
        cmocka_unit_test(test_cancel),
    };
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
