/* api/mcp_watch.h: keeps the MCP servers up to date while the server runs, whoever changes settings.json or .mcp.json.
 *
 * Loop thread; what is read is read on a worker. The state folder and the root are watched, and the two files are looked at
 * when something there changes. Settings that are wrong change nothing. */
#ifndef BX_API_MCP_WATCH_H
#define BX_API_MCP_WATCH_H

#include "api/api.h"

struct bx_mcp_watch;

/* A folder that cannot be watched is said in the log. */
struct bx_mcp_watch *bx_mcp_watch_start(struct bx_api *api);
void bx_mcp_watch_stop(struct bx_mcp_watch *w); /* after the workers have ended, before the loop is freed; NULL is fine */
void bx_mcp_watch_free(struct bx_mcp_watch *w); /* after the loop is freed */

#endif
