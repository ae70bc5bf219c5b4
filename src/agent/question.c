#include "agent/executor.h"

#include "base/id.h"

/* A question is open from its event to its answer or to the end of the run. It waits for as long as
 * it takes. The questions of one run come one after another, in the order in which they arose. */

#define ANSWERS_MAX (8 * BX_MIB)  /* what the checks let through fits, however it is escaped */
#define WORDS_MAX   (64 * BX_KIB) /* of one answer's own words */

static const char *const choice_names[] = {
    [BX_CHOICE_ONCE] = "once",
    [BX_CHOICE_SESSION] = "session",
    [BX_CHOICE_ALWAYS] = "always",
    [BX_CHOICE_NO] = "no",
    [BX_CHOICE_ANSWER] = "answer",
    [BX_CHOICE_APPROVE] = "approve",
    [BX_CHOICE_APPROVE_EDITS] = "approve_edits",
};

const char *bx_choice_name(enum bx_choice choice) {
    return choice_names[choice];
}

bool bx_choice_parse(struct bx_str s, enum bx_choice *ret) {
    for (unsigned i = 0; i < BX_CHOICE_COUNT; i++) {
        if (bx_str_eqz(s, choice_names[i])) {
            *ret = (enum bx_choice)i;
            return true;
        }
    }
    return false;
}

void bx_question_deinit(struct bx_question *q) {
    bx_free(q->text);
    bx_free(q->answers);
    *q = (struct bx_question){0};
}

void bx_question_tell(struct bx_agent *a, struct bx_question *q, enum bx_answer_fate fate) {
    if (!q->fate)
        return;
    *q->fate = fate;
    q->fate = NULL;
    pthread_cond_broadcast(&a->changed);
}

/* ---- asking ---- */

static void wake(void *user) {
    struct bx_agent *a = user;
    BX_LOCKED(&a->lock);
    pthread_cond_broadcast(&a->changed);
}

int bx_run_ask_begin(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    bx_crew_block(a->crew);
    bx_cancel_watch(run->spend, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    unsigned ticket = run->tickets++;
    while (run->serving != ticket && !bx_cancel_fired(run->spend))
        pthread_cond_wait(&a->changed, &a->lock);
    bool mine = run->serving == ticket && !bx_cancel_fired(run->spend);
    pthread_mutex_unlock(&a->lock);
    bx_cancel_unwatch(&watch);
    if (mine)
        return 0;
    bx_crew_unblock(a->crew);
    return BX_ERR_CANCELLED;
}

void bx_run_ask_end(struct bx_run *run) {
    {
        BX_LOCKED(&run->agent->lock);
        run->serving++;
        pthread_cond_broadcast(&run->agent->changed);
    }
    bx_crew_unblock(run->agent->crew);
}

static int wait_for_answer(struct bx_run *run, struct bx_question *ret) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    bx_cancel_watch(run->spend, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    while (!run->question.answered && !bx_cancel_fired(run->spend))
        pthread_cond_wait(&a->changed, &a->lock);
    *ret = run->question;
    run->question = (struct bx_question){0};
    if (!run->suspended)
        run->asking = NULL;
    pthread_mutex_unlock(&a->lock);
    bx_cancel_unwatch(&watch);
    if (ret->answered)
        return 0;
    bx_question_deinit(ret);
    return BX_ERR_CANCELLED;
}

/* Lock held. */
static bool may_go_on(const struct bx_run *run, bool asks) {
    return asks ? run->question.answered
                : run->woken || run->rung || (run->executor && run->executor->messages.n);
}

/* Nothing is begun, by the run or in its queue, before a person has said something: the program has
 * just started. */
int bx_run_await_again(struct bx_run *run) {
    struct bx_agent *a = run->agent;
    struct bx_cancel_watch watch;
    bool asks = bx_resume_call(run->resume) != NULL;
    bx_run_state(run, "waiting",
                 asks ? BX_STR_LIT("waiting for an answer")
                      : BX_STR_LIT("waiting for an answer to an executor"));
    bx_cancel_watch(run->spend, &watch, wake, a);
    pthread_mutex_lock(&a->lock);
    while (!may_go_on(run, asks) && !bx_cancel_fired(run->spend))
        pthread_cond_wait(&a->changed, &a->lock);
    bool goes_on = may_go_on(run, asks);
    if (!goes_on)
        bx_question_deinit(&run->question);
    if (asks && run->executor && run->executor->manager)
        run->executor->waits--; /* the answer is logged before it waits for a place (bx_run_ask) */
    pthread_mutex_unlock(&a->lock);
    bx_cancel_unwatch(&watch);
    if (!asks)
        bx_executor_pause(run, false);
    if (!goes_on)
        return BX_ERR_CANCELLED;
    bx_executor_pump(a, bx_executor_root_of(run)->id);
    return 0;
}

bool bx_run_leaves_open(struct bx_run *run, const struct bx_call *call) {
    BX_LOCKED(&run->agent->lock);
    return run->suspended && (!call || !call->began || call == run->asking || call->held);
}

static void log_question(struct bx_run *run, const struct bx_call *call, const struct bx_ask *ask,
                         const char *id) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "question", id);
    bx_jw_kstr(&e.w, "kind", ask->kind);
    bx_jw_kstr(&e.w, "call", call->id);
    bx_jw_kstr(&e.w, "tool", call->tool_name);
    bx_jw_kstr(&e.w, "text", ask->text);
    bx_event_members(&e, ask->members);
    bx_jw_karr(&e.w, "choices");
    for (unsigned i = 0; i < BX_CHOICE_COUNT; i++)
        if (ask->choices & 1u << i)
            bx_jw_z(&e.w, choice_names[i]);
    bx_jw_end(&e.w);
    bx_auto(bx_freep) char *text = run->executor ? bx_asprintf("%s}", bx_buf_z(&e.body)) : NULL;
    bx_event_append(run, &e, "question", BX_BATCHED);
    bx_executor_on_question(run, bx_str(text));
}

