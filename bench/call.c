/* bench-call: what a tool call costs when it is warm: `read` of a 4 KB file through the worker,
 * both walls up, all limits on, receipt written, against posix_spawn of the native `cat` with its
 * output taken through a pipe. The two take turns in rows of a hundred, in one run, so that the
 * machine's mood cancels out and the processor's caches belong to the one that is measured. Prints
 * "read_vs_spawn RATIO" of the medians. --verbose says more on standard error, also what comes out
 * when they take turns call by call: then each read finds the caches as the new process left them.
 */
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

struct figures {
    double read_us, read_p99_us, cat_us, cat_p99_us;
};

/* ROUNDS of each, in rows of `row`. */
static struct figures measure(struct bx_box *box, const struct bx_grant *grant, char *file,
                              int row) {
    static uint64_t reads[ROUNDS], cats[ROUNDS];
    for (int from = 0; from < ROUNDS; from += row) {
        for (int i = from; i < from + row; i++) {
            reads[i] = one_read(box, grant);
        }
        for (int i = from; i < from + row; i++) {
            cats[i] = one_cat(file);
        }
    }
    qsort(reads, ROUNDS, sizeof *reads, by_size);
    qsort(cats, ROUNDS, sizeof *cats, by_size);
    return (struct figures){(double)reads[ROUNDS / 2] / 1e3, (double)reads[ROUNDS * 99 / 100] / 1e3,
                            (double)cats[ROUNDS / 2] / 1e3, (double)cats[ROUNDS * 99 / 100] / 1e3};
}

static void say(const char *how, const struct figures *f) {
    fprintf(stderr,
            "%-22s sandboxed read p50 %6.1f us, p99 %6.1f us; spawned cat p50 %6.1f us, p99 %6.1f "
            "us: %.3f\n",
            how, f->read_us, f->read_p99_us, f->cat_us, f->cat_p99_us, f->read_us / f->cat_us);
}

static void run(const char *dir, bool verbose) {
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
    struct figures warm = measure(box, &grant, file, 100);
    if (verbose) {
        struct figures paired = measure(box, &grant, file, 1);
        say("in rows of a hundred", &warm);
        say("call by call", &paired);
    }
    printf("read_vs_spawn %.3f\n", warm.read_us / warm.cat_us);
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
