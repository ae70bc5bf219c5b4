#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/map.h"
#include "base/path.h"
#include "base/thread.h"
#include "box/grant.h"
#include "tools/embedded.h"
#include "tools/reach.h"
#include "tools/session.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

/* ---- the table of sessions ---- */

static void test_one_state_for_each_id(void **state) {
    (void)state;
    struct bx_tool_sessions *all = bx_tool_sessions_new(8);
    struct bx_tool_session *a = bx_tool_sessions_get(all, "a"), *b = bx_tool_sessions_get(all, "b"),
                           *again = bx_tool_sessions_get(all, "a");
    assert_ptr_equal(a, again);
    assert_ptr_not_equal(a, b);
    assert_string_equal(a->id, "a");
    assert_null(bx_tool_sessions_get(all, ""));
    bx_tool_session_unref(b);
    bx_tool_session_unref(again);
    bx_tool_sessions_free(all);
    assert_string_equal(a->id, "a"); /* who holds one keeps it */
    bx_tool_session_unref(a);
}

static void touch(struct bx_tool_sessions *all, const char *id) {
    bx_tool_session_unref(bx_tool_sessions_get(all, id));
}

/* Whether the session is still the one in which `mark` was called. */
static bool marked(struct bx_tool_sessions *all, const char *id, bool mark) {
    bx_auto(bx_tool_session_unrefp) struct bx_tool_session *s = bx_tool_sessions_get(all, id);
    if (mark)
        bx_map_put(s->seen.versions, bx_str("mark"), bx_new(struct bx_file_version));
    return bx_map_get(s->seen.versions, bx_str("mark")) != NULL;
}

static void test_the_longest_unused_goes(void **state) {
    (void)state;
    struct bx_tool_sessions *all = bx_tool_sessions_new(2);
    assert_true(marked(all, "a", true));
    assert_true(marked(all, "b", true));
    assert_true(marked(all, "a", false));
    touch(all, "c"); /* b is the one that was used longest ago */
    assert_true(marked(all, "a", false));
    assert_false(marked(all, "b", false));

    /* one that a call holds stays through any number of others: there are never two states of one
     * session */
    struct bx_tool_session *held = bx_tool_sessions_get(all, "held");
    for (int i = 0; i < 50; i++) {
        bx_auto(bx_freep) char *id = bx_asprintf("n%d", i);
        touch(all, id);
    }
    struct bx_tool_session *again = bx_tool_sessions_get(all, "held");
    assert_ptr_equal(again, held);
    bx_tool_session_unref(again);
    bx_tool_session_unref(held);
    bx_tool_sessions_free(all);
}

