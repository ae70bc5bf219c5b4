/* Hostile guests against every limit and against the folders. Each control is also switched off
 * (builds with BX_UNWIRE), and then the same guest must get further: a test that passes without its
 * control proves nothing. */
#include "rig.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/thread.h"

/* What a call must look like; fields that are NULL are not looked at. */
struct expectation {
    const char *limit; /* "" for none */
    int exit;          /* -1: any */
    const char *message;
};

static void check(const char *what, const struct rig_call *call, const struct expectation *want) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    int code = rig_run(call, &r, &err);
    if (code < 0) {
        fail_msg("%s: %s", what, err.msg);
    }
    const char *limit = r.limit ? r.limit : "";
    if (strcmp(limit, want->limit) != 0 || (want->exit >= 0 && want->exit != (int)r.exit) ||
        (want->message && !strstr(r.message, want->message))) {
        fail_msg("%s: limit \"%s\", exit %d, message \"%s\", output \"%.100s\", errors \"%.100s\"",
                 what, limit, (int)r.exit, r.message, bx_buf_z(&r.out), bx_buf_z(&r.err));
    }
    bx_box_result_deinit(&r);
}

static void unwire(const char *controls) {
    setenv("BX_UNWIRE", controls, 1);
    rig_open();
}

static void rewire(void) {
    unsetenv("BX_UNWIRE");
    rig_open();
}

struct attack {
    const char *control; /* what stops it */
    struct rig_call call;
    struct expectation wired, unwired;
};

static const struct attack attacks[] = {
    {"time",
     {.command = "spin", .limits = "time=150ms cpu=1s"},
     {"time", BX_BOX_TRAPPED, "time=300ms"},
     {"cpu", -1, NULL}},
    {"time",
     {.command = "wait 900", .limits = "time=150ms"},
     {"time", BX_BOX_TRAPPED, "150 ms"},
     {"", BX_BOX_OK, NULL}},
    {"cpu",
     {.command = "spin", .limits = "time=5m cpu=150ms fuel=8G"},
     {"cpu", BX_BOX_TRAPPED, "cpu_time"},
     {"fuel", -1, NULL}},
    {"fuel",
     {.command = "spin", .limits = "time=5m cpu=600ms fuel=1M"},
     {"fuel", BX_BOX_TRAPPED, "1,000,000"},
     {"cpu", -1, NULL}},
    {"memory",
     {.command = "memory 48", .limits = "memory=16MiB"},
     {"memory", BX_BOX_ERROR, "16 MiB"},
     {"", BX_BOX_OK, NULL}},
    {"stack",
     {.command = "recurse 40000", .limits = "stack=512k"},
     {"stack", BX_BOX_TRAPPED, "512 KiB"},
     {"", BX_BOX_OK, NULL}},
    {"table",
     {.command = "table 200000"},
     {"table", BX_BOX_ERROR, "100,000"},
     {"", BX_BOX_OK, NULL}},
    {"instances",
     {.command = "tables", .limits = "instances=8"},
     {"instances", BX_BOX_TRAPPED, "max_instances"},
     {"", BX_BOX_OK, NULL}},
    {"output",
     {.command = "flood 300", .limits = "output=100KiB"},
     {"output", BX_BOX_TRAPPED, "100 KiB"},
     {"", BX_BOX_OK, NULL}},
    {"written",
     {.command = "write /big 4096", .limits = "written=1MiB", .writable = true},
     {"written", BX_BOX_ERROR, "1 MiB"},
     {"", BX_BOX_OK, NULL}},
};

static void test_limits(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(attacks); i++) {
        const struct attack *a = &attacks[i];
        check(a->control, &a->call, &a->wired);
#ifdef BX_UNWIRE
        unwire(a->control);
        check(a->control, &a->call, &a->unwired);
        rewire();
#endif
    }
}

