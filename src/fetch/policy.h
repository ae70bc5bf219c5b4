/* fetch/policy.h: which hosts a sandboxed call may talk to.
 *
 * Pure, immutable once made, any thread. Two gates, both must open: the *hosts* (an allow-list in Spin's syntax, judged on
 * the URL) and the *networks* (a block-list, judged on every address that is about to be connected to).
 *
 *     hosts:    scheme://host[:port]   scheme: letters or *;  host: a name, *, *.domain (not the domain itself), an
 *               address, a CIDR, self;  port: a number, *, or a..b (b excluded); it may be left out where the scheme has a
 *               default, and for self. One bad entry is an error that names it. No entry: no network.
 *     networks: CIDRs or the word private (everything that is not globally routable).
 *
 * An allowed host does not open a blocked network: who wants a service of this machine says so in both, or grants it. A
 * *granted* host (a person's yes to exactly it) that is written as an address, as localhost or as self, lifts `private` for that
 * address, never a CIDR that is blocked by its number. A *denied* host stays denied whatever allows it. */
#ifndef BX_FETCH_POLICY_H
#define BX_FETCH_POLICY_H

#include "fetch/ip.h"

struct bx_policy;

struct bx_policy_config {
    const char *const *allowed_hosts;
    size_t allowed_host_count;
    const char *const *granted_hosts; /* the same syntax */
    size_t granted_host_count;
    const char *const *denied_hosts; /* the same syntax */
    size_t denied_host_count;
    const char *const *block_networks;
    size_t block_network_count;
    uint16_t self_port; /* `self` is 127.0.0.1 and localhost at this port; 0 = `self` matches nothing */
};
/* BX_ERR_INVALID names the entry and what is wrong with it. */
int bx_policy_new(const struct bx_policy_config *config, struct bx_policy **ret, struct bx_err *err);
void bx_policy_free(struct bx_policy *p);
BX_DEFINE_AUTO(struct bx_policy, bx_policy_free)

/* A host as the policy compares it: lower case, one trailing dot off, addresses in their plain form. */
int bx_policy_host(struct bx_str host, char **ret_host, struct bx_err *err);

/* 0 or BX_ERR_DENIED, whose message holds the setting that would allow it. host as in a URL, any spelling. */
int bx_policy_check_host(const struct bx_policy *p, struct bx_str scheme, struct bx_str host, uint16_t port,
                         struct bx_err *err);
/* The same for "scheme://host[:port]", as bx_policy_entry writes it. */
int bx_policy_check_entry(const struct bx_policy *p, const char *entry, struct bx_err *err);
/* Was this very address, or localhost (whose address must then be a loopback one), granted? */
bool bx_policy_lifts_private(const struct bx_policy *p, struct bx_str scheme, struct bx_str host, uint16_t port);
int bx_policy_check_ip(const struct bx_policy *p, const struct bx_ip *ip, bool private_lifted, struct bx_err *err);

/* The entry that allows exactly this: "https://example.com", "http://[::1]:8080". The caller's; NULL: no such host can be. */
char *bx_policy_entry(struct bx_str scheme, struct bx_str host, uint16_t port);

#endif
