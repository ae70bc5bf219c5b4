#include "box/call.h"

#include <poll.h>

#include "base/clock.h"
#include "base/unwire.h"
#include "engine.h"

/* The kill ends the calls of others on the same worker, too: a machine that is only busy must not
 * be taken for a worker that does not obey. */
#define GRACE_MS   1000 /* from a limit or a stop to the kill */
#define LOADING_MS 1000 /* more for what comes before the worker's own clock starts */
#define REMIND_MS  40 /* between two requests to stop: a call may be about to wait in the kernel */
#define ASKS_MAX   64

void bx_call_deinit(struct bx_call *c) {
    for (size_t i = 0; i < c->hosts.n; i++) {
        bx_free(c->hosts.p[i].host);
    }
    for (size_t i = 0; i < c->asks.n; i++) {
        bx_free(c->asks.p[i].method);
        bx_free(c->asks.p[i].url);
        bx_buf_deinit(&c->asks.p[i].headers);
        bx_buf_deinit(&c->asks.p[i].body);
    }
    bx_vec_free(&c->hosts);
    bx_vec_free(&c->asks);
}

static void start_clock(struct bx_call *c) {
    c->deadline_ms =
        bx_mono_ms() + c->request->grant->limits.value[BX_LIMIT_TIME] + GRACE_MS + LOADING_MS;
    c->remind_ms = c->deadline_ms - GRACE_MS;
}

/* Too much or nonsense from the worker: it is no longer what we started. */
static int distrust(struct bx_call *c, struct bx_err *err) {
    bx_pool_kill(c->pool, c->lane);
    return bx_fail(err, BX_ERR_RETRY, "the box worker broke its protocol and was ended");
}

static int take_output(struct bx_call *c, int fd, struct bx_str piece, struct bx_err *err) {
    struct bx_buf *into = fd == 2 ? &c->result->err : &c->result->out;
    if (bx_buf_adds(into, piece) < 0) {
        return distrust(c, err);
    }
    if (piece.n > 0 && c->request->output) {
        c->request->output(c->request->user, fd, piece);
    }
    return 0;
}

static int take_done(struct bx_call *c, struct bx_str body, struct bx_err *err) {
    struct bx_done_frame d;
    struct bx_box_result *r = c->result;
    if (bx_done_decode(body, &d, NULL) < 0 || d.exit > BXE_EXIT_SETUP) {
        return distrust(c, err);
    }
    int code = take_output(c, 1, d.out, err);
    code = code < 0 ? code : take_output(c, 2, d.error, err);
    if (code < 0) {
        return code;
    }
    if (d.exit == BXE_EXIT_SETUP && d.limit == BXE_LIMIT_ROOM) {
        c->done = true;
        return bx_fail(err, BX_ERR_RETRY,
                       "too many tools run in the box at this moment; try again");
    }
    if (bx_barred_decode(d.barred, c->request->grant->bar_count, &r->barred, &r->barred_count,
                         NULL) < 0) {
        return distrust(c, err);
    }
    r->exit = (enum bx_box_exit)d.exit;
    r->exit_status = d.status;
    r->left = d.left;
    r->out_cut = d.out_bytes > r->out.size;
    r->err_cut = d.err_bytes > r->err.size;
    r->fuel_used = d.fuel_used;
    r->memory_peak_bytes = d.memory_peak_bytes;
    r->cpu_us = d.cpu_us;
    snprintf(r->message, sizeof r->message, BX_STR_FMT, BX_STR_ARG(d.message));
    /* told to stop, though nobody cancelled: the worker's own clock was not heard */
    bool late = d.limit == BXE_LIMIT_CANCELLED && !c->stopping;
    c->limit = late ? BXE_LIMIT_TIME : d.limit;
    c->done = true;
    return 0;
}

static int take_ask(struct bx_call *c, struct bx_str body, struct bx_err *err) {
    struct bx_ask_frame a;
    if (bx_ask_decode(body, &a, NULL) < 0 ||
        a.body_size > c->request->grant->limits.value[BX_LIMIT_REQUEST] || c->asks.n >= ASKS_MAX) {
        return distrust(c, err);
    }
    struct bx_ask ask = {
        .id = a.id,
        .method = bx_str_dup(a.method),
        .url = bx_str_dup(a.url),
        .headers = BX_BUF_INIT(BX_FRAME_MAX),
        .body = BX_BUF_INIT((size_t)a.body_size + 1),
        .body_size = a.body_size,
    };
    bx_buf_adds(&ask.headers, a.headers);
    bx_vec_push(&c->asks, ask);
    return 0;
}

