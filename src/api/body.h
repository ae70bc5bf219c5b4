/* api/body.h: a JSON object from outside against the list of what it may hold. Pure, any thread. */
#ifndef BX_API_BODY_H
#define BX_API_BODY_H

#include "json/json.h"

struct bx_member {
    const char *name; /* NULL ends a list */
    enum bx_val_type type;
    bool required, nullable;
    size_t max_bytes; /* of a string; 0 = 64 KiB */
};

/* Parses text (empty text is {}) and checks it. Errors are BX_ERR_INVALID (or BX_ERR_LIMIT) and name the member in
 * ret_field (at most 63 characters), "" when none is at fault. */
int bx_body_parse(struct bx_str text, const struct bx_member *members, struct bx_doc **ret, char ret_field[static 64],
                  struct bx_err *err);
int bx_body_check(const struct bx_val *obj, const struct bx_member *members, char ret_field[static 64], struct bx_err *err);

#endif
