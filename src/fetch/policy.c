#include "fetch/policy.h"

#include "base/vec.h"

enum host_kind { HOST_ANY, HOST_SUFFIX, HOST_NAME, HOST_NETWORK, HOST_SELF };

struct allow {
    char *scheme; /* NULL = any */
    enum host_kind kind;
    char *name; /* SUFFIX: ".example.com"; NAME */
    struct bx_network network;
    uint32_t port_from, port_to; /* to excluded */
};

struct entries {
    struct allow *p;
    size_t n, cap;
};

struct bx_policy {
    struct entries allowed, granted, denied;
    BX_VEC(struct bx_network) blocked;
    bool block_private;
    uint16_t self_port;
};

static const struct {
    const char *scheme;
    uint16_t port;
} default_ports[] = {{"http", 80},    {"https", 443},  {"postgres", 5432},
                     {"mysql", 3306}, {"redis", 6379}, {"mqtt", 1883}};

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name_char(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static char *lower_dup(struct bx_str s) {
    char *z = bx_str_dup(s);
    for (char *c = z; *c; c++) {
        if (*c >= 'A' && *c <= 'Z') {
            *c = (char)(*c + ('a' - 'A'));
        }
    }
    return z;
}

static bool is_domain(struct bx_str s) {
    if (s.n == 0 || s.n > 253 || s.p[0] == '.' || s.p[s.n - 1] == '.') {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        if (!is_name_char(s.p[i]) || (s.p[i] == '.' && s.p[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

static int bad_entry(struct bx_err *err, struct bx_str entry, const char *why) {
    return bx_fail(err, BX_ERR_INVALID, "allowed_outbound_hosts: \"" BX_STR_FMT "\": %s",
                   BX_STR_ARG(entry), why);
}

static int parse_scheme(struct allow *a, struct bx_str entry, struct bx_str scheme,
                        struct bx_err *err) {
    if (bx_str_eqz(scheme, "*")) {
        return 0;
    }
    for (size_t i = 0; i < scheme.n; i++) {
        if (!is_letter(scheme.p[i])) {
            return bad_entry(err, entry, "the scheme must be letters only, or *");
        }
    }
    if (scheme.n == 0) {
        return bad_entry(err, entry,
                         "the scheme is missing: write for example https://example.com");
    }
    a->scheme = lower_dup(scheme);
    return 0;
}

static int parse_host(struct allow *a, struct bx_str entry, struct bx_str host,
                      struct bx_err *err) {
    struct bx_str bare = host;
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
        bare = bx_str_slice(host, 1, host.n - 2);
    }
    if (bx_str_eqz(host, "*")) {
        a->kind = HOST_ANY;
    } else if (bx_str_eqz(host, "self")) {
        a->kind = HOST_SELF;
    } else if (bx_network_parse(bare, &a->network)) {
        a->kind = HOST_NETWORK;
    } else if (bx_str_starts(host, "*.")) {
        if (!is_domain(bx_str_slice(host, 2, host.n))) {
            return bad_entry(err, entry, "behind *. a domain is wanted, for example *.example.com");
        }
        a->kind = HOST_SUFFIX;
        a->name = lower_dup(bx_str_slice(host, 1, host.n));
    } else if (is_domain(host)) {
        struct bx_ip ip;
        if (bx_ip_parse(host, &ip)) {
            return bad_entry(err, entry,
                             "write the address in its plain form, for example 127.0.0.1");
        }
        a->kind = HOST_NAME;
        a->name = lower_dup(host);
    } else if (bx_str_find(host, '*') != (size_t)-1) {
        return bad_entry(err, entry, "a * may only stand for the whole host or as *.domain");
    } else if (bx_str_find(host, '/') != (size_t)-1) {
        return bad_entry(err, entry,
                         "a path cannot be given, and a network must look like 10.0.0.0/8");
    } else {
        return bad_entry(err, entry,
                         "this is not a host name, an address, a network, *, *.domain or self");
    }
    return 0;
}

static int parse_port(struct allow *a, struct bx_str entry, struct bx_str port, bool given,
                      struct bx_err *err) {
    if (!given && a->kind == HOST_SELF) {
        a->port_to = 65536; // it has one port only
        return 0;
    }
    if (!given) {
        for (size_t i = 0; a->scheme && i < BX_ARRAY_LEN(default_ports); i++) {
            if (strcmp(a->scheme, default_ports[i].scheme) == 0) {
                a->port_from = default_ports[i].port;
                a->port_to = a->port_from + 1;
                return 0;
            }
        }
        return bad_entry(err, entry,
                         "this scheme has no default port: add one, for example :8080 or :*");
    }
    if (bx_str_eqz(port, "*")) {
        a->port_to = 65536;
        return 0;
    }
    size_t dots = bx_str_find_str(port, BX_STR_LIT(".."));
    uint64_t from, to;
    if (dots == (size_t)-1) {
        if (!bx_str_to_u64(port, &from) || from > 65535) {
            return bad_entry(err, entry,
                             "the port must be a number up to 65535, * or a range a..b");
        }
        to = from + 1;
    } else if (!bx_str_to_u64(bx_str_slice(port, 0, dots), &from) ||
               !bx_str_to_u64(bx_str_slice(port, dots + 2, port.n), &to) || to > 65536 ||
               from >= to) {
        return bad_entry(err, entry,
                         "a range of ports is a..b with a below b (b itself is not part of it)");
    }
    a->port_from = (uint32_t)from;
    a->port_to = (uint32_t)to;
    return 0;
}

static void allow_deinit(struct allow *a) {
    bx_free(a->scheme);
    bx_free(a->name);
}

static void entries_free(struct entries *e) {
    for (size_t i = 0; i < e->n; i++) {
        allow_deinit(&e->p[i]);
    }
    bx_vec_free(e);
}

static int parse_entry(struct entries *into, struct bx_str entry, struct bx_err *err) {
    size_t at = bx_str_find_str(entry, BX_STR_LIT("://"));
    if (at == (size_t)-1) {
        return bad_entry(err, entry,
                         "write scheme://host[:port], for example https://example.com; *://*:* "
                         "allows everything");
    }
    struct bx_str scheme = bx_str_slice(entry, 0, at), rest = bx_str_slice(entry, at + 3, entry.n);
    if (rest.n > 0 && rest.p[rest.n - 1] == '/') {
        rest.n--;
    }
    if (rest.n == 0) {
        return bad_entry(err, entry, "the host is missing; *://*:* allows everything");
    }
    // the port stands behind the last colon that is neither inside brackets nor part of a bare IPv6
    // network
    size_t colon = (size_t)-1, colons = 0;
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] == ']') {
            colons = 0;
            colon = (size_t)-1;
        } else if (rest.p[i] == ':') {
            colon = i;
            colons++;
        }
    }
    bool given = colons == 1;
    struct bx_str host = given ? bx_str_slice(rest, 0, colon) : rest;
    struct bx_str port = given ? bx_str_slice(rest, colon + 1, rest.n) : (struct bx_str){0};

    struct allow a = {0};
    int r = parse_scheme(&a, entry, scheme, err);
    if (r == 0) {
        r = parse_host(&a, entry, host, err);
    }
    if (r == 0) {
        r = parse_port(&a, entry, port, given, err);
    }
    if (r < 0) {
        allow_deinit(&a);
        return r;
    }
    bx_vec_push(into, a);
    return 0;
}

static int parse_entries(struct entries *into, const char *const *texts, size_t count,
                         struct bx_err *err) {
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = parse_entry(into, bx_str(texts[i]), err);
    }
    return r;
}

int bx_policy_new(const struct bx_policy_config *config, struct bx_policy **ret,
                  struct bx_err *err) {
    bx_auto(bx_policy_freep) struct bx_policy *p = bx_new(struct bx_policy);
    p->self_port = config->self_port;
    int r = parse_entries(&p->allowed, config->allowed_hosts, config->allowed_host_count, err);
    if (r == 0) {
        r = parse_entries(&p->granted, config->granted_hosts, config->granted_host_count, err);
    }
    if (r == 0) {
        r = parse_entries(&p->denied, config->denied_hosts, config->denied_host_count, err);
    }
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < config->block_network_count; i++) {
        const char *entry = config->block_networks[i];
        struct bx_network net;
        if (strcmp(entry, "private") == 0) {
            p->block_private = true;
        } else if (bx_network_parse(bx_str(entry), &net)) {
            bx_vec_push(&p->blocked, net);
        } else {
            return bx_fail(err, BX_ERR_INVALID,
                           "block_networks: \"%s\" is neither a network such as 10.0.0.0/8 nor the "
                           "word private",
                           entry);
        }
    }
    *ret = bx_steal(&p);
    return 0;
}

