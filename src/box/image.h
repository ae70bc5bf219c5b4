/* box/image.h: a tool from outside, compiled, in a sealed file without a name.
 *
 * In the server; images are immutable and may be shared by threads. A .wasm file is compiled inside a worker without
 * folders, behind the wall, because compilers have holes too. The result is kept in the cache folder under a key of the
 * tool's digest, its form and the engine's fingerprint, with a keyed digest over the whole file (key: one per
 * installation, 0600): a file that anybody else made or changed is compiled anew, never loaded. Old ones are dropped when
 * the folder grows beyond 512 MiB. */
#ifndef BX_BOX_IMAGE_H
#define BX_BOX_IMAGE_H

#include "base/sha256.h"

#define BX_IMAGE_WASM_MAX (64 * BX_MIB)

struct bx_image {
    char digest[BX_SHA256_HEX + 1]; /* of the WebAssembly */
    unsigned char key[BX_SHA256_SIZE];
    bool fuel;
    int memfd; /* sealed; the image's */
    size_t size;
    bool from_cache;
};
void bx_image_free(struct bx_image *image);
BX_DEFINE_AUTO(struct bx_image, bx_image_free)

struct bx_image_cache;
/* dir may be NULL: nothing is kept. Makes the folder (0700) and the key. */
int bx_image_cache_open(const char *dir, struct bx_image_cache **ret, struct bx_err *err);
void bx_image_cache_close(struct bx_image_cache *cache);

/* Compiles: wasm in, a memfd with compiled bytes out (the caller seals and closes it). */
typedef int bx_image_compile_fn(void *user, struct bx_str wasm, bool fuel, int *ret_memfd, struct bx_err *err);
/* compat: the engine's fingerprint. BX_ERR_INVALID with the compiler's words when it is no tool, BX_ERR_LIMIT when it is
 * too large. */
int bx_image_get(struct bx_image_cache *cache, struct bx_str wasm, bool fuel, uint64_t compat,
                 bx_image_compile_fn *compile, void *user, struct bx_image **ret, struct bx_err *err);

#endif
