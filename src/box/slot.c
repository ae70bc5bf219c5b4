#include "box/slot.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/vec.h"
#include "box/channel.h"
#include "box/flusher.h"
#include "base/unwire.h"
#include "box/wall_linux.h"

#define OUT_KEPT  (32 * BX_KIB) /* output is sent in pieces of this size, the last with DONE */
#define ERR_KEPT  (16 * BX_KIB)
#define INPUT_MAX (256 * BX_MIB)
#define ARGS_MAX  4096

struct bx_slot {
    const struct bx_slot_setup *setup;
    int fd;
    struct bx_buf call_frame; /* holds the CALL while it runs: its fields are views */
    struct bx_buf in_frame;

    pthread_mutex_t mutex; /* over the next five */
    pthread_t thread;
    uint32_t call;
    uint32_t stop_call;
    struct bxe_cancel *cancel; /* of the call that runs */
    struct bx_group *group;    /* or NULL */

    pthread_mutex_t out_mutex; /* over what follows: of the call that runs */
    struct bx_buf out_frame;
    uint64_t out_max, err_max;
    uint64_t out_bytes, err_bytes;
    unsigned left; /* of its group */
    struct bx_buf barred;
    bool live;
    uint64_t flushed_at_ms;
    bool peer_gone;
    struct bx_buf out, err;
};

static void send_frame(struct bx_slot *s) {
    if (bx_channel_send(s->fd, &s->out_frame, NULL, 0, NULL) < 0) {
        s->peer_gone = true;
    }
}

static void flush(struct bx_slot *s, struct bx_buf *from, enum bx_frame_type type) {
    if (from->size > 0) {
        bx_frame_begin(&s->out_frame, type, s->call);
        bx_buf_adds(&s->out_frame, bx_buf_str(from));
        send_frame(s);
        bx_buf_reset(from);
    }
}

static bool is_due(struct bx_slot *s) {
    uint64_t now = s->live ? bx_mono_ms() : 0;
    bool due = s->live && now - s->flushed_at_ms >= BX_FLUSH_MS;
    s->flushed_at_ms = due ? now : s->flushed_at_ms;
    return due;
}

static void keep(struct bx_slot *s, struct bx_buf *into, enum bx_frame_type type, const uint8_t *p,
                 size_t n) {
    while (n > 0) {
        size_t piece = BX_MIN(n, into->max - into->size);
        bx_buf_add(into, p, piece);
        p += piece;
        n -= piece;
        if (into->size == into->max || (n == 0 && is_due(s))) {
            flush(s, into, type);
        }
    }
    if (s->live && into->size > 0) {
        bx_flusher_poke(s->setup->flusher, s); /* perhaps the guest waits now */
    }
}

/* At most one of the two holds something: a write to the one sends the other. */
static bool try_flush(struct bx_slot *s, struct bx_buf *from, enum bx_frame_type type) {
    if (from->size == 0) {
        return false;
    }
    bx_frame_begin(&s->out_frame, type, s->call);
    bx_buf_adds(&s->out_frame, bx_buf_str(from));
    if (bx_channel_try_send(s->fd, &s->out_frame, NULL) < 0) {
        return true; /* slow, or gone: the next write will notice */
    }
    bx_buf_reset(from);
    s->flushed_at_ms = bx_mono_ms();
    return false;
}

bool bx_slot_flush(void *user) {
    struct bx_slot *s = user;
    if (pthread_mutex_trylock(&s->out_mutex) != 0) {
        return true; /* it writes */
    }
    bool again = s->live && !s->peer_gone &&
                 (try_flush(s, &s->err, BX_FRAME_ERR) || try_flush(s, &s->out, BX_FRAME_OUT));
    pthread_mutex_unlock(&s->out_mutex);
    return again;
}

