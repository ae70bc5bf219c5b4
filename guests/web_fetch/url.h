#ifndef BX_GUEST_URL_H
#define BX_GUEST_URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * URLs as far as a page needs them: resolve a link, take an http URL apart. The host parses the URL anew and judges it; what
 * is decided here is only what is asked for.
 */
struct bx_url {
    bool is_https;
    char *authority; /* "example.org:8080", lower case, without user */
    char *target;    /* "/path?query", as it is sent */
};

/* The text of the whole URL, normalised, without its fragment; the caller's. */
char *bx_url_text(const struct bx_url *url);
/* Host without port; the caller's. */
char *bx_url_host(const struct bx_url *url);
/* False and *ret_why, the end of a sentence, when it is no http or https URL that can be asked for. "example.org/x" is
 * taken as https. */
bool bx_url_parse(const char *text, size_t len, struct bx_url *ret, const char **ret_why);

/* What a link on a page means, base being an http URL; NULL when it leads nowhere by http ("javascript:", "mailto:" …) or
 * is longer than a link should be. The caller's. The fragment stays. */
char *bx_url_resolve(const char *base, const char *link, size_t len);
/* The same for what stands in a Location header. */
char *bx_url_redirect(const char *base, const char *location);

#endif
