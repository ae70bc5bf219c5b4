/* api/agent_watch.h: tells the pages when a file in one of the folders of agent definitions comes, changes or goes.
 *
 * Loop thread. Nothing is read here: a list of definitions is made when somebody asks for it. */
#ifndef BX_API_AGENT_WATCH_H
#define BX_API_AGENT_WATCH_H

#include "api/api.h"

struct bx_agent_watch;

/* Folders that cannot be watched are said in the log. */
struct bx_agent_watch *bx_agent_watch_start(struct bx_api *api);
void bx_agent_watch_stop(struct bx_agent_watch *take_w); /* before the loop is freed; NULL is fine */

#endif
