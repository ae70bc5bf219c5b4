#include "json/write.h"
#include "skills/catalogue.h"
#include "skills/expand.h"
#include "skills/trust.h"
#include "tools/host.h"
#include "tools/native.h"
#include "tools/registry.h"

/* Skill says the text of a SKILL.md to the model; without a name it lists what there is, the broken
 * ones with the reason. Nothing of a skill is run by this. */

#define RESULT_MAX (BX_SKILL_EXPANDED_MAX + BX_MIB)
#define FILES_MAX  60

static void list_one(const struct bx_skill *s, struct bx_buf *out) {
    bx_buf_addf(out, "- %s: ", s->name);
    if (s->problem)
        bx_buf_addf(out, "broken, %s", s->problem);
    else if (s->shadowed)
        bx_buf_addz(out, "not used, a nearer one has its name");
    else
        bx_skill_catalogue_line(s, out);
    for (size_t i = 0; !s->problem && !s->shadowed && !s->untrusted && i < s->meta.params.n; i++) {
        bx_buf_addz(out, i ? ", " : " Takes ");
        bx_param_describe(&s->meta.params.p[i], out);
    }
    bx_buf_addc(out, '\n');
}

static void set_content(struct bx_tool_result *ret, const struct bx_buf *text, bool is_error) {
    struct bx_buf json = BX_BUF_INIT(2 * RESULT_MAX);
    bx_json_quote(&json, bx_buf_str(text));
    ret->content = bx_buf_steal(&json);
    ret->is_error = is_error;
}

static int list_all(const struct bx_skills *skills, struct bx_tool_result *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(RESULT_MAX);
    if (!skills->n)
        bx_buf_addz(&out, "There are no skills. A skill is a folder with a SKILL.md below "
                          ".boxagnts/skills, .agents/skills or .claude/skills.");
    else
        bx_buf_addf(&out, "%zu skill%s:\n", skills->n, skills->n == 1 ? "" : "s");
    for (size_t i = 0; i < skills->n; i++)
        list_one(&skills->items[i], &out);
    if (skills->cut)
        bx_buf_addz(&out, "There are more folders than the 2,000 that are looked at.\n");
    set_content(ret, &out, false);
    return 0;
}

/* ---- trust ---- */

static void write_question(const struct bx_skill *s, const char *digest, struct bx_buf *out) {
    bx_auto(bx_freep) char *path = bx_skill_path(s);
    char *names[FILES_MAX];
    size_t n = bx_skill_files(s, names, FILES_MAX);
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "skill", s->name);
    bx_jw_kstr(&w, "path", path);
    bx_jw_kstr(&w, "description", s->description);
    bx_jw_kstr(&w, "approved_digest", s->approved);
    bx_jw_kstr(&w, "digest", digest);
    bx_jw_karr(&w, "files");
    for (size_t i = 0; i < n; i++) {
        bx_jw_z(&w, names[i]);
        bx_free(names[i]);
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
}

/* Asks once for each digest. True: somebody said yes, and it is on the disk. */
static bool ask_trust(const struct bx_skill *s, struct bx_tool_ctx *ctx, struct bx_err *err) {
    const char *state = bx_registry_state(ctx->registry);
    char digest[BX_SHA256_HEX + 1];
    if (!state || !ctx->host || !ctx->host->can_ask(ctx) || bx_skill_digest(s, digest, err))
        return false;
    bx_auto(bx_buf_deinit) struct bx_buf members = BX_BUF_INIT(BX_MIB);
    write_question(s, digest, &members);
    bx_auto(bx_freep) char *text =
        s->approved
            ? bx_asprintf("The skill %s has changed since you allowed it. Use it as it is now?",
                          s->name)
            : bx_asprintf("The skill %s comes with the project. Use it?", s->name);
    static const char *const choices[] = {"approve", "no", NULL};
    struct bx_tool_question question = {
        .kind = "trust", .text = text, .choices = choices, .members = bx_buf_str(&members)};
    struct bx_tool_answer answer = {0};
    if (ctx->host->ask(ctx, &question, &answer, err))
        return false;
    bool yes = strcmp(answer.choice, "approve") == 0;
    if (!yes)
        bx_fail(err, BX_ERR_DENIED, "the user does not want the skill %s to be used%s%.300s",
                s->name, answer.text && *answer.text ? ": " : "", answer.text ? answer.text : "");
    bx_tool_answer_deinit(&answer);
    return yes && bx_skill_trust(state, s, digest, err) == 0;
}

/* The first skill that must be asked about: this one or one that it uses. */
static const struct bx_skill *untrusted_of(const struct bx_skills *skills, const struct bx_skill *s,
                                           unsigned depth) {
    if (!s || s->problem || depth > BX_SKILL_USES_DEPTH)
        return NULL;
    if (s->untrusted)
        return s;
    const struct bx_skill *found = NULL;
    for (size_t i = 0; i < s->meta.uses.n && !found; i++)
        found = untrusted_of(skills, bx_skills_get(skills, bx_str(s->meta.uses.p[i])), depth + 1);
    return found;
}

/* ---- loading ---- */

