/* One agent file: its front matter in the forms that are about, and its text. */
#include "agent/agents.h"

#include "base/path.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "skills/front.h"
#include "skills/members.h"
#include "skills/yaml.h"
#include "tools/names.h"
#include "tools/registry.h"

#define TOOLS_MAX 200

/* The second of a pair is what other programs call it. */
static const char *const known[] = {
    "name",        "description", "tools",     "disallowedTools", "model",          "max_turns",
    "maxTurns",    "mode",        "isolation", "permission_mode", "permissionMode", "color",
    "license",     "metadata",    "version",   "author",          "steps",          "maxSteps",
    "temperature", "background",  "memory",    "effort",          "skills",         NULL};

typedef BX_VEC(char *) texts_t;

static void warn(struct bx_agent_def *d, char *take_text) {
    char *old = d->warning;
    d->warning = old ? bx_asprintf("%s; %s", old, take_text) : bx_strdup(take_text);
    bx_free(old);
    bx_free(take_text);
}

static void broken(struct bx_agent_def *d, char *take_text) {
    if (d->problem)
        bx_free(take_text);
    else
        d->problem = take_text;
}

/* The first of two members that is there. */
static const struct bx_val *either(const struct bx_val *o, const char *a, const char *b) {
    const struct bx_val *v = bx_val_get(o, a);
    return v ? v : bx_val_get(o, b);
}

/* ---- tools ---- */

/* "A, B(x, y), C": commas inside parentheses do not separate. */
static void split_tools(struct bx_str text, texts_t *out) {
    size_t begin = 0;
    int depth = 0;
    for (size_t i = 0; i <= text.n; i++) {
        char c = i < text.n ? text.p[i] : ',';
        depth += c == '(' ? 1 : c == ')' && depth > 0 ? -1 : 0;
        if (i < text.n && (c != ',' || depth > 0))
            continue;
        struct bx_str piece = bx_str_trim(bx_str_slice(text, begin, i - begin));
        if (piece.n && out->n < TOOLS_MAX)
            bx_vec_push(out, bx_tool_pattern_own(piece));
        begin = i + 1;
    }
}

/* A string with commas, a list of strings, or an object of booleans, of which `wanted` is taken. */
static bool read_tools(const struct bx_val *v, bool wanted, texts_t *out) {
    if (bx_val_is(v, BX_VAL_STR)) {
        split_tools(bx_val_str(v), out);
        return true;
    }
    if (bx_val_is(v, BX_VAL_OBJ)) {
        bx_val_foreach_member (v, name, use) {
            if (!bx_val_is(use, BX_VAL_BOOL))
                return false;
            if (bx_val_bool(use, false) == wanted && out->n < TOOLS_MAX)
                bx_vec_push(out, bx_tool_pattern_own(name));
        }
        return true;
    }
    if (!bx_val_is(v, BX_VAL_ARR))
        return false;
    bx_val_foreach_item (v, item) {
        if (!bx_val_is(item, BX_VAL_STR))
            return false;
        split_tools(bx_val_str(item), out);
    }
    return true;
}

static void free_texts(texts_t *t) {
    for (size_t i = 0; i < t->n; i++)
        bx_free(t->p[i]);
    bx_vec_free(t);
}

static bool is_all(const char *pattern) {
    return strcmp(pattern, "*") == 0 || strcasecmp(pattern, "all") == 0;
}

/* A name that no tool has is taken out of nothing: it stays, a tool of it may come (an MCP server
 * that starts later). */
static void check_names(struct bx_agent_def *d, struct bx_registry *registry) {
    size_t n = 0, unknown = 0;
    for (; d->tools[n]; n++) {
        struct bx_err err = {0};
        if (bx_narrow_check_pattern(bx_str(d->tools[n]), &err)) {
            broken(d, bx_strdup(err.msg));
            return;
        }
        bx_auto(bx_freep) char *name = bx_str_dup(bx_tool_pattern_name(bx_str(d->tools[n])));
        if (!registry || strchr(name, '*') || strncmp(name, "mcp__", 5) == 0)
            continue;
        bx_auto(bx_tool_unrefp) struct bx_tool *tool = bx_registry_find(registry, name);
        if (tool)
            continue;
        unknown++;
        bx_auto(bx_freep) char *nearest = bx_registry_nearest(registry, name);
        warn(d, nearest ? bx_asprintf("there is no tool %.60s; did you mean %.60s", name, nearest)
                        : bx_asprintf("there is no tool %.60s", name));
    }
    if (n && unknown == n)
        broken(d, bx_asprintf("it may use no tool that there is: %s", d->warning));
}

/* What is forbidden beside a list of what is allowed goes out of that list; without one it cannot
 * be honoured. */
static void forbid(struct bx_agent_def *d, texts_t *allowed, const texts_t *forbidden) {
    for (size_t f = 0; f < forbidden->n; f++)
        for (size_t i = allowed->n; i-- > 0;)
            if (bx_str_eq(bx_tool_pattern_name(bx_str(allowed->p[i])),
                          bx_tool_pattern_name(bx_str(forbidden->p[f])))) {
                bx_free(allowed->p[i]);
                bx_vec_remove(allowed, i);
            }
    if (!allowed->n)
        broken(d, bx_strdup("it says which tools it may not use, and only a list of those that it "
                            "may use can be kept to: add `tools: read, glob, …`"));
}

