#include "store/session.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "json/write.h"
#include "store/session_impl.h"

#define RING_BYTES (256 * BX_KIB)

static struct bx_session *session_new(struct bx_store *store, int fd) {
    struct bx_session *s = bx_new(struct bx_session);
    s->store = store;
    s->refs = 1;
    s->fd = fd;
    pthread_mutex_init(&s->append_lock, NULL);
    pthread_mutex_init(&s->state_lock, NULL);
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    /* Else a busy stream of deltas could keep unwatch waiting for ever. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->watch_lock, &attr);
    pthread_rwlockattr_destroy(&attr);
    bx_buf_init(&s->line, BX_EVENT_MAX_BYTES);
    bx_ring_init(&s->ring, RING_BYTES);
    return s;
}

static void session_destroy(struct bx_session *s) {
    assert(!s->watches);
    bx_fd_close(&s->fd);
    bx_doc_free(s->header_doc);
    bx_buf_deinit(&s->line);
    bx_vec_free(&s->offsets);
    bx_facts_deinit(&s->facts);
    bx_ring_deinit(&s->ring);
    pthread_mutex_destroy(&s->append_lock);
    pthread_mutex_destroy(&s->state_lock);
    pthread_rwlock_destroy(&s->watch_lock);
    bx_free(s);
}

struct bx_session *bx_session_ref(struct bx_session *s) {
    if (s) {
        BX_LOCKED(&s->store->table_lock);
        s->refs++;
    }
    return s;
}

void bx_session_unref(struct bx_session *s) {
    if (!s)
        return;
    {
        BX_LOCKED(&s->store->table_lock);
        if (--s->refs > 0)
            return;
        struct bx_str id = bx_str(s->header.id);
        if (bx_map_get(s->store->table, id) == s)
            bx_map_remove(s->store->table, id);
    }
    session_destroy(s);
}

void bx_session_write_origin(struct bx_jw *w, const struct bx_session_parent *parent,
                             const struct bx_session_fork *forked_from) {
    if (parent->session[0]) {
        bx_jw_kobj(w, "parent");
        bx_jw_kstr(w, "session", parent->session);
        bx_jw_kstr(w, "run", parent->run);
        bx_jw_kstr(w, "call", parent->call);
        bx_jw_end(w);
    }
    if (forked_from->session[0]) {
        bx_jw_kobj(w, "forked_from");
        bx_jw_kstr(w, "session", forked_from->session);
        bx_jw_kuint(w, "seq", forked_from->seq);
        bx_jw_end(w);
    }
}

void bx_session_write_header(const struct bx_session_header *h, struct bx_buf *out) {
    struct bx_jw w;
    char t[25];
    bx_time_format(h->created_at_ms, t);
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kint(&w, "v", 1);
    bx_jw_kstr(&w, "id", h->id);
    bx_jw_kstr(&w, "created_at", t);
    bx_jw_kstr(&w, "title", h->title);
    bx_jw_kstr(&w, "model", h->model);
    bx_jw_kstr(&w, "mode", h->mode);
    bx_jw_kstr(&w, "root", h->root);
    bx_jw_kstr(&w, "kind", h->kind);
    if (h->agent && *h->agent)
        bx_jw_kstr(&w, "agent", h->agent);
    bx_session_write_origin(&w, &h->parent, &h->forked_from);
    bx_jw_end(&w);
    bx_buf_addc(out, '\n');
}

int bx_session_complete_header(const struct bx_store *store, const struct bx_session_header *h,
                               struct bx_session_header *ret, struct bx_err *err) {
    if (store->mode != BX_STORE_OWNER)
        return bx_fail(err, BX_ERR_DENIED, "this workspace was opened for reading only");
    struct bx_session_header made = *h;
    if (!made.id[0])
        bx_id_new(made.id);
    if (!made.created_at_ms)
        made.created_at_ms = bx_wall_ms();
    made.title = h->title ? h->title : "";
    made.model = h->model ? h->model : "";
    made.mode = h->mode ? h->mode : "default";
    made.root = h->root ? h->root : "";
    made.kind = h->kind ? h->kind : "chat";
    *ret = made;
    return bx_store_check_id(made.id, err);
}

int bx_session_create(struct bx_store *store, const struct bx_session_header *h,
                      struct bx_session **ret, struct bx_err *err) {
    struct bx_session_header made;
    int rc = bx_session_complete_header(store, h, &made, err);
    if (rc < 0)
        return rc;
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(BX_MIB);
    bx_session_write_header(&made, &line);
    if (bx_buf_failed(&line))
        return bx_fail(err, BX_ERR_LIMIT, "title, model or root of a session is too long");
    bx_auto(bx_freep) char *path = bx_store_session_path(store, made.id);
    if (bx_file_exists(path))
        return bx_fail(err, BX_ERR_EXISTS, "session %s is there already", made.id);
    /* The header is never half: it comes by rename. */
    rc = bx_file_write_atomic(path, bx_buf_str(&line), 0600, err);
    if (rc < 0)
        return bx_wrap(err, rc, "session not created");
    rc = bx_session_open(store, made.id, ret, err);
    if (rc < 0)
        return rc;
    struct bx_session_row row;
    bx_session_row(*ret, &row);
    bx_index_put(store->index, &row);
    bx_store_changed(store);
    return 0;
}

