/* Calls whose guest starts others: pipelines, their ends in every way, and every limit over all of
 * them together, also switched off. The guest is tests/attack/guests/process.c, the root as well as
 * all that it starts. */
#include "rig.h"

#include <signal.h>
#include <sys/stat.h>

#include "base/thread.h"
#include "unit/box/process_guest.h"

/* What a call must look like; fields that are NULL are not looked at. */
struct expectation {
    const char *output;  /* is in it */
    const char *limit;   /* "" for none */
    int exit;            /* -1: any */
    const char *message; /* is in it */
    const char *errors;  /* is in it */
};

static void check_result(const char *what, const struct bx_box_result *r,
                         const struct expectation *want) {
    const char *limit = r->limit ? r->limit : "";
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(r->out.max + 1),
                                         err = BX_BUF_INIT(r->err.max + 1);
    bx_buf_adds(&out, bx_buf_str(&r->out));
    bx_buf_adds(&err, bx_buf_str(&r->err));
    if ((want->limit && strcmp(limit, want->limit) != 0) ||
        (want->exit >= 0 && want->exit != (int)r->exit) ||
        (want->message && !strstr(r->message, want->message)) ||
        (want->output && !strstr(bx_buf_z(&out), want->output)) ||
        (want->errors && !strstr(bx_buf_z(&err), want->errors)) || strstr(r->message, "by force")) {
        fail_msg("%s: limit \"%s\", exit %d (%d), message \"%s\", output \"%.300s\", errors "
                 "\"%.300s\"",
                 what, limit, (int)r->exit, r->exit_status, r->message, bx_buf_z(&out),
                 bx_buf_z(&err));
    }
}

static struct bx_box_result call(const struct rig_call *c) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    if (rig_run(c, &r, &err) < 0) {
        fail_msg("%s: %s", c->command, err.msg);
    }
    return r;
}

static void check(const struct rig_call *c, const struct expectation *want) {
    struct bx_box_result r = call(c);
    check_result(c->command, &r, want);
    bx_box_result_deinit(&r);
}

__attribute__((unused)) static void unwire(const char *controls) {
    setenv("BX_UNWIRE", controls, 1);
    rig_open();
}

__attribute__((unused)) static void rewire(void) {
    unsetenv("BX_UNWIRE");
    rig_open();
}

