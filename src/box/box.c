#include "box/box.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/file.h"
#include "box/call.h"
#include "box/embedded.h"
#include "base/unwire.h"
#include "base/utf8.h"
#include "engine.h"

#define ERR_KEPT   (64 * BX_KIB)
#define COMPILE_MS 120000

struct bx_box {
    struct bx_pool *pool;
    struct bx_image_cache *cache;
    struct bx_receipts *receipts; /* or NULL */
    _Atomic uint64_t compat;      /* the engine's fingerprint, once a worker told it */
};

int bx_box_new(const struct bx_box_config *config, struct bx_box **ret, struct bx_err *err) {
    bx_auto(bx_box_freep) struct bx_box *box = bx_new(struct bx_box);
    int r = bx_pool_new(config, &box->pool, err);
    r = r < 0 ? r : bx_image_cache_open(config->cache_dir, &box->cache, err);
    if (r == 0 && config->receipts_dir) {
        r = bx_receipts_open(config->receipts_dir, &box->receipts, err);
    }
    if (r == 0) {
        *ret = bx_steal(&box);
    }
    return r;
}

void bx_box_free(struct bx_box *box) {
    if (box) {
        bx_pool_free(box->pool);
        bx_image_cache_close(box->cache);
        bx_receipts_close(box->receipts);
        bx_free(box);
    }
}

int bx_box_probe(struct bx_box *box, const struct bx_grant *grant, struct bx_box_walls *ret,
                 struct bx_err *err) {
    int r = bx_grant_check(grant, err);
    return r < 0 ? r : bx_pool_probe(box->pool, grant, ret, err);
}

int bx_box_warm(struct bx_box *box, const struct bx_grant *grant, struct bx_err *err) {
    struct bx_lane *lane;
    int r = bx_grant_check(grant, err);
    if (r == 0)
        r = bx_pool_acquire(box->pool, grant, NULL, &lane, err);
    if (r == 0)
        bx_pool_release(box->pool, lane);
    return r;
}

void bx_box_end_worker(struct bx_box *box, const char *worker) {
    bx_pool_end_worker(box->pool, worker);
}

/* Names and numbers of limits as the worker says them */
static int limit_id(uint8_t limit) {
    switch (limit) {
    case BXE_LIMIT_TIME:
        return BX_LIMIT_TIME;
    case BXE_LIMIT_FUEL:
        return BX_LIMIT_FUEL;
    case BXE_LIMIT_CPU:
        return BX_LIMIT_CPU;
    case BXE_LIMIT_MEMORY:
        return BX_LIMIT_MEMORY;
    case BXE_LIMIT_STACK:
        return BX_LIMIT_STACK;
    case BXE_LIMIT_TABLE:
        return BX_LIMIT_TABLE;
    case BXE_LIMIT_INSTANCES:
        return BX_LIMIT_INSTANCES;
    case BXE_LIMIT_OUTPUT:
        return BX_LIMIT_OUTPUT;
    case BX_DONE_WRITTEN:
        return BX_LIMIT_WRITTEN;
    case BX_DONE_PROCESSES:
        return BX_LIMIT_PROCESSES;
    default:
        return -1;
    }
}

static void say_limit(struct bx_box_result *r, enum bx_limit_id id, const struct bx_call *c) {
    struct bx_buf text = BX_BUF_INIT(sizeof r->message - 1);
    bx_limit_say(&text, id, c->request->grant->limits.value[id], c->request->tool);
    snprintf(r->message, sizeof r->message, "%s", bx_buf_z(&text));
    bx_buf_deinit(&text);
}

static void say_barred(const struct bx_call *c) {
    struct bx_box_result *r = c->result;
    const struct bx_barred *first = &r->barred[0];
    struct bx_str command = bx_str(first->command);
    uint64_t starts = 0;
    for (size_t i = 0; i < r->barred_count; i++) {
        starts += r->barred[i].times;
    }
    r->limit = "command";
    int n = snprintf(r->message, sizeof r->message, "`%.*s` was not started: %.280s",
                     (int)bx_utf8_cut(command, 120), command.p,
                     c->request->grant->bars[first->bar].why);
    if (starts > 1 && (size_t)n < sizeof r->message) {
        snprintf(r->message + n, sizeof r->message - (size_t)n, " (%llu starts in all)",
                 (unsigned long long)starts);
    }
}