static int take_ask_body(struct bx_call *c, struct bx_str body, struct bx_err *err) {
    struct bx_ask *ask = c->asks.n > 0 ? &c->asks.p[c->asks.n - 1] : NULL;
    if (!ask || ask->body.size + body.n > ask->body_size) {
        return distrust(c, err);
    }
    bx_buf_adds(&ask->body, body);
    return 0;
}

static int send_image(struct bx_call *c, struct bx_err *err) {
    const struct bx_image *image = c->request->image;
    if (!image) {
        return distrust(c, err);
    }
    start_clock(c);
    bx_frame_begin(&c->lane->frame_out, BX_FRAME_IMAGE, c->lane->last_call);
    return bx_channel_send(c->lane->fd, &c->lane->frame_out, &image->memfd, 1, err);
}

static int take(struct bx_call *c, const struct bx_frame *f, struct bx_err *err) {
    if (f->call != c->lane->last_call) {
        return distrust(c, err);
    }
    switch (f->type) {
    case BX_FRAME_OUT:
        return take_output(c, 1, f->body, err);
    case BX_FRAME_ERR:
        return take_output(c, 2, f->body, err);
    case BX_FRAME_NEED:
        return send_image(c, err);
    case BX_FRAME_ASK:
        return take_ask(c, f->body, err);
    case BX_FRAME_ASK_BODY:
        return take_ask_body(c, f->body, err);
    case BX_FRAME_DONE:
        return take_done(c, f->body, err);
    default:
        return distrust(c, err);
    }
}

static int died(struct bx_call *c, struct bx_err *err) {
    char words[300];
    bool by_us = bx_lane_is_killed(c->lane);
    bx_lane_last_words(c->lane, words, sizeof words);
    bx_pool_kill(c->pool, c->lane);
    if (by_us) {
        return bx_fail(
            err, BX_ERR_RETRY,
            "another call on the same box worker did not stop, so the worker was ended; try again");
    }
    return bx_fail(err, BX_ERR_RETRY, "the box worker died%s%s; try again", words[0] ? ": " : "",
                   words);
}

static int take_one(struct bx_call *c, struct bx_err *err) {
    struct bx_frame f;
    int r = bx_channel_try_recv(c->lane->fd, &c->lane->frame_in, &f, err);
    if (r == BX_ERR_BUSY) {
        return 0;
    }
    if (r == BX_ERR_PROTO) {
        return distrust(c, err);
    }
    return r < 0 ? died(c, err) : take(c, &f, err);
}

static void ask_to_stop(struct bx_call *c) {
    c->stopping = true;
    c->deadline_ms = BX_MIN(c->deadline_ms, bx_mono_ms() + GRACE_MS);
    c->remind_ms = 0;
}

/* The worker did not obey: what it was doing ends with it. */
static void force(struct bx_call *c) {
    bx_pool_kill(c->pool, c->lane);
    c->forced = c->done = true;
    c->result->exit = BX_BOX_TRAPPED;
    c->limit = c->stopping ? BXE_LIMIT_CANCELLED : BXE_LIMIT_TIME;
}

/* Waits for the worker, the stop button or the deadline, and does what came. */
static int wait_for(struct bx_call *c, short events, struct bx_err *err) {
    if (!c->stopping && bx_cancel_fired(c->cancel)) {
        ask_to_stop(c);
    }
    uint64_t now = bx_mono_ms();
    bool kill = !bx_unwired("kill") && (!bx_unwired("time") || c->stopping);
    if (now >= c->deadline_ms && kill) {
        force(c);
        return 0;
    }
    if (now >= c->remind_ms && kill) {
        bx_pool_stop_call(c->lane);
        c->remind_ms = now + REMIND_MS;
    }
    struct pollfd p[2] = {{.fd = c->lane->fd, .events = events},
                          {.fd = c->stopping ? -1 : bx_cancel_fd(c->cancel), .events = POLLIN}};
    uint64_t left = kill ? BX_MIN(c->deadline_ms, c->remind_ms) - now : 1000;
    int n = poll(p, 2, (int)BX_MIN(left, (uint64_t)60000));
    if (n < 0 && errno != EINTR) {
        return bx_fail_errno(err, errno, "waiting for the box worker failed");
    }
    return n > 0 && (p[0].revents & ~POLLOUT) ? take_one(c, err) : 0;
}

