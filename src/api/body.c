#include "api/body.h"

#include "base/utf8.h"

static const struct bx_member *find(const struct bx_member *members, struct bx_str name) {
    for (; members->name; members++) {
        if (bx_str_eqz(name, members->name))
            return members;
    }
    return NULL;
}

static const char *type_name(enum bx_val_type type) {
    switch (type) {
    case BX_VAL_STR:
        return "a string";
    case BX_VAL_INT:
        return "a whole number";
    case BX_VAL_OBJ:
        return "an object";
    case BX_VAL_ARR:
        return "an array";
    case BX_VAL_BOOL:
        return "true or false";
    default:
        return "another type";
    }
}

static void name_field(char field[static 64], struct bx_str name) {
    size_t n = bx_utf8_cut(name, BX_MIN(name.n, (size_t)63));
    memcpy(field, name.p, n);
    field[n] = '\0';
}

static int unknown(const struct bx_member *members, const char *field, struct bx_err *err) {
    struct bx_buf known = BX_BUF_INIT(300);
    for (const struct bx_member *m = members; m->name; m++)
        bx_buf_addf(&known, "%s%s", m == members ? "" : ", ", m->name);
    int r = members->name ? bx_fail(err, BX_ERR_INVALID, "unknown member \"%s\": known are %s",
                                    field, bx_buf_z(&known))
                          : bx_fail(err, BX_ERR_INVALID,
                                    "unknown member \"%s\": none is expected here", field);
    bx_buf_deinit(&known);
    return r;
}

static int check_member(const struct bx_member *m, const struct bx_val *value, struct bx_err *err) {
    if (m->nullable && bx_val_is(value, BX_VAL_NULL))
        return 0;
    if (!bx_val_is(value, m->type))
        return bx_fail(err, BX_ERR_INVALID, "\"%s\" must be %s, not %s", m->name,
                       type_name(m->type), bx_val_type_name(value));
    if (m->type != BX_VAL_STR)
        return 0;
    struct bx_str s = bx_val_str(value);
    size_t max = m->max_bytes ? m->max_bytes : 64 * BX_KIB;
    if (s.n > max)
        return bx_fail(err, BX_ERR_LIMIT, "\"%s\" has %zu bytes: at most %zu are taken", m->name,
                       s.n, max);
    if (bx_str_find(s, '\0') != (size_t)-1)
        return bx_fail(err, BX_ERR_INVALID, "\"%s\" must not hold a NUL character", m->name);
    return 0;
}

int bx_body_check(const struct bx_val *obj, const struct bx_member *members,
                  char ret_field[static 64], struct bx_err *err) {
    ret_field[0] = '\0';
    if (!bx_val_is(obj, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "a JSON object is expected, not %s",
                       bx_val_type_name(obj));
    bx_val_foreach_member (obj, name, value) {
        name_field(ret_field, name);
        const struct bx_member *m = find(members, name);
        int r = m ? check_member(m, value, err) : unknown(members, ret_field, err);
        if (r < 0)
            return r;
    }
    for (const struct bx_member *m = members; m->name; m++) {
        if (m->required && bx_val_is(bx_val_get(obj, m->name), BX_VAL_ABSENT)) {
            name_field(ret_field, bx_str(m->name));
            return bx_fail(err, BX_ERR_INVALID, "\"%s\" is missing", m->name);
        }
    }
    ret_field[0] = '\0';
    return 0;
}

int bx_body_parse(struct bx_str text, const struct bx_member *members, struct bx_doc **ret,
                  char ret_field[static 64], struct bx_err *err) {
    static const struct bx_json_limits limits = {.max_depth = 64};
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    ret_field[0] = '\0';
    int r = bx_doc_parse(bx_str_trim(text).n ? text : BX_STR_LIT("{}"), &limits, &doc, err);
    if (r < 0)
        return bx_wrap(err, r == BX_ERR_LIMIT ? r : BX_ERR_INVALID, "the body is not valid JSON");
    r = bx_body_check(bx_doc_root(doc), members, ret_field, err);
    if (r < 0)
        return r;
    *ret = bx_steal(&doc);
    return 0;
}
