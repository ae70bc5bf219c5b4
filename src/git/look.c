#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "git/internal.h"

/* What an executor has changed so far, for those who look on. Nothing is written, no index and no
 * object, so it can go on meanwhile and nothing of what it throws away again is left behind. */

#define LOOK_MIN_MS     1000
#define LOOK_SHARE      20 /* of the time at most one part in so many is spent on counting */
#define LOOK_TIMEOUT_MS 5000
#define LOOK_FILES      2000 /* new ones of which the lines are counted */
#define LOOK_BYTES      (8 * BX_MIB)
#define BINARY_BYTES    8000 /* as git sees it: a NUL among the first ones */

struct look {
    uint64_t files, insertions, deletions, next_ms;
    bool busy, known;
};

/* Lines of a file that git does not know yet, 0 of a binary one, counted against what is left. */
static uint64_t count_lines(int tree, const char *name, uint64_t *left) {
    bx_auto(bx_fd_close) int fd =
        bx_file_open_without_links(tree, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > *left)
        return 0;
    char piece[65536], last = '\n';
    uint64_t lines = 0, at = 0;
    for (ssize_t n; at < *left && (n = read(fd, piece, sizeof piece)) > 0; at += (uint64_t)n) {
        if (at < BINARY_BYTES && memchr(piece, 0, BX_MIN((size_t)n, (size_t)(BINARY_BYTES - at))))
            return 0;
        for (ssize_t i = 0; i < n; i++)
            lines += piece[i] == '\n';
        last = piece[n - 1];
    }
    *left -= BX_MIN(at, *left);
    return lines + (last != '\n');
}

static void count_new(const struct bx_worktree *t, struct bx_str names, struct look *ret) {
    bx_auto(bx_fd_close) int tree = open(t->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t left = LOOK_BYTES, looked = 0;
    struct bx_str name;
    while (tree >= 0 && bx_str_split(&names, '\0', &name)) {
        if (!name.n || bx_str_ends(name, "/")) /* a repository of its own: not taken */
            continue;
        bx_auto(bx_freep) char *path = bx_str_dup(name);
        ret->insertions += looked++ < LOOK_FILES ? count_lines(tree, path, &left) : 0;
        ret->files++;
    }
}

static int count(struct bx_worktrees *w, const struct bx_worktree *t, struct look *ret) {
    struct bx_git_result changed = {0}, names = {0};
    struct bx_repo_call call = {.id = t->id,
                                .argv =
                                    BX_ARGV("diff-index", "--shortstat", "--no-ext-diff",
                                            "--no-textconv", "--ignore-submodules=all", t->base),
                                .output_max_bytes = 64 * BX_KIB,
                                .timeout_ms = LOOK_TIMEOUT_MS};
    int rc = bx_repo_must(w, &call, &changed, NULL);
    call.argv = BX_ARGV("ls-files", "-z", "-o", "--exclude-standard");
    call.output_max_bytes = BX_GIT_NAMES_MAX;
    rc = rc ? rc : bx_repo_must(w, &call, &names, NULL);
    if (!rc) {
        bx_read_shortstat(bx_buf_str(&changed.out), &ret->files, &ret->insertions, &ret->deletions);
        count_new(t, bx_buf_str(&names.out), ret);
    }
    bx_git_result_deinit(&changed);
    bx_git_result_deinit(&names);
    return rc;
}

/* Is it our turn to count? */
static bool begin(struct bx_worktrees *w, const struct bx_worktree *t) {
    BX_LOCKED(&w->lock);
    if (t->state != BX_WORKTREE_ACTIVE) {
        bx_map_remove(w->looks, bx_str(t->id));
        return false;
    }
    struct look *look = bx_map_get(w->looks, bx_str(t->id));
    if (!look)
        bx_map_put(w->looks, bx_str(t->id), look = bx_new(struct look));
    if (look->busy || bx_mono_ms() < look->next_ms)
        return false;
    return look->busy = true;
}

static void end(struct bx_worktrees *w, const struct bx_worktree *t, int rc, struct look now,
                uint64_t took_ms) {
    BX_LOCKED(&w->lock);
    struct look *look = bx_map_get(w->looks, bx_str(t->id));
    if (!look)
        return;
    now.known = rc == 0;
    if (rc)
        now = *look;
    now.busy = false;
    now.next_ms = bx_mono_ms() + BX_MAX((uint64_t)LOOK_MIN_MS, LOOK_SHARE * took_ms);
    *look = now;
}

void bx_worktree_look(struct bx_worktrees *w, struct bx_worktree *t) {
    if (begin(w, t)) {
        struct look now = {0};
        uint64_t from_ms = bx_mono_ms();
        int rc = count(w, t, &now);
        end(w, t, rc, now, bx_mono_ms() - from_ms);
    }
    BX_LOCKED(&w->lock);
    const struct look *look = bx_map_get(w->looks, bx_str(t->id));
    if (t->state != BX_WORKTREE_ACTIVE || !look || !look->known)
        return;
    t->files = look->files;
    t->insertions = look->insertions;
    t->deletions = look->deletions;
}
