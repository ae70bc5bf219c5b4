#include "store/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "json/write.h"
#include "store/internal.h"

#define LOCK_MAX_BYTES 4096

/* What the lock file says of its owner: {"pid":123,"url":"http://…"}. */
static int fail_busy(const char *dir, int fd, struct bx_err *err) {
    char text[LOCK_MAX_BYTES];
    ssize_t n = pread(fd, text, sizeof text, 0);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (n > 0)
        bx_doc_parse(bx_str_n(text, (size_t)n), NULL, &doc, NULL);
    const struct bx_val *v = doc ? bx_doc_root(doc) : NULL;
    const char *url = bx_val_get_z(v, "url");
    return bx_fail(err, BX_ERR_BUSY,
                   "the workspace '%s' is in use by process %" PRId64
                   "%s%s: stop it or use another folder",
                   dir, bx_val_get_int(v, "pid", 0), url && *url ? " at " : "", url ? url : "");
}

static int write_lock(struct bx_store *s, const char *url, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(LOCK_MAX_BYTES);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kint(&w, "pid", getpid());
    bx_jw_kstr(&w, "url", url);
    bx_jw_end(&w);
    if (ftruncate(s->lock_fd, 0) < 0 ||
        pwrite(s->lock_fd, text.p, text.size, 0) != (ssize_t)text.size)
        return bx_fail_errno(err, errno, "the lock file of '%s' cannot be written", s->dir);
    return 0;
}

static int take_lock(struct bx_store *s, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "lock");
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->lock_fd < 0)
        return bx_fail_errno(err, errno, "'%s' cannot be opened", path);
    /* flock goes with the open file, not with the name: a lock that a dead process left behind is
     * free. */
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        int why = errno;
        return why == EWOULDBLOCK ? fail_busy(s->dir, s->lock_fd, err)
                                  : bx_fail_errno(err, why, "'%s'", path);
    }
    return write_lock(s, "", err);
}

static int make_layout(struct bx_store *s, struct bx_err *err) {
    const char *const dirs[] = {s->dir, s->sessions_dir, s->trash_dir, s->archive_dir};
    for (size_t i = 0; i < BX_ARRAY_LEN(dirs); i++) {
        int rc = bx_dir_make_lasting(dirs[i], 0700, err);
        if (rc < 0)
            return rc;
    }
    if (access(s->dir, R_OK | W_OK | X_OK) < 0)
        return bx_fail_errno(err, errno, "the state folder '%s' cannot be used", s->dir);
    return 0;
}

bool bx_store_is_leftover(const char *name) {
    struct bx_str s = bx_str(name);
    return bx_str_starts(s, ".new-") || (bx_str_starts(s, ".bx-") && bx_str_ends(s, ".tmp"));
}

struct leftovers {
    const char *dir;
    BX_VEC(char *) paths;
};

static int visit_leftover(void *user, const char *name) {
    struct leftovers *l = user;
    if (bx_store_is_leftover(name))
        bx_vec_push(&l->paths, bx_path_join(l->dir, name));
    return 0;
}

/* Files that a crash left half written: nobody was told of them. Only the owner writes here, and it
 * has just come. */
static void remove_leftovers(const char *dir) {
    struct leftovers l = {.dir = dir};
    bx_dir_each(dir, visit_leftover, &l, NULL);
    for (size_t i = 0; i < l.paths.n; i++) {
        unlink(l.paths.p[i]);
        bx_free(l.paths.p[i]);
    }
    bx_vec_free(&l.paths);
}

static int start_owner(struct bx_store *s, struct bx_err *err) {
    int rc = make_layout(s, err);
    if (rc == 0)
        rc = take_lock(s, err);
    if (rc == 0)
        remove_leftovers(s->sessions_dir);
    if (rc == 0)
        rc = bx_secrets_make_private(s, err);
    if (rc == 0)
        rc = bx_secret_make_missing(s, err);
    if (rc == 0)
        rc = bx_flusher_start(s, err);
    return rc;
}

