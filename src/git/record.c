#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "git/internal.h"
#include "json/write.h"

static const char *const state_names[] = {"active", "finished", "conflict", "dead",
                                          "merged", "kept",     "discarded"};

const char *bx_worktree_state_name(enum bx_worktree_state state) {
    return state_names[state];
}

void bx_worktree_deinit(struct bx_worktree *t) {
    char *texts[] = {t->branch, t->base, t->tip, t->into, t->path, t->problem};
    for (size_t i = 0; i < BX_ARRAY_LEN(texts); i++)
        bx_free(texts[i]);
    *t = (struct bx_worktree){0};
}

char *bx_record_dir(const struct bx_worktrees *w, const char *id) {
    return bx_path_join(w->dir, id);
}

char *bx_record_path(const struct bx_worktrees *w, const char *id, const char *name) {
    bx_auto(bx_freep) char *dir = bx_record_dir(w, id);
    return bx_path_join(dir, name);
}

bool bx_record_has_folder(const struct bx_worktree *t) {
    return t->state != BX_WORKTREE_MERGED && t->state != BX_WORKTREE_KEPT;
}

static bool id_ok(const char *id) {
    return strlen(id) == 12 && strspn(id, "0123456789abcdef") == 12;
}

static int read_members(const struct bx_val *o, struct bx_worktree *ret) {
    struct bx_str state = bx_val_get_str(o, "state");
    size_t s = 0;
    while (s < BX_ARRAY_LEN(state_names) && !bx_str_eqz(state, state_names[s]))
        s++;
    const char *branch = bx_val_get_z(o, "branch"), *base = bx_val_get_z(o, "base"),
               *tip = bx_val_get_z(o, "tip"), *into = bx_val_get_z(o, "into"),
               *executor = bx_val_get_z(o, "executor");
    if (s == BX_ARRAY_LEN(state_names) || !branch || !base || !tip || !into)
        return BX_ERR_DAMAGED;
    snprintf(ret->executor, sizeof ret->executor, "%s", executor ? executor : "");
    ret->branch = bx_strdup(branch);
    ret->base = bx_strdup(base);
    ret->tip = bx_strdup(tip);
    ret->into = bx_strdup(into);
    ret->problem = bx_strdup(bx_val_get_z(o, "problem"));
    ret->state = (enum bx_worktree_state)s;
    ret->files = (uint64_t)bx_val_get_int(o, "files", 0);
    ret->insertions = (uint64_t)bx_val_get_int(o, "insertions", 0);
    ret->deletions = (uint64_t)bx_val_get_int(o, "deletions", 0);
    ret->uncommitted = (uint64_t)bx_val_get_int(o, "uncommitted", 0);
    bx_time_parse(bx_val_get_str(o, "created_at"), &ret->created_at_ms);
    return 0;
}

int bx_record_read(struct bx_worktrees *w, const char *id, struct bx_worktree *ret,
                   struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_record_path(w, id, "worktree.json");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    *ret = (struct bx_worktree){0};
    int rc =
        bx_doc_read_file(path, &(struct bx_json_limits){.max_size_bytes = 64 * BX_KIB}, &doc, err);
    if (rc)
        return rc;
    if (read_members(bx_doc_root(doc), ret))
        return bx_fail(err, BX_ERR_DAMAGED, "%s is damaged", path);
    snprintf(ret->id, sizeof ret->id, "%s", id);
    ret->path = bx_record_path(w, id, "tree");
    return 0;
}

void bx_worktree_write(const struct bx_worktree *t, struct bx_jw *w) {
    char when[25];
    bx_time_format(t->created_at_ms, when);
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", t->id);
    bx_jw_kstr(w, "executor", t->executor[0] ? t->executor : NULL);
    bx_jw_kstr(w, "branch", t->branch);
    bx_jw_kstr(w, "base", t->base);
    bx_jw_kstr(w, "tip", t->tip);
    bx_jw_kstr(w, "into", t->into);
    bx_jw_kstr(w, "path", t->path);
    bx_jw_kstr(w, "state", bx_worktree_state_name(t->state));
    bx_jw_kstr(w, "created_at", when);
    bx_jw_kuint(w, "files", t->files);
    bx_jw_kuint(w, "insertions", t->insertions);
    bx_jw_kuint(w, "deletions", t->deletions);
    bx_jw_kuint(w, "uncommitted", t->uncommitted);
    if (t->problem)
        bx_jw_kstr(w, "problem", t->problem);
    bx_jw_end(w);
}

