#include "model/text_calls.h"

static const char think_open[] = "<think>", think_close[] = "</think>";
static const char call_open[] = "<tool_call>", call_close[] = "</tool_call>";

void bx_text_calls_init(struct bx_text_calls *t, bool with_calls, size_t max_call_bytes) {
    *t = (struct bx_text_calls){.state = BX_TEXT_START, .with_calls = with_calls};
    bx_buf_init(&t->held, max_call_bytes);
}

void bx_text_calls_deinit(struct bx_text_calls *t) {
    bx_buf_deinit(&t->held);
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void consume(struct bx_text_calls *t, size_t n) {
    bx_buf_consume(&t->held, n);
    t->scanned = 0;
}

/* Gives n held bytes out as what the state says they are. */
static void release(struct bx_text_calls *t, size_t n) {
    struct bx_str piece = bx_str_slice(bx_buf_str(&t->held), 0, n);
    if (t->after_call) { // white space between calls and behind the last one is no text
        while (piece.n > 0 && is_space(piece.p[0])) {
            piece = bx_str_slice(piece, 1, piece.n);
        }
        t->after_call = piece.n == 0;
    }
    if (piece.n > 0) {
        (t->state == BX_TEXT_THINK ? t->on_reasoning : t->on_text)(t->user, piece);
    }
    consume(t, n);
}

/* How many bytes at the end of s may be the beginning of tag. */
static size_t tag_tail(struct bx_str s, const char *tag) {
    for (size_t n = BX_MIN(strlen(tag) - 1, s.n); n > 0; n--) {
        if (memcmp(s.p + s.n - n, tag, n) == 0) {
            return n;
        }
    }
    return 0;
}

static size_t find_tag(struct bx_text_calls *t, const char *tag) {
    struct bx_str all = bx_buf_str(&t->held);
    size_t at = bx_str_find_str(bx_str_slice(all, t->scanned, all.n), bx_str(tag));
    if (at != (size_t)-1) {
        return t->scanned + at;
    }
    t->scanned = all.n - tag_tail(all, tag);
    return (size_t)-1;
}

static bool step_start(struct bx_text_calls *t) {
    struct bx_str all = bx_buf_str(&t->held);
    size_t blank = 0, len = sizeof think_open - 1;
    while (blank < all.n && is_space(all.p[blank])) {
        blank++;
    }
    struct bx_str rest = bx_str_slice(all, blank, all.n);
    if (rest.n < len && memcmp(rest.p ? rest.p : "", think_open, rest.n) == 0) {
        return false; // white space so far, or the start of the tag
    }
    if (bx_str_starts(rest, think_open)) {
        consume(t, blank + len);
        t->state = BX_TEXT_THINK;
        t->after_call = true; // the line break behind the tag
    } else {
        t->state = BX_TEXT_PLAIN;
    }
    return true;
}

static void finish_call(struct bx_text_calls *t, size_t body, size_t tag) {
    bool taken = t->on_call(t->user, bx_str_trim(bx_str_slice(bx_buf_str(&t->held), 0, body)));
    t->state = BX_TEXT_PLAIN;
    if (taken) {
        consume(t, body + tag);
        t->after_call = true;
    } else {
        t->on_text(t->user, bx_str(call_open));
        release(t, body + tag);
    }
}

/* One step on what is held; false when more text is needed. */
static bool step(struct bx_text_calls *t) {
    size_t at;
    switch (t->state) {
    case BX_TEXT_START:
        return step_start(t);
    case BX_TEXT_THINK:
        at = find_tag(t, think_close);
        release(t, at == (size_t)-1 ? t->scanned : at);
        if (at == (size_t)-1) {
            return false;
        }
        consume(t, sizeof think_close - 1);
        t->state = BX_TEXT_PLAIN;
        t->after_call = true;
        return true;
    case BX_TEXT_PLAIN:
        at = t->with_calls ? find_tag(t, call_open) : (size_t)-1;
        release(t, at != (size_t)-1 ? at : t->with_calls ? t->scanned : t->held.size);
        if (at == (size_t)-1) {
            return false;
        }
        consume(t, sizeof call_open - 1);
        t->state = BX_TEXT_CALL;
        return true;
    case BX_TEXT_CALL:
        at = find_tag(t, call_close);
        if (at == (size_t)-1) {
            return false;
        }
        finish_call(t, at, sizeof call_close - 1);
        return true;
    }
    return false;
}

int bx_text_calls_feed(struct bx_text_calls *t, struct bx_str text, struct bx_err *err) {
    if (bx_buf_adds(&t->held, text) < 0) {
        return bx_fail(err, BX_ERR_LIMIT, "the model wrote a tool call of more than %zu bytes",
                       t->held.max);
    }
    while (t->held.size > 0 && step(t)) {
    }
    return 0;
}

void bx_text_calls_end(struct bx_text_calls *t) {
    if (t->state == BX_TEXT_CALL) {
        finish_call(t, t->held.size, 0); // small models forget the closing tag
    }
    if (t->state == BX_TEXT_START) {
        t->state = BX_TEXT_PLAIN;
    }
    release(t, t->held.size);
}