/* Just under a limit nothing is named. */
static void test_just_under(void **state) {
    (void)state;
    static const struct rig_call calls[] = {
        {.command = "wait 60", .limits = "time=20s"},
        {.command = "memory 4", .limits = "memory=16MiB"},
        {.command = "recurse 1000", .limits = "stack=512k"},
        {.command = "table 90000"},
        {.command = "tables", .limits = "instances=24"},
        {.command = "flood 100", .limits = "output=100KiB"},
        {.command = "write /big 1024", .limits = "written=1MiB", .writable = true},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(calls); i++) {
        check(calls[i].command, &calls[i], &(struct expectation){"", BX_BOX_OK, NULL});
    }
}

/* Standard error beyond 64 KiB is dropped, and neither stops nor fails the call. */
static void test_error_flood(void **state) {
    (void)state;
    struct bx_box_result r;
    struct bx_err err = {0};
    assert_int_equal(rig_run(&(struct rig_call){.command = "flood 200 2"}, &r, &err), 0);
    assert_int_equal(r.exit, BX_BOX_OK);
    assert_int_equal(r.err.size, 64 * 1024);
    assert_true(r.err_cut);
    bx_box_result_deinit(&r);
}

static void fire(void *user, int fd, struct bx_str piece) {
    (void)fd;
    (void)piece;
    bx_cancel_fire(user, "the user pressed stop");
}

static void check_cancel(const char *command, const struct expectation *want) {
    struct bx_cancel *cancel = bx_cancel_new(NULL);
    check("cancel",
          &(struct rig_call){.command = command, .cancel = cancel, .output = fire, .user = cancel},
          want);
    bx_cancel_unref(cancel);
}

static void test_cancel(void **state) {
    (void)state;
    check_cancel("wait 3600000", &(struct expectation){"cancelled", BX_BOX_TRAPPED,
                                                       "stopped: the user pressed stop"});
#ifdef BX_UNWIRE
    unwire("cancel"); /* a worker that does not listen is ended */
    check_cancel("wait 3600000", &(struct expectation){"cancelled", BX_BOX_TRAPPED, "by force"});
    unwire("cancel,kill");
    check_cancel("wait 1200", &(struct expectation){"", BX_BOX_OK, NULL});
    rewire();
#endif
}

static bool exists(const char *name) {
    bx_auto(bx_freep) char *path = bx_path_join(rig.root, name);
    struct stat st;
    return lstat(path, &st) == 0;
}

/* A folder that is mounted for reading is not changed in any way: WASI refuses, and Landlock
 * refuses without WASI. */
static void test_read_only(void **state) {
    (void)state;
    static const char *const commands[] = {"write /new 1",           "change mkdir /new",
                                           "change unlink /kept",    "change rename /kept /new",
                                           "change link /kept /new", "change symlink kept /new",
                                           "change truncate /kept"};
    static const char *const unwired[] = {"", "readonly", "landlock"};
    rig_file("root/kept", "kept");
    for (size_t u = 0; u < BX_ARRAY_LEN(unwired); u++) {
#ifndef BX_UNWIRE
        if (u > 0) {
            break;
        }
#endif
        unwire(unwired[u]);
        for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
            check(commands[i], &(struct rig_call){.command = commands[i]},
                  &(struct expectation){"", BX_BOX_ERROR, NULL});
            assert_false(exists("new"));
            bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(100);
            bx_auto(bx_freep) char *path = bx_path_join(rig.root, "kept");
            assert_int_equal(bx_file_read(path, &text, NULL), 0);
            assert_string_equal(bx_buf_z(&text), "kept");
        }
    }
#ifdef BX_UNWIRE
    unwire("readonly,landlock");
    check("write", &(struct rig_call){.command = commands[0]},
          &(struct expectation){"", BX_BOX_OK, NULL});
    assert_true(exists("new"));
#endif
    rewire();
    check("write", &(struct rig_call){.command = "write /new2 1", .writable = true},
          &(struct expectation){"", BX_BOX_OK, NULL});
    assert_true(exists("new2"));
}

