#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/thread.h"

#define EACH    4000
#define THREADS 4

static void test_order(void **state) {
    (void)state;
    char last[BX_ID_LEN + 1] = "", id[BX_ID_LEN + 1];
    for (int i = 0; i < 20000; i++) { /* many to a millisecond */
        bx_id_new(id);
        assert_true(bx_id_is_valid(bx_str(id)));
        assert_int_equal(id[14], '7');
        assert_non_null(strchr("89ab", id[19]));
        assert_true(strcmp(last, id) < 0);
        memcpy(last, id, sizeof id);
    }
}

static void *make(void *user) {
    char(*ids)[BX_ID_LEN + 1] = user;
    for (int i = 0; i < EACH; i++) {
        bx_id_new(ids[i]);
    }
    return NULL;
}

static int compare(const void *a, const void *b) {
    return strcmp(a, b);
}

static void test_threads(void **state) {
    (void)state;
    static char ids[THREADS * EACH][BX_ID_LEN + 1];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(bx_thread_start(&threads[i], "ids", make, ids[i * EACH], NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        for (int k = 1; k < EACH; k++) {
            assert_true(strcmp(ids[i * EACH + k - 1], ids[i * EACH + k]) < 0);
        }
    }
    qsort(ids, THREADS * EACH, sizeof ids[0], compare);
    for (int i = 1; i < THREADS * EACH; i++) {
        assert_string_not_equal(ids[i - 1], ids[i]);
    }
}

static void test_valid(void **state) {
    (void)state;
    assert_true(bx_id_is_valid(bx_str("0192f0c1-0000-7000-8000-00000000000a")));
    assert_false(bx_id_is_valid(bx_str("0192F0C1-0000-7000-8000-00000000000a")));
    assert_false(bx_id_is_valid(bx_str("0192f0c1-0000-7000-8000-00000000000")));
    assert_false(bx_id_is_valid(bx_str("0192f0c1-0000-7000-8000-00000000000/")));
    assert_false(bx_id_is_valid(bx_str("../../../../etc/passwd-8000-0000000a")));
    assert_false(bx_id_is_valid(bx_str("")));
}

static void test_bytes(void **state) {
    (void)state;
    char hex[9];
    bx_hex("\x00\x7f\xff\xa0", 4, hex);
    assert_string_equal(hex, "007fffa0");
    assert_true(bx_const_time_eq("abc", "abc", 3));
    assert_false(bx_const_time_eq("abc", "abd", 3));
    assert_true(bx_const_time_eq("abc", "abd", 2));
    unsigned char a[32] = {0}, b[32] = {0};
    bx_random(a, sizeof a);
    bx_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
