#include "model/wire.h"

#include "base/clock.h"
#include "base/id.h"

#define MAX_REQUEST_BYTES (128 * BX_MIB)
#define MAX_ERROR_BYTES   (64 * BX_KIB)
#define MAX_WAIT_MS       60000
#define QUICK_ATTEMPTS    2u
#define QUICK_WAIT_MS     2000

struct attempt {
    const struct bx_wire *wire;
    struct bx_openai_reader *reader;
    bx_model_on_event *on_event;
    void *user;
    int status;
    uint64_t retry_after_ms;
    struct bx_buf error_body;
    uint64_t start_ms, first_token_ms;
};

static void on_model_event(void *user, const struct bx_model_event *ev) {
    struct attempt *a = user;
    if (!a->first_token_ms) {
        a->first_token_ms = bx_mono_ms();
    }
    if (a->on_event) {
        a->on_event(a->user, ev);
    }
}

static int on_head(void *user, const struct bx_fetch_head *head, struct bx_err *err) {
    struct attempt *a = user;
    (void)err;
    a->status = head->status;
    const char *ms = bx_fetch_head_get(head, "retry-after-ms"),
               *s = bx_fetch_head_get(head, "retry-after");
    uint64_t number;
    int64_t when;
    if (ms && bx_str_to_u64(bx_str(ms), &number)) {
        a->retry_after_ms = BX_MIN(number, 86400000);
    } else if (s && bx_str_to_u64(bx_str(s), &number)) {
        a->retry_after_ms = BX_MIN(number, 86400) * 1000;
    } else if (s && bx_time_parse_http(bx_str_trim(bx_str(s)), &when)) {
        int64_t wait_ms =
            when - bx_wall_ms(); /* a date that has passed: now, with the usual backoff */
        a->retry_after_ms = wait_ms > 0 ? (uint64_t)BX_MIN(wait_ms, 86400000) : 0;
    }
    return 0;
}

static int on_body(void *user, struct bx_str piece, struct bx_err *err) {
    struct attempt *a = user;
    if (a->status != 200) {
        bx_buf_adds(&a->error_body, piece); // more than fits is of no interest
        return 0;
    }
    return bx_openai_reader_feed(a->reader, piece, err);
}

/* A server may repeat the key in its answer; it must not travel on, nor what a cut left of it. */
static void hide_key(const struct bx_wire *w, struct bx_err *err) {
    size_t n = w->key ? strlen(w->key) : 0;
    if (n < 4 || !err) {
        return;
    }
    for (char *at; (at = strstr(err->msg, w->key));) {
        memset(at, '*', n);
    }
    size_t end = strlen(err->msg);
    end -= end > 0 && err->msg[end - 1] == ')';
    for (size_t part = BX_MIN(n - 1, end); part > 3; part--) {
        if (memcmp(err->msg + end - part, w->key, part) == 0) {
            memset(err->msg + end - part, '*', part);
            return;
        }
    }
}

static int judge_status(const struct bx_wire *w, const struct attempt *a, struct bx_err *err) {
    int r = bx_openai_error(a->status, bx_str_n(bx_buf_z(&a->error_body), a->error_body.size),
                            w->who, err);
    if (r == BX_ERR_AUTH && !w->key) {
        return bx_fail(err, r, "%s wants a key: %s", w->who,
                       w->key_hint ? w->key_hint : "none is configured");
    }
    hide_key(w, err);
    return r;
}

static int try_once(const struct bx_wire *w, const struct bx_model_request *req, struct bx_str body,
                    struct attempt *a, struct bx_cancel *cancel, struct bx_reply *ret,
                    struct bx_err *err) {
    a->start_ms = bx_mono_ms();
    a->reader = bx_openai_reader_new(req->tool_count > 0 && !w->options.schema, on_model_event, a);
    bx_auto(bx_freep) char *bearer = w->key ? bx_asprintf("Bearer %s", w->key) : NULL;
    struct bx_fetch_header headers[] = {
        {"Content-Type", "application/json"},
        {"Accept", w->options.stream ? "text/event-stream" : "application/json"},
        {"Authorization", bearer},
    };
    struct bx_fetch_request request = {
        .method = "POST",
        .url = w->url,
        .unix_socket = w->unix_socket,
        .headers = headers,
        .header_count = bearer ? 3 : 2,
        .body = body,
        .first_byte_timeout_ms = w->first_byte_ms,
        .stall_timeout_ms = w->stall_ms,
        .on_head = on_head,
        .on_body = on_body,
        .user = a,
        .cancel = cancel,
    };
    int r = bx_fetch_perform(w->fetch, &request, NULL, err);
    if (r == BX_ERR_UNAVAILABLE && w->absent_hint && err) {
        struct bx_err plain = *err;
        bx_fail(err, r, "%s; %s", plain.msg, w->absent_hint);
    }
    if (r == 0 && a->status != 200) {
        r = judge_status(w, a, err);
    } else if (r == 0) {
        r = bx_openai_reader_end(a->reader, ret, err);
        hide_key(w, err);
    }
    if (r == 0) {
        uint64_t now = bx_mono_ms();
        ret->usage.ms = (int64_t)(now - a->start_ms);
        ret->usage.first_token_ms =
            (int64_t)((a->first_token_ms ? a->first_token_ms : now) - a->start_ms);
    }
    bx_openai_reader_free(bx_steal(&a->reader));
    bx_buf_deinit(&a->error_body);
    return r;
}