static const struct {
    const char *command;
    struct expectation want;
} ends[] = {
    {"process run exit 7", {"status 7\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run exit 255 | exit 0 | exit 3", {"status 255 0 3\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run yes | head 2", {"y\ny\nstatus 141 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run yes | pass | pass | head 1", {"y\nstatus 141 141 141 0\n", "", 0, NULL, NULL}},
    {"process run head 1 | pass", {"status 0 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run env one", {"env blue \nstatus 0", NULL, -1, NULL, NULL}},
    {"process run trap | total",
     {"0 bytes, sum 0\nstatus 134 0\n", "", BX_BOX_OK, NULL, "trap: crashed: wasm"}},
    {"process run exit 0 | trap", {"status 0 134\n", "", BX_BOX_OK, NULL, "trap: crashed"}},
    {"process run deep 40000", {"status 134\n", "stack", BX_BOX_OK, "512 KiB", "deep: crashed"}},
    {"process limit 50 143 sleep 60000", {"status 143\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 60000 9 exit 4", {"status 4\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 50 137 spin 100000", {"status 137\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 50 137 process run sleep 60000 | pass", {"status 137\n", "", 0, NULL, NULL}},
    {"process limit 50 137 process hold-pipe read", {"status 137\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 50 137 process hold-pipe write", {"status 137\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 50 137 process hold-pipe wait", {"status 137\n", "", BX_BOX_OK, NULL, NULL}},
    {"process limit 50 137 open /fifo", {"status 137\n", "", BX_BOX_OK, NULL, NULL}},
    {"process leave process hold-pipe read", {NULL, "", BX_BOX_OK, NULL, NULL}},
    {"process leave open /fifo", {NULL, "", BX_BOX_OK, NULL, NULL}},
    {"process capture emit 300", {"got 307200 bytes, status 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run nobody", {"status -44\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run none", {"status -45\n", "", BX_BOX_OK, NULL, NULL}},
    {"process strangers", {"-12 -12 -12 -28 -73 0 9 -12 0 -8 -64 -8 0 -8\n", "", 0, NULL, NULL}},
    {"process others", {"0 143\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run process others",
     {"-12 -73\n", "", BX_BOX_OK, NULL, NULL}}, /* it is not its place */
    {"process wrong", {"-44 -28 -8 -8 -8 -8 -8 -1\n", "", BX_BOX_OK, NULL, NULL}},
    {"process exit 9", {NULL, "", BX_BOX_ERROR, "", NULL}},
    {"process trap", {NULL, "", BX_BOX_TRAPPED, "the tool crashed: wasm trap", NULL}},
};

static void test_ends(void **state) {
    (void)state;
    bx_auto(bx_freep) char *fifo = bx_path_join(rig.root, "fifo");
    assert_int_equal(mkfifo(fifo, 0644), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(ends); i++) {
        check(&(struct rig_call){.command = ends[i].command}, &ends[i].want);
    }
    unlink(fifo);
}

static void test_left(void **state) {
    (void)state;
    static const struct {
        const char *command;
        unsigned left;
    } rows[] = {{"process leave sleep 60000", 1},
                {"process others", 2},
                {"process run sleep 0", 0},
                {"process limit 50 143 sleep 60000", 0}};
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_box_result r = call(&(struct rig_call){.command = rows[i].command});
        check_result(rows[i].command, &r, &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
        assert_int_equal(r.left, rows[i].left);
        bx_box_result_deinit(&r);
    }
}

static void test_status_of_the_root(void **state) {
    (void)state;
    static const struct {
        const char *command;
        int status;
    } cases[] = {{"process exit 0", 0}, {"process exit 9", 9}, {"process exit 255", 255},
                 {"process trap", 134}, {"inside", 0},         {"memory 2000", 1}};
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_box_result r = call(&(struct rig_call){.command = cases[i].command});
        assert_int_equal(r.exit_status, cases[i].status);
        bx_box_result_deinit(&r);
    }
}

/* Much goes through; little is in memory at a time. */
static void test_long_pipeline(void **state) {
    (void)state;
    struct bx_box_result r = call(&(struct rig_call){
        .command = "process run emit 102400 | pass | total", .limits = "time=5m"});
    check_result("100 MB", &r,
                 &(struct expectation){"104857600 bytes, sum ", "", BX_BOX_OK, NULL, NULL});
    assert_non_null(strstr(bx_buf_z(&r.out), "status 0 0 0"));
    assert_true(r.memory_peak_bytes < 16 * BX_MIB);
    bx_box_result_deinit(&r);
}

static void test_shared_input(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf big = BX_BUF_INIT(8 * BX_MIB);
    for (size_t i = 0; i < 300000; i++) {
        bx_buf_addz(&big, "0123456789");
    }
    check(&(struct rig_call){.command = "process run pass | total", .input = bx_buf_str(&big)},
          &(struct expectation){"3000000 bytes", "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = "process each 2 total", .input = bx_buf_str(&big)},
          &(struct expectation){"0 bytes", "", BX_BOX_OK, NULL, NULL});
}

/* Whatever somebody waits for, the end of the time ends it, and so does the user. */
static const char *const waits[] = {"process hold-pipe read",
                                    "process hold-pipe write",
                                    "process hold-pipe wait",
                                    "process run sleep 60000 | pass",
                                    "process run spin 100000",
                                    "process together 3 sleep 60000",
                                    "process run process hold-pipe wait"};

static void test_time(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(waits); i++) {
        check(&(struct rig_call){.command = waits[i], .limits = "time=200ms"},
              &(struct expectation){NULL, "time", BX_BOX_TRAPPED, "200 ms", NULL});
    }
#ifdef BX_UNWIRE
    unwire("time");
    check(&(struct rig_call){.command = "process run sleep 700 | pass", .limits = "time=200ms"},
          &(struct expectation){"status 0 0", "", BX_BOX_OK, NULL, NULL});
    rewire();
#endif
}

static void fire(void *user, int fd, struct bx_str piece) {
    (void)fd;
    (void)piece;
    bx_cancel_fire(user, "the user pressed stop");
}

static void test_cancel(void **state) {
    (void)state;
    static const char *const commands[] = {"process hold-pipe read", "process hold-pipe wait",
                                           "process run process hold-pipe write | pass",
                                           "process run process hold-pipe read | yes"};
    for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
        struct bx_cancel *cancel = bx_cancel_new(NULL);
        check(
            &(struct rig_call){
                .command = commands[i], .cancel = cancel, .output = fire, .user = cancel},
            &(struct expectation){NULL, "cancelled", BX_BOX_TRAPPED, "pressed stop", NULL});
        bx_cancel_unref(cancel);
    }
}

/* One may have so much, ten together may not have three times as much. How much a machine takes for
 * the same work varies with what else it does, also what it counts of it. */
static void check_shared(const char *one, const char *ten, const char *limit, const char *unit,
                         uint64_t (*used)(const struct bx_box_result *r)) {
    bx_auto(bx_freep) char *enough = bx_asprintf("time=5m %s=2000000%s", limit, unit);
    struct bx_box_result r = call(&(struct rig_call){.command = one, .limits = enough});
    check_result(one, &r, &(struct expectation){"status 0", "", BX_BOX_OK, NULL, NULL});
    uint64_t max = used(&r) * 3;
    bx_box_result_deinit(&r);
    bx_auto(bx_freep) char *limits =
        bx_asprintf("time=5m %s=%llu%s", limit, (unsigned long long)max, unit);
    check(&(struct rig_call){.command = one, .limits = limits},
          &(struct expectation){"status 0", "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = ten, .limits = limits},
          &(struct expectation){NULL, limit, BX_BOX_TRAPPED, NULL, NULL});
#ifdef BX_UNWIRE
    unwire(limit);
    check(&(struct rig_call){.command = ten, .limits = limits},
          &(struct expectation){"status 0 0 0 0 0 0 0 0 0 0", "", BX_BOX_OK, NULL, NULL});
    rewire();
#endif
}

#define FIVE(c) c " | " c " | " c " | " c " | " c
#define TEN(c)  "process run " FIVE(c) " | " FIVE(c)

static uint64_t cpu_ms(const struct bx_box_result *r) {
    return r->cpu_us / 1000;
}

static uint64_t fuel_k(const struct bx_box_result *r) {
    return r->fuel_used / 1000;
}

static void test_shared_cpu(void **state) {
    (void)state;
    check_shared("process run spin 50", TEN("spin 50"), "cpu", "ms", cpu_ms);
}

static void test_shared_fuel(void **state) {
    (void)state;
    check_shared("process run spin 50", TEN("spin 50"), "fuel", "k", fuel_k);
    /* also one after the other, each too short for a tick */
    check(&(struct rig_call){.command = "process each 2 exit 0", .limits = "fuel=1M"},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = "process each 2000 exit 0", .limits = "fuel=1M"},
          &(struct expectation){NULL, "fuel", BX_BOX_TRAPPED, NULL, NULL});
}

static void test_shared_memory(void **state) {
    (void)state;
    check(&(struct rig_call){.command = "process together 1 grow 4", .limits = "memory=32MiB"},
          &(struct expectation){"1 grown, 0 not", "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = "process together 4 grow 4", .limits = "memory=32MiB"},
          &(struct expectation){"grown, ", "memory", BX_BOX_OK, "32 MiB", NULL});
    /* what one gave back the next may have */
    check(&(struct rig_call){.command = "process each 6 grow 4", .limits = "memory=32MiB"},
          &(struct expectation){"gggggg", "", BX_BOX_OK, NULL, NULL});
#ifdef BX_UNWIRE
    unwire("memory");
    check(&(struct rig_call){.command = "process together 4 grow 4", .limits = "memory=32MiB"},
          &(struct expectation){"4 grown, 0 not", "", BX_BOX_OK, NULL, NULL});
    rewire();
#endif
}

static void test_shared_output(void **state) {
    (void)state;
    check(&(struct rig_call){.command = "process each 1 emit 60", .limits = "output=100KiB"},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = "process each 2 emit 60", .limits = "output=100KiB"},
          &(struct expectation){NULL, "output", BX_BOX_TRAPPED, "100 KiB", NULL});
#ifdef BX_UNWIRE
    unwire("output");
    check(&(struct rig_call){.command = "process each 2 emit 60", .limits = "output=100KiB"},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
    rewire();
#endif
}

/* Processes that start processes: one in the other, side by side, and both. */
static const struct {
    const char *command;
    int exit; /* without the limit: ended by the time, or by the box's room, however long that takes
               */
    const char *unwired, *unwired_limits;
} bombs[] = {
    {"process bomb deep", BX_BOX_OK, "room", "time=5m memory=1GiB"},
    {"process bomb wide", BX_BOX_TRAPPED, "time", "time=4s memory=1GiB"},
    {"process bomb both", BX_BOX_TRAPPED, "time", "time=4s memory=1GiB"},
};

static void test_bombs(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(bombs); i++) {
        check(&(struct rig_call){.command = bombs[i].command, .limits = "time=5m memory=1GiB"},
              &(struct expectation){NULL, "processes", bombs[i].exit, "max_processes", NULL});
#ifdef BX_UNWIRE
        unwire("processes");
        check(&(struct rig_call){.command = bombs[i].command, .limits = bombs[i].unwired_limits},
              &(struct expectation){NULL, bombs[i].unwired, -1, NULL, NULL});
        rewire();
#endif
    }
    check(&(struct rig_call){.command = "process together 7 grow 0", .limits = "processes=8"},
          &(struct expectation){"7 grown, 0 not", "", BX_BOX_OK, NULL, NULL});
    check(&(struct rig_call){.command = "process together 8 grow 0", .limits = "processes=8"},
          &(struct expectation){"7 grown, 1 not", "processes", BX_BOX_OK, "max_processes", NULL});
    check(&(struct rig_call){.command = "process each 300 exit 0", .limits = "processes=2"},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
}

static void *many_pipelines(void *user) {
    for (int i = 0; i < 8; i++) {
        struct bx_box_result r = {0};
        struct bx_err err = {0};
        const struct rig_call c = {.command = "process run emit 64 | pass | total",
                                   .limits = "time=2m"};
        if (rig_run(&c, &r, &err) < 0 || r.exit != BX_BOX_OK ||
            !strstr(bx_buf_z(&r.out), "65536 bytes") || !strstr(bx_buf_z(&r.out), "0 0 0")) {
            *(bool *)user = false;
        }
        bx_box_result_deinit(&r);
    }
    return NULL;
}

static void test_side_by_side(void **state) {
    (void)state;
    pthread_t threads[24];
    bool good[24];
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++) {
        good[i] = true;
        assert_int_equal(bx_thread_start(&threads[i], "pipelines", many_pipelines, &good[i], NULL),
                         0);
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_true(good[i]);
    }
}

/* ---- bars: starts that are stopped, by a guest that asks by itself ---- */

static const struct bx_bar bars[] = {{"total *", "the rule t denies it", "t"},
                                     {"sleep *", "the rule s denies `sleep *`", "s"},
                                     {"emit 9*", "the rule e denies much", NULL}};
static const struct {
    const char *command, *command_said; /* the latter NULL: nothing is stopped */
    uint32_t bar, times;
    struct expectation want, unwired;
} barred[] = {
    {"process run sleep 0",
     "sleep 0",
     1,
     1,
     {"status 126\n", "command", BX_BOX_OK, "`sleep 0` was not started: the rule s denies",
      "sleep: not started: the rule s denies `sleep *`\n"},
     {"status 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run emit 1 | total x | pass",
     "total x",
     0,
     1,
     {"126 0\n", "command", BX_BOX_OK, NULL, "total: not started: the rule t denies it"},
     {"status 0 0 0\n", "", BX_BOX_OK, NULL, NULL}},
    /* by what was started, and by what that started */
    {"process run process run process run sleep 0",
     "sleep 0",
     1,
     1,
     {"status 126\nstatus 0\nstatus 0\n", "command", BX_BOX_OK, NULL, NULL},
     {"status 0\nstatus 0\nstatus 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process capture emit 90",
     "emit 90",
     2,
     1,
     {"got 0 bytes, status 126\n", "command", BX_BOX_OK, NULL, "emit: not started"},
     {"got 92160 bytes, status 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process each 5 sleep 0",
     "sleep 0",
     1,
     5,
     {NULL, "command", BX_BOX_OK, "(5 starts in all)", NULL},
     {NULL, "", BX_BOX_OK, NULL, NULL}},
    {"process limit 60000 9 sleep 0",
     "sleep 0",
     1,
     1,
     {"status 126\n", "command", BX_BOX_OK, NULL, NULL},
     {"status 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run emit 1 | total",
     NULL,
     0,
     0,
     {"status 0 0\n", "", BX_BOX_OK, NULL, NULL},
     {"status 0 0\n", "", BX_BOX_OK, NULL, NULL}},
    {"process run nobody 1",
     NULL,
     0,
     0,
     {"status -44\n", "", BX_BOX_OK, NULL, NULL},
     {"status -44\n", "", BX_BOX_OK, NULL, NULL}},
};

static void test_bars(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(barred); i++) {
        struct bx_box_result r = call(&(struct rig_call){
            .command = barred[i].command, .bars = bars, .bar_count = BX_ARRAY_LEN(bars)});
        check_result(barred[i].command, &r, &barred[i].want);
        assert_int_equal(r.barred_count, barred[i].command_said != NULL);
        if (barred[i].command_said) {
            assert_string_equal(r.barred[0].command, barred[i].command_said);
            assert_int_equal(r.barred[0].bar, barred[i].bar);
            assert_int_equal(r.barred[0].times, barred[i].times);
        }
        bx_box_result_deinit(&r);
    }
#ifdef BX_UNWIRE
    unwire("command_deny");
    for (size_t i = 0; i < BX_ARRAY_LEN(barred); i++) {
        check(&(struct rig_call){.command = barred[i].command,
                                 .bars = bars,
                                 .bar_count = BX_ARRAY_LEN(bars)},
              &barred[i].unwired);
    }
    rewire();
#endif
}

/* More than fits into a message to the worker, and more than is taken at all. */
static void test_many_bars(void **state) {
    (void)state;
    enum { MANY = 4000 };
    struct bx_bar *many = bx_alloc(MANY * sizeof *many);
    for (size_t i = 0; i < MANY; i++) {
        many[i] = (struct bx_bar){bx_asprintf("sleep %zu", i), "there are many", NULL};
    }
    bx_auto(bx_freep) char *last = bx_asprintf("process run sleep %d", MANY - 1);
    struct rig_call c = {.command = last, .bars = many, .bar_count = MANY};
    bx_auto(bx_buf_deinit) struct bx_buf input = BX_BUF_INIT(BX_MIB);
    while (input.size < 200000) {
        bx_buf_addc(&input, 'x');
    }
    check(&c, &(struct expectation){"status 126\n", "command", 0, NULL, "there are many"});
    c.command = "process run total"; /* the input comes behind them */
    c.input = bx_buf_str(&input);
    check(&c, &(struct expectation){"200000 bytes", "", BX_BOX_OK, NULL, NULL});
    bx_auto(bx_freep) char *longer = bx_alloc(BX_BARS_BYTES_MAX);
    memset(longer, 'x', BX_BARS_BYTES_MAX - 1);
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    const struct bx_bar one = {longer, "it is long", NULL};
    assert_int_equal(
        rig_run(&(struct rig_call){.command = "process exit 0", .bars = &one, .bar_count = 1}, &r,
                &err),
        BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "1 MiB"));
    for (size_t i = 0; i < MANY; i++) {
        bx_free((char *)(uintptr_t)many[i].pattern);
    }
    bx_free(many);
}

/* Who does not take no for an answer is only slow. */
static void test_bars_and_limits(void **state) {
    (void)state;
    check(&(struct rig_call){.command = "process bomb wide",
                             .limits = "time=2s",
                             .bars = bars,
                             .bar_count = BX_ARRAY_LEN(bars)},
          &(struct expectation){NULL, NULL, BX_BOX_TRAPPED, NULL, "sleep: not started"});
}

static void kill_worker(void *user, int fd, struct bx_str piece) {
    (void)fd;
    (void)piece;
    kill(*(pid_t *)user, SIGKILL);
}

/* The worker dies under a call: the caller is told to try again, and a call on another worker goes
 * on as if nothing had been. */
static void *other_call(void *user) {
    bx_auto(bx_freep) char *other = bx_path_join(rig.dir, "other");
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    const struct rig_call c = {.command = "process run sleep 1000 | pass", .mount = other};
    *(bool *)user =
        rig_run(&c, &r, &err) == 0 && r.exit == BX_BOX_OK && strstr(bx_buf_z(&r.out), "status 0 0");
    bx_box_result_deinit(&r);
    return NULL;
}

static void test_killed_worker(void **state) {
    (void)state;
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    pthread_t thread;
    bool good = false;
    bx_auto(bx_freep) char *other = bx_path_join(rig.dir, "other");
    bx_dir_make(other, 0755, NULL);
    rig_open();
    check(&(struct rig_call){.command = "process exit 0", .writable = true},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
    pid_t worker = rig_worker();
    assert_true(worker > 0);
    assert_int_equal(bx_thread_start(&thread, "other", other_call, &good, NULL), 0);
    const struct rig_call c = {.command = "process hold-pipe read",
                               .writable = true, /* so it is not tried once more */
                               .output = kill_worker,
                               .user = &worker};
    assert_int_equal(rig_run(&c, &r, &err), BX_ERR_RETRY);
    assert_non_null(strstr(err.msg, "the box worker died"));
    assert_non_null(strstr(err.msg, "try again"));
    pthread_join(thread, NULL);
    assert_true(good);
    check(&(struct rig_call){.command = "process exit 0", .writable = true},
          &(struct expectation){NULL, "", BX_BOX_OK, NULL, NULL});
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_left),
        cmocka_unit_test(test_status_of_the_root),
        cmocka_unit_test(test_long_pipeline),
        cmocka_unit_test(test_shared_input),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_shared_cpu),
        cmocka_unit_test(test_shared_fuel),
        cmocka_unit_test(test_shared_memory),
        cmocka_unit_test(test_shared_output),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_many_bars),
        cmocka_unit_test(test_bars_and_limits),
        cmocka_unit_test(test_killed_worker),
    };
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
