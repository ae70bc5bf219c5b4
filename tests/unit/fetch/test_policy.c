#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/policy.h"
#include "fetch/url.h"

static struct bx_policy *policy_of(const char *host, const char *block) {
    struct bx_policy_config config = {.allowed_hosts = &host,
                                      .allowed_host_count = host ? 1 : 0,
                                      .block_networks = &block,
                                      .block_network_count = block ? 1 : 0,
                                      .self_port = 30001};
    struct bx_policy *p = NULL;
    struct bx_err err;
    if (bx_policy_new(&config, &p, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return p;
}

/* Judges a URL the way the client does: taken apart by the parser that connects. */
static int judge(const char *host, const char *url_text) {
    struct bx_policy *p = policy_of(host, NULL);
    struct bx_url url;
    struct bx_err err = {0};
    int r = bx_url_parse(url_text, &url, &err);
    if (r == 0) {
        r = bx_policy_check_host(p, bx_str(url.scheme), bx_str(url.host), url.port, &err);
        bx_url_deinit(&url);
    }
    bx_policy_free(p);
    return r;
}

static void hosts(void **state) {
    (void)state;
    static const struct {
        const char *allow, *url;
        int result;
    } cases[] = {
        {NULL, "https://example.com/", BX_ERR_DENIED},
        {"https://example.com", "https://example.com/a?b=c", 0},
        {"https://example.com/", "https://example.com/", 0},
        {"https://example.com", "https://EXAMPLE.com./", 0},
        {"https://Example.COM", "https://example.com/", 0},
        {"https://example.com", "http://example.com/", BX_ERR_DENIED},
        {"https://example.com", "https://example.com:444/", BX_ERR_DENIED},
        {"https://example.com:443", "https://example.com/", 0},
        {"https://example.com", "https://example.com.evil.org/", BX_ERR_DENIED},
        {"https://example.com", "https://a.example.com/", BX_ERR_DENIED},
        {"https://example.com", "https://example.com@evil.org/", BX_ERR_INVALID},
        {"https://*:*", "https://user:pw@example.com/", BX_ERR_INVALID},
        {"https://example.com", "https://evil.org/#@example.com/", BX_ERR_DENIED},
        {"https://example.com", "https://evil.org\\@example.com/", BX_ERR_INVALID},
        {"https://*.example.com", "https://a.example.com/", 0},
        {"https://*.example.com", "https://a.b.example.com/", 0},
        {"https://*.example.com", "https://example.com/", BX_ERR_DENIED},
        {"https://*.example.com", "https://aexample.com/", BX_ERR_DENIED},
        {"*://example.com:*", "http://example.com:81/", 0},
        {"*://*:*", "http://example.com:81/", 0},
        {"*://*:*", "file:///etc/passwd", BX_ERR_INVALID},
        {"*://*:*", "ftp://example.com/", BX_ERR_INVALID},
        {"*://*:*", "example.com", BX_ERR_INVALID},
        {"http://*:8000..8002", "http://a.b:8000/", 0},
        {"http://*:8000..8002", "http://a.b:8001/", 0},
        {"http://*:8000..8002", "http://a.b:8002/", BX_ERR_DENIED},
        {"http://127.0.0.1", "http://127.0.0.1/", 0},
        {"http://127.0.0.1", "http://2130706433/", 0},
        {"http://127.0.0.1", "http://0x7f.1/", 0},
        {"http://127.0.0.1", "http://0177.0.0.1/", 0},
        {"http://127.0.0.1", "http://[::ffff:127.0.0.1]/", 0},
        {"http://127.0.0.1", "http://127.0.0.2/", BX_ERR_DENIED},
        {"http://127.0.0.1", "http://localhost/", BX_ERR_DENIED},
        {"http://10.0.0.0/8", "http://10.1.2.3/", 0},
        {"http://10.0.0.0/8", "http://11.1.2.3/", BX_ERR_DENIED},
        {"http://10.0.0.0/8:8080", "http://10.1.2.3:8080/", 0},
        {"http://[::1]:8080", "http://[::1]:8080/", 0},
        {"http://[::1]:8080", "http://[0:0::1]:8080/", 0},
        {"http://fd00::/8", "http://[fd12::1]/", 0},
        {"http://fd00::/8", "http://[fe80::1]/", BX_ERR_DENIED},
        {"http://10.0.0.0/8", "http://10.example.com/", BX_ERR_DENIED},
        {"http://self:*", "http://127.0.0.1:30001/", 0},
        {"http://self:*", "http://127.0.0.1:30002/", BX_ERR_DENIED},
        {"http://self", "http://localhost:30001/", 0},
        {"*://self", "http://127.0.0.1:30001/", 0},
        {"http://self", "http://127.0.0.1:80/", BX_ERR_DENIED},
        {"http://self", "http://127.0.0.2:30001/", BX_ERR_DENIED},
        {"http://self:30002", "http://127.0.0.1:30001/", BX_ERR_DENIED},
        {"http://*.example.com", "http://10.0.0.1/", BX_ERR_DENIED},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        int r = judge(cases[i].allow, cases[i].url);
        if (r != cases[i].result) {
            fail_msg("%s against %s: %s", cases[i].url,
                     cases[i].allow ? cases[i].allow : "(nothing)", bx_err_name(r));
        }
    }
}

static void bad_entries(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "*",
        "?",
        ":",
        "example.com",
        "https://",
        "://example.com",
        "*://*",
        "gopher://a",
        "h2+c://a:1",
        "https://a*",
        "https://*a",
        "https://a.*.b:1",
        "https://a:b",
        "https://a:70000",
        "https://a:5..5",
        "https://a:9..5",
        "https://a:1..70000",
        "https://a/b",
        "https://10.0.0.0/33",
        "https://0x7f.1",
        "{http,https}://a",
        "https://a:{1,2}",
        "https://a..b",
        "https://.a",
        "https://a b",
        "https://*.",
        "https://a:",
        "https://10.0.0.1/"
        "/8",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        struct bx_policy_config config = {.allowed_hosts = &bad[i], .allowed_host_count = 1};
        struct bx_policy *p = NULL;
        struct bx_err err = {0};
        int r = bx_policy_new(&config, &p, &err);
        if (r != BX_ERR_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
        assert_non_null(strstr(err.msg, bad[i])); // the message names it
        assert_null(p);
    }
    const char *blocks[] = {"public", "10.0.0.0/33", "10.0.0/8", "", "::/129"};
    for (size_t i = 0; i < BX_ARRAY_LEN(blocks); i++) {
        struct bx_policy_config config = {.block_networks = &blocks[i], .block_network_count = 1};
        struct bx_policy *p = NULL;
        assert_int_equal(bx_policy_new(&config, &p, NULL), BX_ERR_INVALID);
    }
}

static void networks(void **state) {
    (void)state;
    static const struct {
        const char *block, *ip;
        bool blocked;
    } cases[] = {
        {NULL, "127.0.0.1", false},
        {"private", "8.8.8.8", false},
        {"private", "2606:4700::1111", false},
        {"private", "0.0.0.0", true},
        {"private", "10.0.0.1", true},
        {"private", "100.64.0.1", true},
        {"private", "100.128.0.1", false},
        {"private", "127.8.9.1", true},
        {"private", "169.254.169.254", true},
        {"private", "172.15.255.255", false},
        {"private", "172.16.0.1", true},
        {"private", "172.31.255.255", true},
        {"private", "172.32.0.1", false},
        {"private", "192.0.2.1", true},
        {"private", "192.168.1.1", true},
        {"private", "198.19.0.1", true},
        {"private", "198.20.0.1", false},
        {"private", "224.0.0.1", true},
        {"private", "255.255.255.255", true},
        {"private", "::", true},
        {"private", "::1", true},
        {"private", "::ffff:127.0.0.1", true},
        {"private", "::ffff:8.8.8.8", false},
        {"private", "64:ff9b::7f00:1", true},
        {"private", "64:ff9b::808:808", false},
        {"private", "64:ff9b:1::1", true},
        {"private", "2002:7f00:1::", true},
        {"private", "2002:808:808::1", false},
        {"private", "2001::1", true},
        {"private", "2001:db8::1", true},
        {"private", "fe80::1%eth0", true},
        {"private", "fd00::1", true},
        {"private", "ff02::1", true},
        {"private", "5f00::1", true},
        {"8.8.8.0/24", "8.8.8.8", true},
        {"8.8.8.0/24", "::ffff:8.8.8.8", true},
        {"8.8.8.0/24", "64:ff9b::808:808", true},
        {"8.8.8.0/24", "2002:808:808::1", true},
        {"8.8.8.0/24", "8.8.9.8", false},
        {"8.8.8.8", "8.8.8.8", true},
        {"0.0.0.0/0", "9.9.9.9", true},
        {"::/0", "2606:4700::1111", true},
        {"2606:4700::/32", "2606:4700::1111", true},
        {"2606:4700::/32", "2606:4701::1111", false},
        {"::ffff:9.0.0.0/104", "9.1.1.1", true},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_policy *p = policy_of(NULL, cases[i].block);
        struct bx_ip ip;
        assert_true(bx_ip_parse(bx_str(cases[i].ip), &ip));
        int r = bx_policy_check_ip(p, &ip, false, NULL);
        if (r != (cases[i].blocked ? BX_ERR_DENIED : 0)) {
            fail_msg("%s with block_networks %s: %s", cases[i].ip,
                     cases[i].block ? cases[i].block : "(nothing)", bx_err_name(r));
        }
        bx_policy_free(p);
    }
}

static void denial_says_what_would_allow_it(void **state) {
    (void)state;
    struct bx_policy *p = policy_of("https://example.com", NULL);
    struct bx_err err;
    assert_int_equal(bx_policy_check_host(p, BX_STR_LIT("http"), BX_STR_LIT("Other.org"), 81, &err),
                     BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "\"http://other.org:81\""));
    // what it says is taken, and allows it
    struct bx_policy *q = policy_of("http://other.org:81", NULL);
    assert_int_equal(bx_policy_check_host(q, BX_STR_LIT("http"), BX_STR_LIT("Other.org"), 81, NULL),
                     0);
    assert_int_equal(bx_policy_check_host(p, BX_STR_LIT("http"), BX_STR_LIT("::1"), 81, &err),
                     BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "\"http://[::1]:81\""));
    bx_policy_free(p);
    bx_policy_free(q);
}

