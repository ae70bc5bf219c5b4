#include "api/auth.h"

#include "base/id.h"
#include "base/unwire.h"

#define COOKIE_LIFE_S (365 * 24 * 3600)

struct bx_auth {
    uint16_t port;
    char **hosts; /* as Host may say them, with their port */
    size_t host_count;
    char *session_key, *api_token, *one_time, *cookie_name;
};

static void add_host(struct bx_auth *a, const char *name, bool has_port) {
    a->hosts = bx_realloc_array(a->hosts, a->host_count + 1, sizeof *a->hosts);
    a->hosts[a->host_count++] =
        has_port ? bx_strdup(name) : bx_asprintf("%s:%u", name, (unsigned)a->port);
}

char *bx_auth_new_secret(void) {
    unsigned char bytes[32];
    char *text = bx_alloc(2 * sizeof bytes + 1);
    bx_random(bytes, sizeof bytes);
    bx_hex(bytes, sizeof bytes, text);
    return text;
}

struct bx_auth *bx_auth_new(const struct bx_auth_config *config) {
    static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};
    struct bx_auth *a = bx_new(struct bx_auth);
    a->port = config->port;
    for (size_t i = 0; i < BX_ARRAY_LEN(loopback); i++) {
        add_host(a, loopback[i], false);
        if (a->port == 80) /* browsers leave it out then */
            add_host(a, loopback[i], true);
    }
    for (size_t i = 0; i < config->extra_host_count; i++) {
        const char *name = config->extra_hosts[i], *colon = strrchr(name, ':');
        add_host(a, name, colon && !strchr(colon, ']')); /* the colons of "[::2]" are no port */
    }
    a->session_key = bx_strdup(config->session_key);
    a->api_token = bx_strdup(config->api_token);
    a->one_time = bx_auth_new_secret();
    a->cookie_name = bx_asprintf("boxagnts_%u", (unsigned)a->port);
    return a;
}

void bx_auth_free(struct bx_auth *a) {
    if (!a)
        return;
    for (size_t i = 0; i < a->host_count; i++)
        bx_free(a->hosts[i]);
    bx_free(a->hosts);
    bx_free(a->session_key);
    bx_free(a->api_token);
    bx_free(a->one_time);
    bx_free(a->cookie_name);
    bx_free(a);
}

static bool is_our_host(const struct bx_auth *a, struct bx_str host) {
    for (size_t i = 0; i < a->host_count; i++) {
        if (bx_str_ieqz(host, a->hosts[i]))
            return true;
    }
    return false;
}

bool bx_auth_host_is_ours(const struct bx_auth *a, const struct bx_http_request *r) {
    return bx_unwired("host_check") || is_our_host(a, bx_http_field(r, "host"));
}

bool bx_auth_origin_is_ours(const struct bx_auth *a, const struct bx_http_request *r) {
    if (bx_unwired("origin_check"))
        return true;
    struct bx_str site = bx_http_field(r, "sec-fetch-site"), origin = bx_http_field(r, "origin");
    /* same-site is another port of this machine: somebody else's server */
    if (bx_str_ieqz(site, "cross-site") || bx_str_ieqz(site, "same-site"))
        return false;
    if (!origin.p)
        return true;
    struct bx_str name = bx_str_starts(origin, "http://")    ? bx_str_slice(origin, 7, origin.n)
                         : bx_str_starts(origin, "https://") ? bx_str_slice(origin, 8, origin.n)
                                                             : (struct bx_str){NULL, 0};
    return is_our_host(a, name);
}

static bool secret_is(struct bx_str given, const char *secret) {
    size_t n = strlen(secret);
    return n > 0 && given.n == n && bx_const_time_eq(given.p, secret, n);
}

bool bx_auth_is_program(const struct bx_auth *a, const struct bx_http_request *r) {
    struct bx_str field = bx_http_field(r, "authorization");
    return field.n > 7 && bx_str_ieqz(bx_str_slice(field, 0, 7), "bearer ") &&
           secret_is(bx_str_trim(bx_str_slice(field, 7, field.n)), a->api_token);
}

bool bx_auth_is_known(const struct bx_auth *a, const struct bx_http_request *r) {
    return bx_unwired("cookie_check") || bx_auth_is_program(a, r) ||
           secret_is(bx_http_cookie(r, a->cookie_name), a->session_key);
}

const char *bx_auth_one_time_token(const struct bx_auth *a) {
    return a->one_time;
}

bool bx_auth_spend_token(struct bx_auth *a, struct bx_str token) {
    if (!secret_is(token, a->one_time))
        return false;
    a->one_time[0] = '\0';
    return true;
}

void bx_auth_set_cookie(const struct bx_auth *a, struct bx_http_reply *reply) {
    bx_http_reply_headerf(reply, "Set-Cookie",
                          "%s=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d", a->cookie_name,
                          a->session_key, COOKIE_LIFE_S);
}
