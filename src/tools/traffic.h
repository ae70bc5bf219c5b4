/* tools/traffic.h: what the calls of a session sent to and got from which host.
 *
 * Under the session's lock. At most BX_TRAFFIC_HOSTS hosts, the others count together as "…". The record of a single call is
 * its receipt. */
#ifndef BX_TOOLS_TRAFFIC_H
#define BX_TOOLS_TRAFFIC_H

#include "base/vec.h"
#include "json/write.h"

#define BX_TRAFFIC_HOSTS 256

struct bx_traffic_host {
    char *host; /* "example.com:8080" */
    uint64_t sent_bytes, received_bytes, calls, denied;
};
struct bx_traffic {
    BX_VEC(struct bx_traffic_host) hosts;
};
void bx_traffic_deinit(struct bx_traffic *t);
void bx_traffic_add(struct bx_traffic *t, const char *host, uint64_t sent_bytes, uint64_t received_bytes, bool denied);

struct bx_tool_session;
/* [{"host","sent_bytes","received_bytes","calls","denied"}]; takes the lock; NULL: []. */
void bx_tool_session_write_traffic(struct bx_tool_session *s, struct bx_jw *w);

#endif
