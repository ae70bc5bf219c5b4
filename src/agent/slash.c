#include "agent/slash_internal.h"

#include "base/id.h"
#include "skills/skills.h"
#include "store/fork.h"

#define NAME_MAX_BYTES 64

/* ---- what a text is ---- */

static bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ':' || c == '.';
}

static size_t name_size(struct bx_str text) { /* of the word behind the slash */
    size_t n = 1;
    while (n < text.n && name_char(text.p[n]))
        n++;
    return n - 1;
}

bool bx_slash_is(struct bx_str text) {
    text = bx_str_trim(text);
    if (text.n < 2 || text.p[0] != '/')
        return false;
    size_t n = name_size(text);
    return n && n <= NAME_MAX_BYTES &&
           (n + 1 == text.n || strchr(" \t\r\n", text.p[n + 1])); /* "/a/b" is a path */
}

struct bx_str bx_slash_message(struct bx_str text) {
    return bx_str_starts(text, "//") && text.n > 2 ? bx_str_slice(text, 1, text.n) : text;
}

const char *bx_slash_kind_name(enum bx_slash_kind kind) {
    static const char *const names[] = {"text", "run", "queued", "session", "open"};
    return names[kind];
}

void bx_slash_result_deinit(struct bx_slash_result *r) {
    bx_free(r->text);
    *r = (struct bx_slash_result){0};
}

/* ---- what commands do ---- */

int bx_slash_say(struct bx_slash *s, const char *text, struct bx_run_options options,
                 struct bx_err *err) {
    struct bx_said said;
    bx_auto(bx_freep) char *typed = bx_str_dup(s->text);
    options.typed = typed;
    int rc = bx_agent_say(s->agent, s->session, text, &options, &said, err);
    s->ret->kind = *said.queued ? BX_SLASH_QUEUED : BX_SLASH_RUN;
    memcpy(s->ret->id, *said.queued ? said.queued : said.run, sizeof s->ret->id);
    return rc;
}

static struct bx_run_options options_of(const struct bx_slash *s) {
    return s->env->options ? *s->env->options : (struct bx_run_options){0};
}

void bx_slash_open(struct bx_slash *s, const char *what) {
    s->ret->kind = BX_SLASH_OPEN;
    s->ret->what = what;
}

int bx_slash_set(struct bx_slash *s, const char *member, const char *value, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(16 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, member, value);
    bx_jw_end(&w);
    return bx_session_append(s->session, member, bx_buf_str(&body), BX_DURABLE, NULL, err);
}

int bx_slash_wrong(struct bx_slash *s, struct bx_err *err) {
    return bx_fail(err, BX_ERR_INVALID, "/%s %s: %s", s->command->name, s->command->args,
                   s->command->description);
}

static int set_mode(struct bx_slash *s, struct bx_str name, struct bx_err *err) {
    enum bx_mode mode;
    if (!bx_mode_parse(name, &mode))
        return bx_fail(err, BX_ERR_INVALID,
                       "there is no mode \"%.*s\": plan, default, accept-edits or auto",
                       (int)BX_MIN(name.n, (size_t)60), name.p);
    if (mode == BX_MODE_BYPASS && !s->agent->allow_bypass)
        return bx_fail(err, BX_ERR_DENIED,
                       "bypass can only be switched on when boxagnts is started");
    return bx_slash_set(s, "mode", bx_mode_name(mode), err);
}

/* The context is empty, and nothing is lost: the session so far stays in the list. */
static int cmd_clear(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *model = bx_session_model(s->session),
                           *mode = bx_session_mode(s->session);
    struct bx_session_header header = {.title = "",
                                       .model = model,
                                       .mode = mode,
                                       .root = bx_session_header(s->session)->root,
                                       .kind = "chat"};
    bx_auto(bx_session_unrefp) struct bx_session *fresh = NULL;
    if (s->args.n)
        return bx_slash_wrong(s, err);
    int rc = bx_session_create(s->agent->store, &header, &fresh, err);
    if (rc)
        return rc;
    s->ret->kind = BX_SLASH_SESSION;
    memcpy(s->ret->id, bx_session_header(fresh)->id, sizeof s->ret->id);
    bx_buf_addz(&s->out,
                "A new session, with nothing in its context. The last one stays in the list.");
    return 0;
}