/* Nothing outside the mounted folder is read: not by "..", not by links, also not when Landlock is
 * missing. The same words with the folder above mounted read the file: the guest can, it only may
 * not. */
static void test_paths(void **state) {
    (void)state;
    static const char *const paths[] = {
        "../secret",          "/../secret",         "inner/../../secret",
        "/absolute-link",     "relative-link",      "inner/up/../secret",
        "link-to-dir/secret", "/proc/self/environ", "//../secret"};
    rig_file("secret", "the secret");
    bx_auto(bx_freep) char *inner = bx_path_join(rig.root, "inner"),
                           *secret = bx_path_join(rig.dir, "secret"),
                           *absolute = bx_path_join(rig.root, "absolute-link"),
                           *relative = bx_path_join(rig.root, "relative-link"),
                           *to_dir = bx_path_join(rig.root, "link-to-dir"),
                           *up = bx_path_join(inner, "up");
    bx_dir_make(inner, 0755, NULL);
    assert_int_equal(symlink(secret, absolute), 0);
    assert_int_equal(symlink("../secret", relative), 0);
    assert_int_equal(symlink("..", to_dir), 0);
    assert_int_equal(symlink("../..", up), 0);
    for (int u = 0; u < 2; u++) {
        for (size_t i = 0; i < BX_ARRAY_LEN(paths); i++) {
            bx_auto(bx_freep) char *read = bx_asprintf("read %s", paths[i]),
                                   *write = bx_asprintf("write %s 1", paths[i]);
            check(read, &(struct rig_call){.command = read},
                  &(struct expectation){"", BX_BOX_ERROR, NULL});
            check(write, &(struct rig_call){.command = write, .writable = true},
                  &(struct expectation){"", BX_BOX_ERROR, NULL});
        }
#ifdef BX_UNWIRE
        unwire("landlock");
#endif
    }
    rewire();
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(100);
    assert_int_equal(bx_file_read(secret, &text, NULL), 0);
    assert_string_equal(bx_buf_z(&text), "the secret");
    static const char *const allowed[] = {"read root/../secret", "read root/relative-link",
                                          "read root/inner/../../secret"};
    for (size_t i = 0; i < BX_ARRAY_LEN(allowed); i++) {
        check(allowed[i], &(struct rig_call){.command = allowed[i], .mount = rig.dir},
              &(struct expectation){"", BX_BOX_OK, NULL});
    }
}

