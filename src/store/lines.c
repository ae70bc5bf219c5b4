#include "store/lines.h"

#define PIECE_BYTES (256 * BX_KIB)

void bx_lines_init(struct bx_lines *l, int fd, size_t max_line_bytes) {
    *l = (struct bx_lines){.fd = fd, .max_line_bytes = max_line_bytes};
    bx_buf_init(&l->buf, max_line_bytes + 2 * PIECE_BYTES);
}

void bx_lines_deinit(struct bx_lines *l) {
    bx_buf_deinit(&l->buf);
}

static int fill(struct bx_lines *l, struct bx_err *err) {
    if (l->at > 0) {
        bx_buf_consume(&l->buf, l->at);
        l->offset += l->at;
        l->searched -= l->at;
        l->at = 0;
    }
    /* Small files are the many: the first piece is small, so that listing them costs little. */
    size_t want = l->buf.size == 0 && l->offset == 0 ? 16 * BX_KIB : PIECE_BYTES;
    char *space = bx_buf_space(&l->buf, want);
    assert(space);
    ssize_t got;
    do
        got = pread(l->fd, space, want, (off_t)(l->offset + l->buf.size));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return bx_fail_errno(err, errno, "reading failed");
    bx_buf_grew(&l->buf, (size_t)got);
    l->at_end = got == 0;
    return 0;
}

int bx_lines_next(struct bx_lines *l, struct bx_line *ret, struct bx_err *err) {
    bool too_long = false;
    uint64_t start = l->offset + l->at;
    for (;;) {
        const char *from = l->buf.p ? l->buf.p + l->searched : NULL;
        const char *end = from ? memchr(from, '\n', l->buf.size - l->searched) : NULL;
        if (end) {
            size_t n = (size_t)(end - (l->buf.p + l->at));
            ret->text = too_long || n > l->max_line_bytes ? (struct bx_str){0}
                                                          : bx_str_n(l->buf.p + l->at, n);
            ret->too_long = too_long || n > l->max_line_bytes;
            ret->offset = start;
            l->at += n + 1;
            l->searched = l->at;
            return 1;
        }
        l->searched = l->buf.size;
        if (l->at_end)
            return 0;
        if (l->buf.size - l->at > l->max_line_bytes) {
            too_long = true;
            l->at = l->buf.size; /* forget what was read of it */
        }
        int rc = fill(l, err);
        if (rc < 0)
            return rc;
    }
}
