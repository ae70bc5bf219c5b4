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
    void (*const *next)(
        void *user); /* what is done when the change before was told; NULL ends it */
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

static char *below(const struct world *w, const char *name) {
    return bx_path_join(w->dir, name);
}

static void write_below(void *user) {
    write_file(user, "a/b/f", "x");
}

static void make_and_write(void *user) {
    char *folder = below(user, "a/b");
    assert_int_equal(bx_dir_make(folder, 0700, NULL), 0);
    bx_free(folder);
    write_below(user);
}

static void remove_all(void *user) {
    char *folder = below(user, "a");
    assert_int_equal(bx_dir_remove(folder, NULL), 0);
    bx_free(folder);
}

static void next_step(void *user) {
    struct world *w = user;
    if (*w->next)
        bx_loop_post(w->loop, *w->next++, w);
    else
        bx_loop_stop(w->loop);
}

/* Every step is taken when the one before was told. */
static void expect_told(struct world *w, void (*const *steps)(void *user)) {
    char *folder = below(w, "a/b");
    w->next = steps;
    assert_int_equal(bx_folder_watch_start(w->loop, folder, next_step, w, &w->watch, NULL), 0);
    bx_free(folder);
    next_step(w);
    bx_loop_run(w->loop);
}

/* Each change afterwards shows that the watch went to where the folder is now. */
static void test_a_folder_comes_and_goes_and_comes(void **state) {
    static void (*const steps[])(void *) = {make_and_write, write_below, remove_all, make_and_write,
                                            write_below,    remove_all,  NULL};
    expect_told(*state, steps);
}

static void replace(void *user) {
    remove_all(user);
    make_and_write(user);
}

static void test_a_folder_is_replaced(void **state) {
    static void (*const steps[])(void *) = {replace, write_below, NULL};
    make_and_write(*state);
    expect_told(*state, steps);
}

static void remove_file_and_make(void *user) {
    char *file = below(user, "a");
    assert_int_equal(unlink(file), 0);
    bx_free(file);
    make_and_write(user);
}

/* Where a folder cannot be, its place is watched. */
static void test_a_file_in_the_way(void **state) {
    static void (*const steps[])(void *) = {remove_file_and_make, write_below, NULL};
    write_file(*state, "a", "no folder");
    expect_told(*state, steps);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_burst_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_removal_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_without_a_pause_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_told_after_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_comes_and_goes_and_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_in_the_way, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
