#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/budget.h"
#include "base/thread.h"
#include "tools/embedded.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

#define NONE                                                                                       \
    { -1, -1, -1, -1, -1, -1 }

static struct bx_budget *with(struct bx_budget *parent, enum bx_budget_kind kind, int64_t cap,
                              struct bx_cancel *cancel) {
    int64_t caps[BX_BUDGET_COUNT] = NONE;
    caps[kind] = cap;
    return bx_budget_new(parent, caps, cancel);
}

static void test_without_caps(void **state) {
    (void)state;
    int64_t caps[BX_BUDGET_COUNT] = NONE;
    bx_auto(bx_budget_unrefp) struct bx_budget *b = bx_budget_new(NULL, caps, NULL);
    assert_true(bx_budget_charge(b, BX_BUDGET_TOKENS, INT64_MAX, NULL));
    assert_true(bx_budget_charge(b, BX_BUDGET_TOKENS, INT64_MAX, NULL)); /* and does not wrap */
    assert_int_equal(bx_budget_used(b, BX_BUDGET_TOKENS), INT64_MAX);
    assert_int_equal(bx_budget_left(b, BX_BUDGET_TOKENS), -1);
    assert_null(bx_budget_fired(b));
}

static void test_charge_passes(void **state) {
    (void)state;
    bx_auto(bx_cancel_unrefp) struct bx_cancel *token = bx_cancel_new(NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *b = with(NULL, BX_BUDGET_TOKENS, 100, token);
    const char *name = NULL;
    assert_true(bx_budget_charge(b, BX_BUDGET_TOKENS, 100, &name));
    assert_int_equal(bx_budget_left(b, BX_BUDGET_TOKENS), 0);
    assert_false(bx_cancel_fired(token));
    assert_false(bx_budget_charge(b, BX_BUDGET_TOKENS, 1, &name));
    assert_string_equal(name, "tokens");
    assert_string_equal(bx_budget_fired(b), "tokens");
    assert_string_equal(bx_cancel_reason(token), "tokens");
    assert_int_equal(bx_budget_used(b, BX_BUDGET_TOKENS), 101);    /* it was spent */
    assert_true(bx_budget_charge(b, BX_BUDGET_TOKENS, -50, NULL)); /* an estimate is corrected */
    assert_int_equal(bx_budget_left(b, BX_BUDGET_TOKENS), 49);
    assert_string_equal(bx_budget_fired(b), "tokens"); /* what was said stays said */
}

static void test_take_is_all_or_nothing(void **state) {
    (void)state;
    bx_auto(bx_cancel_unrefp) struct bx_cancel *up = bx_cancel_new(NULL);
    bx_auto(bx_cancel_unrefp) struct bx_cancel *down = bx_cancel_new(up);
    bx_auto(bx_budget_unrefp) struct bx_budget *manager = with(NULL, BX_BUDGET_CALLS, 3, up);
    bx_auto(bx_budget_unrefp) struct bx_budget *executor = with(manager, BX_BUDGET_CALLS, 10, down);
    assert_int_equal(bx_budget_left(executor, BX_BUDGET_CALLS), 3); /* the least of the chain */
    for (int i = 0; i < 3; i++)
        assert_true(bx_budget_take(executor, BX_BUDGET_CALLS, 1, NULL));
    assert_false(bx_budget_take(executor, BX_BUDGET_CALLS, 1, NULL));
    assert_int_equal(bx_budget_used(executor, BX_BUDGET_CALLS), 3);
    assert_int_equal(bx_budget_used(manager, BX_BUDGET_CALLS), 3);
    assert_string_equal(bx_budget_fired(executor), "calls");
    assert_true(bx_cancel_fired(up));
    assert_true(bx_cancel_fired(down));
}

/* A child that is out of budget says nothing to its parent, nor to the parent's other children. */
static void test_a_child_fires_alone(void **state) {
    (void)state;
    bx_auto(bx_cancel_unrefp) struct bx_cancel *up = bx_cancel_new(NULL);
    bx_auto(bx_cancel_unrefp) struct bx_cancel *a_token = bx_cancel_new(up);
    bx_auto(bx_budget_unrefp) struct bx_budget *manager = with(NULL, BX_BUDGET_MONEY, 1000, up);
    bx_auto(bx_budget_unrefp) struct bx_budget *a = with(manager, BX_BUDGET_MONEY, 10, a_token);
    bx_auto(bx_budget_unrefp) struct bx_budget *b = with(manager, BX_BUDGET_MONEY, 10, NULL);
    assert_false(bx_budget_charge(a, BX_BUDGET_MONEY, 11, NULL));
    assert_true(bx_cancel_fired(a_token));
    assert_false(bx_cancel_fired(up));
    assert_null(bx_budget_fired(b));
    assert_null(bx_budget_fired(manager));
    assert_int_equal(bx_budget_used(manager, BX_BUDGET_MONEY), 11);
}

static void test_turns_are_each_runs_own(void **state) {
    (void)state;
    bx_auto(bx_budget_unrefp) struct bx_budget *manager = with(NULL, BX_BUDGET_TURNS, 1, NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *executor = with(manager, BX_BUDGET_TURNS, 5, NULL);
    for (int i = 0; i < 5; i++)
        assert_true(bx_budget_take(executor, BX_BUDGET_TURNS, 1, NULL));
    assert_int_equal(bx_budget_used(manager, BX_BUDGET_TURNS), 0);
}

/* Nobody charges time: the token fires by itself, and everything that waits on it wakes. */
static void test_time_fires_by_itself(void **state) {
    (void)state;
    bx_auto(bx_cancel_unrefp) struct bx_cancel *token = bx_cancel_new(NULL),
                                               *other = bx_cancel_new(NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *long_one =
        with(NULL, BX_BUDGET_TIME_MS, 3600000, other);
    bx_auto(bx_budget_unrefp) struct bx_budget *b = with(NULL, BX_BUDGET_TIME_MS, 20, token);
    assert_int_equal(bx_cancel_sleep(token, 60000), BX_ERR_CANCELLED);
    assert_string_equal(bx_budget_fired(b), "time");
    assert_int_equal(bx_budget_left(b, BX_BUDGET_TIME_MS), 0);
    assert_false(bx_cancel_fired(other));
    bx_auto(bx_cancel_unrefp) struct bx_cancel *again = bx_cancel_new(NULL);
    assert_true(bx_budget_extend(b, again));
    assert_int_equal(bx_cancel_sleep(again, 60000), BX_ERR_CANCELLED);
    assert_false(bx_budget_extend(b, NULL)); /* once */
}

/* Budgets come and go while the clock's thread looks at them. */
static void *come_and_go(void *user) {
    (void)user;
    for (int i = 0; i < 300; i++) {
        bx_auto(bx_cancel_unrefp) struct bx_cancel *token = bx_cancel_new(NULL);
        bx_auto(bx_budget_unrefp) struct bx_budget *b = with(NULL, BX_BUDGET_TIME_MS, i % 2, token);
        assert_true(i % 2 || bx_cancel_sleep(token, 60000) == BX_ERR_CANCELLED);
    }
    return NULL;
}

static void test_many_clocks(void **state) {
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "clock", come_and_go, NULL, NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
}

static void test_extend(void **state) {
    (void)state;
    bx_auto(bx_cancel_unrefp) struct bx_cancel *first = bx_cancel_new(NULL),
                                               *second = bx_cancel_new(NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *b = with(NULL, BX_BUDGET_TOKENS, 1000, first);
    assert_false(bx_budget_extend(b, second)); /* nothing has fired */
    assert_false(bx_budget_charge(b, BX_BUDGET_TOKENS, 1001, NULL));
    assert_true(bx_budget_extend(b, second));
    assert_null(bx_budget_fired(b));
    assert_true(bx_budget_charge(b, BX_BUDGET_TOKENS, 99, NULL)); /* 1100 */
    assert_false(bx_cancel_fired(second));
    assert_false(bx_budget_charge(b, BX_BUDGET_TOKENS, 1, NULL));
    assert_string_equal(bx_cancel_reason(second), "tokens");

    bx_auto(bx_budget_unrefp) struct bx_budget *manager = with(NULL, BX_BUDGET_CALLS, 0, NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *executor = with(manager, BX_BUDGET_CALLS, 5, NULL);
    assert_false(bx_budget_take(executor, BX_BUDGET_CALLS, 1, NULL));
    assert_false(bx_budget_extend(executor, NULL)); /* the manager's is what ran out */
}

static void *charge_many(void *user) {
    for (int i = 0; i < 10000; i++)
        bx_budget_charge(user, BX_BUDGET_FUEL, 1, NULL);
    return NULL;
}

static void test_threads_charge_one_chain(void **state) {
    (void)state;
    bx_auto(bx_budget_unrefp) struct bx_budget *top = with(NULL, BX_BUDGET_FUEL, 40000, NULL);
    bx_auto(bx_budget_unrefp) struct bx_budget *below = with(top, BX_BUDGET_FUEL, 40000, NULL);
    pthread_t threads[4];
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "charge", charge_many, below, NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(bx_budget_used(top, BX_BUDGET_FUEL), 40000);
    assert_null(bx_budget_fired(below));
    assert_false(bx_budget_charge(below, BX_BUDGET_FUEL, 1, NULL));
}

#define MUCH 1000000000000

static void *take_and_give_back(void *user) {
    for (int i = 0; i < 20000; i++)
        if (bx_budget_take(user, BX_BUDGET_FUEL, MUCH, NULL))
            bx_budget_charge(user, BX_BUDGET_FUEL, -MUCH, NULL);
    return NULL;
}

/* What is left may shrink by very much between looking and taking; that is not counted down. */
static void test_some_while_others_take(void **state) {
    (void)state;
    bx_auto(bx_budget_unrefp) struct bx_budget *b = with(NULL, BX_BUDGET_FUEL, 2 * MUCH, NULL);
    pthread_t thread;
    assert_int_equal(bx_thread_start(&thread, "take", take_and_give_back, b, NULL), 0);
    for (int i = 0; i < 20000; i++) {
        int64_t some = bx_budget_take_some(b, BX_BUDGET_FUEL, 2 * MUCH);
        assert_true(some >= 0 && some <= 2 * MUCH);
        bx_budget_charge(b, BX_BUDGET_FUEL, -some, NULL);
    }
    pthread_join(thread, NULL);
}

static void test_extend_the_largest(void **state) {
    (void)state;
    bx_auto(bx_budget_unrefp) struct bx_budget *b =
        with(NULL, BX_BUDGET_TOKENS, INT64_MAX - 5, NULL);
    assert_false(bx_budget_charge(b, BX_BUDGET_TOKENS, INT64_MAX, NULL));
    assert_true(bx_budget_extend(b, NULL));
    assert_int_equal(bx_budget_cap(b, BX_BUDGET_TOKENS), INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_caps),
        cmocka_unit_test(test_charge_passes),
        cmocka_unit_test(test_take_is_all_or_nothing),
        cmocka_unit_test(test_a_child_fires_alone),
        cmocka_unit_test(test_turns_are_each_runs_own),
        cmocka_unit_test(test_time_fires_by_itself),
        cmocka_unit_test(test_many_clocks),
        cmocka_unit_test(test_extend),
        cmocka_unit_test(test_threads_charge_one_chain),
        cmocka_unit_test(test_some_while_others_take),
        cmocka_unit_test(test_extend_the_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
