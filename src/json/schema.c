#include "json/schema.h"

#include <math.h>

#include "base/utf8.h"
#include "json/write.h"

/* How deep a check may nest: values are limited by the parser, this bounds $ref cycles and nested
 * anyOf. */
#define MAX_DEPTH 64u
/* How much one check may do: forms that refer to themselves multiply, and comparing all items with
 * all is quadratic. */
#define MAX_STEPS 1000000u
#define TOO_MUCH  "too much or too deeply nested to be checked; make the input smaller"

struct check {
    const struct bx_val *root;
    size_t *steps; /* shared with trials */
    struct bx_err *err;
    char path[256]; /* "edits[2].old_string"; "" is the input itself */
    unsigned depth;
};

static int check_value(struct check *c, const struct bx_val *schema, const struct bx_val *v);

static int fail(struct check *c, const char *fmt, ...) BX_PRINTF(2, 3);
static int fail(struct check *c, const char *fmt, ...) {
    if (c->err) {
        char text[320];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        bx_fail(c->err, BX_ERR_INVALID, "%s%s%s", c->path, c->path[0] ? ": " : "", text);
    }
    return BX_ERR_INVALID;
}

/* A short form of a value for messages. */
static void show(const struct bx_val *v, char *out, size_t cap) {
    struct bx_buf b = BX_BUF_INIT(4096);
    struct bx_jw w;
    bx_jw_init(&w, &b);
    bx_jw_val(&w, v);
    size_t n = bx_utf8_cut(bx_buf_str(&b), 40);
    snprintf(out, cap, "%.*s%s", (int)n, bx_buf_z(&b), n < b.size ? "…" : "");
    bx_buf_deinit(&b);
}

static bool has_type(const struct bx_val *v, struct bx_str type) {
    switch (bx_val_type(v)) {
    case BX_VAL_NULL:
        return bx_str_eqz(type, "null");
    case BX_VAL_BOOL:
        return bx_str_eqz(type, "boolean");
    case BX_VAL_INT:
        return bx_str_eqz(type, "integer") || bx_str_eqz(type, "number");
    case BX_VAL_REAL: {
        double d = bx_val_real(v, 0);
        return bx_str_eqz(type, "number") || (bx_str_eqz(type, "integer") && d == floor(d));
    }
    case BX_VAL_STR:
        return bx_str_eqz(type, "string");
    case BX_VAL_ARR:
        return bx_str_eqz(type, "array");
    case BX_VAL_OBJ:
        return bx_str_eqz(type, "object");
    default:
        return false;
    }
}

static const char *with_article(struct bx_str type) {
    static const char *const words[] = {"a string",   "a number", "a boolean",
                                        "an integer", "an array", "an object"};
    for (size_t i = 0; i < BX_ARRAY_LEN(words); i++) {
        if (bx_str_eqz(type, strchr(words[i], ' ') + 1)) {
            return words[i];
        }
    }
    return bx_str_eqz(type, "null") ? "null" : "something else";
}

static int wrong_type(struct check *c, const char *wanted, const struct bx_val *v) {
    char shown[64];
    switch (bx_val_type(v)) {
    case BX_VAL_NULL:
        return fail(c, "expected %s, got null", wanted);
    case BX_VAL_ARR:
    case BX_VAL_OBJ:
        return fail(c, "expected %s, got %s", wanted, with_article(bx_str(bx_val_type_name(v))));
    case BX_VAL_INT: /* "integer" would read as if a fraction helped */
        show(v, shown, sizeof shown);
        return fail(c, "expected %s, got a number (%s)", wanted, shown);
    default:
        show(v, shown, sizeof shown);
        return fail(c, "expected %s, got %s (%s)", wanted,
                    with_article(bx_str(bx_val_type_name(v))), shown);
    }
}

static int check_type(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    const struct bx_val *type = bx_val_get(schema, "type");
    if (!type) {
        return 0;
    }
    struct bx_buf wanted = BX_BUF_INIT(200);
    bool ok = false;
    if (bx_val_is(type, BX_VAL_ARR)) {
        bx_val_foreach_item (type, item) {
            ok = ok || has_type(v, bx_val_str(item));
            bx_buf_addz(&wanted, wanted.size ? " or " : "");
            bx_buf_addz(&wanted, with_article(bx_val_str(item)));
        }
    } else {
        ok = has_type(v, bx_val_str(type));
        bx_buf_addz(&wanted, with_article(bx_val_str(type)));
    }
    int r = ok ? 0 : wrong_type(c, bx_buf_z(&wanted), v);
    bx_buf_deinit(&wanted);
    return r;
}