int bx_call_send(struct bx_call *c, const struct bx_buf *frame, struct bx_err *err) {
    while (!c->done && !c->stopping) {
        int r = bx_channel_try_send(c->lane->fd, frame, err);
        if (r != BX_ERR_BUSY) {
            return r == BX_ERR_IO ? died(c, err) : r;
        }
        r = wait_for(c, POLLIN | POLLOUT, err);
        if (r < 0) {
            return r;
        }
    }
    return BX_ERR_CANCELLED;
}

static void add_texts(struct bx_buf *out, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bx_buf_add(out, texts[i], strlen(texts[i]) + 1);
    }
}

static int send_pieces(struct bx_call *c, enum bx_frame_type type, struct bx_str bytes,
                       struct bx_err *err) {
    int r = 0;
    for (size_t at = 0; r == 0 && at < bytes.n; at += BX_FRAME_DATA) {
        bx_frame_begin(&c->lane->frame_out, type, c->lane->last_call);
        bx_buf_adds(&c->lane->frame_out, bx_str_slice(bytes, at, BX_FRAME_DATA));
        r = bx_call_send(c, &c->lane->frame_out, err);
    }
    return r;
}

static int send_call(struct bx_call *c, struct bx_err *err) {
    const struct bx_box_request *q = c->request;
    bx_auto(bx_buf_deinit) struct bx_buf args = BX_BUF_INIT(BX_FRAME_DATA / 2),
                                         env = BX_BUF_INIT(BX_FRAME_DATA / 4),
                                         bars = BX_BUF_INIT(BX_BARS_BYTES_MAX);
    bx_bars_encode(&bars, q->grant->bars, q->grant->bar_count);
    add_texts(&args, q->argv ? q->argv : &q->tool, q->argv ? q->argc : 1);
    add_texts(&env, q->env, q->env_count);
    if (bx_buf_failed(&args) || bx_buf_failed(&env)) {
        return bx_fail(err, BX_ERR_LIMIT,
                       "a tool's arguments may have %d bytes and its environment %d; use its input",
                       BX_FRAME_DATA / 2, BX_FRAME_DATA / 4);
    }
    size_t first = BX_MIN(q->input.n, (size_t)BX_FRAME_DATA / 4 - 1024);
    struct bx_call_frame call = {
        .embedded = q->image ? (struct bx_str){0} : bx_box_embedded(q),
        .fuel = q->image ? q->image->fuel : q->grant->limits.value[BX_LIMIT_FUEL] > 0,
        .flags = (q->output ? BX_CALL_LIVE : 0u) | (q->outbound ? BX_CALL_NETWORK : 0u),
        .error_bytes = c->result->err.max,
        .args = bx_buf_str(&args),
        .env = bx_buf_str(&env),
        .bars_size = bars.size,
        .input_size = q->input.n,
        .input = bx_str_slice(q->input, 0, first),
    };
    memcpy(call.limits, q->grant->limits.value, sizeof call.limits);
    if (q->image) {
        memcpy(call.key, q->image->key, sizeof call.key);
    }
    bx_call_encode(&c->lane->frame_out, c->lane->last_call, &call);
    int r = bx_call_send(c, &c->lane->frame_out, err);
    r = r == 0 ? send_pieces(c, BX_FRAME_BARS, bx_buf_str(&bars), err) : r;
    return r == 0 ? send_pieces(c, BX_FRAME_INPUT, bx_str_slice(q->input, first, q->input.n), err)
                  : r;
}

static bool next_ask(struct bx_call *c, struct bx_ask *ret) {
    for (size_t i = 0; i < c->asks.n; i++) {
        if (c->asks.p[i].body.size == c->asks.p[i].body_size) {
            *ret = c->asks.p[i];
            bx_vec_remove(&c->asks, i);
            return true;
        }
    }
    return false;
}

int bx_call_run(struct bx_call *c, struct bx_err *err) {
    struct bx_ask ask;
    c->lane->last_call++;
    start_clock(c);
    int r = send_call(c, err);
    while ((r == 0 || r == BX_ERR_CANCELLED) && !c->done) {
        if (!c->stopping && next_ask(c, &ask)) {
            bx_call_answer(c, &ask);
            bx_free(ask.method);
            bx_free(ask.url);
            bx_buf_deinit(&ask.headers);
            bx_buf_deinit(&ask.body);
            r = 0;
        } else {
            r = wait_for(c, POLLIN, err);
        }
    }
    return r == BX_ERR_CANCELLED ? 0 : r;
}
