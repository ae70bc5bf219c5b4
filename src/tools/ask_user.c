#include "json/write.h"
#include "tools/host.h"
#include "tools/native.h"

/* AskUserQuestion puts questions with options to the user and waits. Whatever the options are, free
 * text is always possible. One question may be given by itself, or several in a list. */

#define ASK_BYTES (256 * BX_KIB)

static const struct bx_val *options_of(const struct bx_val *question) {
    return bx_val_get(question, "options");
}

static bool is_multi(const struct bx_val *question) {
    return bx_val_get_bool(question, "multi", bx_val_get_bool(question, "multiSelect", false));
}

/* NULL, or what is wrong with one question: a sentence's end. */
static const char *fault_of(const struct bx_val *question) {
    if (!bx_str_trim(bx_val_get_str(question, "question")).n)
        return "\"question\" is missing or empty";
    bx_val_foreach_item (options_of(question), option) {
        struct bx_str label = bx_val_get_str(option, "label");
        if (!bx_str_trim(label).n)
            return "an option has an empty \"label\"";
        bx_val_foreach_item (options_of(question), other)
            if (other != option && bx_str_eq(bx_val_get_str(other, "label"), label))
                return "two options have the same \"label\"";
    }
    return NULL;
}

static void write_question(struct bx_jw *w, const struct bx_val *question) {
    bx_jw_obj(w);
    bx_jw_kstrn(w, "question", bx_val_get_str(question, "question"));
    bx_jw_kstrn(w, "header", bx_val_get_str(question, "header"));
    bx_jw_karr(w, "options");
    bx_val_foreach_item (options_of(question), option) {
        bx_jw_obj(w);
        bx_jw_kstrn(w, "label", bx_val_get_str(option, "label"));
        bx_jw_kstrn(w, "description", bx_val_get_str(option, "description"));
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_kbool(w, "multi", is_multi(question));
    bx_jw_end(w);
}

/* {"questions":[…]} in one form, whichever way the model wrote it. False: the result says why not.
 */
static bool normalise(const struct bx_val *input, struct bx_doc **ret, struct bx_tool_result *res) {
    const struct bx_val *list = bx_val_get(input, "questions");
    bool single = bx_val_get(input, "question") != NULL;
    if (single == (bx_val_len(list) > 0)) {
        bx_tool_result_text(res, true,
                            "Give either \"question\" (with \"options\") or \"questions\", a list "
                            "of such objects%s.",
                            single ? ", not both" : "");
        return false;
    }
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(ASK_BYTES);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "questions");
    const char *fault = single ? fault_of(input) : NULL;
    if (single)
        write_question(&w, input);
    bx_val_foreach_item (list, question) {
        fault = fault ? fault : fault_of(question);
        write_question(&w, question);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    if (!fault && (bx_buf_failed(&text) || bx_doc_parse(bx_buf_str(&text), NULL, ret, NULL)))
        fault = "the questions are larger than 256 KiB";
    if (fault)
        bx_tool_result_text(res, true, "The user was not asked: %s.", fault);
    return !fault;
}

static void add_answer(struct bx_buf *out, const struct bx_val *answer) {
    bool any = false;
    bx_val_foreach_item (bx_val_get(answer, "selected"), label) {
        bx_buf_addf(out, "%s\"" BX_STR_FMT "\"", any ? ", " : "", BX_STR_ARG(bx_val_str(label)));
        any = true;
    }
    struct bx_str text = bx_val_get_str(answer, "text");
    if (text.n) {
        bx_buf_addz(out, any ? "; in the user's words: " : "");
        bx_buf_adds(out, text);
    } else if (!any) {
        bx_buf_addz(out, "(no answer)");
    }
}

static void tell(const struct bx_val *questions, const struct bx_tool_answer *answer,
                 struct bx_tool_result *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB), meta = BX_BUF_INIT(BX_MIB);
    const struct bx_val *answers = answer->answers ? bx_doc_root(answer->answers) : NULL;
    struct bx_jw w;
    size_t i = 0;
    bx_jw_init(&w, &meta);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "answers");
    bx_val_foreach_item (questions, question) {
        const struct bx_val *one = bx_val_at(answers, i++);
        bx_jw_obj(&w);
        bx_jw_kstrn(&w, "question", bx_val_get_str(question, "question"));
        bx_jw_key(&w, "selected");
        if (one && bx_val_get(one, "selected"))
            bx_jw_val(&w, bx_val_get(one, "selected"));
        else
            bx_jw_raw(&w, BX_STR_LIT("[]"));
        bx_jw_kstrn(&w, "text", bx_val_get_str(one, "text"));
        bx_jw_end(&w);
        if (!one)
            continue;
        bx_buf_adds(&text, bx_val_get_str(question, "question"));
        bx_buf_addz(&text, "\nAnswer: ");
        add_answer(&text, one);
        bx_buf_addz(&text, "\n");
    }
    bx_jw_end(&w);
    bx_jw_kstr(&w, "text", answer->text ? answer->text : "");
    bx_jw_end(&w);
    if (answer->text)
        bx_buf_addf(&text, "The user says: %s", answer->text);
    bx_tool_result_text(ret, false, "%s", bx_buf_z(&text));
    ret->metadata = bx_buf_steal(&meta);
}

