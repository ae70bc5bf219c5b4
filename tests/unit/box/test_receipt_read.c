/* The last receipts, newest first, whatever else is in the files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/file.h"
#include "base/path.h"
#include "box/receipt_read.h"

static char dir[32];

static int set_up(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-receipts-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

static void put(const char *name, struct bx_str text) {
    char *path = bx_path_join(dir, name);
    assert_int_equal(bx_file_write_atomic(path, text, 0600, NULL), 0);
    bx_free(path);
}

static void expect(const char *tool, size_t max, const char *wanted) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_receipts_recent(dir, tool, max, &w);
    assert_string_equal(bx_buf_z(&out), wanted);
}

static void test_newest_first_over_days(void **state) {
    (void)state;
    put("2026-11-25.jsonl", BX_STR_LIT("{\"tool\":\"a\",\"n\":1}\n{\"tool\":\"b\",\"n\":2}\n"));
    put("2026-11-26.jsonl", BX_STR_LIT("{\"tool\":\"a\",\"n\":3}\n{\"tool\":\"a\",\"n\":4}\n"));
    put("notes.txt", BX_STR_LIT("{\"tool\":\"a\",\"n\":9}\n"));
    expect(NULL, 10,
           "[{\"tool\":\"a\",\"n\":4},{\"tool\":\"a\",\"n\":3},{\"tool\":\"b\",\"n\":2},{\"tool\":"
           "\"a\",\"n\":1}]");
    expect("a", 2, "[{\"tool\":\"a\",\"n\":4},{\"tool\":\"a\",\"n\":3}]");
    expect("b", 2, "[{\"tool\":\"b\",\"n\":2}]");
    expect("c", 2, "[]");
}

static void test_what_cannot_be_read_is_left_out(void **state) {
    (void)state;
    put("2026-11-26.jsonl",
        BX_STR_LIT("{\"tool\":\"a\",\"n\":1}\nnot "
                   "json\n\n[1]\n{\"tool\":\"a\",\"n\":2}\n{\"tool\":\"a\",\"to"));
    expect("a", 10, "[{\"tool\":\"a\",\"n\":2},{\"tool\":\"a\",\"n\":1}]");
}

static void test_no_folder(void **state) {
    (void)state;
    assert_int_equal(rmdir(dir), 0);
    expect(NULL, 10, "[]");
}

/* Lines that lie over the border of the pieces in which a file is read are read once. */
static void test_a_long_file(void **state) {
    (void)state;
    struct bx_buf text = BX_BUF_INIT(8 * BX_MIB);
    for (int i = 0; i < 30000; i++)
        bx_buf_addf(&text, "{\"tool\":\"%s\",\"pad\":\"%0100d\"}\n",
                    i % 10000 == 0 ? "rare" : "often", i);
    put("2026-11-26.jsonl", bx_buf_str(&text));
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(8 * BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_receipts_recent(dir, "rare", 10, &w);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&out), NULL, &doc, NULL), 0);
    assert_int_equal(bx_val_len(bx_doc_root(doc)), 3);
    bx_buf_reset(&out);
    bx_jw_init(&w, &out);
    bx_receipts_recent(dir, "often", 29000, &w);
    bx_auto(bx_doc_freep) struct bx_doc *all = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&out), NULL, &all, NULL), 0);
    assert_int_equal(bx_val_len(bx_doc_root(all)), 29000);
    bx_buf_deinit(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_newest_first_over_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_read_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_long_file, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
