/* test_load [CALLS]: the box under load: hundreds of callers at once, and many calls in a row after
 * which the server and its worker hold what they held before: descriptors, threads, memory. `make
 * soak` runs 100,000; the figures are on standard error. */
#include "rig.h"

#include "base/clock.h"
#include "base/thread.h"
#include "unit/box/process_guest.h"

#define CALLERS 300
#define WARM_UP 300

static long calls = 3000;

struct holdings {
    long descriptors, threads, resident_kib;
};

static void count_one(long *n, const char *path) {
    DIR *d = opendir(path);
    *n = 0;
    for (struct dirent *e; d && (e = readdir(d));) {
        *n += e->d_name[0] != '.';
    }
    if (d) {
        closedir(d);
    }
}

static struct holdings holdings_of(pid_t pid) {
    struct holdings h = {0};
    bx_auto(bx_freep) char *fds = bx_asprintf("/proc/%d/fd", (int)pid),
                           *tasks = bx_asprintf("/proc/%d/task", (int)pid),
                           *status = bx_asprintf("/proc/%d/status", (int)pid);
    char line[200];
    FILE *f = fopen(status, "r");
    count_one(&h.descriptors, fds);
    count_one(&h.threads, tasks);
    while (f && fgets(line, sizeof line, f)) {
        sscanf(line, "VmRSS: %ld", &h.resident_kib);
    }
    if (f) {
        fclose(f);
    }
    return h;
}

static void say(const char *who, long n, const struct holdings *h) {
    fprintf(stderr, "%-7s after %6ld calls: %3ld descriptors, %2ld threads, %6ld KiB resident\n",
            who, n, h->descriptors, h->threads, h->resident_kib);
}

static struct bx_image *plain, *process;

static const struct bx_image *image_of(const char *command) {
    return strncmp(command, "read", 4) == 0 ? plain : process;
}

static int setup(void **state) {
    int r = rig_setup(state);
    if (r == 0) {
        plain = rig_image("read", false);
        process = rig_image("process", false);
        rig_file("root/file", "content");
    }
    return r;
}

static int teardown(void **state) {
    bx_image_free(plain);
    bx_image_free(process);
    return rig_teardown(state);
}

/* The kinds of call take turns: a plain one, one with stages, a failing one, one that is stopped.
 */
static void one_call(long i) {
    static const struct {
        struct rig_call call;
        int exit;
    } kinds[] = {
        {{.command = "read /file"}, BX_BOX_OK},
        {{.command = "process run emit 8 | pass | total"}, BX_BOX_OK},
        {{.command = "read /none"}, BX_BOX_ERROR},
        {{.command = "read /file"}, BX_BOX_OK},
        {{.command = "process leave yes"}, -1},
        {{.command = "process trap"}, BX_BOX_TRAPPED},
    };
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    size_t kind = (size_t)i % BX_ARRAY_LEN(kinds);
    struct rig_call call = kinds[kind].call;
    call.image = image_of(call.command);
    if (rig_run(&call, &r, &err) < 0 ||
        (kinds[kind].exit >= 0 && kinds[kind].exit != (int)r.exit)) {
        fail_msg("call %ld: %s%s", i, err.msg, r.message);
    }
    bx_box_result_deinit(&r);
}

/* Threads between two jobs are late or early, more of them on a busy machine, and so is what they
 * close; a leak would be one a call, and would not go away. */
static void check_same(const char *who, pid_t pid, const struct holdings *before) {
    struct holdings after;
    for (int patience = 1000;; patience--) {
        after = holdings_of(pid);
        if (after.descriptors <= before->descriptors && after.threads <= before->threads + 8) {
            break;
        }
        if (patience == 0) {
            say(who, calls, &after);
            fail_msg("%s holds more than before", who);
        }
        bx_cancel_sleep(NULL, 10);
    }
    say(who, calls, &after);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
    if (after.resident_kib > before->resident_kib + 4096 + calls / 50) {
        fail_msg("%s grew", who);
    }
#endif
}

static void test_in_a_row(void **state) {
    (void)state;
    for (long i = 0; i < WARM_UP; i++) {
        one_call(i);
    }
    pid_t worker = rig_worker();
    assert_true(worker > 0);
    struct holdings server = holdings_of(getpid()), box = holdings_of(worker);
    say("server", 0, &server);
    say("worker", 0, &box);
    uint64_t start = bx_mono_ms();
    for (long i = 0; i < calls; i++) {
        one_call(i);
    }
    fprintf(stderr, "%ld calls in %.1f s\n", calls, (double)(bx_mono_ms() - start) / 1e3);
    assert_int_equal(rig_worker(), worker);
    check_same("server", getpid(), &server);
    check_same("worker", worker, &box);
}

struct caller {
    pthread_t thread;
    bool good;
};

static void *call_thrice(void *user) {
    struct caller *c = user;
    static const char *const commands[] = {"read /file", "process run emit 8 | pass | total",
                                           "read /file"};
    c->good = true;
    for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
        struct bx_box_result r = {0};
        struct bx_err err = {0};
        const struct rig_call call = {
            .command = commands[i], .image = image_of(commands[i]), .limits = "time=2m"};
        if (rig_run(&call, &r, &err) < 0 || r.exit != BX_BOX_OK) {
            fprintf(stderr, "%s: %s%s\n", commands[i], err.msg, r.message);
            c->good = false;
        }
        bx_box_result_deinit(&r);
    }
    return NULL;
}

static void test_at_once(void **state) {
    (void)state;
    static struct caller callers[CALLERS];
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(
            bx_thread_start(&callers[i].thread, "caller", call_thrice, &callers[i], NULL), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        assert_true(callers[i].good);
    }
    struct holdings box = holdings_of(rig_worker());
    say("worker", CALLERS * 3, &box);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_a_row),
                                       cmocka_unit_test(test_at_once)};
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    calls = argc > 1 ? strtol(argv[1], NULL, 10) : calls;
    return cmocka_run_group_tests(tests, setup, teardown);
}