void bx_policy_free(struct bx_policy *p) {
    if (!p) {
        return;
    }
    entries_free(&p->allowed);
    entries_free(&p->granted);
    entries_free(&p->denied);
    bx_vec_free(&p->blocked);
    bx_free(p);
}

int bx_policy_host(struct bx_str host, char **ret_host, struct bx_err *err) {
    if (host.n > 1 && host.p[host.n - 1] == '.') {
        host.n--;
    }
    struct bx_ip ip;
    if (bx_ip_parse(host, &ip)) {
        char text[BX_IP_TEXT_SIZE];
        bx_ip_format(&ip, text);
        *ret_host = bx_strdup(text);
        return 0;
    }
    if (!is_domain(host)) {
        return bx_fail(err, BX_ERR_DENIED,
                       "\"" BX_STR_FMT "\" is not a host name that can be checked",
                       BX_STR_ARG(host));
    }
    *ret_host = lower_dup(host);
    return 0;
}

static bool allow_has_host(const struct bx_policy *p, const struct allow *a, const char *host,
                           const struct bx_ip *ip, uint16_t port) {
    switch (a->kind) {
    case HOST_ANY:
        return true;
    case HOST_NETWORK:
        return ip && bx_network_has(&a->network, ip);
    case HOST_SUFFIX:
        return !ip && strlen(host) > strlen(a->name) && bx_str_ends(bx_str(host), a->name);
    case HOST_NAME:
        return !ip && strcmp(host, a->name) == 0;
    case HOST_SELF:
        return p->self_port != 0 && port == p->self_port &&
               (strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0);
    }
    return false;
}

