/* api/auth.h: who may call. Pure after its making; loop thread.
 *
 * A server on the loopback is within reach of every web page that the user visits and of every user of the machine, so each
 * request must say our own Host (against DNS rebinding), must not come from a foreign page (Origin, Sec-Fetch-Site), and must
 * carry the cookie of this installation or the bearer token of auth.json. The cookie is had once, through the one-time token in
 * the address that is printed at start. Secrets are compared in time that does not depend on them. */
#ifndef BX_API_AUTH_H
#define BX_API_AUTH_H

#include "http/reply.h"
#include "http/request.h"

struct bx_auth;

struct bx_auth_config {
    uint16_t port;
    const char *const *extra_hosts;
    size_t extra_host_count;
    const char *session_key; /* what the cookie holds */
    const char *api_token;   /* what a program sends */
};
struct bx_auth *bx_auth_new(const struct bx_auth_config *config); /* copied */
void bx_auth_free(struct bx_auth *a);

bool bx_auth_host_is_ours(const struct bx_auth *a, const struct bx_http_request *r);
/* Must be asked for requests that change something and for WebSockets. */
bool bx_auth_origin_is_ours(const struct bx_auth *a, const struct bx_http_request *r);
/* Cookie or bearer. */
bool bx_auth_is_known(const struct bx_auth *a, const struct bx_http_request *r);
bool bx_auth_is_program(const struct bx_auth *a, const struct bx_http_request *r); /* bearer */

const char *bx_auth_one_time_token(const struct bx_auth *a); /* "" once spent */
bool bx_auth_spend_token(struct bx_auth *a, struct bx_str token);
void bx_auth_set_cookie(const struct bx_auth *a, struct bx_http_reply *reply);

/* 32 random bytes in hex, the caller's. */
char *bx_auth_new_secret(void);

#endif