static void say_how_it_ended(const struct bx_call *c) {
    struct bx_box_result *r = c->result;
    int id = limit_id(c->limit);
    char trap[sizeof r->message];
    if (id >= 0) {
        r->limit = bx_limit_info((enum bx_limit_id)id)->name;
        say_limit(r, (enum bx_limit_id)id, c);
    } else if (c->limit == BXE_LIMIT_ROOM) {
        r->limit = "room";
        snprintf(r->message, sizeof r->message,
                 "too many processes were running in the box to start another; try again");
    } else if (c->limit == BXE_LIMIT_CANCELLED) {
        r->limit = "cancelled";
        snprintf(r->message, sizeof r->message, "stopped: %s", bx_cancel_reason(c->cancel));
    } else if (c->limit == BXE_LIMIT_NETWORK || c->denied[0]) {
        r->limit = c->denied_limit ? c->denied_limit : "network";
        snprintf(r->message, sizeof r->message, "%s",
                 c->denied[0]
                     ? c->denied
                     : "this call has no network; allow a host with allowed_outbound_hosts");
    } else if (r->barred_count > 0) {
        say_barred(c);
    } else if (r->exit == BX_BOX_TRAPPED) {
        snprintf(trap, sizeof trap, "%s", r->message);
        snprintf(r->message, sizeof r->message, "the tool crashed: %.400s", trap);
    }
    if (c->forced) {
        size_t n = strlen(r->message);
        snprintf(r->message + n, sizeof r->message - n, "; its worker had to be ended by force");
    }
}

static const char *verdict(const struct bx_box_result *r) {
    switch (r->exit) {
    case BX_BOX_OK:
        return "ok";
    case BX_BOX_ERROR:
        return "error";
    case BX_BOX_TRAPPED:
        return r->limit ? "stopped" : "crashed";
    default:
        return "failed";
    }
}

static void leave_receipt(struct bx_box *box, const struct bx_call *c, const char *failure) {
    const struct bx_box_request *q = c->request;
    struct bx_box_result *r = c->result;
    const struct bx_embedded_image *embedded =
        q->image ? NULL : bx_embedded_find(bx_box_embedded(q), false);
    struct bx_receipt receipt = {
        .tool = q->tool,
        .call_id = q->call_id,
        .digest = q->image    ? q->image->digest
                  : q->digest ? q->digest
                  : embedded  ? embedded->digest
                              : NULL,
        .input = q->input,
        .output = bx_buf_str(&r->out),
        .granted = q->grant,
        .permit = q->permit,
        .fuel = r->fuel_used,
        .memory_peak_bytes = r->memory_peak_bytes,
        .wall_us = r->wall_us,
        .cpu_us = r->cpu_us,
        .out_bytes = r->out.size,
        .hosts = c->hosts.p,
        .host_count = c->hosts.n,
        .barred = r->barred,
        .barred_count = r->barred_count,
        .limit = r->limit,
        .verdict = failure ? "failed" : verdict(r),
        .reason = failure ? failure : r->message,
    };
    if (box->receipts && bx_receipts_append(box->receipts, &receipt, r->receipt_id, NULL) < 0) {
        r->receipt_id[0] = '\0';
    }
}

static int try_call(struct bx_box *box, const struct bx_box_request *q, struct bx_cancel *cancel,
                    struct bx_box_result *result, struct bx_err *err) {
    struct bx_call c = {.pool = box->pool, .request = q, .cancel = cancel, .result = result};
    uint64_t started = bx_mono_us();
    int r = bx_pool_acquire(box->pool, q->grant, cancel, &c.lane, err);
    if (r < 0) {
        leave_receipt(box, &c, err->msg);
        return r;
    }
    box->compat = bx_lane_compat(c.lane);
    result->wall_parts = bx_lane_walls(c.lane)->parts;
    r = bx_call_run(&c, err);
    bx_pool_release(box->pool, c.lane);
    result->wall_us = bx_mono_us() - started;
    if (r == 0) {
        say_how_it_ended(&c);
    }
    leave_receipt(box, &c, r < 0 ? err->msg : NULL);
    result->hosts = c.hosts.p;
    result->host_count = c.hosts.n;
    c.hosts.p = NULL;
    c.hosts.n = 0;
    bx_call_deinit(&c);
    return r;
}

static int check(const struct bx_box_request *q, struct bx_err *err) {
    bool fuel = q->grant->limits.value[BX_LIMIT_FUEL] > 0;
    int r = bx_grant_check(q->grant, err);
    if (r < 0) {
        return r;
    }
    if (q->image && q->image->fuel != fuel) {
        return bx_fail(err, BX_ERR_INVALID,
                       "the tool %s was compiled %s fuel, but the call wants it %s", q->tool,
                       fuel ? "without" : "with", fuel ? "with" : "without");
    }
    if (!q->image && !bx_embedded_find(bx_box_embedded(q), fuel)) {
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no embedded tool %s%s", bx_box_embedded(q).p,
                       fuel ? " that counts fuel" : "");
    }
    return 0;
}

