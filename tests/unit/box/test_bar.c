/* Which starts a bar stops, and its way to the worker and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "box/bar.h"

static const struct {
    const char *pattern;
    const char *argv[8];
    bool stops;
    const char *env;
} starts[] = {
    {"rm *", {"rm", "x"}, true, NULL},
    {"rm *", {"rm", "-rf", "/a b"}, true, NULL},
    {"rm -rf *", {"rm", "-rf", "x"}, true, NULL},
    {"rm -rf *", {"rm", "-r", "x"}, false, NULL},
    {"rm *", {"rmdir", "x"}, false, NULL},
    {"rm *", {"rm"}, false, NULL},
    {"rm*", {"rm"}, true, NULL},
    {"rm *", {"cp", "rm", "x"}, false, NULL},
    {"* /etc/*", {"cp", "a", "/etc/b"}, true, NULL},
    {"*", {"ls"}, true, NULL},
    {"", {"ls"}, false, NULL},
    /* a program is started by its name alone, whatever folder the rule names */
    {"/bin/rm *", {"rm", "x"}, true, NULL},
    {"*/rm *", {"rm", "x"}, true, NULL},
    {"/usr/*/rm *", {"rm", "x"}, true, NULL},
    {"/bin/*", {"rm", "x"}, false, NULL},
    {"cat /bin/rm", {"rm"}, false, NULL},
    /* what runs another is another */
    {"rm *", {"env", "rm", "x"}, false, NULL},
    {"rm *", {"sh", "-c", "rm x"}, false, NULL},
    {"sh *", {"sh", "-c", "rm x"}, true, NULL},
    /* a script is started as its shell */
    {"./go.sh *", {"bash", "./go.sh", "x"}, true, NULL},
    {"./go.sh", {"sh", "./go.sh"}, true, NULL},
    {"./go.sh", {"bash", "-e", "-o", "pipefail", "./go.sh"}, true, NULL},
    {"./go.sh", {"bash", "-c", "./go.sh"}, false, NULL},
    {"./go.sh", {"bash", "./other.sh", "./go.sh"}, false, NULL},
    {"./go.sh", {"cat", "./go.sh"}, false, NULL},
    /* a shell that goes on with its own line is no command of it */
    {"bash *", {"bash", "-c", "x"}, true, "HOME=/"},
    {"bash *", {"bash", "-c", "x"}, false, "BX_STATE=1"},
    {"bash*", {"bash"}, false, "BX_FEED=00"},
    {"bash *", {"bash", "x.sh"}, true, "BX_STATE=1"},
    {"bash *", {"bash", "-c", "x", "name"}, true, "BX_STATE=1"},
    {"sh *", {"sh", "-c", "x"}, true, "BX_STATE=1"},
};

static void test_find(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(starts); i++) {
        const struct bx_bar bars[] = {{"no such command", "", NULL}, {starts[i].pattern, "", NULL}};
        size_t argc = 0;
        while (starts[i].argv[argc]) {
            argc++;
        }
        size_t found =
            bx_bars_find(bars, 2, starts[i].argv, argc, &starts[i].env, starts[i].env != NULL);
        if (found != (starts[i].stops ? 1 : 2)) {
            fail_msg("row %zu: %s and %s …", i, starts[i].pattern, starts[i].argv[0]);
        }
        assert_int_equal(bx_bars_find(NULL, 0, starts[i].argv, argc, NULL, 0), 0);
    }
}

static void test_command(void **state) {
    (void)state;
    char longer[BX_BARRED_TEXT * 2];
    const char *plain[] = {"rm", "a b"}, *bad[] = {"rm", "\xff\xfe"}, *large[] = {"rm", longer};
    bx_auto(bx_freep) char *one = bx_bars_command(plain, 2), *two = bx_bars_command(bad, 2);
    assert_string_equal(one, "rm a b");
    assert_string_equal(two, "rm \xef\xbf\xbd\xef\xbf\xbd");
    for (size_t skip = 0; skip < 3; skip++) { /* never within a character */
        memset(longer, 'x', sizeof longer);
        for (size_t i = skip; i + 3 < sizeof longer; i += 3) {
            memcpy(longer + i, "\xe2\x82\xac", 3);
        }
        longer[sizeof longer - 4] = '\0';
        bx_auto(bx_freep) char *cut = bx_bars_command(large, 2);
        assert_true(strlen(cut) <= BX_BARRED_TEXT && strlen(cut) > BX_BARRED_TEXT - 4);
        assert_null(strstr(cut, "\xef\xbf\xbd"));
    }
}

