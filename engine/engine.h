/* engine/engine.h: running WebAssembly commands under limits. A C binding over Wasmtime, written in
 * Rust, without policy.
 *
 * It enforces the numbers it is handed and asks callbacks for the rest: who may call what, and
 * which path, host or size is right, is decided in C (src/box). A tool is a WASI 0.2 component that
 * exports wasi:cli/run; a plain wasip1 command module is wrapped into one when it is compiled, so
 * there is one lane for all.
 *
 * Threads: engines and tools may be shared by any number of threads. bxe_run blocks its thread
 * until the guest ended; its callbacks are called on that thread only. bxe_cancel_fire may be
 * called by any thread. Always holds: nothing is printed, no error crosses as a panic (a panic is a
 * bug: bxe_set_panic_handler, then abort); errors are text in the caller's buffer (cut to fit,
 * always NUL ended). A guest has no sockets, no name lookup, no environment but the given one, no
 * file but below the given folders; its HTTP requests are questions to `ask`. One clock thread runs
 * while calls run; a process without calls is never woken up. */
#ifndef BXE_ENGINE_H
#define BXE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bxe_engine;
struct bxe_tool;
struct bxe_cancel;
struct bxe_answers;

const char *bxe_version(void); /* "wasmtime 48.0.8" */
/* Called with the message of a panic before the process aborts. NULL: it is lost. */
void bxe_set_panic_handler(void (*handler)(const char *message));

struct bxe_engine_config {
    size_t max_stack_bytes; /* of guest code; engines of different stacks load the same compiled
                               file */
    bool fuel; /* compiled with instruction counting: its tools are a form of their own */
    bool run;  /* for running: keeps a pool of 64 memories and stacks (address space only); else
                  compile only */
    const char *target; /* NULL: this machine's CPU; else a triple, meaning that architecture's
                           baseline CPU */
};
/* NULL and err filled on failure. Installs Wasmtime's trap signal handlers in the process. Free
 * after its tools. */
struct bxe_engine *bxe_engine_new(const struct bxe_engine_config *config, char *err,
                                  size_t err_size);
void bxe_engine_free(struct bxe_engine *take_engine);
/* Equal numbers: what one engine compiled the other loads (same Wasmtime, same options, same CPU
 * features). */
uint64_t bxe_engine_compat(const struct bxe_engine *engine);

/* Component or wasip1 module in, compiled bytes out; 0 or -1 and err filled. *ret_bytes:
 * bxe_bytes_free. */
int bxe_compile(const struct bxe_engine *engine, const uint8_t *wasm, size_t wasm_size,
                uint8_t **ret_bytes, size_t *ret_size, char *err, size_t err_size);
void bxe_bytes_free(uint8_t *take_bytes, size_t size);

/* DANGER: compiled bytes are machine code. Load only what bxe_compile made and nobody could change
 * since. The bytes are copied. Bytes of another version or form are refused. NULL and err filled on
 * failure. */
struct bxe_tool *bxe_tool_load(const struct bxe_engine *engine, const uint8_t *compiled,
                               size_t size, char *err, size_t err_size);
void bxe_tool_free(struct bxe_tool *take_tool);

/* A stop button for one run: make it before, fire it from anywhere, free it after the run returned.
 */
struct bxe_cancel *bxe_cancel_new(void);
void bxe_cancel_fire(struct bxe_cancel *cancel); /* wakes a guest that waits in the host, too */
void bxe_cancel_free(struct bxe_cancel *take_cancel);

struct bxe_dir {
    const char *host_path;
    const char *guest_path;
    bool writable;
};

struct bxe_header {
    const char *name; /* not NUL ended */
    size_t name_size;
    const char *value;
    size_t value_size;
};

struct bxe_request {
    uint64_t id; /* of this run: 1, 2, … */
    const char *method;
    const char *url; /* absolute */
    const struct bxe_header *headers;
    size_t header_count;
    const uint8_t *body;
    size_t body_size;
};

