#include "store/index.h"

#include "base/file.h"
#include "base/fold.h"
#include "base/id.h"
#include "base/thread.h"
#include "base/vec.h"
#include "store/index_file.h"

struct bx_index {
    char *dir;
    pthread_mutex_t lock;
    pthread_cond_t loaded_wake;
    struct bx_index_entries entries;
    bool writable, loaded, thread_runs;
    bool changed; /* the file should be written at the end */
    struct bx_err load_err;
    pthread_t thread;
};

struct bx_index *bx_index_new(const char *sessions_dir) {
    struct bx_index *ix = bx_new(struct bx_index);
    ix->dir = bx_strdup(sessions_dir);
    pthread_mutex_init(&ix->lock, NULL);
    bx_cond_init(&ix->loaded_wake);
    return ix;
}

/* Rows that came by bx_index_put while the files were being read are newer than what was read. */
static void merge(struct bx_index *ix, struct bx_index_entries *read) {
    for (size_t i = 0; i < ix->entries.n; i++) {
        bool there;
        size_t at = bx_index_entries_find(read, ix->entries.p[i].row.id, &there);
        if (there) {
            bx_session_row_deinit(&read->p[at].row);
            read->p[at] = ix->entries.p[i];
        } else {
            bx_vec_push(read, ix->entries.p[i]);
            memmove(&read->p[at + 1], &read->p[at], (read->n - 1 - at) * sizeof *read->p);
            read->p[at] = ix->entries.p[i];
        }
    }
    bx_vec_free(&ix->entries);
    ix->entries = *read;
}

static void *load_main(void *user) {
    struct bx_index *ix = user;
    struct bx_index_entries read = {0};
    struct bx_err err = {0};
    bool stale = false;
    int rc = bx_index_file_load(ix->dir, &read, &stale, &err);
    if (rc == 0 && stale && ix->writable)
        bx_index_file_save(
            ix->dir, &read,
            NULL); /* a cache: when it cannot be written the next start reads again */
    BX_LOCKED(&ix->lock);
    if (rc == 0)
        merge(ix, &read);
    else
        ix->load_err = err;
    ix->loaded = true;
    pthread_cond_broadcast(&ix->loaded_wake);
    return NULL;
}

int bx_index_start(struct bx_index *ix, bool writable, struct bx_err *err) {
    ix->writable = writable;
    int rc = bx_thread_start(&ix->thread, "bx-index", load_main, ix, err);
    ix->thread_runs = rc == 0;
    return rc;
}

void bx_index_free(struct bx_index *ix) {
    if (!ix)
        return;
    if (ix->thread_runs)
        pthread_join(ix->thread, NULL);
    if (ix->loaded && ix->writable && ix->changed && !ix->load_err.code) {
        for (size_t i = 0; i < ix->entries.n; i++) {
            if (ix->entries.p[i].size_bytes < 0)
                bx_index_file_stat(ix->dir, &ix->entries.p[i]);
        }
        bx_index_file_save(ix->dir, &ix->entries, NULL);
    }
    bx_index_entries_deinit(&ix->entries);
    pthread_cond_destroy(&ix->loaded_wake);
    pthread_mutex_destroy(&ix->lock);
    bx_free(ix->dir);
    bx_free(ix);
}

void bx_index_put(struct bx_index *ix, struct bx_session_row *take_row) {
    BX_LOCKED(&ix->lock);
    bool there;
    size_t at = bx_index_entries_find(&ix->entries, take_row->id, &there);
    struct bx_index_entry e = {.row = *take_row, .size_bytes = -1};
    if (there) {
        bx_session_row_deinit(&ix->entries.p[at].row);
    } else {
        bx_vec_push(&ix->entries, e);
        memmove(&ix->entries.p[at + 1], &ix->entries.p[at], (ix->entries.n - 1 - at) * sizeof e);
    }
    ix->entries.p[at] = e;
    ix->changed = true;
}

