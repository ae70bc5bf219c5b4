/* fetch/url.h: a URL taken apart by the parser that will also connect to it, so check and use cannot differ.
 * Pure, any thread. */
#ifndef BX_FETCH_URL_H
#define BX_FETCH_URL_H

#include "base/base.h"

struct bx_url {
    char *scheme; /* "http" or "https" */
    char *host;   /* as curl normalises it: addresses in plain form, IPv6 without brackets */
    uint16_t port;
    void *handle; /* the CURLU, for fetch.c */
};

/* BX_ERR_INVALID: not http or https, user or password inside, no host, broken. */
int bx_url_parse(const char *text, struct bx_url *ret, struct bx_err *err);
void bx_url_deinit(struct bx_url *u);
/* localhost, a name below it, or a loopback address. */
bool bx_url_is_loopback(const struct bx_url *u);

#endif
