#ifndef BX_GUEST_JSON_H
#define BX_GUEST_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/*
 * JSON, as much of it as a tool needs: read one object, write strings.
 *
 * Small on purpose: the host has checked the input already, and every byte of a guest is compiled
 * ahead and carried in the binary.
 */
enum bx_json_type {
    BX_JSON_NULL,
    BX_JSON_FALSE,
    BX_JSON_TRUE,
    BX_JSON_NUMBER,
    BX_JSON_STRING,
    BX_JSON_ARRAY,
    BX_JSON_OBJECT,
};

/* One value. text is the string, or a number as it was written; NUL-ended, may hold NULs. */
struct bx_json {
    enum bx_json_type type;
    const char *text;
    size_t len;
    const char *key; /* in an object, else NULL */
    size_t key_len;
    struct bx_json *first; /* of an array or object */
    struct bx_json *next;
};

/*
 * Parse the whole text, in place: strings are unescaped where they stand, so text must outlive the
 * result. At most 64 levels deep. Returns NULL and sets *ret_why (a constant) and *ret_at on error.
 */
struct bx_json *bx_json_parse(char *text, size_t len, const char **ret_why, size_t *ret_at);

/* A member by name (the last one wins), or NULL. */
const struct bx_json *bx_json_get(const struct bx_json *object, const char *key);

/* A number without a fraction, within ±2^53. False otherwise. */
bool bx_json_int(const struct bx_json *value, long long *ret);

/* Append text as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD. */
void bx_json_put_string(struct bx_buf *out, const char *text, size_t len);

#endif
