/* store/scan.h: a session's file read once from front to back: its header, its facts and where its events are.
 *
 * One thread at a time. This is the parser of session files; whatever bytes it is given, it ends with what is readable. */
#ifndef BX_STORE_SCAN_H
#define BX_STORE_SCAN_H

#include "base/vec.h"
#include "store/facts.h"

#define BX_EVENT_MAX_BYTES (64 * BX_MIB) /* one line */
#define BX_NO_EVENT        UINT64_MAX    /* offset of a seq whose line is damaged */

struct bx_scan {
    struct bx_doc *header; /* NULL: the first line is no header */
    struct bx_facts facts;
    BX_VEC(uint64_t) offsets; /* of event seq at [seq - 1], when asked for */
    uint64_t last_seq;
    uint64_t end; /* behind the last whole line; what follows is a torn write */
    unsigned damaged_lines;
};

int bx_scan_fd(int fd, bool with_offsets, struct bx_scan *ret, struct bx_err *err);
/* Its first line only; BX_ERR_DAMAGED when that is no header. */
int bx_scan_header(int fd, struct bx_scan *ret);
void bx_scan_deinit(struct bx_scan *s);

#endif
