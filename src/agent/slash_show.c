/* Commands that show something, as Markdown: for the terminal, and for the page where it has no
 * view of its own. */
#include "agent/slash_internal.h"
#include "agent/memory.h"

#include "agent/agents.h"
#include "base/clock.h"
#include "skills/skills.h"
#include "store/usage.h"

#define LISTED_SESSIONS 15

/* Text of others inside a line of Markdown: one line, and nothing in it is markup. */
static void add_plain(struct bx_buf *out, const char *text, size_t max) {
    for (size_t i = 0; text[i] && i < max; i++) {
        if (strchr("\\`*_[]<>|#", text[i]))
            bx_buf_addc(out, '\\');
        bx_buf_addc(out, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
    }
}

int bx_slash_help(struct bx_slash *s, struct bx_err *err) {
    (void)err;
    bx_buf_addz(&s->out, "A message to the assistant, or one of these:\n\n");
    for (size_t i = 0; i < bx_slash_command_count; i++) {
        const struct bx_slash_command *c = &bx_slash_commands[i];
        bx_buf_addf(&s->out, "- `/%s%s%s`: %s\n", c->name, *c->args ? " " : "", c->args,
                    c->description);
    }
    bx_buf_addz(&s->out, "- `/SKILL args`: use a skill (`/skills` lists them)\n"
                         "- `//text`: send a message that begins with a slash\n"
                         "- `@path` in a message names a file of the root\n");
    return 0;
}

void bx_slash_show_queue(struct bx_slash *s, const struct bx_val *queued) {
    size_t n = 0;
    if (!bx_val_len(queued))
        bx_buf_addz(&s->out, "Nothing waits.\n");
    bx_val_foreach_item (queued, one) {
        bx_buf_addf(&s->out, "%zu. ", ++n);
        add_plain(&s->out, bx_val_get_z(one, "text"), 200);
        bx_buf_addc(&s->out, '\n');
    }
}

int bx_slash_show_models(struct bx_slash *s, struct bx_err *err) {
    (void)err;
    struct bx_model_infos infos;
    bx_auto(bx_freep) char *now = bx_session_model(s->session);
    bx_models_list(s->agent->models, &infos);
    bx_buf_addf(&s->out, "This session uses `%s`. Ready:\n\n", *now ? now : "the default");
    for (size_t i = 0; i < infos.n; i++)
        if (infos.items[i].available)
            bx_buf_addf(&s->out, "- `%s`%s\n", infos.items[i].id,
                        infos.items[i].local ? " (on this machine)" : "");
    bx_model_infos_deinit(&infos);
    return 0;
}

int bx_slash_show_permissions(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *mode = bx_session_mode(s->session);
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(4 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &json);
    bx_jw_arr(&w);
    int rc = bx_agent_list_grants(s->agent, bx_session_header(s->session)->id, &w, err);
    bx_jw_end(&w);
    if (!rc)
        rc = bx_doc_parse(bx_buf_str(&json), NULL, &doc, err);
    if (rc)
        return rc;
    bx_buf_addf(&s->out, "The mode is `%s`.\n\n", *mode ? mode : "default");
    if (!bx_val_len(bx_doc_root(doc)))
        bx_buf_addz(&s->out, "There are no rules.\n");
    bx_val_foreach_item (bx_doc_root(doc), rule) {
        static const char *const what[] = {"host", "path", "command"};
        bx_buf_addf(&s->out, "- %s `%s`", bx_val_get_z(rule, "verdict"),
                    bx_val_get_z(rule, "tool"));
        for (size_t i = 0; i < BX_ARRAY_LEN(what); i++) {
            if (bx_val_get(rule, what[i])) {
                bx_buf_addf(&s->out, " %s ", what[i]);
                add_plain(&s->out, bx_val_get_z(rule, what[i]), 200);
            }
        }
        bx_buf_addf(&s->out, " (%s, %s)\n", bx_val_get_z(rule, "scope"),
                    bx_val_get_z(rule, "state"));
    }
    return 0;
}

int bx_slash_show_sessions(struct bx_slash *s, const char *query, struct bx_err *err) {
    struct bx_session_list list = {0};
    int rc =
        bx_store_list(s->agent->store, &(struct bx_session_filter){.title = query, .kind = "chat"},
                      LISTED_SESSIONS, &list, err);
    if (rc)
        return rc;
    if (!list.n)
        bx_buf_addf(&s->out, "No session has that in its title.\n");
    for (size_t i = 0; i < list.n; i++) {
        char when[25];
        bx_time_format(list.rows[i].updated_at_ms, when);
        bx_buf_addf(&s->out, "- `%s` %.10s %.5s ", list.rows[i].id, when, when + 11);
        add_plain(&s->out, list.rows[i].title ? list.rows[i].title : "", 120);
        bx_buf_addc(&s->out, '\n');
    }
    if (list.more)
        bx_buf_addz(&s->out, "- … and older ones: `/resume WORDS` finds them by title\n");
    bx_session_list_deinit(&list);
    return 0;
}

static void show_context(const struct bx_val *report, struct bx_buf *out) {
    int64_t window = bx_val_get_int(report, "window", 0),
            now = bx_val_get_int(report, "estimated", 0);
    bx_buf_addf(out, "The next request: about %" PRId64 " tokens", now);
    if (window > 0)
        bx_buf_addf(out, " of %" PRId64 " (%" PRId64 " %%)", window, now * 100 / window);
    else
        bx_buf_addz(out, "; how many the model takes is not known");
    if (bx_val_get_int(report, "compact_at", 0) > 0)
        bx_buf_addf(out, ", compacted from %" PRId64 " on",
                    bx_val_get_int(report, "compact_at", 0));
    bx_buf_addz(out, ".\n\n");
    bx_val_foreach_item (bx_val_get(report, "parts"), part) {
        int64_t tokens = bx_val_get_int(part, "tokens", 0);
        if (tokens > 0)
            bx_buf_addf(out, "- %s: %" PRId64 "\n", bx_val_get_z(part, "part"), tokens);
    }
}

int bx_slash_context(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &json);
    bx_slash_open(s, "context");
    int rc = bx_agent_context_report(s->agent, s->session, &w, err);
    if (!rc)
        rc = bx_doc_parse(bx_buf_str(&json), NULL, &doc, err);
    if (!rc)
        show_context(bx_doc_root(doc), &s->out);
    return rc;
}

