#include "tools/beneath.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/path.h"

/* The mount with the longest guest path that holds this one, and what is left of the path below it.
 */
static const struct bx_mount *mount_of(const struct bx_grant *grant, const char *path,
                                       enum bx_beneath where, const char **ret_rest) {
    const struct bx_mount *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        size_t n = strlen(m->guest_path);
        if (n >= longest && bx_path_is_under(path, m->guest_path)) {
            best = m;
            longest = n;
        }
    }
    if (!best || (where == BX_BENEATH_WRITABLE && !best->writable))
        return NULL;
    const char *rest = path + longest;
    *ret_rest = rest + (*rest == '/');
    return best;
}

int bx_open_beneath(const struct bx_grant *grant, const char *guest_path, enum bx_beneath where,
                    int flags) {
    const char *rest = NULL;
    const struct bx_mount *m = mount_of(grant, guest_path, where, &rest);
    bx_auto(bx_fd_close) int dir = m && *rest ? bx_dir_open_real(m->host_path, O_PATH) : -1;
    if (dir < 0)
        return -1;
    return bx_file_open_beneath(dir, rest, flags);
}
