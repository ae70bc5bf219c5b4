#include "base/path.h"
#include "json/write.h"
#include "skills/skills.h"
#include "tools/native.h"
#include "tools/registry.h"

/* Skill loads the body of a SKILL.md; without a name it lists what there is, the broken ones with
 * the reason. Nothing of a skill is run by this. */

#define RESULT_MAX (4 * BX_MIB)
#define FILES_MAX  60

/* A guest path where its files have one, else the host's. The caller's. */
static char *place_of(const struct bx_skill *s) {
    if (s->in_root)
        return bx_asprintf("/%s", s->folder);
    return bx_path_join(s->base, s->folder + (strncmp(s->folder, "./", 2) ? 0 : 2));
}

static void list_one(const struct bx_skill *s, struct bx_buf *out) {
    bx_auto(bx_freep) char *place = place_of(s);
    bx_buf_addf(out, "- %s (%s)", s->name, place);
    if (s->problem)
        bx_buf_addf(out, ": broken, %s\n", s->problem);
    else if (s->shadowed)
        bx_buf_addz(out, ": not used, a nearer one has its name\n");
    else
        bx_buf_addf(out, ": %s%s%s%s\n", s->description, s->warning ? " (warning: " : "",
                    s->warning ? s->warning : "", s->warning ? ")" : "");
}

static void set_content(struct bx_tool_result *ret, const struct bx_buf *text, bool is_error) {
    struct bx_buf json = BX_BUF_INIT(2 * RESULT_MAX);
    bx_json_quote(&json, bx_buf_str(text));
    ret->content = bx_buf_steal(&json);
    ret->is_error = is_error;
}

static void list_all(const struct bx_skills *skills, struct bx_buf *out) {
    if (!skills->n)
        bx_buf_addz(out, "There are no skills. A skill is a folder with a SKILL.md below "
                         ".boxagnts/skills, .agents/skills or .claude/skills.");
    else
        bx_buf_addf(out, "%zu skill%s:\n", skills->n, skills->n == 1 ? "" : "s");
    for (size_t i = 0; i < skills->n; i++)
        list_one(&skills->items[i], out);
    if (skills->cut)
        bx_buf_addz(out, "There are more folders than the 2,000 that are looked at.\n");
}

static void unknown(const struct bx_skills *skills, struct bx_str name, struct bx_buf *out) {
    const char *nearest = bx_skills_nearest(skills, name);
    bx_buf_addf(out, "There is no skill \"%.*s\".", (int)BX_MIN(name.n, (size_t)100), name.p);
    if (nearest) {
        bx_buf_addf(out, " Did you mean \"%s\"?", nearest);
        return;
    }
    bx_buf_addc(out, ' ');
    list_all(skills, out);
}

/* Where the skill's files are, so that "see reference.md" in its text leads somewhere. */
static void add_files(const struct bx_skill *s, struct bx_buf *out) {
    char *names[FILES_MAX];
    size_t n = bx_skill_files(s, names, BX_ARRAY_LEN(names));
    if (s->in_root)
        bx_buf_addf(out, "\nIts folder is /%s", s->folder);
    if (n && s->in_root)
        bx_buf_addz(out, ", with ");
    else if (n)
        bx_buf_addz(out, "\nIt lies outside of the folder that tools see; these files of it cannot "
                         "be read: ");
    for (size_t i = 0; i < n; i++) {
        bx_buf_addf(out, "%s%s", i ? ", " : "", names[i]);
        bx_free(names[i]);
    }
    if (n || s->in_root)
        bx_buf_addz(out, ".");
}

static int load(const struct bx_skill *s, struct bx_str arguments, struct bx_tool_result *ret) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(RESULT_MAX),
                                         meta = BX_BUF_INIT(64 * BX_KIB);
    struct bx_err problem = {0};
    bx_auto(bx_freep) char *place = place_of(s);
    bx_buf_addf(&text, "The skill %s is loaded; follow it for this task.", s->name);
    add_files(s, &text);
    bx_buf_addz(&text, "\n\n");
    if (bx_skill_load(s, arguments, &text, &problem)) {
        bx_tool_result_text(ret, true, "%s.", problem.msg);
        return 0;
    }
    struct bx_jw w;
    bx_jw_init(&w, &meta);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "skill", s->name);
    bx_jw_kstr(&w, "path", place);
    bx_jw_kstr(&w, "source", s->in_root ? "root" : "user");
    if (s->warning)
        bx_jw_kstr(&w, "warning", s->warning);
    bx_jw_end(&w);
    set_content(ret, &text, false);
    ret->metadata = bx_buf_steal(&meta);
    return 0;
}

static int skill_execute(const struct bx_tool *t, const struct bx_val *input,
                         struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    (void)t, (void)err;
    struct bx_str name = bx_str_trim(bx_val_get_str(input, "name"));
    if (!name.n)
        name = bx_str_trim(bx_val_get_str(input, "skill"));
    if (bx_str_starts(name, "/"))
        name = bx_str_slice(name, 1, name.n); /* as users call it */
    bx_auto(bx_skills_freep) struct bx_skills *skills =
        bx_registry_skills(ctx->registry, ctx->grant->mounts[0].host_path);
    const struct bx_skill *s = bx_skills_get(skills, name);
    if (s)
        return load(s, bx_val_get_str(input, "args"), ret);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(RESULT_MAX);
    bool list = !name.n || bx_str_eqz(name, "list");
    if (list)
        list_all(skills, &text);
    else
        unknown(skills, name, &text);
    set_content(ret, &text, !list);
    return 0;
}

const struct bx_native_spec bx_native_skill = {
    .name = "Skill",
    .description = "Loads a skill: written instructions for a kind of work, from a SKILL.md of the "
                   "project or of the user. Call it before the work that the skill is for. Without "
                   "a name it lists all skills.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{"
              "\"name\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"The skill's "
              "name\"},"
              "\"skill\":{\"type\":\"string\",\"maxLength\":200,\"description\":\"The same as "
              "name\"},"
              "\"args\":{\"type\":\"string\",\"maxLength\":100000,\"description\":\"What the skill "
              "is to be used on; takes the place of $ARGUMENTS in its text\"}},"
              "\"additionalProperties\":false}",
    .example = "{\"name\":\"release-notes\",\"args\":\"v1.2\"}",
    .execute = skill_execute,
};
