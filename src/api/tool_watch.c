#include "api/tool_watch.h"

#include <stdatomic.h>

#include "api/socket.h"
#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"
#include "loop/watch.h"
#include "tools/folders.h"

struct bx_tool_watch {
    struct bx_api *api;
    BX_VEC(struct bx_folder_watch *) watches;
    bool scanning, again; /* loop thread */
    bool stopped;
    atomic_bool told; /* a notice is on its way to the loop */
};

static void scan(void *user) {
    struct bx_tool_watch *w = user;
    bx_tool_folders_scan(w->api->config->folders);
}

static void rescan(void *user);

static void on_scanned(void *user) {
    struct bx_tool_watch *w = user;
    w->scanning = false;
    if (w->again && !w->stopped) {
        w->again = false;
        rescan(w);
    }
}

static void rescan(void *user) {
    struct bx_tool_watch *w = user;
    if (w->scanning) {
        w->again = true; /* what has changed may have been read already */
        return;
    }
    w->scanning = bx_workers_run(w->api->slow, scan, on_scanned, w);
    if (!w->scanning)
        bx_warn("tools", "too much to do: the folders of tools are read at their next change");
}

static void tell_pages(void *user) {
    struct bx_tool_watch *w = user;
    atomic_store(&w->told, false);
    if (!w->stopped)
        bx_sockets_tools_changed(w->api);
}

static void on_change(void *user) { /* any thread */
    struct bx_tool_watch *w = user;
    if (!atomic_exchange(&w->told, true))
        bx_loop_post(w->api->loop, tell_pages, w);
}

static void watch(struct bx_tool_watch *w, const char *dir) {
    struct bx_folder_watch *watch = NULL;
    struct bx_err err = {0};
    int r = bx_dir_make(dir, 0700, &err);
    r = r < 0 ? r : bx_folder_watch_start(w->api->loop, dir, rescan, w, &watch, &err);
    if (r < 0)
        bx_warn("tools", "%s; a change there needs a new start", err.msg);
    else
        bx_vec_push(&w->watches, watch);
}

struct bx_tool_watch *bx_tool_watch_start(struct bx_api *api) {
    struct bx_tool_watch *w = bx_new(struct bx_tool_watch);
    w->api = api;
    bx_registry_on_change(api->config->registry, on_change, w);
    const char *dir;
    for (size_t i = 0; (dir = bx_tool_folders_dir(api->config->folders, i)); i++)
        watch(w, dir);
    rescan(w);
    return w;
}

void bx_tool_watch_stop(struct bx_tool_watch *w) {
    if (!w)
        return;
    w->stopped = true;
    bx_registry_on_change(w->api->config->registry, NULL, NULL);
    for (size_t i = 0; i < w->watches.n; i++)
        bx_folder_watch_stop(w->watches.p[i]);
    bx_vec_free(&w->watches);
}

void bx_tool_watch_free(struct bx_tool_watch *w) {
    bx_free(w);
}
