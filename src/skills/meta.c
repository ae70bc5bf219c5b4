#include "skills/meta.h"

#include "base/utf8.h"
#include "skills/front.h"
#include "skills/tool_names.h"

#define TEXT_MAX    1024 /* of a description, a default, a choice */
#define WORD_MAX    100  /* of a trigger */
#define CHOICES_MAX 64

static const char *const type_names[] = {"string", "integer", "number", "boolean"};

const char *bx_param_type_name(enum bx_param_type type) {
    return type_names[type];
}

void bx_texts_free(bx_texts *t) {
    for (size_t i = 0; i < t->n; i++)
        bx_free(t->p[i]);
    bx_vec_free(t);
}

static void warn(struct bx_buf *out, const char *fmt, ...) BX_PRINTF(2, 3);
static void warn(struct bx_buf *out, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    if (out->size)
        bx_buf_addz(out, "; ");
    bx_buf_vaddf(out, fmt, ap);
    va_end(ap);
}

/* A scalar as text; the caller's, or NULL. */
static char *scalar(const struct bx_val *v) {
    switch (bx_val_type(v)) {
    case BX_VAL_STR:
        return bx_str_find(bx_val_str(v), '\0') == (size_t)-1 && bx_val_str(v).n <= TEXT_MAX
                   ? bx_str_dup(bx_val_str(v))
                   : NULL;
    case BX_VAL_INT:
        return bx_asprintf("%" PRIi64, bx_val_int(v, 0));
    case BX_VAL_BOOL:
        return bx_strdup(bx_val_bool(v, false) ? "true" : "false");
    default:
        return NULL;
    }
}

/* One line: these texts stand in lists. */
static char *line_of(const struct bx_val *v) {
    char *text = scalar(v);
    for (char *c = text; c && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return text;
}

static bool has(const bx_texts *t, const char *text) {
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->p[i], text) == 0)
            return true;
    return false;
}

static void push(bx_texts *t, char *take_text, size_t max, const char *what,
                 struct bx_buf *warnings) {
    if (t->n == max)
        warn(warnings, "only the first %zu of %s count", max, what);
    if (t->n >= max || has(t, take_text))
        bx_free(take_text);
    else
        bx_vec_push(t, take_text);
}

/* ---- triggers, uses, tools: lists, or texts with separators ---- */

typedef void take_fn(struct bx_skill_meta *m, struct bx_str word, struct bx_buf *warnings);

static void take_list(struct bx_skill_meta *m, const struct bx_val *v, const char *name,
                      take_fn *take, struct bx_buf *warnings) {
    if (bx_val_is(v, BX_VAL_STR)) {
        take(m, bx_val_str(v), warnings);
    } else if (bx_val_is(v, BX_VAL_ARR)) {
        bx_val_foreach_item (v, item) {
            if (bx_val_is(item, BX_VAL_STR))
                take(m, bx_val_str(item), warnings);
            else
                warn(warnings, "`%s` takes texts, not %s", name, bx_val_type_name(item));
        }
    } else if (v && !bx_val_is(v, BX_VAL_NULL)) {
        warn(warnings, "`%s` takes a text or a list of texts, not %s", name, bx_val_type_name(v));
    }
}

static void take_triggers(struct bx_skill_meta *m, struct bx_str words, struct bx_buf *warnings) {
    struct bx_str word;
    while (bx_str_split(&words, ',', &word)) {
        word = bx_str_trim(word);
        if (!word.n)
            continue;
        if (word.n > WORD_MAX || word.n < 2 || memchr(word.p, 0, word.n) ||
            memchr(word.p, '\n', word.n)) {
            warn(warnings, "a trigger has 2 to %d bytes on one line", WORD_MAX);
            continue;
        }
        push(&m->triggers, bx_str_dup(word), BX_SKILL_TRIGGERS_MAX, "`triggers`", warnings);
    }
}

