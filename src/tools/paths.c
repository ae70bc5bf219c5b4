#include "tools/paths.h"

#include <strings.h>
#include <sys/stat.h>

#include "base/glob.h"
#include "base/path.h"

const char *const bx_guarded_names[] = {
    ".git",
    ".gitattributes",
    ".gitmodules",
    ".gitconfig",
    ".envrc",
    ".vscode",
    ".husky",
    ".idea",
    ".devcontainer",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zprofile",
    ".zshenv",
    ".ssh",
    ".direnv",
    ".npmrc",
    ".hgrc",
    ".pre-commit-config.yaml",
    NULL,
};

const char *bx_guarded_part(const char *guest) {
    struct bx_str rest = bx_str(guest), part;
    while (bx_str_split(&rest, '/', &part))
        for (size_t i = 0; bx_guarded_names[i]; i++)
            if (bx_str_ieqz(part, bx_guarded_names[i]))
                return bx_guarded_names[i];
    return NULL;
}

static bool has_part(const char *guest, const char *name) {
    struct bx_str rest = bx_str(guest), part;
    while (bx_str_split(&rest, '/', &part))
        if (bx_str_ieqz(part, name))
            return true;
    return false;
}

bool bx_is_guarded(const struct bx_grant *grant, const char *guest) {
    for (size_t i = 0; i < grant->guarded_path_count; i++) {
        const char *g = grant->guarded_paths[i];
        if (g[0] == '/' ? bx_glob_path(g, guest) || bx_path_is_under(guest, g) : has_part(guest, g))
            return true;
    }
    return bx_guarded_part(guest) != NULL;
}

/* A copy in the arena of what a base function allocated. */
static const char *keep(struct bx_arena *arena, char *take_s) {
    const char *copy = bx_arena_str(arena, bx_str(take_s));
    bx_free(take_s);
    return copy;
}

static const char *below(const char *path,
                         const char *dir) { /* what follows dir/, both normal, path is under dir */
    size_t n = strcmp(dir, "/") ? strlen(dir) : 0;
    return path[n] == '/' ? path + n + 1 : path + n;
}

static const char *join(struct bx_arena *arena, const char *dir, const char *rest) {
    if (!*rest)
        return dir;
    return bx_arena_printf(arena, "%s/%s", strcmp(dir, "/") ? dir : "", rest);
}

static bool climbs_above_top(struct bx_str path) {
    struct bx_str part;
    int depth = 0;
    while (bx_str_split(&path, '/', &part)) {
        if (bx_str_eqz(part, ".."))
            depth--;
        else if (part.n && !bx_str_eqz(part, "."))
            depth++;
        if (depth < 0)
            return true;
    }
    return false;
}

static const struct bx_mount *mount_by_host(const struct bx_grant *grant, const char *path) {
    const struct bx_mount *best = NULL;
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        if (bx_path_is_under(path, m->host_path) &&
            (!best || strlen(m->host_path) > strlen(best->host_path)))
            best = m;
    }
    return best;
}

static const struct bx_mount *mount_by_guest(const struct bx_grant *grant, const char *path) {
    const struct bx_mount *best = NULL;
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        if (bx_path_is_under(path, m->guest_path) &&
            (!best || strlen(m->guest_path) > strlen(best->guest_path)))
            best = m;
    }
    return best;
}

/* "<host folder of a mount>/../…" is no path of the guest's; it would turn into one of another
 * meaning. */
static bool leaves_mount(const struct bx_grant *grant, struct bx_str path) {
    for (size_t i = 0; i < grant->mount_count; i++) {
        const char *host = grant->mounts[i].host_path;
        size_t n = strlen(host);
        if (n > 1 && bx_str_starts(path, host) && path.n > n && path.p[n] == '/' &&
            climbs_above_top(bx_str_slice(path, n, path.n)))
            return true;
    }
    return false;
}

const char *bx_guest_path(const struct bx_grant *grant, struct bx_str path, struct bx_arena *arena,
                          bool *ret_outside) {
    *ret_outside = bx_str_find(path, '\0') != (size_t)-1 || climbs_above_top(path) ||
                   leaves_mount(grant, path);
    const char *text = bx_arena_str(arena, path);
    const char *normal = keep(arena, bx_path_normal(bx_arena_printf(arena, "/%s", text)));
    if (*text == '/' && !*ret_outside) {
        const struct bx_mount *m = mount_by_host(grant, normal);
        if (m)
            return join(arena, m->guest_path, below(normal, m->host_path));
    }
    return normal;
}

const char *bx_guest_path_real(const struct bx_grant *grant, const char *guest,
                               struct bx_arena *arena) {
    const struct bx_mount *m = mount_by_guest(grant, guest);
    if (!m)
        return NULL;
    const char *host = join(arena, m->host_path, below(guest, m->guest_path)), *missing = "";
    for (;;) {
        bx_auto(bx_freep) char *real = bx_path_real(host, NULL);
        if (real) {
            if (!bx_path_is_under(real, m->host_path))
                return NULL;
            const char *path =
                join(arena, m->guest_path, below(bx_arena_str(arena, bx_str(real)), m->host_path));
            return *missing ? join(arena, path, missing) : path;
        }
        struct stat st;
        if (lstat(host, &st) == 0 && S_ISLNK(st.st_mode))
            return NULL;
        if (strcmp(host, m->host_path) == 0 || strcmp(host, "/") == 0)
            return guest; /* the root itself is gone: nothing to resolve, the call will say so */
        const char *name = bx_arena_str(arena, bx_str(bx_path_base(host)));
        missing = *missing ? join(arena, name, missing) : name;
        host = keep(arena, bx_path_dir(host));
    }
}
