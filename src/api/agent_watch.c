#include "api/agent_watch.h"

#include "api/socket.h"
#include "base/log.h"
#include "base/vec.h"
#include "loop/watch.h"

struct bx_agent_watch {
    struct bx_api *api;
    BX_VEC(struct bx_folder_watch *) watches;
};

static void on_change(void *user) {
    struct bx_agent_watch *w = user;
    bx_sockets_changed(w->api, BX_LIST_AGENTS);
}

struct bx_agent_watch *bx_agent_watch_start(struct bx_api *api) {
    struct bx_agent_watch *w = bx_new(struct bx_agent_watch);
    w->api = api;
    for (size_t i = 0;; i++) {
        bx_auto(bx_freep) char *dir = bx_agent_definition_folder(api->config->agent, i);
        struct bx_folder_watch *watch = NULL;
        struct bx_err err = {0};
        if (!dir)
            return w;
        if (bx_folder_watch_start(api->loop, dir, on_change, w, &watch, &err) < 0)
            bx_warn("agents", "%s; the page does not hear of changes there", err.msg);
        else
            bx_vec_push(&w->watches, watch);
    }
}

void bx_agent_watch_stop(struct bx_agent_watch *w) {
    if (!w)
        return;
    for (size_t i = 0; i < w->watches.n; i++)
        bx_folder_watch_stop(w->watches.p[i]);
    bx_vec_free(&w->watches);
    bx_free(w);
}
