#include "agent/compact.h"

#include "agent/executor.h"
#include "agent/request.h"
#include "base/utf8.h"

/* What the next request of a session would hold: the request itself is made, by the code that makes
 * it for a run, and then looked at piece by piece. Nothing is estimated a second time. */

struct tally {
    double factor; /* the provider's tokens for one of ours */
    int64_t parts[BX_PART_COUNT];
    struct bx_jw *w;
    enum bx_part part; /* the one whose items are being written */
};

static int64_t scaled(const struct tally *t, int64_t tokens) {
    return (int64_t)((double)tokens * t->factor + 0.5);
}

static void item(struct tally *t, enum bx_part part, const char *name, int64_t tokens,
                 uint64_t seq) {
    if (!t->w) {
        t->parts[part] += scaled(t, tokens);
        return;
    }
    if (part != t->part)
        return;
    bx_jw_obj(t->w);
    bx_jw_kstr(t->w, "name", name);
    bx_jw_kint(t->w, "tokens", scaled(t, tokens));
    if (seq)
        bx_jw_kuint(t->w, "seq", seq);
    bx_jw_end(t->w);
}

static enum bx_part part_of(const struct bx_message *m) {
    static const enum bx_part by_tag[] = {[BX_TAG_TALK] = BX_PART_HISTORY,
                                          [BX_TAG_IMAGES] = BX_PART_RESULTS,
                                          [BX_TAG_SUMMARY] = BX_PART_SUMMARY,
                                          [BX_TAG_FACT] = BX_PART_FACTS,
                                          [BX_TAG_PROJECT] = BX_PART_PROJECT};
    return m->role == BX_ROLE_TOOL ? BX_PART_RESULTS : by_tag[m->tag];
}

static const char *name_of(const struct bx_message *m, bool is_note, char buf[static 80]) {
    const struct bx_block *b = m->blocks.n ? &m->blocks.p[0] : NULL;
    const char *text = is_note                         ? "said for this turn only"
                       : m->tag == BX_TAG_SUMMARY      ? "earlier conversation"
                       : m->tag == BX_TAG_IMAGES       ? "image"
                       : m->tag == BX_TAG_PROJECT      ? "instructions of a folder"
                       : b && m->role == BX_ROLE_TOOL  ? b->tool
                       : b && b->kind == BX_BLOCK_CALL ? b->tool
                       : b                             ? b->text
                                                       : NULL;
    struct bx_str line = bx_str(text), rest = line;
    if (m->tag == BX_TAG_FACT) /* its frame is one line */
        bx_str_split(&rest, '\n', &line);
    bx_str_split(&rest, '\n', &line);
    snprintf(buf, 80, "%.*s", (int)bx_utf8_cut(line, BX_MIN(line.n, (size_t)76)),
             line.p ? line.p : "");
    return buf;
}

/* The frame of the request is counted with the instructions. */
static void walk(struct tally *t, const struct bx_context *c,
                 const struct bx_model_request *request) {
    char buf[80];
    size_t end = 0;
    int64_t system = 0;
    for (size_t i = 0; i < c->items.n; i++) {
        const struct bx_context_item *it = &c->items.p[i];
        int64_t tokens = bx_tokens_estimate(bx_str_n(c->system + it->from, it->n));
        end = it->from + it->n;
        system += tokens;
        item(t, it->part, it->name, tokens, 0);
    }
    int64_t tools = 0;
    for (size_t i = 0; i < c->tools.n; i++) {
        int64_t tokens = bx_context_tool_tokens(c, c->tools.p[i]);
        tools += tokens;
        item(t, BX_PART_TOOLS, c->tools.p[i]->name, tokens, 0);
    }
    bool more =
        c->system[end] != '\0'; /* put behind by whoever has the run: an agent's own words */
    item(t, BX_PART_INSTRUCTIONS, more ? "of the agent" : "frame",
         c->fixed_estimate - system - tools, 0);
    for (size_t i = 0; i < request->message_count; i++) {
        const struct bx_message *m = request->messages[i];
        item(t, part_of(m), name_of(m, m == c->note, buf), bx_message_tokens(m), m->origin);
    }
}