static void log_answer(struct bx_run *run, const struct bx_ask *ask, struct bx_question *q) {
    struct bx_event e;
    bx_event_begin(&e, run->id);
    bx_jw_kstr(&e.w, "question", q->id);
    bx_jw_kstr(&e.w, "choice", choice_names[q->choice]);
    bx_jw_kstr(&e.w, "text", q->text ? q->text : "");
    if (q->answers)
        bx_jw_kraw(&e.w, "answers", bx_str(q->answers));
    bx_jw_kstr(&e.w, "from", q->from);
    if (q->choice == BX_CHOICE_SESSION && ask->session_rule.n)
        bx_jw_kraw(&e.w, "rule", ask->session_rule); /* known again after a restart */
    int rc = bx_event_append(run, &e, "answer", BX_DURABLE);
    BX_LOCKED(&run->agent->lock);
    bx_question_tell(run->agent, q, rc ? BX_ANSWER_LOST : BX_ANSWER_LOGGED);
}

void bx_run_settle_answer(struct bx_run *run) {
    struct bx_question q = {0};
    {
        BX_LOCKED(&run->agent->lock);
        if (run->question.answered) {
            q = run->question;
            run->question = (struct bx_question){0};
        }
    }
    if (q.answered)
        log_answer(run, &(struct bx_ask){0}, &q);
    bx_question_deinit(&q);
}

int bx_run_ask(struct bx_run *run, const struct bx_call *call, const struct bx_ask *ask,
               struct bx_question *ret) {
    char id[BX_ID_LEN + 1];
    bx_id_new(id);
    bool again = bx_resume_is_of(run->resume, call->id, ask->kind);
    if (!again)
        bx_run_settle_answer(run);
    {
        BX_LOCKED(&run->agent->lock);
        /* It has its answer; a later call may have the same id. */
        again = again && run->question.id[0];
        if (!again && bx_cancel_fired(run->spend))
            return BX_ERR_CANCELLED;
        if (!again) { /* open before it is seen: the answer may come at once */
            run->question =
                (struct bx_question){.choices = ask->choices, .questions = ask->questions};
            memcpy(run->question.id, id, sizeof id);
        }
        run->asking = call;
    }
    if (!again)
        log_question(run, call, ask, id);
    bx_run_state(run, "waiting", BX_STR_LIT("waiting for an answer"));
    bx_executor_pause(run, true); /* a person may be away for long: the place goes to others */
    int rc = wait_for_answer(run, ret);
    bx_executor_on_question(run, BX_STR_LIT(""));
    if (!rc)
        log_answer(run, ask, ret);
    bx_executor_pause(run, false);
    if (rc)
        return rc;
    bx_run_state(run, "tools", BX_STR_LIT(""));
    return 0;
}

/* ---- answering ---- */

static bool has_option(const struct bx_val *question, struct bx_str label) {
    bx_val_foreach_item (bx_val_get(question, "options"), option)
        if (bx_str_eq(bx_val_get_str(option, "label"), label))
            return true;
    return false;
}

static int check_selected(const struct bx_val *question, const struct bx_val *selected, size_t nth,
                          struct bx_err *err) {
    if (selected && !bx_val_is(selected, BX_VAL_ARR))
        return bx_fail(err, BX_ERR_INVALID, "\"selected\" of answer %zu must be an array of labels",
                       nth);
    if (bx_val_len(selected) > 1 && !bx_val_get_bool(question, "multi", false))
        return bx_fail(err, BX_ERR_INVALID, "question %zu takes one option, not %zu", nth,
                       bx_val_len(selected));
    bx_val_foreach_item (selected, label) {
        if (!has_option(question, bx_val_str(label)))
            return bx_fail(err, BX_ERR_INVALID,
                           "question %zu has no option \"%.100s\": other words belong into "
                           "\"text\"",
                           nth, bx_val_z(label) ? bx_val_z(label) : "");
        bx_val_foreach_item (selected, other)
            if (other != label && bx_val_equal(other, label))
                return bx_fail(err, BX_ERR_INVALID, "answer %zu selects an option twice", nth);
    }
    return 0;
}

