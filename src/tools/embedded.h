/* tools/embedded.h: the descriptions of the guests that are part of the binary; their code is in the box's table
 * (box/embedded.h), by the same name.
 *
 * The build runs each guest's `--describe` and generates this table; constant, any thread. Unit tests define their own. */
#ifndef BX_TOOLS_EMBEDDED_H
#define BX_TOOLS_EMBEDDED_H

#include <stddef.h>

struct bx_embedded_tool {
    const char *name;
    const char *descriptor; /* JSON text */
};
extern const struct bx_embedded_tool bx_embedded_tools[];
extern const size_t bx_embedded_tool_count;

#endif
