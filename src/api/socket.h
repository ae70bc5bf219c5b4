/* api/socket.h: the page's WebSocket (docs/api.md "WebSocket"). Loop thread.
 *
 * A socket's subscriptions are cursors into sessions: when the socket has room, the next events are read and sent; a slow
 * page costs nothing and misses nothing. */
#ifndef BX_API_SOCKET_H
#define BX_API_SOCKET_H

#include "api/api.h"

/* Upgrades; refuses by itself when it is no handshake. */
void bx_socket_open(struct bx_api *api, struct bx_http_exchange *ex);
void bx_sockets_list_changed(void *api); /* every page is told to fetch the list of sessions again */
void bx_sockets_tools_changed(struct bx_api *api); /* likewise: {"op":"tools"} */

#endif