static int cmd_resume(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *query = bx_str_dup(s->args);
    if (bx_id_is_valid(s->args)) {
        struct bx_session_row row;
        int rc = bx_store_row(s->agent->store, query, &row, err);
        if (rc)
            return rc;
        bx_session_row_deinit(&row);
        s->ret->kind = BX_SLASH_SESSION;
        memcpy(s->ret->id, query, sizeof s->ret->id);
        return 0;
    }
    bx_slash_open(s, "sessions");
    return bx_slash_show_sessions(s, *query ? query : NULL, err);
}

static int cmd_fork(struct bx_slash *s, struct bx_err *err) {
    uint64_t up_to = 0;
    if (s->args.n && (!bx_str_to_u64(s->args, &up_to) || !up_to))
        return bx_slash_wrong(s, err);
    bx_auto(bx_session_unrefp) struct bx_session *copy = NULL;
    int rc = bx_session_fork(s->agent->store, s->session, up_to, &copy, err);
    if (rc)
        return rc;
    s->ret->kind = BX_SLASH_SESSION;
    memcpy(s->ret->id, bx_session_header(copy)->id, sizeof s->ret->id);
    bx_buf_addz(&s->out, "A copy of the session, to go on in another way. The first one stays.");
    return 0;
}

static int cmd_export(struct bx_slash *s, struct bx_err *err) {
    const char *id = bx_session_header(s->session)->id;
    if (s->args.n && !bx_str_eqz(s->args, "json") && !bx_str_eqz(s->args, "html"))
        return bx_slash_wrong(s, err);
    bx_slash_open(s, "export");
    bx_buf_addf(&s->out, "`boxagnts session export %s%s`", id,
                bx_str_eqz(s->args, "html") ? " --format html" : "");
    return 0;
}

static int cmd_rename(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *title = bx_str_dup(s->args);
    if (!*title || s->args.n > 400)
        return bx_slash_wrong(s, err);
    int rc = bx_slash_set(s, "title", title, err);
    if (!rc)
        bx_buf_addf(&s->out, "The session is called “%s” now.", title);
    return rc;
}

static int cmd_model(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_model_unrefp) struct bx_model *model = NULL;
    bx_auto(bx_freep) char *id = bx_str_dup(s->args);
    if (!*id) {
        bx_slash_open(s, "model");
        return bx_slash_show_models(s, err);
    }
    int rc = bx_models_get(s->agent->models, id, &model, err);
    if (!rc)
        rc = bx_slash_set(s, "model", bx_model_id(model), err);
    if (!rc && bx_agent_is_running(s->agent, bx_session_header(s->session)->id))
        bx_buf_addf(&s->out, "The model is %s, from the next run on; this one keeps its own.",
                    bx_model_id(model));
    else if (!rc)
        bx_buf_addf(&s->out, "The model is %s, from the next message on.", bx_model_id(model));
    return rc;
}

static int cmd_permissions(struct bx_slash *s, struct bx_err *err) {
    if (!s->args.n) {
        bx_slash_open(s, "permissions");
        return bx_slash_show_permissions(s, err);
    }
    int rc = set_mode(s, s->args, err);
    if (!rc)
        bx_buf_addf(&s->out, "The mode is %.*s, from the next call on.", (int)s->args.n, s->args.p);
    return rc;
}

static int cmd_plan(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *text = bx_str_dup(s->args);
    int rc = set_mode(s, BX_STR_LIT("plan"), err);
    if (rc)
        return rc;
    if (*text)
        return bx_slash_say(s, text, options_of(s), err);
    bx_buf_addz(&s->out,
                "The mode is plan: tools only look, nothing is changed, until you approve a "
                "plan or change the mode (/permissions default).");
    return 0;
}

static int cmd_compact(struct bx_slash *s, struct bx_err *err) {
    struct bx_run_options options = options_of(s);
    bx_auto(bx_freep) char *focus = bx_str_dup(s->args);
    options.compact = true;
    return bx_slash_say(s, focus, options, err);
}

static int take_back(struct bx_slash *s, const struct bx_val *one, struct bx_err *err) {
    int rc = bx_agent_unqueue(s->agent, s->session, bx_val_get_z(one, "id"), err);
    if (!rc)
        bx_buf_addf(&s->out, "Taken back: %s", bx_val_get_z(one, "text"));
    return rc;
}

