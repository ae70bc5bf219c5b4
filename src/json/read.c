#include "json/json.h"

#include <yyjson.h>

#include "base/file.h"

/* struct bx_val is never defined: a view is yyjson's value under another name. */
struct bx_doc {
    yyjson_doc *doc;
};

static yyjson_val *yy(const struct bx_val *v) {
    return (yyjson_val *)(uintptr_t)v;
}

static const struct bx_val *bx(yyjson_val *v) {
    return (const struct bx_val *)v;
}

/* Nesting is checked on the text before the parse: whatever walks the document later may recurse.
 */
static bool too_deep(struct bx_str text, unsigned max_depth) {
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (in_string) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > max_depth) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

int bx_doc_parse(struct bx_str text, const struct bx_json_limits *limits, struct bx_doc **ret,
                 struct bx_err *err) {
    size_t max_size = limits && limits->max_size_bytes ? limits->max_size_bytes : 64 * BX_MIB;
    unsigned max_depth = limits && limits->max_depth ? limits->max_depth : 128;
    if (text.n > max_size) {
        return bx_fail(err, BX_ERR_LIMIT, "JSON text of %zu bytes is larger than %zu", text.n,
                       max_size);
    }
    if (too_deep(text, max_depth)) {
        return bx_fail(err, BX_ERR_LIMIT, "JSON text is nested deeper than %u levels", max_depth);
    }
    yyjson_read_err why = {0};
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(text.p ? text.p : ""), text.n,
                                       YYJSON_READ_NOFLAG, NULL, &why);
    if (!doc) {
        size_t line = 1, column = 1;
        for (size_t i = 0; i < why.pos && i < text.n; i++) {
            column++;
            if (text.p[i] == '\n') {
                line++;
                column = 1;
            }
        }
        return bx_fail(err, BX_ERR_PROTO, "not valid JSON at line %zu, column %zu: %s", line,
                       column, why.msg ? why.msg : "unknown");
    }
    struct bx_doc *d = bx_new(struct bx_doc);
    d->doc = doc;
    *ret = d;
    return 0;
}

int bx_doc_read_file(const char *path, const struct bx_json_limits *limits, struct bx_doc **ret,
                     struct bx_err *err) {
    struct bx_buf buf =
        BX_BUF_INIT(limits && limits->max_size_bytes ? limits->max_size_bytes : 64 * BX_MIB);
    int r = bx_file_read(path, &buf, err);
    if (r == 0) {
        r = bx_doc_parse(bx_buf_str(&buf), limits, ret, err);
        if (r < 0) {
            r = bx_wrap(err, r, "%s", path);
        }
    }
    bx_buf_deinit(&buf);
    return r;
}

void bx_doc_free(struct bx_doc *doc) {
    if (doc) {
        yyjson_doc_free(doc->doc);
        bx_free(doc);
    }
}

const struct bx_val *bx_doc_root(const struct bx_doc *doc) {
    return bx(yyjson_doc_get_root(doc->doc));
}

struct bx_doc *bx_val_copy(const struct bx_val *v) {
    yyjson_mut_doc *mut = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = v ? yyjson_val_mut_copy(mut, yy(v)) : yyjson_mut_null(mut);
    yyjson_doc *doc = mut ? yyjson_mut_val_imut_copy(root, NULL) : NULL;
    if (!doc) {
        bx_die("out of memory (copying a JSON value)");
    }
    yyjson_mut_doc_free(mut);
    struct bx_doc *d = bx_new(struct bx_doc);
    d->doc = doc;
    return d;
}

enum bx_val_type bx_val_type(const struct bx_val *v) {
    switch (yyjson_get_type(yy(v))) {
    case YYJSON_TYPE_NULL:
        return BX_VAL_NULL;
    case YYJSON_TYPE_BOOL:
        return BX_VAL_BOOL;
    case YYJSON_TYPE_NUM:
        return yyjson_is_real(yy(v)) ? BX_VAL_REAL : BX_VAL_INT;
    case YYJSON_TYPE_STR:
        return BX_VAL_STR;
    case YYJSON_TYPE_ARR:
        return BX_VAL_ARR;
    case YYJSON_TYPE_OBJ:
        return BX_VAL_OBJ;
    default:
        return BX_VAL_ABSENT;
    }
}

const char *bx_val_type_name(const struct bx_val *v) {
    static const char *const names[] = {"nothing", "null",   "boolean", "integer",
                                        "number",  "string", "array",   "object"};
    return names[bx_val_type(v)];
}

