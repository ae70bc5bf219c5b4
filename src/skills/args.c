#include "skills/args.h"

#include "skills/front.h"

#define WORDS_MAX 1000

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word, its quotes taken off; *rest is what is behind it. */
static char *next_word(struct bx_str *rest) {
    size_t i = 0;
    char quote = 0;
    while (i < rest->n && is_blank(rest->p[i]))
        i++;
    if (i == rest->n)
        return NULL;
    struct bx_buf out = BX_BUF_INIT(rest->n + 1);
    bx_buf_addz(&out, "");
    for (; i < rest->n && (quote || !is_blank(rest->p[i])); i++) {
        char c = rest->p[i];
        if (c == '\\' && i + 1 < rest->n && quote != '\'' && strchr("\"'\\ ", rest->p[i + 1]))
            bx_buf_addc(&out, rest->p[++i]);
        else if (quote ? c == quote
                       : (c == '"' || (c == '\'' && (!out.size || out.p[out.size - 1] == '='))))
            quote = quote ? 0 : c;
        else
            bx_buf_addc(&out, c);
    }
    *rest = bx_str_slice(*rest, i, rest->n);
    return bx_buf_steal(&out);
}

static size_t index_of(const struct bx_skill_meta *meta, struct bx_str name) {
    for (size_t i = 0; i < meta->params.n; i++)
        if (bx_str_ieqz(name, meta->params.p[i].name))
            return i;
    return (size_t)-1;
}

static int wrong(const struct bx_param *p, struct bx_str value, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf allowed = BX_BUF_INIT(16 * BX_KIB);
    bx_param_describe(p, &allowed);
    return bx_fail(err, BX_ERR_INVALID, "\"%.*s\" does not fit the parameter %.300s",
                   (int)BX_MIN(value.n, (size_t)60), value.n ? value.p : "", bx_buf_z(&allowed));
}

static int set(const struct bx_skill_meta *meta, size_t at, struct bx_str value,
               struct bx_skill_args *a, struct bx_err *err) {
    char *text = bx_param_value(&meta->params.p[at], value);
    if (!text)
        return wrong(&meta->params.p[at], value, err);
    bx_free(a->values[at]);
    a->values[at] = text;
    return 0;
}

static int unknown(const struct bx_skill_meta *meta, struct bx_str name, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf known = BX_BUF_INIT(4 * BX_KIB);
    for (size_t i = 0; i < meta->params.n; i++)
        bx_buf_addf(&known, "%s%s", i ? ", " : "", meta->params.p[i].name);
    return bx_fail(err, BX_ERR_INVALID, "there is no parameter \"%.*s\": known are %.300s",
                   (int)BX_MIN(name.n, (size_t)60), name.p, known.size ? bx_buf_z(&known) : "none");
}

static int read_object(const struct bx_skill_meta *meta, const struct bx_val *obj,
                       struct bx_skill_args *a, struct bx_err *err) {
    bx_val_foreach_member (obj, name, value) {
        size_t at = index_of(meta, name);
        struct bx_buf json = BX_BUF_INIT(BX_MIB);
        if (at == (size_t)-1)
            return unknown(meta, name, err);
        if (bx_val_is(value, BX_VAL_NULL))
            continue;
        if (bx_val_is(value, BX_VAL_STR))
            bx_buf_adds(&json, bx_val_str(value));
        else if (bx_val_is(value, BX_VAL_INT))
            bx_buf_addf(&json, "%" PRIi64, bx_val_int(value, 0));
        else if (bx_val_is(value, BX_VAL_REAL))
            bx_buf_addf(&json, "%g", bx_val_real(value, 0));
        else if (bx_val_is(value, BX_VAL_BOOL))
            bx_buf_addz(&json, bx_val_bool(value, false) ? "true" : "false");
        else
            return bx_fail(err, BX_ERR_INVALID, "the parameter %s is a text, a number or a yes/no",
                           meta->params.p[at].name);
        int rc = set(meta, at, bx_buf_str(&json), a, err);
        bx_buf_deinit(&json);
        if (rc)
            return rc;
    }
    return 0;
}

/* "name=value"; a name that is nearly one of ours is a slip of the pen, any other text is a word.
 */
static int try_named(const struct bx_skill_meta *meta, struct bx_str word, bool *ret_named,
                     struct bx_skill_args *a, struct bx_err *err) {
    size_t eq = bx_str_find(word, '=');
    *ret_named = false;
    if (eq == (size_t)-1 || !eq)
        return 0;
    struct bx_str name = bx_str_slice(word, 0, eq), value = bx_str_slice(word, eq + 1, word.n);
    if (bx_str_starts(name, "--"))
        name = bx_str_slice(name, 2, name.n);
    size_t at = index_of(meta, name);
    if (at != (size_t)-1) {
        *ret_named = true;
        return set(meta, at, value, a, err);
    }
    for (size_t i = 0; i < meta->params.n; i++)
        if (name.n > 3 && bx_str_slips(name, bx_str(meta->params.p[i].name)) <= 2)
            return unknown(meta, name, err);
    return 0;
}