static enum bxe_write on_write(void *user, int fd, const uint8_t *p, size_t n) {
    struct bx_slot *s = user;
    BX_LOCKED(&s->out_mutex);
    bool err = fd == 2;
    uint64_t *bytes = err ? &s->err_bytes : &s->out_bytes, max = err ? s->err_max : s->out_max;
    size_t room = *bytes >= max ? 0 : (size_t)BX_MIN(max - *bytes, (uint64_t)n);
    *bytes += n;
    /* What was written before goes first: a reader sees both streams in their order */
    flush(s, err ? &s->out : &s->err, err ? BX_FRAME_OUT : BX_FRAME_ERR);
    keep(s, err ? &s->err : &s->out, err ? BX_FRAME_ERR : BX_FRAME_OUT, p, room);
    if (s->peer_gone) {
        return BXE_WRITE_STOP;
    }
    /* of standard error the rest is dropped in silence */
    return err || room == n ? BXE_WRITE_OK : BXE_WRITE_LIMIT;
}

static enum bxe_http_error on_ask(void *user, const struct bxe_request *request) {
    struct bx_slot *s = user;
    bx_auto(bx_buf_deinit) struct bx_buf headers = BX_BUF_INIT(BX_FRAME_DATA);
    BX_LOCKED(&s->out_mutex);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct bxe_header *h = &request->headers[i];
        bx_put_str(&headers, bx_str_n(h->name, h->name_size));
        bx_put_str(&headers, bx_str_n(h->value, h->value_size));
    }
    struct bx_ask_frame ask = {
        .id = request->id,
        .method = bx_str(request->method),
        .url = bx_str(request->url),
        .headers = bx_buf_str(&headers),
        .body_size = request->body_size,
    };
    bx_ask_encode(&s->out_frame, s->call, &ask);
    if (bx_buf_failed(&headers) || bx_buf_failed(&s->out_frame)) {
        return BXE_HTTP_REQUEST_SIZE;
    }
    send_frame(s);
    for (size_t at = 0; at < request->body_size; at += BX_FRAME_DATA) {
        bx_frame_begin(&s->out_frame, BX_FRAME_ASK_BODY, s->call);
        bx_buf_add(&s->out_frame, request->body + at,
                   BX_MIN(request->body_size - at, (size_t)BX_FRAME_DATA));
        send_frame(s);
    }
    return s->peer_gone ? BXE_HTTP_FAILED : BXE_HTTP_OK;
}

static void hand_head(struct bxe_answers *answers, struct bx_reader *r, uint64_t id) {
    BX_VEC(struct bxe_header) headers = {0};
    uint32_t status = bx_read_u32(r);
    while (r->left.n > 0 && !r->failed) {
        struct bx_str name = bx_read_str(r), value = bx_read_str(r);
        if (!r->failed) {
            bx_vec_push(&headers, ((struct bxe_header){name.p, name.n, value.p, value.n}));
        }
    }
    bxe_answer_head(answers, id, status, headers.p, headers.n);
    bx_vec_free(&headers);
}

static int on_answer(void *user, struct bxe_answers *answers) {
    struct bx_slot *s = user;
    for (;;) {
        struct bx_frame f;
        int r = bx_channel_try_recv(s->fd, &s->in_frame, &f, NULL);
        if (r == BX_ERR_BUSY) {
            return 0;
        }
        if (r < 0) {
            s->peer_gone = true;
            return -1;
        }
        struct bx_reader reader = bx_reader(f.body);
        uint64_t id = bx_read_u64(&reader);
        if (f.call != s->call || reader.failed) {
            continue;
        }
        if (f.type == BX_FRAME_HEAD) {
            hand_head(answers, &reader, id);
        } else if (f.type == BX_FRAME_BODY) {
            bxe_answer_body(answers, id, (const uint8_t *)reader.left.p, reader.left.n);
        } else if (f.type == BX_FRAME_END) {
            bxe_answer_end(answers, id, (enum bxe_http_error)bx_read_u8(&reader));
        }
    }
}

