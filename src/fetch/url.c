#include "fetch/url.h"

#include <curl/curl.h>

#include "fetch/ip.h"

static char *part(CURLU *u, CURLUPart what, unsigned flags) {
    char *raw = NULL;
    if (curl_url_get(u, what, &raw, flags) != CURLUE_OK) {
        return NULL;
    }
    char *mine = bx_strdup(raw);
    curl_free(raw);
    return mine;
}

static int take_apart(CURLU *u, struct bx_url *url, struct bx_err *err) {
    bx_auto(bx_freep) char *user = part(u, CURLUPART_USER, 0);
    bx_auto(bx_freep) char *password = part(u, CURLUPART_PASSWORD, 0);
    if (user || password) {
        return bx_fail(err, BX_ERR_INVALID, "a URL with a user or password in it is refused");
    }
    url->scheme = part(u, CURLUPART_SCHEME, 0);
    if (!url->scheme || (strcmp(url->scheme, "http") != 0 && strcmp(url->scheme, "https") != 0)) {
        return bx_fail(err, BX_ERR_INVALID, "only http and https URLs are possible, not \"%s\"",
                       url->scheme ? url->scheme : "");
    }
    bx_auto(bx_freep) char *host = part(u, CURLUPART_HOST, 0);
    bx_auto(bx_freep) char *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    uint64_t number;
    if (!host || !*host || !port || !bx_str_to_u64(bx_str(port), &number) || number > 65535) {
        return bx_fail(err, BX_ERR_INVALID, "the URL has no usable host and port");
    }
    struct bx_str bare = bx_str(host);
    if (bare.n > 2 && bare.p[0] == '[' && bare.p[bare.n - 1] == ']') {
        bare = bx_str_slice(bare, 1, bare.n - 2);
    }
    url->host = bx_str_dup(bare);
    url->port = (uint16_t)number;
    return 0;
}

int bx_url_parse(const char *text, struct bx_url *ret, struct bx_err *err) {
    CURLU *u = curl_url();
    if (!u) {
        bx_die("out of memory");
    }
    struct bx_url url = {.handle = u};
    CURLUcode code = curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    int r = code == CURLUE_OK
                ? take_apart(u, &url, err)
                : bx_fail(err, BX_ERR_INVALID, "this is not a URL: %s", curl_url_strerror(code));
    if (r < 0) {
        bx_url_deinit(&url);
        return r;
    }
    *ret = url;
    return 0;
}

void bx_url_deinit(struct bx_url *u) {
    bx_free(u->scheme);
    bx_free(u->host);
    curl_url_cleanup(u->handle);
    *u = (struct bx_url){0};
}

bool bx_url_is_loopback(const struct bx_url *u) {
    struct bx_ip ip;
    if (bx_ip_parse(bx_str(u->host), &ip)) {
        return bx_ip_is_loopback(&ip);
    }
    struct bx_str host = bx_str(u->host);
    if (host.n > 1 && host.p[host.n - 1] == '.') {
        host.n--;
    }
    return bx_str_ieqz(host, "localhost") ||
           (host.n > 10 && bx_str_ieqz(bx_str_slice(host, host.n - 10, 10), ".localhost"));
}
