#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/cache.h"

#define MINUTE UINT64_C(60000)

static struct bx_fetch_head head_of(int status, struct bx_fetch_header *header) {
    return (struct bx_fetch_head){status, header, header ? 1 : 0};
}

static void may(void **state) {
    (void)state;
    static const struct {
        int status;
        struct bx_fetch_header header;
        uint64_t ms;
    } cases[] = {
        {200, {"X", "y"}, 15 * MINUTE},
        {201, {"X", "y"}, 0},
        {301, {"X", "y"}, 0},
        {404, {"X", "y"}, 0},
        {200, {"Cache-Control", "max-age=60, public"}, MINUTE},
        {200, {"Cache-Control", "public, Max-Age = 60"}, MINUTE},
        {200, {"cache-control", "max-age=99999999"}, 15 * MINUTE},
        {200, {"cache-control", "max-age=18446744073709551615"}, 15 * MINUTE},
        {200, {"cache-control", "max-age=99999999999999999999999999"}, 0},
        {200, {"cache-control", "max-age=0"}, 0},
        {200, {"cache-control", "max-age=soon"}, 0},
        {200, {"CACHE-CONTROL", "No-Store"}, 0},
        {200, {"cache-control", "max-age=60,no-store"}, 0},
        {200, {"cache-control", "private=\"x\""}, 0},
        {200, {"cache-control", "no-cache"}, 0},
        {200, {"cache-control", "x-no-store-ever"}, 15 * MINUTE},
        {200, {"Vary", "Accept, *"}, 0},
        {200, {"Vary", "Accept"}, 15 * MINUTE},
        {200, {"Set-Cookie", "a=b"}, 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_fetch_header h = cases[i].header;
        struct bx_fetch_head head = head_of(cases[i].status, &h);
        if (bx_cache_may(&head, 15 * MINUTE) != cases[i].ms) {
            fail_msg("%d %s: %s", cases[i].status, h.name, h.value);
        }
    }
}

static bool has(struct bx_cache *c, const char *key, uint64_t now, const char *body) {
    struct bx_cache_entry e;
    if (!bx_cache_get(c, key, now, &e)) {
        return false;
    }
    assert_true(bx_str_eqz(e.body, body));
    assert_string_equal(e.address, "192.0.2.1");
    assert_string_equal(bx_fetch_head_get(&e.head, "x"), "y");
    bx_cache_entry_deinit(&e);
    return true;
}

static void put(struct bx_cache *c, const char *key, uint64_t now, const char *body) {
    struct bx_fetch_header h = {"X", "y"};
    struct bx_fetch_head head = head_of(200, &h);
    bx_cache_put(c, key, now, &head, bx_str(body), "192.0.2.1");
}

static void ages(void **state) {
    (void)state;
    bx_auto(bx_cache_freep) struct bx_cache *c = bx_cache_new(NULL);
    put(c, "a", 1000, "one");
    assert_true(has(c, "a", 1000 + 15 * MINUTE - 1, "one"));
    assert_false(has(c, "b", 1000, ""));
    assert_false(has(c, "a", 1000 + 15 * MINUTE, ""));
    put(c, "a", 5000, "two");
    put(c, "a", 6000, "three");
    assert_true(has(c, "a", 7000, "three"));
    struct bx_cache_entry e;
    assert_true(bx_cache_get(c, "a", 7000, &e));
    assert_int_equal(e.age_ms, 1000);
    bx_cache_entry_deinit(&e);
}

static void bounds(void **state) {
    (void)state;
    bx_auto(bx_cache_freep) struct bx_cache *c = bx_cache_new(
        &(struct bx_cache_config){.max_bytes = 4096, .max_entries = 3, .max_age_ms = MINUTE});
    put(c, "a", 0, "1");
    put(c, "b", 0, "2");
    put(c, "c", 0, "3");
    assert_true(has(c, "a", 1, "1")); // now b is the least lately used
    put(c, "d", 0, "4");
    assert_true(has(c, "a", 1, "1") && has(c, "c", 1, "3") && has(c, "d", 1, "4"));
    assert_false(has(c, "b", 1, ""));
    char large[2000];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    put(c, "large", 0, large); // more than a quarter
    assert_false(has(c, "large", 1, ""));
    assert_true(has(c, "a", 1, "1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(may),
        cmocka_unit_test(ages),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
