/* The executors of a session. Worker threads. */
#include "api/call.h"

int bx_route_executors(struct bx_api_call *c, struct bx_err *err) {
    char id[37];
    int r = bx_call_session_id(c, id, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "executors");
    if ((r = bx_agent_list_executors(c->api->config->agent, id, w, err)) < 0)
        return r;
    bx_jw_end(w);
    bx_jw_end(w);
    return 0;
}
