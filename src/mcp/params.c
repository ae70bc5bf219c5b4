#include "mcp/params.h"

#define DEPTH_MAX 8
#define KEYWORD   "x-mcp-header"

struct names { /* seen so far */
    struct bx_str p[BX_MCP_PARAMS_MAX];
    size_t n;
};

static bool is_token(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return s.n && s.n <= 100;
}

static int check_name(const struct bx_val *property, struct names *seen, struct bx_err *err) {
    const struct bx_val *v = bx_val_get(property, KEYWORD);
    struct bx_str name = bx_val_str(v), type = bx_val_get_str(property, "type");
    if (!v)
        return 0;
    if (!is_token(name) || seen->n >= BX_ARRAY_LEN(seen->p))
        return bx_fail(err, BX_ERR_INVALID, KEYWORD " must be the name of a header");
    if (!bx_str_eqz(type, "string") && !bx_str_eqz(type, "integer") && !bx_str_eqz(type, "boolean"))
        return bx_fail(err, BX_ERR_INVALID,
                       KEYWORD " stands at a member that is no text, whole number or truth value");
    for (size_t i = 0; i < seen->n; i++)
        if (seen->p[i].n == name.n && strncasecmp(seen->p[i].p, name.p, name.n) == 0)
            return bx_fail(err, BX_ERR_INVALID, KEYWORD " names a header twice");
    seen->p[seen->n++] = name;
    return 0;
}

/* Counts the annotations anywhere: those that properties alone do not lead to are forbidden. */
static size_t count_all(const struct bx_val *v, unsigned depth) {
    size_t n = 0;
    if (depth > 32)
        return 0;
    bx_val_foreach_item (v, item)
        n += count_all(item, depth + 1);
    bx_val_foreach_member (v, key, value)
        n += (bx_str_eqz(key, KEYWORD) && bx_val_is(value, BX_VAL_STR)) +
             count_all(value, depth + 1);
    return n;
}

static int check(const struct bx_val *schema, struct names *seen, unsigned depth,
                 struct bx_err *err) {
    bx_val_foreach_member (bx_val_get(schema, "properties"), key, property) {
        (void)key;
        int rc = check_name(property, seen, err);
        if (!rc && depth < DEPTH_MAX)
            rc = check(property, seen, depth + 1, err);
        if (rc)
            return rc;
    }
    return 0;
}

int bx_mcp_params_check(const struct bx_val *schema, struct bx_err *err) {
    struct names seen = {.n = 0};
    int rc = check(schema, &seen, 0, err);
    if (!rc && count_all(schema, 0) != seen.n)
        rc = bx_fail(err, BX_ERR_INVALID, KEYWORD " stands where properties alone do not lead");
    return rc;
}

static const char *text_of(const struct bx_val *v, struct bx_arena *arena) {
    if (bx_val_is(v, BX_VAL_STR) && strlen(bx_val_z(v)) == bx_val_str(v).n)
        return bx_arena_str(arena, bx_val_str(v));
    if (bx_val_is(v, BX_VAL_BOOL))
        return bx_val_bool(v, false) ? "true" : "false";
    if (bx_val_is(v, BX_VAL_INT))
        return bx_arena_printf(arena, "%" PRId64, bx_val_int(v, 0));
    return NULL;
}

static void add(const struct bx_val *schema, const struct bx_val *input, struct bx_arena *arena,
                struct bx_mcp_param *ret, size_t *count, unsigned depth) {
    bx_val_foreach_member (bx_val_get(schema, "properties"), key, property) {
        const struct bx_val *value = bx_val_get_n(input, key);
        struct bx_str name = bx_val_get_str(property, KEYWORD);
        const char *text = name.n ? text_of(value, arena) : NULL;
        if (text && *count < BX_MCP_PARAMS_MAX)
            ret[(*count)++] = (struct bx_mcp_param){
                bx_arena_printf(arena, "Mcp-Param-" BX_STR_FMT, BX_STR_ARG(name)), text};
        if (bx_val_is(value, BX_VAL_OBJ) && depth < DEPTH_MAX)
            add(property, value, arena, ret, count, depth + 1);
    }
}

size_t bx_mcp_params(const struct bx_val *schema, const struct bx_val *input,
                     struct bx_arena *arena, struct bx_mcp_param ret[static BX_MCP_PARAMS_MAX]) {
    size_t count = 0;
    add(schema, input, arena, ret, &count, 0);
    return count;
}
