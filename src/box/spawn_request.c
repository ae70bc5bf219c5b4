#include "box/spawn_request.h"

#include "box/protocol.h"
#include "box/wasi.h"

/* A count and that many texts, copied behind *io_texts with their ends. */
static bool read_texts(struct bx_reader *r, char **io_texts, const char ***ret, size_t *ret_count) {
    size_t count = bx_read_u32(r);
    if (r->failed || count > r->left.n / sizeof(uint32_t)) {
        return false;
    }
    *ret = bx_realloc_array(NULL, count + 1, sizeof **ret);
    for (size_t i = 0; i < count; i++) {
        struct bx_str text = bx_read_str(r);
        if (r->failed || (text.n > 0 && memchr(text.p, '\0', text.n))) {
            return false;
        }
        if (text.n > 0) {
            memcpy(*io_texts, text.p, text.n);
        }
        (*io_texts)[text.n] = '\0';
        (*ret)[i] = *io_texts;
        *io_texts += text.n + 1;
    }
    (*ret)[count] = NULL;
    *ret_count = count;
    return true;
}

int32_t bx_spawn_request_decode(const void *p, size_t n, struct bx_spawn_request *ret) {
    *ret = (struct bx_spawn_request){0};
    if (n > BX_SPAWN_REQUEST_MAX) {
        return -BX_WASI_E2BIG;
    }
    struct bx_reader r = bx_reader(bx_str_n(p, n));
    struct bx_spawn_request q = {
        .in = (int32_t)bx_read_u32(&r),
        .out = (int32_t)bx_read_u32(&r),
        .err = (int32_t)bx_read_u32(&r),
        .texts = bx_alloc(n + 1), /* a text needs one byte there and has four for its length here */
    };
    char *texts = q.texts;
    bool good = read_texts(&r, &texts, &q.argv, &q.argc) &&
                read_texts(&r, &texts, &q.env, &q.env_count) && bx_read_end(&r, NULL) == 0;
    if (!good || q.argc == 0) {
        bx_spawn_request_deinit(&q);
        return -BX_WASI_EINVAL;
    }
    *ret = q;
    return 0;
}

void bx_spawn_request_deinit(struct bx_spawn_request *r) {
    bx_free(r->argv);
    bx_free(r->env);
    bx_free(r->texts);
    *r = (struct bx_spawn_request){0};
}
