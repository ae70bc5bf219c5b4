#include "box/protocol.h"

static bool known(unsigned type) {
    return (type >= BX_FRAME_CONFIG && type <= BX_FRAME_FATAL) ||
           (type >= BX_FRAME_CALL && type <= BX_FRAME_BARS) ||
           (type >= BX_FRAME_ASK && type <= BX_FRAME_END) || type == BX_FRAME_COMPILE ||
           type == BX_FRAME_COMPILED;
}

int bx_frame_decode(const void *p, size_t n, struct bx_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(bx_str_n(p, n));
    uint32_t type = bx_read_u32(&r), call = bx_read_u32(&r);
    if (r.failed || n > BX_FRAME_MAX || !known(type)) {
        return bx_fail(err, BX_ERR_PROTO, "box protocol: a frame of %zu bytes and type %u", n,
                       type);
    }
    *ret = (struct bx_frame){(enum bx_frame_type)type, call, r.left};
    return 0;
}

void bx_frame_begin(struct bx_buf *out, enum bx_frame_type type, uint32_t call) {
    assert(out->max == BX_FRAME_MAX);
    bx_buf_reset(out);
    bx_put_u32(out, type);
    bx_put_u32(out, call);
}

struct bx_reader bx_reader(struct bx_str body) {
    return (struct bx_reader){.left = body};
}

static struct bx_str take(struct bx_reader *r, size_t n) {
    if (r->failed || n > r->left.n) {
        r->failed = true;
        return (struct bx_str){0};
    }
    struct bx_str s = {r->left.p, n};
    r->left = (struct bx_str){r->left.p + n, r->left.n - n};
    return s;
}

static uint64_t number(struct bx_reader *r, size_t n) {
    struct bx_str s = take(r, n);
    uint64_t v = 0;
    for (size_t i = s.n; i-- > 0;) {
        v = v << 8 | (unsigned char)s.p[i];
    }
    return v;
}

uint8_t bx_read_u8(struct bx_reader *r) {
    return (uint8_t)number(r, 1);
}

uint32_t bx_read_u32(struct bx_reader *r) {
    return (uint32_t)number(r, 4);
}

uint64_t bx_read_u64(struct bx_reader *r) {
    return number(r, 8);
}

struct bx_str bx_read_str(struct bx_reader *r) {
    return take(r, bx_read_u32(r));
}

struct bx_str bx_read_rest(struct bx_reader *r) {
    return take(r, r->left.n);
}

int bx_read_end(const struct bx_reader *r, struct bx_err *err) {
    if (r->failed || r->left.n > 0) {
        return bx_fail(err, BX_ERR_PROTO, "box protocol: a frame is too %s",
                       r->failed ? "short" : "long");
    }
    return 0;
}

static void put(struct bx_buf *b, uint64_t v, size_t n) {
    unsigned char bytes[8];
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (unsigned char)(v >> (8 * i));
    }
    bx_buf_add(b, bytes, n);
}

void bx_put_u8(struct bx_buf *b, uint8_t v) {
    put(b, v, 1);
}

void bx_put_u32(struct bx_buf *b, uint32_t v) {
    put(b, v, 4);
}

void bx_put_u64(struct bx_buf *b, uint64_t v) {
    put(b, v, 8);
}

void bx_put_str(struct bx_buf *b, struct bx_str s) {
    put(b, s.n, 4);
    bx_buf_adds(b, s);
}

void bx_config_encode(struct bx_buf *out, const struct bx_config_frame *c) {
    bx_frame_begin(out, BX_FRAME_CONFIG, 0);
    bx_put_u64(out, c->written_max_bytes);
    bx_put_u32(out, c->server_pid);
    bx_put_u8(out, c->probe);
    bx_put_str(out, c->unwire);
    bx_put_u32(out, (uint32_t)c->mount_count);
    for (size_t i = 0; i < c->mount_count; i++) {
        bx_put_str(out, bx_str(c->mounts[i].host_path));
        bx_put_str(out, bx_str(c->mounts[i].guest_path));
        bx_put_u8(out, c->mounts[i].writable);
    }
}

int bx_config_decode(struct bx_str body, struct bx_config_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    struct bx_config_frame c = {.written_max_bytes = bx_read_u64(&r)};
    c.server_pid = bx_read_u32(&r);
    c.probe = bx_read_u8(&r) != 0;
    c.unwire = bx_read_str(&r);
    size_t count = bx_read_u32(&r);
    if (count > BX_MOUNTS_MAX) {
        return bx_fail(err, BX_ERR_PROTO, "box protocol: %zu mounts", count);
    }
    for (; c.mount_count < count && !r.failed; c.mount_count++) {
        struct bx_mount *m = &c.mounts[c.mount_count];
        m->host_path = bx_str_dup(bx_read_str(&r));
        m->guest_path = bx_str_dup(bx_read_str(&r));
        m->writable = bx_read_u8(&r) != 0;
    }
    int result = bx_read_end(&r, err);
    if (result < 0) {
        bx_config_deinit(&c);
    } else {
        *ret = c;
    }
    return result;
}

void bx_config_deinit(struct bx_config_frame *c) {
    for (size_t i = 0; i < c->mount_count; i++) {
        bx_free((char *)(uintptr_t)c->mounts[i].host_path);
        bx_free((char *)(uintptr_t)c->mounts[i].guest_path);
    }
    c->mount_count = 0;
}

