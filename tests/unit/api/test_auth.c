#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/auth.h"

#define KEY   "0123456789abcdef0123456789abcdef"
#define TOKEN "fedcba9876543210fedcba9876543210"

static struct bx_auth *make(uint16_t port) {
    static const char *const extra[] = {"box.example", "other.example:8443", "[::2]"};
    struct bx_auth_config config = {.port = port,
                                    .extra_hosts = extra,
                                    .extra_host_count = 3,
                                    .session_key = KEY,
                                    .api_token = TOKEN};
    return bx_auth_new(&config);
}

static struct bx_http_request with(const char *name, const char *value) {
    struct bx_http_request r = {.fields = {{bx_str(name), bx_str(value)}}, .field_count = 1};
    return r;
}

static void test_hosts(void **state) {
    (void)state;
    static const struct {
        const char *host;
        uint16_t port;
        bool ours;
    } cases[] = {
        {"127.0.0.1:30001", 30001, true},     {"localhost:30001", 30001, true},
        {"LocalHost:30001", 30001, true},     {"[::1]:30001", 30001, true},
        {"box.example:30001", 30001, true},   {"other.example:8443", 30001, true},
        {"[::2]:30001", 30001, true},         {"127.0.0.1", 30001, false},
        {"127.0.0.1:80", 30001, false},       {"127.0.0.1", 80, true},
        {"127.0.0.1:80", 80, true},           {"other.example:30001", 30001, false},
        {"evil.example:30001", 30001, false}, {"", 30001, false},
        {"127.0.0.1:30001 ", 30001, false},   {"127.0.0.1:300011", 30001, false},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_auth *a = make(cases[i].port);
        struct bx_http_request r = with("Host", cases[i].host);
        if (bx_auth_host_is_ours(a, &r) != cases[i].ours)
            fail_msg("Host: %s on port %u", cases[i].host, cases[i].port);
        bx_auth_free(a);
    }
}

static void test_origins(void **state) {
    (void)state;
    static const struct {
        const char *name, *value;
        bool ours;
    } cases[] = {
        {"Origin", "http://127.0.0.1:30001", true},
        {"Origin", "http://localhost:30001", true},
        {"Origin", "https://other.example:8443", true},
        {"Origin", "null", false},
        {"Origin", "", false},
        {"Origin", "http://127.0.0.1:30002", false},
        {"Origin", "http://evil.example", false},
        {"Origin", "127.0.0.1:30001", false},
        {"Origin", "ws://127.0.0.1:30001", false},
        {"Sec-Fetch-Site", "same-origin", true},
        {"Sec-Fetch-Site", "none", true},
        {"Sec-Fetch-Site", "same-site", false},
        {"Sec-Fetch-Site", "cross-site", false},
        {"Accept", "*/*", true},
    };
    struct bx_auth *a = make(30001);
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_http_request r = with(cases[i].name, cases[i].value);
        if (bx_auth_origin_is_ours(a, &r) != cases[i].ours)
            fail_msg("%s: %s", cases[i].name, cases[i].value);
    }
    bx_auth_free(a);
}

static void test_who(void **state) {
    (void)state;
    static const struct {
        const char *name, *value;
        bool known, program;
    } cases[] = {
        {"Cookie", "boxagnts_30001=" KEY, true, false},
        {"Cookie", "a=b; boxagnts_30001=" KEY "; c=d", true, false},
        {"Cookie", "boxagnts_30002=" KEY, false, false},
        {"Cookie", "boxagnts_30001=" TOKEN, false, false},
        {"Cookie", "boxagnts_30001=", false, false},
        {"Cookie", "boxagnts_30001=" KEY "0", false, false},
        {"Authorization", "Bearer " TOKEN, true, true},
        {"Authorization", "bearer  " TOKEN " ", true, true},
        {"Authorization", "Bearer " KEY, false, false},
        {"Authorization", "Bearer ", false, false},
        {"Authorization", "Basic " TOKEN, false, false},
        {"Accept", "*/*", false, false},
    };
    struct bx_auth *a = make(30001);
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_http_request r = with(cases[i].name, cases[i].value);
        if (bx_auth_is_known(a, &r) != cases[i].known ||
            bx_auth_is_program(a, &r) != cases[i].program)
            fail_msg("%s: %s", cases[i].name, cases[i].value);
    }
    bx_auth_free(a);
}

/* Without secrets nobody is known: an empty cookie is no key. */
static void test_empty_secrets(void **state) {
    (void)state;
    struct bx_auth_config config = {.port = 1, .session_key = "", .api_token = ""};
    struct bx_auth *a = bx_auth_new(&config);
    struct bx_http_request cookie = with("Cookie", "boxagnts_1="),
                           bearer = with("Authorization", "Bearer  ");
    assert_false(bx_auth_is_known(a, &cookie));
    assert_false(bx_auth_is_known(a, &bearer));
    bx_auth_free(a);
}

static void test_token_works_once(void **state) {
    (void)state;
    struct bx_auth *a = make(1), *b = make(1);
    char *token = bx_strdup(bx_auth_one_time_token(a));
    assert_int_equal(strlen(token), 64);
    assert_string_not_equal(token, bx_auth_one_time_token(b));
    assert_false(bx_auth_spend_token(a, BX_STR_LIT("")));
    assert_false(bx_auth_spend_token(a, bx_str_n(token, 63)));
    assert_false(bx_auth_spend_token(b, bx_str(token)));
    assert_true(bx_auth_spend_token(a, bx_str(token)));
    assert_false(bx_auth_spend_token(a, bx_str(token)));
    assert_false(bx_auth_spend_token(a, BX_STR_LIT("")));
    bx_free(token);
    bx_auth_free(a);
    bx_auth_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_who),
        cmocka_unit_test(test_empty_secrets),
        cmocka_unit_test(test_token_works_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
