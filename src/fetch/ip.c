#include "fetch/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool starts_with_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0) {
        return false;
    }
    return rest == 0 || (uint8_t)((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static struct bx_ip v4(const uint8_t *bytes) {
    struct bx_ip ip = {0};
    memcpy(ip.bytes, bytes, 4);
    return ip;
}

static struct bx_ip v6(const uint8_t *bytes) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        return v4(bytes + 12);
    }
    struct bx_ip ip = {.is_v6 = true};
    memcpy(ip.bytes, bytes, 16);
    return ip;
}

static bool parse_strict(const char *z, struct bx_ip *ret) {
    uint8_t bytes[16];
    if (inet_pton(AF_INET, z, bytes) == 1) {
        *ret = v4(bytes);
        return true;
    }
    if (inet_pton(AF_INET6, z, bytes) == 1) {
        *ret = v6(bytes);
        return true;
    }
    return false;
}

bool bx_ip_parse(struct bx_str text, struct bx_ip *ret) {
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = bx_str_slice(text, 1, text.n - 2);
    }
    size_t scope = bx_str_find(text, '%');
    if (scope != (size_t)-1) {
        text.n = scope;
    }
    char z[64];
    if (text.n == 0 || text.n >= sizeof z || memchr(text.p, 0, text.n)) {
        return false;
    }
    memcpy(z, text.p, text.n);
    z[text.n] = 0;
    if (parse_strict(z, ret)) {
        return true;
    }
    // inet_aton stops at white space and takes the rest for granted; no host name has any
    struct in_addr legacy;
    if (strpbrk(z, " \t\r\n\v\f") || inet_aton(z, &legacy) == 0) {
        return false;
    }
    uint8_t bytes[4];
    memcpy(bytes, &legacy.s_addr, 4);
    *ret = v4(bytes);
    return true;
}

bool bx_ip_of_sockaddr(const struct sockaddr *sa, struct bx_ip *ret) {
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        uint8_t bytes[4];
        memcpy(bytes, &in.sin_addr, 4);
        *ret = v4(bytes);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        *ret = v6(in6.sin6_addr.s6_addr);
        return true;
    }
    return false;
}

void bx_ip_format(const struct bx_ip *ip, char out[static BX_IP_TEXT_SIZE]) {
    if (!inet_ntop(ip->is_v6 ? AF_INET6 : AF_INET, ip->bytes, out, BX_IP_TEXT_SIZE)) {
        bx_die("an address does not fit its text");
    }
}

bool bx_ip_is_loopback(const struct bx_ip *ip) {
    static const uint8_t one[16] = {[15] = 1};
    return ip->is_v6 ? memcmp(ip->bytes, one, 16) == 0 : ip->bytes[0] == 127;
}

struct range {
    uint8_t base[16];
    unsigned prefix;
};

static bool in_any(const uint8_t *bytes, const struct range *ranges, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (starts_with_bits(bytes, ranges[i].base, ranges[i].prefix)) {
            return true;
        }
    }
    return false;
}

static bool v4_is_global(const uint8_t *bytes) {
    static const struct range special[] = {
        {{0}, 8},             // this network
        {{10}, 8},            // private
        {{100, 64}, 10},      // carrier NAT
        {{127}, 8},           // loopback
        {{169, 254}, 16},     // link local, cloud metadata
        {{172, 16}, 12},      // private
        {{192, 0, 0}, 24},    // protocol assignments
        {{192, 0, 2}, 24},    // documentation
        {{192, 88, 99}, 24},  // 6to4 relays
        {{192, 168}, 16},     // private
        {{198, 18}, 15},      // benchmarks
        {{198, 51, 100}, 24}, // documentation
        {{203, 0, 113}, 24},  // documentation
        {{224}, 4},           // multicast
        {{240}, 4},           // reserved, broadcast
    };
    return !in_any(bytes, special, BX_ARRAY_LEN(special));
}

static const uint8_t nat64[16] = {0, 0x64, 0xff, 0x9b};

bool bx_ip_embedded(const struct bx_ip *ip, struct bx_ip *ret) {
    static const uint8_t zero[16] = {0};
    if (!ip->is_v6) {
        return false;
    }
    if (starts_with_bits(ip->bytes, nat64, 96) || starts_with_bits(ip->bytes, zero, 96)) {
        *ret = v4(ip->bytes + 12);
        return true;
    }
    if (ip->bytes[0] == 0x20 && ip->bytes[1] == 0x02) {
        *ret = v4(ip->bytes + 2);
        return true;
    }
    return false;
}

bool bx_ip_is_global(const struct bx_ip *ip) {
    if (!ip->is_v6) {
        return v4_is_global(ip->bytes);
    }
    if (starts_with_bits(ip->bytes, nat64, 96)) {
        return v4_is_global(ip->bytes + 12);
    }
    static const struct range special[] = {
        {{0x20, 0x01}, 23},             // protocol assignments, Teredo
        {{0x20, 0x01, 0x0d, 0xb8}, 32}, // documentation
        {{0x3f, 0xff}, 20},             // documentation
    };
    if ((ip->bytes[0] & 0xe0) != 0x20 || in_any(ip->bytes, special, BX_ARRAY_LEN(special))) {
        return false; // outside 2000::/3 nothing is assigned for the world
    }
    struct bx_ip inner;
    return !bx_ip_embedded(ip, &inner) || v4_is_global(inner.bytes);
}

bool bx_network_parse(struct bx_str text, struct bx_network *ret) {
    size_t slash = bx_str_find(text, '/');
    struct bx_str address = slash == (size_t)-1 ? text : bx_str_slice(text, 0, slash);
    char z[64];
    if (address.n == 0 || address.n >= sizeof z || memchr(address.p, 0, address.n)) {
        return false;
    }
    memcpy(z, address.p, address.n);
    z[address.n] = 0;
    struct bx_network net = {0};
    if (!parse_strict(z, &net.base)) {
        return false;
    }
    unsigned most = net.base.is_v6 ? 128 : 32;
    // ::ffff:10.0.0.0/104 is 10.0.0.0/8
    unsigned mapped = !net.base.is_v6 && strchr(z, ':') ? 96 : 0;
    uint64_t prefix = most + mapped;
    if (slash != (size_t)-1 && !bx_str_to_u64(bx_str_slice(text, slash + 1, text.n), &prefix)) {
        return false;
    }
    if (prefix < mapped || prefix > most + mapped) {
        return false;
    }
    net.prefix = (unsigned)prefix - mapped;
    *ret = net;
    return true;
}

bool bx_network_has(const struct bx_network *net, const struct bx_ip *ip) {
    return net->base.is_v6 == ip->is_v6 &&
           starts_with_bits(net->base.bytes, ip->bytes, net->prefix);
}
