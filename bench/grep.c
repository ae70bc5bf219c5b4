/* bench-grep DIR: the grep tool in its worker, both walls up and all limits on, against GNU grep
 * started as a program, on one source tree, side by side in one run: the two take turns, so that
 * the machine's mood and the page cache are the same for both. Prints for each pattern the medians
 * and their ratio, and "ok" or "SLOW" against the goal of its row. Both have to find the same
 * number of files or lines, or the bench ends. Exits with 1 when a goal is missed.
 *
 * bench/tree.py makes the tree; the patterns know its words. */
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "box/box.h"
#include "box/wall_linux.h"
#include "box/worker.h"
#include "json/json.h"

#define ROUNDS 5

enum kind { LITERAL, PLAIN, HARD };
static const char *const kind_names[] = {"literal", "plain", "hard"};
static const double goals[] = {2.5, 2.5, 6.0};

/* The tool's parameters, and what GNU grep is asked for the same. */
static const struct row {
    enum kind kind;
    const char *input, *mode, *pattern;
    bool lines; /* what is counted: lines, not files */
} rows[] = {
    {LITERAL, "\"pattern\":\"zq_needle_rare\"", "-l", "zq_needle_rare", false},
    {LITERAL, "\"pattern\":\"xylophone_event\",\"output_mode\":\"content\"", "-n",
     "xylophone_event", true},
    {LITERAL, "\"pattern\":\"quux_rare_thing\",\"case_insensitive\":true", "-il", "quux_rare_thing",
     false},
    {LITERAL, "\"pattern\":\"return self\",\"output_mode\":\"count\"", "-n", "return self", true},
    {PLAIN, "\"pattern\":\"wibble_rare|frobnicate_rare|zq_needle\"", "-lE",
     "wibble_rare|frobnicate_rare|zq_needle", false},
    {PLAIN, "\"pattern\":\"\\\\bfrobnicate_rare\\\\b\"", "-lP", "\\bfrobnicate_rare\\b", false},
    {PLAIN, "\"pattern\":\"static int [a-z]+_event\\\\(\",\"output_mode\":\"content\"", "-nE",
     "static int [a-z]+_event\\(", true},
    {PLAIN, "\"pattern\":\"^#include <[a-z]+lock\\\\.h>\"", "-lE", "^#include <[a-z]+lock\\.h>",
     false},
    {PLAIN, "\"pattern\":\"self\\\\.[a-z]+ = [a-z]+\\\\[99[0-9]+\\\\]\",\"output_mode\":\"count\"",
     "-nE", "self\\.[a-z]+ = [a-z]+\\[99[0-9]+\\]", true},
    {HARD, "\"pattern\":\"[A-Z]{9}_[A-Z]{9}_[A-Z]{9}\"", "-lE", "[A-Z]{9}_[A-Z]{9}_[A-Z]{9}",
     false},
    {HARD, "\"pattern\":\"[a-z]+[0-9]{3}\\\\([a-z]+[0-9]{3},\",\"output_mode\":\"count\"", "-nE",
     "[a-z]+[0-9]{3}\\([a-z]+[0-9]{3},", true},
    {HARD, "\"pattern\":\"\\\\w{9}\\\\s+=\\\\s+\\\\w{9};\",\"output_mode\":\"count\"", "-nP",
     "\\w{9}\\s+=\\s+\\w{9};", true},
    {HARD, "\"pattern\":\"^\\\\s+(if|for|while) .*(mutex|signal).*[{]$\",\"output_mode\":\"count\"",
     "-nE", "^\\s+(if|for|while) .*(mutex|signal).*[{]$", true},
    {HARD, "\"pattern\":\"\\\\b([a-z]+)_\\\\1\\\\(\",\"output_mode\":\"count\"", "-nP",
     "\\b([a-z]+)_\\1\\(", true},
};

static void fail(const char *what, const char *why) {
    fprintf(stderr, "bench-grep: %s: %s\n", what, why);
    exit(1);
}