static void take_scan(struct bx_session *s, const char *id, struct bx_scan *scan) {
    const struct bx_val *root = bx_doc_root(scan->header);
    s->header_doc = bx_steal(&scan->header);
    memcpy(s->header.id, id, BX_ID_LEN);
    s->header.created_at_ms = scan->facts.created_at_ms;
    const char **fields[] = {&s->header.title, &s->header.model, &s->header.mode,
                             &s->header.root,  &s->header.kind,  &s->header.agent};
    static const char *const names[] = {"title", "model", "mode", "root", "kind", "agent"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        const char *z = bx_val_get_z(root, names[i]);
        *fields[i] = z ? z : "";
    }
    s->header.parent = scan->facts.parent;
    s->header.forked_from = scan->facts.forked_from;
    s->facts = scan->facts;
    scan->facts = (struct bx_facts){0};
    s->offsets.p = scan->offsets.p;
    s->offsets.n = scan->offsets.n;
    s->offsets.cap = scan->offsets.cap;
    scan->offsets.p = NULL;
    s->damaged_lines = scan->damaged_lines;
    s->end = s->synced_end = scan->end;
}

void bx_session_stamp(struct bx_session *s) {
    struct stat st;
    if (fstat(s->fd, &st) == 0)
        s->stamp = st.st_mtim;
}

