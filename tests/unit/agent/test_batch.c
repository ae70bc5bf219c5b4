#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/batch.h"
#include "base/thread.h"
#include "tools/embedded.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

static bool conflict(enum bx_level a, const char *a_path, enum bx_level b, const char *b_path) {
    struct bx_batch_item earlier = {.level = a, .paths = &a_path, .path_count = a_path != NULL};
    struct bx_batch_item later = {.level = b, .paths = &b_path, .path_count = b_path != NULL};
    assert_int_equal(bx_batch_conflict(&earlier, &later), bx_batch_conflict(&later, &earlier));
    return bx_batch_conflict(&earlier, &later);
}

static void test_conflicts(void **state) {
    (void)state;
    const enum bx_level none = BX_LEVEL_NONE, rd = BX_LEVEL_READ_ONLY, wr = BX_LEVEL_WRITE,
                        ex = BX_LEVEL_EXECUTE;
    assert_false(conflict(rd, "/a", rd, "/a"));
    assert_false(conflict(rd, NULL, rd, NULL));
    assert_false(conflict(wr, "/a", wr, "/b"));
    assert_false(conflict(wr, "/a", wr, "/ab")); /* a name that only begins like the other */
    assert_true(conflict(wr, "/a", wr, "/a"));
    assert_true(conflict(wr, "/a", rd, "/a"));
    assert_true(conflict(wr, "/src/a", rd, "/src")); /* grep of the folder */
    assert_true(conflict(wr, "/a", rd, NULL));       /* glob of everything */
    assert_true(conflict(wr, NULL, wr, "/b"));
    assert_true(conflict(ex, "/a", rd, "/b"));
    assert_true(conflict(ex, NULL, ex, NULL));
    assert_false(conflict(ex, NULL, none, NULL));
    assert_false(conflict(wr, NULL, none, NULL));
}

#define N 8

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned running, most, order[N], ended;
    unsigned meet; /* items wait until so many run at once */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void work(void *user) {
    pthread_mutex_lock(&seen.lock);
    seen.running++;
    seen.most = BX_MAX(seen.most, seen.running);
    pthread_cond_broadcast(&seen.changed);
    while (seen.most < seen.meet)
        pthread_cond_wait(&seen.changed, &seen.lock);
    seen.running--;
    seen.order[seen.ended++] = (unsigned)(uintptr_t)user;
    pthread_mutex_unlock(&seen.lock);
}

static void run(struct bx_crew *crew, struct bx_batch_item *items, size_t n, unsigned meet) {
    for (size_t i = 0; i < n; i++)
        items[i].user = (void *)(uintptr_t)i;
    seen.running = seen.most = seen.ended = 0;
    seen.meet = meet;
    bx_batch_run(crew, items, n, work);
    assert_int_equal(seen.ended, n);
}

static void test_reads_run_side_by_side(void **state) {
    (void)state;
    struct bx_crew *crew = bx_crew_new(N);
    struct bx_batch_item items[N] = {0};
    for (size_t i = 0; i < N; i++)
        items[i].level = BX_LEVEL_READ_ONLY;
    run(crew, items, N, N); /* each waits until all eight are there */
    assert_int_equal(seen.most, N);
    run(crew, items, N, N); /* again, with threads that are there already */
    bx_crew_free(crew);
}

static void test_what_may_not_overlap_keeps_its_order(void **state) {
    (void)state;
    struct bx_crew *crew = bx_crew_new(N);
    const char *a = "/a", *b = "/b";
    struct bx_batch_item items[N] = {
        {.level = BX_LEVEL_WRITE, .paths = &a, .path_count = 1},
        {.level = BX_LEVEL_READ_ONLY, .paths = &a, .path_count = 1},
        {.level = BX_LEVEL_WRITE, .paths = &a, .path_count = 1},
        {.level = BX_LEVEL_EXECUTE},
        {.level = BX_LEVEL_EXECUTE},
        {.level = BX_LEVEL_WRITE, .paths = &b, .path_count = 1},
        {.level = BX_LEVEL_READ_ONLY, .paths = &b, .path_count = 1},
        {.level = BX_LEVEL_WRITE},
    };
    for (int round = 0; round < 50; round++) {
        run(crew, items, N, 1);
        assert_int_equal(seen.most, 1);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(seen.order[i], i);
    }
    run(crew, items, 1, 1);
    run(crew, items, 0, 0);
    bx_crew_free(crew);
}

static void test_a_small_crew_gets_through(void **state) {
    (void)state;
    struct bx_crew *crew = bx_crew_new(1);
    struct bx_batch_item items[N] = {0};
    run(crew, items, N, 2); /* its thread and ours */
    assert_int_equal(seen.most, 2);
    bx_crew_free(crew);
}

/* All but the last wait for a person, as it were; the last one is what they wait for. */
static struct {
    struct bx_crew *crew;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool answered;
} person = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};

static void wait_or_answer(void *user) {
    if ((uintptr_t)user < N - 1)
        bx_crew_block(person.crew);
    pthread_mutex_lock(&person.lock);
    if ((uintptr_t)user == N - 1) {
        person.answered = true;
        pthread_cond_broadcast(&person.done);
    }
    while (!person.answered)
        pthread_cond_wait(&person.done, &person.lock);
    pthread_mutex_unlock(&person.lock);
    if ((uintptr_t)user < N - 1)
        bx_crew_unblock(person.crew);
}

static void test_who_waits_for_a_person_holds_nobody(void **state) {
    (void)state;
    person.crew = bx_crew_new(1);
    struct bx_batch_item items[N] = {0};
    for (size_t i = 0; i < N; i++)
        items[i].user = (void *)(uintptr_t)i;
    for (int round = 0; round < 20; round++) {
        person.answered = false;
        bx_batch_run(person.crew, items, N, wait_or_answer);
        assert_true(person.answered);
    }
    bx_crew_free(person.crew);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_reads_run_side_by_side),
        cmocka_unit_test(test_what_may_not_overlap_keeps_its_order),
        cmocka_unit_test(test_a_small_crew_gets_through),
        cmocka_unit_test(test_who_waits_for_a_person_holds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
