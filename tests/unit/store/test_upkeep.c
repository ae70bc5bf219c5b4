/* What is done to the sessions' folder over the years: retention, and the check of its files. */
#include "unit/store/fixture.h"
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/id.h"
#include "store/fsck.h"
#include "store/place.h"
#include "store/retention.h"
#include "store/session.h"

#define DAY_MS (INT64_C(86400000))

static void add(struct fixture *f, const char *id, const char *type, const char *body) {
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_open(f->store, id, &s, NULL), 0);
    assert_int_equal(bx_session_append(s, type, bx_str(body), BX_BATCHED, NULL, NULL), 0);
    bx_session_unref(s);
}

static void make(struct fixture *f, const char *title, const char *parent, char id[static 37]) {
    struct bx_session_header h = {.title = title, .kind = parent ? "executor" : "chat"};
    struct bx_session *s = NULL;
    if (parent)
        memcpy(h.parent.session, parent, sizeof h.parent.session);
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    memcpy(id, bx_session_header(s)->id, 37);
    bx_session_unref(s);
}

/* ---- retention: the clock is an argument ---- */

static void expect_plan(struct fixture *f, struct bx_retention r, int64_t now_ms,
                        const char *archive, const char *remove) {
    struct bx_retention_plan p;
    struct bx_buf a = BX_BUF_INIT(1000), d = BX_BUF_INIT(1000);
    assert_int_equal(bx_retention_plan(f->store, &r, now_ms, &p, NULL), 0);
    for (size_t i = p.archive.n; i-- > 0;)
        bx_buf_addf(&a, "%s ", p.archive.rows[i].title);
    for (size_t i = p.remove.n; i-- > 0;)
        bx_buf_addf(&d, "%s ", p.remove.rows[i].title);
    assert_string_equal(bx_buf_z(&a), archive);
    assert_string_equal(bx_buf_z(&d), remove);
    bx_buf_deinit(&a);
    bx_buf_deinit(&d);
    bx_retention_plan_deinit(&p);
}

static void test_retention(void **state) {
    struct fixture *f = *state;
    char plain[37], pinned[37], busy[37], manager[37], child[37], trashed[37];
    make(f, "plain", NULL, plain);
    make(f, "pinned", NULL, pinned);
    make(f, "busy", NULL, busy);
    make(f, "manager", NULL, manager);
    make(f, "child", manager, child);
    make(f, "trashed", NULL, trashed);
    add(f, pinned, "pin", "{\"pinned\":true}");
    add(f, busy, "run_start", "{\"run\":\"r\"}");
    assert_int_equal(bx_store_trash(f->store, trashed, NULL), 0);
    int64_t now = bx_wall_ms();
    struct bx_retention never = {-1, -1}, both = {10, 30}, only_delete = {-1, 30};
    expect_plan(f, never, now + 10000 * DAY_MS, "", "");
    expect_plan(f, both, now + 9 * DAY_MS, "", "");
    expect_plan(f, both, now + 11 * DAY_MS, "plain manager ", "");
    expect_plan(f, both, now + 31 * DAY_MS, "", "trashed plain manager ");
    expect_plan(f, only_delete, now + 29 * DAY_MS, "", "");

    struct bx_retention_done done;
    assert_int_equal(bx_retention_apply(f->store, &both, now + 11 * DAY_MS, NULL, &done, NULL), 0);
    assert_int_equal(done.archived, 2);
    assert_int_equal(done.removed, 0);
    assert_true(bx_store_place_has(f->store, BX_PLACE_ARCHIVE, plain));
    assert_true(bx_store_place_has(f->store, BX_PLACE_ARCHIVE, child)); /* with its manager */
    assert_true(bx_store_place_has(f->store, BX_PLACE_SESSIONS, pinned));
    assert_true(bx_store_place_has(f->store, BX_PLACE_SESSIONS, busy));
    assert_int_equal(bx_store_restore(f->store, plain, NULL), 0); /* undo */
    assert_int_equal(bx_retention_apply(f->store, &both, now + 31 * DAY_MS, NULL, &done, NULL), 0);
    assert_int_equal(done.removed, 3);
    for (int place = 0; place < BX_PLACE_COUNT; place++) {
        const char *const gone[] = {plain, manager, child, trashed};
        for (size_t i = 0; i < BX_ARRAY_LEN(gone); i++)
            assert_false(bx_store_place_has(f->store, (enum bx_place)place, gone[i]));
    }
    assert_true(bx_store_place_has(f->store, BX_PLACE_SESSIONS, pinned));
    assert_true(bx_store_place_has(f->store, BX_PLACE_SESSIONS, busy));
}