static void test_faults(void **state) {
    (void)state;
    static const char *const kinds[][2] = {
        {"fault unreachable", "unreachable"}, {"fault divide", "divide by zero"},
        {"fault overflow", "overflow"},       {"fault memory", "out of bounds memory"},
        {"fault signature", "type mismatch"}, {"fault null-call", "tool crashed"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(kinds); i++) {
        check(kinds[i][0], &(struct rig_call){.command = kinds[i][0]},
              &(struct expectation){"", BX_BOX_TRAPPED, kinds[i][1]});
    }
    check("after the faults", &(struct rig_call){.command = "inside"},
          &(struct expectation){"", BX_BOX_OK, NULL});
}

static void test_inside(void **state) {
    (void)state;
    struct bx_box_result r;
    struct bx_err err = {0};
    bx_auto(bx_buf_deinit) struct bx_buf big = BX_BUF_INIT(8 * BX_MIB);
    for (size_t i = 0; i < 300000; i++) {
        bx_buf_addz(&big, "0123456789");
    }
    setenv("BX_TEST_SECRET", "must not be seen", 1);
    assert_int_equal(
        rig_run(&(struct rig_call){.command = "inside one two", .input = bx_buf_str(&big)}, &r,
                &err),
        0);
    assert_string_equal(bx_buf_z(&r.out), "args 3 last two env 0 input 3000000\n");
    bx_box_result_deinit(&r);
}

static void test_huge_arguments(void **state) {
    (void)state;
    struct bx_box_result r;
    struct bx_err err = {0};
    bx_auto(bx_freep) char *command = bx_alloc(300001);
    memset(command, 'x', 300000);
    memcpy(command, "inside ", 7);
    assert_int_equal(rig_run(&(struct rig_call){.command = command}, &r, &err), BX_ERR_LIMIT);
    assert_non_null(strstr(err.msg, "arguments"));
    check("after it", &(struct rig_call){.command = "inside"},
          &(struct expectation){"", BX_BOX_OK, NULL});
}

/* A system call that does not come back is interrupted; where the worker does not listen, it is
 * ended. */
static void test_stuck_in_the_kernel(void **state) {
    (void)state;
    bx_auto(bx_freep) char *fifo = bx_path_join(rig.root, "fifo");
    assert_int_equal(mkfifo(fifo, 0644), 0);
    const struct rig_call opens = {.command = "read /fifo", .limits = "time=150ms"};
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    assert_int_equal(rig_run(&opens, &r, &err), 0);
    assert_string_equal(r.limit, "time");
    assert_null(strstr(r.message, "by force"));
    bx_box_result_deinit(&r);
#ifdef BX_UNWIRE
    unwire("cancel");
    check("fifo", &opens, &(struct expectation){"time", BX_BOX_TRAPPED, "by force"});
    rewire();
#endif
    check("after it", &(struct rig_call){.command = "inside"},
          &(struct expectation){"", BX_BOX_OK, NULL});
    unlink(fifo);
}

static void *many_reads(void *user) {
    for (int i = 0; i < 20; i++) {
        struct bx_box_result r = {0};
        struct bx_err err = {0};
        if (rig_run(&(struct rig_call){.command = "read /shared"}, &r, &err) < 0 ||
            r.exit != BX_BOX_OK || r.out.size != 6) {
            *(bool *)user = false;
        }
        bx_box_result_deinit(&r);
    }
    return NULL;
}

static void test_side_by_side(void **state) {
    (void)state;
    pthread_t threads[8];
    bool good[8];
    rig_file("root/shared", "shared");
    for (size_t i = 0; i < 8; i++) {
        good[i] = true;
        assert_int_equal(bx_thread_start(&threads[i], "reads", many_reads, &good[i], NULL), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_true(good[i]);
    }
}

/* A worker that died between calls is replaced, and the call does not notice. */
static void test_dead_worker(void **state) {
    (void)state;
    rig_open();
    check("before", &(struct rig_call){.command = "inside"},
          &(struct expectation){"", BX_BOX_OK, NULL});
    pid_t worker = rig_worker();
    assert_true(worker > 0);
    kill(worker, SIGKILL);
    check("after", &(struct rig_call){.command = "inside"},
          &(struct expectation){"", BX_BOX_OK, NULL});
}

static void test_missing_folder(void **state) {
    (void)state;
    struct bx_box_result r;
    struct bx_err err = {0};
    assert_int_equal(
        rig_run(&(struct rig_call){.command = "inside", .mount = "/no/such/folder"}, &r, &err),
        BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "/no/such/folder"));
}

/* Every call above left its line, and the chain holds; a changed line breaks it. */
static void test_receipts(void **state) {
    (void)state;
    size_t count = 0;
    struct bx_err err = {0};
    bx_auto(bx_freep) char *dir = bx_path_join(rig.dir, "receipts");
    assert_int_equal(bx_receipts_verify(dir, &count, &err), 0);
    assert_true(count > 160);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_just_under),
        cmocka_unit_test(test_error_flood),    cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_read_only),      cmocka_unit_test(test_paths),
        cmocka_unit_test(test_faults),         cmocka_unit_test(test_inside),
        cmocka_unit_test(test_huge_arguments), cmocka_unit_test(test_stuck_in_the_kernel),
        cmocka_unit_test(test_side_by_side),   cmocka_unit_test(test_dead_worker),
        cmocka_unit_test(test_missing_folder), cmocka_unit_test(test_receipts),
    };
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
