#include "tools/mode.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/path.h"

/* The mount with the longest guest path that holds this one, and what is left of the path below it.
 */
static const struct bx_mount *mount_of(const struct bx_grant *grant, const char *path,
                                       const char **ret_rest) {
    const struct bx_mount *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        size_t n = strlen(m->guest_path);
        if (m->writable && n >= longest && bx_path_is_under(path, m->guest_path)) {
            best = m;
            longest = n;
        }
    }
    if (best) {
        const char *rest = path + longest;
        *ret_rest = rest + (*rest == '/');
    }
    return best;
}

static int open_beneath(const struct bx_grant *grant, const char *path) {
    const char *rest = NULL;
    const struct bx_mount *m = mount_of(grant, path, &rest);
    bx_auto(bx_fd_close) int dir =
        m && *rest ? open(m->host_path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (dir < 0)
        return -1;
    struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, dir, rest, &how, sizeof how);
}

void bx_modes_keep(struct bx_kept_modes *k, const struct bx_call_reach *reach,
                   const struct bx_grant *grant) {
    k->n = 0;
    for (size_t i = 0; i < reach->path_count && k->n < BX_KEPT_MODES_MAX; i++) {
        bx_auto(bx_fd_close) int fd = open_beneath(grant, reach->paths[i]);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
            k->files[k->n].path = reach->paths[i];
            k->files[k->n].inode = st.st_ino;
            k->files[k->n++].mode = st.st_mode & 0777; /* never set-id bits */
        }
    }
}

void bx_modes_restore(const struct bx_kept_modes *k, const struct bx_grant *grant) {
    for (size_t i = 0; i < k->n; i++) {
        bx_auto(bx_fd_close) int fd = open_beneath(grant, k->files[i].path);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_ino != k->files[i].inode && (st.st_mode & 0777) != k->files[i].mode)
            (void)fchmod(
                fd, k->files[i].mode); /* not ours to change: then it stays as the guest made it */
    }
}
