#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "box/receipt.h"

static char *dir;

static int setup(void **state) {
    (void)state;
    char scratch[] = "/tmp/bx-receipt-XXXXXX";
    dir = bx_strdup(mkdtemp(scratch));
    return 0;
}

static int teardown(void **state) {
    (void)state;
    bx_dir_remove(dir, NULL);
    bx_free(dir);
    return 0;
}

static char *today(void) {
    char stamp[25];
    bx_time_format(bx_wall_ms(), stamp);
    return bx_asprintf("%s/%.10s.jsonl", dir, stamp);
}

static void append(struct bx_receipts *r, const char *tool) {
    char id[BX_ID_LEN + 1];
    struct bx_err err = {0};
    struct bx_grant grant;
    bx_grant_init(&grant);
    struct bx_receipt_host host = {
        .host = (char *)(uintptr_t) "example.org:443", .sent_bytes = 1, .denied = true};
    struct bx_receipt c = {
        .tool = tool,
        .input = BX_STR_LIT("the input"),
        .output = BX_STR_LIT("the output"),
        .granted = &grant,
        .hosts = &host,
        .host_count = 1,
        .limit = "time",
        .verdict = "stopped",
    };
    if (bx_receipts_append(r, &c, id, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_true(bx_id_is_valid(bx_str(id)));
}

static void verify(int want_code, size_t want_count, const char *want_message) {
    size_t count = 0;
    struct bx_err err = {0};
    assert_int_equal(bx_receipts_verify(dir, &count, &err), want_code);
    if (want_code == 0) {
        assert_int_equal(count, want_count);
    } else {
        assert_non_null(strstr(err.msg, want_message));
    }
}

static void test_chain(void **state) {
    (void)state;
    struct bx_receipts *a = NULL, *b = NULL; /* two processes */
    assert_int_equal(bx_receipts_open(dir, &a, NULL), 0);
    assert_int_equal(bx_receipts_open(dir, &b, NULL), 0);
    append(a, "one");
    append(b, "two");
    append(a, "three");
    append(a, "four");
    verify(0, 4, NULL);
    bx_receipts_close(a);
    bx_receipts_close(b);

    bx_auto(bx_freep) char *path = today();
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB), changed = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    assert_null(strstr(bx_buf_z(&text), "the input")); /* digests, no content */
    assert_non_null(strstr(bx_buf_z(&text), "\"limit\":\"time\",\"verdict\":\"stopped\""));
    assert_non_null(
        strstr(bx_buf_z(&text),
               "\"example.org:443\":{\"sent_bytes\":1,\"received_bytes\":0,\"denied\":true}"));

    /* one word of the second line changed: the third does not follow it */
    bx_buf_adds(&changed, bx_buf_str(&text));
    char *word = strstr(changed.p, "\"two\"");
    assert_non_null(word);
    memcpy(word, "\"TWO\"", 5);
    assert_int_equal(bx_file_write_atomic(path, bx_buf_str(&changed), 0600, NULL), 0);
    verify(BX_ERR_DAMAGED, 0, "line 3");
    /* the second line taken out: the same at line 2 */
    size_t first = (size_t)(strchr(text.p, '\n') - text.p) + 1;
    size_t second = (size_t)(strchr(text.p + first, '\n') - text.p) + 1;
    bx_buf_reset(&changed);
    bx_buf_add(&changed, text.p, first);
    bx_buf_add(&changed, text.p + second, text.size - second);
    assert_int_equal(bx_file_write_atomic(path, bx_buf_str(&changed), 0600, NULL), 0);
    verify(BX_ERR_DAMAGED, 0, "line 2");
    assert_int_equal(bx_file_write_atomic(path, bx_buf_str(&text), 0600, NULL), 0);
    verify(0, 4, NULL);
}

/* A crash in the middle of a line: what follows starts on a line of its own, and follows the torn
 * one. */
static void test_torn(void **state) {
    (void)state;
    struct bx_receipts *r = NULL;
    bx_auto(bx_freep) char *path = today();
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs("{\"id\":\"torn", f);
    fclose(f);
    assert_int_equal(bx_receipts_open(dir, &r, NULL), 0);
    append(r, "after");
    append(r, "and more");
    bx_receipts_close(r);
    verify(0, 7, NULL);
}

/* The first line of a day follows the last of the day before. */
static void test_days(void **state) {
    (void)state;
    struct bx_receipts *r = NULL;
    bx_auto(bx_freep) char *path = today(), *old = bx_path_join(dir, "2020-01-01.jsonl");
    assert_int_equal(rename(path, old), 0);
    assert_int_equal(bx_receipts_open(dir, &r, NULL), 0);
    append(r, "a new day");
    verify(0, 8, NULL);
    bx_receipts_close(r);
    FILE *f = fopen(old, "a"); /* something slipped in at the end of the old day */
    fputs("{\"previous\":\"\"}\n", f);
    fclose(f);
    verify(BX_ERR_DAMAGED, 0, "2020-01-01.jsonl");
}

static void *append_many(void *user) {
    for (int i = 0; i < 50; i++) {
        append(user, "thread");
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct bx_receipts *r = NULL;
    pthread_t threads[4];
    bx_dir_remove(dir, NULL);
    assert_int_equal(bx_receipts_open(dir, &r, NULL), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(bx_thread_start(&threads[i], "append", append_many, r, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    bx_receipts_close(r);
    verify(0, 200, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