/* A manager is as old as the youngest of its executors. */
static void test_retention_counts_from_the_last_event_of_the_tree(void **state) {
    struct fixture *f = *state;
    char manager[37], child[37];
    make(f, "manager", NULL, manager);
    make(f, "child", manager, child);
    add(f, child, "pin", "{\"pinned\":true}");
    struct bx_retention r = {1, -1};
    expect_plan(f, r, bx_wall_ms() + 5 * DAY_MS, "", "");
    add(f, child, "pin", "{\"pinned\":false}");
    expect_plan(f, r, bx_wall_ms() + 5 * DAY_MS, "manager ", "");
}

static void test_retention_settings(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text;
        int rc;
        int64_t archive, remove;
    } cases[] = {
        {"{}", 0, -1, -1},
        {"{\"retention\":null}", 0, -1, -1},
        {"{\"retention\":{}}", 0, -1, -1},
        {"{\"retention\":{\"archive_after_days\":90,\"delete_after_days\":null}}", 0, 90, -1},
        {"{\"retention\":{\"delete_after_days\":1}}", 0, -1, 1},
        {"{\"retention\":30}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_days\":0}}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_days\":-1}}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_days\":1.5}}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_days\":\"1\"}}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_days\":9999999}}", BX_ERR_INVALID, 0, 0},
        {"{\"retention\":{\"delete_after_day\":1}}", BX_ERR_INVALID, 0, 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        struct bx_retention r;
        assert_int_equal(bx_doc_parse(bx_str(cases[i].text), NULL, &doc, NULL), 0);
        assert_int_equal(bx_retention_read(bx_doc_root(doc), &r, NULL), cases[i].rc);
        assert_int_equal(bx_settings_patch(f->store, bx_doc_root(doc), NULL), cases[i].rc);
        if (cases[i].rc == 0) {
            assert_int_equal(r.archive_after_days, cases[i].archive);
            assert_int_equal(r.delete_after_days, cases[i].remove);
        }
    }
}

/* ---- the check ---- */

static void take(void *user, const struct bx_fsck_problem *p) {
    const char *name = strrchr(p->path, '/') + 1;
    bx_buf_addf(user, "%s:%d: %s\n",
                strstr(name, ".jsonl") ? "file"
                : name[0] == '.'       ? "left"
                                       : name,
                (int)p->line, p->text);
}

/* Everything that is said; *ret_kept: the folder of kept files. */
static char *fsck(struct fixture *f, bool repair, bool in_use, char **ret_kept) {
    struct bx_buf said = BX_BUF_INIT(BX_MIB);
    struct bx_fsck_options options = {.repair = repair, .in_use = in_use};
    struct bx_fsck_report report;
    struct bx_err err = {0};
    if (bx_store_fsck(f->store, &options, take, &said, &report, &err) < 0)
        fail_msg("%s", err.msg);
    if (ret_kept)
        *ret_kept = report.kept;
    else
        bx_free(report.kept);
    bx_buf_addz(&said, "");
    return bx_buf_steal(&said);
}

static char *path_of(struct fixture *f, const char *id) {
    return bx_asprintf("%s/sessions/%s.jsonl", f->dir, id);
}

static void spit(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(bx_write_all(fd, text, strlen(text)), 0);
    bx_fd_close(&fd);
}

#define T            "\"t\":\"2026-01-02T03:04:05.000Z\""
#define E(seq, more) "{\"seq\":" #seq "," T ",\"type\":" more "}\n"