struct bx_str bx_val_str(const struct bx_val *v) {
    if (!yyjson_is_str(yy(v))) {
        return (struct bx_str){NULL, 0};
    }
    return bx_str_n(yyjson_get_str(yy(v)), yyjson_get_len(yy(v)));
}

const char *bx_val_z(const struct bx_val *v) {
    return yyjson_get_str(yy(v));
}

int64_t bx_val_int(const struct bx_val *v, int64_t fallback) {
    yyjson_val *y = yy(v);
    if (yyjson_is_sint(y)) {
        return yyjson_get_sint(y);
    }
    if (yyjson_is_uint(y)) {
        uint64_t n = yyjson_get_uint(y);
        return n > INT64_MAX ? INT64_MAX : (int64_t)n;
    }
    if (yyjson_is_real(y)) {
        double d = yyjson_get_real(y);
        if (d >= -9007199254740992.0 && d <= 9007199254740992.0 && (double)(int64_t)d == d) {
            return (int64_t)d;
        }
    }
    return fallback;
}

double bx_val_real(const struct bx_val *v, double fallback) {
    return yyjson_is_num(yy(v)) ? yyjson_get_num(yy(v)) : fallback;
}

bool bx_val_bool(const struct bx_val *v, bool fallback) {
    return yyjson_is_bool(yy(v)) ? yyjson_get_bool(yy(v)) : fallback;
}

const struct bx_val *bx_val_get(const struct bx_val *obj, const char *key) {
    return bx(yyjson_obj_get(yy(obj), key));
}

const struct bx_val *bx_val_get_n(const struct bx_val *obj, struct bx_str key) {
    return bx(yyjson_obj_getn(yy(obj), key.p, key.n));
}

const struct bx_val *bx_val_at(const struct bx_val *arr, size_t index) {
    return bx(yyjson_arr_get(yy(arr), index));
}

size_t bx_val_len(const struct bx_val *v) {
    yyjson_val *y = yy(v);
    return yyjson_is_arr(y) ? yyjson_arr_size(y) : yyjson_is_obj(y) ? yyjson_obj_size(y) : 0;
}

struct bx_str bx_val_get_str(const struct bx_val *obj, const char *key) {
    return bx_val_str(bx_val_get(obj, key));
}

const char *bx_val_get_z(const struct bx_val *obj, const char *key) {
    return bx_val_z(bx_val_get(obj, key));
}

int64_t bx_val_get_int(const struct bx_val *obj, const char *key, int64_t fallback) {
    return bx_val_int(bx_val_get(obj, key), fallback);
}

bool bx_val_get_bool(const struct bx_val *obj, const char *key, bool fallback) {
    return bx_val_bool(bx_val_get(obj, key), fallback);
}

bool bx_val_equal(const struct bx_val *a, const struct bx_val *b) {
    if (!a || !b) {
        return a == b;
    }
    return yyjson_equals(yy(a), yy(b));
}

struct bx_val_iter bx_val_iter_arr(const struct bx_val *arr) {
    yyjson_val *y = yy(arr);
    size_t n = yyjson_is_arr(y) ? yyjson_arr_size(y) : 0;
    return (struct bx_val_iter){n ? bx(yyjson_arr_get_first(y)) : NULL, n};
}

struct bx_val_iter bx_val_iter_obj(const struct bx_val *obj) {
    yyjson_val *y = yy(obj);
    size_t n = yyjson_is_obj(y) ? yyjson_obj_size(y) : 0;
    yyjson_obj_iter it = yyjson_obj_iter_with(y);
    return (struct bx_val_iter){n ? bx(it.cur) : NULL, n};
}

const struct bx_val *bx_val_iter_next(struct bx_val_iter *it) {
    if (!it->left) {
        return NULL;
    }
    const struct bx_val *v = it->at;
    it->left--;
    it->at = bx(unsafe_yyjson_get_next(yy(v)));
    return v;
}

const struct bx_val *bx_val_iter_next_member(struct bx_val_iter *it, struct bx_str *ret_key) {
    if (!it->left) {
        return NULL;
    }
    yyjson_val *key = yy(it->at),
               *value = key + 1; /* a member is the key and its value behind it */
    *ret_key = bx_str_n(yyjson_get_str(key), yyjson_get_len(key));
    it->left--;
    it->at = bx(unsafe_yyjson_get_next(value));
    return bx(value);
}
