#include "store/place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "store/index_file.h"
#include "store/session_impl.h"

/* One session and all below it: the session first, every parent before its children. */
struct id {
    char s[BX_ID_LEN + 1];
};
struct tree {
    BX_VEC(struct id) ids;
};

static void tree_deinit(struct tree *t) {
    bx_vec_free(&t->ids);
}

static void add(struct tree *t, const char *id) {
    struct id item = {{0}};
    for (size_t i = 0; i < t->ids.n; i++) {
        if (memcmp(t->ids.p[i].s, id, BX_ID_LEN) == 0)
            return; /* a circle of parents is nobody's work but must end */
    }
    memcpy(item.s, id, BX_ID_LEN);
    bx_vec_push(&t->ids, item);
}

static const char *folder(const struct bx_store *s, enum bx_place place) {
    return place == BX_PLACE_TRASH     ? s->trash_dir
           : place == BX_PLACE_ARCHIVE ? s->archive_dir
                                       : s->sessions_dir;
}

static char *file_in(const struct bx_store *s, enum bx_place place, const char *id) {
    return bx_asprintf("%s/%s.jsonl", folder(s, place), id);
}

/* ---- what belongs together ---- */

static int listed_tree(struct bx_store *s, const char *id, struct tree *ret, struct bx_err *err) {
    add(ret, id);
    for (size_t at = 0; at < ret->ids.n; at++) {
        struct id parent = ret->ids.p[at];
        struct bx_session_filter filter = {.parent = parent.s};
        struct bx_session_list children;
        int rc = bx_index_list(s->index, &filter, SIZE_MAX, &children, err);
        if (rc < 0)
            return rc;
        for (size_t i = 0; i < children.n; i++)
            add(ret, children.rows[i].id);
        bx_session_list_deinit(&children);
    }
    return 0;
}

struct family {
    const struct bx_store *store;
    enum bx_place place;
    struct {
        struct id *p;
        size_t n, cap;
    } ids, parents; /* side by side */
};

static int visit_family(void *user, const char *name) {
    struct family *f = user;
    struct bx_str s = bx_str(name);
    struct id id = {{0}}, parent = {{0}};
    if (s.n != BX_ID_LEN + 6 || !bx_str_ends(s, ".jsonl") ||
        !bx_id_is_valid(bx_str_slice(s, 0, BX_ID_LEN)))
        return 0;
    memcpy(id.s, name, BX_ID_LEN);
    bx_auto(bx_freep) char *path = file_in(f->store, f->place, id.s);
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bx_auto(bx_scan_deinit) struct bx_scan scan = {0};
    if (fd >= 0 && bx_scan_header(fd, &scan) == 0)
        memcpy(parent.s, scan.facts.parent.session, sizeof parent.s);
    bx_vec_push(&f->ids, id);
    bx_vec_push(&f->parents, parent);
    return 0;
}

int bx_store_family(struct bx_store *s, const char *id, struct bx_family *ret, struct bx_err *err) {
    bx_auto(tree_deinit) struct tree t = {0};
    *ret = (struct bx_family){.ids = {0}};
    int rc = listed_tree(s, id, &t, err);
    for (size_t i = 0; i < t.ids.n && rc == 0; i++)
        bx_vec_push(&ret->ids, bx_strdup(t.ids.p[i].s));
    return rc;
}

void bx_family_deinit(struct bx_family *f) {
    for (size_t i = 0; i < f->ids.n; i++)
        bx_free(f->ids.p[i]);
    bx_vec_free(&f->ids);
}

