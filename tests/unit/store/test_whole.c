/* What is done with whole sessions: deleting with undo, copies, search, totals. */
#include "unit/store/fixture.h"

#include "base/id.h"
#include "store/fork.h"
#include "store/place.h"
#include "store/search.h"
#include "store/usage.h"

static struct bx_session *make(struct fixture *f, const char *title, const char *parent) {
    struct bx_session_header h = {
        .title = title, .model = "p/m", .kind = parent ? "executor" : "chat"};
    struct bx_session *s = NULL;
    if (parent)
        memcpy(h.parent.session, parent, sizeof h.parent.session);
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    return s;
}

static const char *id_of(struct bx_session *s) {
    return bx_session_header(s)->id;
}

static void add(struct bx_session *s, const char *type, const char *body) {
    struct bx_err err = {0};
    if (bx_session_append(s, type, bx_str(body), BX_BATCHED, NULL, &err) < 0)
        fail_msg("%s", err.msg);
}

static size_t count(struct fixture *f, const char *parent) {
    struct bx_session_list l;
    assert_int_equal(
        bx_store_list(f->store, &(struct bx_session_filter){.parent = parent}, 100, &l, NULL), 0);
    size_t n = l.n;
    bx_session_list_deinit(&l);
    return n;
}

/* ---- places ---- */

