#include "skills/expand.h"

#include "skills/args.h"

#define PLACE_MAX                                                                                  \
    102 /* bytes of a {{name}} with its blanks: a text of braces alone is not read to its end for  \
           each */

/* ---- filling in ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static const char *value_of(const struct bx_skill_meta *meta, const struct bx_skill_args *a,
                            struct bx_str name, bool *ret_known, bool *used) {
    for (size_t i = 0; i < meta->params.n; i++) {
        if (bx_str_ieqz(name, meta->params.p[i].name)) {
            *ret_known = true;
            used[i] = true;
            return a->values[i] ? a->values[i] : "";
        }
    }
    *ret_known = false;
    return NULL;
}

struct filler {
    const struct bx_skill_meta *meta;
    const struct bx_skill_args *args;
    bool *used;    /* one a parameter: it had a place */
    bool used_all; /* $ARGUMENTS or a $N had one */
    struct bx_buf *out;
};

/* "{{name}}" at the start of text; how many bytes it takes, 0 = it is none. */
static size_t fill_name(struct filler *f, struct bx_str text) {
    if (!bx_str_starts(text, "{{"))
        return 0;
    size_t end = bx_str_find_str(bx_str_slice(text, 0, PLACE_MAX), BX_STR_LIT("}}"));
    if (end == (size_t)-1)
        return 0;
    bool known;
    const char *value =
        value_of(f->meta, f->args, bx_str_trim(bx_str_slice(text, 2, end - 2)), &known, f->used);
    if (!known)
        return 0;
    bx_buf_addz(f->out, value);
    return end + 2;
}

/* "$ARGUMENTS" or "$3" at the start of text. */
static size_t fill_dollar(struct filler *f, struct bx_str text) {
    if (bx_str_starts(text, "$ARGUMENTS")) {
        f->used_all = true;
        bx_buf_adds(f->out, f->args->all);
        return strlen("$ARGUMENTS");
    }
    if (text.n < 2 || text.p[0] != '$' || !is_digit(text.p[1]) || text.p[1] == '0')
        return 0;
    size_t n = 1, number = 0;
    while (n < text.n && n < 4 && is_digit(text.p[n]))
        number = number * 10 + (size_t)(text.p[n++] - '0');
    if (number > f->args->words.n)
        return 0;
    f->used_all = true;
    bx_buf_addz(f->out, f->args->words.p[number - 1]);
    return n;
}

static void fill(struct filler *f, struct bx_str body) {
    for (size_t i = 0; i < body.n;) {
        struct bx_str rest = bx_str_slice(body, i, body.n);
        char c = rest.p[0], next = rest.n > 1 ? rest.p[1] : 0;
        size_t took = 0;
        if (c == '\\' &&
            (next == '$' || (next == '{' && bx_str_starts(bx_str_slice(rest, 1, 2), "{{")))) {
            size_t plain = next == '$' ? 2 : 3;
            bx_buf_add(f->out, rest.p + 1, plain - 1);
            i += plain;
            continue;
        }
        if (c == '{')
            took = fill_name(f, rest);
        else if (c == '$')
            took = fill_dollar(f, rest);
        if (!took)
            bx_buf_addc(f->out, c);
        i += took ? took : 1;
    }
}

/* What was given and has no place in the text. */
static void add_rest(struct filler *f) {
    bool any = false;
    for (size_t i = 0; i < f->args->count; i++) {
        if (f->used[i] || !f->args->values[i] || f->used_all)
            continue;
        bx_buf_addf(f->out, "%s%s: %s", any ? "\n" : "\n\n", f->meta->params.p[i].name,
                    f->args->values[i]);
        any = true;
    }
    if (!f->args->count && !f->used_all && f->args->all.n) {
        bx_buf_addz(f->out, "\n\nARGUMENTS: ");
        bx_buf_adds(f->out, f->args->all);
    }
}

/* ---- what it uses ---- */

struct chain { /* of skills that are being looked into */
    const struct bx_skill *items[BX_SKILL_USES_DEPTH + 1];
    size_t n;
};

static void write_chain(const struct chain *c, const char *last, struct bx_buf *out) {
    for (size_t i = 0; i < c->n; i++)
        bx_buf_addf(out, "%s → ", c->items[i]->name);
    bx_buf_addz(out, last);
}

/* Does s lead back to something in the chain, or too deep? Fills out with the sentence. */
static bool leads_back(const struct bx_skills *skills, const struct bx_skill *s, struct chain *c,
                       unsigned *steps, struct bx_buf *out) {
    for (size_t i = 0; i < c->n; i++) {
        if (c->items[i] == s) {
            bx_buf_addz(out, "its `uses` lead in a circle: ");
            write_chain(c, s->name, out);
            return true;
        }
    }
    if (c->n > BX_SKILL_USES_DEPTH - 1 || ++*steps > 1000) {
        bx_buf_addf(out, "its `uses` go deeper than %d: ", BX_SKILL_USES_DEPTH);
        write_chain(c, s->name, out);
        return true;
    }
    c->items[c->n++] = s;
    bool bad = false;
    for (size_t i = 0; i < s->meta.uses.n && !bad; i++) {
        const struct bx_skill *used = bx_skills_get(skills, bx_str(s->meta.uses.p[i]));
        bad = used && leads_back(skills, used, c, steps, out);
    }
    c->n--;
    return bad;
}

