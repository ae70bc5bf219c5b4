#include "agent/executor.h"

#include "base/unwire.h"

/* The tools Agent, AgentOutput, AgentStop and AgentSend, on the side of the run that calls them. */

#define RESULT_MAX     (256 * BX_KIB)
#define DEFAULT_WAIT_S 600

/* ---- the report ---- */

static const char *how(const struct bx_executor *e) {
    switch (e->state) {
    case BX_EXECUTOR_DONE:
        return "is done";
    case BX_EXECUTOR_FAILED:
        return "failed";
    case BX_EXECUTOR_STOPPED:
        return "was stopped";
    case BX_EXECUTOR_LIMIT:
        return "was ended by a limit";
    case BX_EXECUTOR_QUEUED:
        return "waits for its turn";
    default:
        return "works";
    }
}

/* "[Executor e1 (explore), "Look for x", failed: error. 3 turns, 5 calls, 2 of them failed; …]" */
static void add_status(const struct bx_executor *e, struct bx_buf *out) {
    bx_buf_addf(out, "[Executor %s%s%s%s, \"%s\", %s", e->name, e->agent_name[0] ? " (" : "",
                e->agent_name, e->agent_name[0] ? ")" : "", e->description, how(e));
    if (e->state == BX_EXECUTOR_LIMIT && e->reason)
        bx_buf_addf(out, " (%s)", e->reason);
    if (e->fault[0])
        bx_buf_addf(out, ": %s", e->fault);
    bx_buf_addf(out, ". %u turn%s, %u call%s", e->turns, e->turns == 1 ? "" : "s", e->calls,
                e->calls == 1 ? "" : "s");
    if (e->input_tokens || e->output_tokens)
        bx_buf_addf(out, ", %" PRId64 " tokens in, %" PRId64 " out", e->input_tokens,
                    e->output_tokens);
    bx_buf_addz(out, ".");
    if (e->failed_calls)
        bx_buf_addf(out, " %u of its calls failed:\n" BX_STR_FMT, e->failed_calls,
                    BX_STR_ARG(bx_str_trim(bx_buf_str(&e->failures))));
    if (e->messages.n && bx_executor_ended(e->state))
        bx_buf_addf(out, " It did not hear %zu of your messages.", e->messages.n);
    if (e->tree.id[0] && e->tree.files && bx_executor_ended(e->state))
        bx_buf_addf(out,
                    " Its work is on the branch %s: %" PRIu64 " file%s, +%" PRIu64 " -%" PRIu64
                    "; Worktree {\"id\":\"%s\",\"action\":\"merge\"} takes it over.",
                    e->tree.branch, e->tree.files, e->tree.files == 1 ? "" : "s",
                    e->tree.insertions, e->tree.deletions, e->name);
    else if (e->has_worktree && bx_executor_ended(e->state))
        bx_buf_addz(out, " It changed nothing in its worktree.");
    bx_buf_addz(out, "]");
}

static const char *limit_name(const struct bx_executor *e) {
    return e->state == BX_EXECUTOR_LIMIT     ? e->reason
           : e->state == BX_EXECUTOR_STOPPED ? "cancelled"
                                             : NULL;
}

void bx_executor_report(struct bx_executor *e, struct bx_tool_result *ret) {
    struct bx_buf text = BX_BUF_INIT(RESULT_MAX + 8 * BX_KIB), meta = BX_BUF_INIT(16 * BX_KIB);
    struct bx_jw w;
    {
        BX_LOCKED(&e->agent->lock);
        struct bx_str said = bx_str_trim(bx_str(e->result));
        bx_buf_adds(&text, bx_str_slice(said, 0, RESULT_MAX));
        if (said.n > RESULT_MAX)
            bx_buf_addz(&text, "… (cut; the whole is in its session)");
        bx_buf_addz(&text, text.size ? "\n\n" : "");
        add_status(e, &text);
        ret->is_error = bx_executor_ended(e->state) && e->state != BX_EXECUTOR_DONE;
        ret->limit = limit_name(e);
        bx_jw_init(&w, &meta);
        bx_jw_obj(&w);
        bx_executor_members(e, e->state, &w);
        bx_jw_end(&w);
    }
    struct bx_buf json = BX_BUF_INIT(SIZE_MAX / 2);
    bx_json_quote(&json, bx_buf_str(&text));
    ret->content = bx_buf_steal(&json);
    ret->metadata = bx_buf_steal(&meta);
    bx_buf_deinit(&text);
}

static void mark_told(struct bx_executor *e) {
    BX_LOCKED(&e->agent->lock);
    e->told |= bx_executor_ended(e->state);
}

/* ---- finding one ---- */

static void refuse_unknown(struct bx_run *run, struct bx_str id, struct bx_tool_result *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf names = BX_BUF_INIT(4 * BX_KIB);
    {
        BX_LOCKED(&run->agent->lock);
        for (size_t i = 0; i < run->agent->executors.n; i++)
            if (run->agent->executors.p[i]->manager == run)
                bx_buf_addf(&names, "%s%s", names.size ? ", " : "",
                            run->agent->executors.p[i]->name);
    }
    bx_tool_result_text(
        ret, true,
        names.size ? "There is no executor \"" BX_STR_FMT "\" of yours. Of this run there are: %s."
                   : "There is no executor \"" BX_STR_FMT "\" of yours%s: start one with Agent.",
        BX_STR_ARG(bx_str_slice(id, 0, 60)), names.size ? bx_buf_z(&names) : "");
}

