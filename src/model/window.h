/* model/window.h: how many tokens a model of an endpoint takes, as the endpoint tells it.
 *
 * Any thread. Each model is asked for once: by a run before its first request, which waits for it a few seconds at most, or, when
 * somebody else wants to know, on a thread of this file's own, for which nobody waits. What is found stays; what is not found stays
 * unknown, and is looked for once more after the model's first reply (a server that loads a model only then knows it only then). Never a guess: a model's trained maximum is not what a server gives it. */
#ifndef BX_MODEL_WINDOW_H
#define BX_MODEL_WINDOW_H

#include <stdatomic.h>

#include "fetch/fetch.h"

struct bx_windows;

struct bx_windows *bx_windows_new(struct bx_fetch *fetch); /* borrowed for its life */
void bx_windows_free(struct bx_windows *w);                /* stops what it is asking */

/* One model at one endpoint; lives as long as the bx_windows. */
struct bx_window {
    _Atomic int64_t tokens;       /* 0: not known */
    _Atomic(const char *) from;   /* "provider", "error" (its words); NULL: not known. Static */
};
/* local: a server of this machine, whose own addresses may be tried beside the list of models. */
struct bx_window *bx_windows_get(struct bx_windows *w, const char *base_url, const char *name, bool local);
/* key: may be NULL; copied. */
void bx_windows_ask(struct bx_windows *w, struct bx_window *of, const char *key);
/* A run is about to make its first request. Returns when the window is known, when it was waited for before, after three seconds
 * without it, or when cancel fires; where the server has to load the model to know it (Ollama), when that is done: the request
 * would wait for it, too. on_phase hears of that. */
void bx_windows_await(struct bx_windows *w, struct bx_window *of, const char *key, struct bx_cancel *cancel,
                      void (*on_phase)(void *user, const char *text), void *user);
/* The model has answered: time to look again where nothing was found before. */
void bx_windows_replied(struct bx_windows *w, struct bx_window *of, const char *key);
/* The provider refused a request as too long: its words often hold the number. */
void bx_windows_heard(struct bx_window *of, struct bx_str message);
void bx_windows_settle(struct bx_windows *w); /* waits until nothing is being asked: for tests and `doctor` */

/* The number in an answer, 0 when it is not there: /v1/models of the many kinds, /props of llama.cpp, /api/ps and
 * /api/show of Ollama, /api/v0/models/NAME and (instances) /api/v1/models of LM Studio. */
enum bx_window_answer {
    BX_WINDOW_MODELS, BX_WINDOW_PROPS, BX_WINDOW_PS, BX_WINDOW_SHOW, BX_WINDOW_LMSTUDIO, BX_WINDOW_INSTANCES
};
int64_t bx_window_read(enum bx_window_answer kind, struct bx_str body, const char *name);

#endif
