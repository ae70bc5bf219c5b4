#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

static int freed;

static void count_free(void *value) {
    freed++;
    bx_free(value);
}

static int *boxed(int n) {
    return bx_memdup(&n, sizeof n);
}

static void test_map(void **state) {
    (void)state;
    struct bx_map *m = bx_map_new(count_free);
    freed = 0;
    assert_null(bx_map_get(m, bx_str("x")));
    assert_false(bx_map_remove(m, bx_str("x")));
    char key[16];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        bx_map_put(m, bx_str(key), boxed(i));
    }
    bx_map_put(m, bx_str("key 7"), boxed(-7));
    assert_int_equal(freed, 1);
    for (int i = 0; i < 5000; i += 2) {
        snprintf(key, sizeof key, "key %d", i);
        assert_true(bx_map_remove(m, bx_str(key)));
    }
    assert_int_equal(freed, 2501);
    assert_int_equal(bx_map_count(m), 2500);
    struct bx_str k;
    void *v;
    int want = 1;
    for (size_t at = 0; bx_map_next(m, &at, &k, &v); want += 2) {
        assert_int_equal(*(int *)v, want == 7 ? -7 : want); /* a new value keeps its place */
        snprintf(key, sizeof key, "key %d", want);
        assert_true(bx_str_eqz(k, key));
        assert_ptr_equal(bx_map_get(m, k), v);
    }
    assert_int_equal(want, 5001);
    bx_map_free(m);
    assert_int_equal(freed, 5001);
}

/* One key in and out without end must neither grow the map nor make a search that never ends. */
static void test_churn(void **state) {
    (void)state;
    struct bx_map *m = bx_map_new(NULL);
    int value;
    for (int i = 0; i < 100000; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        bx_map_put(m, bx_str(key), &value);
        assert_null(bx_map_get(m, bx_str("none")));
        assert_true(bx_map_remove(m, bx_str(key)));
    }
    assert_int_equal(bx_map_count(m), 0);
    bx_map_put(m, BX_STR_LIT("a\0b"), &value);
    assert_null(bx_map_get(m, BX_STR_LIT("a")));
    assert_ptr_equal(bx_map_get(m, BX_STR_LIT("a\0b")), &value);
    bx_map_put(m, bx_str(""), &value);
    assert_ptr_equal(bx_map_get(m, bx_str(NULL)), &value);
    bx_map_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_map), cmocka_unit_test(test_churn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
