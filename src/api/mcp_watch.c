#include "api/mcp_watch.h"

#include <sys/stat.h>

#include "base/log.h"
#include "base/path.h"
#include "loop/watch.h"
#include "store/store.h"

struct stamp {
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct watched {
    char *path;
    struct stamp stamp; /* zero: there is none */
    struct bx_folder_watch *watch;
};

struct bx_mcp_watch {
    struct bx_api *api;
    struct watched files[2]; /* settings.json, .mcp.json */
    bool reading, again, stopped;
};

static struct stamp stamp_of(const char *path) {
    struct stat st;
    if (stat(path, &st))
        return (struct stamp){0};
    return (struct stamp){st.st_ino, st.st_size, st.st_mtim};
}

static bool is_same(const struct stamp *a, const struct stamp *b) {
    return a->inode == b->inode && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

static bool has_changed(struct bx_mcp_watch *w) {
    bool changed = false;
    for (size_t i = 0; i < BX_ARRAY_LEN(w->files); i++) {
        struct stamp now = stamp_of(w->files[i].path);
        changed = changed || !is_same(&now, &w->files[i].stamp);
        w->files[i].stamp = now;
    }
    return changed;
}

static void reload(void *user) { /* a worker */
    struct bx_mcp_watch *w = user;
    const struct bx_serve_config *config = w->api->config;
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    struct bx_err err = {0};
    char problem[480];
    BX_LOCKED(&w->api->settings_mutex);
    bx_agent_settings_problem(config->agent, problem); /* says itself what is wrong with them */
    if (problem[0])
        return;
    int r = bx_settings_load(config->store, &settings, &err);
    if (r == 0)
        r = bx_mcp_reload(config->mcp, bx_doc_root(settings), &err);
    if (r < 0)
        bx_warn("mcp", "%s; the servers stay as they were", err.msg);
    else
        bx_mcp_learn(config->mcp, 0, NULL);
}

static void on_read(void *user) {
    struct bx_mcp_watch *w = user;
    w->reading = false;
    if (w->again && !w->stopped) {
        w->again = false;
        w->reading = bx_workers_run(w->api->slow, reload, on_read, w);
    }
}

static void on_folder(void *user) {
    struct bx_mcp_watch *w = user;
    if (!has_changed(w))
        return;
    if (w->reading) {
        w->again = true;
        return;
    }
    w->reading = bx_workers_run(w->api->slow, reload, on_read, w);
    if (!w->reading)
        bx_warn("mcp", "too much to do: the servers are read at their next change");
}

static void watch(struct bx_mcp_watch *w, struct watched *file, const char *dir, const char *name) {
    struct bx_err err = {0};
    file->path = bx_path_join(dir, name);
    file->stamp = stamp_of(file->path);
    if (bx_folder_watch_start(w->api->loop, dir, on_folder, w, &file->watch, &err) < 0)
        bx_warn("mcp", "%s; a change of %s by hand needs a new start", err.msg, name);
}

struct bx_mcp_watch *bx_mcp_watch_start(struct bx_api *api) {
    struct bx_mcp_watch *w = bx_new(struct bx_mcp_watch);
    w->api = api;
    watch(w, &w->files[0], bx_store_dir(api->config->store), "settings.json");
    watch(w, &w->files[1], api->config->root, ".mcp.json");
    return w;
}

void bx_mcp_watch_stop(struct bx_mcp_watch *w) {
    if (!w)
        return;
    w->stopped = true;
    for (size_t i = 0; i < BX_ARRAY_LEN(w->files); i++) {
        bx_folder_watch_stop(w->files[i].watch);
        w->files[i].watch = NULL;
    }
}

void bx_mcp_watch_free(struct bx_mcp_watch *w) {
    if (!w)
        return;
    for (size_t i = 0; i < BX_ARRAY_LEN(w->files); i++)
        bx_free(w->files[i].path);
    bx_free(w);
}
