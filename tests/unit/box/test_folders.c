/* Hostile folders: links that lead out or change while a guest opens them, files that are no files,
 * names that are no names, and one mount beside another. */
#include "rig.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/thread.h"

struct outcome {
    int exit; /* -1: any */
    const char *output;
};

static void check(const struct rig_call *call, const struct outcome *want) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    if (rig_run(call, &r, &err) < 0) {
        fail_msg("%s: %s", call->command, err.msg);
    }
    if ((want->exit >= 0 && want->exit != (int)r.exit) || r.limit ||
        (want->output && !strstr(bx_buf_z(&r.out), want->output))) {
        fail_msg("%s: exit %d, limit %s, message \"%s\", output \"%.100s\", errors \"%.100s\"",
                 call->command, (int)r.exit, r.limit ? r.limit : "none", r.message,
                 bx_buf_z(&r.out), bx_buf_z(&r.err));
    }
    bx_box_result_deinit(&r);
}

__attribute__((unused)) static void unwire(const char *controls) {
    setenv("BX_UNWIRE", controls, 1);
    rig_open();
}

__attribute__((unused)) static void rewire(void) {
    unsetenv("BX_UNWIRE");
    rig_open();
}

static void check_text(const char *name, const char *want) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(1000);
    bx_auto(bx_freep) char *path = bx_path_join(rig.dir, name);
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    assert_string_equal(bx_buf_z(&text), want);
}

/* What is mounted for reading does not become writable through a folder beside it that is. */
static void test_two_mounts(void **state) {
    (void)state;
    static const char *const commands[] = {
        "change link /extra/kept /linked",
        "change rename /extra/kept /moved",
        "change rename /mine /extra/kept",
        "change link /mine /extra/new",
        "change unlink /extra/kept",
        "change truncate /extra/kept",
        "write /extra/kept 1",
        "write /extra/new 1",
        "write /../extra/new 1",
        "change symlink mine /extra/new",
        "change symlink /extra/kept /linked", /* absolute: WASI makes none */
    };
    bx_auto(bx_freep) char *extra = bx_path_join(rig.dir, "extra");
    bx_dir_make(extra, 0755, NULL);
    rig_file("extra/kept", "kept");
    rig_file("root/mine", "mine");
    for (int u = 0; u < 2; u++) {
        for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
            check(&(struct rig_call){.command = commands[i], .writable = true, .extra = extra},
                  &(struct outcome){BX_BOX_ERROR, NULL});
            check_text("extra/kept", "kept");
            check_text("root/mine", "mine");
        }
#ifdef BX_UNWIRE
        unwire("readonly"); /* the kernel's wall holds without WASI's */
#else
        break;
#endif
    }
    rewire();
    check(&(struct rig_call){.command = "read /extra/kept", .writable = true, .extra = extra},
          &(struct outcome){BX_BOX_OK, "kept"});
    check(
        &(struct rig_call){.command = "write /extra/new 1", .extra = extra, .extra_writable = true},
        &(struct outcome){BX_BOX_OK, NULL});
    check(&(struct rig_call){.command = "write /new 1", .extra = extra, .extra_writable = true},
          &(struct outcome){BX_BOX_ERROR, NULL});
}

/* A hard link is the file itself: what one name may not do, the other does not do either. */
static void test_hard_links(void **state) {
    (void)state;
    rig_file("root/first", "first");
    rig_file("outside", "outside");
    bx_auto(bx_freep) char *first = bx_path_join(rig.root, "first"),
                           *second = bx_path_join(rig.root, "second");
    assert_int_equal(link(first, second), 0);
    check(&(struct rig_call){.command = "read /second"}, &(struct outcome){BX_BOX_OK, "first"});
    check(&(struct rig_call){.command = "write /second 1"}, &(struct outcome){BX_BOX_ERROR, NULL});
    check(&(struct rig_call){.command = "change link ../outside /third", .writable = true},
          &(struct outcome){BX_BOX_ERROR, NULL});
    check(&(struct rig_call){.command = "change link /first ../third", .writable = true},
          &(struct outcome){BX_BOX_ERROR, NULL});
    check_text("root/first", "first");
    bx_auto(bx_freep) char *third = bx_path_join(rig.dir, "third");
    assert_int_not_equal(access(third, F_OK), 0);
}

/* A thread that swaps a folder for a link that leads out, as fast as it can. */
#define ROUNDS 200
struct swapper {
    char *a, *b;
    atomic_bool stop;
};

static void *swap(void *user) {
    struct swapper *s = user;
    while (!s->stop) {
        renameat2(AT_FDCWD, s->a, AT_FDCWD, s->b, RENAME_EXCHANGE);
    }
    return NULL;
}

