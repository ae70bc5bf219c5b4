#include "store/index_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "base/vec.h"
#include "json/write.h"
#include "store/lines.h"
#include "store/scan.h"
#include "store/session.h"

#define INDEX_NAME "index"
#define INDEX_HEAD                                                                                 \
    "{\"v\":2}" /* another number when a row says more: older files are made anew                  \
                 */
#define ROW_MAX_BYTES (64 * BX_KIB)

void bx_index_entries_deinit(struct bx_index_entries *e) {
    for (size_t i = 0; i < e->n; i++)
        bx_session_row_deinit(&e->p[i].row);
    bx_vec_free(e);
}

size_t bx_index_entries_find(const struct bx_index_entries *e, const char *id, bool *ret_found) {
    size_t lo = 0, hi = e->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = memcmp(e->p[mid].row.id, id, BX_ID_LEN);
        if (c == 0) {
            *ret_found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_found = false;
    return lo;
}

static char *dup_member(const struct bx_val *v, const char *key) {
    struct bx_str s = bx_val_get_str(v, key);
    return bx_str_dup(s);
}

static void take(char *ret, size_t size, const struct bx_val *v, const char *key) {
    const char *z = bx_val_get_z(v, key);
    snprintf(ret, size, "%s", z ? z : "");
}

static bool read_entry(struct bx_str line, struct bx_index_entry *ret) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(line, NULL, &doc, NULL) < 0)
        return false;
    const struct bx_val *v = bx_doc_root(doc);
    struct bx_str id = bx_val_get_str(v, "id");
    if (!bx_id_is_valid(id))
        return false;
    *ret = (struct bx_index_entry){
        .row = {.title = dup_member(v, "title"),
                .model = dup_member(v, "model"),
                .mode = dup_member(v, "mode"),
                .created_at_ms = bx_val_get_int(v, "created", 0),
                .updated_at_ms = bx_val_get_int(v, "updated", 0),
                .events = (uint64_t)BX_MAX(bx_val_get_int(v, "events", 0), 0),
                .damaged = bx_val_get_bool(v, "damaged", false),
                .open_run = bx_val_get_bool(v, "open_run", false),
                .pinned = bx_val_get_bool(v, "pinned", false),
                .planner = bx_val_get_bool(v, "planner", false),
                .agent = dup_member(v, "agent"),
                .input_tokens = bx_val_get_int(v, "input", 0),
                .output_tokens = bx_val_get_int(v, "output", 0),
                .cost = bx_val_real(bx_val_get(v, "cost"), 0),
                .cost_known = bx_val_get(v, "cost") != NULL},
        .size_bytes = bx_val_get_int(v, "size", -1),
        .changed_ns = bx_val_get_int(v, "changed", -1),
    };
    struct bx_session_row *row = &ret->row;
    const struct bx_val *parent = bx_val_get(v, "parent"), *fork = bx_val_get(v, "forked_from");
    memcpy(row->id, id.p, BX_ID_LEN);
    take(row->kind, sizeof row->kind, v, "kind");
    take(row->parent.session, sizeof row->parent.session, parent, "session");
    take(row->parent.run, sizeof row->parent.run, parent, "run");
    take(row->parent.call, sizeof row->parent.call, parent, "call");
    take(row->forked_from.session, sizeof row->forked_from.session, fork, "session");
    row->forked_from.seq = (uint64_t)BX_MAX(bx_val_get_int(fork, "seq", 0), 0);
    return true;
}

static int by_id(const void *a, const void *b) {
    return memcmp(((const struct bx_index_entry *)a)->row.id,
                  ((const struct bx_index_entry *)b)->row.id, BX_ID_LEN);
}

/* The file as it is; whatever is wrong with it only makes rows stale. */
static void read_file(const char *sessions_dir, struct bx_index_entries *ret) {
    bx_auto(bx_freep) char *path = bx_path_join(sessions_dir, INDEX_NAME);
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    struct bx_lines lines;
    struct bx_line line;
    struct bx_index_entry e;
    bool sorted = true;
    bx_lines_init(&lines, fd, ROW_MAX_BYTES);
    if (bx_lines_next(&lines, &line, NULL) > 0 && bx_str_eqz(line.text, INDEX_HEAD)) {
        while (bx_lines_next(&lines, &line, NULL) > 0) {
            if (!read_entry(line.text, &e))
                continue;
            sorted = sorted && (ret->n == 0 || by_id(&ret->p[ret->n - 1], &e) < 0);
            bx_vec_push(ret, e);
        }
    }
    bx_lines_deinit(&lines);
    if (!sorted)
        qsort(ret->p, ret->n, sizeof *ret->p, by_id);
}

bool bx_index_file_stat(const char *sessions_dir, struct bx_index_entry *e) {
    bx_auto(bx_freep) char *path = bx_asprintf("%s/%s.jsonl", sessions_dir, e->row.id);
    struct stat st;
    if (stat(path, &st) < 0)
        return false;
    e->size_bytes = st.st_size;
    e->changed_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return true;
}

void bx_index_read_session(const char *sessions_dir, struct bx_index_entry *e) {
    bx_auto(bx_freep) char *path = bx_asprintf("%s/%s.jsonl", sessions_dir, e->row.id);
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    bx_auto(bx_scan_deinit) struct bx_scan scan = {0};
    char id[BX_ID_LEN + 1] = {0};
    memcpy(id, e->row.id, BX_ID_LEN);
    bool readable = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                    bx_scan_fd(fd, false, &scan, NULL) == 0;
    if (!scan.header)
        scan.facts.created_at_ms = scan.facts.updated_at_ms = bx_id_time_ms(id);
    bx_facts_row(&scan.facts, id, !readable || !scan.header || scan.damaged_lines > 0, &e->row);
}