char *bx_skill_uses_problem(const struct bx_skills *skills, const struct bx_skill *s) {
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB);
    struct chain chain = {.n = 0};
    unsigned steps = 0;
    if (s->meta.uses.n && leads_back(skills, s, &chain, &steps, &out) && !bx_buf_failed(&out))
        return bx_buf_steal(&out);
    bx_buf_deinit(&out);
    return NULL;
}

/* ---- all of it ---- */

struct expansion {
    const struct bx_skills *skills;
    const struct bx_skill *done[BX_SKILL_USES_MAX + 1]; /* each is told once */
    size_t n;
    bx_texts tools; /* of those that are used */
    bool any_tool;  /* one of them takes any */
    struct bx_buf *out;
};

static int check(const struct bx_skill *s, struct bx_err *err) {
    if (s->problem)
        return bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %.350s", s->name, s->problem);
    if (s->untrusted)
        return bx_fail(err, BX_ERR_DENIED,
                       "the skill %s comes with the project and is not trusted yet, or has changed "
                       "since: read it with boxagnts skill show %s, then boxagnts skill trust %s",
                       s->name, s->name, s->name);
    return 0;
}

static int add_one(struct expansion *e, const struct bx_skill *s, const struct bx_skill_args *args,
                   struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(2 * BX_MIB);
    int rc = bx_skill_body(s, &body, err);
    if (rc)
        return rc;
    bx_auto(bx_freep) bool *used = bx_alloc((s->meta.params.n + 1) * sizeof *used);
    struct filler f = {.meta = &s->meta, .args = args, .used = used, .out = e->out};
    fill(&f, bx_str_trim(bx_buf_str(&body)));
    add_rest(&f);
    return bx_buf_failed(e->out)
               ? bx_fail(err, BX_ERR_LIMIT,
                         "the skill %s is too large with these arguments: its text "
                         "and those that it uses have at most 4 MiB",
                         s->name)
               : 0;
}

static bool is_done(const struct expansion *e, const struct bx_skill *s) {
    for (size_t i = 0; i < e->n; i++)
        if (e->done[i] == s)
            return true;
    return false;
}

static int add_used(struct expansion *e, const struct bx_skill *s, const struct bx_skill_args *args,
                    struct bx_err *err);

static int use(struct expansion *e, const struct bx_skill *s, const char *name,
               const struct bx_skill_args *args, struct bx_err *err) {
    const struct bx_skill *used = bx_skills_get(e->skills, bx_str(name));
    if (!used)
        return bx_fail(err, BX_ERR_NOTFOUND, "the skill %s uses %s, which is not there", s->name,
                       name);
    if (is_done(e, used))
        return 0;
    if (e->n == BX_ARRAY_LEN(e->done))
        return bx_fail(err, BX_ERR_LIMIT, "the skill %s leads to more than %d others", s->name,
                       BX_SKILL_USES_MAX);
    int rc = check(used, err);
    if (rc)
        return bx_wrap(err, rc, "the skill %s uses %s", s->name, name);
    struct bx_skill_args own;
    rc = bx_skill_args_read(&used->meta, BX_STR_LIT(""), args, &s->meta, &own, err);
    if (rc)
        return bx_wrap(err, rc, "the skill %s uses %s", s->name, name);
    e->done[e->n++] = used;
    e->any_tool |= !used->meta.narrows;
    for (size_t i = 0; i < used->meta.tools.n; i++)
        bx_vec_push(&e->tools, used->meta.tools.p[i]);
    bx_buf_addf(e->out, "\n\n# Skill %s\n\n", used->name);
    rc = add_one(e, used, &own, err);
    if (!rc)
        rc = add_used(e, used, &own, err);
    bx_skill_args_deinit(&own);
    return rc;
}

/* Recursion ends: circles and depth were refused when the list was made, each is done once. */
static int add_used(struct expansion *e, const struct bx_skill *s, const struct bx_skill_args *args,
                    struct bx_err *err) {
    int rc = 0;
    for (size_t i = 0; i < s->meta.uses.n && !rc; i++)
        rc = use(e, s, s->meta.uses.p[i], args, err);
    return rc;
}

static const char **copy_tools(const bx_texts *tools) {
    const char **copy = bx_alloc((tools->n + 1) * sizeof *copy);
    for (size_t i = 0; i < tools->n; i++)
        copy[i] = bx_strdup(tools->p[i]);
    return copy;
}

