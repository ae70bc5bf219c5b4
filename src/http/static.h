/* http/static.h: files that are part of the binary. Loop thread; pure but for its output.
 *
 * A path is looked up in the table as a whole, so there is nothing to traverse. Each file has a strong ETag (another one
 * for its gzip form), answers If-None-Match with 304 and one byte range with 206; more ranges than one give the whole
 * file, as RFC 9110 allows. */
#ifndef BX_HTTP_STATIC_H
#define BX_HTTP_STATIC_H

#include "http/reply.h"
#include "http/request.h"

struct bx_page_file {
    const char *path; /* "/index.html"; "/" asks for that one */
    const char *mime;
    const unsigned char *p;
    size_t n;
    const unsigned char *gz; /* NULL: not worth it */
    size_t gz_n;
    const char *etag; /* with its quotes; the gzip form gets a tag of its own made from it */
};

/* Makes the reply (initialised here) and returns true when there is such a file. */
bool bx_static_reply(const struct bx_page_file *files, size_t count, const struct bx_http_request *req,
                     struct bx_http_reply *ret);
/* Does Accept-Encoding allow gzip? "*" counts, q=0 refuses. */
bool bx_static_takes_gzip(struct bx_str accept_encoding);

#endif
