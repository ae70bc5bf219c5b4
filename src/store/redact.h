/* store/redact.h: texts that leave the workspace without the secrets of auth.json, wherever they stand in them. Any thread. */
#ifndef BX_STORE_REDACT_H
#define BX_STORE_REDACT_H

#include "base/vec.h"
#include "store/store.h"

struct bx_redact {
    BX_VEC(char *) secrets; /* as they stand within JSON text, the longest first */
};
/* Fails only when auth.json is there and cannot be read: then nothing must leave. */
int bx_redact_load(struct bx_store *s, struct bx_redact *ret, struct bx_err *err);
void bx_redact_deinit(struct bx_redact *r);
/* Adds the JSON text to out, each secret replaced by "[secret]". */
void bx_redact_add(const struct bx_redact *r, struct bx_str json, struct bx_buf *out);

#endif
