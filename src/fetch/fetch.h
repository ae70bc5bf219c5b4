/* fetch/fetch.h: HTTP to the outside, the only door of the process.
 *
 * A client (struct bx_fetch) is for any thread at once; an exchange runs on the calling thread and blocks it, streaming what
 * comes through callbacks. Connections are kept alive and reused per client. What always holds:
 *
 *   - HTTP/1.1 over http, https or a Unix socket; certificates are checked against the machine's store, which is read once
 *     ($SSL_CERT_FILE, else where distributions keep it).
 *   - Redirects are never followed: they are the caller's decision, and each hop is an exchange with its own checks.
 *   - No proxy, no cookies, no netrc, whatever the environment says.
 *   - Addresses are judged at the moment of connecting, on the address that is connected to: an answer of the name server
 *     that changes between look-up and connect gains nothing.
 *   - The token ends an exchange within 100 ms, also in the middle of a name look-up.
 *
 * curl.h is included by this room only. */
#ifndef BX_FETCH_FETCH_H
#define BX_FETCH_FETCH_H

#include "base/cancel.h"
#include "fetch/policy.h"

struct bx_fetch;

struct bx_fetch_config {
    bool offline; /* loopback addresses and Unix sockets only; other names are refused before they are looked up */
};
int bx_fetch_new(const struct bx_fetch_config *config, struct bx_fetch **ret, struct bx_err *err);
void bx_fetch_free(struct bx_fetch *f); /* no exchange may be running */
BX_DEFINE_AUTO(struct bx_fetch, bx_fetch_free)

struct bx_fetch_header {
    const char *name, *value;
};

struct bx_fetch_head {
    int status;
    const struct bx_fetch_header *headers; /* in order; transfer-encoding and friends are still among them */
    size_t header_count;
};
/* The value of the first header of that name (ASCII case folded), or NULL. */
const char *bx_fetch_head_get(const struct bx_fetch_head *head, const char *name);

struct bx_fetch_request {
    const char *method;      /* NULL = GET, or POST when there is a body */
    const char *url;         /* http or https, without user and password */
    const char *unix_socket; /* path; the URL's host then only names the server in the request */
    const struct bx_fetch_header *headers;
    size_t header_count;
    struct bx_str body; /* p = NULL: no body */
    const struct bx_policy *policy; /* NULL = any host: for endpoints that the user configured */
    const char *pin;    /* "host:port:address": use this address instead of asking the name server; NULL = ask */
    uint64_t connect_timeout_ms;    /* look-up, connect and TLS; 0 = 10 s */
    uint64_t first_byte_timeout_ms; /* until the head is there; 0 = 60 s */
    uint64_t stall_timeout_ms;      /* between two pieces of the body; 0 = 60 s */
    uint64_t total_timeout_ms;      /* 0 = none */
    size_t max_response_bytes;      /* of the body; 0 = 64 MiB */
    /* Both on the calling thread, both may be NULL. Non-zero ends the exchange: it becomes the result's code. */
    int (*on_head)(void *user, const struct bx_fetch_head *head, struct bx_err *err);
    int (*on_body)(void *user, struct bx_str piece, struct bx_err *err);
    void *user;
    struct bx_cancel *cancel;
};

struct bx_fetch_result {
    int status;
    uint64_t bytes_out, bytes_in; /* bodies */
    bool reused;                  /* over a connection that was there */
    char address[BX_IP_TEXT_SIZE]; /* "" for a Unix socket */
};

/* 0 when a whole response came, whatever its status. Else:
 *   BX_ERR_CANCELLED, BX_ERR_TIMEOUT (says which), BX_ERR_DENIED (policy, offline), BX_ERR_LIMIT (max_response_bytes),
 *   BX_ERR_UNAVAILABLE (no such name, nothing listens, TLS does not come up), BX_ERR_RETRY (cut in the middle),
 *   BX_ERR_PROTO (not HTTP, certificate not good), BX_ERR_INVALID (the request), or what a callback returned. */
int bx_fetch_perform(struct bx_fetch *f, const struct bx_fetch_request *request, struct bx_fetch_result *ret,
                     struct bx_err *err);

/* The first gate alone, which bx_fetch_perform passes too: may this URL be asked for? 0, BX_ERR_INVALID, BX_ERR_DENIED. */
int bx_fetch_check(struct bx_fetch *f, const struct bx_policy *policy, const char *url, struct bx_err *err);

#endif
