/* loop/loop.h: the event loop of the server's main thread.
 *
 * The loop belongs to one thread; every function here is for that thread, except bx_loop_post and bx_loop_stop, which
 * any thread may call. Nothing on the loop may block or wait for a run. Built on libuv; `http` reaches the uv_loop_t
 * through loop/uv.h, nobody else does. */
#ifndef BX_LOOP_LOOP_H
#define BX_LOOP_LOOP_H

#include "base/base.h"

struct bx_loop;

int bx_loop_new(struct bx_loop **ret, struct bx_err *err);
void bx_loop_free(struct bx_loop *l); /* closes what is still open on it, after bx_loop_run has returned */
void bx_loop_run(struct bx_loop *l);  /* until bx_loop_stop */
void bx_loop_stop(struct bx_loop *l); /* any thread, also from a signal watcher */

/* Any thread: fn(user) runs on the loop thread, in the order of posting. Pending posts still run when the loop stops,
 * so what `user` carries is never lost. */
void bx_loop_post(struct bx_loop *l, void (*fn)(void *user), void *take_user);

/* Timers: fn(user) after delay_ms, then every repeat_ms (0 = once). Stop frees it, also one that has fired and one that
 * is firing; a stopped timer never fires. What is not stopped is freed with the loop. */
struct bx_timer;
struct bx_timer *bx_timer_start(struct bx_loop *l, uint64_t delay_ms, uint64_t repeat_ms, void (*fn)(void *user),
                                void *user);
void bx_timer_stop(struct bx_timer *t); /* NULL is fine */

/* fn(user, signum) on the loop thread for SIGINT, SIGTERM … */
int bx_loop_on_signal(struct bx_loop *l, int signum, void (*fn)(void *user, int signum), void *user, struct bx_err *err);

BX_DEFINE_AUTO(struct bx_loop, bx_loop_free)

#endif
