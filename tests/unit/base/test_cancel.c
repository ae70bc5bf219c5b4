#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>

#include "base/cancel.h"
#include "base/thread.h"
#include "base/utf8.h"

static void add_one(void *user) {
    atomic_fetch_add((atomic_int *)user, 1);
}

static bool readable(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_null(void **state) {
    (void)state;
    struct bx_cancel_watch w;
    assert_false(bx_cancel_fired(NULL));
    assert_string_equal(bx_cancel_reason(NULL), "");
    assert_int_equal(bx_cancel_fd(NULL), -1);
    assert_null(bx_cancel_ref(NULL));
    bx_cancel_unref(NULL);
    bx_cancel_watch(NULL, &w, add_one, NULL);
    bx_cancel_unwatch(&w);
    assert_int_equal(bx_cancel_sleep(NULL, 1), 0);
}

static void test_once(void **state) {
    (void)state;
    atomic_int calls = 0;
    struct bx_cancel_watch early, late, gone;
    struct bx_cancel *c = bx_cancel_new(NULL);
    bx_cancel_watch(c, &early, add_one, &calls);
    bx_cancel_watch(c, &gone, add_one, &calls);
    bx_cancel_unwatch(&gone);
    bx_cancel_unwatch(&gone);
    int fd = bx_cancel_fd(c);
    assert_false(bx_cancel_fired(c));
    assert_false(readable(fd));
    assert_string_equal(bx_cancel_reason(c), "");
    bx_cancel_fire(c, "first");
    bx_cancel_fire(c, "second");
    assert_true(bx_cancel_fired(c));
    assert_string_equal(bx_cancel_reason(c), "first");
    assert_true(readable(fd));
    assert_int_equal(calls, 1);
    bx_cancel_watch(c, &late, add_one, &calls);
    assert_int_equal(calls, 2);
    assert_int_equal(bx_cancel_sleep(c, UINT64_MAX), BX_ERR_CANCELLED);
    bx_cancel_unwatch(&late);
    bx_cancel_unref(c);
    bx_cancel_unwatch(&early); /* it kept the token */
}

static void test_late_fd_and_reason(void **state) {
    (void)state;
    struct bx_cancel *c = bx_cancel_new(NULL);
    char text[200];
    memset(text, 'a', sizeof text);
    memcpy(text + 119, "\xe2\x82\xac", 4);
    bx_cancel_fire(c, text);
    assert_true(readable(bx_cancel_fd(c)));
    assert_int_equal(strlen(bx_cancel_reason(c)), 119);
    assert_true(bx_utf8_valid(bx_str(bx_cancel_reason(c))));
    bx_cancel_unref(c);
}

static void test_tree(void **state) {
    (void)state;
    atomic_int calls = 0;
    struct bx_cancel_watch w;
    struct bx_cancel *root = bx_cancel_new(NULL);
    struct bx_cancel *a = bx_cancel_new(root), *b = bx_cancel_new(root), *aa = bx_cancel_new(a);
    bx_cancel_watch(aa, &w, add_one, &calls);
    bx_cancel_unref(bx_cancel_new(a));
    bx_cancel_unref(a); /* aa keeps it */
    bx_cancel_fire(b, "only b");
    assert_false(bx_cancel_fired(root) || bx_cancel_fired(aa));
    bx_cancel_fire(root, "all");
    assert_true(bx_cancel_fired(aa));
    assert_string_equal(bx_cancel_reason(aa), "all");
    assert_string_equal(bx_cancel_reason(b), "only b");
    assert_int_equal(calls, 1);
    struct bx_cancel *born_late = bx_cancel_new(aa);
    assert_true(bx_cancel_fired(born_late));
    assert_string_equal(bx_cancel_reason(born_late), "all");
    bx_cancel_unwatch(&w);
    bx_cancel_unref(root);
    bx_cancel_unref(born_late);
    bx_cancel_unref(aa);
    bx_cancel_unref(b);
}

/* A callback may use the tree, also the token that it is called for. */
static void use_tree(void *user) {
    struct bx_cancel *c = user;
    struct bx_cancel *child = bx_cancel_new(c);
    assert_true(bx_cancel_fired(child));
    bx_cancel_fire(c, "again");
    bx_cancel_fd(c);
    bx_cancel_unref(child);
    bx_cancel_unref(c);
}

static void test_callback_uses_tree(void **state) {
    (void)state;
    struct bx_cancel *root = bx_cancel_new(NULL), *c = bx_cancel_new(root);
    struct bx_cancel_watch w;
    bx_cancel_watch(c, &w, use_tree, bx_cancel_ref(c));
    bx_cancel_unref(c);
    bx_cancel_fire(root, "x");
    bx_cancel_unwatch(&w);
    bx_cancel_unref(root);
}

/* unwatch on another thread than the one that cancels: it returns only after the callback. */
struct slow {
    struct bx_cancel *token;
    pthread_barrier_t running;
    atomic_bool returned, waiting;
};

static void be_slow(void *user) {
    struct slow *s = user;
    pthread_barrier_wait(&s->running);
    while (!atomic_load(&s->waiting)) {
        sched_yield();
    }
    for (int i = 0; i < 1000;
         i++) { /* gives an unwatch that does not wait every chance to return */
        sched_yield();
    }
    atomic_store(&s->returned, true);
}

static void *fire_it(void *user) {
    struct slow *s = user;
    bx_cancel_fire(s->token, "x");
    return NULL;
}

static void *watch_late(void *user) {
    struct slow *s = user;
    static struct bx_cancel_watch w;
    bx_cancel_watch(s->token, &w, be_slow, s);
    bx_cancel_unwatch(&w);
    return NULL;
}

static void test_unwatch_waits(void **state) {
    (void)state;
    struct slow s = {.token = bx_cancel_new(NULL)};
    struct bx_cancel_watch w;
    pthread_t thread;
    pthread_barrier_init(&s.running, NULL, 2);
    bx_cancel_watch(s.token, &w, be_slow, &s);
    assert_int_equal(bx_thread_start(&thread, "fire", fire_it, &s, NULL), 0);
    pthread_barrier_wait(&s.running);
    atomic_store(&s.waiting, true);
    bx_cancel_unwatch(&w);
    assert_true(atomic_load(&s.returned));
    memset(&w, 0xff, sizeof w); /* nobody looks at it any more */
    pthread_join(thread, NULL);

    assert_int_equal(bx_thread_start(&thread, "late", watch_late, &s, NULL),
                     0); /* called at once */
    pthread_barrier_wait(&s.running);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&s.running);
    bx_cancel_unref(s.token);
}