static void test_there_and_back(void **state) {
    (void)state;
    const struct bx_bar bars[] = {{"rm *", "the rule a denies it", "a"}, {"", "", NULL}};
    struct bx_buf bytes = BX_BUF_INIT(BX_BARS_BYTES_MAX);
    struct bx_bar *got = NULL;
    size_t n = 0;
    bx_bars_encode(&bytes, bars, 2);
    assert_int_equal(bytes.size, bx_bars_bytes(bars, 2));
    assert_int_equal(bx_bars_decode(bx_buf_str(&bytes), &got, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_string_equal(got[0].pattern, "rm *");
    assert_string_equal(got[0].why, "the rule a denies it");
    assert_string_equal(got[1].pattern, "");
    bx_free(got);
    for (size_t cut = 1; cut < bytes.size; cut++) { /* a whole number of them is fine */
        bx_auto(bx_freep) char *copy = bx_memdup(bytes.p, cut);
        int r = bx_bars_decode(bx_str_n(copy, cut), &got, &n, NULL);
        assert_true(r == BX_ERR_PROTO ? !got && n == 0 : r == 0 && n == 1);
        bx_free(got);
    }
    bx_buf_deinit(&bytes);
}

static void test_env(void **state) {
    (void)state;
    const struct bx_bar bars[] = {{"rm *", "", NULL}, {"a%b\n\xc3\xa9", "", NULL}};
    bx_auto(bx_freep) char *env = bx_bars_env(bars, 2), *longer = bx_alloc(BX_BARS_BYTES_MAX);
    assert_string_equal(env, "BX_BARS=rm%20* a%25b%0A%C3%A9");
    assert_null(bx_bars_env(NULL, 0));
    memset(longer, ' ', BX_BARS_BYTES_MAX - 1);
    assert_null(bx_bars_env(&(struct bx_bar){longer, "", NULL}, 1));
}

static int decoded(const struct bx_barred *barred, size_t count, size_t bars, size_t cut) {
    struct bx_buf bytes = BX_BUF_INIT(BX_MIB);
    struct bx_barred *got = NULL;
    size_t n = 0;
    bx_barred_encode(&bytes, barred, count);
    bx_auto(bx_freep) char *copy = bx_memdup(bytes.p, bytes.size - cut);
    int r = bx_barred_decode(bx_str_n(copy, bytes.size - cut), bars, &got, &n, NULL);
    if (r == 0) {
        assert_int_equal(n, count);
        assert_string_equal(got[count - 1].command, barred[count - 1].command);
        assert_int_equal(got[count - 1].times, barred[count - 1].times);
    }
    bx_barred_free(got, n);
    bx_buf_deinit(&bytes);
    return r;
}

/* The worker is not trusted. */
static void test_barred(void **state) {
    (void)state;
    char longer[BX_BARRED_TEXT + 2] = {0}, good[] = "rm x", bad[] = "\xff";
    memset(longer, 'x', sizeof longer - 1);
    struct bx_barred one[BX_BARRED_MAX + 1];
    for (size_t i = 0; i < BX_ARRAY_LEN(one); i++) {
        one[i] = (struct bx_barred){.bar = 2, .times = 7, .command = good};
    }
    assert_int_equal(decoded(one, 1, 3, 0), 0);
    assert_int_equal(decoded(one, BX_BARRED_MAX, 3, 0), 0);
    assert_int_equal(decoded(one, BX_BARRED_MAX + 1, 3, 0), BX_ERR_PROTO);
    assert_int_equal(decoded(one, 1, 2, 0), BX_ERR_PROTO);
    assert_int_equal(decoded(one, 1, 3, 1), BX_ERR_PROTO);
    one[0].command = longer;
    assert_int_equal(decoded(one, 1, 3, 0), BX_ERR_PROTO);
    one[0].command = bad;
    assert_int_equal(decoded(one, 1, 3, 0), BX_ERR_PROTO);
    one[0] = (struct bx_barred){.bar = 2, .times = 0, .command = good};
    assert_int_equal(decoded(one, 1, 3, 0), BX_ERR_PROTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),   cmocka_unit_test(test_command),
        cmocka_unit_test(test_env),    cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_barred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
