/* http/sha1.h: SHA-1 and base64, for the WebSocket handshake (RFC 6455 §4.2.2) and for nothing else: SHA-1 protects
 * nothing here, it only shows that the server speaks WebSocket. Any thread, pure. */
#ifndef BX_HTTP_SHA1_H
#define BX_HTTP_SHA1_H

#include "base/base.h"

void bx_sha1(struct bx_str s, unsigned char out[static 20]);
int bx_base64_add(struct bx_buf *out, const unsigned char *p, size_t n);
/* Is s what base64 makes of n bytes (with padding, nothing else)? */
bool bx_base64_is(struct bx_str s, size_t n);

#endif