static void *get_many(void *user) {
    struct bx_tool_sessions *all = user;
    for (int i = 0; i < 2000; i++) {
        char id[16];
        snprintf(id, sizeof id, "s%d", i % 7);
        struct bx_tool_session *s = bx_tool_sessions_get(all, id);
        assert_string_equal(s->id, id);
        bx_tool_session_unref(s);
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    struct bx_tool_sessions *all = bx_tool_sessions_new(3);
    pthread_t threads[4];
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        assert_int_equal(bx_thread_start(&threads[i], "get", get_many, all, NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    bx_tool_sessions_free(all);
}

/* ---- versions of files ---- */

struct fixture {
    char root[64];
    struct bx_mount mounts[2];
    struct bx_grant grant;
    struct bx_tool_sessions *all;
    struct bx_tool_session *session;
    struct bx_err err;
};

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    snprintf(f->root, sizeof f->root, "/tmp/bx-seen-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    char *real = bx_path_real(f->root, NULL);
    snprintf(f->root, sizeof f->root, "%s", real);
    bx_free(real);
    bx_grant_init(&f->grant);
    f->mounts[0] = (struct bx_mount){.host_path = f->root, .guest_path = "/", .writable = true};
    f->grant.mounts = f->mounts;
    f->grant.mount_count = 1;
    f->all = bx_tool_sessions_new(8);
    f->session = bx_tool_sessions_get(f->all, "s");
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    bx_dir_remove(f->root, NULL);
    bx_tool_session_unref(f->session);
    bx_tool_sessions_free(f->all);
    bx_free(f);
    return 0;
}

static char *host_path(struct fixture *f, const char *name) {
    return bx_asprintf("%s/%s", f->root, name);
}

/* Writes in place and sets the time, so that nothing here depends on how fast the test is. */
static void put(struct fixture *f, const char *name, const char *text, long second) {
    bx_auto(bx_freep) char *path = host_path(f, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    struct timespec times[2] = {{.tv_sec = second}, {.tv_sec = second}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int begin(struct fixture *f, struct bx_seen_call *c, enum bx_file_effect effect,
                 const char *path) {
    const char *paths[] = {path};
    struct bx_call_reach reach = {.paths = paths, .path_count = 1};
    f->err = (struct bx_err){0};
    return bx_seen_begin(c, f->session, effect, &reach, &f->grant, &f->err);
}

/* A whole call that changes nothing on the disk; 0 or why it was refused. */
static int call(struct fixture *f, enum bx_file_effect effect, const char *path) {
    struct bx_seen_call c = {0};
    int rc = begin(f, &c, effect, path);
    if (!rc)
        bx_seen_end(&c, true);
    bx_seen_call_deinit(&c);
    return rc;
}

static void test_a_change_is_noticed(void **state) {
    struct fixture *f = *state;
    put(f, "a.c", "one", 1000);
    assert_int_equal(call(f, BX_FILE_SEES, "/a.c"), 0);
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), 0);
    put(f, "a.c", "two", 1001); /* the same size, the same inode */
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), BX_ERR_DENIED);
    assert_non_null(strstr(f->err.msg, "a.c has changed"));
    assert_non_null(strstr(f->err.msg, "Read it again"));
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), BX_ERR_DENIED);
    assert_int_equal(call(f, BX_FILE_SEES, "/a.c"), 0);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), 0);
    put(f, "a.c", "four", 1001); /* the same time, another size */
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), BX_ERR_DENIED);
}

static void test_another_file_under_the_name(void **state) {
    struct fixture *f = *state;
    put(f, "a.c", "one", 1000);
    assert_int_equal(call(f, BX_FILE_SEES, "/a.c"), 0);
    put(f, "b.c", "two", 1000);
    bx_auto(bx_freep) char *a = host_path(f, "a.c"), *b = host_path(f, "b.c");
    assert_int_equal(rename(b, a), 0); /* same size and time, another inode */
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), BX_ERR_DENIED);
    assert_int_equal(unlink(a), 0); /* what is gone cannot be overwritten */
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), 0);
}

static void test_never_read(void **state) {
    struct fixture *f = *state;
    put(f, "a.c", "one", 1000);
    put(f, "empty", "", 1000);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), BX_ERR_DENIED);
    assert_non_null(strstr(f->err.msg, "have not read it"));
    assert_int_equal(call(f, BX_FILE_REPLACES, "/empty"), 0);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/new"), 0);
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), 0); /* who knows its text has seen it */
}

static void test_own_writes_are_known(void **state) {
    struct fixture *f = *state;
    struct bx_seen_call c = {0};
    assert_int_equal(begin(f, &c, BX_FILE_REPLACES, "/new.c"), 0);
    put(f, "new.c", "made", 1000);
    bx_seen_end(&c, true);
    bx_seen_call_deinit(&c);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/new.c"), 0);
    assert_int_equal(begin(f, &c, BX_FILE_CHANGES, "/new.c"), 0);
    put(f, "new.c", "half", 2000);
    bx_seen_end(&c, false); /* failed: whatever stands there now was not its work */
    bx_seen_call_deinit(&c);
    assert_int_equal(call(f, BX_FILE_CHANGES, "/new.c"), BX_ERR_DENIED);
}

