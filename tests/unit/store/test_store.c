/* The state folder: one owner, the list and its index, settings and secrets, the trash. */
#include "unit/store/fixture.h"
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/id.h"
#include "json/write.h"
#include "store/place.h"
#include "store/session.h"

static void restart(struct fixture *f) {
    bx_store_close(f->store);
    start(f);
}

static void make(struct fixture *f, const char *title, char id[37]) {
    struct bx_session_header h = {.title = title, .model = "p/m"};
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    memcpy(id, bx_session_header(s)->id, 37);
    bx_session_unref(s);
}

static void append(struct fixture *f, const char *id, const char *type, const char *body) {
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_open(f->store, id, &s, NULL), 0);
    assert_int_equal(bx_session_append(s, type, bx_str(body), BX_DURABLE, NULL, NULL), 0);
    bx_session_unref(s);
}

static struct bx_session_list list(struct fixture *f, const char *before, const char *query,
                                   size_t limit) {
    struct bx_session_list l = {0};
    assert_int_equal(bx_store_list(f->store,
                                   &(struct bx_session_filter){.before = before, .title = query},
                                   limit, &l, NULL),
                     0);
    return l;
}

static void spit(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(bx_write_all(fd, text, strlen(text)), 0);
    close(fd);
}

static void test_one_owner(void **state) {
    struct fixture *f = *state;
    struct bx_store *second = NULL;
    struct bx_err err = {0};
    char pid[32];
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    bx_store_set_url(f->store, "http://127.0.0.1:30001");
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &second, &err), BX_ERR_BUSY);
    assert_non_null(strstr(err.msg, pid));
    assert_non_null(strstr(err.msg, "http://127.0.0.1:30001"));
    assert_int_equal(bx_store_open(f->dir, BX_STORE_READER, &second, &err), 0);
    struct bx_session_header h = {0};
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_create(second, &h, &s, NULL), BX_ERR_DENIED);
    bx_store_close(second);
    restart(f); /* the lock goes with its owner */
}

static void test_private_files(void **state) {
    struct fixture *f = *state;
    char id[37];
    make(f, "", id);
    bx_settings_patch(f->store, NULL, NULL);
    const char *names[] = {"auth.json", "lock", "sessions"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        bx_auto(bx_freep) char *path = bx_asprintf("%s/%s", f->dir, names[i]);
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
    }
    bx_auto(bx_freep) char *path = bx_asprintf("%s/sessions/%s.jsonl", f->dir, id);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_list_order_and_pages(void **state) {
    struct fixture *f = *state;
    char ids[5][37];
    const char *titles[] = {"Alpha", "beta", "ALPHABET", "gamma", "delta"};
    for (int i = 0; i < 5; i++)
        make(f, titles[i], ids[i]);
    for (int again = 0; again < 2; again++) {
        struct bx_session_list l = list(f, NULL, NULL, 2);
        assert_int_equal(l.n, 2);
        assert_true(l.more);
        assert_string_equal(l.rows[0].id, ids[4]);
        assert_string_equal(l.rows[1].title, "gamma");
        bx_session_list_deinit(&l);
        l = list(f, ids[3], NULL, 10);
        assert_int_equal(l.n, 3);
        assert_false(l.more);
        assert_string_equal(l.rows[2].id, ids[0]);
        bx_session_list_deinit(&l);
        l = list(f, NULL, "alpha", 10);
        assert_int_equal(l.n, 2);
        assert_string_equal(l.rows[0].title, "ALPHABET");
        bx_session_list_deinit(&l);
        restart(f);
    }
    assert_int_equal(bx_store_list(f->store, &(struct bx_session_filter){.before = "nonsense"}, 1,
                                   &(struct bx_session_list){0}, NULL),
                     BX_ERR_INVALID);
}

/* What a header and the events say of kind, parent, pin, planner and tokens is in the row, also
 * when it comes from the index file or is made from the session's file again. */
static void test_rows_say_more(void **state) {
    struct fixture *f = *state;
    char manager[37], id[37];
    make(f, "manager", manager);
    struct bx_session_header h = {.title = "work", .kind = "executor", .agent = "explore"};
    memcpy(h.parent.session, manager, 37);
    snprintf(h.parent.run, sizeof h.parent.run, "%s", manager);
    snprintf(h.parent.call, sizeof h.parent.call, "call_1");
    memcpy(h.forked_from.session, manager, 37);
    h.forked_from.seq = 7;
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    memcpy(id, bx_session_header(s)->id, 37);
    bx_session_unref(s);
    append(f, id, "pin", "{\"pinned\":true}");
    append(f, id, "planner", "{\"planner\":true}");
    append(f, id, "usage", "{\"input_tokens\":10,\"output_tokens\":2,\"cost\":null}");
    struct bx_session_row row;
    assert_int_equal(bx_store_row(f->store, id, &row, NULL), 0);
    assert_false(row.cost_known);
    bx_session_row_deinit(&row);
    append(f, id, "usage", "{\"input_tokens\":30,\"output_tokens\":4,\"cost\":0.5}");
    for (int round = 0; round < 3; round++) {
        assert_int_equal(bx_store_row(f->store, id, &row, NULL), 0);
        assert_string_equal(row.kind, "executor");
        assert_string_equal(row.agent, "explore");
        assert_string_equal(row.parent.session, manager);
        assert_string_equal(row.parent.call, "call_1");
        assert_int_equal(row.forked_from.seq, 7);
        assert_true(row.pinned && row.planner && row.cost_known);
        assert_int_equal(row.input_tokens, 40);
        assert_int_equal(row.output_tokens, 6);
        assert_true(row.cost > 0.4 && row.cost < 0.6);
        bx_session_row_deinit(&row);
        assert_int_equal(bx_session_open(f->store, id, &s, NULL), 0);
        assert_string_equal(bx_session_header(s)->parent.run, manager);
        assert_string_equal(bx_session_header(s)->agent, "explore");
        assert_true(bx_session_pinned(s) && bx_session_planner(s));
        bx_session_unref(s);
        static const struct {
            const char *kind;
            bool parent, pinned;
            size_t n;
        } cases[] = {{NULL, false, false, 2},       {"chat", false, false, 1},
                     {"executor", false, false, 1}, {"chat", true, false, 0},
                     {NULL, true, false, 1},        {NULL, false, true, 1}};
        for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
            struct bx_session_filter filter = {.kind = cases[i].kind,
                                               .parent = cases[i].parent ? manager : NULL,
                                               .pinned = cases[i].pinned};
            struct bx_session_list l;
            assert_int_equal(bx_store_list(f->store, &filter, 10, &l, NULL), 0);
            assert_int_equal(l.n, cases[i].n);
            bx_session_list_deinit(&l);
        }
        if (round == 1) { /* an index of an earlier version says nothing */
            bx_store_close(f->store);
            bx_auto(bx_freep) char *path = bx_asprintf("%s/sessions/index", f->dir);
            bx_auto(bx_freep) char *old =
                bx_asprintf("{\"v\":1}\n{\"id\":\"%s\",\"title\":\"old\"}\n", id);
            spit(path, old);
            start(f);
        } else {
            restart(f);
        }
    }
}