/* A host in its plain form, and what it is. */
struct target {
    char *host;
    struct bx_ip ip;
    bool is_ip;
    struct bx_str scheme;
    uint16_t port;
};

static void target_deinit(struct target *t) {
    bx_free(t->host);
}

static int target_init(struct target *t, struct bx_str scheme, struct bx_str host, uint16_t port,
                       struct bx_err *err) {
    *t = (struct target){.scheme = scheme, .port = port};
    int r = bx_policy_host(host, &t->host, err);
    t->is_ip = r == 0 && bx_ip_parse(bx_str(t->host), &t->ip);
    return r;
}

static bool allow_has(const struct bx_policy *p, const struct allow *a, const struct target *t) {
    return (!a->scheme || bx_str_ieqz(t->scheme, a->scheme)) && t->port >= a->port_from &&
           t->port < a->port_to && allow_has_host(p, a, t->host, t->is_ip ? &t->ip : NULL, t->port);
}

static const struct allow *find(const struct bx_policy *p, const struct entries *e,
                                const struct target *t) {
    for (size_t i = 0; i < e->n; i++) {
        if (allow_has(p, &e->p[i], t)) {
            return &e->p[i];
        }
    }
    return NULL;
}

/* One address of this machine or network, and no other, is meant. */
static bool is_exact(const struct allow *a) {
    return a->kind == HOST_SELF ||
           (a->kind == HOST_NETWORK && a->network.prefix == (a->network.base.is_v6 ? 128 : 32)) ||
           (a->kind == HOST_NAME && strcmp(a->name, "localhost") == 0);
}

static uint16_t default_port(struct bx_str scheme) {
    for (size_t i = 0; i < BX_ARRAY_LEN(default_ports); i++) {
        if (bx_str_ieqz(scheme, default_ports[i].scheme)) {
            return default_ports[i].port;
        }
    }
    return 0;
}