static int cmd_queue(struct bx_slash *s, struct bx_err *err) {
    bx_auto(bx_freep) char *queued = bx_session_queued(s->session);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_str word, rest = s->args;
    uint64_t n = 0;
    int rc = bx_doc_parse(bx_str(queued), NULL, &doc, err);
    if (rc)
        return rc;
    size_t count = bx_val_len(bx_doc_root(doc));
    if (!s->args.n) {
        bx_slash_show_queue(s, bx_doc_root(doc));
        return 0;
    }
    bx_str_split(&rest, ' ', &word);
    rest = bx_str_trim(rest);
    if (!bx_str_eqz(word, "back") || (rest.n && (!bx_str_to_u64(rest, &n) || !n)))
        return bx_slash_wrong(s, err);
    n = rest.n ? n : count;
    if (!n || n > count)
        return bx_fail(err, BX_ERR_INVALID, "only %zu wait: /queue lists what does", count);
    return take_back(s, bx_val_at(bx_doc_root(doc), (size_t)n - 1), err);
}

static const char init_prompt[] =
    "Write an AGENTS.md for this project: the file that tells somebody who works here with no "
    "memory of it what they must know.\n"
    "\n"
    "First look: the files of the top folder, the README, how it is built and tested, where the "
    "code lies, which conventions it really follows. Run nothing that changes files. Then write "
    "/AGENTS.md, at most 80 lines:\n"
    "- what the project is, in two sentences;\n"
    "- the commands to build, to test all and to test one thing, as they stand in its files;\n"
    "- where what lies, one line a folder that matters;\n"
    "- rules of style and of work that cannot be guessed from one file;\n"
    "- traps: what goes wrong for who does not know.\n"
    "Write only what you saw. Leave out what every programmer knows. When there is an AGENTS.md or "
    "a CLAUDE.md already, keep what is true in it, mend what is not, and say in your answer what "
    "you changed.";

static int cmd_init(struct bx_slash *s, struct bx_err *err) {
    if (!s->args.n)
        return bx_slash_say(s, init_prompt, options_of(s), err);
    bx_auto(bx_freep) char *text =
        bx_asprintf("%s\n\nThe user adds: %.*s", init_prompt, (int)s->args.n, s->args.p);
    return bx_slash_say(s, text, options_of(s), err);
}

const struct bx_slash_command bx_slash_commands[] = {
    {"help", "", "what can be typed here", bx_slash_help},
    {"clear", "", "go on in a new session, with nothing in its context", cmd_clear},
    {"compact", "[FOCUS]", "replace the older part of the context by a summary", cmd_compact},
    {"queue", "[back [N]]", "what waits for the run's next turn, or take one (the last) of it back",
     cmd_queue},
    {"resume", "[WORDS|ID]", "go back to an earlier session", cmd_resume},
    {"rename", "TITLE", "give this session a title", cmd_rename},
    {"fork", "[SEQ]", "go on in a copy of this session, up to an event or all of it", cmd_fork},
    {"export", "[json|html]", "this session as a file", cmd_export},
    {"model", "[MODEL]", "show the models, or change this session's", cmd_model},
    {"permissions", "[MODE]",
     "show mode and rules, or change the mode (plan, default, accept-edits, auto)",
     cmd_permissions},
    {"plan", "[TEXT]", "look and plan, change nothing until a plan is approved", cmd_plan},
    {"context", "", "what fills the model's window", bx_slash_context},
    {"memory", "", "what is remembered for all sessions of this workspace", bx_slash_memory},
    {"cost", "", "tokens and money that this session has used", bx_slash_cost},
    {"agents", "", "the agents there are, to whom work can be given", bx_slash_agents},
    {"skills", "", "the skills there are", bx_slash_skills},
    {"init", "[TEXT]", "look at the project and write its AGENTS.md", cmd_init},
    {"doctor", "", "try what the product needs on this machine", bx_slash_doctor},
};
const size_t bx_slash_command_count = BX_ARRAY_LEN(bx_slash_commands);

/* ---- finding one ---- */

struct nearest {
    struct bx_str wanted;
    size_t slips;
    char name[NAME_MAX_BYTES + 1];
};