static void test_a_change_while_it_is_read(void **state) {
    struct fixture *f = *state;
    struct bx_seen_call c = {0};
    put(f, "a.c", "one", 1000);
    assert_int_equal(begin(f, &c, BX_FILE_SEES, "/a.c"), 0);
    put(f, "a.c", "two", 1001);
    bx_seen_end(&c, true);
    bx_seen_call_deinit(&c);
    assert_int_equal(call(f, BX_FILE_CHANGES, "/a.c"), BX_ERR_DENIED);
}

static void test_links(void **state) {
    struct fixture *f = *state;
    bx_auto(bx_freep) char *link = host_path(f, "link.c"), *out = host_path(f, "out.c");
    put(f, "a.c", "one", 1000);
    assert_int_equal(symlink("a.c", link), 0);
    assert_int_equal(symlink("/etc/passwd", out), 0);
    assert_int_equal(call(f, BX_FILE_SEES, "/link.c"), 0);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), 0); /* the same file */
    put(f, "a.c", "two", 1001);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/link.c"), BX_ERR_DENIED);
    /* a link that leads out is not followed; the call's own wall refuses it */
    assert_int_equal(call(f, BX_FILE_REPLACES, "/out.c"), 0);
}

static void test_who_is_not_held(void **state) {
    struct fixture *f = *state;
    struct bx_tool_session *session = f->session;
    put(f, "a.c", "one", 1000);
    f->session = NULL;
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), 0);
    f->session = session;
    assert_int_equal(call(f, BX_FILE_NONE, "/a.c"), 0);
    bx_auto(bx_freep) char *pipe = host_path(f, "pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(call(f, BX_FILE_SEES, "/pipe"), 0); /* and does not wait for a writer */
    assert_int_equal(call(f, BX_FILE_REPLACES, "/pipe"), 0);
}

static void test_sessions_are_apart_and_bounded(void **state) {
    struct fixture *f = *state;
    put(f, "a.c", "one", 1000);
    put(f, "b.c", "one", 1000);
    assert_int_equal(call(f, BX_FILE_SEES, "/a.c"), 0);
    struct bx_tool_session *session = f->session;
    f->session = bx_tool_sessions_get(f->all, "other");
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), BX_ERR_DENIED);
    bx_tool_session_unref(f->session);
    f->session = session;
    for (int i = 0; i < BX_SEEN_FILES_MAX; i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("/%d", i);
        put(f, name + 1, "x", 1000);
        assert_int_equal(call(f, BX_FILE_SEES, name), 0);
    }
    assert_int_equal(bx_map_count(session->seen.versions), BX_SEEN_FILES_MAX);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), BX_ERR_DENIED); /* forgotten */
    assert_int_equal(call(f, BX_FILE_REPLACES, "/4000"), 0);
}

static void test_the_switch(void **state) {
#ifdef BX_UNWIRE
    struct fixture *f = *state;
    put(f, "a.c", "one", 1000);
    setenv("BX_UNWIRE", "stale", 1);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), 0);
    unsetenv("BX_UNWIRE");
    put(f, "a.c", "two", 1001);
    assert_int_equal(call(f, BX_FILE_REPLACES, "/a.c"), BX_ERR_DENIED);
#else
    (void)state;
#endif
}

#define SEEN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_state_for_each_id),
        cmocka_unit_test(test_the_longest_unused_goes),
        cmocka_unit_test(test_many_threads),
        SEEN(test_a_change_is_noticed),
        SEEN(test_another_file_under_the_name),
        SEEN(test_never_read),
        SEEN(test_own_writes_are_known),
        SEEN(test_a_change_while_it_is_read),
        SEEN(test_links),
        SEEN(test_who_is_not_held),
        SEEN(test_sessions_are_apart_and_bounded),
        SEEN(test_the_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