static void hosts_that_cannot_be_checked(void **state) {
    (void)state;
    struct bx_policy *p = policy_of("*://*:*", NULL);
    static const char *const bad[] = {"",   "a b",  "a\nb", "a/b", "a%00b",
                                      "..", "a..b", "[::1", "a@b", "a:1"};
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        assert_int_equal(bx_policy_check_host(p, BX_STR_LIT("http"), bx_str(bad[i]), 80, NULL),
                         BX_ERR_DENIED);
    }
    assert_int_equal(bx_policy_check_host(p, BX_STR_LIT("http"), bx_str_n("a\0b", 3), 80, NULL),
                     BX_ERR_DENIED);
    bx_policy_free(p);
}

/* A person's grant of an address lifts `private` for it; of a name it does not; a block by number
 * and a rule that denies stay. */
static void grants_and_denials(void **state) {
    (void)state;
    static const struct {
        const char *granted, *denied, *block, *host, *ip;
        uint16_t port;
        int host_result, ip_result;
    } cases[] = {
        {"http://127.0.0.1:81", NULL, "private", "127.0.0.1", "127.0.0.1", 81, 0, 0},
        {"http://127.0.0.1:81", NULL, "private", "127.0.0.1", "127.0.0.1", 82, BX_ERR_DENIED,
         BX_ERR_DENIED},
        {"http://127.0.0.1:81", NULL, "127.0.0.0/8", "127.0.0.1", "127.0.0.1", 81, 0,
         BX_ERR_DENIED},
        {"http://127.0.0.0/8", NULL, "private", "127.0.0.1", "127.0.0.1", 80, 0, BX_ERR_DENIED},
        {"http://localhost:81", NULL, "private", "localhost", "127.0.0.1", 81, 0, 0},
        {"http://a.example", NULL, "private", "a.example", "127.0.0.1", 80, 0, BX_ERR_DENIED},
        {"http://self", NULL, "private", "127.0.0.1", "127.0.0.1", 30001, 0, 0},
        {"http://self", NULL, "private", "127.0.0.1", "127.0.0.1", 30002, BX_ERR_DENIED,
         BX_ERR_DENIED},
        {"http://self", NULL, "127.0.0.1", "127.0.0.1", "127.0.0.1", 30001, 0, BX_ERR_DENIED},
        {"*://*:*", NULL, "private", "127.0.0.1", "127.0.0.1", 81, 0, BX_ERR_DENIED},
        {"*://*:*", "*://*.example:*", "private", "a.example", "8.8.8.8", 80, BX_ERR_DENIED, 0},
        {"*://*:*", "*://*.example:*", "private", "example", "8.8.8.8", 80, 0, 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_policy_config config = {.granted_hosts = &cases[i].granted,
                                          .granted_host_count = 1,
                                          .denied_hosts = &cases[i].denied,
                                          .denied_host_count = cases[i].denied != NULL,
                                          .block_networks = &cases[i].block,
                                          .block_network_count = 1,
                                          .self_port = 30001};
        struct bx_policy *p = NULL;
        struct bx_ip ip;
        assert_int_equal(bx_policy_new(&config, &p, NULL), 0);
        assert_true(bx_ip_parse(bx_str(cases[i].ip), &ip));
        struct bx_str http = BX_STR_LIT("http"), host = bx_str(cases[i].host);
        bool lifted = bx_policy_lifts_private(p, http, host, cases[i].port);
        if (bx_policy_check_host(p, http, host, cases[i].port, NULL) != cases[i].host_result ||
            bx_policy_check_ip(p, &ip, lifted, NULL) != cases[i].ip_result)
            fail_msg("case %zu: %s at %s", i, cases[i].host, cases[i].ip);
        bx_policy_free(p);
    }
}

/* A wider grant beside an exact one neither lifts nor hides it. */
static void exact_among_wider(void **state) {
    (void)state;
    const char *granted[] = {"*://*:*", "http://127.0.0.1:81"};
    struct bx_policy_config config = {.granted_hosts = granted, .granted_host_count = 2};
    struct bx_policy *p = NULL;
    assert_int_equal(bx_policy_new(&config, &p, NULL), 0);
    assert_true(bx_policy_lifts_private(p, BX_STR_LIT("http"), BX_STR_LIT("127.0.0.1"), 81));
    assert_false(bx_policy_lifts_private(p, BX_STR_LIT("http"), BX_STR_LIT("127.0.0.1"), 82));
    bx_policy_free(p);
}

static void entries(void **state) {
    (void)state;
    static const struct {
        const char *scheme, *host;
        uint16_t port;
        const char *entry;
    } cases[] = {
        {"https", "Example.com.", 443, "https://example.com"},
        {"http", "example.com", 443, "http://example.com:443"},
        {"http", "0x7f.1", 80, "http://127.0.0.1"},
        {"http", "::1", 8080, "http://[::1]:8080"},
        {"http", "a b", 80, NULL},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_freep) char *entry =
            bx_policy_entry(bx_str(cases[i].scheme), bx_str(cases[i].host), cases[i].port);
        if (!cases[i].entry) {
            assert_null(entry);
            continue;
        }
        assert_string_equal(entry, cases[i].entry);
        struct bx_policy *p = policy_of(entry, NULL); /* it is an entry, and allows what it names */
        assert_int_equal(bx_policy_check_entry(p, entry, NULL), 0);
        assert_int_equal(bx_policy_check_entry(p, "https://other.example:1", NULL), BX_ERR_DENIED);
        bx_policy_free(p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts),
        cmocka_unit_test(bad_entries),
        cmocka_unit_test(networks),
        cmocka_unit_test(denial_says_what_would_allow_it),
        cmocka_unit_test(hosts_that_cannot_be_checked),
        cmocka_unit_test(grants_and_denials),
        cmocka_unit_test(exact_among_wider),
        cmocka_unit_test(entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