/* Frames of this type until there are so many bytes. */
static int read_pieces(struct bx_slot *s, enum bx_frame_type type, uint64_t size,
                       struct bx_buf *ret, struct bx_err *err) {
    while (ret->size < size) {
        struct bx_frame f;
        int r = bx_channel_recv(s->fd, &s->in_frame, &f, NULL, err);
        if (r < 0) {
            return r;
        }
        if (f.type == type && f.call == s->call && bx_buf_adds(ret, f.body) < 0) {
            return bx_fail(err, BX_ERR_PROTO, "box protocol: more bytes than announced");
        }
    }
    return 0;
}

/* What came with the call and the frames behind it. */
static int read_rest(struct bx_slot *s, const struct bx_call_frame *c, struct bx_buf *ret_bars,
                     struct bx_buf *ret_input, struct bx_err *err) {
    if (c->input_size > INPUT_MAX || c->bars_size > BX_BARS_BYTES_MAX) {
        return bx_fail(err, BX_ERR_LIMIT, "the tool's input is larger than %zu bytes", INPUT_MAX);
    }
    bx_buf_init(ret_bars, (size_t)c->bars_size + 1);
    bx_buf_init(ret_input, (size_t)c->input_size + 1);
    bx_buf_adds(ret_input, c->input);
    int r = read_pieces(s, BX_FRAME_BARS, c->bars_size, ret_bars, err);
    return r < 0 ? r : read_pieces(s, BX_FRAME_INPUT, c->input_size, ret_input, err);
}

/* Views into texts that are NUL ended one after the other */
static size_t split_texts(struct bx_str texts, const char **ret, size_t max) {
    size_t n = 0;
    for (size_t at = 0; at < texts.n && n < max; n++) {
        ret[n] = texts.p + at;
        at += strlen(texts.p + at) + 1;
    }
    return n;
}

static int find_tool(struct bx_slot *s, const struct bx_call_frame *c, const struct bxe_tool **ret,
                     struct bx_err *err) {
    int r = bx_loader_find(s->setup->loader, c, ret, err);
    if (r != BX_ERR_NOTFOUND) {
        return r;
    }
    bx_frame_begin(&s->out_frame, BX_FRAME_NEED, s->call);
    send_frame(s);
    for (;;) {
        struct bx_frame f;
        int fds[BX_CHANNEL_FDS];
        r = bx_channel_recv(s->fd, &s->in_frame, &f, fds, err);
        if (r < 0) {
            return r;
        }
        bool image = f.type == BX_FRAME_IMAGE && f.call == s->call;
        r = image ? bx_loader_add(s->setup->loader, c, fds[0], ret, err) : 0;
        for (size_t i = 0; i < BX_CHANNEL_FDS; i++) {
            bx_fd_close(&fds[i]);
        }
        if (image) {
            return r;
        }
    }
}

static void set_limits(struct bxe_run *run, const struct bx_call_frame *c, struct bx_slot *s) {
    const uint64_t *l = c->limits;
    run->time_ms = bx_unwired("time") ? 0 : l[BX_LIMIT_TIME];
    run->cpu_ms = bx_unwired("cpu") ? 0 : l[BX_LIMIT_CPU];
    run->fuel = bx_unwired("fuel") ? 0 : l[BX_LIMIT_FUEL];
    run->memory_bytes = bx_unwired("memory") ? SIZE_MAX : (size_t)l[BX_LIMIT_MEMORY];
    run->table_elements = bx_unwired("table") ? SIZE_MAX : (size_t)l[BX_LIMIT_TABLE];
    run->instances = bx_unwired("instances") ? SIZE_MAX : (size_t)l[BX_LIMIT_INSTANCES];
    run->request_bytes = (size_t)l[BX_LIMIT_REQUEST];
    s->out_max = bx_unwired("output") ? UINT64_MAX : l[BX_LIMIT_OUTPUT];
    s->err_max = c->error_bytes;
}

/* With the mutex held */
static void press(struct bx_slot *s) {
    if (s->group) {
        bx_group_stop(s->group);
    } else {
        bxe_cancel_fire(s->cancel);
    }
    bx_guest_thread_nudge(s->thread); /* it may wait in the kernel */
}

