#include "loop/watch.h"

#include <sys/stat.h>
#include <uv.h>

#include "base/clock.h"
#include "base/path.h"
#include "loop/uv.h"

#define QUIET_MS   100
#define AT_LAST_MS 500

struct bx_folder_watch {
    uv_fs_event_t uv; /* first: its close frees the whole */
    struct bx_loop *loop;
    struct bx_timer *timer; /* runs while changes have not been told */
    uint64_t first_ms;      /* of the changes that have not been told */
    char *dir,
        *at;   /* at: dir, or while that is missing the nearest folder above it that is there */
    dev_t dev; /* of at, as it is watched */
    ino_t inode;
    void (*changed)(void *user);
    void *user;
};

static void tell(void *user) {
    struct bx_folder_watch *w = user;
    bx_timer_stop(w->timer);
    w->timer = NULL;
    w->changed(w->user);
}

static void tell_soon(struct bx_folder_watch *w) {
    uint64_t now = bx_mono_ms();
    if (!w->timer) {
        w->first_ms = now;
    } else if (now - w->first_ms >= AT_LAST_MS - QUIET_MS) {
        return; /* the timer that runs is the last one */
    }
    bx_timer_stop(w->timer);
    w->timer = bx_timer_start(w->loop, QUIET_MS, 0, tell, w);
}

/* The nearest folder that is there; a name on the way that is no folder is none. */
static char *nearest(const char *dir, struct stat *st) {
    char *path = bx_strdup(dir);
    while ((stat(path, st) < 0 || !S_ISDIR(st->st_mode)) && strcmp(path, "/") != 0) {
        char *above = bx_path_dir(path);
        bx_free(path);
        path = above;
    }
    return path;
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status);

/* Watches what is the nearest now. True: it is another one than before. */
static bool aim(struct bx_folder_watch *w, int *ret_status) {
    bool moved = false;
    *ret_status = 0;
    for (;;) { /* what is made while this looks is seen by its next look, or by the watch */
        struct stat st;
        char *path = nearest(w->dir, &st);
        if (w->at && strcmp(w->at, path) == 0 && w->dev == st.st_dev && w->inode == st.st_ino) {
            bx_free(path);
            return moved;
        }
        moved = true;
        uv_fs_event_stop(&w->uv);
        bx_free(w->at);
        w->at = NULL;
        *ret_status = uv_fs_event_start(&w->uv, on_event, path, 0);
        if (*ret_status < 0 && *ret_status != UV_ENOENT && *ret_status != UV_ENOTDIR) {
            bx_free(path);
            return moved;
        }
        if (*ret_status == 0) {
            w->at = path;
            w->dev = st.st_dev;
            w->inode = st.st_ino;
        } else {
            bx_free(path); /* it went meanwhile */
        }
    }
}

static void on_event(uv_fs_event_t *uv, const char *name, int events, int status) {
    struct bx_folder_watch *w = (struct bx_folder_watch *)uv;
    (void)events;
    (void)status; /* an overflow of the queue is a change like any other */
    int aimed;
    if (w->at && (!name || strcmp(name, bx_path_base(w->at)) == 0))
        w->inode = 0; /* the folder itself went: one made in its place may get its number */
    bool moved = aim(w, &aimed);
    if (moved || (w->at && strcmp(w->at, w->dir) == 0)) {
        tell_soon(w);
    }
}

static void on_closed(uv_handle_t *uv) {
    struct bx_folder_watch *w = (struct bx_folder_watch *)uv;
    bx_free(w->dir);
    bx_free(w->at);
    bx_free(w);
}

int bx_folder_watch_start(struct bx_loop *l, const char *dir, void (*changed)(void *user),
                          void *user, struct bx_folder_watch **ret, struct bx_err *err) {
    struct bx_folder_watch *w = bx_new(struct bx_folder_watch);
    int status;
    w->loop = l;
    w->dir = bx_strdup(dir);
    w->changed = changed;
    w->user = user;
    uv_fs_event_init(bx_loop_uv(l), &w->uv);
    aim(w, &status);
    if (status < 0) {
        bx_folder_watch_stop(w);
        return bx_fail(err, BX_ERR_IO, "the folder %s cannot be watched: %s", dir,
                       uv_strerror(status));
    }
    *ret = w;
    return 0;
}

void bx_folder_watch_stop(struct bx_folder_watch *w) {
    if (!w) {
        return;
    }
    bx_timer_stop(w->timer);
    uv_close((uv_handle_t *)&w->uv, on_closed);
}