int bx_slash_memory(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *text = NULL;
    bx_slash_open(s, "memory");
    int rc = bx_memory_read(bx_store_dir(s->agent->store), &text, err);
    if (!rc)
        bx_buf_addz(
            &s->out,
            *text ? text
                  : "Nothing is remembered yet. The file is `memory.md` beside the sessions.");
    return rc;
}

static const char *plural(int64_t n) {
    return n == 1 ? "" : "s";
}

static void show_usage(const struct bx_val *u, struct bx_buf *out) {
    const struct bx_val *cost = bx_val_get(u, "cost"), *executors = bx_val_get(u, "executors");
    int64_t turns = bx_val_get_int(u, "turns", 0),
            sessions = bx_val_get_int(executors, "sessions", 0);
    bx_buf_addf(out,
                "%" PRId64 " request%s: %" PRId64 " tokens in (%" PRId64
                " of them from the cache), %" PRId64 " out.\n",
                turns, plural(turns), bx_val_get_int(u, "input_tokens", 0),
                bx_val_get_int(u, "cached_tokens", 0), bx_val_get_int(u, "output_tokens", 0));
    if (bx_val_is(cost, BX_VAL_NULL))
        bx_buf_addz(out, "No price is known for the models of this session.\n");
    else
        bx_buf_addf(out, "Cost: US$ %.4f%s\n", bx_val_real(cost, 0),
                    bx_val_get_int(u, "unpriced", 0)
                        ? ", without the requests whose price is not known"
                        : "");
    if (sessions)
        bx_buf_addf(out,
                    "Beside that %" PRId64 " executor%s: %" PRId64 " tokens in, %" PRId64 " out.\n",
                    sessions, plural(sessions), bx_val_get_int(executors, "input_tokens", 0),
                    bx_val_get_int(executors, "output_tokens", 0));
}

int bx_slash_cost(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &json);
    bx_slash_open(s, "cost");
    int rc = bx_session_usage(s->agent->store, s->session, &w, err);
    if (!rc)
        rc = bx_doc_parse(bx_buf_str(&json), NULL, &doc, err);
    if (!rc)
        show_usage(bx_doc_root(doc), &s->out);
    return rc;
}

int bx_slash_agents(struct bx_slash *s, struct bx_err *err) {
    (void)err;
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs = bx_agent_definitions(s->agent);
    bx_slash_open(s, "agents");
    for (size_t i = 0; i < defs->n; i++) {
        const struct bx_agent_def *d = &defs->items[i];
        if (d->shadowed)
            continue;
        bx_buf_addf(&s->out, "- `%s` ", d->name);
        add_plain(&s->out, d->problem ? d->problem : d->description ? d->description : "", 300);
        bx_buf_addz(&s->out, d->problem ? " (broken)\n" : "\n");
    }
    return 0;
}

int bx_slash_skills(struct bx_slash *s, struct bx_err *err) {
    (void)err;
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(s->agent->registry, s->agent->mounts[0].host_path);
    bx_slash_open(s, "skills");
    for (size_t i = 0; i < skills->n; i++) {
        const struct bx_skill *skill = &skills->items[i];
        if (!skill->shadowed) {
            bx_buf_addf(&s->out, "- `/%s` ", skill->name);
            add_plain(&s->out, skill->problem ? skill->problem : skill->description, 300);
            bx_buf_addz(&s->out, skill->problem ? " (broken)\n" : "\n");
        }
    }
    if (!skills->n)
        bx_buf_addz(&s->out, "There are no skills yet.\n");
    return 0;
}

int bx_slash_doctor(struct bx_slash *s, struct bx_err *err) {
    if (!s->env->doctor)
        return bx_fail(err, BX_ERR_UNAVAILABLE, "run boxagnts doctor in a terminal");
    return s->env->doctor(s->env->user, &s->out, err);
}
