/* Writing a session's file anew: what can be read stays as it is, what cannot becomes `gap`, what
 * is open is closed. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "store/ends.h"
#include "store/fsck_impl.h"
#include "store/lines.h"
#include "store/scan.h"

#define INTERRUPTED                                                                                \
    "Interrupted: the program ended before this call did. Whether it had an effect is not known; " \
    "look before you do it "                                                                       \
    "again."

/* ---- the file as it was ---- */

static int copy_file(const char *from, const char *to, struct bx_err *err) {
    bx_auto(bx_fd_close) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bx_auto(bx_fd_close) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char piece[65536];
    ssize_t n = 0;
    if (in < 0 || out < 0)
        return bx_fail_errno(err, errno, "'%s' cannot be kept as '%s'", from, to);
    while ((n = read(in, piece, sizeof piece)) > 0) {
        int rc = bx_write_all(out, piece, (size_t)n);
        if (rc < 0)
            return bx_fail_errno(err, -rc, "'%s' cannot be kept as '%s'", from, to);
    }
    if (n < 0 || fsync(out) < 0)
        return bx_fail_errno(err, errno, "'%s' cannot be kept as '%s'", from, to);
    return 0;
}

int bx_fsck_keep(struct bx_fsck *f, const char *path, struct bx_err *err) {
    if (!f->report->kept) {
        char now[25];
        bx_time_format(bx_wall_ms(), now);
        f->report->kept = bx_asprintf("%s/repair/%s", f->store->dir, now);
        int rc = bx_dir_make_lasting(f->report->kept, 0700, err);
        if (rc < 0)
            return rc;
    }
    bx_auto(bx_freep) char *to = bx_path_join(f->report->kept, bx_path_base(path));
    return copy_file(path, to, err);
}

/* ---- the file as it becomes ---- */

/* A new header from the old one, as far as there is one; an executor whose manager is gone becomes
 * a chat, so that it is seen. */
static void make_header(const struct bx_fsck_file *file, struct bx_str line, struct bx_buf *out) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *old = bx_doc_parse(line, NULL, &doc, NULL) == 0 ? bx_doc_root(doc) : NULL;
    char t[25];
    struct bx_jw w;
    bx_time_format(bx_id_time_ms(file->id), t);
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kint(&w, "v", 1);
    bx_jw_kstr(&w, "id", file->id);
    if (!bx_val_is(bx_val_get(old, "created_at"), BX_VAL_STR))
        bx_jw_kstr(&w, "created_at", t);
    if (!bx_val_is(bx_val_get(old, "kind"), BX_VAL_STR) || file->orphan)
        bx_jw_kstr(&w, "kind", "chat");
    bx_val_foreach_member (old, key, value) {
        if (bx_str_eqz(key, "v") || bx_str_eqz(key, "id") ||
            (file->orphan && (bx_str_eqz(key, "kind") || bx_str_eqz(key, "parent"))))
            continue;
        bx_jw_keys(&w, key);
        bx_jw_val(&w, value);
    }
    bx_jw_end(&w);
}

static void write_header(const struct bx_fsck_file *file, struct bx_str line,
                         struct bx_session_writer *w) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(2 * BX_MIB);
    if (!file->bad_header && !file->orphan) {
        bx_session_writer_header(w, line);
        return;
    }
    make_header(file, line, &out);
    bx_session_writer_header(w, bx_buf_str(&out));
}

struct rewrite {
    struct bx_fsck_file *file;
    struct bx_session_writer w;
    struct bx_ends ends;
};

static void take_line(struct rewrite *r, const struct bx_line *line) {
    struct bx_fsck_line l;
    bx_fsck_read_line(line->text, line->too_long, r->w.last_seq, &l);
    if (l.good) {
        bx_ends_note(&r->ends, bx_val_get_str(bx_doc_root(l.doc), "type"), bx_doc_root(l.doc));
        bx_session_writer_line(&r->w, l.seq, line->text);
    }
    bx_doc_free(l.doc);
}

static int take_lines(struct rewrite *r, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = open(r->file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct bx_lines lines;
    struct bx_line line;
    int rc;
    bool first = true;
    if (fd < 0)
        return bx_fail_errno(err, errno, "'%s' cannot be read", r->file->path);
    bx_lines_init(&lines, fd, BX_EVENT_MAX_BYTES);
    for (; (rc = bx_lines_next(&lines, &line, err)) > 0; first = false) {
        if (!first) {
            take_line(r, &line);
            continue;
        }
        struct bx_fsck_line event;
        bx_fsck_read_line(line.text, line.too_long, 0, &event);
        write_header(r->file, event.good ? bx_str("") : line.text, &r->w);
        if (event.good) /* the header is missing, the first event is not */
            take_line(r, &line);
        bx_doc_free(event.doc);
    }
    bx_lines_deinit(&lines);
    if (rc == 0 && first)
        write_header(r->file, bx_str(""), &r->w);
    return rc;
}

/* Results for calls of runs that have ended: behind everything, where they change nothing of what
 * the model was told. */
static void add_results(struct rewrite *r) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_MIB);
    struct bx_str id;
    void *value;
    for (size_t at = 0; bx_map_next(r->file->calls, &at, &id, &value);) {
        const struct bx_fsck_call *call = value;
        struct bx_jw w;
        if (r->ends.run[0] && strcmp(call->run, r->ends.run) == 0)
            continue; /* closed with its run */
        bx_buf_reset(&body);
        bx_jw_init(&w, &body);
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "run", call->run);
        bx_jw_kstrn(&w, "call", id);
        bx_jw_kstr(&w, "tool", call->tool);
        bx_jw_kstr(&w, "content", INTERRUPTED);
        bx_jw_kbool(&w, "is_error", true);
        bx_jw_kuint(&w, "ms", 0);
        bx_jw_end(&w);
        bx_session_writer_event(&r->w, "tool_result", bx_wall_ms(), bx_buf_str(&body));
    }
}

static void rewrite_deinit(struct rewrite *r) {
    bx_session_writer_deinit(&r->w);
    bx_ends_deinit(&r->ends);
}

int bx_fsck_repair(struct bx_fsck_file *file, struct bx_err *err) {
    int rc = bx_fsck_keep(file->fsck, file->path, err);
    if (rc < 0)
        return rc;
    bx_auto(rewrite_deinit) struct rewrite r = {.file = file};
    bx_ends_init(&r.ends);
    bx_session_writer_begin_over(&r.w, file->fsck->store, file->id, file->path);
    rc = r.w.rc ? r.w.rc : take_lines(&r, err);
    if (rc < 0 && !r.w.rc)
        return rc;
    add_results(&r);
    if (!file->waits)
        bx_ends_close(&r.ends, &r.w, INTERRUPTED, "interrupted");
    return bx_session_writer_commit(&r.w, NULL, err);
}
