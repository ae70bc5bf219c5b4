/* Reading: a cursor pulls events and deltas in their order. */
#include "base/file.h"
#include "store/session_impl.h"

#define PIECE_BYTES (256 * BX_KIB)

/* What is next for the cursor, decided under the lock, read from the file without it: what is
 * visible never changes. */
struct step {
    enum { NOTHING, DELTAS, EVENTS } kind;
    uint64_t seq, seq_end; /* EVENTS: [seq, seq_end) */
    uint64_t from, to;     /* of the file */
    int lines;             /* DELTAS: how many were added */
};

static bool full(const struct bx_buf *out, size_t start, size_t max_bytes) {
    return out->size - start >= max_bytes;
}

static void take_deltas(struct bx_session *s, struct bx_cursor *c, size_t start, size_t max_bytes,
                        struct bx_buf *out, struct step *step) {
    uint64_t after;
    struct bx_str text;
    while (!full(out, start, max_bytes) && bx_ring_get(&s->ring, &c->next_delta, &after, &text) &&
           after < c->next_seq) {
        if (out->max - out->size < text.n + 1)
            return;
        bx_buf_adds(out, text);
        bx_buf_addc(out, '\n');
        c->next_delta++;
        step->kind = DELTAS;
        step->lines++;
    }
}

/* The events up to the next delta, as many as fit into one piece; at least one. */
static void choose_events(struct bx_session *s, const struct bx_cursor *c, size_t budget,
                          struct step *step) {
    uint64_t id = c->next_delta, after, last = s->offsets.n;
    struct bx_str text;
    if (bx_ring_get(&s->ring, &id, &after, &text) && after < last)
        last = after;
    uint64_t seq = c->next_seq;
    while (seq <= last && s->offsets.p[seq - 1] == BX_NO_EVENT)
        seq++;
    step->kind = EVENTS;
    step->seq = step->seq_end = seq;
    if (seq > last)
        return;
    step->from = s->offsets.p[seq - 1];
    for (uint64_t n = seq + 1;; n++) {
        uint64_t next = n <= s->offsets.n ? s->offsets.p[n - 1] : s->end;
        if (next == BX_NO_EVENT)
            continue;
        if (step->seq_end > seq && next - step->from > BX_MIN(budget, PIECE_BYTES))
            return;
        step->seq_end = n;
        step->to = next;
        if (n > last)
            return;
    }
}

static void choose(struct bx_session *s, struct bx_cursor *c, size_t start, size_t max_bytes,
                   struct bx_buf *out, struct step *step) {
    *step = (struct step){0};
    BX_LOCKED(&s->state_lock);
    if (c->next_seq == 0)
        c->next_seq = 1;
    if (c->next_delta == 0) {
        /* Deltas behind events that the reader is past already say nothing new. */
        uint64_t after;
        struct bx_str text;
        c->next_delta = 1;
        while (bx_ring_get(&s->ring, &c->next_delta, &after, &text) && after + 1 < c->next_seq)
            c->next_delta++;
    }
    take_deltas(s, c, start, max_bytes, out, step);
    if (step->kind == NOTHING && !full(out, start, max_bytes) && c->next_seq <= s->offsets.n)
        choose_events(s, c, max_bytes - (out->size - start), step);
}

static int read_piece(struct bx_session *s, const struct step *step, struct bx_buf *piece,
                      struct bx_err *err) {
    size_t n = (size_t)(step->to - step->from);
    bx_buf_init(piece, n);
    char *space = bx_buf_space(piece, n);
    for (size_t have = 0; have < n;) {
        ssize_t got = pread(s->fd, space + have, n - have, (off_t)(step->from + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return bx_fail_errno(err, errno, "session %s: reading failed", s->header.id);
        if (got == 0)
            return bx_fail(err, BX_ERR_DAMAGED, "session %s: the file became shorter than it was",
                           s->header.id);
        have += (size_t)got;
        bx_buf_grew(piece, (size_t)got);
    }
    return 0;
}

/* Number of lines added; stops when out is full. */
static int add_events(struct bx_session *s, struct bx_cursor *c, const struct step *step,
                      struct bx_buf *out, struct bx_err *err) {
    if (step->seq == step->seq_end) { /* nothing but damaged ones */
        c->next_seq = step->seq;
        return 0;
    }
    bx_auto(bx_buf_deinit) struct bx_buf piece;
    int rc = read_piece(s, step, &piece, err);
    if (rc < 0)
        return rc;
    int lines = 0;
    for (uint64_t seq = step->seq; seq < step->seq_end; seq++) {
        uint64_t offset;
        {
            BX_LOCKED(&s->state_lock);
            offset = s->offsets.p[seq - 1];
        }
        if (offset != BX_NO_EVENT) {
            const char *line = piece.p + (offset - step->from);
            const char *end = memchr(line, '\n', piece.size - (size_t)(offset - step->from));
            if (!end)
                return bx_fail(err, BX_ERR_DAMAGED,
                               "session %s: event %" PRIu64 " changed on the disk", s->header.id,
                               seq);
            size_t n = (size_t)(end - line) + 1;
            if (out->max - out->size < n)
                return lines ? lines
                             : bx_fail(err, BX_ERR_LIMIT, "event %" PRIu64 " does not fit", seq);
            bx_buf_add(out, line, n);
            lines++;
        }
        c->next_seq = seq + 1;
    }
    return lines;
}

int bx_session_read(struct bx_session *s, struct bx_cursor *cursor, size_t max_bytes,
                    struct bx_buf *out, struct bx_err *err) {
    size_t start = out->size;
    int total = 0;
    for (;;) {
        struct step step;
        choose(s, cursor, start, max_bytes, out, &step);
        if (step.kind == NOTHING)
            return total;
        int lines = step.lines;
        if (step.kind == EVENTS) {
            uint64_t before = cursor->next_seq;
            lines = add_events(s, cursor, &step, out, err);
            if (lines < 0)
                return total && lines == BX_ERR_LIMIT ? total : lines;
            if (cursor->next_seq == before)
                return total;
            if (cursor->next_seq < step.seq_end)
                return total + lines; /* out is full */
        }
        total += lines;
    }
}

uint64_t bx_session_page_start(struct bx_session *s, uint64_t before, uint64_t limit,
                               uint64_t max_bytes) {
    BX_LOCKED(&s->state_lock);
    uint64_t seq = BX_MIN(before, s->offsets.n + 1), end = seq, end_offset = s->end;
    if (seq <= s->offsets.n) {
        uint64_t next = seq;
        while (next <= s->offsets.n && s->offsets.p[next - 1] == BX_NO_EVENT)
            next++;
        end_offset = next <= s->offsets.n ? s->offsets.p[next - 1] : s->end;
    }
    while (seq > 1 && end - seq < limit) {
        uint64_t offset = s->offsets.p[seq - 2];
        if (seq < end && offset != BX_NO_EVENT && end_offset - offset > max_bytes)
            break;
        seq--;
    }
    return BX_MAX(seq, 1);
}