static void consider(struct nearest *n, const char *name) {
    size_t slips = bx_str_slips(n->wanted, bx_str(name));
    bool begins = n->wanted.n >= 2 && strncasecmp(name, n->wanted.p, n->wanted.n) == 0;
    slips = begins ? 0 : slips;
    if (slips < n->slips && slips <= 2) {
        n->slips = slips;
        snprintf(n->name, sizeof n->name, "%s", name);
    }
}

static int unknown(struct bx_agent *a, struct bx_str name, struct bx_err *err) {
    struct nearest n = {.wanted = name, .slips = SIZE_MAX};
    for (size_t i = 0; i < bx_slash_command_count; i++)
        consider(&n, bx_slash_commands[i].name);
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(a->registry, a->mounts[0].host_path);
    for (size_t i = 0; i < skills->n; i++)
        if (bx_skill_usable(&skills->items[i]))
            consider(&n, skills->items[i].name);
    if (*n.name)
        return bx_fail(err, BX_ERR_INVALID,
                       "there is no command /%.*s: did you mean /%s? (/help lists them; to send "
                       "this as a message begin it with //)",
                       (int)name.n, name.p, n.name);
    return bx_fail(
        err, BX_ERR_INVALID,
        "there is no command /%.*s: /help lists them; to send this as a message begin it "
        "with //",
        (int)name.n, name.p);
}

/* ---- "/NAME args" of a skill ---- */

static bool is_skill(struct bx_agent *a, struct bx_str name) {
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(a->registry, a->mounts[0].host_path);
    return bx_skills_get(skills, name) != NULL;
}

static int send_skill(struct bx_slash *s, struct bx_str name, struct bx_err *err) {
    bx_auto(bx_freep) char *skill = bx_str_dup(name), *args = bx_str_dup(s->args),
                           *typed = bx_str_dup(s->text);
    struct bx_run_options options = options_of(s);
    options.skill = skill;
    options.skill_args = args;
    return bx_slash_say(s, typed, options, err);
}

int bx_agent_slash(struct bx_agent *a, struct bx_session *session, struct bx_str text,
                   const struct bx_slash_env *env, struct bx_slash_result *ret,
                   struct bx_err *err) {
    *ret = (struct bx_slash_result){.kind = BX_SLASH_TEXT};
    if (!bx_slash_is(text))
        return bx_fail(err, BX_ERR_INVALID,
                       "a command begins with a slash and a name: /help lists them");
    text = bx_str_trim(text);
    size_t n = name_size(text);
    struct bx_str name = bx_str_slice(text, 1, n);
    struct bx_slash s = {.agent = a,
                         .session = session,
                         .env = env,
                         .text = text,
                         .args = bx_str_trim(bx_str_slice(text, n + 1, text.n)),
                         .ret = ret,
                         .out = BX_BUF_INIT(BX_SLASH_TEXT_MAX)};
    for (size_t i = 0; i < bx_slash_command_count && !s.command; i++)
        if (bx_str_ieqz(name, bx_slash_commands[i].name))
            s.command = &bx_slash_commands[i];
    int rc = s.command           ? s.command->run(&s, err)
             : is_skill(a, name) ? send_skill(&s, name, err)
                                 : unknown(a, name, err);
    if (rc)
        bx_buf_deinit(&s.out);
    else if (s.out.size)
        ret->text = bx_buf_steal(&s.out);
    return rc;
}

static void write_one(struct bx_jw *w, const char *name, const char *args, const char *description,
                      const char *kind) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", name);
    bx_jw_kstr(w, "args", args);
    bx_jw_kstr(w, "description", description);
    bx_jw_kstr(w, "kind", kind);
    bx_jw_end(w);
}

void bx_slash_list(struct bx_agent *a, struct bx_jw *w) {
    for (size_t i = 0; i < bx_slash_command_count; i++)
        write_one(w, bx_slash_commands[i].name, bx_slash_commands[i].args,
                  bx_slash_commands[i].description, "builtin");
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(a->registry, a->mounts[0].host_path);
    for (size_t i = 0; i < skills->n; i++)
        if (bx_skill_usable(&skills->items[i]))
            write_one(w, skills->items[i].name, "[ARGS]", skills->items[i].description, "skill");
}
