/* engine/engine.h: running WebAssembly commands under limits. A C binding over Wasmtime, written in
 * Rust, without policy.
 *
 * It enforces the numbers it is handed and asks callbacks for the rest: who may call what, and
 * which path, host or size is right, is decided in C (src/box). A tool is a WASI 0.2 component that
 * exports wasi:cli/run; a plain wasip1 command module is wrapped into one when it is compiled, so
 * there is one lane for all.
 *
 * Threads: engines, tools and budgets may be shared by any number of threads. bxe_run blocks its
 * thread until the guest ended; its callbacks are called on that thread only. bxe_cancel_fire may
 * be called by any thread. Always holds: nothing is printed, no error crosses as a panic (a panic
 * is a bug: bxe_set_panic_handler, then abort); errors are text in the caller's buffer (cut to fit,
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

#define BXE_ROOM 512

struct bxe_engine_config {
    size_t max_stack_bytes; /* of guest code; engines of different stacks load the same compiled
                               file */
    bool fuel; /* compiled with instruction counting: its tools are a form of their own */
    bool run;  /* for running: keeps room for BXE_ROOM runs at a time (address space only); else
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
/* Imports boxagnts:box/process (wit/process.wit): bxe_run.process answers it. */
bool bxe_tool_starts_others(const struct bxe_tool *tool);
void bxe_tool_free(struct bxe_tool *take_tool);

/* A stop button for one run: make it before, fire it from anywhere, free it after the run returned.
 */
struct bxe_cancel *bxe_cancel_new(void);
void bxe_cancel_fire(struct bxe_cancel *cancel); /* wakes a guest that waits in the host, too */
void bxe_cancel_free(struct bxe_cancel *take_cancel);

/* What several runs, one after the other or at once, have in common; 0: no limit of fuel or
 * processor time. Memory is counted when an instance grows, the others at each tick of 10 ms and at
 * the end of a run: that much later than the limit a run stops. A run that finds nothing left stops
 * at once. Any thread. Freed when nobody uses it any more, also by a run. */
struct bxe_budget;
struct bxe_budget *bxe_budget_new(uint64_t fuel, uint64_t cpu_ms, size_t memory_bytes);
void bxe_budget_free(struct bxe_budget *take_budget);
struct bxe_used {
    uint64_t fuel;
    uint64_t cpu_us;
    uint64_t memory_peak_bytes; /* of all together */
};
void bxe_budget_used(const struct bxe_budget *budget, struct bxe_used *ret);

/* A callback that returns it ends the run: limit CANCELLED. For one that waits and is to wait no
 * more. */
#define BXE_STOP INT32_MIN

/* What wit/process.wit says, in C. Called on the run's thread, where they may wait as long as they
 * like: nothing but themselves ends that wait, so they must end it when the call's time is up or it
 * is cancelled. Negative results are error numbers of WASI. */
struct bxe_process {
    int32_t (*pipe)(void *user);
    int32_t (*spawn)(void *user, const uint8_t *request, size_t n);
    int32_t (*wait)(void *user, int32_t pid, int64_t timeout_ms);
    int32_t (*kill)(void *user, int32_t pid, int32_t status);
    int32_t (*read)(void *user, int32_t pipe, uint8_t *into, uint32_t max);
    int32_t (*write)(void *user, int32_t pipe, const uint8_t *p, size_t n);
    int32_t (*close)(void *user, int32_t pipe, int32_t end);
};

enum bxe_write {
    BXE_WRITE_OK,
    BXE_WRITE_LIMIT,     /* stops the guest: limit OUTPUT */
    BXE_WRITE_NO_READER, /* ends it in silence with status 141, as SIGPIPE does */
    BXE_WRITE_STOP,      /* as BXE_STOP */
};

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
    const uint8_t *input; /* standard input, where read is NULL */
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
    struct bxe_budget *budget; /* not NULL: instead of fuel, cpu_ms and memory_bytes */
    struct bxe_cancel *cancel; /* may be NULL */

    void *user;
    /* Standard input, waited for: how many bytes came, 0 at the end. NULL: input above. Of its
     * waiting the same holds as of struct bxe_process. */
    int64_t (*read)(void *user, uint8_t *into, size_t max);
    /* fd is 1 or 2. All of the bytes, waited for in the same way. */
    enum bxe_write (*write)(void *user, int fd, const uint8_t *p, size_t n);
    const struct bxe_process *process; /* NULL: every such call fails with ENOSYS */
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
    BXE_LIMIT_ROOM, /* SETUP: too many runs at a time on this engine; later there is room again */
    BXE_LIMIT_INSTANCES,
};
enum bxe_exit {
    BXE_EXIT_OK,    /* main returned 0 */
    BXE_EXIT_ERROR, /* any other status */
    BXE_EXIT_TRAP,  /* stopped by a limit or by its own fault; message says which */
    BXE_EXIT_SETUP, /* never ran: a folder that cannot be opened, a component that cannot be
                       instantiated */
};
struct bxe_result {
    enum bxe_limit limit;
    enum bxe_exit exit;
    /* 0 to 255: what the guest said by `exit` of wit/process.wit, else 0 or 1, because WASI carries
     * no number; TRAP 134, SETUP 126 */
    int32_t status;
    uint64_t fuel_used;
    uint64_t memory_peak_bytes; /* of this run */
    uint64_t cpu_us;
    uint64_t wall_us;
    char message[400]; /* of TRAP and SETUP, else "" */
};
/* Makes an instance, runs it to its end, drops it. Fills *ret always. */
void bxe_run(const struct bxe_tool *tool, const struct bxe_run *run, struct bxe_result *ret);

#endif
