/* tools/native.h: tools that are C functions of the server itself: one file each, one constant row each.
 *
 * Only for what needs no file, no network and no program; everything else is a box tool. */
#ifndef BX_TOOLS_NATIVE_H
#define BX_TOOLS_NATIVE_H

#include "tools/tool.h"

struct bx_native_spec {
    const char *name, *description;
    enum bx_level level;
    const char *schema;  /* JSON text */
    const char *example; /* JSON text */
    int (*execute)(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                   struct bx_tool_result *ret, struct bx_err *err);
};
extern const struct bx_native_spec bx_native_sleep;

struct bx_tool *bx_native_tool_new(const struct bx_native_spec *spec);

#endif