static bool same(const struct bx_val *a, const struct bx_val *b) { /* 1 is 1.0 */
    if (bx_val_is(a, BX_VAL_REAL) || bx_val_is(b, BX_VAL_REAL)) {
        return bx_val_real(a, NAN) == bx_val_real(b, NAN);
    }
    return bx_val_equal(a, b);
}

static int check_enum(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    const struct bx_val *constant = bx_val_get(schema, "const"), *list = bx_val_get(schema, "enum");
    char shown[64];
    if (constant && !same(constant, v)) {
        show(constant, shown, sizeof shown);
        return fail(c, "must be %s", shown);
    }
    if (!list) {
        return 0;
    }
    struct bx_buf all = BX_BUF_INIT(400);
    bx_val_foreach_item (list, item) {
        if (same(item, v)) {
            bx_buf_deinit(&all);
            return 0;
        }
        show(item, shown, sizeof shown);
        bx_buf_addz(&all, all.size ? ", " : "");
        bx_buf_addz(&all, shown);
    }
    show(v, shown, sizeof shown);
    int r = fail(c, "%s is not one of %.200s", shown, bx_buf_z(&all));
    bx_buf_deinit(&all);
    return r;
}

static int check_number(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    double d = bx_val_real(v, 0);
    const struct bx_val *k;
    if ((k = bx_val_get(schema, "minimum")) && d < bx_val_real(k, d)) {
        return fail(c, "%.15g is too small, the minimum is %.15g", d, bx_val_real(k, 0));
    }
    if ((k = bx_val_get(schema, "maximum")) && d > bx_val_real(k, d)) {
        return fail(c, "%.15g is too large, the maximum is %.15g", d, bx_val_real(k, 0));
    }
    if ((k = bx_val_get(schema, "exclusiveMinimum")) && bx_val_real(k, -INFINITY) >= d) {
        return fail(c, "%.15g must be greater than %.15g", d, bx_val_real(k, 0));
    }
    if ((k = bx_val_get(schema, "exclusiveMaximum")) && bx_val_real(k, INFINITY) <= d) {
        return fail(c, "%.15g must be less than %.15g", d, bx_val_real(k, 0));
    }
    if ((k = bx_val_get(schema, "multipleOf"))) {
        double step = bx_val_real(k, 0), ratio = step > 0 ? d / step : 0;
        if (step > 0 && fabs(ratio - round(ratio)) > 1e-9) {
            return fail(c, "%.15g is not a multiple of %.15g", d, step);
        }
    }
    return 0;
}