struct load {
    const char *dir;
    struct bx_index_entries found;
};

static int visit(void *user, const char *name) {
    struct load *load = user;
    struct bx_str s = bx_str(name);
    struct bx_index_entry e = {0};
    if (s.n != BX_ID_LEN + 6 || !bx_str_ends(s, ".jsonl") ||
        !bx_id_is_valid(bx_str_slice(s, 0, BX_ID_LEN)))
        return 0;
    memcpy(e.row.id, name, BX_ID_LEN);
    if (bx_index_file_stat(load->dir, &e))
        bx_vec_push(&load->found, e);
    return 0;
}

/* The sessions of a folder, sorted, their rows still empty. One that is not there has none. */
static int find_files(const char *dir, struct load *load, struct bx_err *err) {
    struct bx_err why;
    load->dir = dir;
    int rc = bx_dir_each(dir, visit, load, &why);
    if (rc < 0 && rc != BX_ERR_NOTFOUND) {
        bx_index_entries_deinit(&load->found);
        return err ? (*err = why, rc) : rc;
    }
    if (load->found.n)
        qsort(load->found.p, load->found.n, sizeof *load->found.p, by_id);
    return 0;
}

int bx_index_folder(const char *dir, int64_t before_ns, struct bx_index_entries *ret,
                    struct bx_err *err) {
    struct load load = {0};
    int rc = find_files(dir, &load, err);
    if (rc < 0)
        return rc;
    size_t kept = 0;
    for (size_t i = 0; i < load.found.n; i++) {
        if (load.found.p[i].changed_ns < before_ns)
            load.found.p[kept++] = load.found.p[i];
    }
    load.found.n = kept;
    for (size_t i = 0; i < kept; i++)
        bx_index_read_session(dir, &load.found.p[i]);
    *ret = load.found;
    return 0;
}

int bx_index_file_load(const char *sessions_dir, struct bx_index_entries *ret, bool *ret_stale,
                       struct bx_err *err) {
    struct load load = {0};
    int rc = find_files(sessions_dir, &load, err);
    if (rc < 0)
        return rc;
    bx_auto(bx_index_entries_deinit) struct bx_index_entries known = {0};
    read_file(sessions_dir, &known);
    bool stale = known.n != load.found.n;
    for (size_t i = 0; i < load.found.n; i++) {
        struct bx_index_entry *e = &load.found.p[i];
        bool there;
        size_t at = bx_index_entries_find(&known, e->row.id, &there);
        if (there && known.p[at].size_bytes == e->size_bytes &&
            known.p[at].changed_ns == e->changed_ns) {
            e->row = known.p[at].row;
            known.p[at].row.title = known.p[at].row.model = NULL;
            known.p[at].row.mode = known.p[at].row.agent = NULL;
        } else {
            bx_index_read_session(sessions_dir, e);
            stale = true;
        }
    }
    *ret = load.found;
    *ret_stale = stale;
    return 0;
}

/* Members that most rows do not have are not written. */
static void write_more(struct bx_jw *w, const struct bx_session_row *row) {
    bx_jw_kstr(w, "kind", row->kind);
    bx_session_write_origin(w, &row->parent, &row->forked_from);
    if (row->agent[0])
        bx_jw_kstr(w, "agent", row->agent);
    if (row->pinned)
        bx_jw_kbool(w, "pinned", true);
    if (row->planner)
        bx_jw_kbool(w, "planner", true);
    if (row->input_tokens || row->output_tokens) {
        bx_jw_kint(w, "input", row->input_tokens);
        bx_jw_kint(w, "output", row->output_tokens);
    }
    if (row->cost_known)
        bx_jw_kreal(w, "cost", row->cost);
}

static void write_entry(struct bx_jw *w, const struct bx_index_entry *e) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", e->row.id);
    bx_jw_kstr(w, "title", e->row.title);
    bx_jw_kstr(w, "model", e->row.model);
    bx_jw_kstr(w, "mode", e->row.mode);
    bx_jw_kint(w, "created", e->row.created_at_ms);
    bx_jw_kint(w, "updated", e->row.updated_at_ms);
    bx_jw_kuint(w, "events", e->row.events);
    if (e->row.damaged)
        bx_jw_kbool(w, "damaged", true);
    if (e->row.open_run)
        bx_jw_kbool(w, "open_run", true);
    write_more(w, &e->row);
    bx_jw_kint(w, "size", e->size_bytes);
    bx_jw_kint(w, "changed", e->changed_ns);
    bx_jw_end(w);
}

int bx_index_file_save(const char *sessions_dir, const struct bx_index_entries *entries,
                       struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT((entries->n + 1) * ROW_MAX_BYTES);
    bx_auto(bx_freep) char *path = bx_path_join(sessions_dir, INDEX_NAME);
    bx_buf_addz(&out, INDEX_HEAD "\n");
    for (size_t i = 0; i < entries->n; i++) {
        if (entries->p[i].size_bytes < 0)
            continue; /* it is still changing */
        struct bx_jw w;
        bx_jw_init(&w, &out);
        write_entry(&w, &entries->p[i]);
        bx_buf_addc(&out, '\n');
    }
    return bx_file_write_atomic(path, bx_buf_str(&out), 0600, err);
}