void bx_hello_encode(struct bx_buf *out, const struct bx_hello_frame *h) {
    bx_frame_begin(out, BX_FRAME_HELLO, 0);
    bx_put_u32(out, h->wall_parts);
    bx_put_u32(out, h->landlock_abi);
    bx_put_u32(out, h->probed_parts);
    bx_put_u64(out, h->compat);
    bx_put_str(out, h->engine);
}

int bx_hello_decode(struct bx_str body, struct bx_hello_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    struct bx_hello_frame h = {.wall_parts = bx_read_u32(&r)};
    h.landlock_abi = bx_read_u32(&r);
    h.probed_parts = bx_read_u32(&r);
    h.compat = bx_read_u64(&r);
    h.engine = bx_read_str(&r);
    int result = bx_read_end(&r, err);
    if (result == 0) {
        *ret = h;
    }
    return result;
}

void bx_call_encode(struct bx_buf *out, uint32_t call, const struct bx_call_frame *c) {
    bx_frame_begin(out, BX_FRAME_CALL, call);
    bx_put_str(out, c->embedded);
    bx_buf_add(out, c->key, sizeof c->key);
    bx_put_u8(out, c->fuel);
    bx_put_u32(out, c->flags);
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        bx_put_u64(out, c->limits[i]);
    }
    bx_put_u64(out, c->error_bytes);
    bx_put_str(out, c->args);
    bx_put_str(out, c->env);
    bx_put_u64(out, c->bars_size);
    bx_put_u64(out, c->input_size);
    bx_put_str(out, c->input);
}

static bool texts_are_ended(struct bx_str s) {
    return s.n == 0 || s.p[s.n - 1] == '\0';
}

int bx_call_decode(struct bx_str body, struct bx_call_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    struct bx_call_frame c = {.embedded = bx_read_str(&r)};
    struct bx_str key = take(&r, BX_IMAGE_KEY);
    if (key.n == BX_IMAGE_KEY) {
        memcpy(c.key, key.p, BX_IMAGE_KEY);
    }
    c.fuel = bx_read_u8(&r) != 0;
    c.flags = bx_read_u32(&r);
    for (size_t i = 0; i < BX_LIMIT_COUNT; i++) {
        c.limits[i] = bx_read_u64(&r);
    }
    c.error_bytes = bx_read_u64(&r);
    c.args = bx_read_str(&r);
    c.env = bx_read_str(&r);
    c.bars_size = bx_read_u64(&r);
    c.input_size = bx_read_u64(&r);
    c.input = bx_read_str(&r);
    if (!texts_are_ended(c.args) || !texts_are_ended(c.env) || c.input.n > c.input_size) {
        return bx_fail(err, BX_ERR_PROTO, "box protocol: a call with damaged fields");
    }
    int result = bx_read_end(&r, err);
    if (result == 0) {
        *ret = c;
    }
    return result;
}

void bx_done_encode(struct bx_buf *out, uint32_t call, const struct bx_done_frame *d) {
    bx_frame_begin(out, BX_FRAME_DONE, call);
    bx_put_u8(out, d->exit);
    bx_put_u8(out, d->limit);
    bx_put_u8(out, d->status);
    bx_put_u32(out, d->left);
    bx_put_u64(out, d->fuel_used);
    bx_put_u64(out, d->memory_peak_bytes);
    bx_put_u64(out, d->cpu_us);
    bx_put_u64(out, d->wall_us);
    bx_put_u64(out, d->out_bytes);
    bx_put_u64(out, d->err_bytes);
    bx_put_str(out, d->message);
    bx_put_str(out, d->barred);
    bx_put_str(out, d->out);
    bx_put_str(out, d->error);
}

int bx_done_decode(struct bx_str body, struct bx_done_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    struct bx_done_frame d = {.exit = bx_read_u8(&r)};
    d.limit = bx_read_u8(&r);
    d.status = bx_read_u8(&r);
    d.left = bx_read_u32(&r);
    d.fuel_used = bx_read_u64(&r);
    d.memory_peak_bytes = bx_read_u64(&r);
    d.cpu_us = bx_read_u64(&r);
    d.wall_us = bx_read_u64(&r);
    d.out_bytes = bx_read_u64(&r);
    d.err_bytes = bx_read_u64(&r);
    d.message = bx_read_str(&r);
    d.barred = bx_read_str(&r);
    d.out = bx_read_str(&r);
    d.error = bx_read_str(&r);
    int result = bx_read_end(&r, err);
    if (result == 0) {
        *ret = d;
    }
    return result;
}

void bx_ask_encode(struct bx_buf *out, uint32_t call, const struct bx_ask_frame *a) {
    bx_frame_begin(out, BX_FRAME_ASK, call);
    bx_put_u64(out, a->id);
    bx_put_str(out, a->method);
    bx_put_str(out, a->url);
    bx_put_str(out, a->headers);
    bx_put_u64(out, a->body_size);
}

int bx_ask_decode(struct bx_str body, struct bx_ask_frame *ret, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    struct bx_ask_frame a = {.id = bx_read_u64(&r)};
    a.method = bx_read_str(&r);
    a.url = bx_read_str(&r);
    a.headers = bx_read_str(&r);
    a.body_size = bx_read_u64(&r);
    int result = bx_read_end(&r, err);
    if (result == 0) {
        *ret = a;
    }
    return result;
}
