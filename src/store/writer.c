#include "store/writer.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "store/session_impl.h"

#define PIECE_BYTES (256 * BX_KIB)

static void fail(struct bx_session_writer *w, int rc) {
    if (w->rc == 0)
        w->rc = rc;
}

static void put_out(struct bx_session_writer *w, size_t at_least) {
    if (w->rc < 0 || w->buf.size < at_least || !w->buf.size)
        return;
    int rc = bx_write_all(w->fd, w->buf.p, w->buf.size);
    bx_buf_reset(&w->buf);
    if (rc < 0)
        fail(w, bx_fail_errno(&w->err, -rc, "session %s: not saved%s", w->header.id,
                              rc == -ENOSPC || rc == -EDQUOT
                                  ? " because the disk is full: make room and try again"
                                  : ""));
}

static void open_temporary(struct bx_session_writer *w) {
    bx_auto(bx_freep) char *dir = bx_path_dir(w->path);
    w->temporary = bx_asprintf("%s/.new-%s", dir, w->header.id);
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->fd < 0)
        fail(w, bx_fail_errno(&w->err, errno, "'%s' cannot be written", w->temporary));
}

void bx_session_writer_begin(struct bx_session_writer *w, struct bx_store *store,
                             const struct bx_session_header *h) {
    *w = (struct bx_session_writer){
        .store = store, .fd = -1, .buf = BX_BUF_INIT(2 * BX_EVENT_MAX_BYTES)};
    fail(w, bx_session_complete_header(store, h, &w->header, &w->err));
    if (w->rc < 0)
        return;
    w->path = bx_store_session_path(store, w->header.id);
    open_temporary(w);
    if (w->rc == 0)
        bx_session_write_header(&w->header, &w->buf);
    w->header.title = w->header.model = w->header.mode = w->header.root =
        NULL; /* the caller's, written now */
    w->header.kind = w->header.agent = NULL;
}

void bx_session_writer_begin_over(struct bx_session_writer *w, struct bx_store *store,
                                  const char *id, const char *path) {
    *w = (struct bx_session_writer){.store = store,
                                    .fd = -1,
                                    .over = true,
                                    .path = bx_strdup(path),
                                    .buf = BX_BUF_INIT(2 * BX_EVENT_MAX_BYTES)};
    snprintf(w->header.id, sizeof w->header.id, "%s", id);
    open_temporary(w);
}

void bx_session_writer_header(struct bx_session_writer *w, struct bx_str line) {
    bx_buf_adds(&w->buf, line);
    bx_buf_addc(&w->buf, '\n');
}

static void one_line(struct bx_session_writer *w, const char *type, int64_t t_ms,
                     struct bx_str members) {
    char t[25];
    bx_time_format(t_ms, t);
    bx_buf_addf(&w->buf, "{\"seq\":%" PRIu64 ",\"t\":\"%s\",\"type\":", ++w->last_seq, t);
    bx_json_quote(&w->buf, bx_str(type));
    if (members.n) {
        bx_buf_addc(&w->buf, ',');
        bx_buf_adds(&w->buf, members);
    }
    bx_buf_addz(&w->buf, "}\n");
}

static void check(struct bx_session_writer *w, const char *what) {
    if (bx_buf_failed(&w->buf))
        fail(w, bx_fail(&w->err, BX_ERR_LIMIT, "a %s event is too large for a session", what));
    put_out(w, PIECE_BYTES);
}

void bx_session_writer_event(struct bx_session_writer *w, const char *type, int64_t t_ms,
                             struct bx_str body) {
    if (w->rc < 0)
        return;
    body = bx_str_trim(body);
    assert(body.n >= 2 && body.p[0] == '{');
    one_line(w, type, t_ms, bx_str_trim(bx_str_n(body.p + 1, body.n - 2)));
    check(w, type);
}

void bx_session_writer_line(struct bx_session_writer *w, uint64_t seq, struct bx_str line) {
    while (w->rc == 0 && w->last_seq + 1 < seq) {
        one_line(w, "gap", bx_wall_ms(), bx_str(""));
        check(w, "gap");
    }
    if (w->rc < 0)
        return;
    w->last_seq = seq;
    bx_buf_adds(&w->buf, line);
    bx_buf_addc(&w->buf, '\n');
    check(w, "copied");
}

static int put_in_place(struct bx_session_writer *w) {
    bx_auto(bx_freep) char *dir = bx_path_dir(w->path);
    if (fsync(w->fd) < 0)
        return bx_fail_errno(&w->err, errno, "session %s: not saved", w->header.id);
    if (!w->over && bx_file_exists(w->path))
        return bx_fail(&w->err, BX_ERR_EXISTS, "session %s is there already", w->header.id);
    if (rename(w->temporary, w->path) < 0)
        return bx_fail_errno(&w->err, errno, "session %s: not saved", w->header.id);
    return bx_dir_sync(dir, &w->err);
}

int bx_session_writer_commit(struct bx_session_writer *w, struct bx_session **ret,
                             struct bx_err *err) {
    put_out(w, 0);
    if (w->rc == 0)
        fail(w, put_in_place(w));
    if (w->rc == 0 && ret)
        fail(w, bx_session_open(w->store, w->header.id, ret, &w->err));
    if (w->rc < 0) {
        if (err)
            *err = w->err;
        return w->rc;
    }
    bx_index_reread(w->store->index, w->header.id);
    bx_store_changed(w->store);
    return 0;
}

void bx_session_writer_deinit(struct bx_session_writer *w) {
    if (w->fd >= 0)
        unlink(w->temporary); /* gone already after a commit */
    bx_fd_close(&w->fd);
    bx_buf_deinit(&w->buf);
    bx_free(w->path);
    bx_free(w->temporary);
}
