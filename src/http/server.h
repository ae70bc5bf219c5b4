/* http/server.h: connections on a listening socket of the loop.
 *
 * Loop thread. One read buffer for all connections; writes are tried at once and only the rest waits for the socket, one
 * write at a time per connection. Beyond max_connections a new one is closed at once. */
#ifndef BX_HTTP_SERVER_H
#define BX_HTTP_SERVER_H

#include "http/conn.h"
#include "loop/loop.h"

struct bx_http_server;

struct bx_http_server_config {
    struct bx_loop *loop;
    const char *host; /* an address, not a name */
    uint16_t port;    /* 0 = any free one */
    struct bx_http_limits limits;
    size_t max_connections; /* 0 = 8192 */
    const struct bx_http_handler *handler;
    void *user;
};

/* Listens. BX_ERR_BUSY when somebody has the port, BX_ERR_INVALID for a host that is no address. */
int bx_http_server_start(const struct bx_http_server_config *config, struct bx_http_server **ret, struct bx_err *err);
uint16_t bx_http_server_port(const struct bx_http_server *s);
size_t bx_http_server_connections(const struct bx_http_server *s);
/* No new connections, the old ones end as soon as their reply is out, after grace_ms whatever they do; then
 * stopped(user), once. A second stop with a smaller grace shortens the first. */
void bx_http_server_stop(struct bx_http_server *s, uint64_t grace_ms, void (*stopped)(void *user), void *user);
void bx_http_server_free(struct bx_http_server *s); /* after `stopped`, or when start was never followed by a run */

#endif
