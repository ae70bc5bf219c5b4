/* box/box.h: run one tool call in the sandbox.
 *
 * In the server (or any process that wants a tool run). A box owns worker processes (worker.h); bx_box_call blocks its
 * thread until the call is over and may be called from many threads at once.
 * Always holds: a guest runs in a worker behind WASI and behind the kernel's wall (wall_linux.h), under every limit of
 * limits.h; the limit that stopped it is named; a worker that does not stop in 250 ms is killed and replaced; every call
 * that reached a worker leaves a receipt. A guest that imports boxagnts:box/process starts others (group.h): the call is
 * all of them. */
#ifndef BX_BOX_BOX_H
#define BX_BOX_BOX_H

#include "base/cancel.h"
#include "box/grant.h"
#include "box/image.h"
#include "box/receipt.h"

struct bx_box;

struct bx_box_config { /* copied */
    const char *cache_dir;    /* compiled tools from outside; NULL: they are compiled for each process anew */
    const char *receipts_dir; /* NULL: no receipts */
    bool require_second_wall; /* calls fail with BX_ERR_UNAVAILABLE when a part of it is not up */
    unsigned max_calls;       /* at a time on one worker, at most 128; the others wait in turn; 0: 32 */
};
int bx_box_new(const struct bx_box_config *config, struct bx_box **ret, struct bx_err *err);
void bx_box_free(struct bx_box *box); /* no call may be running; NULL is fine */
BX_DEFINE_AUTO(struct bx_box, bx_box_free)

struct bx_box_walls {
    unsigned parts;        /* enum bx_wall_part: up, as the worker says */
    unsigned probed;       /* enum bx_wall_part: forbidden things that were tried inside a worker and refused */
    unsigned landlock_abi;
    char missing[200];     /* in words; "" when everything is up */
};
/* Tries the walls from inside a fresh worker with these mounts: for doctor and selftest. */
int bx_box_probe(struct bx_box *box, const struct bx_grant *grant, struct bx_box_walls *ret, struct bx_err *err);

/* Starts the worker for these mounts, unless it runs: the first call then finds it ready. */
int bx_box_warm(struct bx_box *box, const struct bx_grant *grant, struct bx_err *err);

/* Nobody will call in the name of this worker any more (bx_grant.worker): its processes end. */
void bx_box_end_worker(struct bx_box *box, const char *worker);

/* Outbound HTTP of a guest: the question, and the handle through which the answer goes back. Called on the thread of
 * bx_box_call, one request at a time. */
struct bx_outbound_header {
    struct bx_str name, value;
};
struct bx_outbound_request {
    const char *method;
    const char *url;
    const struct bx_outbound_header *headers;
    size_t header_count;
    struct bx_str body;
    const struct bx_grant *grant;
    struct bx_cancel *cancel; /* fires when the call is stopped */
    uint64_t timeout_ms;      /* what is left of the call's time */
};
struct bx_outbound_answer;
/* Head once, body any number of times. BX_ERR_CANCELLED when the guest is gone: give up. BX_ERR_LIMIT when the body is
 * larger than max_response_bytes: give up and return it. */
int bx_outbound_head(struct bx_outbound_answer *a, unsigned status, const struct bx_outbound_header *headers,
                     size_t header_count);
int bx_outbound_body(struct bx_outbound_answer *a, struct bx_str piece);
/* 0 when the answer is complete. Else the guest sees a failed request: BX_ERR_DENIED (policy; err says the address and the
 * line that would allow it, and the call's limit is "network"), BX_ERR_LIMIT, BX_ERR_NOTFOUND, BX_ERR_TIMEOUT, BX_ERR_AUTH
 * (certificate), anything else (connection). */
typedef int bx_outbound_fn(void *user, const struct bx_outbound_request *request, struct bx_outbound_answer *answer,
                           struct bx_err *err);

struct bx_box_request { /* borrowed for the call */
    const char *tool;              /* for the receipt and messages */
    const struct bx_image *image;  /* a tool from outside (image.h); NULL: an embedded one, */
    const char *embedded;          /* that of this name; NULL: the one that is called tool */
    const char *digest;            /* for the receipt: of what the embedded one runs; NULL: its own */
    const char *call_id;           /* of the model's call, for the receipt; may be NULL */
    struct bx_receipt_permit permit; /* for the receipt */
    struct bx_str input;           /* on standard input */
    const char *const *argv;       /* NULL: just the tool's name */
    size_t argc;
    const char *const *env;        /* "NAME=value" */
    size_t env_count;
    const struct bx_grant *grant;  /* a read-only tool gets mounts that are not writable */
    bool repeatable;               /* changes nothing: tried once more when its worker dies */
    void (*output)(void *user, int fd, struct bx_str piece); /* live, on the calling thread; may be NULL */
    bx_outbound_fn *outbound;      /* NULL: every outbound request is denied */
    void *user;                    /* of both */
};

enum bx_box_exit {
    BX_BOX_OK,      /* the guest's main returned 0 */
    BX_BOX_ERROR,   /* it returned something else */
    BX_BOX_TRAPPED, /* stopped by a limit or its own fault */
    BX_BOX_SETUP,   /* never ran: message says why */
};
struct bx_box_result {
    enum bx_box_exit exit;
    int exit_status;   /* 0 to 255: a guest that is a program of a group says it, else 0 or 1; 134: it crashed; 126: SETUP */
    unsigned left;     /* processes that it had started and that ended because the call did */
    const char *limit; /* "time" "memory" … "network" "command" (a bar stopped a start) "cancelled" "room" (the box was too busy to start one more process: try
                        * again), NULL: none. A guest may have coped: see exit */
    char message[480]; /* "" when all is well; else one sentence: which limit, what it was, how to raise it; or the fault */
    struct bx_buf out; /* standard output, at most the limit */
    struct bx_buf err; /* the first 64 KiB of standard error */
    bool out_cut, err_cut;
    uint64_t fuel_used, memory_peak_bytes, cpu_us, wall_us;
    unsigned wall_parts;   /* of the worker that ran it */
    struct bx_receipt_host *hosts; /* that it asked for; the result's */
    size_t host_count;
    struct bx_barred *barred; /* starts that bars of the grant stopped; the result's */
    size_t barred_count;
    char receipt_id[37];   /* "" without receipts */
};
/* 0 whenever the tool was given a chance to run, however it ended. Else: BX_ERR_INVALID (grant), BX_ERR_NOTFOUND (no such
 * tool or folder), BX_ERR_UNAVAILABLE (no worker, wall required), BX_ERR_RETRY (the worker died under another call's
 * misbehaviour; nothing is known of this one's effects). *ret is filled on 0 only; bx_box_result_deinit it. */
int bx_box_call(struct bx_box *box, const struct bx_box_request *request, struct bx_cancel *cancel,
                struct bx_box_result *ret, struct bx_err *err);
void bx_box_result_deinit(struct bx_box_result *r);

/* Compiles a tool from outside, or finds it in the cache: see image.h. One thread compiles, others may call. */
int bx_box_image(struct bx_box *box, struct bx_str wasm, bool fuel, struct bx_image **ret, struct bx_err *err);

#endif