static void test_row_follows_events(void **state) {
    struct fixture *f = *state;
    char id[37];
    make(f, "", id);
    append(f, id, "run_start", "{\"run\":\"r\"}");
    append(f, id, "user",
           "{\"text\":\"  What is in\\nnote.txt? "
           "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü\"}");
    struct bx_session_row row;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(bx_store_row(f->store, id, &row, NULL), 0);
        assert_true(bx_str_starts(bx_str(row.title), "What is in note.txt? ä"));
        assert_true(strlen(row.title) < 2 * 80);
        assert_true(row.open_run);
        assert_int_equal(row.events, 2);
        assert_true(row.updated_at_ms >= row.created_at_ms);
        bx_session_row_deinit(&row);
        restart(f);
    }
    append(f, id, "run_end", "{\"run\":\"r\"}");
    append(f, id, "title", "{\"title\":\"named\"}");
    assert_int_equal(bx_store_row(f->store, id, &row, NULL), 0);
    assert_string_equal(row.title, "named");
    assert_false(row.open_run);
    bx_session_row_deinit(&row);
    assert_int_equal(bx_store_row(f->store, "00000000-0000-7000-8000-000000000000", &row, NULL),
                     BX_ERR_NOTFOUND);
}

/* The index is believed only for files that are as they were. */
static void test_stale_index(void **state) {
    struct fixture *f = *state;
    char a[37], b[37], c[37];
    make(f, "a", a);
    make(f, "b", b);
    make(f, "c", c);
    bx_store_close(f->store);
    bx_auto(bx_freep) char *path_a = bx_asprintf("%s/sessions/%s.jsonl", f->dir, a);
    bx_auto(bx_freep) char *path_b = bx_asprintf("%s/sessions/%s.jsonl", f->dir, b);
    bx_auto(bx_freep) char *index = bx_asprintf("%s/sessions/index", f->dir);
    assert_true(bx_file_exists(index));
    int fd = open(path_a, O_WRONLY | O_APPEND);
    const char *line = "{\"seq\":1,\"t\":\"2026-11-23T21:31:05.123Z\",\"type\":\"title\",\"title\":"
                       "\"changed by hand\"}\n";
    assert_int_equal(bx_write_all(fd, line, strlen(line)), 0);
    close(fd);
    assert_int_equal(unlink(path_b), 0);
    start(f);
    struct bx_session_list l = list(f, NULL, NULL, 10);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.rows[0].title, "c");
    assert_string_equal(l.rows[1].title, "changed by hand");
    bx_session_list_deinit(&l);
    bx_store_close(f->store);
    spit(index, "{\"v\":1}\nnonsense\n{\"id\":3}\n\n{\"id\":\"");
    start(f);
    l = list(f, NULL, NULL, 10);
    assert_int_equal(l.n, 2);
    bx_session_list_deinit(&l);
    bx_store_close(f->store);
    spit(index, "");
    start(f);
    l = list(f, NULL, NULL, 10);
    assert_int_equal(l.n, 2);
    bx_session_list_deinit(&l);
}

