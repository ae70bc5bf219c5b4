#include "json/write.h"
#include "tools/host.h"
#include "tools/native.h"

/* EnterPlanMode and ExitPlanMode: from working to planning and back. What may be done in plan mode
 * is a column of the permission check, not of these tools. */

static bool in_plan(struct bx_tool_ctx *ctx) {
    return strcmp(ctx->host->mode(ctx), "plan") == 0;
}

static void say_mode(struct bx_tool_result *ret, const char *mode) {
    bx_free(ret->metadata);
    ret->metadata = bx_asprintf("{\"mode\":\"%s\"}", mode);
}

static int enter_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)input;
    struct bx_err problem = {0};
    const char *mode = "plan";
    if (bx_tool_needs_run(t, ctx, ret))
        return 0;
    bool already = in_plan(ctx);
    if (!already && !ctx->host->can_ask(ctx)) {
        bx_tool_result_text(ret, true,
                            "Nobody is there to approve a plan, so plan mode could not be left "
                            "again. Say the plan in your answer, and go on.");
        return 0;
    }
    int rc = already ? 0 : ctx->host->set_mode(ctx, "plan", &mode, &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_tool_result_text(ret, false,
                        "%s. Reading and searching are allowed, changing anything is not. Look "
                        "around, make a plan, and show it with ExitPlanMode; the user approves it "
                        "before you begin.",
                        already ? "The session is in plan mode already"
                                : "The session is in plan mode now");
    say_mode(ret, mode);
    return 0;
}

const struct bx_native_spec bx_native_enter_plan = {
    .name = "EnterPlanMode",
    .description =
        "Switches the session to plan mode: you can look at everything and change nothing until "
        "the user has approved a plan (ExitPlanMode). Use it before work that is large, or "
        "that could reasonably be done in several ways.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}",
    .example = "{}",
    .execute = enter_execute,
};

static int ask_for_approval(struct bx_tool_ctx *ctx, const struct bx_val *input,
                            struct bx_tool_answer *ret, struct bx_err *err) {
    static const char *const choices[] = {"approve", "approve_edits", "no", NULL};
    bx_auto(bx_buf_deinit) struct bx_buf members = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &members);
    bx_jw_obj(&w);
    bx_jw_kstrn(&w, "plan", bx_val_get_str(input, "plan"));
    bx_jw_end(&w);
    struct bx_tool_question question = {.kind = "plan",
                                        .text = "Approve this plan?",
                                        .choices = choices,
                                        .members = bx_buf_str(&members)};
    return ctx->host->ask(ctx, &question, ret, err);
}

static int leave(struct bx_tool_ctx *ctx, const struct bx_tool_answer *answer,
                 struct bx_tool_result *ret, struct bx_err *err) {
    const char *mode = ctx->host->mode(ctx);
    struct bx_err problem = {0};
    bool edits = strcmp(answer->choice, "approve_edits") == 0;
    /* A user who switched the mode by hand meanwhile has said what it shall be. */
    int rc =
        in_plan(ctx) ? ctx->host->set_mode(ctx, edits ? "accept-edits" : NULL, &mode, &problem) : 0;
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_tool_result_text(ret, false, "The user approved the plan. The mode is %s now: begin.%s%s",
                        mode, answer->text ? " The user adds: " : "",
                        answer->text ? answer->text : "");
    say_mode(ret, mode);
    return 0;
}

static int exit_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    struct bx_tool_answer answer = {0};
    struct bx_err problem = {0};
    if (bx_tool_needs_run(t, ctx, ret))
        return 0;
    if (!in_plan(ctx)) {
        bx_tool_result_text(ret, true,
                            "The session is not in plan mode (it is in %s): there is nothing to "
                            "leave. Go on with the work, or call EnterPlanMode to plan first.",
                            ctx->host->mode(ctx));
        return 0;
    }
    if (!bx_str_trim(bx_val_get_str(input, "plan")).n) {
        bx_tool_result_text(ret, true, "\"plan\" is empty: write down what you are going to do.");
        return 0;
    }
    int rc = ask_for_approval(ctx, input, &answer, &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    if (strcmp(answer.choice, "no") == 0) {
        bx_tool_result_text(
            ret, false, "The user did not approve the plan%s%s\nThe mode stays plan.",
            answer.text ? ": " : ". Ask what should be different.", answer.text ? answer.text : "");
        say_mode(ret, "plan");
    } else {
        rc = leave(ctx, &answer, ret, err);
    }
    bx_tool_answer_deinit(&answer);
    return rc;
}

const struct bx_native_spec bx_native_exit_plan = {
    .name = "ExitPlanMode",
    .description = "Shows the user your plan for approval; works in plan mode only. After the yes "
                   "the earlier mode counts again and you begin; after a no you stay in plan mode "
                   "and hear what to change. For questions use AskUserQuestion instead.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{\"plan\":{\"type\":\"string\",\"maxLength\":"
        "200000,\"description\":\"The plan, in Markdown: what you will do, in which order, in "
        "which files\"}},\"required\":[\"plan\"],\"additionalProperties\":false}",
    .example = "{\"plan\":\"1. Add a test for the empty file\\n2. Mend `read_header` in "
               "/src/header.c\"}",
    .execute = exit_execute,
};