static void take_uses(struct bx_skill_meta *m, struct bx_str words, struct bx_buf *warnings) {
    struct bx_str word;
    while (bx_tool_pattern_next(&words, &word)) {
        if (bx_skill_name_ok(word))
            push(&m->uses, bx_str_dup(word), BX_SKILL_USES_MAX, "`uses`", warnings);
        else
            warn(warnings, "`uses`: \"%.*s\" is no name of a skill",
                 (int)BX_MIN(word.n, (size_t)80), word.p);
    }
}

static void take_tools(struct bx_skill_meta *m, struct bx_str patterns, struct bx_buf *warnings) {
    struct bx_str pattern;
    while (bx_tool_pattern_next(&patterns, &pattern)) {
        const char *problem;
        char *ours = bx_tool_pattern_ours(pattern, &problem);
        if (ours)
            push(&m->tools, ours, BX_SKILL_TOOLS_MAX, "`tools`", warnings);
        else
            warn(warnings, "the tool \"%.*s\" is left out: %s", (int)BX_MIN(pattern.n, (size_t)80),
                 pattern.p, problem);
    }
}

/* An empty list is one, too: such a skill calls nothing. */
static void read_tools(const struct bx_val *members, struct bx_skill_meta *m,
                       struct bx_buf *warnings) {
    static const char *const spellings[] = {"tools", "allowed-tools", "allowed_tools"};
    for (size_t i = 0; i < BX_ARRAY_LEN(spellings); i++) {
        const struct bx_val *v = bx_val_get(members, spellings[i]);
        if (!v || bx_val_is(v, BX_VAL_NULL))
            continue;
        m->narrows |= bx_val_is(v, BX_VAL_STR) || bx_val_is(v, BX_VAL_ARR);
        take_list(m, v, spellings[i], take_tools, warnings);
    }
    if (has(&m->tools, "*"))
        m->narrows = false;
}

static void read_triggers(const struct bx_val *members, struct bx_skill_meta *m,
                          struct bx_buf *warnings) {
    const struct bx_val *triggers = bx_val_get(members, "triggers"),
                        *when = bx_val_get(members, "when_to_use");
    if (bx_val_is(triggers, BX_VAL_OBJ)) {
        bx_val_foreach_member (triggers, name, value) {
            if (bx_str_eqz(name, "keywords") || bx_str_eqz(name, "files") ||
                bx_str_eqz(name, "globs") || bx_str_eqz(name, "paths"))
                take_list(m, value, "triggers", take_triggers, warnings);
            else
                warn(warnings, "`triggers` knows keywords and files, not %.*s",
                     (int)BX_MIN(name.n, (size_t)60), name.p);
        }
    } else {
        take_list(m, triggers, "triggers", take_triggers, warnings);
    }
    if (bx_val_is(when, BX_VAL_ARR))
        take_list(m, when, "when_to_use", take_triggers, warnings);
    else if (when && !bx_val_is(when, BX_VAL_NULL) && !(m->when = line_of(when)))
        warn(warnings, "`when_to_use` is a text of at most %d bytes, or a list", TEXT_MAX);
}

bool bx_trigger_is_glob(const char *trigger) {
    return strpbrk(trigger, "*/") != NULL;
}

/* ---- parameters ---- */

