/* box/aot.h: compiling a tool ahead of time, for the baseline CPU of this architecture. At build time only (bx-aot):
 * it happens without a wall, with sources of our own. */
#ifndef BX_BOX_AOT_H
#define BX_BOX_AOT_H

#include "base/base.h"

/* packed: compressed, for bx_embedded_unpack (box/embedded.h). */
int bx_aot_compile(const char *wasm_path, const char *out_path, bool fuel, bool packed, struct bx_err *err);

#endif
