#include "box/aot.h"

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

int bx_aot_compile(const char *wasm_path, const char *out_path, bool fuel, struct bx_err *err) {
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
        r = bx_file_write_atomic(out_path, bx_str_n((const char *)made, size), 0644, err);
        bxe_bytes_free(made, size);
    }
    bxe_engine_free(engine);
    return r;
}