static uint64_t one_box(struct bx_box *box, const struct bx_grant *grant, const struct row *row,
                        int64_t *ret_found) {
    struct bx_err err = {0};
    struct bx_box_result r;
    bx_auto(bx_freep) char *input = bx_asprintf("{%s}", row->input);
    struct bx_box_request q = {
        .tool = "grep", .input = bx_str(input), .grant = grant, .repeatable = true};
    uint64_t start = bx_mono_ns();
    if (bx_box_call(box, &q, NULL, &r, &err) < 0)
        fail("grep", err.msg);
    uint64_t spent = bx_mono_ns() - start;
    struct bx_doc *doc = NULL;
    if (r.exit != BX_BOX_OK || bx_doc_parse(bx_buf_str(&r.out), NULL, &doc, &err))
        fail(row->pattern, r.exit != BX_BOX_OK ? r.message : err.msg);
    const struct bx_val *meta = bx_val_get(bx_doc_root(doc), "metadata");
    *ret_found = bx_val_get_int(meta, row->lines ? "matches" : "files", -1);
    bx_doc_free(doc);
    bx_box_result_deinit(&r);
    return spent;
}

/* Its output goes through a pipe, as for everyone who wants it: into /dev/null it would stop at the
 * first match. */
static uint64_t one_gnu(const char *root, const struct row *row, int64_t *ret_found) {
    static char piece[1 << 16];
    const char *argv[] = {"grep", "-rI", row->mode, row->pattern, root, NULL};
    char *env[] = {(char[]){"LC_ALL=C.UTF-8"}, NULL};
    posix_spawn_file_actions_t actions;
    int out[2], status;
    pid_t pid;
    uint64_t start = bx_mono_ns();
    if (pipe2(out, O_CLOEXEC) != 0)
        fail("GNU grep", "no pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (posix_spawn(&pid, "/bin/grep", &actions, NULL, (char **)(uintptr_t)argv, env) != 0)
        fail("GNU grep", "cannot be started");
    close(out[1]);
    *ret_found = 0;
    for (ssize_t n; (n = read(out[0], piece, sizeof piece)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            *ret_found += piece[i] == '\n';
    waitpid(pid, &status, 0);
    close(out[0]);
    posix_spawn_file_actions_destroy(&actions);
    return bx_mono_ns() - start;
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool measure(struct bx_box *box, const struct bx_grant *grant, const struct row *row) {
    uint64_t ours[ROUNDS], theirs[ROUNDS];
    int64_t n_ours = 0, n_theirs = 0;
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = one_box(box, grant, row, &n_ours);
        theirs[i] = one_gnu(grant->mounts[0].host_path, row, &n_theirs);
    }
    if (n_ours != n_theirs) {
        fprintf(stderr, "bench-grep: %s: %" PRId64 " found, GNU grep %" PRId64 "\n", row->pattern,
                n_ours, n_theirs);
        exit(1);
    }
    qsort(ours, ROUNDS, sizeof *ours, by_size);
    qsort(theirs, ROUNDS, sizeof *theirs, by_size);
    double ratio = (double)ours[ROUNDS / 2] / (double)theirs[ROUNDS / 2];
    bool good = ratio <= goals[row->kind];
    printf("%-8s %-50s %8" PRId64 " %s %7.0f ms %7.0f ms  %5.2f x  (goal %.1f) %s\n",
           kind_names[row->kind], row->pattern, n_ours, row->lines ? "lines" : "files",
           (double)ours[ROUNDS / 2] / 1e6, (double)theirs[ROUNDS / 2] / 1e6, ratio,
           goals[row->kind], good ? "ok" : "SLOW");
    fflush(stdout);
    return good;
}

static int run(const char *tree) {
    struct bx_err err = {0};
    struct bx_box *box = NULL;
    struct bx_box_config config = {.receipts_dir = NULL};
    bx_auto(bx_freep) char *root = bx_path_real(tree, &err);
    if (!root || bx_box_new(&config, &box, &err) < 0)
        fail("setting up", err.msg);
    struct bx_mount mount = {root, "/", false};
    struct bx_grant grant;
    bx_grant_init(&grant);
    grant.mounts = &mount;
    grant.mount_count = 1;
    int64_t ignored;
    one_box(box, &grant, &rows[0], &ignored); /* the page cache is warm from here on */
    one_gnu(root, &rows[0], &ignored);
    printf("%-8s %-50s %14s %10s %10s\n", "", "pattern", "found", "grep tool", "GNU grep");
    bool good = true;
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++)
        good &= measure(box, &grant, &rows[i]);
    bx_box_free(box);
    return good ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0)
        return bx_box_worker_main();
    if (argc != 2)
        fail("usage", "bench-grep DIR (made by bench/tree.py)");
    return run(argv[1]);
}
