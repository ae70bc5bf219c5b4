#include "fetch/sse.h"

void bx_sse_init(struct bx_sse *s, size_t max_event_bytes) {
    *s = (struct bx_sse){0};
    bx_buf_init(&s->line, max_event_bytes);
    bx_buf_init(&s->data, max_event_bytes);
    bx_buf_init(&s->type, max_event_bytes);
}

void bx_sse_deinit(struct bx_sse *s) {
    bx_buf_deinit(&s->line);
    bx_buf_deinit(&s->data);
    bx_buf_deinit(&s->type);
}

static int dispatch(struct bx_sse *s, int (*on_event)(void *user, const struct bx_sse_event *event),
                    void *user) {
    int r = 0;
    if (s->has_data) {
        struct bx_sse_event event = {.type = s->type.size ? bx_buf_str(&s->type)
                                                          : BX_STR_LIT("message"),
                                     .data = bx_str(bx_buf_z(&s->data))};
        event.data.n = s->data.size;
        r = on_event(user, &event);
    }
    bx_buf_reset(&s->data);
    bx_buf_reset(&s->type);
    s->has_data = false;
    return r;
}

static void field(struct bx_sse *s, struct bx_str line) {
    size_t colon = bx_str_find(line, ':');
    struct bx_str name = colon == (size_t)-1 ? line : bx_str_slice(line, 0, colon);
    struct bx_str value =
        colon == (size_t)-1 ? (struct bx_str){0} : bx_str_slice(line, colon + 1, line.n);
    if (value.n > 0 && value.p[0] == ' ') {
        value = bx_str_slice(value, 1, value.n);
    }
    if (bx_str_eqz(name, "data")) {
        if (s->has_data) {
            bx_buf_addc(&s->data, '\n');
        }
        s->has_data = true;
        bx_buf_adds(&s->data, value);
    } else if (bx_str_eqz(name, "event")) {
        bx_buf_reset(&s->type);
        bx_buf_adds(&s->type, value);
    }
}

static int end_line(struct bx_sse *s, int (*on_event)(void *user, const struct bx_sse_event *event),
                    void *user) {
    int r = 0;
    if (s->line.size == 0) {
        r = dispatch(s, on_event, user);
    } else {
        field(s, bx_buf_str(&s->line));
    }
    bx_buf_reset(&s->line);
    return r;
}

static bool failed(const struct bx_sse *s) {
    return bx_buf_failed(&s->line) || bx_buf_failed(&s->data) || bx_buf_failed(&s->type);
}

static int too_large(const struct bx_sse *s, struct bx_err *err) {
    return bx_fail(err, BX_ERR_LIMIT, "an event of the stream is larger than %zu bytes",
                   s->line.max);
}

/* Drops a byte order mark from the first line; called when the line has at least three bytes or
 * ends. */
static void drop_mark(struct bx_sse *s) {
    static const char mark[] = "\xef\xbb\xbf";
    if (!s->started && s->line.size >= 3) {
        if (memcmp(s->line.p, mark, 3) == 0) {
            bx_buf_consume(&s->line, 3);
        }
        s->started = true;
    }
}

int bx_sse_feed(struct bx_sse *s, struct bx_str bytes,
                int (*on_event)(void *user, const struct bx_sse_event *event), void *user,
                struct bx_err *err) {
    size_t at = 0;
    while (at < bytes.n) {
        if (s->after_cr && bytes.p[at] == '\n') {
            s->after_cr = false;
            at++;
            continue;
        }
        s->after_cr = false;
        size_t end = at;
        while (end < bytes.n && bytes.p[end] != '\n' && bytes.p[end] != '\r') {
            end++;
        }
        bx_buf_add(&s->line, bytes.p + at, end - at);
        drop_mark(s);
        if (failed(s)) {
            return too_large(s, err);
        }
        if (end < bytes.n) {
            s->after_cr = bytes.p[end] == '\r';
            s->started = true;
            int r = end_line(s, on_event, user);
            if (r != 0) {
                return r;
            }
            end++;
        }
        if (failed(s)) {
            return too_large(s, err);
        }
        at = end;
    }
    return 0;
}

int bx_sse_end(struct bx_sse *s, int (*on_event)(void *user, const struct bx_sse_event *event),
               void *user, struct bx_err *err) {
    if (s->line.size > 0) {
        int r = end_line(s, on_event, user);
        if (r != 0) {
            return r;
        }
    }
    return failed(s) ? too_large(s, err) : dispatch(s, on_event, user);
}
