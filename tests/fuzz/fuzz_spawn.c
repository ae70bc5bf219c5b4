/* What a guest says when it starts another: refused, or understood so that it can be written again
 * the same way. */
#include "fuzz/fuzz.h"

#include "box/protocol.h"
#include "box/spawn_request.h"

static void put_texts(struct bx_buf *out, const char *const *texts, size_t count) {
    bx_put_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        bx_put_str(out, bx_str(texts[i]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_spawn_request q;
    int32_t r = bx_spawn_request_decode(data, size, &q);
    if (r < 0) {
        return 0;
    }
    bx_auto(bx_buf_deinit) struct bx_buf again = BX_BUF_INIT(size);
    bx_put_u32(&again, (uint32_t)q.in);
    bx_put_u32(&again, (uint32_t)q.out);
    bx_put_u32(&again, (uint32_t)q.err);
    put_texts(&again, q.argv, q.argc);
    put_texts(&again, q.env, q.env_count);
    if (r != 0 || q.argc == 0 || q.argv[q.argc] || q.env[q.env_count] || bx_buf_failed(&again) ||
        again.size != size || memcmp(again.p, data, size) != 0) {
        bx_die("fuzz_spawn: a request is not what was read");
    }
    bx_spawn_request_deinit(&q);
    return 0;
}
