#include "model/gunzip.h"

#include <zlib.h>

#define WINDOW_GZIP                                                                                \
    (15 + 16) /* zlib.h, inflateInit2: the largest window, gzip's header and trailer */

int bx_gunzip(struct bx_str packed, struct bx_buf *out, struct bx_err *err) {
    if (!bx_str_starts(packed, "\x1f\x8b"))
        return bx_buf_adds(out, packed) ? bx_fail(err, BX_ERR_LIMIT, "too large") : 0;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
    if (packed.n > UINT_MAX || inflateInit2(&z, WINDOW_GZIP) != Z_OK)
        return bx_fail(err, BX_ERR_INTERNAL, "cannot unpack");
    int state = Z_OK, r = 0;
    while (state == Z_OK && r == 0) {
        const size_t step = 256 * BX_KIB;
        char *to = bx_buf_space(out, step);
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
