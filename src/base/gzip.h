/* base/gzip.h: packing and unpacking by deflate: gzip (RFC 1952) and the bare stream that ZIP files hold. Any thread; only this
 * room knows zlib. What is unpacked never grows beyond the buffer's maximum. */
#ifndef BX_BASE_GZIP_H
#define BX_BASE_GZIP_H

#include "base/base.h"

/* Adds the unpacked bytes to out; bytes without gzip's magic are added as they are. BX_ERR_DAMAGED, BX_ERR_LIMIT. */
int bx_gunzip(struct bx_str packed, struct bx_buf *out, struct bx_err *err);
/* Without a time and a name in it: the same bytes give the same result. */
int bx_gzip(struct bx_str plain, struct bx_buf *out, struct bx_err *err);

/* Without header and trailer. */
int bx_inflate(struct bx_str packed, struct bx_buf *out, struct bx_err *err);
int bx_deflate(struct bx_str plain, struct bx_buf *out, struct bx_err *err);
uint32_t bx_crc32(struct bx_str bytes); /* as gzip and ZIP have it */

#endif
