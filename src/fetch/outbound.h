/* fetch/outbound.h: one outbound request of a sandboxed call, answered by the host.
 *
 * Any thread; blocks. The policy decides about the URL and about every address; redirects go back to the guest as they
 * are, so the next hop is a request of its own and is judged again. Headers that belong to the connection (Host,
 * Content-Length, Transfer-Encoding, Connection …) are the host's: a guest's are dropped, a server's are not passed on. */
#ifndef BX_FETCH_OUTBOUND_H
#define BX_FETCH_OUTBOUND_H

#include "fetch/fetch.h"

struct bx_outbound_request {
    const char *method, *url;
    const struct bx_fetch_header *headers;
    size_t header_count;
    struct bx_str body;
    size_t max_request_bytes, max_response_bytes; /* 0 = 10 MiB */
    uint64_t timeout_ms;                          /* 0 = 30 s, for all of it */
};

struct bx_outbound_response {
    int status;
    struct bx_fetch_header *headers; /* name and value of each are the response's */
    size_t header_count;
    struct bx_buf body;
    uint64_t bytes_in, bytes_out;    /* for the ledger; also set when the call fails */
};
void bx_outbound_response_deinit(struct bx_outbound_response *r);

/* As bx_fetch_perform; BX_ERR_DENIED and BX_ERR_LIMIT are the policy's and the limits'. ret is initialised in any case and
 * the caller deinits it. policy must not be NULL: no policy is no network. */
int bx_outbound_perform(struct bx_fetch *f, const struct bx_policy *policy, const struct bx_outbound_request *request,
                        struct bx_cancel *cancel, struct bx_outbound_response *ret, struct bx_err *err);

#endif
