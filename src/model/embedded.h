/* model/embedded.h: the llama.cpp servers that run as children of this process.
 *
 * Any thread. A child is this same binary (server_child.c) behind walls of its own; it listens on a Unix socket in a 0700
 * folder, loads one model and ends with us. One child per model file; a child that nobody uses is stopped after the idle
 * time, or at once when another model is wanted. One thread per supervisor keeps the tail of each child's stderr, stops the
 * idle ones and reaps. */
#ifndef BX_MODEL_EMBEDDED_H
#define BX_MODEL_EMBEDDED_H

#include "base/blob.h"
#include "base/cancel.h"
#include "fetch/fetch.h"

struct bx_embedded;

struct bx_embedded_config {
    const char *runtime_dir; /* made 0700 when it is not there */
    struct bx_fetch *fetch;  /* borrowed for the supervisor's life */
    const char *exe;         /* NULL = /proc/self/exe */
    unsigned threads;        /* 0 = BOXAGNTS_MODEL_THREADS, else cores - 1 (two busy cores with two threads: 20 times slower) */
    uint64_t idle_ms;        /* 0 = 5 minutes */
};
int bx_embedded_new(const struct bx_embedded_config *config, struct bx_embedded **ret, struct bx_err *err);
void bx_embedded_free(struct bx_embedded *e); /* stops the children; no server may be in use */
BX_DEFINE_AUTO(struct bx_embedded, bx_embedded_free)

/* A child in use; it is not stopped before it is released. */
struct bx_embedded_use {
    struct bx_embedded_server *server;
    const char *socket;   /* a view until the release */
    int64_t window;       /* tokens, as the child says */
    bool supports_tools;  /* its chat template can describe tools */
};

/* Starts the child when it does not run and waits until it is ready; on_phase (may be NULL) hears "starting NAME" then.
 * BX_ERR_UNAVAILABLE: it ended or never came up, with the last lines of its stderr; BX_ERR_CANCELLED at once. */
int bx_embedded_acquire(struct bx_embedded *e, const char *model_path, int64_t window,
                        void (*on_phase)(void *user, const char *text), void *user, struct bx_cancel *cancel,
                        struct bx_embedded_use *ret, struct bx_err *err);
void bx_embedded_release(struct bx_embedded *e, struct bx_embedded_use *use);
/* What the last child of that model said when it was asked for that window; 0: none has run. */
int64_t bx_embedded_window(struct bx_embedded *e, const char *model_path, int64_t window);
/* After a failed request: did the child end? Then err says how and with what last words; the next acquire starts a new one. */
bool bx_embedded_has_ended(struct bx_embedded *e, struct bx_embedded_use *use, struct bx_err *err);
/* The children that run now: for `doctor` and tests. */
size_t bx_embedded_pids(struct bx_embedded *e, pid_t *out, size_t max);

/* The scripted model of the tour, part of the binary; absent in programs that do not define it (unit tests). */
extern const struct bx_blob bx_tour_gguf __attribute__((weak));

#endif
