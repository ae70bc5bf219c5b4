/* bench-call: what a tool call costs when everything is warm: `read` of a 4 KB file through the
 * worker, both walls up, all limits on, receipt written, against posix_spawn of the native `cat`
 * with its output taken through a pipe. Turn by turn in one run, so that the machine's mood cancels
 * out. Prints "read_vs_spawn RATIO" of the medians; --verbose says both on standard error. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "box/box.h"
#include "box/wall_linux.h"
#include "box/worker.h"

#define ROUNDS  1500
#define WARM_UP 100

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "bench-call: %s: %s\n", what, why);
    exit(1);
}

static uint64_t one_read(struct bx_box *box, const struct bx_grant *grant) {
    struct bx_err err = {0};
    struct bx_box_result r;
    struct bx_box_request q = {.tool = "read",
                               .input = BX_STR_LIT("{\"file_path\":\"/file.txt\"}"),
                               .grant = grant,
                               .repeatable = true};
    uint64_t start = bx_mono_ns();
    if (bx_box_call(box, &q, NULL, &r, &err) < 0) {
        fail("read", err.msg);
    }
    uint64_t spent = bx_mono_ns() - start;
    if (r.exit != BX_BOX_OK || r.out.size < 4096 || r.wall_parts != BX_WALL_ALL) {
        fail("read", r.exit != BX_BOX_OK ? r.message : "a short answer, or a wall that is not up");
    }
    bx_box_result_deinit(&r);
    return spent;
}

static uint64_t one_cat(char *path) {
    char name[] = "cat", content[8192];
    char *argv[] = {name, path, NULL}, *env[] = {NULL};
    posix_spawn_file_actions_t actions;
    int out[2], status;
    size_t got = 0;
    pid_t pid;
    uint64_t start = bx_mono_ns();
    if (pipe2(out, O_CLOEXEC) != 0) {
        fail("cat", "no pipe");
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawn(&pid, "/bin/cat", &actions, NULL, argv, env) != 0) {
        fail("cat", "cannot be started");
    }
    close(out[1]);
    for (ssize_t n; (n = read(out[0], content, sizeof content)) > 0;) {
        got += (size_t)n;
    }
    waitpid(pid, &status, 0);
    close(out[0]);
    posix_spawn_file_actions_destroy(&actions);
    uint64_t spent = bx_mono_ns() - start;
    if (got != 4096) {
        fail("cat", "a short answer");
    }
    return spent;
}

/* The same in rows of twenty: without a process that was started in between and took the caches. */
static void in_rows(struct bx_box *box, const struct bx_grant *grant, char *file) {
    static uint64_t reads[ROUNDS], cats[ROUNDS];
    for (int from = 0; from < ROUNDS; from += 20) {
        for (int i = from; i < from + 20; i++) {
            reads[i] = one_read(box, grant);
        }
        for (int i = from; i < from + 20; i++) {
            cats[i] = one_cat(file);
        }
    }
    qsort(reads, ROUNDS, sizeof *reads, by_size);
    qsort(cats, ROUNDS, sizeof *cats, by_size);
    double read_us = (double)reads[ROUNDS / 2] / 1e3, cat_us = (double)cats[ROUNDS / 2] / 1e3;
    fprintf(stderr, "in rows of twenty        p50 %7.1f us and %7.1f us: %.3f\n", read_us, cat_us,
            read_us / cat_us);
}

static void run(const char *dir, bool verbose) {
    static uint64_t reads[ROUNDS], cats[ROUNDS];
    struct bx_err err = {0};
    struct bx_box *box = NULL;
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root"),
                           *file = bx_path_join(root, "file.txt"),
                           *receipts = bx_path_join(dir, "receipts");
    struct bx_box_config config = {.receipts_dir = receipts};
    struct bx_mount mount = {root, "/", false};
    struct bx_grant grant;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(4096);
    while (text.size < 4096) {
        bx_buf_addz(&text, "the quick brown fox jumps over the lazy dog, and then some\n.....");
    }
    if (bx_dir_make(root, 0755, &err) < 0 ||
        bx_file_write_atomic(file, bx_buf_str(&text), 0644, &err) < 0 ||
        bx_box_new(&config, &box, &err) < 0) {
        fail("setting up", err.msg);
    }
    bx_grant_init(&grant);
    grant.mounts = &mount;
    grant.mount_count = 1;
    for (int i = 0; i < WARM_UP; i++) {
        one_read(box, &grant);
        one_cat(file);
    }
    for (int i = 0; i < ROUNDS; i++) {
        reads[i] = one_read(box, &grant);
        cats[i] = one_cat(file);
    }
    qsort(reads, ROUNDS, sizeof *reads, by_size);
    qsort(cats, ROUNDS, sizeof *cats, by_size);
    double read_us = (double)reads[ROUNDS / 2] / 1e3, cat_us = (double)cats[ROUNDS / 2] / 1e3;
    if (verbose) {
        double read_p99 = (double)reads[ROUNDS * 99 / 100] / 1e3,
               cat_p99 = (double)cats[ROUNDS * 99 / 100] / 1e3;
        fprintf(stderr, "sandboxed read of 4 KB   p50 %7.1f us   p99 %7.1f us\n", read_us,
                read_p99);
        fprintf(stderr, "posix_spawn of cat       p50 %7.1f us   p99 %7.1f us\n", cat_us, cat_p99);
    }
    if (verbose) {
        in_rows(box, &grant, file);
    }
    printf("read_vs_spawn %.3f\n", read_us / cat_us);
    bx_box_free(box);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    char dir[] = "/tmp/bx-bench-XXXXXX";
    if (!mkdtemp(dir)) {
        fail("setting up", "no scratch folder");
    }
    run(dir, argc > 1 && strcmp(argv[1], "--verbose") == 0);
    bx_dir_remove(dir, NULL);
    return 0;
}
