/* tools/box_internal.h: shared by box_tool.c (calls) and box_load.c (how the tools are made). Nobody else includes it. */
#ifndef BX_TOOLS_BOX_INTERNAL_H
#define BX_TOOLS_BOX_INTERNAL_H

#include "box/box.h"
#include "tools/box_tool.h"
#include "tools/descriptor.h"

#define BX_SCRIPT_IMAGE "jsexec" /* the embedded guest that runs NAME.js */

struct box_tool {
    struct bx_tool tool;
    struct bx_descriptor descriptor;
    struct bx_box *box;
    struct bx_outbound *outbound;
    char *name, *path;
    bool is_script;                 /* JavaScript: text is its source, BX_SCRIPT_IMAGE runs it */
    char digest[BX_SHA256_HEX + 1]; /* of a file: the program and its description */
    struct bx_buf text;             /* of a file: WebAssembly, compiled in the form that a call's limits need, or the source */
    pthread_mutex_t lock;
    struct bx_image *images[2]; /* [fuel is counted] */
    bool is_ready;              /* counted among those that are open before their first call */
};

int bx_box_tool_execute(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                        struct bx_tool_result *ret, struct bx_err *err);
/* NULL: the box has it by name. The tool's. */
int bx_box_tool_image(struct box_tool *b, bool fuel, const struct bx_image **ret, struct bx_err *err);
/* What the guest is asked for a script: op as in guests/jsexec/js.h, input JSON text or empty, args of argv. */
void bx_box_tool_script(const struct box_tool *b, const char *op, struct bx_str input, const char *const *args,
                        size_t count, struct bx_buf *out);

#endif