static bool leaks(const char *command, const char *mount) {
    struct bx_box_result r = {0};
    struct bx_err err = {0};
    if (rig_run(
            &(struct rig_call){.command = command, .mount = mount, .limits = "time=250s cpu=240s"},
            &r, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    if (r.exit != BX_BOX_OK || !strstr(bx_buf_z(&r.out), "leaked ")) {
        fail_msg("%s: %s%s", command, bx_buf_z(&r.out), r.message);
    }
    bool leaked = !strstr(bx_buf_z(&r.out), "leaked 0\n");
    bx_box_result_deinit(&r);
    return leaked;
}

static void holds(const char *command) {
    if (leaks(command, NULL)) {
        fail_msg("%s leaked", command);
    }
}

/* The same words from the folder above: the guest does come there when it may; on one core the two
 * threads may miss each other for a while. */
static void gets_through(const char *command) {
    int round = 0;
    while (!leaks(command, rig.dir)) {
        assert_true(++round < ROUNDS);
    }
}

static void test_symlink_races(void **state) {
    (void)state;
    bx_auto(bx_freep) char *folder = bx_path_join(rig.root, "race"),
                           *trap = bx_path_join(rig.root, "trap");
    struct swapper s = {.a = folder, .b = trap};
    pthread_t thread;
    bx_dir_make(folder, 0755, NULL);
    rig_file("root/race/secret", "harmless");
    rig_file("secret", "the secret");
    assert_int_equal(symlink("..", trap), 0);
    assert_int_equal(bx_thread_start(&thread, "swapper", swap, &s, NULL), 0);
    for (int u = 0; u < 2; u++) {
        holds("race /race/secret 2000");
        holds("race /race/../race/secret 2000");
        gets_through("race root/race/secret 20000");
        holds("files race /race/secret 1000");
        holds("files race /race/../race/secret 1000");
        gets_through("files race root/race/secret 4000");
#ifdef BX_UNWIRE
        unwire("landlock");
#endif
    }
    s.stop = true;
    pthread_join(thread, NULL);
    rewire();
}

/* What is in the folder but no file: nothing hangs, and the tool hears of it. */
static void test_no_files(void **state) {
    (void)state;
    bx_auto(bx_freep) char *socket_path = bx_path_join(rig.root, "socket"),
                           *zero = bx_path_join(rig.root, "zero"),
                           *loop = bx_path_join(rig.root, "loop"),
                           *self = bx_path_join(rig.root, "self"),
                           *fd = bx_path_join(rig.root, "fd");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(symlink("loop", loop), 0);
    assert_int_equal(symlink("/proc/self/root/etc/passwd", self), 0);
    assert_int_equal(symlink("/dev/fd/0", fd), 0);
    static const char *const commands[] = {"read /socket", "read /loop", "read /self",
                                           "read /fd",     "read /",     "write /socket 1"};
    for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
        check(&(struct rig_call){.command = commands[i], .writable = true},
              &(struct outcome){BX_BOX_ERROR, NULL});
    }
    if (mknod(zero, S_IFCHR | 0666, (dev_t)(1 << 8 | 5)) ==
        0) { /* root only; endless if it opens */
        struct bx_box_result r = {0};
        assert_int_equal(
            rig_run(&(struct rig_call){.command = "read /zero", .limits = "output=100KiB time=20s"},
                    &r, NULL),
            0);
        assert_true(!r.limit || strcmp(r.limit, "output") == 0);
        bx_box_result_deinit(&r);
    }
    close(s);
}

/* Many files by one call (engine/wit/files.wit): the same folders, and not a step out of them. */
static void test_many_files(void **state) {
    (void)state;
    bx_auto(bx_freep) char *inner = bx_path_join(rig.root, "many"),
                           *extra = bx_path_join(rig.dir, "more"),
                           *fifo = bx_path_join(inner, "fifo"), *up = bx_path_join(inner, "up"),
                           *absolute = bx_path_join(inner, "absolute"),
                           *secret = bx_path_join(rig.dir, "secret");
    bx_dir_make(inner, 0755, NULL);
    bx_dir_make(extra, 0755, NULL);
    rig_file("root/many/a", "first");
    rig_file("more/b", "second");
    rig_file("secret", "the secret");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(symlink("../..", up), 0);
    assert_int_equal(symlink(secret, absolute), 0);
    static const char *const refused[] = {
        "files read /many/fifo",
        "files read /many",
        "files read ../secret",
        "files read /many/up/secret",
        "files read /many/absolute",
        "files read /many/../../secret",
        "files read /proc/self/environ",
        "files read /none",
        "files read ",
        "files list /many/up",
        "files list ..",
        "files list /many/a",
        "files list /extra/..",
        "files list /none",
        "files list /proc/self/fd",
        "files read /extra/../secret",
    };
    for (int u = 0; u < 2; u++) {
        for (size_t i = 0; i < BX_ARRAY_LEN(refused); i++)
            check(&(struct rig_call){.command = refused[i], .extra = extra},
                  &(struct outcome){BX_BOX_ERROR, NULL});
        check(&(struct rig_call){.command = "files read /many/a /extra/b", .extra = extra},
              &(struct outcome){BX_BOX_OK, "first\nsecond\n"});
        check(&(struct rig_call){.command = "files list /extra", .extra = extra},
              &(struct outcome){BX_BOX_OK, "fb\n"});
        check(&(struct rig_call){.command = "files list .", .extra = extra},
              &(struct outcome){BX_BOX_OK, "dmany\n"});
#ifdef BX_UNWIRE
        unwire("landlock"); /* and without the kernel's wall */
#endif
    }
    rewire();
    /* the same words from the folder above: the guest could */
    check(&(struct rig_call){.command = "files read root/many/../../secret", .mount = rig.dir},
          &(struct outcome){BX_BOX_OK, "the secret"});
}

/* The worker's own /proc, mounted or reached: nothing of the server or of other processes. */
static void test_proc(void **state) {
    (void)state;
    bx_auto(bx_freep) char *server = bx_asprintf("read /%d/environ", (int)getpid()),
                           *cwd = bx_asprintf("read /%d/cwd/secret", (int)getpid()),
                           *root = bx_asprintf("read /%d/root/etc/hostname", (int)getpid());
    const char *const commands[] = {
        "read /self/root/etc/hostname", "read /self/exe", "read /self/fd/3", server, cwd, root};
    for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
        check(&(struct rig_call){.command = commands[i], .mount = "/proc"},
              &(struct outcome){BX_BOX_ERROR, NULL});
    }
#ifdef BX_UNWIRE
    unwire("landlock,capabilities");
    check(&(struct rig_call){.command = server, .mount = "/proc"},
          &(struct outcome){BX_BOX_OK, NULL});
    rewire();
#endif
}

