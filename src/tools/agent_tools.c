#include "tools/host.h"
#include "tools/native.h"

/* Agent and the three tools around it: work that is given to a run of its own. The run that calls
 * them does it all (agent/executor_host.c). */

static int ask_run(const struct bx_tool *t, enum bx_executor_op op, const struct bx_val *input,
                   struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    return bx_tool_needs_run(t, ctx, ret) ? 0 : ctx->host->executor(ctx, op, input, ret, err);
}

static int agent_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    return ask_run(t, BX_EXECUTOR_START, input, ctx, ret, err);
}

static int output_execute(const struct bx_tool *t, const struct bx_val *input,
                          struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    return ask_run(t, BX_EXECUTOR_OUTPUT, input, ctx, ret, err);
}

static int stop_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    return ask_run(t, BX_EXECUTOR_STOP, input, ctx, ret, err);
}

static int send_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    return ask_run(t, BX_EXECUTOR_SEND, input, ctx, ret, err);
}

#define ID                                                                                         \
    "\"id\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":40,\"description\":\"Of the "       \
    "executor, such as e1\"}"

const struct bx_native_spec bx_native_agent = {
    .name = "Agent",
    .description =
        "Gives a task to an executor: a run of its own that sees only the prompt, works with tools "
        "and returns its last message. Several calls in one reply work side by side. Use it for "
        "work that can be told in full and does not need this conversation. It may do at most "
        "what you may.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"description\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200,\"description\":"
        "\"The task in a few words, for people\"},"
        "\"prompt\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200000,\"description\":"
        "\"The whole task: what, where, what to report, how to check it\"},"
        "\"agent\":{\"type\":\"string\",\"maxLength\":100,\"description\":\"Which agent does it, "
        "e.g. explore (reads only), plan, build, review; left out: one like you\"},"
        "\"model\":{\"type\":\"string\",\"maxLength\":300,\"description\":\"Another model than "
        "yours\"},"
        "\"tools\":{\"type\":\"array\",\"maxItems\":64,\"items\":{\"type\":\"string\","
        "\"maxLength\":300},\"description\":\"Only these tools, e.g. read, grep, bash(git *)\"},"
        "\"max_turns\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000},"
        "\"isolation\":{\"enum\":[\"none\",\"worktree\"],\"description\":\"worktree: it works in a "
        "git worktree of its own, on a branch\"},"
        "\"background\":{\"type\":\"boolean\",\"description\":\"Go on at once; you are told when "
        "it "
        "ends\"},"
        "\"budget\":{\"type\":\"object\",\"description\":\"The most it may spend\",\"properties\":{"
        "\"tokens\":{\"type\":\"integer\",\"minimum\":1},"
        "\"money\":{\"type\":\"number\",\"description\":\"US$\"},"
        "\"calls\":{\"type\":\"integer\",\"minimum\":1},"
        "\"time\":{\"type\":\"number\",\"description\":\"Seconds\"},"
        "\"fuel\":{\"type\":\"integer\",\"minimum\":1}},\"additionalProperties\":false},"
        "\"paths\":{\"type\":\"array\",\"maxItems\":16,\"items\":{\"type\":\"string\","
        "\"maxLength\":4096},\"description\":\"It sees only these folders, e.g. /src, or /docs:ro "
        "to read\"},"
        "\"hosts\":{\"type\":\"array\",\"maxItems\":64,\"items\":{\"type\":\"string\","
        "\"maxLength\":300},\"description\":\"It reaches at most these hosts; []: none\"},"
        "\"packs\":{\"type\":\"array\",\"maxItems\":16,\"items\":{\"type\":\"string\","
        "\"maxLength\":100},\"description\":\"Context packs that it is given\"}},"
        "\"required\":[\"description\",\"prompt\"],\"additionalProperties\":false}",
    .example = "{\"description\":\"Find the callers of parse\",\"prompt\":\"Find every caller of "
               "parse() in /src and list them with file and line.\",\"agent\":\"explore\"}",
    .execute = agent_execute,
};

const struct bx_native_spec bx_native_agent_output = {
    .name = "AgentOutput",
    .description = "How an executor of yours stands: its state, and its result when it has ended. "
                   "With wait it returns when the executor ends.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{" ID ","
              "\"wait\":{\"type\":\"boolean\",\"description\":\"Wait for its end\"},"
              "\"timeout\":{\"type\":\"number\",\"minimum\":0,\"maximum\":86400,\"description\":"
              "\"Seconds to wait at most, 600 when left out\"}},"
              "\"required\":[\"id\"],\"additionalProperties\":false}",
    .example = "{\"id\":\"e1\",\"wait\":true}",
    .execute = output_execute,
};

const struct bx_native_spec bx_native_agent_stop = {
    .name = "AgentStop",
    .description = "Stops an executor of yours and all that it started.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{" ID "},"
              "\"required\":[\"id\"],\"additionalProperties\":false}",
    .example = "{\"id\":\"e1\"}",
    .execute = stop_execute,
};

const struct bx_native_spec bx_native_agent_send = {
    .name = "AgentSend",
    .description = "Says something to an executor of yours: it hears it at its next turn. One that "
                   "has ended works again, with all that it knows.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{" ID ","
              "\"text\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200000}},"
              "\"required\":[\"id\",\"text\"],\"additionalProperties\":false}",
    .example = "{\"id\":\"e1\",\"text\":\"Look into /docs as well.\"}",
    .execute = send_execute,
};
