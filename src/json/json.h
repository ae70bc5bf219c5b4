/* json/json.h: JSON text read into an immutable document, walked by views.
 *
 * Any thread: a document never changes after the parse, so many threads may read it. Built on yyjson, which only this
 * room includes. Reading is strict RFC 8259; numbers keep 64-bit integers; text is checked UTF-8. Writing is in
 * json/write.h. There are no mutable documents: what changes is written anew. */
#ifndef BX_JSON_JSON_H
#define BX_JSON_JSON_H

#include "base/base.h"

struct bx_doc; /* owns the memory of its values */
struct bx_val; /* a view into a document, valid as long as it; NULL means "absent", and every reader takes NULL */

enum bx_val_type { BX_VAL_ABSENT, BX_VAL_NULL, BX_VAL_BOOL, BX_VAL_INT, BX_VAL_REAL, BX_VAL_STR, BX_VAL_ARR, BX_VAL_OBJ };

/* The deepest text that is taken as a part of a larger document, which can then be read with the limits below. */
#define BX_JSON_PART_DEPTH 100
struct bx_json_limits {
    size_t max_size_bytes; /* 0 = 64 MiB */
    unsigned max_depth;    /* 0 = 128 */
};

/* Errors: BX_ERR_LIMIT, BX_ERR_PROTO with line, column and what was wrong. limits may be NULL. */
int bx_doc_parse(struct bx_str text, const struct bx_json_limits *limits, struct bx_doc **ret, struct bx_err *err);
int bx_doc_read_file(const char *path, const struct bx_json_limits *limits, struct bx_doc **ret, struct bx_err *err);
void bx_doc_free(struct bx_doc *doc);
const struct bx_val *bx_doc_root(const struct bx_doc *doc); /* never NULL for a parsed document */
/* A document of its own with a deep copy of v. */
struct bx_doc *bx_val_copy(const struct bx_val *v);
BX_DEFINE_AUTO(struct bx_doc, bx_doc_free)

enum bx_val_type bx_val_type(const struct bx_val *v);
const char *bx_val_type_name(const struct bx_val *v); /* "string", "object", "integer" …; "nothing" when absent */
static inline bool bx_val_is(const struct bx_val *v, enum bx_val_type t) {
    return bx_val_type(v) == t;
}

/* Readers: the value when it has that type, else the fallback. bx_val_str gives {NULL,0} for anything else; a string is
 * NUL ended in memory (but may also hold NULs), so bx_val_z is a plain C string, NULL when it is no string. */
struct bx_str bx_val_str(const struct bx_val *v);
const char *bx_val_z(const struct bx_val *v);
int64_t bx_val_int(const struct bx_val *v, int64_t fallback); /* also a real without a fraction; clamped for unsigned */
double bx_val_real(const struct bx_val *v, double fallback);
bool bx_val_bool(const struct bx_val *v, bool fallback);

/* Members and items; NULL when absent or of another type. */
const struct bx_val *bx_val_get(const struct bx_val *obj, const char *key);
const struct bx_val *bx_val_get_n(const struct bx_val *obj, struct bx_str key);
const struct bx_val *bx_val_at(const struct bx_val *arr, size_t index); /* linear; walk with the macro instead */
size_t bx_val_len(const struct bx_val *v);                              /* items or members */
/* Shorthands for members. */
struct bx_str bx_val_get_str(const struct bx_val *obj, const char *key);
const char *bx_val_get_z(const struct bx_val *obj, const char *key);
int64_t bx_val_get_int(const struct bx_val *obj, const char *key, int64_t fallback);
bool bx_val_get_bool(const struct bx_val *obj, const char *key, bool fallback);

bool bx_val_equal(const struct bx_val *a, const struct bx_val *b); /* objects regardless of order */

/* for: bx_val_foreach_item(arr, item) { … }    bx_val_foreach_member(obj, key, value) { … }
 * item/value: const struct bx_val *, key: struct bx_str; all declared by the macro. */
struct bx_val_iter {
    const struct bx_val *at;
    size_t left;
};
struct bx_val_iter bx_val_iter_arr(const struct bx_val *arr);
struct bx_val_iter bx_val_iter_obj(const struct bx_val *obj);
const struct bx_val *bx_val_iter_next(struct bx_val_iter *it);                             /* arr; NULL at the end */
const struct bx_val *bx_val_iter_next_member(struct bx_val_iter *it, struct bx_str *ret_key); /* obj */
#define bx_val_foreach_item(arr, item)                                                                                 \
    for (struct bx_val_iter it_##item = bx_val_iter_arr(arr); it_##item.at; it_##item.at = NULL)                       \
        for (const struct bx_val *item; (item = bx_val_iter_next(&it_##item));)
#define bx_val_foreach_member(obj, key, value)                                                                         \
    for (struct bx_val_iter it_##value = bx_val_iter_obj(obj); it_##value.at; it_##value.at = NULL)                    \
        for (struct bx_str key = {0}, *once_##value = &key; once_##value; once_##value = NULL)                         \
            for (const struct bx_val *value; (value = bx_val_iter_next_member(&it_##value, &key));)

#endif