/* Which parameter the next words are for, how many others wait behind it. */
static size_t next_open(const struct bx_skill_meta *meta, const struct bx_skill_args *a,
                        bool required, size_t *ret_behind) {
    size_t first = (size_t)-1;
    *ret_behind = 0;
    for (size_t i = 0; i < meta->params.n; i++) {
        if (a->values[i] || meta->params.p[i].required != required)
            continue;
        if (first == (size_t)-1)
            first = i;
        else
            ++*ret_behind;
    }
    return first;
}

/* Words without a name fill the required parameters that are not given, in order, and the last of
 * them takes the rest: "/weather New York". Where none is required, or left, the others. */
static int fill(const struct bx_skill_meta *meta, const bx_texts *plain, struct bx_skill_args *a,
                struct bx_err *err) {
    for (size_t word = 0; word < plain->n && meta->params.n;) {
        size_t behind, at = next_open(meta, a, true, &behind);
        if (at == (size_t)-1)
            at = next_open(meta, a, false, &behind);
        if (at == (size_t)-1)
            return bx_fail(err, BX_ERR_INVALID,
                           "\"%.60s\" is more than the parameters of this skill take",
                           plain->p[word]);
        bx_auto(bx_buf_deinit) struct bx_buf value = BX_BUF_INIT(BX_MIB);
        size_t take = behind ? 1 : plain->n - word;
        for (size_t k = 0; k < take; k++)
            bx_buf_addf(&value, "%s%s", k ? " " : "", plain->p[word + k]);
        word += take;
        int rc = set(meta, at, bx_buf_str(&value), a, err);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_words(const struct bx_skill_meta *meta, struct bx_skill_args *a,
                      struct bx_err *err) {
    bx_texts plain = {0}; /* views into a->words */
    int rc = 0;
    for (size_t i = 0; i < a->words.n && !rc; i++) {
        bool named;
        rc = try_named(meta, bx_str(a->words.p[i]), &named, a, err);
        if (!rc && !named)
            bx_vec_push(&plain, a->words.p[i]);
    }
    if (!rc)
        rc = fill(meta, &plain, a, err);
    bx_vec_free(&plain);
    return rc;
}

static int check_missing(const struct bx_skill_meta *meta, struct bx_skill_args *a,
                         struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf missing = BX_BUF_INIT(64 * BX_KIB);
    for (size_t i = 0; i < meta->params.n; i++) {
        const struct bx_param *p = &meta->params.p[i];
        if (!a->values[i] && p->preset)
            a->values[i] = bx_strdup(p->preset);
        if (a->values[i] || !p->required)
            continue;
        if (missing.size)
            bx_buf_addz(&missing, "; ");
        bx_param_describe(p, &missing);
    }
    return missing.size ? bx_fail(err, BX_ERR_INVALID, "missing: %.380s", bx_buf_z(&missing)) : 0;
}

static void inherit(const struct bx_skill_meta *meta, const struct bx_skill_args *from,
                    const struct bx_skill_meta *outer, struct bx_skill_args *a) {
    for (size_t i = 0; i < meta->params.n; i++) {
        size_t at = index_of(outer, bx_str(meta->params.p[i].name));
        if (at != (size_t)-1 && from->values[at])
            a->values[i] = bx_param_value(&meta->params.p[i], bx_str(from->values[at]));
    }
}

int bx_skill_args_read(const struct bx_skill_meta *meta, struct bx_str text,
                       const struct bx_skill_args *inherited, const struct bx_skill_meta *outer,
                       struct bx_skill_args *ret, struct bx_err *err) {
    struct bx_str rest = bx_str_trim(text);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    *ret = (struct bx_skill_args){.all = rest,
                                  .values = bx_alloc((meta->params.n + 1) * sizeof(char *)),
                                  .count = meta->params.n};
    int rc = 0;
    if (inherited)
        inherit(meta, inherited, outer, ret);
    if (meta->params.n && bx_str_starts(rest, "{") && bx_doc_parse(rest, NULL, &doc, NULL) == 0) {
        rc = read_object(meta, bx_doc_root(doc), ret, err);
    } else {
        for (char *word; ret->words.n < WORDS_MAX && (word = next_word(&rest)) != NULL;)
            bx_vec_push(&ret->words, word);
        rc = read_words(meta, ret, err);
    }
    if (!rc)
        rc = check_missing(meta, ret, err);
    if (rc)
        bx_skill_args_deinit(ret);
    return rc;
}

void bx_skill_args_deinit(struct bx_skill_args *a) {
    bx_texts_free(&a->words);
    for (size_t i = 0; i < a->count; i++)
        bx_free(a->values[i]);
    bx_free(a->values);
    *a = (struct bx_skill_args){0};
}