static int expand(const struct bx_skills *skills, const struct bx_skill *s, struct bx_str args,
                  struct bx_skill_use *ret, struct bx_err *err) {
    struct bx_buf out = BX_BUF_INIT(BX_SKILL_EXPANDED_MAX);
    struct expansion e = {.skills = skills, .done = {s}, .n = 1, .out = &out};
    struct bx_skill_args given;
    int rc = bx_skill_args_read(&s->meta, args, NULL, NULL, &given, err);
    if (rc)
        return bx_wrap(err, rc, "the skill %s", s->name);
    rc = add_one(&e, s, &given, err);
    if (!rc)
        rc = add_used(&e, s, &given, err);
    bx_skill_args_deinit(&given);
    if (!rc && bx_buf_failed(&out))
        rc = bx_fail(err, BX_ERR_LIMIT, "the skill %s is larger than 4 MiB with those that it uses",
                     s->name);
    if (!rc)
        *ret = (struct bx_skill_use){.skill = s,
                                     .by = bx_asprintf("skill %s", s->name),
                                     .tools = s->meta.narrows          ? copy_tools(&s->meta.tools)
                                              : e.n > 1 && !e.any_tool ? copy_tools(&e.tools)
                                                                       : NULL};
    for (size_t i = 0; !rc && i < e.n; i++)
        ret->all[ret->all_count++] = e.done[i];
    bx_buf_addz(&out, "");
    if (!rc)
        ret->text = bx_buf_steal(&out);
    bx_buf_deinit(&out);
    bx_vec_free(&e.tools); /* views */
    return rc;
}

int bx_skill_expand(const struct bx_skills *skills, struct bx_str name, struct bx_str args,
                    struct bx_skill_use *ret, struct bx_err *err) {
    name = bx_str_trim(name);
    if (bx_str_starts(name, "/"))
        name = bx_str_slice(name, 1, name.n);
    const struct bx_skill *s = bx_skills_get(skills, name);
    if (!s)
        return bx_skills_missing(skills, name, err);
    if (args.n > BX_SKILL_ARGUMENTS_MAX)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the arguments are larger than 128 KiB: put them into a file");
    int rc = check(s, err);
    return rc ? rc : expand(skills, s, args, ret, err);
}

void bx_skill_move(struct bx_skill_use *u, const char *mount) {
    if (strcmp(mount, BX_SKILL_MOUNT) == 0)
        return;
    for (size_t i = 0; i < u->all_count; i++) {
        bx_auto(bx_freep) char *from = bx_asprintf(BX_SKILL_MOUNT "/%s/", u->all[i]->name);
        struct bx_buf out = BX_BUF_INIT(2 * BX_SKILL_EXPANDED_MAX);
        struct bx_str rest = bx_str(u->text);
        for (size_t at; (at = bx_str_find_str(rest, bx_str(from))) != (size_t)-1;
             rest = bx_str_slice(rest, at + strlen(from), rest.n)) {
            bx_buf_adds(&out, bx_str_slice(rest, 0, at));
            bx_buf_addf(&out, "%s/%s/", mount, u->all[i]->name);
        }
        bx_buf_adds(&out, rest);
        bx_free(u->text);
        u->text = bx_buf_steal(&out);
    }
}

#define FILES_SHOWN 60

void bx_skill_introduce(const struct bx_skill_use *u, const char *folder, bool by_user,
                        struct bx_buf *out) {
    char *names[FILES_SHOWN];
    size_t n = folder ? bx_skill_files(u->skill, names, FILES_SHOWN) : 0;
    bx_buf_addf(out,
                by_user ? "The user starts the skill %s; follow it."
                        : "The skill %s is loaded; follow it for this task.",
                u->skill->name);
    if (folder)
        bx_buf_addf(out, " Its files are in %s, read-only", folder);
    for (size_t i = 0; i < n; i++) {
        bx_buf_addf(out, "%s%s", i ? ", " : ": ", names[i]);
        bx_free(names[i]);
    }
    if (folder)
        bx_buf_addc(out, '.');
    if (!u->tools)
        return;
    bx_buf_addz(out, " While it is active only these tools may be used: ");
    for (size_t i = 0; u->tools[i]; i++)
        bx_buf_addf(out, "%s%s", i ? ", " : "", u->tools[i]);
    bx_buf_addz(out, u->tools[0] ? "." : "none.");
    if (!by_user)
        bx_buf_addf(out, " When its work is done, end it: call Skill with name %s and end true.",
                    u->skill->name);
}

void bx_skill_use_deinit(struct bx_skill_use *u) {
    bx_free(u->text);
    bx_free(u->by);
    for (size_t i = 0; u->tools && u->tools[i]; i++)
        bx_free((char *)(uintptr_t)u->tools[i]);
    bx_free(u->tools);
    *u = (struct bx_skill_use){0};
}