static void test_a_tree_goes_and_comes_back(void **state) {
    struct fixture *f = *state;
    char root[37], child[37], grandchild[37], other[37];
    struct bx_session *s = make(f, "manager", NULL), *c = make(f, "one", id_of(s)),
                      *g = make(f, "two", id_of(c)), *o = make(f, "other", NULL);
    memcpy(root, id_of(s), 37);
    memcpy(child, id_of(c), 37);
    memcpy(grandchild, id_of(g), 37);
    memcpy(other, id_of(o), 37);
    add(g, "run_start", "{\"run\":\"r\"}");
    assert_int_equal(bx_store_trash(f->store, root, NULL), BX_ERR_BUSY); /* none of them went */
    assert_int_equal(count(f, NULL), 4);
    add(s, "pin", "{\"pinned\":true}");
    add(g, "run_end", "{\"run\":\"r\"}");
    assert_int_equal(bx_store_trash(f->store, root, NULL), 0);
    assert_int_equal(count(f, NULL), 1);
    assert_int_equal(
        bx_session_append(s, "title", bx_str("{\"title\":\"x\"}"), BX_DURABLE, NULL, NULL),
        BX_ERR_NOTFOUND);
    struct bx_session_list l;
    assert_int_equal(bx_store_place_list(f->store, BX_PLACE_TRASH, INT64_MAX, &l, NULL), 0);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.rows[2].title, "manager");
    bx_session_list_deinit(&l);
    bx_session_unref(s);
    bx_session_unref(c);
    bx_session_unref(g);
    bx_session_unref(o);
    assert_int_equal(bx_store_restore(f->store, other, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(bx_store_restore(f->store, root, NULL), 0);
    assert_int_equal(bx_store_restore(f->store, root, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(count(f, NULL), 4);
    assert_int_equal(count(f, root), 1);
    assert_int_equal(count(f, child), 1);
    struct bx_session_row row;
    assert_int_equal(bx_store_row(f->store, root, &row, NULL), 0);
    assert_true(row.pinned);
    bx_session_row_deinit(&row);
    assert_int_equal(bx_session_open(f->store, grandchild, &s, NULL), 0);
    add(s, "title", "{\"title\":\"goes on\"}");
    bx_session_unref(s);

    assert_int_equal(bx_store_archive(f->store, root, NULL), 0);
    assert_int_equal(count(f, NULL), 1);
    assert_int_equal(bx_store_restore(f->store, root, NULL), 0);
    assert_int_equal(count(f, NULL), 4);
    assert_int_equal(bx_store_purge(f->store, BX_PLACE_TRASH, root, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(bx_store_purge(f->store, BX_PLACE_SESSIONS, root, NULL), BX_ERR_DENIED);
    assert_int_equal(bx_store_trash(f->store, root, NULL), 0);
    assert_int_equal(bx_store_purge(f->store, BX_PLACE_TRASH, root, NULL), 0);
    assert_int_equal(bx_store_restore(f->store, root, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(bx_store_restore(f->store, grandchild, NULL), BX_ERR_NOTFOUND);
}

/* A crash between two files of a tree: the session stands where it was, the same call ends the
 * move. */
static void test_half_a_move_is_ended_by_the_next(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f, "manager", NULL), *c = make(f, "one", id_of(s));
    char root[37], child[37];
    memcpy(root, id_of(s), 37);
    memcpy(child, id_of(c), 37);
    bx_session_unref(s);
    bx_session_unref(c);
    assert_int_equal(bx_store_trash(f->store, child, NULL), 0);
    assert_int_equal(bx_store_trash(f->store, root, NULL), 0);
    assert_int_equal(bx_store_restore(f->store, child, NULL), 0);
    assert_int_equal(count(f, NULL), 1);
    assert_int_equal(bx_store_restore(f->store, root, NULL), 0);
    assert_int_equal(count(f, root), 1);
}

/* ---- copies ---- */

static char *events_of(struct bx_session *s) {
    struct bx_buf lines = BX_BUF_INIT(BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    while (bx_session_read(s, &cursor, BX_MIB, &lines, NULL) > 0) {
    }
    bx_buf_addz(&lines, "");
    return bx_buf_steal(&lines);
}

static void test_fork(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f, "talk", NULL), *copy = NULL;
    add(s, "run_start", "{\"run\":\"r1\"}");
    add(s, "user", "{\"run\":\"r1\",\"text\":\"hello\"}");
    add(s, "pin", "{\"pinned\":true}");
    add(s, "assistant",
        "{\"run\":\"r1\",\"text\":\"\",\"calls\":[{\"id\":\"a\",\"tool\":\"read\",\"input\":{}},"
        "{\"id\":\"b\",\"tool\":\"write\",\"input\":{}}]}");
    add(s, "tool_result",
        "{\"run\":\"r1\",\"call\":\"a\",\"tool\":\"read\",\"content\":\"long text\"}");
    add(s, "queued", "{\"id\":\"q1\",\"text\":\"later\"}");
    add(s, "tool_result",
        "{\"run\":\"r1\",\"call\":\"b\",\"tool\":\"write\",\"content\":\"done\"}");
    add(s, "run_end", "{\"run\":\"r1\",\"reason\":\"done\"}");
    assert_int_equal(bx_session_fork(f->store, s, 9, &copy, NULL), BX_ERR_INVALID);
    assert_int_equal(bx_session_fork(f->store, s, 6, &copy, NULL),
                     0); /* in the middle of the run */
    assert_string_equal(bx_session_header(copy)->forked_from.session, id_of(s));
    assert_int_equal(bx_session_header(copy)->forked_from.seq, 6);
    assert_false(bx_session_pinned(copy));
    bx_auto(bx_freep) char *old = events_of(s), *new = events_of(copy);
    /* what came before the pin is the same to the byte */
    size_t same = (size_t)(strstr(old, "\"type\":\"pin\"") - old) - 40;
    while (old[same] != '\n')
        same--;
    assert_memory_equal(old, new, same + 1);
    assert_non_null(strstr(new, "{\"seq\":3,"));
    assert_non_null(strstr(new, "\"type\":\"gap\"}"));
    assert_non_null(strstr(new, "long text"));
    assert_non_null(strstr(new, "\"type\":\"unqueue\",\"id\":\"q1\""));
    assert_non_null(strstr(new, "\"call\":\"b\",\"tool\":\"write\",\"content\":\"Not known here"));
    assert_null(strstr(new, "\"call\":\"a\",\"tool\":\"read\",\"content\":\"Not known"));
    assert_non_null(strstr(new, "\"type\":\"run_end\",\"run\":\"r1\",\"reason\":\"interrupted\""));
    assert_int_equal(bx_session_last_seq(copy), 10);
    struct bx_session_row row;
    assert_int_equal(bx_store_row(f->store, id_of(copy), &row, NULL), 0);
    assert_string_equal(row.title, "talk (copy)");
    assert_false(row.open_run);
    assert_string_equal(row.forked_from.session, id_of(s));
    bx_session_row_deinit(&row);
    add(copy, "user", "{\"text\":\"more\"}");
    bx_session_unref(copy);
    assert_int_equal(bx_session_fork(f->store, s, 0, &copy, NULL),
                     0); /* all of it: nothing to close */
    assert_int_equal(bx_session_last_seq(copy), 10);
    assert_int_equal(count(f, NULL), 3);
    bx_session_unref(copy);
    bx_session_unref(s);
}

/* ---- search ---- */

static struct bx_search search(struct fixture *f, const char *text, const char *before,
                               size_t limit) {
    struct bx_search found;
    struct bx_session_filter filter = {.title = text, .before = before, .kind = "chat"};
    assert_int_equal(bx_store_search(f->store, &filter, limit, 0, NULL, &found, NULL), 0);
    return found;
}

static void test_search(void **state) {
    struct fixture *f = *state;
    struct bx_session *s[5];
    static const char *const titles[] = {"alpha", "beta", "gamma", "delta", "needle in the title"};
    for (int i = 0; i < 5; i++)
        s[i] = make(f, titles[i], NULL);
    add(s[0], "user",
        "{\"text\":\"before it stands a \\\"quoted\\\"\\nNEEDLE, and \\u00e4 behind\"}");
    add(s[1], "model", "{\"model\":\"needle\"}"); /* no text */
    add(s[2], "tool_result",
        "{\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"text\",\"text\":\"a "
        "needle\"}]}");
    struct bx_buf huge = BX_BUF_INIT(8 * BX_MIB);
    bx_buf_addz(&huge, "{\"text\":\"");
    for (int i = 0; i < 100000; i++)
        bx_buf_addz(&huge, "hay hay nee ");
    bx_buf_addz(&huge, "Needle\"}");
    add(s[3], "assistant", bx_buf_z(&huge)); /* longer than what is read at once */
    bx_buf_deinit(&huge);
    struct bx_search found = search(f, "needle", NULL, 10);
    assert_int_equal(found.n, 4);
    assert_false(found.more);
    assert_string_equal(found.hits[0].row.title, "needle in the title");
    assert_int_equal(found.hits[0].n, 0);
    assert_int_equal(found.hits[1].n, 1);
    assert_int_equal(found.hits[1].said[0].seq, 1);
    assert_non_null(strstr(found.hits[1].said[0].text, "nee Needle"));
    assert_true(strlen(found.hits[1].said[0].text) < 200);
    assert_string_equal(found.hits[2].said[0].text, "a needle");
    assert_string_equal(found.hits[3].said[0].text,
                        "before it stands a \"quoted\" NEEDLE, and ä behind");
    bx_search_deinit(&found);
    found = search(f, "\"quoted\"\nneedle", NULL, 10);
    assert_int_equal(found.n, 1);
    bx_search_deinit(&found);
    char before[37] = "";
    for (int i = 0; i < 4; i++) { /* one at a time */
        found = search(f, "needle", i ? before : NULL, 1);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.more, i < 3);
        memcpy(before, found.next, 37);
        bx_search_deinit(&found);
    }
    struct bx_cancel *stop = bx_cancel_new(NULL);
    bx_cancel_fire(stop, "enough");
    assert_int_equal(bx_store_search(f->store, &(struct bx_session_filter){.title = "needle"}, 10,
                                     0, stop, &found, NULL),
                     BX_ERR_CANCELLED);
    bx_cancel_unref(stop);
    for (int i = 0; i < 5; i++)
        bx_session_unref(s[i]);
}

/* The first three events of a session that say it, each once; the case of no letter matters. */
static void test_search_says_where(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f, "Über die Straße", NULL), *other = make(f, "", NULL);
    add(s, "user", "{\"text\":\"Ärger mit Äpfeln, ärger mit Birnen\"}");
    add(s, "usage", "{\"model\":\"ärger\"}");
    add(s, "assistant", "{\"text\":\"kein ÄRGER\"}");
    add(s, "user", "{\"text\":\"nichts\"}");
    add(s, "assistant", "{\"text\":\"ärger\"}");
    add(s, "assistant", "{\"text\":\"noch ein Ärger\"}");
    add(other, "user", "{\"text\":\"ПРИВЕТ\"}");
    struct bx_search found = search(f, "äRGER", NULL, 10);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.hits[0].n, BX_SEARCH_SAID_MAX);
    static const uint64_t seqs[] = {1, 3, 5};
    for (size_t i = 0; i < BX_ARRAY_LEN(seqs); i++)
        assert_int_equal(found.hits[0].said[i].seq, seqs[i]);
    assert_string_equal(found.hits[0].said[1].text, "kein ÄRGER");
    bx_search_deinit(&found);
    found = search(f, "привет", NULL, 10);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.hits[0].said[0].text, "ПРИВЕТ");
    bx_search_deinit(&found);
    found = search(f, "ÜBER", NULL, 10);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.hits[0].n, 0);
    bx_search_deinit(&found);
    struct bx_session_list l = {0};
    assert_int_equal(
        bx_store_list(f->store, &(struct bx_session_filter){.title = "üBER"}, 10, &l, NULL), 0);
    assert_int_equal(l.n, 1);
    bx_session_list_deinit(&l);
    bx_session_unref(s);
    bx_session_unref(other);
}

/* ---- totals ---- */

static void test_usage(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f, "", NULL);
    add(s, "run_start", "{\"run\":\"r1\",\"model\":\"p/a\"}");
    add(s, "usage",
        "{\"run\":\"r1\",\"input_tokens\":10,\"output_tokens\":-1,\"cached_tokens\":4,\"ms\":7,"
        "\"cost\":0.25}");
    add(s, "tool_result", "{\"run\":\"r1\",\"tool\":\"read\",\"is_error\":true,\"ms\":5}");
    add(s, "run_end", "{\"run\":\"r1\",\"reason\":\"done\",\"ms\":100}");
    add(s, "run_start", "{\"run\":\"r2\",\"model\":\"p/b\"}");
    add(s, "usage",
        "{\"run\":\"r2\",\"input_tokens\":20,\"output_tokens\":3,\"ms\":9,\"cost\":null}");
    add(s, "tool_result", "{\"run\":\"r2\",\"tool\":\"read\",\"ms\":6}");
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    struct bx_session *e = make(f, "executor", id_of(s)), *deep = make(f, "deeper", id_of(e));
    add(e, "usage", "{\"input_tokens\":100,\"output_tokens\":10,\"cost\":1.5}");
    add(deep, "usage", "{\"input_tokens\":1000,\"output_tokens\":1}");
    bx_session_unref(e);
    bx_session_unref(deep);
    assert_int_equal(bx_session_usage(f->store, s, &w, NULL), 0);
    bx_auto(bx_freep) char *text = bx_buf_steal(&out);
    for (char *t = strstr(text, "\"t\":\""); t; t = strstr(t + 1, "\"t\":\""))
        memset(t + 5, 'T', 24);
    assert_string_equal(
        text,
        "{\"input_tokens\":30,\"output_tokens\":3,\"cached_tokens\":4,\"cost\":0.25,\"turns\":2,"
        "\"unpriced\":1,\"calls\":2,\"ms\":100,"
        "\"by_model\":[{\"model\":\"p/"
        "a\",\"input_tokens\":10,\"output_tokens\":0,\"cached_tokens\":4,\"cost\":0.25,\"turns\":1,"
        "\"ms\":7},{\"model\":\"p/"
        "b\",\"input_tokens\":20,\"output_tokens\":3,\"cached_tokens\":0,\"cost\":null,\"turns\":1,"
        "\"ms\":9}],\"by_tool\":[{\"tool\":\"read\",\"calls\":2,\"errors\":1,\"ms\":11}],\"runs\":["
        "{\"run\":\"r1\",\"t\":\"TTTTTTTTTTTTTTTTTTTTTTTT\",\"reason\":\"done\",\"input_tokens\":"
        "10,\"output_tokens\":0,"
        "\"cached_tokens\":4,\"cost\":0.25,\"turns\":1,\"ms\":100},"
        "{\"run\":\"r2\",\"t\":\"TTTTTTTTTTTTTTTTTTTTTTTT\",\"reason\":null,\"input_tokens\":20,"
        "\"output_tokens\":3,"
        "\"cached_tokens\":0,\"cost\":null,\"turns\":1,\"ms\":9}],\"executors\":{\"sessions\":2,"
        "\"input_tokens\":1100,\"output_tokens\":11,\"cost\":1.5}}");
    bx_session_unref(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_tree_goes_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_move_is_ended_by_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fork, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search_says_where, setup, teardown),
        cmocka_unit_test_setup_teardown(test_usage, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
