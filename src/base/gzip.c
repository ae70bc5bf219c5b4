#include "base/gzip.h"

#include <zlib.h>

#define WINDOW_GZIP                                                                                \
    (15 + 16)             /* zlib.h, inflateInit2: the largest window, gzip's header and trailer */
#define WINDOW_BARE (-15) /* neither */
#define STEP        (256 * BX_KIB)

static int unpack(struct bx_str packed, int window, struct bx_buf *out, struct bx_err *err) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
    if (packed.n > UINT_MAX || inflateInit2(&z, window) != Z_OK)
        return bx_fail(err, BX_ERR_INTERNAL, "cannot unpack");
    int state = Z_OK, r = 0;
    while (state == Z_OK && r == 0) {
        size_t step = BX_MIN((size_t)STEP, out->max - out->size);
        char *to = step ? bx_buf_space(out, step) : NULL;
        if (!to) {
            r = bx_fail(err, BX_ERR_LIMIT, "larger than %zu bytes when unpacked", out->max);
            break;
        }
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)step;
        state = inflate(&z, Z_NO_FLUSH);
        bx_buf_grew(out, step - z.avail_out);
    }
    inflateEnd(&z);
    return r == 0 && state != Z_STREAM_END
               ? bx_fail(err, BX_ERR_DAMAGED, "the packed bytes are damaged")
               : r;
}

static int pack(struct bx_str plain, int window, struct bx_buf *out, struct bx_err *err) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)plain.p, .avail_in = (uInt)plain.n};
    if (plain.n > UINT_MAX ||
        deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return bx_fail(err, BX_ERR_INTERNAL, "cannot pack");
    size_t most = deflateBound(&z, plain.n);
    char *to = bx_buf_space(out, most);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)most;
    int state = to ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    if (to)
        bx_buf_grew(out, most - z.avail_out);
    deflateEnd(&z);
    return state == Z_STREAM_END ? 0 : bx_fail(err, BX_ERR_LIMIT, "too large to be packed");
}

int bx_gunzip(struct bx_str packed, struct bx_buf *out, struct bx_err *err) {
    if (!bx_str_starts(packed, "\x1f\x8b"))
        return bx_buf_adds(out, packed) ? bx_fail(err, BX_ERR_LIMIT, "too large") : 0;
    return unpack(packed, WINDOW_GZIP, out, err);
}

int bx_gzip(struct bx_str plain, struct bx_buf *out, struct bx_err *err) {
    return pack(plain, WINDOW_GZIP, out, err);
}

int bx_inflate(struct bx_str packed, struct bx_buf *out, struct bx_err *err) {
    return unpack(packed, WINDOW_BARE, out, err);
}

int bx_deflate(struct bx_str plain, struct bx_buf *out, struct bx_err *err) {
    return pack(plain, WINDOW_BARE, out, err);
}

uint32_t bx_crc32(struct bx_str bytes) {
    return (uint32_t)crc32_z(0, (const Bytef *)(bytes.n ? bytes.p : ""), bytes.n);
}