static void settle_tools(struct bx_agent_def *d, const struct bx_val *o,
                         struct bx_registry *registry) {
    const struct bx_val *v = bx_val_get(o, "tools"), *not_these = bx_val_get(o, "disallowedTools");
    texts_t allowed = {0}, forbidden = {0};
    bool all = !v || bx_val_is(v, BX_VAL_NULL);
    if (!all && !read_tools(v, true, &allowed))
        broken(d, bx_strdup("its tools are neither a list of names nor names with commas between"));
    if ((bx_val_is(v, BX_VAL_OBJ) && !read_tools(v, false, &forbidden)) ||
        (not_these && !read_tools(not_these, true, &forbidden)))
        broken(d, bx_strdup("its disallowedTools are no list of names"));
    for (size_t i = 0; i < allowed.n && !all; i++)
        all = is_all(allowed.p[i]);
    if (all)
        free_texts(&allowed);
    if (forbidden.n)
        forbid(d, &allowed, &forbidden);
    if (!all) {
        bx_vec_push(&allowed, NULL);
        d->tools = allowed.p;
        if (!d->problem)
            check_names(d, registry);
    } else {
        free_texts(&allowed);
    }
    free_texts(&forbidden);
}

/* ---- the other members ---- */

static void settle_mode(struct bx_agent_def *d, const struct bx_val *o) {
    static const struct {
        const char *word, *mode; /* NULL: the session's */
    } foreign[] = {{"acceptEdits", "accept-edits"},
                   {"dontAsk", NULL},
                   {"subagent", NULL},
                   {"primary", NULL},
                   {"all", NULL},
                   {"inherit", NULL}};
    const struct bx_val *v = either(o, "permission_mode", "permissionMode");
    v = v ? v : bx_val_get(o, "mode");
    const char *word = bx_val_z(v);
    if (!v || bx_val_is(v, BX_VAL_NULL) || (word && !*word))
        return;
    for (size_t i = 0; word && i < BX_ARRAY_LEN(foreign); i++)
        if (strcmp(word, foreign[i].word) == 0) {
            if (!foreign[i].mode)
                return;
            word = foreign[i].mode;
        }
    if (word && (!strcmp(word, "bypassPermissions") || !strcmp(word, "bypass"))) {
        warn(d,
             bx_strdup("no agent can switch the permission check off; the session's mode counts"));
        return;
    }
    d->has_mode = word && bx_mode_parse(bx_str(word), &d->mode);
    if (!d->has_mode)
        broken(d, bx_asprintf("its mode is none of plan, default, accept-edits, auto: \"%.40s\"",
                              word ? word : bx_val_type_name(v)));
}

static void settle_model(struct bx_agent_def *d, const struct bx_val *o) {
    static const char *const others[] = {"sonnet", "opus", "haiku", "fable"};
    const struct bx_val *v = bx_val_get(o, "model");
    struct bx_str name = bx_str_trim(bx_val_str(v));
    if (!v || bx_val_is(v, BX_VAL_NULL) || !name.n || bx_str_eqz(name, "inherit") ||
        bx_str_eqz(name, "default")) {
        if (v && !bx_val_is(v, BX_VAL_NULL) && !bx_val_is(v, BX_VAL_STR))
            broken(d, bx_strdup("its model is no name"));
        return;
    }
    for (size_t i = 0; i < BX_ARRAY_LEN(others); i++)
        if (bx_str_ieqz(name, others[i])) {
            warn(d, bx_asprintf("%s is another program's word for a model; the session's model is "
                                "used",
                                others[i]));
            return;
        }
    d->model = bx_str_dup(name);
}

static void settle_turns(struct bx_agent_def *d, const struct bx_val *o) {
    const struct bx_val *v = either(o, "max_turns", "maxTurns");
    v = v ? v : either(o, "steps", "maxSteps");
    int64_t n = bx_val_int(v, -1);
    if (!v || bx_val_is(v, BX_VAL_NULL))
        return;
    if (n < 1 || n > BX_AGENT_TURNS_MAX)
        broken(d, bx_asprintf("its max_turns is no number from 1 to %d", BX_AGENT_TURNS_MAX));
    else
        d->max_turns = (unsigned)n;
}

static void settle_isolation(struct bx_agent_def *d, const struct bx_val *o) {
    const struct bx_val *v = bx_val_get(o, "isolation");
    struct bx_str word = bx_val_str(v);
    d->worktree = bx_str_eqz(word, "worktree");
    if (v && !bx_val_is(v, BX_VAL_NULL) && !d->worktree && !bx_str_eqz(word, "none"))
        broken(d, bx_strdup("its isolation is neither none nor worktree"));
}

