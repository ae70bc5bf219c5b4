/* box/embedded.h: the tools inside the binary, compiled ahead for the architecture's baseline CPU.
 *
 * Any thread. The table is made at build time from what bx-aot (aot_main.c) compiled; a program without it (a unit test) has no embedded
 * tools. Each tool has two forms: counted by fuel, and not. */
#ifndef BX_BOX_EMBEDDED_H
#define BX_BOX_EMBEDDED_H

#include "base/base.h"

struct bx_embedded_image {
    const char *name;
    bool fuel;
    const char *digest; /* SHA-256 of the WebAssembly, hex: the same for both forms */
    const unsigned char *start, *end; /* trusted: part of the binary */
};
/* Ended by a NULL name. */
extern const struct bx_embedded_image bx_embedded_images[] __attribute__((weak));

const struct bx_embedded_image *bx_embedded_find(struct bx_str name, bool fuel); /* NULL when there is none */

#endif