static int check_one(const struct bx_val *question, const struct bx_val *answer, size_t nth,
                     bool *any, struct bx_err *err) {
    if (!bx_val_is(answer, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "answer %zu must be an object: selected, text", nth);
    bx_val_foreach_member (answer, name, value) {
        bool text = bx_str_eqz(name, "text");
        if (!text && !bx_str_eqz(name, "selected"))
            return bx_fail(err, BX_ERR_INVALID,
                           "unknown member \"%.60s\" of answer %zu: known are selected, text",
                           name.p, nth);
        struct bx_str words = bx_val_str(value);
        if (text && (!bx_val_is(value, BX_VAL_STR) || words.n > WORDS_MAX ||
                     bx_str_find(words, '\0') != (size_t)-1))
            return bx_fail(err, BX_ERR_INVALID,
                           "\"text\" of answer %zu must be a string of at most 64 KiB, without NUL",
                           nth);
    }
    const struct bx_val *selected = bx_val_get(answer, "selected");
    *any |= bx_val_len(selected) || bx_str_trim(bx_val_get_str(answer, "text")).n;
    return check_selected(question, selected, nth, err);
}

/* Are these answers to these questions? Something must be said. */
static int check_answers(const struct bx_val *questions, const struct bx_answer *answer,
                         struct bx_err *err) {
    bool any = answer->text && bx_str_trim(bx_str(answer->text)).n;
    size_t nth = 0, wanted = bx_val_len(questions);
    if (answer->answers &&
        (!bx_val_is(answer->answers, BX_VAL_ARR) || bx_val_len(answer->answers) != wanted))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"answers\" must be an array of %zu, one a question, in their order",
                       wanted);
    bx_val_foreach_item (answer->answers, one) {
        int rc = check_one(bx_val_at(questions, nth), one, nth + 1, &any, err);
        if (rc)
            return rc;
        nth++;
    }
    return any ? 0
               : bx_fail(err, BX_ERR_INVALID,
                         "the answer is empty: select an option, write a text, or choose no");
}

static int check(const struct bx_question *q, const struct bx_answer *answer, struct bx_err *err) {
    if (!(q->choices & 1u << answer->choice)) {
        char list[160] = "";
        for (unsigned i = 0; i < BX_CHOICE_COUNT; i++)
            if (q->choices & 1u << i)
                snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                         choice_names[i]);
        return bx_fail(err, BX_ERR_INVALID, "this question takes %s; not \"%s\"", list,
                       choice_names[answer->choice]);
    }
    if (answer->choice == BX_CHOICE_ANSWER)
        return check_answers(q->questions, answer, err);
    if (answer->answers)
        return bx_fail(err, BX_ERR_INVALID, "\"answers\" goes with the choice \"answer\" only");
    return 0;
}

static void take(struct bx_question *q, const struct bx_answer *answer) {
    q->choice = answer->choice;
    q->text = answer->text && *answer->text ? bx_strdup(answer->text) : NULL;
    snprintf(q->from, sizeof q->from, "%s", answer->from);
    if (answer->answers) {
        struct bx_buf text = BX_BUF_INIT(ANSWERS_MAX);
        struct bx_jw w;
        bx_jw_init(&w, &text);
        bx_jw_val(&w, answer->answers);
        q->answers = bx_buf_steal(&text);
    }
    q->answered = true;
}

int bx_agent_answer(struct bx_agent *a, const char *session_id, const char *question,
                    const struct bx_answer *answer, struct bx_err *err) {
    BX_LOCKED(&a->lock);
    for (size_t i = 0; i < a->runs.n; i++) {
        struct bx_run *run = a->runs.p[i];
        struct bx_question *q = &run->question;
        if (strcmp(bx_session_header(run->session)->id, session_id) || !q->id[0] ||
            strcmp(q->id, question) || q->answered)
            continue;
        int rc = check(q, answer, err);
        if (rc)
            return rc;
        enum bx_answer_fate fate = BX_ANSWER_TAKEN;
        take(q, answer);
        q->fate = &fate;
        bx_run_wake_above(run);
        while (fate == BX_ANSWER_TAKEN) /* the log is what outlasts a crash; the run may be gone */
            pthread_cond_wait(&a->changed, &a->lock);
        if (fate == BX_ANSWER_LOGGED)
            return 0;
        break;
    }
    return bx_fail(err, BX_ERR_NOTFOUND,
                   "this question is not open any more: it was answered, or its run has ended");
}
