/* Appending: one write, made durable where it matters, visible after that and not before. */
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "json/write.h"
#include "store/session_impl.h"

/* A buffer that held a large event is not kept for the small ones. */
#define LINE_KEPT_BYTES (64 * BX_KIB)

static int build_line(struct bx_session *s, uint64_t seq, const char *type, struct bx_str body,
                      int64_t now_ms, struct bx_err *err) {
    body = bx_str_trim(body);
    if (body.n < 2 || body.p[0] != '{' || body.p[body.n - 1] != '}' || memchr(body.p, '\n', body.n))
        return bx_fail(err, BX_ERR_INVALID,
                       "the body of a %s event must be one JSON object on one line", type);
    struct bx_str members = bx_str_trim(bx_str_n(body.p + 1, body.n - 2));
    char t[25];
    bx_time_format(now_ms, t);
    bx_buf_reset(&s->line);
    bx_buf_addf(&s->line, "{\"seq\":%" PRIu64 ",\"t\":\"%s\",\"type\":", seq, t);
    bx_json_quote(&s->line, bx_str(type));
    if (members.n) {
        bx_buf_addc(&s->line, ',');
        bx_buf_adds(&s->line, members);
    }
    bx_buf_add(&s->line, "}\n", 2);
    if (bx_buf_failed(&s->line)) {
        bx_buf_deinit(&s->line);
        return bx_fail(err, BX_ERR_LIMIT, "a %s event of %zu bytes is too large for a session",
                       type, body.n);
    }
    return 0;
}

static int write_at(int fd, const char *p, size_t n, uint64_t offset) {
    while (n > 0) {
        ssize_t put = pwrite(fd, p, n, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        p += put;
        n -= (size_t)put;
        offset += (uint64_t)put;
    }
    return 0;
}

/* After a failed sync the kernel may count the pages as clean although they never reached the disk;
 * only writing them again makes the next sync mean something. */
static int write_again(struct bx_session *s, uint64_t end) {
    char piece[16384];
    for (uint64_t at = s->synced_end; at < end;) {
        ssize_t got = pread(s->fd, piece, BX_MIN(sizeof piece, (size_t)(end - at)), (off_t)at);
        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        int rc = write_at(s->fd, piece, (size_t)got, at);
        if (rc < 0)
            return rc;
        at += (uint64_t)got;
    }
    return 0;
}

/* append_lock is held. Everything before `end` is on the platter after it. */
static int sync_to(struct bx_session *s, uint64_t end) {
    int rc = s->sync_failed ? write_again(s, end) : 0;
    if (rc == 0 && fdatasync(s->fd) < 0)
        rc = -errno;
    s->sync_failed = rc < 0;
    if (rc == 0)
        s->synced_end = end;
    return rc;
}

int bx_session_sync(struct bx_session *s, struct bx_err *err) {
    BX_LOCKED(&s->append_lock);
    uint64_t end;
    {
        BX_LOCKED(&s->state_lock);
        end = s->end;
        s->dirty = false;
    }
    if (end == s->synced_end)
        return 0;
    int rc = sync_to(s, end);
    return rc < 0 ? bx_fail_errno(err, -rc, "session %s could not be brought to the disk",
                                  s->header.id)
                  : 0;
}

/* The line goes to the file, or the file is as it was. append_lock is held, so `end` does not move.
 */
static int put_line(struct bx_session *s, enum bx_durability durability, struct bx_err *err) {
    uint64_t start = s->end;
    if (s->ragged && ftruncate(s->fd, (off_t)start) < 0)
        return bx_fail_errno(err, errno, "session %s: not saved", s->header.id);
    s->ragged = false;
    int rc = write_at(s->fd, s->line.p, s->line.size, start);
    if (rc == 0 && durability == BX_DURABLE)
        rc = sync_to(s, start + s->line.size);
    if (rc == 0) {
        bx_session_stamp(s);
        return 0;
    }
    s->ragged = ftruncate(s->fd, (off_t)start) < 0;
    return bx_fail_errno(
        err, -rc, "session %s: not saved%s", s->header.id,
        rc == -ENOSPC || rc == -EDQUOT ? " because the disk is full: make room and try again" : "");
}

/* Makes the written line visible. True when the list changed. */
static bool publish(struct bx_session *s, const char *type, const struct bx_val *body,
                    int64_t now_ms, bool *ret_flush) {
    BX_LOCKED(&s->state_lock);
    bx_vec_push(&s->offsets, s->end);
    s->end += s->line.size;
    *ret_flush = s->end > s->synced_end && !s->dirty;
    s->dirty = s->end > s->synced_end;
    return bx_facts_event(&s->facts, bx_str(type), s->offsets.n, now_ms, body);
}

int bx_session_append(struct bx_session *s, const char *type, struct bx_str body,
                      enum bx_durability durability, uint64_t *ret_seq, struct bx_err *err) {
    if (s->store->mode != BX_STORE_OWNER)
        return bx_fail(err, BX_ERR_DENIED, "this workspace was opened for reading only");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    /* Each of them, too, so that no line of a log is ever anything but JSON that can be read again
     */
    if (bx_doc_parse(body, NULL, &doc, err) < 0)
        return bx_wrap(err, BX_ERR_INVALID, "body of a %s event", type);
    bool list_changed, flush;
    {
        BX_LOCKED(&s->append_lock);
        if (s->retired)
            return bx_fail(err, BX_ERR_NOTFOUND, "session %s was deleted", s->header.id);
        uint64_t seq = s->offsets.n + 1;
        int64_t now_ms = bx_wall_ms();
        int rc = build_line(s, seq, type, body, now_ms, err);
        if (rc == 0)
            rc = put_line(s, durability, err);
        if (rc < 0)
            return rc;
        list_changed = publish(s, type, bx_doc_root(doc), now_ms, &flush);
        if (s->line.cap > LINE_KEPT_BYTES)
            bx_buf_deinit(&s->line);
        if (ret_seq)
            *ret_seq = seq;
    }
    if (flush)
        bx_flusher_add(s->store, s);
    struct bx_session_row row;
    bx_session_row(s, &row);
    bx_index_put(s->store->index, &row);
    if (list_changed)
        bx_store_changed(s->store);
    bx_session_notify(s);
    return 0;
}

void bx_session_delta(struct bx_session *s, struct bx_str body) {
    {
        BX_LOCKED(&s->state_lock);
        bx_ring_add(&s->ring, s->offsets.n, body);
    }
    bx_session_notify(s);
}
