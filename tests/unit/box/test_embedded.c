/* Compressed programs inside the binary: unpacked whole or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <zstd.h>

#include "box/embedded.h"

static char text[100000], packed[100000];
static size_t packed_size;

static int setup(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * i >> 7);
    }
    packed_size = ZSTD_compress(packed, sizeof packed, text, sizeof text, 19);
    return ZSTD_isError(packed_size) ? -1 : 0;
}

static int unpack(bool is_packed, const char *from, size_t n, unsigned char **take_owned,
                  const unsigned char **ret, size_t *ret_size) {
    struct bx_err err = {0};
    const unsigned char *start = (const unsigned char *)from;
    struct bx_embedded_image image = {"x", false, is_packed, "", start, start + n};
    return bx_embedded_unpack(&image, take_owned, ret, ret_size, &err);
}

static void comes_back_whole(void **state) {
    (void)state;
    const unsigned char *p;
    size_t n;
    bx_auto(bx_freep) unsigned char *owned = NULL;
    assert_int_equal(unpack(true, packed, packed_size, &owned, &p, &n), 0);
    assert_int_equal(n, sizeof text);
    assert_memory_equal(p, text, n);
    assert_ptr_equal(p, owned);
}

static void plain_is_as_it_is(void **state) {
    (void)state;
    const unsigned char *p;
    size_t n;
    unsigned char *owned = NULL;
    assert_int_equal(unpack(false, packed, packed_size, &owned, &p, &n), 0);
    assert_null(owned);
    assert_ptr_equal(p, packed);
    assert_int_equal(n, packed_size);
}

static void damage_is_refused(void **state) {
    (void)state;
    const unsigned char *p;
    size_t n;
    unsigned char *owned = NULL;
    assert_int_equal(unpack(true, packed, packed_size / 2, &owned, &p, &n), BX_ERR_DAMAGED);
    assert_null(owned);
    assert_int_equal(unpack(true, text, sizeof text, &owned, &p, &n), BX_ERR_DAMAGED);
    assert_null(owned);
    packed[0] ^= 1;
    assert_int_equal(unpack(true, packed, packed_size, &owned, &p, &n), BX_ERR_DAMAGED);
    packed[0] ^= 1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_whole),
        cmocka_unit_test(plain_is_as_it_is),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
