/* Work runs off the loop, its end on the loop; a full queue says so; what is queued at the end is
 * still done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/workers.h"
#include "base/thread.h"

struct world {
    struct bx_loop *loop;
    pthread_t loop_thread;
    pthread_mutex_t gate; /* held: works wait */
    unsigned worked, done, wanted;
};

static void work(void *user) {
    struct world *w = user;
    BX_LOCKED(&w->gate);
    assert_false(pthread_equal(pthread_self(), w->loop_thread));
    w->worked++;
}

static void done(void *user) {
    struct world *w = user;
    assert_true(pthread_equal(pthread_self(), w->loop_thread));
    if (++w->done == w->wanted)
        bx_loop_stop(w->loop);
}

static void test_work_and_done(void **state) {
    (void)state;
    struct world w = {.loop_thread = pthread_self(), .wanted = 100};
    struct bx_workers *workers;
    pthread_mutex_init(&w.gate, NULL);
    assert_int_equal(bx_loop_new(&w.loop, NULL), 0);
    assert_int_equal(bx_workers_new(w.loop, "test", 3, 1000, &workers, NULL), 0);
    for (unsigned i = 0; i < w.wanted; i++)
        assert_true(bx_workers_run(workers, work, done, &w));
    bx_loop_run(w.loop);
    assert_int_equal(w.worked, 100);
    bx_workers_free(workers);
    bx_loop_free(w.loop);
    pthread_mutex_destroy(&w.gate);
}

static void test_full_and_end(void **state) {
    (void)state;
    struct world w = {.loop_thread = pthread_self()};
    struct bx_workers *workers;
    unsigned taken = 0;
    pthread_mutex_init(&w.gate, NULL);
    assert_int_equal(bx_loop_new(&w.loop, NULL), 0);
    assert_int_equal(bx_workers_new(w.loop, "test", 1, 4, &workers, NULL), 0);
    pthread_mutex_lock(&w.gate);
    while (taken < 10 && bx_workers_run(workers, work, done, &w))
        taken++;
    assert_true(taken == 4 || taken == 5); /* one may be with the worker already */
    pthread_mutex_unlock(&w.gate);
    bx_workers_free(workers);
    assert_int_equal(w.worked, taken);
    bx_loop_free(w.loop);
    assert_int_equal(w.done, taken);
    pthread_mutex_destroy(&w.gate);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_work_and_done),
                                       cmocka_unit_test(test_full_and_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