static int ask_execute(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                       struct bx_tool_result *ret, struct bx_err *err) {
    static const char *const choices[] = {"answer", "no", NULL};
    bx_auto(bx_doc_freep) struct bx_doc *form = NULL;
    if (bx_tool_needs_run(t, ctx, ret) || !normalise(input, &form, ret))
        return 0;
    bx_auto(bx_buf_deinit) struct bx_buf members = BX_BUF_INIT(2 * ASK_BYTES);
    const struct bx_val *questions = bx_val_get(bx_doc_root(form), "questions");
    struct bx_jw w;
    bx_jw_init(&w, &members);
    bx_jw_val(&w, bx_doc_root(form));
    struct bx_tool_question question = {
        .kind = "ask",
        .text = bx_val_get_z(bx_val_at(questions, 0), "question"),
        .choices = choices,
        .questions = questions,
        .members = bx_buf_str(&members),
    };
    struct bx_tool_answer answer = {0};
    struct bx_err problem = {0};
    int rc = ctx->host->ask(ctx, &question, &answer, &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    if (strcmp(answer.choice, "no") == 0)
        bx_tool_result_text(ret, false, "The user did not answer%s%s",
                            answer.text ? ": " : ". Go on as you think best, or ask in your reply.",
                            answer.text ? answer.text : "");
    else
        tell(questions, &answer, ret);
    bx_tool_answer_deinit(&answer);
    return 0;
}

#define OPTIONS                                                                                    \
    "\"options\":{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"object\","              \
    "\"properties\":{\"label\":{\"type\":\"string\",\"maxLength\":200},"                           \
    "\"description\":{\"type\":\"string\",\"maxLength\":2000}},\"required\":[\"label\"],"          \
    "\"additionalProperties\":false}},\"multi\":{\"type\":\"boolean\",\"description\":"            \
    "\"More than one option may be chosen\"}"

const struct bx_native_spec bx_native_ask_user = {
    .name = "AskUserQuestion",
    .description = "Asks the user one or several questions with options and waits for the answer. "
                   "Use it when the work could go in different ways and only the user can say "
                   "which; not for what you can find out yourself. The user can always answer in "
                   "own words.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"question\":{\"type\":\"string\",\"maxLength\":4000},"
        "\"header\":{\"type\":\"string\",\"maxLength\":80,\"description\":\"A word or two that "
        "name the subject\"}," OPTIONS ","
        "\"questions\":{\"type\":\"array\",\"maxItems\":8,\"description\":\"Several questions "
        "at once, instead of the members above\",\"items\":{\"type\":\"object\",\"properties\":{"
        "\"question\":{\"type\":\"string\",\"maxLength\":4000},"
        "\"header\":{\"type\":\"string\",\"maxLength\":80}," OPTIONS ","
        "\"multiSelect\":{\"type\":\"boolean\"}},"
        "\"required\":[\"question\"],\"additionalProperties\":false}}},"
        "\"additionalProperties\":false}",
    .example = "{\"question\":\"Which database?\",\"header\":\"Database\",\"options\":[{\"label\":"
               "\"SQLite\",\"description\":\"One file\"},{\"label\":\"Postgres\"}]}",
    .execute = ask_execute,
};