/* `file` has the header of its id for "H". What is said; whether the session opens after the
 * repair; how many events it has. */
static const struct {
    const char *file, *says;
    int last_seq;
} damages[] = {
    {"H\n" E(1, "\"user\"") E(2, "\"usage\""), "", 2},
    {"H\n", "", 0},
    {"H\n" E(1, "\"user\"") "{\"seq\":2,\"ty", "file:3: is torn: 12 bytes without a line end\n", 1},
    {"H\n" E(1, "\"user\"") "garbage\n" E(3, "\"user\""),
     "file:3: is no JSON\nfile:4: event 2 is missing before it\n", 3},
    {"H\n" E(1, "\"user\"") E(5, "\"user\""), "file:3: events 2 to 4 are missing before it\n", 5},
    {"H\n" E(1, "\"user\"") E(1, "\"user\"") E(2, "\"usage\""),
     "file:3: has a seq that was there before\n", 2},
    {"H\n" E(1, "\"user\"") E(99999, "\"user\""),
     "file:3: has a seq that is far beyond the one before\n", 1},
    {"H\n{\"seq\":1}\n" E(1, "\"user\""), "file:2: is no event: it has no seq or no type\n", 1},
    {"H\n" E(1, "\"run_start\",\"run\":\"r\""),
     "file:2: run r has no end: the next start of the server closes it\n", 2},
    {"H\n" E(1, "\"run_start\",\"run\":\"r\"")
         E(2, "\"assistant\",\"run\":\"r\",\"calls\":[{\"id\":\"c\",\"tool\":\"read\"}]"),
     "file:3: run r has no end: the next start of the server closes it\n", 4},
    {"H\n" E(1, "\"run_start\",\"run\":\"r\"")
         E(2, "\"assistant\",\"run\":\"r\",\"calls\":[{\"id\":\"c\",\"tool\":\"read\"}]")
             E(3, "\"run_end\",\"run\":\"r\""),
     "file:3: the call c of read has no result\n", 4},
    {"H\n" E(1, "\"run_start\",\"run\":\"r\"") E(2, "\"question\",\"run\":\"r\""), "",
     2}, /* waits for a person */
    {"H\n" E(1, "\"run_start\",\"run\":\"r\"") E(2, "\"question\",\"run\":\"r\"") "x\n",
     "file:4: is no JSON\n", 2},
    {"", "file:0: is empty\n", 0},
    {"nonsense\n" E(1, "\"user\""), "file:1: is no header of a session\n", 1},
    {E(1, "\"user\"") E(2, "\"user\""),
     "file:1: is no header of a session\nfile:2: event 1 is missing before it\n", 2},
    {"{\"v\":1,\"id\":\"01234567-89ab-7cde-8123-456789abcdef\",\"title\":\"kept\"}\n" E(1,
                                                                                        "\"user\""),
     "file:1: names another session than the file's name does\n", 1},
    {"O\n" E(1, "\"user\""),
     "file:1: is an executor's session, and its manager's (01234567-89ab-7cde-8123-456789abcdef) "
     "is gone\n",
     1},
};

static char *with_header(const char *file, const char *id) {
    bool orphan = file[0] == 'O' && file[1] == '\n';
    if (!orphan && !(file[0] == 'H' && file[1] == '\n'))
        return bx_strdup(file);
    return bx_asprintf("{\"v\":1,\"id\":\"%s\",\"created_at\":\"2026-01-02T03:04:05.000Z\","
                       "\"title\":\"t\",\"kind\":\"%s\"%s}%s",
                       id, orphan ? "executor" : "chat",
                       orphan ? ",\"parent\":{\"session\":\"01234567-89ab-7cde-8123-456789abcdef\"}"
                              : "",
                       file + 1);
}