static int check_string(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    struct bx_str s = bx_val_str(v);
    int64_t chars = 0;
    for (size_t i = 0; i < s.n; i++) {
        chars += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    int64_t min = bx_val_get_int(schema, "minLength", 0),
            max = bx_val_get_int(schema, "maxLength", INT64_MAX);
    if (chars < min) {
        return min == 1 ? fail(c, "must not be empty")
                        : fail(c, "%" PRId64 " characters are too few, the minimum is %" PRId64,
                               chars, min);
    }
    if (chars > max) {
        return fail(c, "%" PRId64 " characters are too many, the maximum is %" PRId64, chars, max);
    }
    return 0;
}

static int unknown_member(struct check *c, const struct bx_val *properties, struct bx_str key) {
    struct bx_str near = {NULL, 0};
    size_t best = key.n / 2 + 1;
    struct bx_buf all = BX_BUF_INIT(300);
    bx_val_foreach_member (properties, name, schema) {
        (void)schema;
        size_t d = bx_str_slips(key, name);
        if (d < best) {
            best = d;
            near = name;
        }
        bx_buf_addz(&all, all.size ? ", " : "");
        bx_buf_adds(&all, name);
    }
    int r = near.p ? fail(c, "unknown member \"%.*s\"; did you mean \"%.*s\"?",
                          (int)BX_MIN(key.n, (size_t)60), key.p, (int)near.n, near.p)
                   : fail(c, "unknown member \"%.*s\"; there are: %s",
                          (int)BX_MIN(key.n, (size_t)60), key.p, bx_buf_z(&all));
    bx_buf_deinit(&all);
    return r;
}

/* Checks a member or item with its name put behind the path for the time. */
static int check_below(struct check *c, const struct bx_val *schema, const struct bx_val *v,
                       struct bx_str key, size_t index) {
    size_t n = strlen(c->path);
    if (key.p) {
        snprintf(c->path + n, sizeof c->path - n, "%s%.*s", n ? "." : "",
                 (int)BX_MIN(key.n, (size_t)80), key.p);
    } else {
        snprintf(c->path + n, sizeof c->path - n, "[%zu]", index);
    }
    int r = check_value(c, schema, v);
    if (r == 0) {
        c->path[n] = '\0';
    }
    return r;
}

static int check_object(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    const struct bx_val *properties = bx_val_get(schema, "properties");
    const struct bx_val *rest = bx_val_get(schema, "additionalProperties");
    bx_val_foreach_member (v, key, member) {
        const struct bx_val *known = bx_val_get_n(properties, key);
        int r = 0;
        if (known && bx_val_get_n(v, key) != member) {
            /* Which of the two counts differs from reader to reader, so what is judged may not be
             * what is done. */
            r = fail(c, "the member \"%.*s\" is there twice", (int)BX_MIN(key.n, (size_t)60),
                     key.p);
        } else if (known) {
            r = check_below(c, known, member, key, 0);
        } else if (bx_val_is(rest, BX_VAL_BOOL) && !bx_val_bool(rest, true)) {
            r = unknown_member(c, properties, key);
        } else if (bx_val_is(rest, BX_VAL_OBJ)) {
            r = check_below(c, rest, member, key, 0);
        }
        if (r < 0) {
            return r;
        }
    }
    bx_val_foreach_item (bx_val_get(schema, "required"), name) {
        if (!bx_val_get_n(v, bx_val_str(name))) {
            return fail(c, "the member \"" BX_STR_FMT "\" is missing",
                        BX_STR_ARG(bx_val_str(name)));
        }
    }
    int64_t count = (int64_t)bx_val_len(v);
    if (count < bx_val_get_int(schema, "minProperties", 0) ||
        count > bx_val_get_int(schema, "maxProperties", INT64_MAX)) {
        return fail(c, "has %" PRId64 " members, which is not a number that is allowed", count);
    }
    return 0;
}

static int step(struct check *c) {
    return ++*c->steps > MAX_STEPS ? fail(c, TOO_MUCH) : 0;
}

static int check_unique(struct check *c, const struct bx_val *v) {
    size_t i = 0;
    bx_val_foreach_item (v, item) {
        size_t j = 0;
        bx_val_foreach_item (v, other) {
            if (j == i) {
                break;
            }
            int r = step(c);
            if (r < 0) {
                return r;
            }
            if (same(other, item)) {
                return fail(c, "items %zu and %zu are the same", j, i);
            }
            j++;
        }
        i++;
    }
    return 0;
}

static int check_array(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    int64_t n = (int64_t)bx_val_len(v);
    int64_t min = bx_val_get_int(schema, "minItems", 0),
            max = bx_val_get_int(schema, "maxItems", INT64_MAX);
    if (n < min) {
        return fail(c, "has %" PRId64 " items, the minimum is %" PRId64, n, min);
    }
    if (n > max) {
        return fail(c, "has %" PRId64 " items, the maximum is %" PRId64, n, max);
    }
    const struct bx_val *prefix = bx_val_get(schema, "prefixItems"),
                        *items = bx_val_get(schema, "items");
    size_t i = 0;
    bx_val_foreach_item (v, item) {
        const struct bx_val *own = i < bx_val_len(prefix) ? bx_val_at(prefix, i) : items;
        int r = own ? check_below(c, own, item, (struct bx_str){NULL, 0}, i) : 0;
        if (r < 0) {
            return r;
        }
        i++;
    }
    return bx_val_get_bool(schema, "uniqueItems", false) ? check_unique(c, v) : 0;
}

static int check_combined(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    bx_val_foreach_item (bx_val_get(schema, "allOf"), part) {
        int r = check_value(c, part, v);
        if (r < 0) {
            return r;
        }
    }
    const struct bx_val *any = bx_val_get(schema, "anyOf"), *one = bx_val_get(schema, "oneOf");
    const struct bx_val *not = bx_val_get(schema, "not");
    for (int round = 0; round < 2; round++) {
        const struct bx_val *list = round ? one : any;
        size_t fits = 0;
        struct check trial = *c;
        struct bx_err first = {0}, why;
        trial.err = &why;
        bx_val_foreach_item (list, part) {
            memcpy(trial.path, c->path, sizeof trial.path);
            if (check_value(&trial, part, v) == 0) {
                fits++;
            } else if (!first.code) {
                first = why;
            }
        }
        if (list && fits == 0) {
            if (c->err) {
                *c->err = first;
            }
            return BX_ERR_INVALID;
        }
        if (round && list && fits > 1) {
            return fail(c, "fits %zu of the forms of which it must fit exactly one", fits);
        }
    }
    if (not ) {
        struct check trial = *c;
        trial.err = NULL;
        if (check_value(&trial, not, v) == 0) {
            return fail(c, "has a form that is not allowed");
        }
    }
    return 0;
}

/* "#/$defs/name": walks the root by the pointer's parts (RFC 6901, without escapes: names of
 * definitions). */
static const struct bx_val *resolve(const struct check *c, struct bx_str ref) {
    if (!bx_str_starts(ref, "#")) {
        return NULL;
    }
    const struct bx_val *at = c->root;
    struct bx_str rest = bx_str_slice(ref, 1, ref.n), part;
    bool first = true;
    while (at && bx_str_split(&rest, '/', &part)) {
        if (!first) {
            at = bx_val_get_n(at, part);
        }
        first = false;
    }
    return at;
}

static int check_value(struct check *c, const struct bx_val *schema, const struct bx_val *v) {
    if (bx_val_is(schema, BX_VAL_BOOL)) {
        return bx_val_bool(schema, true) ? 0 : fail(c, "nothing is allowed here");
    }
    if (++c->depth > MAX_DEPTH) {
        c->depth--;
        *c->steps = MAX_STEPS + 1;
        return fail(c, TOO_MUCH);
    }
    const struct bx_val *ref = bx_val_get(schema, "$ref");
    const struct bx_val *target = ref ? resolve(c, bx_val_str(ref)) : NULL;
    int r = step(c);
    if (r == 0 && ref && !target) {
        r = fail(c, "the tool's schema refers to \"%.80s\", which it does not have",
                 bx_val_z(ref) ? bx_val_z(ref) : "");
    }
    if (r == 0 && target) {
        r = check_value(c, target, v);
    }
    if (r == 0) {
        r = check_type(c, schema, v);
    }
    if (r == 0) {
        r = check_enum(c, schema, v);
    }
    if (r == 0) {
        switch (bx_val_type(v)) {
        case BX_VAL_INT:
        case BX_VAL_REAL:
            r = check_number(c, schema, v);
            break;
        case BX_VAL_STR:
            r = check_string(c, schema, v);
            break;
        case BX_VAL_OBJ:
            r = check_object(c, schema, v);
            break;
        case BX_VAL_ARR:
            r = check_array(c, schema, v);
            break;
        default:
            break;
        }
    }
    if (r == 0) {
        r = check_combined(c, schema, v);
    }
    c->depth--;
    return r;
}

int bx_schema_check(const struct bx_val *schema, const struct bx_val *input, struct bx_err *err) {
    size_t steps = 0;
    struct check c = {.root = schema, .steps = &steps, .err = err};
    int r = check_value(&c, schema, input);
    if (r == 0 &&
        steps > MAX_STEPS) { /* given up inside a "not", where that looks like not fitting */
        r = bx_fail(err, BX_ERR_INVALID, TOO_MUCH);
    }
    return r;
}

int bx_schema_validate(const struct bx_val *schema, struct bx_err *err) {
    if (!bx_val_is(schema, BX_VAL_OBJ)) {
        return bx_fail(err, BX_ERR_INVALID, "a tool's input schema must be an object, got %s",
                       bx_val_type_name(schema));
    }
    if (!bx_str_eqz(bx_val_get_str(schema, "type"), "object")) {
        return bx_fail(err, BX_ERR_INVALID, "a tool's input schema must have \"type\": \"object\"");
    }
    const struct bx_val *properties = bx_val_get(schema, "properties"),
                        *required = bx_val_get(schema, "required");
    if (properties && !bx_val_is(properties, BX_VAL_OBJ)) {
        return bx_fail(err, BX_ERR_INVALID, "\"properties\" of an input schema must be an object");
    }
    if (required && !bx_val_is(required, BX_VAL_ARR)) {
        return bx_fail(err, BX_ERR_INVALID,
                       "\"required\" of an input schema must be an array of names");
    }
    bx_val_foreach_item (required, name) {
        if (!bx_val_is(name, BX_VAL_STR)) {
            return bx_fail(err, BX_ERR_INVALID,
                           "\"required\" of an input schema must be an array of names");
        }
    }
    return 0;
}
