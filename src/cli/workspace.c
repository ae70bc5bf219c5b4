#include "cli/workspace.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "tools/mounts.h"

char *bx_xdg_path(const char *variable, const char *fallback, const char *tail) {
    const char *base = getenv(variable), *home = getenv("HOME");
    if (base && base[0] == '/') {
        return bx_asprintf("%s/boxagnts%s%s", base, tail[0] ? "/" : "", tail);
    }
    return bx_asprintf("%s/%s/boxagnts%s%s", home && home[0] == '/' ? home : "/tmp", fallback,
                       tail[0] ? "/" : "", tail);
}

char *bx_models_dir(void) {
    return bx_xdg_path("XDG_DATA_HOME", ".local/share", "models");
}

char *bx_agents_dir(void) {
    return bx_xdg_path("XDG_DATA_HOME", ".local/share", "agents");
}

/* <name>-<first 8 of the path's digest>: readable, and one per folder. */
static char *project_state(const char *root) {
    char hex[BX_SHA256_HEX + 1];
    bx_sha256_hex_of(root, strlen(root), hex);
    const char *base = bx_path_base(root);
    bx_auto(bx_freep) char *tail = bx_asprintf("projects/%.64s-%.8s", base[0] ? base : "root", hex);
    return bx_xdg_path("XDG_STATE_HOME", ".local/state", tail);
}

static int real_dir(const char *path, bool make, char **ret, struct bx_err *err) {
    if (make) {
        int r = bx_dir_make(path, 0755, err);
        if (r < 0) {
            return r;
        }
    }
    return bx_mount_dir(path, ret, err);
}

/* The same place without symbolic links, also when its end is not there yet: names are compared
 * with it. */
static char *real_state(const char *path) {
    bx_auto(bx_freep) char *real = bx_path_real(path, NULL);
    if (real) {
        return bx_steal(&real);
    }
    bx_auto(bx_freep) char *dir = bx_path_dir(path);
    if (strcmp(dir, path) == 0) {
        return bx_strdup(path);
    }
    bx_auto(bx_freep) char *above = real_state(dir);
    return bx_path_join(above, bx_path_base(path));
}

static int add_mounts(const struct bx_args *args, struct bx_workspace *w, struct bx_err *err) {
    const char **all = bx_args_all(args, "mount");
    int r = 0;
    for (size_t i = 0; all[i] && r == 0; i++) {
        w->mounts = bx_realloc_array(w->mounts, w->mount_count + 1, sizeof *w->mounts);
        r = bx_mount_parse(all[i], &w->mounts[w->mount_count], err);
        if (r == 0) {
            struct bx_mount *m = &w->mounts[w->mount_count++];
            r = bx_mount_check_apart("the folder", m->host_path, w->state, err);
        } else {
            bx_wrap(err, r, "--mount");
        }
    }
    bx_free(all);
    return r;
}

/* A scratch folder of the workspace's own at /tmp, unless the root has something of that name or a
 * mount is there. It is in the state folder, of which the tools see nothing else. */
static int add_tmp(struct bx_workspace *w, bool make, struct bx_err *err) {
    bx_auto(bx_freep) char *own = bx_path_join(w->root, "tmp"),
                           *dir = bx_path_join(w->state, "tmp");
    struct stat st;
    bool is_taken = lstat(own, &st) == 0;
    for (size_t i = 0; i < w->mount_count; i++)
        is_taken |= bx_path_is_under(w->mounts[i].guest_path, "/tmp");
    if (is_taken)
        return 0;
    int r = make ? bx_dir_make(dir, 0700, err) : 0;
    if (r < 0)
        return bx_wrap(err, r, "the folder for /tmp");
    if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
        return 0; /* not there yet, and this command only looks */
    w->mounts = bx_realloc_array(w->mounts, w->mount_count + 1, sizeof *w->mounts);
    w->mounts[w->mount_count++] = (struct bx_mount){
        .host_path = bx_steal(&dir), .guest_path = bx_strdup("/tmp"), .writable = true};
    return 0;
}

static int find(const struct bx_args *args, const char *operand, bool make, struct bx_workspace *w,
                struct bx_err *err) {
    const char *dir = bx_args_get(args, "workspace-dir"), *root = bx_args_get(args, "root");
    int r;
    if (dir && operand) {
        return bx_fail(err, BX_ERR_INVALID, "give --workspace-dir or a folder, not both");
    }
    if (dir) {
        bx_auto(bx_freep) char *real = NULL;
        if ((r = real_dir(dir, make, &real, err)) < 0) {
            return r;
        }
        w->name = bx_strdup(real);
        w->state = bx_path_join(real, ".boxagnts");
        bx_auto(bx_freep) char *inner = bx_path_join(real, "root");
        if (!root && !make && access(inner, F_OK) < 0) {
            w->root =
                bx_steal(&inner); /* nothing was ever done here; who only looks finds nothing */
        } else if ((r = real_dir(root ? root : inner, make && !root, &w->root, err)) < 0) {
            return r;
        }
    } else {
        bx_auto(bx_freep) char *project = NULL;
        if ((r = real_dir(operand ? operand : root ? root : ".", false, &project, err)) < 0) {
            return r;
        }
        w->state = project_state(project);
        w->name = bx_strdup(project);
        if (!root) {
            w->root = bx_steal(&project);
        } else if ((r = real_dir(root, false, &w->root, err)) < 0) {
            return r;
        }
    }
    char *state = real_state(w->state);
    bx_free(w->state);
    w->state = state;
    r = bx_mount_check_apart("the root", w->root, w->state, err);
    r = r < 0 ? r : add_mounts(args, w, err);
    return r < 0 ? r : add_tmp(w, make, err);
}

int bx_workspace_find(const struct bx_args *args, const char *operand, bool make,
                      struct bx_workspace *ret, struct bx_err *err) {
    struct bx_workspace w = {0};
    int r = find(args, operand, make, &w, err);
    if (r < 0) {
        bx_workspace_deinit(&w);
        return r;
    }
    *ret = w;
    return 0;
}

void bx_workspace_deinit(struct bx_workspace *w) {
    for (size_t i = 0; i < w->mount_count; i++) {
        bx_free((char *)(uintptr_t)w->mounts[i].host_path);
        bx_free((char *)(uintptr_t)w->mounts[i].guest_path);
    }
    bx_free(w->mounts);
    bx_free(w->name);
    bx_free(w->state);
    bx_free(w->root);
    *w = (struct bx_workspace){0};
}