/* All operations at once on one tree, for the sanitizers; every watch is called or taken off, never
 * both or neither. */
static atomic_int called;

static void *churn(void *user) {
    struct bx_cancel *root = user;
    for (int i = 0; i < 300; i++) {
        struct bx_cancel *a = bx_cancel_new(root), *b = bx_cancel_new(a);
        struct bx_cancel_watch w;
        atomic_int mine = 0;
        bx_cancel_watch(b, &w, add_one, &mine);
        if (i % 3 == 0) {
            bx_cancel_fire(a, "mine");
            int mine_now = atomic_load(&mine);
            if (!bx_cancel_fired(root)) /* else the main thread may be about to call it */
                assert_int_equal(mine_now, 1);
        }
        (void)bx_cancel_sleep(b, 0);
        bx_cancel_unref(a);
        bx_cancel_unwatch(&w);
        int n = atomic_load(&mine);
        assert_true(n == 0 || n == 1);
        atomic_fetch_add(&called, n);
        bx_cancel_unref(b);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    for (int round = 0; round < 10; round++) {
        struct bx_cancel *root = bx_cancel_new(NULL);
        pthread_t threads[4];
        for (int i = 0; i < 4; i++) {
            assert_int_equal(bx_thread_start(&threads[i], "churn", churn, root, NULL), 0);
        }
        if (round % 2) {
            bx_cancel_fire(root, "all");
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
        }
        bx_cancel_unref(root);
    }
    assert_true(called >= 10 * 4 * 100 / 2);
}

static void *sleep_long(void *user) {
    return (void *)(intptr_t)bx_cancel_sleep(user, UINT64_MAX);
}

static void test_sleep(void **state) {
    (void)state;
    struct bx_cancel *root = bx_cancel_new(NULL), *c = bx_cancel_new(root);
    assert_int_equal(bx_cancel_sleep(c, 1), 0);
    pthread_t thread;
    void *result;
    assert_int_equal(bx_thread_start(&thread, "sleep", sleep_long, c, NULL), 0);
    bx_cancel_fire(root, "wake up");
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, BX_ERR_CANCELLED);
    bx_cancel_unref(c);
    bx_cancel_unref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_once),
        cmocka_unit_test(test_late_fd_and_reason),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_callback_uses_tree),
        cmocka_unit_test(test_unwatch_waits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
