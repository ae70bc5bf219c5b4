#include "agent/internal.h"

/* What the model is told for one turn only, behind the history, so that everything before it stays
 * the same for prefix caches: the mode where it matters, and the list of tasks when the turns that
 * held it are gone. */

#define NOTE_MAX (256 * BX_KIB)

static const char plan_mode[] =
    "The session is in plan mode. You may look at everything (read, search, ask); calls that "
    "change files or run programs are refused, so do not try them. When you know what is to be "
    "done, show the plan with ExitPlanMode and wait for the answer.";

static const char looks_only[] =
    "You may look at everything (read, search); calls that change files or run programs are "
    "refused, so do not try them.";

static const char *box_of(const struct bx_val *todo) {
    struct bx_str status = bx_val_get_str(todo, "status");
    return bx_str_eqz(status, "completed")     ? "[x]"
           : bx_str_eqz(status, "in_progress") ? "[>]"
                                               : "[ ]";
}

static void add_todos(struct bx_run *run, struct bx_buf *out) {
    bx_auto(bx_freep) char *text = bx_session_todos(run->session);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (bx_doc_parse(bx_str(text), NULL, &doc, NULL) || !bx_val_len(bx_doc_root(doc)))
        return;
    bx_buf_addf(out, "%sThe list of tasks as it stands (TodoWrite):", out->size ? "\n\n" : "");
    bx_val_foreach_item (bx_doc_root(doc), todo) {
        bx_buf_addf(out, "\n%s ", box_of(todo));
        bx_buf_adds(out, bx_val_get_str(todo, "content"));
    }
}

char *bx_run_note(struct bx_run *run, const char *words) {
    struct bx_buf out = BX_BUF_INIT(NOTE_MAX);
    if (bx_run_mode(run) == BX_MODE_PLAN && !bx_model_is_small(run->model))
        bx_buf_addz(&out, run->executor ? looks_only : plan_mode);
    if (run->history->turns_gone)
        add_todos(run, &out);
    bx_run_add_proposals(run, &out);
    if (words)
        bx_buf_addf(&out, "%s%s", out.size ? "\n\n" : "", words);
    char *note = out.size && !bx_buf_failed(&out) ? bx_buf_steal(&out) : NULL;
    bx_buf_deinit(&out);
    return note;
}
