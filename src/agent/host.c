#include "agent/executor.h"

#include "agent/memory.h"
#include "agent/recall.h"
#include "tools/host.h"

/* What native tools may ask of the run that called them (tools/host.h). */

static struct bx_call *call_of(struct bx_tool_ctx *ctx) {
    return ctx->user;
}

static bool host_can_ask(struct bx_tool_ctx *ctx) {
    return !call_of(ctx)->run->headless;
}

static unsigned choice_bits(const char *const *choices) {
    unsigned bits = 0;
    for (; *choices; choices++) {
        enum bx_choice choice;
        if (bx_choice_parse(bx_str(*choices), &choice))
            bits |= 1u << choice;
    }
    return bits;
}

static int give_answer(struct bx_question *q, struct bx_tool_answer *ret, struct bx_err *err) {
    *ret = (struct bx_tool_answer){.choice = bx_choice_name(q->choice), .text = bx_steal(&q->text)};
    int rc = q->answers ? bx_doc_parse(bx_str(q->answers), NULL, &ret->answers, err) : 0;
    bx_question_deinit(q);
    if (rc)
        bx_tool_answer_deinit(ret);
    return rc;
}

static int host_ask(struct bx_tool_ctx *ctx, const struct bx_tool_question *question,
                    struct bx_tool_answer *ret, struct bx_err *err) {
    struct bx_call *call = call_of(ctx);
    struct bx_run *run = call->run;
    struct bx_question answer = {0};
    if (!host_can_ask(ctx))
        return bx_fail(err, BX_ERR_DENIED,
                       "Nobody can be asked: this run has no page and no terminal. Decide by "
                       "yourself where that is safe, and say in your answer what you would have "
                       "asked");
    struct bx_ask ask = {.kind = question->kind,
                         .text = question->text,
                         .choices = choice_bits(question->choices),
                         .questions = question->questions,
                         .members = question->members};
    int rc = bx_run_ask_begin(run);
    if (rc)
        return bx_fail(err, rc, "stopped before the question was asked");
    rc = bx_run_ask(run, call, &ask, &answer);
    bx_run_ask_end(run);
    return rc ? bx_fail(err, rc, "stopped before the question was answered")
              : give_answer(&answer, ret, err);
}

static const char *host_mode(struct bx_tool_ctx *ctx) {
    return bx_mode_name(bx_run_mode(call_of(ctx)->run));
}

/* The mode to go back to from plan mode; one that cannot be is the default. */
static char *mode_before(struct bx_session *s) {
    char *earlier = bx_session_earlier_mode(s);
    enum bx_mode mode;
    if (bx_mode_parse(bx_str(earlier), &mode) && mode != BX_MODE_PLAN && mode != BX_MODE_BYPASS)
        return earlier;
    bx_free(earlier);
    return bx_strdup(bx_mode_name(BX_MODE_DEFAULT));
}

static int log_mode(struct bx_call *call, const char *mode) {
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "mode", mode);
    bx_jw_kstr(&e.w, "by", "tool");
    return bx_event_append(call->run, &e, "mode", BX_DURABLE);
}

/* A run may have a mode of its own (`run --mode`), beside the session's; both change, each goes
 * back to its own. */
static int host_set_mode(struct bx_tool_ctx *ctx, const char *mode, const char **ret_mode,
                         struct bx_err *err) {
    struct bx_call *call = call_of(ctx);
    struct bx_run *run = call->run;
    bx_auto(bx_freep) char *now = bx_session_mode(run->session),
                           *before = mode ? NULL : mode_before(run->session);
    /* a session whose run alone was in plan mode stays what it is */
    const char *next = mode ? mode : strcmp(now, "plan") ? now : before;
    if (log_mode(call, next))
        return bx_fail(err, BX_ERR_IO, "the change of the mode could not be recorded");
    {
        BX_LOCKED(&run->agent->lock);
        if (run->mode) {
            char *own = bx_strdup(mode ? mode : run->earlier_mode ? run->earlier_mode : next);
            bx_free(run->earlier_mode);
            run->earlier_mode = run->mode;
            run->mode = own;
        }
    }
    *ret_mode = host_mode(ctx);
    return 0;
}

static int host_record(struct bx_tool_ctx *ctx, const char *type, struct bx_str members,
                       struct bx_err *err) {
    struct bx_call *call = call_of(ctx);
    struct bx_event e;
    bx_event_begin(&e, call->run->id);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_event_members(&e, members);
    return bx_event_append(call->run, &e, type, BX_DURABLE)
               ? bx_fail(err, BX_ERR_IO, "it could not be recorded")
               : 0;
}

static int host_recall(struct bx_tool_ctx *ctx, const struct bx_recall_wish *wish,
                       struct bx_recall_result *ret, struct bx_err *err) {
    struct bx_run *run = call_of(ctx)->run;
    /* a little less than a result may be long, so that it is told whole with its last line */
    size_t max = run->history->result_max_bytes;
    return bx_recall(run->session, wish, max > 1000 ? max - 300 : max, ret, err);
}

static int host_remember(struct bx_tool_ctx *ctx, struct bx_str text, bool for_session,
                         struct bx_err *err) {
    struct bx_run *run = call_of(ctx)->run;
    char id[37];
    return for_session ? bx_agent_add_fact(run->agent, run->session, text, true, id, err)
                       : bx_memory_add(bx_store_dir(run->agent->store), text, err);
}

static int host_begin_skill(struct bx_tool_ctx *ctx, struct bx_skill_use *use, char **ret_folder,
                            struct bx_err *err) {
    return bx_run_begin_skill(call_of(ctx)->run, call_of(ctx)->id, use, ret_folder, err);
}

static int host_end_skill(struct bx_tool_ctx *ctx, const char *skill, struct bx_err *err) {
    return bx_run_end_skill(call_of(ctx)->run, call_of(ctx)->id, skill, err);
}

const struct bx_tool_host bx_call_host = {.ask = host_ask,
                                          .can_ask = host_can_ask,
                                          .mode = host_mode,
                                          .set_mode = host_set_mode,
                                          .record = host_record,
                                          .recall = host_recall,
                                          .remember = host_remember,
                                          .begin_skill = host_begin_skill,
                                          .end_skill = host_end_skill,
                                          .executor = bx_executor_tool,
                                          .worktree = bx_worktree_tool};
