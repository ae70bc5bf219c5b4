/* http/request.h: one request, as read from the wire.
 *
 * Made on the loop thread; once it is whole it never changes, so a worker may read it while it holds its exchange.
 * All views live as long as the request. `path` is percent-decoded and holds no NUL or control character; everything
 * else is as it came. */
#ifndef BX_HTTP_REQUEST_H
#define BX_HTTP_REQUEST_H

#include "base/base.h"

enum bx_http_method {
    BX_HTTP_GET,
    BX_HTTP_HEAD,
    BX_HTTP_POST,
    BX_HTTP_PUT,
    BX_HTTP_PATCH,
    BX_HTTP_DELETE,
    BX_HTTP_OPTIONS,
    BX_HTTP_METHOD_COUNT
};
const char *bx_http_method_name(enum bx_http_method method);

#define BX_HTTP_MAX_FIELDS 100

struct bx_http_field {
    struct bx_str name, value;
};

struct bx_http_request {
    enum bx_http_method method;
    struct bx_str target; /* as it came: "/a%20b?x=1" */
    struct bx_str path;   /* "/a b" */
    struct bx_str query;  /* "x=1" */
    struct bx_http_field fields[BX_HTTP_MAX_FIELDS];
    size_t field_count;
    struct bx_buf text; /* the memory behind the views above */
    struct bx_buf path_text;
    struct bx_buf body;
};

struct bx_str bx_http_field(const struct bx_http_request *r, const char *name); /* the first; {NULL, 0} when absent */
size_t bx_http_field_count(const struct bx_http_request *r, const char *name);
/* Is `token` one of the comma-separated tokens of the field(s)? ASCII case folded: Connection: keep-alive, Upgrade */
bool bx_http_field_has_token(const struct bx_http_request *r, const char *name, const char *token);
struct bx_str bx_http_cookie(const struct bx_http_request *r, const char *name); /* {NULL, 0} when absent */
/* The decoded value of the first such query parameter into ret; false when absent or badly encoded. */
bool bx_http_query(const struct bx_http_request *r, const char *name, struct bx_buf *ret);

/* Adds s with %XX (and '+' as a space, in queries) decoded. BX_ERR_INVALID: a broken escape, a NUL or control byte. */
int bx_http_decode(struct bx_str s, bool plus_is_space, struct bx_buf *out);

#endif