static struct bx_executor *find(struct bx_run *run, const struct bx_val *input,
                                struct bx_tool_result *ret) {
    struct bx_str id = bx_str_trim(bx_val_get_str(input, "id"));
    struct bx_executor *e = bx_executor_find(run, id);
    if (!e)
        refuse_unknown(run, id, ret);
    return e;
}

/* Its end, or the time that it is waited for. The run's own end leaves the call to be made once
 * more, where it goes on after it. */
static int await(struct bx_call *call, struct bx_executor *e, uint64_t timeout_ms) {
    int rc = bx_executor_wait(call->run, e, timeout_ms);
    call->held = rc == BX_ERR_CANCELLED;
    return rc;
}

/* ---- the four ---- */

/* The executor of the call: after a restart of the program it is there already. */
static int begin(struct bx_call *call, const struct bx_val *input, struct bx_executor **ret,
                 struct bx_err *err) {
    *ret = call->run->resume ? bx_executor_of_call(call->run, call->id) : NULL;
    return *ret ? 0 : bx_executor_new(call, input, ret, err);
}

static int start(struct bx_call *call, const struct bx_val *input, struct bx_tool_result *ret,
                 struct bx_err *err) {
    bx_auto(bx_executor_unrefp) struct bx_executor *e = NULL;
    struct bx_err why = {0};
    if (!bx_str_trim(bx_val_get_str(input, "prompt")).n ||
        !bx_str_trim(bx_val_get_str(input, "description")).n) {
        bx_tool_result_text(ret, true,
                            "\"prompt\" and \"description\" must say something: the executor sees "
                            "nothing but the prompt.");
        return 0;
    }
    int rc = begin(call, input, &e, &why);
    if (rc) {
        bx_tool_result_text(ret, true, "No executor was started: %s.", why.msg);
        return 0;
    }
    if (e->background) {
        bx_executor_report(e, ret);
        bx_tool_result_add(ret,
                           "It works in the background: you are told when it ends; AgentOutput "
                           "{\"id\":\"%s\"} asks, AgentStop ends it.",
                           e->name);
        return 0;
    }
    if ((rc = await(call, e, UINT64_MAX)))
        return bx_fail(err, rc, "stopped while the executor worked");
    mark_told(e);
    bx_executor_report(e, ret);
    return 0;
}

static int output(struct bx_call *call, const struct bx_val *input, struct bx_tool_result *ret,
                  struct bx_err *err) {
    bx_auto(bx_executor_unrefp) struct bx_executor *e = find(call->run, input, ret);
    if (!e)
        return 0;
    double seconds = bx_val_real(bx_val_get(input, "timeout"), DEFAULT_WAIT_S);
    bool waits = bx_val_get_bool(input, "wait", bx_val_get(input, "timeout") != NULL);
    int rc = waits ? await(call, e, (uint64_t)(seconds * 1000)) : 0;
    if (rc == BX_ERR_CANCELLED)
        return bx_fail(err, rc, "stopped while it waited");
    mark_told(e);
    bx_executor_report(e, ret);
    if (rc == BX_ERR_TIMEOUT)
        bx_tool_result_add(ret, "It has not ended within %g s and goes on.", seconds);
    return 0;
}

static int stop(struct bx_call *call, const struct bx_val *input, struct bx_tool_result *ret,
                struct bx_err *err) {
    bx_auto(bx_executor_unrefp) struct bx_executor *e = find(call->run, input, ret);
    if (!e)
        return 0;
    bx_executor_stop(e, "stopped by its manager");
    int rc = await(call, e, UINT64_MAX);
    if (rc)
        return bx_fail(err, rc, "stopped while it waited");
    mark_told(e);
    bx_executor_report(e, ret);
    ret->is_error = false; /* it is what was asked for */
    return 0;
}

static int send(struct bx_call *call, const struct bx_val *input, struct bx_tool_result *ret,
                struct bx_err *err) {
    bx_auto(bx_executor_unrefp) struct bx_executor *e = find(call->run, input, ret);
    bx_auto(bx_freep) char *text = bx_str_dup(bx_val_get_str(input, "text"));
    struct bx_err why = {0};
    (void)err;
    if (!e)
        return 0;
    if (!bx_str_trim(bx_str(text)).n) {
        bx_tool_result_text(ret, true, "\"text\" is empty: say what the executor should hear.");
        return 0;
    }
    int rc = bx_executor_again(e, text, &why);
    if (rc == BX_ERR_BUSY)
        rc = bx_executor_say(e, text, &why);
    else if (!rc) {
        bx_tool_result_text(ret, false,
                            "%s had ended and works again, in the background: you are told when it "
                            "ends.",
                            e->name);
        return 0;
    }
    if (rc)
        bx_tool_result_text(ret, true, "It could not be told: %s.", why.msg);
    else
        bx_tool_result_text(ret, false, "%s hears it at its next turn.", e->name);
    return 0;
}

int bx_executor_tool(struct bx_tool_ctx *ctx, enum bx_executor_op op, const struct bx_val *input,
                     struct bx_tool_result *ret, struct bx_err *err) {
    static int (*const ops[])(struct bx_call * call, const struct bx_val *input,
                              struct bx_tool_result *ret,
                              struct bx_err *err) = {[BX_EXECUTOR_START] = start,
                                                     [BX_EXECUTOR_OUTPUT] = output,
                                                     [BX_EXECUTOR_STOP] = stop,
                                                     [BX_EXECUTOR_SEND] = send};
    return ops[op](ctx->user, input, ret, err);
}
