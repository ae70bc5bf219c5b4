/* fetch/sse.h: server-sent events out of bytes.
 *
 * Pure, one thread at a time. The bytes may be cut anywhere. Lines end with LF, CRLF or CR; comments and unknown fields are
 * skipped; a byte order mark at the start too. What a line and an event may hold is limited. */
#ifndef BX_FETCH_SSE_H
#define BX_FETCH_SSE_H

#include "base/base.h"

struct bx_sse_event {
    struct bx_str type; /* "message" when the stream does not say */
    struct bx_str data; /* lines joined by LF; views for the time of the call */
};

struct bx_sse {
    struct bx_buf line, data, type;
    bool started, after_cr, has_data;
};

void bx_sse_init(struct bx_sse *s, size_t max_event_bytes);
void bx_sse_deinit(struct bx_sse *s);
/* Calls on_event for each event that is complete; a non-zero result stops and is returned. BX_ERR_LIMIT: an event is larger
 * than the limit; the reader is of no more use then. */
int bx_sse_feed(struct bx_sse *s, struct bx_str bytes, int (*on_event)(void *user, const struct bx_sse_event *event),
                void *user, struct bx_err *err);
/* The stream is over: an event whose empty line never came is given out too. (The standard drops it, but servers that
 * close right after their last line are common, and a reader of JSON sees for itself whether it is whole.) */
int bx_sse_end(struct bx_sse *s, int (*on_event)(void *user, const struct bx_sse_event *event), void *user,
               struct bx_err *err);

#endif