static void write_meta(const struct bx_skill_use *u, const char *folder,
                       struct bx_tool_result *ret) {
    struct bx_buf meta = BX_BUF_INIT(256 * BX_KIB);
    bx_auto(bx_freep) char *path = bx_skill_path(u->skill);
    struct bx_jw w;
    bx_jw_init(&w, &meta);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "skill", u->skill->name);
    bx_jw_kstr(&w, "path", path);
    bx_jw_kstr(&w, "source", bx_skill_source_name(u->skill->source));
    bx_jw_kstr(&w, "files", folder);
    if (u->skill->warning)
        bx_jw_kstr(&w, "warning", u->skill->warning);
    bx_jw_end(&w);
    ret->metadata = bx_buf_steal(&meta);
}

static int say(struct bx_skill_use *u, struct bx_tool_ctx *ctx, struct bx_tool_result *ret,
               struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(RESULT_MAX);
    bx_auto(bx_freep) char *folder = NULL;
    struct bx_err problem = {0};
    int rc =
        ctx->host && ctx->host->begin_skill ? ctx->host->begin_skill(ctx, u, &folder, &problem) : 0;
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_skill_introduce(u, folder, false, &text);
    bx_buf_addf(&text, "\n\n%s", u->text);
    set_content(ret, &text, false);
    write_meta(u, folder, ret);
    return 0;
}

/* Arguments are a text or an object of parameters, which is one, too. */
static void read_args(const struct bx_val *input, struct bx_buf *out) {
    const struct bx_val *args = bx_val_get(input, "args");
    struct bx_jw w;
    if (bx_val_is(args, BX_VAL_STR)) {
        bx_buf_adds(out, bx_val_str(args));
    } else if (bx_val_is(args, BX_VAL_OBJ)) {
        bx_jw_init(&w, out);
        bx_jw_val(&w, args);
    }
}

static int load(struct bx_skills **skills, struct bx_str name, const struct bx_val *input,
                struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf args = BX_BUF_INIT(2 * BX_SKILL_ARGUMENTS_MAX);
    struct bx_err problem = {0};
    struct bx_skill_use use;
    read_args(input, &args);
    const struct bx_skill *ask;
    for (int i = 0; i <= BX_SKILL_USES_MAX &&
                    (ask = untrusted_of(*skills, bx_skills_get(*skills, name), 0)) != NULL;
         i++) {
        if (!ask_trust(ask, ctx, &problem))
            break;
        bx_skills_free(*skills);
        *skills = bx_registry_skills(ctx->registry, ctx->grant->mounts[0].host_path);
    }
    if (problem.code == BX_ERR_CANCELLED)
        return bx_tool_host_failed(problem.code, &problem, ret, err);
    if (problem.code || bx_skill_expand(*skills, name, bx_buf_str(&args), &use, &problem)) {
        bool is_near = problem.code != BX_ERR_NOTFOUND || bx_skills_nearest(*skills, name);
        bx_tool_result_text(ret, true, "%s.%s", problem.msg,
                            is_near ? "" : " Call Skill without a name for the list.");
        return 0;
    }
    int rc = say(&use, ctx, ret, err);
    bx_skill_use_deinit(&use);
    return rc;
}

static int end(struct bx_str name, struct bx_tool_ctx *ctx, struct bx_tool_result *ret,
               struct bx_err *err) {
    struct bx_err problem = {0};
    bx_auto(bx_freep) char *own = bx_str_dup(name);
    int rc = ctx->host && ctx->host->end_skill
                 ? ctx->host->end_skill(ctx, own, &problem)
                 : bx_fail(&problem, BX_ERR_INVALID, "the skill %.100s is not active.", own);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_tool_result_text(ret, false, "The skill %s has ended.", own);
    return 0;
}

static int skill_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)t;
    struct bx_str name = bx_str_trim(bx_val_get_str(input, "name"));
    if (!name.n)
        name = bx_str_trim(bx_val_get_str(input, "skill"));
    if (bx_str_starts(name, "/"))
        name = bx_str_slice(name, 1, name.n); /* as users call it */
    if (name.n && bx_val_get_bool(input, "end", false))
        return end(name, ctx, ret, err);
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(ctx->registry, ctx->grant->mounts[0].host_path);
    if (!name.n || (bx_str_eqz(name, "list") && !bx_skills_get(skills, name)))
        return list_all(skills, ret);
    return load(&skills, name, input, ctx, ret, err);
}

const struct bx_native_spec bx_native_skill = {
    .name = "Skill",
    .description = "Loads a skill: written instructions for a kind of work, from a SKILL.md of the "
                   "project or of the user. Call it before the work that the skill is for. Without "
                   "a name it lists all skills and what they take.",
    .level = BX_LEVEL_NONE,
    .schema =
        "{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"The skill's "
        "name\"},"
        "\"skill\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"The same as "
        "name\"},"
        "\"args\":{\"type\":[\"string\",\"object\"],\"description\":\"What the skill is to be used "
        "on: "
        "a text, or its parameters by name\"},"
        "\"end\":{\"type\":\"boolean\",\"description\":\"true: the work of this skill is done, and "
        "the tools that it left out may be used again\"}},"
        "\"additionalProperties\":false}",
    .example = "{\"name\":\"release-notes\",\"args\":\"v1.2\"}",
    .execute = skill_execute,
};
