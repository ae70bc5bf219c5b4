#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "loop/loop.h"

static struct bx_loop *loop;

static int set_up(void **state) {
    (void)state;
    return bx_loop_new(&loop, NULL);
}

static int tear_down(void **state) {
    (void)state;
    bx_loop_free(loop);
    loop = NULL;
    return 0;
}

static void stop(void *user) {
    (void)user;
    bx_loop_stop(loop);
}

#define POSTERS 4
#define POSTS   2000

struct item {
    int from, number;
};
static int next_of[POSTERS], got;
static pthread_t loop_thread;

static void take(void *user) {
    struct item *item = user;
    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(item->number, next_of[item->from]++);
    bx_free(item);
    if (++got == POSTERS * POSTS) {
        bx_loop_stop(loop);
    }
}

static void *post_many(void *user) {
    for (int i = 0; i < POSTS; i++) {
        struct item *item = bx_new(struct item);
        *item = (struct item){(int)(intptr_t)user, i};
        bx_loop_post(loop, take, item);
    }
    return NULL;
}

/* Every post of every thread, in its order, on the loop's thread. */
static void test_posts(void **state) {
    (void)state;
    pthread_t threads[POSTERS];
    loop_thread = pthread_self();
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(bx_thread_start(&threads[i], "post", post_many, (void *)(intptr_t)i, NULL),
                         0);
    }
    bx_loop_run(loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(got, POSTERS * POSTS);
}

static void count(void *user) {
    ++*(int *)user;
}

static void stop_then_post(void *user) {
    bx_loop_stop(loop);
    bx_loop_post(loop, count, user);
}

/* What is posted when the loop already stops, or after it, still runs. */
static void test_posts_at_the_end(void **state) {
    (void)state;
    int n = 0;
    bx_loop_post(loop, stop_then_post, &n);
    bx_loop_run(loop);
    assert_int_equal(n, 1);
    bx_loop_post(loop, count, &n);
    bx_loop_free(loop);
    loop = NULL;
    assert_int_equal(n, 2);
}

static bool timer_fired;

static void note_and_stop(void *user) {
    (void)user;
    timer_fired = true;
    bx_loop_stop(loop);
}

static void post_again(void *user) {
    struct bx_timer **timer = user;
    if (!*timer) {
        *timer = bx_timer_start(loop, 0, 0, note_and_stop, NULL);
    }
    if (!timer_fired) {
        bx_loop_post(loop, post_again, user);
    }
}

/* A post that posts itself does not keep timers and sockets from their turn. */
static void test_post_that_posts(void **state) {
    (void)state;
    struct bx_timer *t = NULL;
    bx_loop_post(loop, post_again, &t);
    bx_loop_run(loop);
    assert_true(timer_fired);
    bx_timer_stop(t);
}

static struct bx_timer *repeating, *never;
static int ticks;

static void tick(void *user) {
    (void)user;
    if (++ticks == 3) {
        bx_timer_stop(repeating); /* while it fires */
        bx_timer_stop(never);
        bx_timer_start(loop, 1, 0, stop, NULL); /* not stopped: freed with the loop */
    }
}

static void must_not(void *user) {
    (void)user;
    fail_msg("a stopped timer fired");
}

static void test_timers(void **state) {
    (void)state;
    bx_timer_stop(NULL);
    struct bx_timer *stopped = bx_timer_start(loop, 0, 1, must_not, NULL);
    never = bx_timer_start(loop, 3600000, 0, must_not, NULL);
    repeating = bx_timer_start(loop, 0, 1, tick, NULL);
    bx_timer_stop(stopped);
    bx_loop_run(loop);
    assert_int_equal(ticks, 3);
}

static int signal_seen;

static void on_signal(void *user, int signum) {
    assert_ptr_equal(user, &signal_seen);
    signal_seen = signum;
    bx_loop_stop(loop);
}

static void *send_signal(void *user) {
    (void)user;
    kill(getpid(), SIGUSR1);
    return NULL;
}

static void test_signal(void **state) {
    (void)state;
    pthread_t thread;
    struct bx_err err;
    assert_true(bx_loop_on_signal(loop, SIGKILL, on_signal, NULL, &err) < 0);
    assert_int_equal(bx_loop_on_signal(loop, SIGUSR1, on_signal, &signal_seen, &err), 0);
    assert_int_equal(bx_thread_start(&thread, "signal", send_signal, NULL, NULL), 0);
    bx_loop_run(loop);
    pthread_join(thread, NULL);
    assert_int_equal(signal_seen, SIGUSR1);
}

static void *stop_from_thread(void *user) {
    stop(user);
    return NULL;
}

static void test_stop_from_thread(void **state) {
    (void)state;
    pthread_t thread;
    assert_int_equal(bx_thread_start(&thread, "stop", stop_from_thread, NULL, NULL), 0);
    bx_loop_run(loop);
    pthread_join(thread, NULL);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_posts),  LOOP_TEST(test_posts_at_the_end), LOOP_TEST(test_post_that_posts),
        LOOP_TEST(test_timers), LOOP_TEST(test_signal),           LOOP_TEST(test_stop_from_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