static void settle_names(struct bx_agent_def *d, const struct bx_val *o, const char *stem) {
    struct bx_str own = bx_str_trim(bx_val_get_str(o, "name"));
    if (own.n && !bx_skill_name_ok(own))
        warn(d,
             bx_strdup("its name is not made of letters, digits and hyphens; the file's is used"));
    if (bx_skill_name_ok(own)) {
        bx_free(d->name);
        d->name = bx_str_dup(own);
    } else if (!bx_skill_name_ok(bx_str(stem))) {
        broken(d, bx_strdup("it has no usable name: at most 64 letters, digits and hyphens"));
    }
    d->description = bx_front_line(bx_val_get_str(o, "description"));
    if (!*d->description)
        broken(d, bx_strdup("it has no description: add `description: …` to the front matter, so "
                            "that it is known when to use it"));
    size_t n = strlen(d->description);
    if (n > BX_SKILL_DESCRIPTION_MAX) {
        d->description[bx_utf8_cut(bx_str(d->description), BX_SKILL_DESCRIPTION_MAX)] = '\0';
        warn(d, bx_asprintf("its description has %zu bytes; the first %d count", n,
                            BX_SKILL_DESCRIPTION_MAX));
    }
}

/* A word that is almost one of ours is a slip; others belong to other programs and do no harm, but
 * for what would make the agent more careful than it is here. */
static void look_at_others(struct bx_agent_def *d, const struct bx_val *o) {
    bx_val_foreach_member (o, name, value) {
        (void)value;
        const char *near = NULL;
        bool mine = false;
        for (size_t i = 0; known[i] && !mine; i++) {
            mine = bx_str_eqz(name, known[i]);
            near = bx_str_slips(name, bx_str(known[i])) <= 2 && name.n > 3 ? known[i] : near;
        }
        if (bx_str_eqz(name, "hooks") || bx_str_eqz(name, "mcpServers"))
            warn(d, bx_asprintf("its %.*s are not read", (int)name.n, name.p));
        else if (!mine && near)
            warn(d, bx_asprintf("it says %.*s; did you mean %s", (int)BX_MIN(name.n, (size_t)40),
                                name.p, near));
    }
}

static void read_members(struct bx_agent_def *d, struct bx_str yaml, const char *stem,
                         struct bx_registry *registry) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_freep) char *odd = NULL;
    struct bx_err err = {0};
    if (bx_front_members(yaml, known, &doc, &odd, &err)) {
        broken(d, bx_asprintf("its front matter cannot be read: %s", err.msg));
        return;
    }
    const struct bx_val *o = bx_doc_root(doc);
    if (odd)
        warn(d, bx_asprintf("its front matter is not YAML (%s); it was read line by line, put the "
                            "value into quotes",
                            odd));
    settle_names(d, o, stem);
    settle_mode(d, o);
    settle_model(d, o);
    settle_turns(d, o);
    settle_isolation(d, o);
    settle_tools(d, o, registry);
    look_at_others(d, o);
}

static char *stem_of(const char *path) {
    struct bx_str base = bx_str(bx_path_base(path));
    return bx_str_dup(bx_str_ends(base, ".md") ? bx_str_slice(base, 0, base.n - 3) : base);
}

void bx_agent_def_parse(struct bx_str text, const char *path, struct bx_registry *registry,
                        struct bx_agent_def *ret) {
    bx_auto(bx_freep) char *stem = stem_of(path);
    struct bx_str yaml;
    *ret = (struct bx_agent_def){.name = bx_strdup(stem), .path = bx_strdup(path)};
    size_t begin = bx_front_end(text, &yaml);
    if (!bx_utf8_valid(text)) {
        broken(ret, bx_strdup("it is not UTF-8"));
    } else if (!begin) {
        broken(ret, bx_strdup(text.n > BX_YAML_MAX
                                  ? "its front matter does not end within 64 KiB: close it with ---"
                                  : "it has no front matter: begin the file with ---, name: …, "
                                    "description: …, ---"));
    } else {
        read_members(ret, yaml, stem, registry);
        struct bx_str body = bx_str_trim(bx_str_slice(text, begin, text.n));
        ret->prompt = bx_str_dup(body);
        if (!body.n)
            broken(ret, bx_strdup("it has no text: say behind the front matter what the agent does "
                                  "and how"));
        if (body.n > BX_AGENT_TEXT_MAX)
            broken(ret, bx_strdup("its text is larger than 64 KiB"));
        if (memchr(body.p, 0, body.n))
            broken(ret, bx_strdup("there is a NUL in its text"));
    }
    ret->description = ret->description ? ret->description : bx_strdup("");
    ret->prompt = ret->prompt ? ret->prompt : bx_strdup("");
    ret->text = bx_utf8_valid(text) ? bx_str_dup(text) : NULL;
}

void bx_agent_def_deinit(struct bx_agent_def *d) {
    char *texts[] = {d->name, d->description, d->prompt,  d->model,
                     d->path, d->problem,     d->warning, d->text};
    for (size_t i = 0; i < BX_ARRAY_LEN(texts); i++)
        bx_free(texts[i]);
    for (size_t i = 0; d->tools && d->tools[i]; i++)
        bx_free(d->tools[i]);
    bx_free(d->tools);
    *d = (struct bx_agent_def){0};
}