/* The stop button exists while the guest runs; a STOP that was faster than its call counts too. */
static void arm(struct bx_slot *s, struct bxe_cancel *cancel, struct bx_group *group) {
    BX_LOCKED(&s->mutex);
    s->cancel = cancel;
    s->group = group;
    if (cancel && s->stop_call == s->call) {
        press(s);
    }
}

struct bars {
    struct bx_bar *p;
    size_t n;
};

static void run_group(struct bx_slot *s, const struct bx_call_frame *c, const struct bxe_tool *tool,
                      const struct bars *bars, const struct bxe_run *run, struct bxe_result *ret,
                      uint8_t *ret_limit) {
    size_t barred_count;
    struct bx_group *group = bx_group_new(&(struct bx_group_plan){.loader = s->setup->loader,
                                                                  .crew = s->setup->crew,
                                                                  .call = c,
                                                                  .tool = tool,
                                                                  .run = run,
                                                                  .bars = bars->p,
                                                                  .bar_count = bars->n});
    arm(s, run->cancel, group);
    bx_group_run(group, ret, ret_limit);
    s->left = bx_group_left(group);
    const struct bx_barred *barred = bx_group_barred(group, &barred_count);
    bx_barred_encode(&s->barred, barred, barred_count);
    arm(s, NULL, NULL);
    bx_group_free(group);
}

static void run_alone(struct bx_slot *s, const struct bxe_tool *tool, const struct bxe_run *run,
                      struct bxe_result *ret, uint8_t *ret_limit) {
    arm(s, run->cancel, NULL);
    bxe_run(tool, run, ret);
    arm(s, NULL, NULL);
    bool cut = bx_wall_file_size_hit() && !bx_unwired("written");
    *ret_limit = cut && ret->limit == BXE_LIMIT_NONE ? BX_DONE_WRITTEN : (uint8_t)ret->limit;
}

static void run_guest(struct bx_slot *s, const struct bx_call_frame *c, const struct bxe_tool *tool,
                      const struct bars *bars, const struct bx_buf *input, struct bxe_result *ret,
                      uint8_t *ret_limit) {
    const char *argv[ARGS_MAX], *env[256];
    struct bxe_dir dirs[BX_MOUNTS_MAX];
    memcpy(dirs, s->setup->dirs, s->setup->dir_count * sizeof *dirs);
    for (size_t i = 0; i < s->setup->dir_count; i++) {
        dirs[i].writable = dirs[i].writable || bx_unwired("readonly");
    }
    struct bxe_run run = {
        .argv = argv,
        .argc = split_texts(c->args, argv, ARGS_MAX),
        .env = env,
        .env_count = split_texts(c->env, env, BX_ARRAY_LEN(env)),
        .input = (const uint8_t *)input->p,
        .input_size = input->size,
        .dirs = dirs,
        .dir_count = s->setup->dir_count,
        .cancel = bxe_cancel_new(),
        .user = s,
        .write = on_write,
        .ask = c->flags & BX_CALL_NETWORK ? on_ask : NULL,
        .answer_fd = s->fd,
        .answer = on_answer,
    };
    set_limits(&run, c, s);
    if (bxe_tool_starts_others(tool)) {
        run_group(s, c, tool, bars, &run, ret, ret_limit);
    } else {
        run_alone(s, tool, &run, ret, ret_limit);
    }
    bxe_cancel_free(run.cancel);
}

static void finish(struct bx_slot *s, const struct bxe_result *result, uint8_t limit,
                   const char *message) {
    BX_LOCKED(&s->out_mutex);
    s->live = false; /* what is kept goes with DONE */
    struct bx_done_frame done = {
        .exit = (uint8_t)result->exit,
        .limit = limit,
        .status = (uint8_t)result->status,
        .left = s->left,
        .fuel_used = result->fuel_used,
        .memory_peak_bytes = result->memory_peak_bytes,
        .cpu_us = result->cpu_us,
        .wall_us = result->wall_us,
        .out_bytes = s->out_bytes,
        .err_bytes = s->err_bytes,
        .message = bx_str(message),
        .barred = bx_buf_str(&s->barred),
        .out = bx_buf_str(&s->out),
        .error = bx_buf_str(&s->err),
    };
    bx_done_encode(&s->out_frame, s->call, &done);
    send_frame(s);
}

