#include "box/aot.h"

#include <zstd.h>

#include "base/file.h"
#include "box/image.h"
#include "engine.h"

#if defined __x86_64__
#define TARGET "x86_64-unknown-linux-gnu"
#elif defined __aarch64__
#define TARGET "aarch64-unknown-linux-gnu"
#else
#error "aot: name the target triple of this architecture"
#endif

/* Level 19: a second or two at build time; unpacking is as fast as with any other. */
static int write_packed(const char *path, const void *bytes, size_t n, struct bx_err *err) {
    size_t room = ZSTD_compressBound(n);
    bx_auto(bx_freep) char *packed = bx_alloc(room);
    size_t size = ZSTD_compress(packed, room, bytes, n, 19);
    if (ZSTD_isError(size)) {
        return bx_fail(err, BX_ERR_INTERNAL, "cannot compress: %s", ZSTD_getErrorName(size));
    }
    return bx_file_write_atomic(path, bx_str_n(packed, size), 0644, err);
}

int bx_aot_compile(const char *wasm_path, const char *out_path, bool fuel, bool packed,
                   struct bx_err *err) {
    char why[400];
    uint8_t *made = NULL;
    size_t size = 0;
    bx_auto(bx_buf_deinit) struct bx_buf wasm = BX_BUF_INIT(BX_IMAGE_WASM_MAX);
    int r = bx_file_read(wasm_path, &wasm, err);
    if (r < 0) {
        return r;
    }
    struct bxe_engine_config config = {
        .max_stack_bytes = 512 * BX_KIB, .fuel = fuel, .target = TARGET};
    struct bxe_engine *engine = bxe_engine_new(&config, why, sizeof why);
    if (!engine || bxe_compile(engine, (const uint8_t *)wasm.p, wasm.size, &made, &size, why,
                               sizeof why) < 0) {
        r = bx_fail(err, BX_ERR_INVALID, "%s: %s", wasm_path, why);
    } else {
        r = packed ? write_packed(out_path, made, size, err)
                   : bx_file_write_atomic(out_path, bx_str_n((const char *)made, size), 0644, err);
        bxe_bytes_free(made, size);
    }
    bxe_engine_free(engine);
    return r;
}
