/* base/blob.h: bytes that are part of the binary (cmake/embed.py). A NUL stands behind them, so text may be used as such. */
#ifndef BX_BASE_BLOB_H
#define BX_BASE_BLOB_H

#include <stddef.h>

struct bx_blob {
    const unsigned char *p;
    size_t n;
};

#endif
