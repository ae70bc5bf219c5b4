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
    bool packed; /* compressed: see bx_embedded_unpack */
    const char *digest; /* SHA-256 of the WebAssembly, hex: the same for both forms */
    const unsigned char *start, *end; /* trusted: part of the binary */
};
/* Ended by a NULL name. */
extern const struct bx_embedded_image bx_embedded_images[] __attribute__((weak));

/* Which image runs a command that a guest starts (box/group.h). Ended by a NULL command. */
struct bx_embedded_program {
    const char *command; /* argv[0] */
    const char *image;
};
extern const struct bx_embedded_program bx_embedded_programs[] __attribute__((weak));

struct bx_str bx_embedded_program(struct bx_str command); /* its image; empty when there is none */

const struct bx_embedded_image *bx_embedded_find(struct bx_str name, bool fuel); /* NULL when there is none */

/* The image's bytes, ready to load. Those of a packed one are the caller's, in *take_owned (else NULL), and cost some
 * milliseconds: a worker does it once for each image. BX_ERR_DAMAGED. */
int bx_embedded_unpack(const struct bx_embedded_image *image, unsigned char **take_owned, const unsigned char **ret,
                       size_t *ret_size, struct bx_err *err);

#endif