static void test_fsck_says_and_repairs(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < BX_ARRAY_LEN(damages); i++) {
        char id[37];
        bx_id_new(id);
        bx_auto(bx_freep) char *path = path_of(f, id), *text = with_header(damages[i].file, id);
        spit(path, text);
        bx_auto(bx_freep) char *said = fsck(f, false, false, NULL);
        assert_string_equal(said, damages[i].says);
        struct bx_buf same = BX_BUF_INIT(BX_MIB);
        assert_int_equal(bx_file_read(path, &same, NULL), 0);
        assert_string_equal(bx_buf_z(&same), text); /* it only looked */
        bx_buf_deinit(&same);
        char *kept = NULL;
        bx_free(fsck(f, true, false, &kept));
        assert_int_equal(kept != NULL, damages[i].says[0] != '\0');
        if (kept) {
            bx_auto(bx_freep) char *copy = bx_asprintf("%s/%s.jsonl", kept, id);
            struct bx_buf old = BX_BUF_INIT(BX_MIB);
            assert_int_equal(bx_file_read(copy, &old, NULL), 0);
            assert_string_equal(bx_buf_z(&old), text);
            bx_buf_deinit(&old);
            bx_free(kept);
        }
        bx_auto(bx_freep) char *after = fsck(f, false, false, NULL);
        assert_string_equal(after, "");
        struct bx_session *s = NULL;
        struct bx_err err = {0};
        if (bx_session_open(f->store, id, &s, &err) < 0)
            fail_msg("%zu: %s", i, err.msg);
        assert_int_equal(bx_session_last_seq(s), damages[i].last_seq);
        assert_int_equal(bx_session_damaged_lines(s), 0);
        assert_string_equal(bx_session_header(s)->kind, "chat");
        bx_session_unref(s);
        assert_int_equal(unlink(path), 0);
    }
}

static void test_fsck_beside_a_server(void **state) {
    struct fixture *f = *state;
    char id[37];
    bx_id_new(id);
    bx_auto(bx_freep) char *path = path_of(f, id);
    bx_auto(bx_freep) char *text =
        with_header("H\n" E(1, "\"run_start\",\"run\":\"r\"") "{\"half", id);
    spit(path, text);
    bx_auto(bx_freep) char *said = fsck(f, false, true, NULL);
    assert_string_equal(said, "");
    bx_auto(bx_freep) char *left = bx_asprintf("%s/sessions/.new-%s", f->dir, id);
    spit(left, "half");
    bx_auto(bx_freep) char *now = fsck(f, true, false, NULL);
    assert_non_null(strstr(now, "left:0: was left half written by a crash"));
    assert_false(bx_file_exists(left));
    spit(left, "half");
    bx_auto(bx_freep) char *others = bx_asprintf("%s/sessions/.gitignore", f->dir);
    spit(others, "index\n");
    bx_store_close(f->store); /* the next owner takes away what is half, and nothing else */
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
    assert_false(bx_file_exists(left));
    assert_true(bx_file_exists(others));
    bx_auto(bx_freep) char *after = fsck(f, false, false, NULL);
    assert_string_equal(after, "");
}

/* An index whose row has the file's size and time but another content. */
static void test_fsck_of_the_index(void **state) {
    struct fixture *f = *state;
    char id[37];
    make(f, "right", NULL, id);
    bx_store_close(f->store);
    bx_auto(bx_freep) char *path = bx_asprintf("%s/sessions/index", f->dir);
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    char *title = strstr(text.p, "right");
    memcpy(title, "wrong", 5);
    spit(path, bx_buf_z(&text));
    bx_buf_deinit(&text);
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
    bx_auto(bx_freep) char *said = fsck(f, true, false, NULL);
    assert_non_null(strstr(said, "index:0: says something else of session"));
    bx_store_close(f->store);
    assert_int_equal(bx_store_open(f->dir, BX_STORE_OWNER, &f->store, NULL), 0);
    bx_auto(bx_freep) char *after = fsck(f, false, false, NULL);
    assert_string_equal(after, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_retention, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention_counts_from_the_last_event_of_the_tree,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_retention_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fsck_says_and_repairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fsck_beside_a_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fsck_of_the_index, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