static char *entry_of(const struct target *t) {
    bool v6 = t->is_ip && t->ip.is_v6;
    bx_auto(bx_freep) char *scheme = lower_dup(t->scheme);
    char port[8] = "";
    if (t->port != default_port(t->scheme)) {
        snprintf(port, sizeof port, ":%u", t->port);
    }
    return bx_asprintf("%s://%s%s%s%s", scheme, v6 ? "[" : "", t->host, v6 ? "]" : "", port);
}

char *bx_policy_entry(struct bx_str scheme, struct bx_str host, uint16_t port) {
    bx_auto(target_deinit) struct target t;
    return target_init(&t, scheme, host, port, NULL) < 0 ? NULL : entry_of(&t);
}

int bx_policy_check_host(const struct bx_policy *p, struct bx_str scheme, struct bx_str host,
                         uint16_t port, struct bx_err *err) {
    bx_auto(target_deinit) struct target t;
    int r = target_init(&t, scheme, host, port, err);
    if (r < 0) {
        return r;
    }
    bx_auto(bx_freep) char *entry = entry_of(&t);
    if (find(p, &p->denied, &t)) {
        return bx_fail(err, BX_ERR_DENIED, "%s is denied by a rule", entry);
    }
    if (find(p, &p->allowed, &t) || find(p, &p->granted, &t)) {
        return 0;
    }
    return bx_fail(err, BX_ERR_DENIED,
                   "%s is not among the allowed hosts; \"%s\" in allowed_outbound_hosts would "
                   "allow it",
                   entry, entry);
}

int bx_policy_check_entry(const struct bx_policy *p, const char *entry, struct bx_err *err) {
    struct bx_str text = bx_str(entry);
    size_t at = bx_str_find_str(text, BX_STR_LIT("://"));
    if (at == (size_t)-1) {
        return bx_fail(err, BX_ERR_INVALID, "\"%.100s\" is not scheme://host[:port]", entry);
    }
    struct bx_str scheme = bx_str_slice(text, 0, at), host = bx_str_slice(text, at + 3, text.n);
    const char *colon = strrchr(entry + at + 3, ':'), *bracket = strrchr(entry, ']');
    uint64_t port = default_port(scheme);
    if (colon && (!bracket || colon > bracket)) {
        host.n = (size_t)(colon - host.p);
        if (!bx_str_to_u64(bx_str(colon + 1), &port) || port > 65535) {
            return bx_fail(err, BX_ERR_INVALID, "\"%.100s\" has no port that can be", entry);
        }
    }
    if (host.n > 1 && host.p[0] == '[') {
        host = bx_str_slice(host, 1, host.n - 2);
    }
    return bx_policy_check_host(p, scheme, host, (uint16_t)port, err);
}

bool bx_policy_lifts_private(const struct bx_policy *p, struct bx_str scheme, struct bx_str host,
                             uint16_t port) {
    bx_auto(target_deinit) struct target t;
    bool lifts = false;
    if (target_init(&t, scheme, host, port, NULL) < 0) {
        return false;
    }
    for (size_t i = 0; i < p->granted.n && !lifts;
         i++) { // a wider grant does not hide an exact one
        lifts = is_exact(&p->granted.p[i]) && allow_has(p, &p->granted.p[i], &t);
    }
    return lifts;
}

static bool is_blocked(const struct bx_policy *p, const struct bx_ip *ip, bool private_lifted) {
    for (size_t i = 0; i < p->blocked.n; i++) {
        if (bx_network_has(&p->blocked.p[i], ip)) {
            return true;
        }
    }
    return p->block_private && !private_lifted && !bx_ip_is_global(ip);
}

int bx_policy_check_ip(const struct bx_policy *p, const struct bx_ip *ip, bool private_lifted,
                       struct bx_err *err) {
    struct bx_ip inner;
    if (!is_blocked(p, ip, private_lifted) &&
        !(bx_ip_embedded(ip, &inner) && is_blocked(p, &inner, private_lifted))) {
        return 0;
    }
    char text[BX_IP_TEXT_SIZE];
    bx_ip_format(ip, text);
    return bx_fail(err, BX_ERR_DENIED,
                   "the address %s is in a blocked network; block_networks decides this", text);
}
