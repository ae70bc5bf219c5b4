/* Documents of any content: what is imported is a whole session that exports and imports again to
 * the same events; what is not leaves nothing behind. */
#include "fuzz/fuzz.h"

#include "base/id.h"
#include "store/export.h"
#include "store/import.h"

static void check(bool ok, const char *what) {
    if (!ok)
        bx_die("fuzz_import: %s", what);
}

static struct bx_store *store;

static void remove_store(void) {
    bx_auto(bx_freep) char *dir = bx_strdup(bx_store_dir(store));
    bx_store_close(store);
    bx_dir_remove(dir, NULL);
}

static void open_store(void) {
    static char dir[] = "/tmp/bx-fuzz-XXXXXX";
    struct bx_err err = {0};
    if (!mkdtemp(dir) || bx_store_open(dir, BX_STORE_OWNER, &store, &err) < 0)
        bx_die("fuzz_import: %s", err.msg);
    atexit(remove_store);
}

static struct bx_session *import(struct bx_str text) {
    struct bx_session *s = NULL;
    struct bx_warnings warnings;
    int rc = bx_session_import(store, text, "/", &s, &warnings, NULL);
    bx_warnings_deinit(&warnings);
    check((rc == 0) == (s != NULL), "a session or an error");
    return s;
}

static void read_all(struct bx_session *s, struct bx_buf *out) {
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    while ((n = bx_session_read(s, &cursor, 4096, out, NULL)) > 0) {
    }
    check(n == 0, "every event is read");
}

/* Executors that came along have another id each time. */
static void blank_ids(struct bx_buf *events) {
    struct bx_str key = BX_STR_LIT("\"executor\":\"");
    for (size_t at = 0, next; at < events->size; at += next + key.n) {
        struct bx_str rest = bx_str_slice(bx_buf_str(events), at, events->size);
        next = bx_str_find_str(rest, key);
        if (next == (size_t)-1)
            return;
        struct bx_str id = bx_str_slice(rest, next + key.n, 36);
        if (bx_id_is_valid(id))
            memset(events->p + at + next + key.n, 'x', id.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!store)
        open_store();
    bx_auto(bx_session_unrefp) struct bx_session *s = import(bx_str_n((const char *)data, size));
    if (!s)
        return 0;
    check(bx_session_damaged_lines(s) == 0, "no damaged lines");
    struct bx_session_row row;
    check(bx_store_row(store, bx_session_header(s)->id, &row, NULL) == 0, "it is in the list");
    check(!row.open_run && !row.damaged, "nothing is open");
    bx_session_row_deinit(&row);
    bx_auto(bx_buf_deinit) struct bx_buf one = BX_BUF_INIT(64 * BX_MIB),
                                         two = BX_BUF_INIT(64 * BX_MIB),
                                         document = BX_BUF_INIT(64 * BX_MIB),
                                         page = BX_BUF_INIT(64 * BX_MIB);
    check(bx_session_export_html(store, s, true, &page, NULL) == 0, "it is shown");
    check(bx_str_find_str(bx_buf_str(&page), BX_STR_LIT("<script")) == (size_t)-1, "as text");
    check(bx_session_export_json(store, s, true, &document, NULL) == 0, "it exports");
    bx_auto(bx_session_unrefp) struct bx_session *again = import(bx_buf_str(&document));
    check(again != NULL, "and imports");
    read_all(s, &one);
    read_all(again, &two);
    blank_ids(&one);
    blank_ids(&two);
    check(bx_str_eq(bx_buf_str(&one), bx_buf_str(&two)), "to the same events");
    return 0;
}
