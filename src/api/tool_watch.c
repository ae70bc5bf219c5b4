#include "api/tool_watch.h"

#include <stdatomic.h>

#include "api/socket.h"
#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"
#include "loop/watch.h"
#include "tools/folders.h"

#define LINKS_MS 500

struct bx_tool_watch {
    struct bx_api *api;
    struct bx_timer *links; /* runs while there are links to files elsewhere */
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

/* A link points to what is built elsewhere: nothing in the folder changes when that does. */
static void look_after_links(struct bx_tool_watch *w) {
    bool wanted = bx_tool_folders_has_links(w->api->config->folders);
    if (wanted && !w->links) {
        w->links = bx_timer_start(w->api->loop, LINKS_MS, LINKS_MS, rescan, w);
    } else if (!wanted) {
        bx_timer_stop(w->links);
        w->links = NULL;
    }
}

static void on_scanned(void *user) {
    struct bx_tool_watch *w = user;
    w->scanning = false;
    if (w->stopped)
        return;
    look_after_links(w);
    if (w->again) {
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
        bx_sockets_changed(w->api, BX_LIST_TOOLS);
}

static void on_change(void *user) { /* any thread */
    struct bx_tool_watch *w = user;
    if (!atomic_exchange(&w->told, true))
        bx_loop_post(w->api->loop, tell_pages, w);
}

static void watch(struct bx_tool_watch *w, const char *dir) {
    struct bx_folder_watch *watch = NULL;
    struct bx_err err = {0};
    if (bx_dir_make(dir, 0700, &err) < 0) /* it counts when somebody else makes it */
        bx_info("tools", "%s; no tools are there", err.msg);
    if (bx_folder_watch_start(w->api->loop, dir, rescan, w, &watch, &err) < 0)
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
    bx_timer_stop(w->links);
    w->links = NULL;
    for (size_t i = 0; i < w->watches.n; i++)
        bx_folder_watch_stop(w->watches.p[i]);
    bx_vec_free(&w->watches);
}

void bx_tool_watch_free(struct bx_tool_watch *w) {
    bx_free(w);
}
