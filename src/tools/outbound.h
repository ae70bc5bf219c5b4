/* tools/outbound.h: answers what a sandboxed call asks of the network.
 *
 * Any thread; bx_outbound_answer blocks its own. One client and one cache for all calls of a workspace. What always holds:
 *
 *   - The grant of the call decides: no host in it, no network. The policy judges each request's URL before anything else,
 *     also before the cache, and every address at the moment of connecting. Redirects are not followed here: they go back to
 *     the guest, whose next request is judged like the first.
 *   - Headers that belong to the connection, cookies and credentials are the host's or nobody's: a guest's are dropped, and a
 *     server's are not passed on.
 *   - Bodies are streamed and not looked into: decompressing and parsing what strangers send is the guest's business. */
#ifndef BX_TOOLS_OUTBOUND_H
#define BX_TOOLS_OUTBOUND_H

#include "box/box.h"

struct bx_outbound;

struct bx_outbound_config {
    bool offline; /* this machine only, whatever a grant says */
};
int bx_outbound_new(const struct bx_outbound_config *config, struct bx_outbound **ret, struct bx_err *err);
void bx_outbound_free(struct bx_outbound *o); /* no call may be running */
BX_DEFINE_AUTO(struct bx_outbound, bx_outbound_free)

/* The work of a bx_outbound_fn (box/box.h), with its codes and its sentences. An answer from the cache carries the header
 * BX_OUTBOUND_AGE with its age in seconds; a server that sends this header is not believed. */
#define BX_OUTBOUND_AGE "x-boxagnts-age"
/* A guest's own header, for us and not passed on: for how many seconds it would wait for the whole answer. */
#define BX_OUTBOUND_TIMEOUT "x-boxagnts-timeout"
int bx_outbound_answer(struct bx_outbound *o, const struct bx_outbound_request *request,
                       struct bx_outbound_answer *answer, struct bx_err *err);

#endif
