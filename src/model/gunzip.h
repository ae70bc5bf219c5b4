/* model/gunzip.h: unpacks gzip (RFC 1952) that is part of the binary. Any thread. */
#ifndef BX_MODEL_GUNZIP_H
#define BX_MODEL_GUNZIP_H

#include "base/base.h"

/* Adds the unpacked bytes to out; bytes without gzip's magic are added as they are. BX_ERR_DAMAGED, BX_ERR_LIMIT. */
int bx_gunzip(struct bx_str packed, struct bx_buf *out, struct bx_err *err);

#endif
