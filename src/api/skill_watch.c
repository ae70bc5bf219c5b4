#include "api/skill_watch.h"

#include "api/socket.h"
#include "base/log.h"
#include "base/path.h"
#include "json/write.h"
#include "loop/watch.h"
#include "skills/write.h"
#include "tools/registry.h"

struct watched {
    char *dir;
    struct bx_folder_watch *watch;
};

struct bx_skill_watch {
    struct bx_api *api;
    BX_VEC(struct watched) watches;
    bool scanning, again, stopped; /* loop thread */
    char *seen;                    /* digest of the list as the pages know it; loop thread */
    /* of the scan that runs, then of the one that ended */
    bx_texts dirs;
    char *now;
};

/* ---- on a worker ---- */

static void add_dir(struct bx_skill_watch *w, char *take_dir) {
    bool known = w->dirs.n >= BX_SKILL_WATCHES_MAX;
    for (size_t i = 0; i < w->dirs.n && !known; i++)
        known = strcmp(w->dirs.p[i], take_dir) == 0;
    if (known)
        bx_free(take_dir);
    else
        bx_vec_push(&w->dirs, take_dir);
}

static void scan(void *user) {
    struct bx_skill_watch *w = user;
    const struct bx_serve_config *config = w->api->config;
    bx_auto(bx_skills_freep) struct bx_skills *all =
        bx_registry_skills(config->registry, config->root);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
    struct bx_jw jw;
    bx_texts_free(&w->dirs);
    for (size_t i = 0;; i++) {
        char *place = bx_registry_skill_place(config->registry, config->root, i);
        if (!place)
            break;
        add_dir(w, place);
    }
    bx_jw_init(&jw, &text);
    bx_jw_arr(&jw);
    for (size_t i = 0; i < all->n; i++) {
        const struct bx_skill *s = &all->items[i];
        bx_jw_obj(&jw);
        bx_skill_write(&jw, s, all, NULL);
        bx_jw_end(&jw);
        if (s->base) {
            char *folder = bx_skill_path(s);
            add_dir(w, bx_path_dir(folder)); /* of one that lies in a folder of skills */
            add_dir(w, folder);
        }
    }
    bx_jw_end(&jw);
    bx_free(w->now);
    w->now = bx_alloc(BX_SHA256_HEX + 1);
    bx_sha256_hex_of(text.size ? text.p : "", text.size, w->now);
}

/* ---- on the loop ---- */

static void rescan(void *user);

static bool is_wanted(const struct bx_skill_watch *w, const char *dir) {
    for (size_t i = 0; i < w->dirs.n; i++)
        if (strcmp(w->dirs.p[i], dir) == 0)
            return true;
    return false;
}

static void watch(struct bx_skill_watch *w, const char *dir) {
    for (size_t i = 0; i < w->watches.n; i++)
        if (strcmp(w->watches.p[i].dir, dir) == 0)
            return;
    struct watched one = {.dir = bx_strdup(dir)};
    struct bx_err err = {0};
    if (bx_folder_watch_start(w->api->loop, dir, rescan, w, &one.watch, &err) < 0) {
        bx_warn("skills", "%s; a change there is seen when the page is opened anew", err.msg);
        bx_free(one.dir);
        return;
    }
    bx_vec_push(&w->watches, one);
}

static void aim(struct bx_skill_watch *w) {
    for (size_t i = w->watches.n; i-- > 0;) {
        if (is_wanted(w, w->watches.p[i].dir))
            continue;
        bx_folder_watch_stop(w->watches.p[i].watch);
        bx_free(w->watches.p[i].dir);
        bx_vec_remove(&w->watches, i);
    }
    for (size_t i = 0; i < w->dirs.n; i++)
        watch(w, w->dirs.p[i]);
}

static void on_scanned(void *user) {
    struct bx_skill_watch *w = user;
    w->scanning = false;
    if (w->stopped)
        return;
    aim(w);
    bool first = !w->seen, same = w->seen && strcmp(w->seen, w->now) == 0;
    bx_free(w->seen);
    w->seen = bx_strdup(w->now);
    if (!first && !same)
        bx_sockets_changed(w->api, BX_LIST_SKILLS);
    if (w->again) {
        w->again = false;
        rescan(w);
    }
}

static void rescan(void *user) {
    struct bx_skill_watch *w = user;
    if (w->stopped)
        return;
    if (w->scanning) {
        w->again = true;
        return;
    }
    w->scanning = bx_workers_run(w->api->quick, scan, on_scanned, w);
}

void bx_skill_watch_look(struct bx_skill_watch *w) {
    if (w)
        bx_loop_post(w->api->loop, rescan, w);
}

struct bx_skill_watch *bx_skill_watch_start(struct bx_api *api) {
    struct bx_skill_watch *w = bx_new(struct bx_skill_watch);
    w->api = api;
    rescan(w);
    return w;
}

void bx_skill_watch_stop(struct bx_skill_watch *w) {
    if (!w)
        return;
    w->stopped = true;
    for (size_t i = 0; i < w->watches.n; i++) {
        bx_folder_watch_stop(w->watches.p[i].watch);
        bx_free(w->watches.p[i].dir);
    }
    bx_vec_free(&w->watches);
}

void bx_skill_watch_free(struct bx_skill_watch *w) {
    if (!w)
        return;
    bx_texts_free(&w->dirs);
    bx_free(w->now);
    bx_free(w->seen);
    bx_free(w);
}