static bool may_retry(const struct bx_wire *w, const struct bx_model_request *req, int code,
                      unsigned attempt) {
    if (attempt >= (req->quick ? BX_MIN(w->attempts, QUICK_ATTEMPTS) : w->attempts))
        return false;
    return code == BX_ERR_RETRY || (code == BX_ERR_TIMEOUT && !req->quick) ||
           (code == BX_ERR_UNAVAILABLE && !w->local);
}

/* 1, 2, 4 … times the base, at most 30 s, a quarter more or less so that many clients do not come
 * back at once. */
static uint64_t backoff_ms(const struct bx_wire *w, unsigned attempt) {
    uint64_t wait = BX_MIN(w->retry_base_ms << BX_MIN(attempt - 1, 16), 30000);
    uint16_t random;
    bx_random(&random, sizeof random);
    return wait - wait / 4 + wait / 2 * random / UINT16_MAX;
}

int bx_wire_ask(const struct bx_wire *w, const struct bx_model_request *req,
                bx_model_on_event *on_event, void *user, struct bx_cancel *cancel,
                struct bx_reply *ret, struct bx_err *err) {
    struct bx_err local_err;
    err = err ? err : &local_err; // retries tell the reason
    struct bx_buf body = BX_BUF_INIT(MAX_REQUEST_BYTES);
    int r = bx_openai_write(&w->options, req, &body, err);
    for (unsigned attempt = 1; r == 0; attempt++) {
        struct attempt a = {.wire = w,
                            .on_event = on_event,
                            .user = user,
                            .error_body = BX_BUF_INIT(MAX_ERROR_BYTES)};
        r = try_once(w, req, bx_buf_str(&body), &a, cancel, ret, err);
        if (r == 0 || !may_retry(w, req, r, attempt)) {
            break;
        }
        uint64_t wait_ms = a.retry_after_ms ? a.retry_after_ms : backoff_ms(w, attempt);
        if (wait_ms > (req->quick ? QUICK_WAIT_MS : MAX_WAIT_MS)) {
            struct bx_err plain = *err;
            r = bx_fail(err, r, "%s; it asks to be left alone for %" PRIu64 " s: try again then",
                        plain.msg, wait_ms / 1000);
            break;
        }
        struct bx_model_event ev = {
            .kind = BX_EV_RETRY, .attempt = attempt, .wait_ms = wait_ms, .text = bx_str(err->msg)};
        if (on_event) {
            on_event(user, &ev);
        }
        r = bx_cancel_sleep(cancel, wait_ms);
        if (r < 0) {
            bx_fail(err, r, "stopped");
        }
    }
    bx_buf_deinit(&body);
    return r;
}

static int collect(void *user, struct bx_str piece, struct bx_err *err) {
    int r = bx_buf_adds(user, piece);
    return r < 0 ? bx_fail(err, r, "the answer is too large") : 0;
}

int bx_wire_get(struct bx_fetch *fetch, const char *url, const char *unix_socket,
                struct bx_cancel *cancel, struct bx_buf *out, struct bx_err *err) {
    struct bx_fetch_request request = {.url = url,
                                       .unix_socket = unix_socket,
                                       .total_timeout_ms = 10000,
                                       .on_body = collect,
                                       .user = out,
                                       .cancel = cancel};
    struct bx_fetch_result result;
    int r = bx_fetch_perform(fetch, &request, &result, err);
    if (r == 0 && result.status != 200) {
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the server answered %d", result.status);
    }
    return r;
}