enum bxe_http_error { /* what a guest is told about a request that has no answer */
                      BXE_HTTP_OK = 0,
                      BXE_HTTP_DENIED,    /* also marks the run: limit NETWORK */
                      BXE_HTTP_FAILED,    /* connection lost, protocol error */
                      BXE_HTTP_NOT_FOUND, /* no such host */
                      BXE_HTTP_REFUSED,   /* connection refused */
                      BXE_HTTP_TIMEOUT,
                      BXE_HTTP_TLS,
                      BXE_HTTP_REQUEST_SIZE,  /* also marks the run: limit NETWORK */
                      BXE_HTTP_RESPONSE_SIZE, /* also marks the run: limit NETWORK */
};

struct bxe_run { /* all pointers borrowed until bxe_run returns */
    const char *const *argv;
    size_t argc;
    const char *const *env; /* "NAME=value" */
    size_t env_count;
    const uint8_t *input; /* standard input */
    size_t input_size;
    const struct bxe_dir *dirs;
    size_t dir_count;

    uint64_t fuel;             /* engines with fuel only; 0: as good as endless */
    uint64_t time_ms;          /* wall clock, host waits included; 0: none */
    uint64_t cpu_ms;           /* of this thread, read every 10 ms; 0: none */
    size_t memory_bytes;       /* all linear memories together */
    size_t table_elements;     /* all tables together */
    size_t instances;          /* core instances, also tables and memories by number */
    size_t request_bytes;      /* body of one HTTP request */
    struct bxe_cancel *cancel; /* may be NULL */

    void *user;
    /* fd is 1 or 2. False stops the guest: limit OUTPUT. */
    bool (*write)(void *user, int fd, const uint8_t *p, size_t n);
    /* An HTTP request. 0: it was sent on, the answer comes through answer_fd; else why not. NULL:
     * all are DENIED. */
    enum bxe_http_error (*ask)(void *user, const struct bxe_request *request);
    /* While requests are open, `answer` is called when answer_fd is readable: it takes what is
     * there without blocking and hands it on with bxe_answer_*. Non-zero: the other side is gone,
     * open requests fail. */
    int answer_fd;
    int (*answer)(void *user, struct bxe_answers *answers);
};
/* For `answer` only. Head, any number of body pieces, end; an unknown id is ignored (the guest
 * dropped the request). */
void bxe_answer_head(struct bxe_answers *answers, uint64_t id, unsigned status,
                     const struct bxe_header *headers, size_t header_count);
void bxe_answer_body(struct bxe_answers *answers, uint64_t id, const uint8_t *p, size_t n);
void bxe_answer_end(struct bxe_answers *answers, uint64_t id, enum bxe_http_error error);

enum bxe_limit {
    BXE_LIMIT_NONE,
    BXE_LIMIT_TIME,
    BXE_LIMIT_FUEL,
    BXE_LIMIT_CPU,
    BXE_LIMIT_MEMORY, /* growth was refused: the guest may have coped (exit OK) */
    BXE_LIMIT_STACK,
    BXE_LIMIT_TABLE,
    BXE_LIMIT_OUTPUT,
    BXE_LIMIT_NETWORK, /* a request was refused: the guest may have coped */
    BXE_LIMIT_CANCELLED,
};
enum bxe_exit {
    BXE_EXIT_OK,    /* main returned 0 */
    BXE_EXIT_ERROR, /* any other status: WASI carries no number */
    BXE_EXIT_TRAP,  /* stopped by a limit or by its own fault; message says which */
    BXE_EXIT_SETUP, /* never ran: a folder that cannot be opened, a component that cannot be
                       instantiated */
};
struct bxe_result {
    enum bxe_limit limit;
    enum bxe_exit exit;
    uint64_t fuel_used;
    uint64_t memory_peak_bytes;
    uint64_t cpu_us;
    uint64_t wall_us;
    char message[400]; /* of TRAP and SETUP, else "" */
};
/* Makes an instance, runs it to its end, drops it. Fills *ret always. */
void bxe_run(const struct bxe_tool *tool, const struct bxe_run *run, struct bxe_result *ret);

#endif
