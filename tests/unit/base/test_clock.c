#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void both_ways(int64_t ms, const char *text) {
    char out[25];
    bx_time_format(ms, out);
    assert_string_equal(out, text);
    int64_t back = 77;
    assert_true(bx_time_parse(bx_str(text), &back));
    assert_true(back == ms);
}

static void test_both_ways(void **state) {
    (void)state;
    both_ways(0, "1970-01-01T00:00:00.000Z");
    both_ways(1795469465123, "2026-11-23T21:31:05.123Z");
    both_ways(951782400000, "2000-02-29T00:00:00.000Z");
    both_ways(4107542399999, "2100-02-28T23:59:59.999Z");
    both_ways(-1, "1969-12-31T23:59:59.999Z");
    both_ways(-62167219200000, "0000-01-01T00:00:00.000Z");
    both_ways(253402300799999, "9999-12-31T23:59:59.999Z");
    for (int64_t day = -20000; day < 60000; day++) {
        char out[25];
        int64_t back;
        bx_time_format(day * 86400000 + 5, out);
        assert_true(bx_time_parse(bx_str(out), &back));
        assert_true(back == day * 86400000 + 5);
    }
    char out[25];
    bx_time_format(INT64_MAX, out);
    assert_string_equal(out, "9999-12-31T23:59:59.999Z");
    bx_time_format(INT64_MIN, out);
    assert_string_equal(out, "0000-01-01T00:00:00.000Z");
}

static void test_parse(void **state) {
    (void)state;
    int64_t ms = 77;
    static const char *const bad[] = {
        "",
        "2026-11-23",
        "2026-11-23 21:31:05Z",
        "2026-11-23T21:31:05",
        "2026-11-23T21:31:05.Z",
        "2026-11-23T21:31:05.1234567890Z",
        "2026-11-23T21:31:05+01:00",
        "2026-11-23T21:31:05Zx",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T21:60:05Z",
        "2026-11-23T21:31:60Z",
        "-026-11-23T21:31:05Z",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        assert_false(bx_time_parse(bx_str(bad[i]), &ms));
    }
    assert_true(ms == 77);
    assert_true(bx_time_parse(bx_str("1970-01-01T00:00:01Z"), &ms) && ms == 1000);
    assert_true(bx_time_parse(bx_str("1970-01-01T00:00:01.5Z"), &ms) && ms == 1500);
    assert_true(bx_time_parse(bx_str("1970-01-01T00:00:01.123456789Z"), &ms) && ms == 1123);
}

static void test_http_date(void **state) {
    (void)state;
    int64_t ms = 77;
    static const char *const bad[] = {
        "",
        "Thu",
        "Thu, 26",
        "Thu, 26 Nov",
        "Thu, 26 Nov 2026 08:05:00",
        "Thu, 26 Nov 2026 08:05:00 CET",
        "Thu, 26 Nov 2026 08:05:00 GMT+1",
        "Thu, 26 nov 2026 08:05:00 GMT",
        "Thu, 31 Nov 2026 08:05:00 GMT",
        "Thu, 00 Nov 2026 08:05:00 GMT",
        "Thu, 26 Nov 2026 24:05:00 GMT",
        "Thursday, 26-Nov-26 08:05:00 GMT",
        "2026-11-26T08:05:00Z",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++)
        assert_false(bx_time_parse_http(bx_str(bad[i]), &ms));
    assert_true(ms == 77);
    assert_true(bx_time_parse_http(bx_str("Thu, 01 Jan 1970 00:00:01 GMT"), &ms) && ms == 1000);
    assert_true(bx_time_parse_http(bx_str("Tue, 29 Feb 2000 00:00:00 GMT"), &ms) &&
                ms == 951782400000);
    assert_true(
        bx_time_parse_http(bx_str("Sat, 31 Dec 2016 23:59:60 GMT"), &ms)); /* a leap second */
}

static void test_monotonic(void **state) {
    (void)state;
    uint64_t last = bx_mono_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = bx_mono_ns();
        assert_true(now >= last);
        last = now;
    }
    assert_true(bx_mono_ms() >= last / 1000000);
    assert_true(bx_wall_ms() > 1700000000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_http_date),
        cmocka_unit_test(test_monotonic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
