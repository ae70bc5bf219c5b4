#include "skills/members.h"

#include "json/write.h"
#include "skills/yaml.h"

static bool is_known(struct bx_str name, const char *const *known) {
    for (; *known; known++)
        if (bx_str_eqz(name, *known))
            return true;
    return false;
}

static struct bx_str unquoted(struct bx_str value) {
    value = bx_str_trim(value);
    bool quoted = value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') &&
                  value.p[value.n - 1] == value.p[0];
    return quoted ? bx_str_slice(value, 1, value.n - 2) : value;
}

/* A line that is YAML by itself is what it says ("tools: [read, grep]"), any other a text. */
static void write_value(struct bx_jw *w, struct bx_str line, struct bx_str name,
                        struct bx_str value) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    const struct bx_val *v =
        bx_yaml_parse(line, &doc, NULL) ? NULL : bx_val_get_n(bx_doc_root(doc), name);
    if (v && !bx_val_is(v, BX_VAL_NULL))
        bx_jw_val(w, v);
    else
        bx_jw_str(w, value);
}

/* True when each known member that is there stands on one line, once: a list of tools that went
 * missing would be a wider one. */
static bool by_lines(struct bx_str yaml, const char *const *known, struct bx_buf *json) {
    struct bx_str line, seen[32];
    size_t n = 0;
    struct bx_jw w;
    bx_jw_init(&w, json);
    bx_jw_obj(&w);
    while (n < BX_ARRAY_LEN(seen) && bx_str_split(&yaml, '\n', &line)) {
        size_t colon = bx_str_find(line, ':');
        struct bx_str name = bx_str_slice(line, 0, colon == (size_t)-1 ? 0 : colon), value;
        bool twice = false;
        for (size_t i = 0; i < n; i++)
            twice |= bx_str_eq(seen[i], name);
        if (!is_known(name, known))
            continue;
        value = unquoted(bx_str_slice(line, colon + 1, line.n));
        if (twice || !value.n || value.p[0] == '|' || value.p[0] == '>')
            return false;
        seen[n++] = name;
        bx_jw_keys(&w, name);
        write_value(&w, line, name, value);
    }
    bx_jw_end(&w);
    return n > 0;
}

int bx_front_members(struct bx_str yaml, const char *const *known, struct bx_doc **ret,
                     char **ret_odd, struct bx_err *err) {
    struct bx_err why = {0};
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(8 * BX_YAML_MAX);
    *ret_odd = NULL;
    int rc = bx_yaml_parse(yaml, ret, &why);
    if (rc && why.code != BX_ERR_LIMIT && by_lines(yaml, known, &json)) {
        rc = bx_doc_parse(bx_buf_str(&json), NULL, ret, err);
        if (!rc)
            *ret_odd = bx_strdup(why.msg);
        return rc;
    }
    return rc ? bx_fail(err, why.code, "%s", why.msg) : 0;
}

char *bx_front_line(struct bx_str s) {
    s = bx_str_trim(s);
    struct bx_buf out = BX_BUF_INIT(BX_YAML_MAX);
    for (size_t i = 0; i < s.n; i++) {
        bool blank = (unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f;
        if (!blank)
            bx_buf_addc(&out, s.p[i]);
        else if (out.size && out.p[out.size - 1] != ' ')
            bx_buf_addc(&out, ' ');
    }
    bx_buf_addz(&out, "");
    return bx_buf_steal(&out);
}
