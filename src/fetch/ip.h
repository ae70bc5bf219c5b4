/* fetch/ip.h: addresses and networks as values. Pure, any thread.
 *
 * An address is kept in the form that the network sees: an IPv4-mapped IPv6 address is an IPv4 address here, so a rule
 * about 127.0.0.0/8 also holds for ::ffff:127.0.0.1. */
#ifndef BX_FETCH_IP_H
#define BX_FETCH_IP_H

#include "base/base.h"

struct sockaddr;

struct bx_ip {
    bool is_v6;
    uint8_t bytes[16]; /* network order; 4 are used for IPv4 */
};

/* Every spelling that some resolver takes for an address: dotted, "2130706433", "0x7f.1", "0177.0.0.1", IPv6 with or
 * without brackets and a scope ("%eth0"). False: it is a name. */
bool bx_ip_parse(struct bx_str text, struct bx_ip *ret);
/* False for families other than AF_INET and AF_INET6. */
bool bx_ip_of_sockaddr(const struct sockaddr *sa, struct bx_ip *ret);
#define BX_IP_TEXT_SIZE 46
void bx_ip_format(const struct bx_ip *ip, char out[static BX_IP_TEXT_SIZE]);

bool bx_ip_is_loopback(const struct bx_ip *ip);
/* Globally routable unicast by IANA's special-purpose registries. Forms that carry an IPv4 address (NAT64, 6to4) are
 * global only when what they carry is. */
bool bx_ip_is_global(const struct bx_ip *ip);
/* The IPv4 address inside NAT64 (64:ff9b::/96), 6to4 or an IPv4-compatible address. */
bool bx_ip_embedded(const struct bx_ip *ip, struct bx_ip *ret);

struct bx_network {
    struct bx_ip base;
    unsigned prefix;
};
/* "10.0.0.0/8", "fd00::/8"; a bare address is a network of one. Strict spelling only. */
bool bx_network_parse(struct bx_str text, struct bx_network *ret);
bool bx_network_has(const struct bx_network *net, const struct bx_ip *ip);

#endif
