/* http/reply.h: one answer being made.
 *
 * One thread at a time: a worker may make it, then it moves to the loop thread with bx_http_exchange_reply. The
 * connection adds Date, Content-Length and Connection itself. A header that would break the head (control characters
 * in name or value) turns the whole reply into a 500: header injection is a bug of ours, never something to send. */
#ifndef BX_HTTP_REPLY_H
#define BX_HTTP_REPLY_H

#include "base/base.h"

struct bx_http_reply {
    int status;
    struct bx_buf head;  /* further header lines, each with its CRLF */
    struct bx_buf body;  /* owned */
    struct bx_str fixed; /* instead of body: bytes that outlive the connection (embedded files) */
    bool close;          /* end the connection after this reply */
};

void bx_http_reply_init(struct bx_http_reply *r, int status, size_t max_body_bytes);
void bx_http_reply_deinit(struct bx_http_reply *r);
void bx_http_reply_header(struct bx_http_reply *r, const char *name, struct bx_str value);
void bx_http_reply_headerf(struct bx_http_reply *r, const char *name, const char *fmt, ...) BX_PRINTF(3, 4);
/* application/problem+json for what the http room itself refuses; `detail` is our own text without quotes. */
void bx_http_reply_refuse(struct bx_http_reply *r, int status, const char *detail);
const char *bx_http_status_text(int status); /* "Not Found"; "Unknown" for what we never send */
/* Status line and head into out; the length is that of the body, also when that is not sent (HEAD). */
void bx_http_reply_write_head(const struct bx_http_reply *r, bool keep_alive, struct bx_buf *out);

#endif
