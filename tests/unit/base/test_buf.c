#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/vec.h"

static void test_add(void **state) {
    (void)state;
    struct bx_buf b = BX_BUF_INIT(1000);
    assert_string_equal(bx_buf_z(&b), "");
    assert_int_equal(bx_buf_addz(&b, "one "), 0);
    assert_int_equal(bx_buf_addf(&b, "%d %s", 2, "three"), 0);
    assert_int_equal(bx_buf_addc(&b, '\0'), 0);
    assert_int_equal(bx_buf_adds(&b, BX_STR_LIT("x")), 0);
    assert_int_equal(b.size, 13);
    assert_memory_equal(b.p, "one 2 three\0x", 14); /* with the NUL behind */
    bx_buf_consume(&b, 4);
    bx_buf_cut(&b, 1);
    assert_string_equal(bx_buf_z(&b), "2");
    char *stolen = bx_buf_steal(&b);
    assert_string_equal(stolen, "2");
    bx_free(stolen);
    stolen = bx_buf_steal(&b);
    assert_string_equal(stolen, "");
    bx_free(stolen);
    assert_int_equal(bx_buf_addz(&b, "again"), 0); /* the maximum is still there */
    bx_buf_deinit(&b);
}

static void test_maximum(void **state) {
    (void)state;
    struct bx_buf b = BX_BUF_INIT(5);
    assert_int_equal(bx_buf_addz(&b, "12345"), 0);
    assert_false(bx_buf_failed(&b));
    assert_int_equal(bx_buf_addc(&b, '6'), BX_ERR_LIMIT);
    assert_true(bx_buf_failed(&b));
    assert_string_equal(bx_buf_z(&b), "12345");
    bx_buf_consume(&b, 3);
    assert_int_equal(bx_buf_addc(&b, '6'), BX_ERR_LIMIT); /* or there would be a hole in the text */
    bx_buf_cut(&b, 0);
    assert_int_equal(bx_buf_addf(&b, "%s", "123456"), BX_ERR_LIMIT);
    assert_int_equal(b.size, 0);
    bx_buf_reset(&b);
    assert_null(bx_buf_space(&b, 6));
    bx_buf_reset(&b);
    assert_null(bx_buf_space(&b, SIZE_MAX));
    bx_buf_reset(&b);
    memcpy(bx_buf_space(&b, 5), "abcde", 5);
    bx_buf_grew(&b, 3);
    assert_string_equal(bx_buf_z(&b), "abc");
    bx_buf_deinit(&b);

    struct bx_buf unborn = {0};
    assert_int_equal(bx_buf_addc(&unborn, 'x'), BX_ERR_LIMIT);
    struct bx_buf endless = BX_BUF_INIT(SIZE_MAX);
    assert_int_equal(bx_buf_addz(&endless, "x"), 0);
    assert_int_equal(bx_buf_add(&endless, "", SIZE_MAX), BX_ERR_LIMIT);
    bx_buf_deinit(&endless);
}

static void test_arena(void **state) {
    (void)state;
    struct bx_arena a;
    bx_arena_init(&a);
    char *small = bx_arena_str(&a, BX_STR_LIT("a\0b"));
    for (size_t n = 0; n < 40000; n = n * 2 + 1) {
        unsigned char *p = bx_arena_alloc(&a, n);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 0xff;
        }
    }
    assert_memory_equal(small, "a\0b", 4);
    assert_string_equal(bx_arena_printf(&a, "%s-%d", "x", 7), "x-7");
    bx_arena_deinit(&a);
}

static void test_vec(void **state) {
    (void)state;
    BX_VEC(int) v = {0};
    for (int i = 0; i < 100; i++) {
        bx_vec_push(&v, i);
    }
    bx_vec_remove(&v, 0);
    bx_vec_remove(&v, 98);
    assert_int_equal(v.n, 98);
    assert_int_equal(v.p[0], 1);
    assert_int_equal(v.p[97], 98);
    bx_vec_free(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_vec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
