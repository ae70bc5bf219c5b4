/* store/lines.h: a file read line by line, in pieces, with the place of every line.
 *
 * One thread at a time. The file's position is not touched (pread), so a writer may use the same descriptor. A line
 * longer than the maximum is passed over without being held in memory. */
#ifndef BX_STORE_LINES_H
#define BX_STORE_LINES_H

#include "base/base.h"

struct bx_lines {
    int fd;
    struct bx_buf buf;
    size_t at;         /* of buf: where the next line starts */
    size_t searched;   /* of buf: no line end between at and here */
    uint64_t offset;   /* of the file: where buf starts */
    bool at_end;
    size_t max_line_bytes;
};
struct bx_line {
    struct bx_str text; /* without the line end; a view until the next call */
    uint64_t offset;
    bool too_long;      /* text is empty then */
};

void bx_lines_init(struct bx_lines *l, int fd, size_t max_line_bytes);
void bx_lines_deinit(struct bx_lines *l);
/* 1: a whole line; 0: the end (what stands behind the last line end is not a line); negative: reading failed. */
int bx_lines_next(struct bx_lines *l, struct bx_line *ret, struct bx_err *err);

#endif
