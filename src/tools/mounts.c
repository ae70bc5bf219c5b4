#include "tools/mounts.h"

#include <sys/stat.h>

#include "base/path.h"
#include "base/unwire.h"

int bx_mount_dir(const char *path, char **ret, struct bx_err *err) {
    bx_auto(bx_freep) char *real = bx_path_real(path, NULL);
    struct stat st;
    if (!real)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no folder %s", path);
    if (stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
        return bx_fail(err, BX_ERR_INVALID, "%s is not a folder", path);
    if (access(real, R_OK | X_OK) < 0)
        return bx_fail(err, BX_ERR_DENIED, "the folder %s cannot be read by this user", path);
    *ret = bx_steal(&real);
    return 0;
}

int bx_mount_parse(const char *text, struct bx_mount *ret, struct bx_err *err) {
    struct bx_str rest = bx_str(text), host = {0}, guest = {0}, flag = {NULL, 0};
    if (!bx_str_split(&rest, ':', &host) || !bx_str_split(&rest, ':', &guest) || !host.n ||
        !guest.n || guest.p[0] != '/')
        return bx_fail(err, BX_ERR_INVALID,
                       "%s: write HOST:GUEST or HOST:GUEST:ro, with a guest path such as /data",
                       text);
    bool given = bx_str_split(&rest, ':', &flag), read_only = bx_str_eqz(flag, "ro");
    if ((given && !read_only && !bx_str_eqz(flag, "rw")) || rest.p)
        return bx_fail(err, BX_ERR_INVALID, "%s: the third part can only be ro or rw", text);
    bx_auto(bx_freep) char *host_path = bx_str_dup(host), *guest_path = bx_str_dup(guest),
                           *normal = bx_path_normal(guest_path), *real = NULL;
    if (strcmp(normal, "/") == 0)
        return bx_fail(err, BX_ERR_INVALID,
                       "%s: / is the root; use --root, or work_dir in the settings, for it", text);
    int rc = bx_mount_dir(host_path, &real, err);
    if (rc)
        return bx_wrap(err, rc, "%s", text);
    *ret = (struct bx_mount){
        .host_path = bx_steal(&real), .guest_path = bx_steal(&normal), .writable = !read_only};
    return 0;
}

int bx_mount_check_apart(const char *what, const char *seen, const char *state,
                         struct bx_err *err) {
    bool holds = bx_path_is_under(state, seen);
    if (!holds && !bx_path_is_under(seen, state))
        return 0;
    return bx_fail(err, BX_ERR_INVALID,
                   "%s %s %s the state folder %s, which tools must not see; choose another", what,
                   seen, holds ? "contains" : "is inside", state);
}

/* A read-only folder inside a writable one would be no protection. */
static int check_overlaps(const struct bx_mount *mounts, size_t count, struct bx_err *err) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            if (i != k && !mounts[i].writable && mounts[k].writable &&
                bx_path_is_under(mounts[i].host_path, mounts[k].host_path))
                return bx_fail(err, BX_ERR_INVALID,
                               "%s cannot be read-only: it is inside %s, which is writable",
                               mounts[i].host_path, mounts[k].host_path);
    return 0;
}

/* What a path of the settings names is looked up anew for each call. Where it leads through a
 * folder that guests see, one of them may have put a link there since: it must not lead out again.
 * real: what was found for it, which is held against what is found now. */
static int check_links(const char *path, const char *real, const struct bx_mount *seen,
                       size_t count, struct bx_err *err) {
    bx_auto(bx_freep) char *full = bx_path_absolute(path), *before = bx_strdup("/");
    for (size_t i = 1; full[0] && full[i - 1] && !bx_unwired("mount_links"); i++) {
        if (full[i] && full[i] != '/')
            continue;
        bx_auto(bx_freep) char *part = bx_str_dup(bx_str_n(full, i)),
                               *now = bx_path_real(part, NULL);
        for (size_t k = 0; now && k < count; k++)
            if (bx_path_is_under(before, seen[k].host_path) &&
                !bx_path_is_under(now, seen[k].host_path))
                return bx_fail(err, BX_ERR_DENIED,
                               "%.300s is a link that leads out of %.300s, where tools could have "
                               "made it: name the folder that it leads to",
                               part, seen[k].host_path);
        bx_free(before);
        before = now ? bx_steal(&now) : bx_strdup("");
    }
    return strcmp(before, real) == 0 || bx_unwired("mount_links")
               ? 0
               : bx_fail(err, BX_ERR_DENIED, "%.300s has changed just now: try again", path);
}

static int add_work_dir(const struct bx_mounts_wish *wish, struct bx_arena *arena,
                        struct bx_mount *root, struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(root->host_path, wish->work_dir), *real = NULL;
    int rc = bx_mount_dir(path, &real, err);
    rc = rc ? rc : check_links(path, real, wish->base, wish->base_count, err);
    if (!rc && wish->state)
        rc = bx_mount_check_apart("the folder", real, wish->state, err);
    if (rc)
        return bx_wrap(err, rc, "work_dir");
    root->host_path = bx_arena_str(arena, bx_str(real));
    return 0;
}

/* seen: the mounts before it, which guests reach. */
static int add_map_dir(const char *text, const struct bx_mount *seen, size_t count,
                       const char *state, struct bx_arena *arena, struct bx_mount *into,
                       struct bx_err *err) {
    struct bx_mount m;
    bx_auto(bx_freep) char *host =
        bx_str_dup(bx_str_slice(bx_str(text), 0, bx_str_find(bx_str(text), ':')));
    int rc = bx_mount_parse(text, &m, err);
    if (!rc && (rc = check_links(host, m.host_path, seen, count, err))) {
        bx_free((char *)(uintptr_t)m.host_path);
        bx_free((char *)(uintptr_t)m.guest_path);
    }
    if (rc)
        return bx_wrap(err, rc, "map_dirs");
    *into = (struct bx_mount){.host_path = bx_arena_str(arena, bx_str(m.host_path)),
                              .guest_path = bx_arena_str(arena, bx_str(m.guest_path)),
                              .writable = m.writable};
    bx_free((char *)(uintptr_t)m.host_path);
    bx_free((char *)(uintptr_t)m.guest_path);
    if (state && (rc = bx_mount_check_apart("the folder", into->host_path, state, err)))
        return bx_wrap(err, rc, "map_dirs");
    return 0;
}

int bx_mounts_make(const struct bx_mounts_wish *wish, struct bx_arena *arena, struct bx_mount **ret,
                   size_t *ret_count, struct bx_err *err) {
    size_t n = wish->base_count;
    struct bx_mount *all = bx_arena_alloc(arena, (n + wish->map_count + 1) * sizeof *all);
    int rc = 0;
    for (size_t i = 0; i < n; i++)
        all[i] = wish->base[i];
    if (wish->work_dir && n)
        rc = add_work_dir(wish, arena, &all[0], err);
    for (size_t i = 0; i < wish->map_count && !rc; i++)
        rc = add_map_dir(wish->map_dirs[i], all, n, wish->state, arena, &all[n], err), n++;
    struct bx_grant grant;
    bx_grant_init(&grant);
    grant.mounts = all;
    grant.mount_count = n;
    if (!rc && (wish->work_dir || wish->map_count) && !(rc = bx_grant_check(&grant, err)))
        rc = check_overlaps(all, n, err);
    if (rc)
        return rc;
    *ret = all;
    *ret_count = n;
    return 0;
}
