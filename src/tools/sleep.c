#include "tools/native.h"

#include "base/clock.h"

/* Sleep waits. It stops at once when the run is stopped, and at the call's time limit like any
 * other tool. */

#define SLEEP_MAX_MS 3600000

static int sleep_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)err;
    const struct bx_val *ms = bx_val_get(input, "ms"), *seconds = bx_val_get(input, "seconds");
    if (!ms && !seconds) {
        bx_tool_result_text(ret, true, "Say how long: {\"ms\": 200} or {\"seconds\": 2}.");
        return 0;
    }
    double wish = ms ? bx_val_real(ms, 0) : bx_val_real(seconds, 0) * 1000;
    uint64_t wait_ms = (uint64_t)BX_MIN(BX_MAX(wish, 0), SLEEP_MAX_MS);
    uint64_t limit_ms = ctx->grant->limits.value[BX_LIMIT_TIME], start = bx_mono_ms();
    int rc = bx_cancel_sleep(ctx->cancel, BX_MIN(wait_ms, limit_ms));
    uint64_t slept = bx_mono_ms() - start;
    if (rc == BX_ERR_CANCELLED) {
        ret->limit = "cancelled";
        bx_tool_result_text(ret, true, "Stopped after %" PRIu64 " ms of %" PRIu64 " ms.", slept,
                            wait_ms);
    } else if (wait_ms > limit_ms) {
        struct bx_buf said = BX_BUF_INIT(400);
        bx_limit_say(&said, BX_LIMIT_TIME, limit_ms, t->name);
        ret->limit = "time";
        bx_tool_result_text(ret, true, "Of %" PRIu64 " ms: %s.", wait_ms, bx_buf_z(&said));
        bx_buf_deinit(&said);
    } else {
        bx_tool_result_text(ret, false, "Slept %" PRIu64 " ms.", wait_ms);
    }
    return 0;
}

const struct bx_native_spec bx_native_sleep = {
    .name = "Sleep",
    .description = "Waits for the given time, at most one hour. Use it to wait for something "
                   "outside to happen.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{"
              "\"ms\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600000,\"description\":"
              "\"Milliseconds\"},"
              "\"seconds\":{\"type\":\"number\",\"minimum\":0,\"maximum\":3600,\"description\":"
              "\"Seconds, instead of ms\"}},"
              "\"additionalProperties\":false}",
    .example = "{\"ms\":200}",
    .execute = sleep_execute,
};
