/* base/blob.h: bytes that are part of the binary (cmake/embed.py). A NUL stands behind them, so text may be used as such. */
#ifndef BX_BASE_BLOB_H
#define BX_BASE_BLOB_H

#include <stdbool.h>
#include <stddef.h>

struct bx_blob {
    const unsigned char *p;
    size_t n;
};
struct bx_file_blob { /* a file of a folder that is part of the binary; arrays end with a NULL name */
    const char *name; /* relative to the folder */
    struct bx_blob content;
    bool is_program;
};

#endif