static void begin_output(struct bx_slot *s, const struct bx_call_frame *c) {
    BX_LOCKED(&s->out_mutex);
    s->out_bytes = s->err_bytes = 0;
    s->left = 0;
    bx_buf_reset(&s->barred);
    s->live = c->flags & BX_CALL_LIVE;
    s->flushed_at_ms = bx_mono_ms();
    bx_buf_reset(&s->out);
    bx_buf_reset(&s->err);
}

static void run_call(struct bx_slot *s, const struct bx_call_frame *c) {
    struct bx_err err = {0};
    struct bxe_result result = {.exit = BXE_EXIT_SETUP, .status = 126};
    uint8_t limit = BXE_LIMIT_NONE;
    bx_auto(bx_buf_deinit) struct bx_buf input = BX_BUF_INIT(1), text = BX_BUF_INIT(1);
    const struct bxe_tool *tool = NULL;
    struct bars bars = {0};
    begin_output(s, c);
    int r = read_rest(s, c, &text, &input, &err);
    r = r < 0 ? r : bx_bars_decode(bx_buf_str(&text), &bars.p, &bars.n, &err);
    r = r < 0 ? r : find_tool(s, c, &tool, &err);
    if (r == 0) {
        run_guest(s, c, tool, &bars, &input, &result, &limit);
    }
    bx_free(bars.p);
    finish(s, &result, limit, r < 0 ? err.msg : result.message);
}

static void *slot_main(void *user) {
    struct bx_slot *s = user;
    bx_guest_thread_begin();
    {
        BX_LOCKED(&s->mutex);
        s->thread = pthread_self();
    }
    while (!s->peer_gone) {
        struct bx_frame f;
        struct bx_call_frame c;
        if (bx_channel_recv(s->fd, &s->call_frame, &f, NULL, NULL) < 0) {
            break;
        }
        if (f.type != BX_FRAME_CALL) {
            continue; /* answers to a request that the last guest no longer waits for */
        }
        if (bx_call_decode(f.body, &c, NULL) < 0) {
            break;
        }
        {
            BX_LOCKED(&s->mutex);
            s->call = f.call;
        }
        run_call(s, &c);
    }
    bx_fd_close(&s->fd);
    return NULL;
}

int bx_slot_start(const struct bx_slot_setup *setup, int take_socket, struct bx_slot **ret,
                  struct bx_err *err) {
    struct bx_slot *s = bx_new(struct bx_slot);
    s->setup = setup;
    s->fd = take_socket;
    s->call_frame = s->in_frame = s->out_frame = BX_BUF_INIT(BX_FRAME_MAX);
    s->out = BX_BUF_INIT(OUT_KEPT);
    s->err = BX_BUF_INIT(ERR_KEPT);
    s->barred = BX_BUF_INIT(BX_BARRED_MAX * (BX_BARRED_TEXT + 16));
    pthread_mutex_init(&s->mutex, NULL);
    pthread_mutex_init(&s->out_mutex, NULL);
    pthread_t thread;
    int r = bx_thread_start(&thread, "box-slot", slot_main, s, err);
    if (r < 0) {
        bx_fd_close(&s->fd);
        bx_free(s);
        return r;
    }
    pthread_detach(thread);
    *ret = s;
    return 0;
}

void bx_slot_stop(struct bx_slot *s, uint32_t call) {
    BX_LOCKED(&s->mutex);
    s->stop_call = call;
    if (s->cancel && s->call == call && !bx_unwired("cancel")) {
        press(s);
    }
}
