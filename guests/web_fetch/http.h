#ifndef BX_GUEST_HTTP_H
#define BX_GUEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "web_fetch/url.h"

/*
 * One GET, without following anything. In the box the host does it (http_wasi.c); the test build on this machine reads the
 * answer from a folder (http_native.c).
 */
struct bx_http_header {
    char *name, *value;
};

enum bx_http_end {
    BX_HTTP_OK,
    BX_HTTP_DENIED,  /* by the call's network grant */
    BX_HTTP_TIMEOUT,
    BX_HTTP_BROKEN,  /* no answer, or cut in the middle: what came is there */
    BX_HTTP_LARGE,   /* what is there is the beginning */
};

struct bx_http_answer {
    enum bx_http_end end;
    int status; /* 0: none came */
    struct bx_http_header *headers;
    size_t header_count;
    struct bx_buf body;
};

struct bx_http_request {
    const struct bx_url *url;
    const struct bx_http_header *headers;
    size_t header_count;
    size_t max_bytes; /* of the body */
};

/* Everything in *ret is kept until the program ends. */
void bx_http_get(const struct bx_http_request *request, struct bx_http_answer *ret);

/* The first header of that name, or NULL. */
const char *bx_http_header(const struct bx_http_answer *answer, const char *name);

#endif