static bool param_name_ok(struct bx_str name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && ((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return name.n && name.n <= 64;
}

static bool read_type(const struct bx_val *v, enum bx_param_type *ret) {
    static const struct {
        const char *name;
        enum bx_param_type type;
    } known[] = {
        {"string", BX_PARAM_STRING},   {"text", BX_PARAM_STRING},   {"str", BX_PARAM_STRING},
        {"enum", BX_PARAM_STRING},     {"path", BX_PARAM_STRING},   {"integer", BX_PARAM_INTEGER},
        {"int", BX_PARAM_INTEGER},     {"number", BX_PARAM_NUMBER}, {"float", BX_PARAM_NUMBER},
        {"boolean", BX_PARAM_BOOLEAN}, {"bool", BX_PARAM_BOOLEAN}};
    *ret = BX_PARAM_STRING;
    if (!v || bx_val_is(v, BX_VAL_NULL))
        return true;
    for (size_t i = 0; i < BX_ARRAY_LEN(known); i++) {
        if (bx_str_ieqz(bx_val_str(v), known[i].name)) {
            *ret = known[i].type;
            return true;
        }
    }
    return false;
}

static void read_choices(const struct bx_val *v, struct bx_param *p, struct bx_buf *warnings) {
    const struct bx_val *list =
        bx_val_get(v, "enum") ? bx_val_get(v, "enum") : bx_val_get(v, "choices");
    if (list && !bx_val_is(list, BX_VAL_ARR))
        warn(warnings, "`enum` of %s is a list", p->name);
    bx_val_foreach_item (list, item) {
        char *text = line_of(item);
        if (text)
            push(&p->choices, text, CHOICES_MAX, "an `enum`", warnings);
    }
}

static void param_deinit(struct bx_param *p) {
    bx_free(p->name);
    bx_free(p->description);
    bx_free(p->preset);
    bx_texts_free(&p->choices);
}

static void take_param(struct bx_skill_meta *m, struct bx_str name, const struct bx_val *v,
                       struct bx_buf *warnings) {
    if (!param_name_ok(name)) {
        warn(warnings, "a parameter's name has letters, digits, '_' and '-', not \"%.*s\"",
             (int)BX_MIN(name.n, (size_t)60), name.p ? name.p : "");
        return;
    }
    if (m->params.n == BX_SKILL_PARAMS_MAX) {
        warn(warnings, "only the first %d parameters count", BX_SKILL_PARAMS_MAX);
        return;
    }
    for (size_t i = 0; i < m->params.n; i++) {
        if (bx_str_eqz(name, m->params.p[i].name)) {
            warn(warnings, "the parameter %s is there twice", m->params.p[i].name);
            return;
        }
    }
    struct bx_param p = {.name = bx_str_dup(name)};
    p.description = line_of(bx_val_get(v, "description"));
    p.description = p.description ? p.description : bx_strdup("");
    p.required = bx_val_get_bool(v, "required", false);
    if (!read_type(bx_val_get(v, "type"), &p.type))
        warn(warnings,
             "the type of %s is string, integer, number or boolean; it is taken as string", p.name);
    read_choices(v, &p, warnings);
    const struct bx_val *preset = bx_val_get(v, "default");
    bx_auto(bx_freep) char *text = scalar(preset);
    if (preset && !bx_val_is(preset, BX_VAL_NULL)) {
        p.preset = text ? bx_param_value(&p, bx_str(text)) : NULL;
        if (!p.preset)
            warn(warnings, "the default of %s does not fit it and does not count", p.name);
    }
    bx_vec_push(&m->params, p);
}

/* A list of {name, …} or of names, or an object name → {…}; `properties` of a JSON schema, too. */
static void read_params(const struct bx_val *v, struct bx_skill_meta *m, struct bx_buf *warnings) {
    if (bx_val_is(bx_val_get(v, "properties"), BX_VAL_OBJ)) {
        read_params(bx_val_get(v, "properties"), m, warnings);
        bx_val_foreach_item (bx_val_get(v, "required"), name)
            for (size_t i = 0; i < m->params.n; i++)
                m->params.p[i].required |= bx_str_eqz(bx_val_str(name), m->params.p[i].name);
    } else if (bx_val_is(v, BX_VAL_OBJ)) {
        bx_val_foreach_member (v, name, value)
            take_param(m, name, value, warnings);
    } else if (bx_val_is(v, BX_VAL_ARR)) {
        bx_val_foreach_item (v, item) {
            struct bx_str name =
                bx_val_is(item, BX_VAL_STR) ? bx_val_str(item) : bx_val_get_str(item, "name");
            take_param(m, name, item, warnings);
        }
    } else if (v && !bx_val_is(v, BX_VAL_NULL)) {
        warn(warnings, "parameters are a list, not %s", bx_val_type_name(v));
    }
}

static bool is_whole(struct bx_str s) {
    int64_t n;
    return bx_str_to_i64(s, &n);
}

static bool is_number(struct bx_str s) {
    char copy[64], *end;
    if (!s.n || s.n >= sizeof copy || !strchr("+-.0123456789", s.p[0]))
        return false;
    memcpy(copy, s.p, s.n);
    copy[s.n] = 0;
    strtod(copy, &end);
    return !*end && !strpbrk(copy, "xXnN");
}

static const char *truth(struct bx_str s) {
    static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no",
                                                                                "off", "0"};
    for (size_t i = 0; i < BX_ARRAY_LEN(yes); i++) {
        if (bx_str_ieqz(s, yes[i]))
            return "true";
        if (bx_str_ieqz(s, no[i]))
            return "false";
    }
    return NULL;
}

char *bx_param_value(const struct bx_param *p, struct bx_str value) {
    if (p->type != BX_PARAM_STRING)
        value = bx_str_trim(value);
    if (memchr(value.n ? value.p : "", 0, value.n) || !bx_utf8_valid(value) ||
        (p->type == BX_PARAM_INTEGER && !is_whole(value)) ||
        (p->type == BX_PARAM_NUMBER && !is_number(value)))
        return NULL;
    if (p->type == BX_PARAM_BOOLEAN) {
        const char *text = truth(value);
        return text ? bx_strdup(text) : NULL;
    }
    if (!p->choices.n)
        return bx_str_dup(value);
    for (size_t i = 0; i < p->choices.n; i++)
        if (bx_str_ieqz(bx_str_trim(value), p->choices.p[i]))
            return bx_strdup(p->choices.p[i]);
    return NULL;
}

void bx_param_describe(const struct bx_param *p, struct bx_buf *out) {
    bx_buf_addf(out, "%s (%s", p->name, bx_param_type_name(p->type));
    for (size_t i = 0; i < p->choices.n; i++)
        bx_buf_addf(out, "%s%s", i ? ", " : "; one of ", p->choices.p[i]);
    if (p->preset)
        bx_buf_addf(out, "; default %s", p->preset);
    bx_buf_addf(out, ")%s%s", *p->description ? ": " : "", p->description);
}

/* ---- all ---- */

static char *read_text(const struct bx_val *members, const char *name, size_t max,
                       struct bx_buf *warnings) {
    const struct bx_val *v = bx_val_get(members, name);
    if (!v || bx_val_is(v, BX_VAL_NULL))
        return NULL;
    char *text = line_of(v);
    if (!text || strlen(text) > max) {
        warn(warnings, "`%s` is a text of at most %zu bytes", name, max);
        bx_free(text);
        return NULL;
    }
    return text;
}

void bx_skill_meta_read(const struct bx_val *members, struct bx_skill_meta *ret,
                        struct bx_buf *warnings) {
    *ret = (struct bx_skill_meta){0};
    const struct bx_val *metadata = bx_val_get(members, "metadata"),
                        *args = bx_val_get(members, "args");
    ret->license = read_text(members, "license", 500, warnings);
    ret->compatibility = read_text(members, "compatibility", 500, warnings);
    if (metadata && !bx_val_is(metadata, BX_VAL_OBJ) && !bx_val_is(metadata, BX_VAL_NULL))
        warn(warnings, "`metadata` holds names and texts");
    read_triggers(members, ret, warnings);
    read_tools(members, ret, warnings);
    read_params(bx_val_get(members, "parameters"), ret, warnings);
    read_params(args ? args : bx_val_get(members, "arguments"), ret, warnings);
    take_list(ret, bx_val_get(members, "uses"), "uses", take_uses, warnings);
    take_list(ret, bx_val_get(members, "include"), "include", take_uses, warnings);
}

void bx_skill_meta_deinit(struct bx_skill_meta *m) {
    bx_free(m->license);
    bx_free(m->compatibility);
    bx_free(m->when);
    bx_texts_free(&m->triggers);
    bx_texts_free(&m->tools);
    bx_texts_free(&m->uses);
    for (size_t i = 0; i < m->params.n; i++)
        param_deinit(&m->params.p[i]);
    bx_vec_free(&m->params);
    *m = (struct bx_skill_meta){0};
}
