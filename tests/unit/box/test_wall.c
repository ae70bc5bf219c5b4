/* The second wall, tried from inside a worker. Each part is also left out, and then its own attempt
 * must get through. */
#include "rig.h"

#include <fcntl.h>

#include "base/thread.h"

static void probe(struct bx_box_walls *ret) {
    struct bx_mount mount = {rig.root, "/", true};
    struct bx_grant grant;
    struct bx_err err = {0};
    bx_grant_init(&grant);
    grant.mounts = &mount;
    grant.mount_count = 1;
    if (bx_box_probe(rig.box, &grant, ret, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static void test_all_up(void **state) {
    (void)state;
    struct bx_box_walls w;
    probe(&w);
    assert_string_equal(w.missing, "");
    assert_int_equal(w.parts, BX_WALL_ALL);
    assert_int_equal(w.probed, BX_WALL_ALL);
    assert_true(w.landlock_abi > 0);
}

#ifdef BX_UNWIRE
static void test_each_part_left_out(void **state) {
    (void)state;
    int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    int leak = fcntl(file, F_DUPFD, 100); /* without O_CLOEXEC: a worker would inherit it */
    for (unsigned part = 1; part & BX_WALL_ALL; part <<= 1) {
        struct bx_box_walls w;
        const char *name = bx_wall_part_name((enum bx_wall_part)part);
        bool needs_root = part == BX_WALL_CAPABILITIES; /* others have no powers to drop */
        setenv("BX_UNWIRE", name, 1);
        probe(&w);
        if (w.parts & part || !strstr(w.missing, name) ||
            (w.probed & part && (!needs_root || geteuid() == 0))) {
            fail_msg("%s left out: up %x, probed %x, missing \"%s\"", name, w.parts, w.probed,
                     w.missing);
        }
    }
    close(leak);
    close(file);
    unsetenv("BX_UNWIRE");
}

/* Required and not there: no call runs. */
static void test_required(void **state) {
    (void)state;
    struct bx_box_config config = {.require_second_wall = true};
    struct bx_box *ordinary = rig.box;
    struct bx_box_result r;
    struct bx_err err = {0};
    assert_int_equal(bx_box_new(&config, &rig.box, &err), 0);
    setenv("BX_UNWIRE", "landlock", 1);
    struct bx_image *none = NULL;
    assert_int_equal(bx_box_image(rig.box, BX_STR_LIT("\0asm"), false, &none, &err),
                     BX_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "landlock"));
    unsetenv("BX_UNWIRE");
    assert_int_equal(rig_run(&(struct rig_call){.command = "inside"}, &r, &err), 0);
    assert_int_equal(r.wall_parts, BX_WALL_ALL);
    bx_box_result_deinit(&r);
    bx_box_free(rig.box);
    rig.box = ordinary;
}
#endif

static void *start_a_worker(void *user) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    *(bool *)user =
        rig_run(&(struct rig_call){.command = "inside"}, &r, &err) == 0 && r.exit == BX_BOX_OK;
    bx_box_result_deinit(&r);
    return NULL;
}

/* PR_SET_PDEATHSIG means the thread that forked: a worker must outlive the thread whose call
 * started it. */
static void test_worker_outlives_the_thread(void **state) {
    (void)state;
    bool good = false;
    pthread_t thread;
    rig_open();
    assert_int_equal(bx_thread_start(&thread, "first", start_a_worker, &good, NULL), 0);
    pthread_join(thread, NULL);
    assert_true(good);
    struct bx_box_result r;
    struct bx_err err = {0}; /* a dead worker would be replaced in silence */
    pid_t before = rig_worker();
    assert_true(before > 0);
    assert_int_equal(rig_run(&(struct rig_call){.command = "inside"}, &r, &err), 0);
    assert_int_equal(rig_worker(), before);
    bx_box_result_deinit(&r);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_up),
#ifdef BX_UNWIRE
        cmocka_unit_test(test_each_part_left_out),
        cmocka_unit_test(test_required),
#endif
        cmocka_unit_test(test_worker_outlives_the_thread),
    };
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
