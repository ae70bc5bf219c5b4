/* api/socket.h: the page's WebSocket (docs/api.md "WebSocket"). Loop thread.
 *
 * A socket's subscriptions are cursors into sessions: when the socket has room, the next events are read and sent; a slow
 * page costs nothing and misses nothing. */
#ifndef BX_API_SOCKET_H
#define BX_API_SOCKET_H

#include "api/api.h"

/* Upgrades; refuses by itself when it is no handshake. */
void bx_socket_open(struct bx_api *api, struct bx_http_exchange *ex);
/* Every page is told to fetch a list again: {"op":"tools"} … */
enum bx_list { BX_LIST_SESSIONS, BX_LIST_TOOLS, BX_LIST_AGENTS, BX_LIST_SKILLS };
void bx_sockets_changed(struct bx_api *api, enum bx_list list);
void bx_sockets_list_changed(void *api); /* the list of sessions */

#endif