/* Names as a guest may say them: an answer each, and the next call is well. */
static void test_names(void **state) {
    (void)state;
    bx_auto(bx_freep) char *long_name = bx_alloc(300), *long_path = bx_alloc(20000);
    memset(long_name, 'n', 299);
    for (size_t i = 0; i + 2 < 20000; i += 2) {
        memcpy(long_path + i, "a/", 3);
    }
    bx_auto(bx_freep) char *read_long = bx_asprintf("read /%s", long_name),
                           *write_long = bx_asprintf("write /%s 1", long_name),
                           *read_deep = bx_asprintf("read /%s", long_path);
    const char *const commands[] = {read_long,         write_long,
                                    read_deep,         "read /a\xff",
                                    "read /kept/",     "read /kept/x",
                                    "read ",           "write /no/such/folder 1",
                                    "read /\n",        "read /...",
                                    "write /. 1",      "write /.. 1",
                                    "change unlink /", "change rename / /other",
                                    "change mkdir /"};
    rig_file("root/kept", "kept");
    for (size_t i = 0; i < BX_ARRAY_LEN(commands); i++) {
        struct bx_box_result r = {0};
        struct bx_err err = {0};
        assert_int_equal(
            rig_run(&(struct rig_call){.command = commands[i], .writable = true}, &r, &err), 0);
        if (r.exit == BX_BOX_OK || r.limit) {
            fail_msg("%.100s: exit %d, limit %s", commands[i], (int)r.exit,
                     r.limit ? r.limit : "none");
        }
        bx_box_result_deinit(&r);
    }
    check_text("root/kept", "kept");
    static const char *const good[] = {"-rf", "\xc3\xa4\xe2\x82\xac", "a\tb", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < BX_ARRAY_LEN(good); i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("root/%s", good[i]),
                               *command = bx_asprintf("read /%s", good[i]);
        rig_file(name, "here");
        check(&(struct rig_call){.command = command}, &(struct outcome){BX_BOX_OK, "here"});
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_mounts),    cmocka_unit_test(test_hard_links),
        cmocka_unit_test(test_symlink_races), cmocka_unit_test(test_no_files),
        cmocka_unit_test(test_many_files),    cmocka_unit_test(test_proc),
        cmocka_unit_test(test_names),
    };
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
