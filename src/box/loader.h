/* box/loader.h: the tools that a worker has ready to run. In the worker; any of its threads.
 *
 * One engine per class of call stack and form, one loaded tool per image and engine, all made when first needed and kept
 * for the worker's life. */
#ifndef BX_BOX_LOADER_H
#define BX_BOX_LOADER_H

#include "box/protocol.h"
#include "engine.h"

struct bx_loader;

/* Makes the engine that most calls use. BX_ERR_INTERNAL. */
int bx_loader_new(struct bx_loader **ret, struct bx_err *err);
uint64_t bx_loader_compat(const struct bx_loader *l);

/* The tool of a call: an embedded one by name, an outside one when bx_loader_add got its image. BX_ERR_NOTFOUND: an outside
 * image is needed first. The tool is the loader's. */
int bx_loader_find(struct bx_loader *l, const struct bx_call_frame *call, const struct bxe_tool **ret,
                   struct bx_err *err);
/* Loads the image in a sealed memfd that the server vouches for. */
int bx_loader_add(struct bx_loader *l, const struct bx_call_frame *call, int memfd, const struct bxe_tool **ret,
                  struct bx_err *err);

#endif