int bx_box_call(struct bx_box *box, const struct bx_box_request *q, struct bx_cancel *cancel,
                struct bx_box_result *ret, struct bx_err *err) {
    struct bx_err why = {0};
    int r = check(q, err);
    if (r < 0) {
        return r;
    }
    for (int tries = q->repeatable ? 2 : 1; tries > 0; tries--) {
        struct bx_box_result result = {
            .out =
                BX_BUF_INIT(bx_unwired("output") ? 1024 * BX_MIB
                                                 : (size_t)q->grant->limits.value[BX_LIMIT_OUTPUT]),
            .err = BX_BUF_INIT(ERR_KEPT),
        };
        r = try_call(box, q, cancel, &result, &why);
        if (r == 0) {
            *ret = result;
            return 0;
        }
        bx_box_result_deinit(&result);
        if (r != BX_ERR_RETRY) {
            break;
        }
    }
    return bx_fail(err, r, "%s", why.msg);
}

void bx_box_result_deinit(struct bx_box_result *r) {
    for (size_t i = 0; i < r->host_count; i++) {
        bx_free(r->hosts[i].host);
    }
    bx_free(r->hosts);
    bx_barred_free(r->barred, r->barred_count);
    bx_buf_deinit(&r->out);
    bx_buf_deinit(&r->err);
}

struct compiler {
    struct bx_box *box;
    struct bx_started worker;
};

static int start_compiler(struct compiler *k, struct bx_err *err) {
    if (k->worker.control >= 0) {
        return 0;
    }
    int r = bx_pool_start_compiler(k->box->pool, &k->worker, err);
    if (r == 0 && k->worker.compat) {
        k->box->compat = k->worker.compat;
    }
    return r;
}

static int wait_for_compiler(const struct compiler *k, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf buf = BX_BUF_INIT(BX_FRAME_MAX);
    struct bx_frame f;
    struct pollfd p = {.fd = k->worker.control, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, COMPILE_MS);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return bx_fail(err, BX_ERR_TIMEOUT, "compiling the tool took longer than %d s",
                       COMPILE_MS / 1000);
    }
    if (bx_channel_recv(k->worker.control, &buf, &f, NULL, NULL) < 0 ||
        f.type != BX_FRAME_COMPILED) {
        return bx_fail(err, BX_ERR_INVALID, "the compiler died of this tool");
    }
    struct bx_reader r = bx_reader(f.body);
    int code = -(int)bx_read_u32(&r);
    struct bx_str words = bx_read_str(&r);
    if (code < 0) {
        return bx_fail(err, BX_ERR_INVALID, "the tool cannot be compiled: " BX_STR_FMT,
                       BX_STR_ARG(words));
    }
    return bx_read_end(&r, err);
}

static int compile(void *user, struct bx_str wasm, bool fuel, int *ret_memfd, struct bx_err *err) {
    struct compiler *k = user;
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
    bx_auto(bx_fd_close) int in = memfd_create("boxagnts-wasm", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bx_auto(bx_fd_close) int out =
        memfd_create("boxagnts-compiled", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int e = in < 0 || out < 0 ? -errno : bx_write_all(in, wasm.p, wasm.n);
    if (e < 0) {
        return bx_fail_errno(err, -e, "the tool cannot be handed to the compiler");
    }
    bx_frame_begin(&frame, BX_FRAME_COMPILE, 0);
    bx_put_u8(&frame, fuel);
    int r = start_compiler(k, err);
    r = r < 0 ? r : bx_channel_send(k->worker.control, &frame, (int[]){in, out}, 2, err);
    r = r < 0 ? r : wait_for_compiler(k, err);
    bx_started_end(&k->worker); /* before its work is looked at: it cannot change it any more */
    if (r == 0) {
        *ret_memfd = out;
        out = -1;
    }
    return r;
}

int bx_box_image(struct bx_box *box, struct bx_str wasm, bool fuel, struct bx_image **ret,
                 struct bx_err *err) {
    struct compiler k = {.box = box, .worker = BX_STARTED_NONE};
    int r = box->compat ? 0 : start_compiler(&k, err);
    r = r < 0 ? r : bx_image_get(box->cache, wasm, fuel, box->compat, compile, &k, ret, err);
    bx_started_end(&k.worker);
    return r;
}
