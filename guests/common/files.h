#ifndef BX_GUEST_FILES_H
#define BX_GUEST_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/*
 * Many names and many files in one call of the host (engine/wit/files.wit), for searching a whole tree: by the C library each
 * file costs a dozen crossings. Paths are those of common/path.h, but any bytes; names that are not UTF-8 come through.
 */

/* What is in a folder, in no order: for each entry its kind ('f' file, 'd' folder, 'l' link, 'o' other) and its name with the
 * NUL. False and errno. */
bool bx_files_list(const char *dir, struct bx_buf *ret);

/* Files to be read together, and what was read of them. Zero-initialised. */
struct bx_batch {
    struct bx_buf paths; /* each with its NUL */
    size_t n, done;      /* how many are left, and bytes of the paths before them */
    char *bytes;         /* the host's answer */
    size_t len, at;
};
struct bx_batch_file {
    const char *path; /* until the batch is reset */
    char *bytes;      /* until the next one is taken */
    size_t len;
    bool goes_on; /* the file is longer than what was read of it */
    int error;    /* an errno, or 0 */
};
void bx_batch_add(struct bx_batch *batch, const char *path);
/* The next file of the batch, in the order in which they were added; false at the end. */
bool bx_batch_next(struct bx_batch *batch, struct bx_batch_file *ret);
void bx_batch_reset(struct bx_batch *batch);

#endif