static int stored_tree(struct bx_store *s, enum bx_place place, const char *id, struct tree *ret,
                       struct bx_err *err) {
    struct family family = {.store = s, .place = place};
    struct bx_err why = {0};
    int rc = bx_dir_each(folder(s, place), visit_family, &family, &why);
    bool there = false;
    for (size_t i = 0; i < family.ids.n; i++)
        there = there || strcmp(family.ids.p[i].s, id) == 0;
    if (there) {
        add(ret, id);
        for (size_t at = 0; at < ret->ids.n; at++) {
            struct id parent = ret->ids.p[at];
            for (size_t i = 0; i < family.ids.n; i++) {
                if (strcmp(family.parents.p[i].s, parent.s) == 0)
                    add(ret, family.ids.p[i].s);
            }
        }
    }
    bx_vec_free(&family.ids);
    bx_vec_free(&family.parents);
    if (rc < 0 && rc != BX_ERR_NOTFOUND)
        return err ? (*err = why, rc) : rc;
    return there ? 0 : bx_fail(err, BX_ERR_NOTFOUND, "there is no session %s there", id);
}

/* ---- moving ---- */

/* table_lock is held. No open object of the tree takes appends any more, or all of them still do.
 */
static int retire_all(struct bx_store *s, const struct tree *t, struct bx_err *err) {
    int rc = 0;
    size_t done = 0;
    for (; done < t->ids.n && rc == 0; done++) {
        struct bx_session *open_one = bx_map_get(s->table, bx_str(t->ids.p[done].s));
        rc = open_one ? bx_session_retire(open_one, true, err) : 0;
    }
    for (size_t i = 0; rc < 0 && i < done; i++) {
        struct bx_session *open_one = bx_map_get(s->table, bx_str(t->ids.p[i].s));
        if (open_one)
            bx_session_retire(open_one, false, NULL);
    }
    return rc;
}

static int move_file(struct bx_store *s, const char *id, enum bx_place from, enum bx_place to,
                     struct bx_err *err) {
    bx_auto(bx_freep) char *old = file_in(s, from, id), *new = file_in(s, to, id);
    if (to == BX_PLACE_SESSIONS && bx_file_exists(new))
        return bx_fail(err, BX_ERR_EXISTS, "session %s is in the list already", id);
    if (rename(old, new) == 0)
        return 0;
    if (errno == ENOENT && !bx_file_exists(old))
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no session %s", id);
    return bx_fail_errno(err, errno, "session %s cannot be moved to '%s'", id, folder(s, to));
}

/* table_lock is held. Children first: what stands there after a failure belongs together still. */
static int move_all(struct bx_store *s, const struct tree *t, enum bx_place from, enum bx_place to,
                    struct bx_err *err) {
    int rc = 0;
    for (size_t i = t->ids.n; i-- > 0 && rc == 0;) {
        const char *id = t->ids.p[i].s;
        rc = move_file(s, id, from, to, err);
        if (rc < 0)
            break;
        if (from == BX_PLACE_SESSIONS && bx_map_get(s->table, bx_str(id)))
            bx_map_remove(s->table, bx_str(id));
        if (to == BX_PLACE_TRASH) { /* since when it is there */
            bx_auto(bx_freep) char *path = file_in(s, to, id);
            utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
        }
    }
    int synced = bx_dir_sync(folder(s, to), err);
    if (synced == 0)
        synced = bx_dir_sync(folder(s, from), err);
    return rc < 0 ? rc : synced;
}

static int move_away(struct bx_store *s, const char *id, enum bx_place to, struct bx_err *err) {
    bx_auto(tree_deinit) struct tree t = {0};
    int rc = bx_store_check_id(id, err);
    if (rc < 0)
        return rc;
    if (s->mode != BX_STORE_OWNER)
        return bx_fail(err, BX_ERR_DENIED, "this workspace was opened for reading only");
    rc = listed_tree(s, id, &t, err);
    if (rc < 0)
        return rc;
    {
        BX_LOCKED(&s->table_lock);
        rc = retire_all(s, &t, err);
        if (rc == 0)
            rc = move_all(s, &t, BX_PLACE_SESSIONS, to, err);
    }
    for (size_t i = 0; i < t.ids.n; i++) {
        bx_auto(bx_freep) char *path = file_in(s, BX_PLACE_SESSIONS, t.ids.p[i].s);
        if (bx_file_exists(path))
            continue;
        bx_index_remove(s->index, t.ids.p[i].s);
        bx_recent_forget(s, t.ids.p[i].s);
    }
    bx_store_changed(s);
    return rc;
}