int bx_store_open(const char *state_dir, enum bx_store_mode mode, struct bx_store **ret,
                  struct bx_err *err) {
    bx_auto(bx_store_closep) struct bx_store *s = bx_new(struct bx_store);
    s->dir = bx_path_absolute(state_dir);
    s->sessions_dir = bx_path_join(s->dir, "sessions");
    s->trash_dir = bx_path_join(s->dir, "trash");
    s->archive_dir = bx_path_join(s->dir, "archive");
    s->mode = mode;
    s->lock_fd = -1;
    pthread_mutex_init(&s->table_lock, NULL);
    pthread_mutex_init(&s->files_lock, NULL);
    pthread_mutex_init(&s->flush_lock, NULL);
    pthread_mutex_init(&s->change_lock, NULL);
    bx_cond_init(&s->flush_wake);
    s->table = bx_map_new(NULL);
    s->index = bx_index_new(s->sessions_dir);
    int rc = mode == BX_STORE_OWNER ? start_owner(s, err) : 0;
    if (rc == 0)
        rc = bx_index_start(s->index, mode == BX_STORE_OWNER, err);
    if (rc < 0)
        return rc;
    *ret = bx_steal(&s);
    return 0;
}

void bx_store_close(struct bx_store *s) {
    if (!s)
        return;
    bx_flusher_stop(s);
    bx_recent_forget(s, NULL);
    if (bx_map_count(s->table) != 0)
        bx_die("store: %zu sessions are still held while the store closes", bx_map_count(s->table));
    bx_index_free(s->index);
    bx_map_free(s->table);
    bx_vec_free(&s->dirty);
    bx_fd_close(&s->lock_fd);
    pthread_cond_destroy(&s->flush_wake);
    pthread_mutex_destroy(&s->table_lock);
    pthread_mutex_destroy(&s->files_lock);
    pthread_mutex_destroy(&s->flush_lock);
    pthread_mutex_destroy(&s->change_lock);
    bx_free(s->dir);
    bx_free(s->sessions_dir);
    bx_free(s->trash_dir);
    bx_free(s->archive_dir);
    bx_free(s);
}

const char *bx_store_dir(const struct bx_store *s) {
    return s->dir;
}

bool bx_store_is_owned(const struct bx_store *s) {
    bx_auto(bx_freep) char *path = bx_path_join(s->dir, "lock");
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void bx_store_set_url(struct bx_store *s, const char *url) {
    if (s->mode == BX_STORE_OWNER)
        write_lock(s, url, NULL); /* only a message for others */
}

int bx_store_check_id(const char *id, struct bx_err *err) {
    return bx_id_is_valid(bx_str(id))
               ? 0
               : bx_fail(err, BX_ERR_NOTFOUND, "'%.60s' is not the id of a session", id);
}

char *bx_store_session_path(const struct bx_store *s, const char *id) {
    return bx_asprintf("%s/%s.jsonl", s->sessions_dir, id);
}

int bx_store_list(struct bx_store *s, const struct bx_session_filter *filter, size_t limit,
                  struct bx_session_list *ret, struct bx_err *err) {
    return bx_index_list(s->index, filter, limit, ret, err);
}

int bx_store_row(struct bx_store *s, const char *id, struct bx_session_row *ret,
                 struct bx_err *err) {
    int rc = bx_store_check_id(id, err);
    return rc < 0 ? rc : bx_index_row(s->index, id, ret, err);
}

void bx_store_on_list_change(struct bx_store *s, void (*fn)(void *user), void *user) {
    BX_LOCKED(&s->change_lock);
    s->on_change = fn;
    s->on_change_user = user;
}

/* The lock is held during the call, so that after a change of the watcher the old one does not run.
 */
void bx_store_changed(struct bx_store *s) {
    BX_LOCKED(&s->change_lock);
    if (s->on_change)
        s->on_change(s->on_change_user);
}
