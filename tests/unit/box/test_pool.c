/* Who waits for a lane gets one in turn. */
#include "rig.h"

#include <sched.h>
#include <signal.h>

#include "base/thread.h"
#include "box/pool.h"

#define WAITERS 6

static struct bx_pool *pool;
static struct bx_mount mount;
static struct bx_grant grant;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int order[WAITERS], served;

static void *wait_in_turn(void *user) {
    struct bx_lane *lane;
    if (bx_pool_acquire(pool, &grant, NULL, &lane, NULL) == 0) {
        {
            BX_LOCKED(&mutex);
            order[served++] = (int)(intptr_t)user;
        }
        bx_pool_release(pool, lane);
    }
    return NULL;
}

static void wait_until(size_t waiting) {
    while (bx_pool_waiting(pool) != waiting) {
        sched_yield();
    }
}

static void test_in_turn(void **state) {
    (void)state;
    struct bx_err err = {0};
    struct bx_lane *lane;
    pthread_t threads[WAITERS];
    struct bx_box_config config = {.max_calls = 1};
    mount = (struct bx_mount){rig.root, "/", false};
    bx_grant_init(&grant);
    grant.mounts = &mount;
    grant.mount_count = 1;
    assert_int_equal(bx_pool_new(&config, &pool, &err), 0);
    assert_int_equal(bx_pool_acquire(pool, &grant, NULL, &lane, &err), 0);
    for (size_t i = 0; i < WAITERS; i++) {
        assert_int_equal(
            bx_thread_start(&threads[i], "waiter", wait_in_turn, (void *)(intptr_t)i, NULL), 0);
        wait_until(i + 1);
    }
    bx_pool_release(pool, lane);
    for (size_t i = 0; i < WAITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(served, WAITERS);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(order[i], i);
    }
    bx_pool_free(pool);
}

/* The process that ran for this worker name, 0 when it is not there any more. */
static pid_t process_of(const char *worker) {
    struct bx_lane *lane;
    grant.worker = worker;
    assert_int_equal(bx_pool_acquire(pool, &grant, NULL, &lane, NULL), 0);
    pid_t pid = bx_lane_pid(lane);
    bx_pool_release(pool, lane);
    grant.worker = NULL;
    return pid;
}

/* Equal folders, but each name has its process; the end of one is nobody else's. */
static void test_own_workers(void **state) {
    (void)state;
    struct bx_box_config config = {.max_calls = 4};
    assert_int_equal(bx_pool_new(&config, &pool, NULL), 0);
    pid_t common = process_of(NULL), one = process_of("executor-1"), two = process_of("executor-2");
    assert_int_not_equal(common, one);
    assert_int_not_equal(one, two);
    assert_int_equal(process_of(NULL), common);
    assert_int_equal(process_of("executor-1"), one);
    bx_pool_end_worker(pool, "executor-1");
    assert_int_not_equal(kill(one, 0), 0);
    assert_int_equal(kill(two, 0), 0);
    assert_int_equal(process_of("executor-2"), two);
    assert_int_not_equal(process_of("executor-1"), one);
    bx_pool_free(pool);
}

struct quitter {
    struct bx_cancel *cancel;
    int result;
};

static void *wait_and_quit(void *user) {
    struct quitter *q = user;
    struct bx_lane *lane;
    q->result = bx_pool_acquire(pool, &grant, q->cancel, &lane, NULL);
    return NULL;
}

/* Who gives up does not keep the others. */
static void test_quitting(void **state) {
    (void)state;
    struct bx_lane *lane;
    pthread_t threads[2];
    struct quitter q = {.cancel = bx_cancel_new(NULL)};
    struct bx_box_config config = {.max_calls = 1};
    assert_int_equal(bx_pool_new(&config, &pool, NULL), 0);
    assert_int_equal(bx_pool_acquire(pool, &grant, NULL, &lane, NULL), 0);
    served = 0;
    assert_int_equal(bx_thread_start(&threads[0], "quitter", wait_and_quit, &q, NULL), 0);
    wait_until(1);
    assert_int_equal(bx_thread_start(&threads[1], "waiter", wait_in_turn, NULL, NULL), 0);
    wait_until(2);
    bx_cancel_fire(q.cancel, "enough");
    pthread_join(threads[0], NULL);
    assert_int_equal(q.result, BX_ERR_CANCELLED);
    bx_pool_release(pool, lane);
    pthread_join(threads[1], NULL);
    assert_int_equal(served, 1);
    bx_cancel_unref(q.cancel);
    bx_pool_free(pool);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_turn),
                                       cmocka_unit_test(test_own_workers),
                                       cmocka_unit_test(test_quitting)};
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
