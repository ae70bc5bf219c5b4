/* What happens in a folder is told, a burst once, and nothing after the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/file.h"
#include "base/path.h"
#include "loop/watch.h"

struct world {
    char dir[32];
    struct bx_loop *loop;
    struct bx_folder_watch *watch;
    unsigned told;
};

static int set_up(void **state) {
    struct world *w = bx_new(struct world);
    snprintf(w->dir, sizeof w->dir, "/tmp/bx-watch-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(bx_loop_new(&w->loop, NULL), 0);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    bx_folder_watch_stop(w->watch);
    bx_loop_free(w->loop);
    assert_int_equal(bx_dir_remove(w->dir, NULL), 0);
    bx_free(w);
    return 0;
}

static void write_file(struct world *w, const char *name, const char *text) {
    char *path = bx_path_join(w->dir, name);
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
    bx_free(path);
}

static void stop_when_told(void *user) {
    struct world *w = user;
    w->told++;
    bx_loop_stop(w->loop);
}

static void write_many(void *user) {
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "f%d", i);
        write_file(user, name, "x");
    }
}

static void test_a_burst_is_told_once(void **state) {
    struct world *w = *state;
    assert_int_equal(bx_folder_watch_start(w->loop, w->dir, stop_when_told, w, &w->watch, NULL), 0);
    bx_loop_post(w->loop, write_many, w);
    bx_loop_run(w->loop);
    assert_int_equal(w->told, 1);
}

static void remove_one(void *user) {
    struct world *w = user;
    char *path = bx_path_join(w->dir, "f");
    assert_int_equal(unlink(path), 0);
    bx_free(path);
}

static void test_a_removal_is_told(void **state) {
    struct world *w = *state;
    write_file(w, "f", "x");
    assert_int_equal(bx_folder_watch_start(w->loop, w->dir, stop_when_told, w, &w->watch, NULL), 0);
    bx_loop_post(w->loop, remove_one, w);
    bx_loop_run(w->loop);
    assert_int_equal(w->told, 1);
}

static void keep_writing(void *user) {
    write_file(user, "again", "x");
}

/* A file that never rests is told all the same. */
static void test_changes_without_a_pause_are_told(void **state) {
    struct world *w = *state;
    assert_int_equal(bx_folder_watch_start(w->loop, w->dir, stop_when_told, w, &w->watch, NULL), 0);
    struct bx_timer *timer = bx_timer_start(w->loop, 1, 10, keep_writing, w);
    bx_loop_run(w->loop);
    assert_int_equal(w->told, 1);
    bx_timer_stop(timer);
}

static void never(void *user) {
    (void)user;
    fail();
}

static void stop_watching(void *user) {
    struct world *w = user;
    write_file(w, "f", "x");
    bx_folder_watch_stop(w->watch);
    w->watch = NULL;
    bx_loop_stop(w->loop);
}

static void test_nothing_is_told_after_the_end(void **state) {
    struct world *w = *state;
    assert_int_equal(bx_folder_watch_start(w->loop, w->dir, never, w, &w->watch, NULL), 0);
    bx_loop_post(w->loop, stop_watching, w);
    bx_loop_run(w->loop);
}

static void test_a_missing_folder_is_an_error(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    assert_int_equal(bx_folder_watch_start(w->loop, "/nowhere/at/all", never, w, &w->watch, &err),
                     BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "/nowhere/at/all"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_burst_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_removal_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_without_a_pause_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_told_after_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_missing_folder_is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