int bx_store_trash(struct bx_store *s, const char *id, struct bx_err *err) {
    return move_away(s, id, BX_PLACE_TRASH, err);
}

int bx_store_archive(struct bx_store *s, const char *id, struct bx_err *err) {
    return move_away(s, id, BX_PLACE_ARCHIVE, err);
}

int bx_store_restore(struct bx_store *s, const char *id, struct bx_err *err) {
    bx_auto(tree_deinit) struct tree t = {0};
    enum bx_place from = BX_PLACE_TRASH;
    int rc = bx_store_check_id(id, err);
    if (rc < 0)
        return rc;
    if (s->mode != BX_STORE_OWNER)
        return bx_fail(err, BX_ERR_DENIED, "this workspace was opened for reading only");
    rc = stored_tree(s, from, id, &t, err);
    if (rc == BX_ERR_NOTFOUND)
        rc = stored_tree(s, from = BX_PLACE_ARCHIVE, id, &t, err);
    if (rc == BX_ERR_NOTFOUND)
        return bx_fail(err, rc, "session %s is neither in the trash nor in the archive", id);
    if (rc < 0)
        return rc;
    {
        BX_LOCKED(&s->table_lock);
        rc = move_all(s, &t, from, BX_PLACE_SESSIONS, err);
    }
    for (size_t i = 0; i < t.ids.n; i++)
        bx_index_reread(s->index, t.ids.p[i].s);
    bx_store_changed(s);
    return rc;
}

int bx_store_purge(struct bx_store *s, enum bx_place from, const char *id, struct bx_err *err) {
    bx_auto(tree_deinit) struct tree t = {0};
    int rc = bx_store_check_id(id, err);
    if (rc < 0)
        return rc;
    if (s->mode != BX_STORE_OWNER || from == BX_PLACE_SESSIONS)
        return bx_fail(err, BX_ERR_DENIED,
                       "only what is in the trash or the archive is deleted for good");
    rc = stored_tree(s, from, id, &t, err);
    for (size_t i = t.ids.n; i-- > 0 && rc == 0;) {
        bx_auto(bx_freep) char *path = file_in(s, from, t.ids.p[i].s);
        if (unlink(path) < 0 && errno != ENOENT)
            rc = bx_fail_errno(err, errno, "'%s' cannot be deleted", path);
    }
    if (t.ids.n && rc == 0)
        rc = bx_dir_sync(folder(s, from), err); /* for good: also after a crash */
    return rc;
}

/* ---- looking ---- */

int bx_store_place_list(struct bx_store *s, enum bx_place place, int64_t before_ms,
                        struct bx_session_list *ret, struct bx_err *err) {
    struct bx_index_entries entries = {0};
    int64_t before_ns = before_ms > INT64_MAX / 1000000 ? INT64_MAX : before_ms * 1000000;
    int rc = bx_index_folder(folder(s, place), before_ns, &entries, err);
    if (rc < 0)
        return rc;
    *ret = (struct bx_session_list){.n = entries.n,
                                    .rows = bx_alloc((entries.n + 1) * sizeof *ret->rows)};
    for (size_t i = 0; i < entries.n; i++)
        ret->rows[i] = entries.p[entries.n - 1 - i].row;
    bx_vec_free(&entries);
    return 0;
}

bool bx_store_place_has(const struct bx_store *s, enum bx_place place, const char *id) {
    bx_auto(bx_freep) char *path = file_in(s, place, id);
    return bx_id_is_valid(bx_str(id)) && bx_file_exists(path);
}