/* Under the table lock: two openers must get the same object. */
static int load(struct bx_store *store, const char *id, struct bx_session **ret,
                struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_store_session_path(store, id);
    bool owner = store->mode == BX_STORE_OWNER;
    bx_auto(bx_fd_close) int fd =
        open(path, (owner ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no session %s", id);
    if (fd < 0 || fstat(fd, &st) < 0)
        return bx_fail_errno(err, errno, "session %s does not open", id);
    if (!S_ISREG(st.st_mode))
        return bx_fail(err, BX_ERR_DAMAGED, "'%s' is not a regular file", path);
    bx_auto(bx_scan_deinit) struct bx_scan scan = {0};
    int rc = bx_scan_fd(fd, true, &scan, err);
    if (rc < 0)
        return bx_wrap(err, rc, "session %s", id);
    if (!scan.header)
        return bx_fail(err, BX_ERR_DAMAGED,
                       "session %s has no readable header: look at the first line of '%s'", id,
                       path);
    uint64_t torn = (uint64_t)st.st_size > scan.end ? (uint64_t)st.st_size - scan.end : 0;
    /* Nobody was told of a torn line, so it never was. Another process may be about to end it when
     * we only look. */
    if (owner && torn && ftruncate(fd, (off_t)scan.end) < 0)
        return bx_fail_errno(err, errno, "session %s: a torn line cannot be cut off", id);
    struct bx_session *s = session_new(store, fd);
    fd = -1;
    s->torn_bytes = owner ? torn : 0;
    bx_session_stamp(s);
    take_scan(s, id, &scan);
    *ret = s;
    return 0;
}

/* table_lock is held. */
static int find_or_load(struct bx_store *store, const char *id, struct bx_session **ret,
                        struct bx_session **ret_stale, struct bx_err *err) {
    struct bx_session *s = bx_map_get(store->table, bx_str(id));
    if (s && bx_recent_is_stale(store, s)) {
        bx_map_remove(store->table, bx_str(id));
        *ret_stale = s;
        s = NULL;
    }
    if (s) {
        s->refs++;
    } else {
        int rc = load(store, id, &s, err);
        if (rc < 0)
            return rc;
        bx_map_put(store->table, bx_str(id), s);
    }
    *ret = s;
    return 0;
}

int bx_session_open(struct bx_store *store, const char *id, struct bx_session **ret,
                    struct bx_err *err) {
    struct bx_session *stale = NULL, *oldest = NULL;
    int rc = bx_store_check_id(id, err);
    if (rc < 0)
        return rc;
    {
        BX_LOCKED(&store->table_lock);
        rc = find_or_load(store, id, ret, &stale, err);
        if (rc == 0)
            oldest = bx_recent_touch(store, *ret);
    }
    bx_session_unref(stale);
    bx_session_unref(oldest);
    return rc;
}

int bx_session_retire(struct bx_session *s, bool retired, struct bx_err *err) {
    BX_LOCKED(&s->append_lock);
    BX_LOCKED(&s->state_lock);
    if (retired && s->facts.open_run)
        return bx_fail(err, BX_ERR_BUSY, "session %s has an active run: stop it first",
                       s->header.id);
    s->retired = retired;
    return 0;
}

const struct bx_session_header *bx_session_header(const struct bx_session *s) {
    return &s->header;
}

static char *fact(struct bx_session *s, char *const *field) {
    BX_LOCKED(&s->state_lock);
    return bx_strdup(*field ? *field : "");
}

char *bx_session_title(struct bx_session *s) {
    return fact(s, &s->facts.title);
}
char *bx_session_model(struct bx_session *s) {
    return fact(s, &s->facts.model);
}
char *bx_session_mode(struct bx_session *s) {
    return fact(s, &s->facts.mode);
}
char *bx_session_earlier_mode(struct bx_session *s) {
    return fact(s, &s->facts.earlier_mode);
}
bool bx_session_pinned(struct bx_session *s) {
    BX_LOCKED(&s->state_lock);
    return s->facts.pinned;
}
bool bx_session_planner(struct bx_session *s) {
    BX_LOCKED(&s->state_lock);
    return s->facts.planner;
}
char *bx_session_todos(struct bx_session *s) {
    BX_LOCKED(&s->state_lock);
    return bx_strdup(s->facts.todos ? s->facts.todos : "[]");
}

char *bx_session_budget(struct bx_session *s) {
    BX_LOCKED(&s->state_lock);
    return bx_strdup(s->facts.budget ? s->facts.budget : "{}");
}

char *bx_session_queued(struct bx_session *s) {
    struct bx_buf text = BX_BUF_INIT(256 * BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_arr(&w);
    {
        BX_LOCKED(&s->state_lock);
        for (size_t i = 0; i < s->facts.queued.n; i++)
            bx_jw_raw(&w, bx_str(s->facts.queued.p[i].members));
    }
    bx_jw_end(&w);
    return bx_buf_steal(&text);
}

uint64_t bx_session_last_seq(struct bx_session *s) {
    BX_LOCKED(&s->state_lock);
    return s->offsets.n;
}

size_t bx_session_rewound(struct bx_session *s, struct bx_seq_range **ret) {
    BX_LOCKED(&s->state_lock);
    size_t n = s->facts.rewound.n;
    *ret = n ? bx_alloc(n * sizeof **ret) : NULL;
    if (n)
        memcpy(*ret, s->facts.rewound.p, n * sizeof **ret);
    return n;
}

bool bx_seq_in(const struct bx_seq_range *ranges, size_t count, uint64_t seq) {
    size_t lo = 0, hi = count; /* the first that ends at seq or behind */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ranges[mid].to < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && ranges[lo].from <= seq;
}

unsigned bx_session_damaged_lines(const struct bx_session *s) {
    return s->damaged_lines;
}
uint64_t bx_session_torn_bytes(const struct bx_session *s) {
    return s->torn_bytes;
}

void bx_session_row(struct bx_session *s, struct bx_session_row *ret) {
    BX_LOCKED(&s->state_lock);
    bx_facts_row(&s->facts, s->header.id, s->damaged_lines > 0, ret);
}

void bx_session_watch(struct bx_session *s, struct bx_session_watch *w) {
    pthread_rwlock_wrlock(&s->watch_lock);
    w->next = s->watches;
    s->watches = w;
    pthread_rwlock_unlock(&s->watch_lock);
}

void bx_session_unwatch(struct bx_session *s, struct bx_session_watch *w) {
    pthread_rwlock_wrlock(&s->watch_lock);
    for (struct bx_session_watch **at = &s->watches; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    pthread_rwlock_unlock(&s->watch_lock);
}

void bx_session_notify(struct bx_session *s) {
    pthread_rwlock_rdlock(&s->watch_lock);
    for (struct bx_session_watch *w = s->watches; w; w = w->next)
        w->fn(w->user);
    pthread_rwlock_unlock(&s->watch_lock);
}