static void test_bad_files_are_rows(void **state) {
    struct fixture *f = *state;
    char good[37], bad[37];
    make(f, "good", good);
    bx_id_new(bad);
    bx_store_close(f->store);
    bx_auto(bx_freep) char *path = bx_asprintf("%s/sessions/%s.jsonl", f->dir, bad);
    bx_auto(bx_freep) char *junk = bx_asprintf("%s/sessions/readme.txt", f->dir);
    bx_auto(bx_freep) char *folder =
        bx_asprintf("%s/sessions/00000000-0000-7000-8000-000000000000.jsonl", f->dir);
    spit(path, "not json\nat all");
    spit(junk, "x");
    assert_int_equal(mkdir(folder, 0700), 0);
    start(f);
    struct bx_session_list l = list(f, NULL, NULL, 10);
    assert_int_equal(l.n, 3);
    assert_string_equal(l.rows[0].id, bad);
    assert_true(l.rows[0].damaged);
    assert_true(l.rows[0].created_at_ms > bx_wall_ms() - 3600000);
    assert_false(l.rows[1].damaged);
    assert_true(l.rows[2].damaged);
    bx_session_list_deinit(&l);
}

/* Where a session stands is on the platter before anybody is told of it. */
static void test_places_last(void **state) {
    struct fixture *f = *state;
    char id[37];
    uint64_t before = bx_dir_syncs();
    make(f, "x", id);
    assert_int_equal(bx_dir_syncs(), before + 1);
    assert_int_equal(bx_store_trash(f->store, id, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 3);
    assert_int_equal(bx_store_restore(f->store, id, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 5);
    assert_int_equal(bx_store_archive(f->store, id, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 7);
    assert_int_equal(bx_store_purge(f->store, BX_PLACE_ARCHIVE, id, NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 8);
    assert_int_equal(bx_secret_set(f->store, "provider.x", "y", NULL), 0);
    assert_int_equal(bx_dir_syncs(), before + 9);
    bx_auto(bx_freep) char *fresh = bx_asprintf("%s/inner/state", f->dir);
    struct bx_store *other = NULL;
    before = bx_dir_syncs();
    assert_int_equal(bx_store_open(fresh, BX_STORE_OWNER, &other, NULL), 0);
    assert_true(bx_dir_syncs() >= before + 5); /* its five folders, and what it wrote */
    bx_store_close(other);
}

static void test_trash(void **state) {
    struct fixture *f = *state;
    char id[37], busy[37];
    make(f, "x", id);
    make(f, "y", busy);
    struct bx_session *open_one = NULL, *running = NULL;
    assert_int_equal(bx_session_open(f->store, id, &open_one, NULL), 0);
    assert_int_equal(bx_session_open(f->store, busy, &running, NULL), 0);
    assert_int_equal(
        bx_session_append(running, "run_start", BX_STR_LIT("{}"), BX_DURABLE, NULL, NULL), 0);
    assert_int_equal(bx_store_trash(f->store, busy, NULL), BX_ERR_BUSY);
    assert_int_equal(bx_store_trash(f->store, id, NULL), 0);
    assert_int_equal(bx_session_append(open_one, "usage", BX_STR_LIT("{}"), BX_DURABLE, NULL, NULL),
                     BX_ERR_NOTFOUND);
    bx_session_unref(open_one);
    bx_session_unref(running);
    assert_int_equal(bx_session_open(f->store, id, &open_one, NULL), BX_ERR_NOTFOUND);
    assert_int_equal(bx_store_trash(f->store, id, NULL), BX_ERR_NOTFOUND);
    bx_auto(bx_freep) char *kept = bx_asprintf("%s/trash/%s.jsonl", f->dir, id);
    assert_true(bx_file_exists(kept));
    struct bx_session_list l = list(f, NULL, NULL, 10);
    assert_int_equal(l.n, 1);
    bx_session_list_deinit(&l);
    restart(f);
    assert_int_equal(bx_store_trash(f->store, busy, NULL),
                     0); /* a crash left it open, nobody runs it */
}

static struct bx_doc *parse(const char *text) {
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    return doc;
}

static void test_settings(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_doc_freep) struct bx_doc *now = NULL;
    assert_int_equal(bx_settings_load(f->store, &now, NULL), 0);
    assert_int_equal(bx_val_len(bx_doc_root(now)), 0);
    bx_auto(bx_doc_freep) struct bx_doc *one =
        parse("{\"model\":\"a/b\",\"strange\":[1,2],\"mode\":\"auto\"}");
    bx_auto(bx_doc_freep) struct bx_doc *two = parse("{\"mode\":null,\"model\":\"c/d\"}");
    bx_auto(bx_doc_freep) struct bx_doc *wrong = parse("{\"limits\":3}");
    assert_int_equal(bx_settings_patch(f->store, bx_doc_root(one), NULL), 0);
    assert_int_equal(bx_settings_patch(f->store, bx_doc_root(two), NULL), 0);
    struct bx_err err = {0};
    assert_int_equal(bx_settings_patch(f->store, bx_doc_root(wrong), &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "limits"));
    bx_auto(bx_doc_freep) struct bx_doc *after = NULL;
    assert_int_equal(bx_settings_load(f->store, &after, NULL), 0);
    bx_auto(bx_doc_freep) struct bx_doc *want = parse("{\"strange\":[1,2],\"model\":\"c/d\"}");
    assert_true(bx_val_equal(bx_doc_root(after), bx_doc_root(want)));
    bx_auto(bx_freep) char *path = bx_asprintf("%s/settings.json", f->dir);
    spit(path, "{\"model\": 3}");
    assert_int_equal(bx_settings_load(f->store, &now, &err), BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "settings.json"));
    spit(path, "[]");
    assert_int_equal(bx_settings_load(f->store, &now, &err), BX_ERR_INVALID);
}

static void test_secrets(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_freep) char *token = bx_secret_get(f->store, "api_token");
    assert_non_null(token);
    assert_int_equal(strlen(token), 64);
    assert_int_equal(bx_secret_set(f->store, "provider.x", "s3cret", NULL), 0);
    restart(f);
    bx_auto(bx_freep) char *same = bx_secret_get(f->store, "api_token"),
                           *set = bx_secret_get(f->store, "provider.x");
    assert_string_equal(token, same);
    assert_string_equal(set, "s3cret");
    assert_false(bx_secrets_were_open(f->store));
    bx_auto(bx_freep) char *path = bx_asprintf("%s/auth.json", f->dir);
    chmod(path, 0640);
    restart(f);
    assert_true(bx_secrets_were_open(f->store));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(bx_secret_set(f->store, "provider.x", NULL, NULL), 0);
    assert_null(bx_secret_get(f->store, "provider.x"));
    spit(path, "{\"provider.y\": hunter2}");
    struct bx_err err = {0};
    assert_int_equal(bx_secret_set(f->store, "z", "v", &err), BX_ERR_DAMAGED);
    assert_null(strstr(err.msg, "hunter2"));
}

static void changed(void *user) {
    ++*(int *)user;
}

static void test_list_change(void **state) {
    struct fixture *f = *state;
    int n = 0;
    char id[37];
    bx_store_on_list_change(f->store, changed, &n);
    make(f, "", id);
    assert_int_equal(n, 1);
    append(f, id, "usage", "{}");
    assert_int_equal(n, 1);
    append(f, id, "run_start", "{}");
    append(f, id, "title", "{\"title\":\"t\"}");
    append(f, id, "question", "{}");
    append(f, id, "answer", "{}");
    assert_int_equal(n, 5); /* who waits stands in the list */
    append(f, id, "run_end", "{}");
    assert_int_equal(n, 6);
    bx_store_trash(f->store, id, NULL);
    assert_int_equal(n, 7);
    bx_store_on_list_change(f->store, NULL, NULL);
}

static void test_reader_of_nothing(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_freep) char *dir = bx_asprintf("%s/not-there", f->dir);
    struct bx_store *reader = NULL;
    assert_int_equal(bx_store_open(dir, BX_STORE_READER, &reader, NULL), 0);
    struct bx_session_list l;
    assert_int_equal(bx_store_list(reader, &(struct bx_session_filter){0}, 10, &l, NULL), 0);
    assert_int_equal(l.n, 0);
    bx_session_list_deinit(&l);
    bx_store_close(reader);
    assert_false(bx_file_exists(dir));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_private_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_order_and_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_say_more, setup, teardown),
        cmocka_unit_test_setup_teardown(test_row_follows_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stale_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_files_are_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_trash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reader_of_nothing, setup, teardown),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
