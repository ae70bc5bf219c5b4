/* Agent definitions. Worker threads. */
#include "api/call.h"
#include "base/path.h"

int bx_route_agents(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs =
        bx_agent_definitions(c->api->config->agent);
    struct bx_jw *w = bx_call_json(c, 200);
    (void)err;
    bx_jw_obj(w);
    bx_jw_karr(w, "agents");
    for (size_t i = 0; i < defs->n; i++)
        bx_agent_def_write(&defs->items[i], false, w);
    bx_jw_end(w);
    bx_jw_end(w);
    return 0;
}

/* The usable one of the name, else a broken one: the page shows its reason and its text to be
 * mended. */
static int reply_agent(struct bx_api_call *c, const char *name, struct bx_err *err) {
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs =
        bx_agent_definitions(c->api->config->agent);
    const struct bx_agent_def *d = bx_agent_defs_get(defs, bx_str(name));
    if (!d)
        return bx_agent_defs_find(defs, bx_str(name), &d, err);
    bx_agent_def_write(d, true, bx_call_json(c, 200));
    return 0;
}

int bx_route_agent_get(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    return reply_agent(c, name, err);
}

/* Written into the workspace's state: the project's own files are the project's. */
int bx_route_agent_put(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_freep) char *folder = bx_path_join(bx_store_dir(config->store), "agents");
    int r = bx_agent_def_put(folder, name, bx_val_get_str(c->body, "text"), config->registry, err);
    if (r < 0) {
        snprintf(c->field, sizeof c->field, "text");
        return r;
    }
    return reply_agent(c, name, err);
}

int bx_route_agent_delete(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_agent_defs_freep) struct bx_agent_defs *defs =
        bx_agent_definitions(c->api->config->agent);
    int r = bx_agent_def_remove(defs, name, err);
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}
