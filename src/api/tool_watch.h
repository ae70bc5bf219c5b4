/* api/tool_watch.h: keeps the tools up to date while the server runs, and tells the pages.
 *
 * Loop thread; scans run on a worker. The folders are read once at the start, then whenever something in them changes. Any
 * change of the registry, from wherever, reaches every page as {"op":"tools"}. */
#ifndef BX_API_TOOL_WATCH_H
#define BX_API_TOOL_WATCH_H

#include "api/api.h"

struct bx_tool_watch;

/* Folders that cannot be watched are said in the log; what is in them was read all the same. */
struct bx_tool_watch *bx_tool_watch_start(struct bx_api *api);
void bx_tool_watch_stop(struct bx_tool_watch *w); /* after the workers have ended, before the loop is freed; NULL is fine */
void bx_tool_watch_free(struct bx_tool_watch *w); /* after the loop is freed */

#endif
