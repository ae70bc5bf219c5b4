// Jobs, timers, and what ends a script.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "jsexec/js.h"

double bx_js_now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- timers: a heap ---- */

static bool is_before(const struct bx_js_timer *a, const struct bx_js_timer *b) {
    return a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order);
}

static void swap(struct bx_js_timer *a, struct bx_js_timer *b) {
    struct bx_js_timer t = *a;
    *a = *b;
    *b = t;
}

static void rise(struct bx_js *js, size_t at) {
    while (at && is_before(&js->timers[at], &js->timers[(at - 1) / 2])) {
        swap(&js->timers[at], &js->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sink(struct bx_js *js, size_t at) {
    for (;;) {
        size_t first = at, left = 2 * at + 1;
        for (size_t child = left; child < left + 2 && child < js->timer_count; child++) {
            first = is_before(&js->timers[child], &js->timers[first]) ? child : first;
        }
        if (first == at) {
            return;
        }
        swap(&js->timers[at], &js->timers[first]);
        at = first;
    }
}

static void push(struct bx_js *js, struct bx_js_timer timer) {
    static uint64_t order;
    timer.order = ++order;
    js->timers[js->timer_count] = timer;
    rise(js, js->timer_count++);
}

static struct bx_js_timer pull(struct bx_js *js, size_t at) {
    struct bx_js_timer timer = js->timers[at];
    js->timers[at] = js->timers[--js->timer_count];
    if (at < js->timer_count) {
        sink(js, at);
        rise(js, at);
    }
    return timer;
}

int64_t bx_js_timer_add(struct bx_js *js, JSValueConst call, double ms, bool repeats) {
    if (js->timer_count == js->timer_room) {
        size_t room = js->timer_room ? js->timer_room * 2 : 16;
        struct bx_js_timer *more = realloc(js->timers, room * sizeof *more);
        if (!more) {
            return -1;
        }
        js->timers = more;
        js->timer_room = room;
    }
    push(js, (struct bx_js_timer){.id = ++js->last_timer,
                                  .repeat_ms = repeats ? (int64_t)ms : -1,
                                  .due_ms = bx_js_now_ms() + ms,
                                  .call = JS_DupValue(js->ctx, call)});
    return js->last_timer;
}

void bx_js_timer_clear(struct bx_js *js, int64_t id) {
    for (size_t i = 0; i < js->timer_count; i++) {
        if (js->timers[i].id == id) {
            JS_FreeValue(js->ctx, pull(js, i).call);
            return;
        }
    }
}

/* ---- the loop ---- */

static bool is_over(const struct bx_js *js) {
    return js->is_exiting || js->is_timed_out || js->has_failed;
}

/* An error that nobody caught: over to process.on("uncaughtException"), else it ends the script. */
static void uncaught(struct bx_js *js, const char *whom) {
    JSValue error = JS_GetException(js->ctx);
    if (js->is_exiting) {
        JS_FreeValue(js->ctx, error);
        return;
    }
    if (!js->is_timed_out) {
        JSValue call = JS_GetPropertyStr(js->ctx, js->core, whom);
        JSValue heard = JS_Call(js->ctx, call, JS_UNDEFINED, 1, (JSValueConst *)&error);
        JS_FreeValue(js->ctx, call);
        if (JS_IsException(heard)) {
            JS_FreeValue(js->ctx, error);
            error = JS_GetException(js->ctx);
        } else if (JS_ToBool(js->ctx, heard) == 1) {
            JS_FreeValue(js->ctx, error);
            return;
        }
    }
    if (!js->is_exiting) {
        js->has_failed = true;
        js->status = 1;
        bx_js_report(js, error);
    }
}

static void run_jobs(struct bx_js *js) {
    JSContext *ctx = NULL;
    int r = 1;
    while (r && !is_over(js)) {
        r = JS_ExecutePendingJob(js->rt, &ctx);
        if (r < 0) {
            uncaught(js, "uncaught");
        }
    }
}

static void report_rejections(struct bx_js *js) {
    while (js->rejection_count && !is_over(js)) {
        struct bx_js_rejection first = js->rejections[0];
        js->rejection_count--;
        memmove(js->rejections, js->rejections + 1, js->rejection_count * sizeof first);
        JS_FreeValue(js->ctx, first.promise);
        JS_Throw(js->ctx, first.reason);
        uncaught(js, "rejected");
    }
}

static void sleep_ms(double ms) {
    struct timespec t = {.tv_sec = (time_t)(ms / 1e3)};
    t.tv_nsec = (long)((ms - (double)t.tv_sec * 1e3) * 1e6);
    while (nanosleep(&t, &t) != 0 && errno == EINTR) {
    }
}

/* The next timer when its time has come; waits for it. */
static void run_timer(struct bx_js *js) {
    double wait = js->timers[0].due_ms - bx_js_now_ms();
    if (js->deadline_ms > 0 && js->timers[0].due_ms > js->deadline_ms) {
        wait = js->deadline_ms - bx_js_now_ms();
        js->is_timed_out = true;
    }
    if (wait > 0) {
        sleep_ms(wait);
    }
    if (js->is_timed_out) {
        static const char words[] = "The script was still waiting for a timer.\n";
        bx_js_print(js, 2, words, sizeof words - 1);
        return;
    }
    struct bx_js_timer timer = pull(js, 0);
    if (timer.repeat_ms >= 0) {
        struct bx_js_timer again = timer;
        again.due_ms = bx_js_now_ms() + (double)(timer.repeat_ms ? timer.repeat_ms : 1);
        again.call = JS_DupValue(js->ctx, timer.call);
        push(js, again); // there is room: one was just taken out
    }
    JSValue r = JS_Call(js->ctx, timer.call, JS_UNDEFINED, 0, NULL);
    if (JS_IsException(r)) {
        uncaught(js, "uncaught");
    }
    JS_FreeValue(js->ctx, r);
    JS_FreeValue(js->ctx, timer.call);
}

void bx_js_loop(struct bx_js *js, JSValueConst main) {
    bool is_main_done = false;
    while (!is_over(js)) {
        run_jobs(js);
        if (!is_main_done && JS_PromiseState(js->ctx, main) == JS_PROMISE_REJECTED) {
            is_main_done = true;
            JS_Throw(js->ctx, JS_PromiseResult(js->ctx, main));
            uncaught(js, "uncaught");
        }
        report_rejections(js);
        if (is_over(js) || (!js->timer_count && !JS_IsJobPending(js->rt))) {
            return;
        }
        if (js->timer_count) {
            run_timer(js);
        }
    }
}
