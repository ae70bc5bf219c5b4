/* http/router.h: which route a path belongs to. Pure, any thread.
 *
 * A table of rows; a pattern is a path whose parts may be "*", which matches one non-empty part. HEAD is answered by the
 * row of GET. The first row that fits wins, so a fixed part stands before a "*". */
#ifndef BX_HTTP_ROUTER_H
#define BX_HTTP_ROUTER_H

#include "http/request.h"

#define BX_HTTP_MAX_PARAMS 4

struct bx_http_route {
    enum bx_http_method method;
    const char *pattern;   /* "/api/v1/sessions/" "*" "/events" in one string */
    size_t max_body_bytes; /* 0: the route takes no body */
    const void *target;    /* the user's */
};

struct bx_http_match {
    const struct bx_http_route *route;
    struct bx_str params[BX_HTTP_MAX_PARAMS]; /* what the "*" matched; views into the path */
    size_t param_count;
    unsigned methods; /* bit per method that the path has (1u << BX_HTTP_…), also when the route is NULL */
};

/* true when there is a row for path and method; otherwise `methods` tells 404 (0) from 405. */
bool bx_http_route_find(const struct bx_http_route *routes, size_t count, enum bx_http_method method,
                        struct bx_str path, struct bx_http_match *ret);
/* "GET, HEAD, POST, OPTIONS" for the Allow field */
void bx_http_allow(unsigned methods, struct bx_buf *out);

#endif