void bx_index_reread(struct bx_index *ix, const char *id) {
    struct bx_index_entry e = {0};
    memcpy(e.row.id, id, BX_ID_LEN);
    if (bx_index_file_stat(ix->dir, &e)) {
        bx_index_read_session(ix->dir, &e);
        bx_index_put(ix, &e.row);
    }
}

/* lock is held. */
static int wait_loaded(struct bx_index *ix, struct bx_err *err) {
    while (!ix->loaded)
        pthread_cond_wait(&ix->loaded_wake, &ix->lock);
    if (ix->load_err.code) {
        if (err)
            *err = ix->load_err;
        return ix->load_err.code;
    }
    return 0;
}

void bx_index_remove(struct bx_index *ix, const char *id) {
    BX_LOCKED(&ix->lock);
    bool there = false;
    wait_loaded(ix, NULL);
    size_t at = bx_index_entries_find(&ix->entries, id, &there);
    if (!there)
        return;
    bx_session_row_deinit(&ix->entries.p[at].row);
    bx_vec_remove(&ix->entries, at);
    ix->changed = true;
}

static struct bx_session_row copy(const struct bx_session_row *row) {
    struct bx_session_row c = *row;
    c.title = bx_strdup(row->title);
    c.model = bx_strdup(row->model);
    c.mode = bx_strdup(row->mode);
    c.agent = bx_strdup(row->agent);
    return c;
}

static bool fits(const struct bx_session_filter *f, const struct bx_session_row *row) {
    return (!f->kind || strcmp(row->kind, f->kind) == 0) &&
           (!f->parent || strcmp(row->parent.session, f->parent) == 0) &&
           (!f->pinned || row->pinned) &&
           (!f->title || bx_find_folded(bx_str(row->title), bx_str(f->title)) != SIZE_MAX);
}

int bx_index_list(struct bx_index *ix, const struct bx_session_filter *filter, size_t limit,
                  struct bx_session_list *ret, struct bx_err *err) {
    const char *before = filter->before;
    if (before && !bx_id_is_valid(bx_str(before)))
        return bx_fail(err, BX_ERR_INVALID, "`before` must be the id of a session");
    BX_LOCKED(&ix->lock);
    int rc = wait_loaded(ix, err);
    if (rc < 0)
        return rc;
    struct bx_session_list list = {0};
    BX_VEC(struct bx_session_row) rows = {0};
    bool there;
    size_t at = before ? bx_index_entries_find(&ix->entries, before, &there) : ix->entries.n;
    while (at-- > 0) {
        const struct bx_session_row *row = &ix->entries.p[at].row;
        if (!fits(filter, row))
            continue;
        if (rows.n == limit) {
            list.more = true;
            break;
        }
        bx_vec_push(&rows, copy(row));
    }
    list.rows = rows.p;
    list.n = rows.n;
    *ret = list;
    return 0;
}

int bx_index_row(struct bx_index *ix, const char *id, struct bx_session_row *ret,
                 struct bx_err *err) {
    BX_LOCKED(&ix->lock);
    bool there = false;
    size_t at = bx_index_entries_find(&ix->entries, id, &there);
    if (!there) {
        int rc = wait_loaded(ix, err);
        if (rc < 0)
            return rc;
        at = bx_index_entries_find(&ix->entries, id, &there);
    }
    if (!there)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no session %s", id);
    *ret = copy(&ix->entries.p[at].row);
    return 0;
}

void bx_session_row_deinit(struct bx_session_row *row) {
    bx_free(row->title);
    bx_free(row->model);
    bx_free(row->mode);
    bx_free(row->agent);
    row->title = row->model = row->mode = row->agent = NULL;
}

void bx_session_list_deinit(struct bx_session_list *list) {
    for (size_t i = 0; i < list->n; i++)
        bx_session_row_deinit(&list->rows[i]);
    bx_free(list->rows);
    *list = (struct bx_session_list){0};
}
