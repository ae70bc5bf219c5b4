#include "tools/mode.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "tools/beneath.h"

static int open_file(const struct bx_grant *grant, const char *path) {
    return bx_open_beneath(grant, path, BX_BENEATH_WRITABLE, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

void bx_modes_keep(struct bx_kept_modes *k, const struct bx_call_reach *reach,
                   const struct bx_grant *grant) {
    k->n = 0;
    for (size_t i = 0; i < reach->path_count && k->n < BX_KEPT_MODES_MAX; i++) {
        bx_auto(bx_fd_close) int fd = open_file(grant, reach->paths[i]);
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
        bx_auto(bx_fd_close) int fd = open_file(grant, k->files[i].path);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_ino != k->files[i].inode && (st.st_mode & 0777) != k->files[i].mode)
            (void)fchmod(
                fd, k->files[i].mode); /* not ours to change: then it stays as the guest made it */
    }
}