static void write_number(struct bx_jw *w, const char *key, int64_t n) {
    bx_jw_key(w, key);
    if (n > 0)
        bx_jw_int(w, n);
    else
        bx_jw_null(w);
}

static void write_parts(const struct bx_context *c, const struct bx_history *h,
                        const struct bx_model_request *request, struct bx_jw *w) {
    struct tally sums = {.factor = h->factor};
    int64_t all = 0;
    walk(&sums, c, request);
    for (size_t i = 0; i < BX_PART_COUNT; i++)
        all += sums.parts[i];
    bx_jw_kint(w, "estimated", all);
    bx_jw_karr(w, "parts");
    for (size_t i = 0; i < BX_PART_COUNT; i++) {
        struct tally items = {.factor = h->factor, .w = w, .part = (enum bx_part)i};
        if (!sums.parts[i])
            continue;
        bx_jw_obj(w);
        bx_jw_kstr(w, "part", bx_part_name((enum bx_part)i));
        bx_jw_kint(w, "tokens", sums.parts[i]);
        bx_jw_karr(w, "items");
        walk(&items, c, request);
        bx_jw_end(w);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static void write_held(const struct bx_history *h, struct bx_jw *w) {
    bx_jw_karr(w, "facts");
    for (size_t i = 0; i < h->pinned.facts.n; i++) {
        const struct bx_fact *f = &h->pinned.facts.p[i];
        bx_jw_obj(w);
        bx_jw_kstr(w, "id", f->id);
        bx_jw_kstr(w, "text", f->text);
        bx_jw_kstr(w, "from", f->by_model ? "model" : "user");
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_karr(w, "packs");
    for (size_t i = 0; i < h->pinned.packs.n; i++)
        bx_jw_z(w, h->pinned.packs.p[i]);
    bx_jw_end(w);
    bx_jw_kobj(w, "cache");
    bx_jw_key(w, "cached_tokens");
    if (h->cached >= 0)
        bx_jw_int(w, h->cached);
    else
        bx_jw_null(w);
    bx_jw_key(w, "broken_by");
    if (h->broken_part[0]) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "part", h->broken_part);
        bx_jw_kstr(w, "what", h->broken_what);
        bx_jw_end(w);
    } else {
        bx_jw_null(w);
    }
    bx_jw_end(w);
    bx_jw_kbool(w, "truncated", h->truncated);
}

static void write_report(struct bx_run *run, struct bx_jw *w) {
    const struct bx_history *h = run->history;
    struct bx_model_request request;
    int64_t window = bx_run_window(run);
    bx_run_request(run, NULL, &request);
    bx_jw_obj(w);
    bx_jw_kstr(w, "model", bx_model_id(run->model));
    write_number(w, "window", window);
    bx_jw_kstr(w, "window_from",
               window <= 0                 ? NULL
               : h->truncated_at == window ? "counted"
                                           : bx_model_window_from(run->model));
    write_number(w, "measured", h->counted);
    write_number(w, "compact_at", bx_agent_compact_at(run->agent, window));
    write_parts(run->context, h, &request, w);
    write_held(h, w);
    bx_jw_end(w);
}

int bx_agent_context_report(struct bx_agent *a, struct bx_session *session, struct bx_jw *w,
                            struct bx_err *err) {
    struct bx_run run = {.agent = a, .session = session};
    bx_auto(bx_freep) char *model = bx_session_model(session);
    int rc = bx_models_get(a->models, model, &run.model, err);
    if (rc)
        return rc;
    pthread_mutex_init(&run.rules_lock, NULL);
    struct bx_run_options options = {0};
    bx_executor_enter(
        &run, &options,
        NULL); /* its role, and the tools that it may not call; a damaged one has none */
    bx_run_look_at_planner(&run);
    run.history = bx_agent_take_history(a, &run);
    if (!(rc = bx_history_catch_up(run.history, session, err))) {
        run.context = bx_run_context_new(&run);
        write_report(&run, w);
    }
    bx_context_free(run.context);
    bx_agent_keep_history(a, run.history);
    bx_run_narrows_free(&run);
    bx_executor_unref(run.executor);
    bx_model_unref(run.model);
    pthread_mutex_destroy(&run.rules_lock);
    return rc;
}