int bx_record_write(struct bx_worktrees *w, const struct bx_worktree *t, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_record_path(w, t->id, "worktree.json");
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw j;
    bx_jw_init(&j, &out);
    bx_worktree_write(t, &j);
    bx_buf_addc(&out, '\n');
    return bx_file_write_atomic(path, bx_buf_str(&out), 0600, err);
}

/* ---- finding ---- */

struct search {
    struct bx_worktrees *w;
    const char *name;
    char *ret;
};

static int look(void *user, const char *id) {
    struct search *s = user;
    struct bx_worktree t;
    if (!id_ok(id) || bx_record_read(s->w, id, &t, NULL))
        return 0;
    bool it = strcmp(t.executor, s->name) == 0 || strcmp(t.branch, s->name) == 0;
    bx_worktree_deinit(&t);
    if (it)
        snprintf(s->ret, 13, "%s", id);
    return it;
}

int bx_record_find(struct bx_worktrees *w, const char *name, char ret[static 13],
                   struct bx_err *err) {
    bx_auto(bx_freep) char *path = id_ok(name) ? bx_record_path(w, name, "worktree.json") : NULL;
    struct search s = {.w = w, .name = name, .ret = ret};
    ret[0] = 0;
    if (path && bx_file_exists(path))
        snprintf(ret, 13, "%s", name);
    else if (*name)
        bx_dir_each(w->dir, look, &s, NULL);
    return ret[0] ? 0 : bx_fail(err, BX_ERR_NOTFOUND, "there is no worktree %.60s", name);
}

void bx_record_unlock(int *fd) {
    if (*fd >= 0)
        flock(*fd, LOCK_UN);
    bx_fd_close(fd);
}

int bx_record_lock(struct bx_worktrees *w, const char *id, bool wait, int *ret_fd,
                   struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_record_path(w, id, "lock");
    bx_auto(bx_fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return bx_fail_errno(err, errno, "%s", path);
    int r;
    while ((r = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB)) < 0 && errno == EINTR)
        ;
    if (r < 0)
        return bx_fail(err, BX_ERR_BUSY,
                       "something else is being done with the worktree %s; try again", id);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int open_record(struct bx_worktrees *w, const char *name, bool wait, struct bx_worktree *ret,
                       int *ret_fd, struct bx_err *err) {
    char id[13];
    int rc = bx_record_find(w, name, id, err);
    rc = rc ? rc : bx_record_lock(w, id, wait, ret_fd, err);
    if (rc)
        return rc;
    rc = bx_record_read(w, id, ret, err);
    if (rc)
        bx_record_unlock(ret_fd);
    return rc;
}

int bx_record_open(struct bx_worktrees *w, const char *name, struct bx_worktree *ret, int *ret_fd,
                   struct bx_err *err) {
    return open_record(w, name, false, ret, ret_fd, err);
}

int bx_record_open_waiting(struct bx_worktrees *w, const char *name, struct bx_worktree *ret,
                           int *ret_fd, struct bx_err *err) {
    return open_record(w, name, true, ret, ret_fd, err);
}

int bx_worktree_get(struct bx_worktrees *w, const char *name, struct bx_worktree *ret,
                    struct bx_err *err) {
    char id[13];
    int rc = bx_record_find(w, name, id, err);
    return rc ? rc : bx_record_read(w, id, ret, err);
}

struct all {
    struct bx_worktrees *w;
    BX_VEC(struct bx_worktree) found;
};

static int take(void *user, const char *id) {
    struct all *all = user;
    struct bx_worktree t;
    if (id_ok(id) && bx_record_read(all->w, id, &t, NULL) == 0)
        bx_vec_push(&all->found, t);
    return 0;
}

static int newest_first(const void *a, const void *b) {
    const struct bx_worktree *x = a, *y = b;
    return x->created_at_ms != y->created_at_ms ? (x->created_at_ms < y->created_at_ms ? 1 : -1)
                                                : strcmp(x->id, y->id);
}

int bx_worktree_all(struct bx_worktrees *w, struct bx_worktree_list *ret, struct bx_err *err) {
    struct all all = {.w = w};
    if (bx_file_exists(w->dir)) {
        int rc = bx_dir_each(w->dir, take, &all, err);
        if (rc < 0)
            return rc;
    }
    if (all.found.n)
        qsort(all.found.p, all.found.n, sizeof *all.found.p, newest_first);
    *ret = (struct bx_worktree_list){.items = all.found.p, .n = all.found.n};
    return 0;
}

void bx_worktree_list_deinit(struct bx_worktree_list *list) {
    for (size_t i = 0; i < list->n; i++)
        bx_worktree_deinit(&list->items[i]);
    bx_free(list->items);
    *list = (struct bx_worktree_list){0};
}
