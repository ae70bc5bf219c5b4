#include "loop/landlock_linux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/file.h"

/* The header on the build machine may be older than the kernel that runs: rights by ABI version */
#define FS_ABI1   ((UINT64_C(1) << 13) - 1) /* execute … make_sym */
#define NET_TCP   UINT64_C(3)
#define SCOPE_ALL UINT64_C(3)
#define OF_FILES                                                                                   \
    ((uint64_t)LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                        \
     LANDLOCK_ACCESS_FS_READ_FILE | BX_FS_TRUNCATE | BX_FS_IOCTL_DEV)

struct ruleset_attr { /* struct landlock_ruleset_attr of ABI 6 */
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

void bx_landlock_open(struct bx_landlock *l) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *l = (struct bx_landlock){.fd = -1, .abi = abi < 0 ? 0 : (unsigned)abi};
    if (abi < 1)
        return;
    struct ruleset_attr attr = {
        .fs = FS_ABI1 | (abi >= 2 ? BX_FS_REFER : 0) | (abi >= 3 ? BX_FS_TRUNCATE : 0) |
              (abi >= 5 ? BX_FS_IOCTL_DEV : 0),
        .net = abi >= 4 ? NET_TCP : 0,
        .scoped = abi >= 6 ? SCOPE_ALL : 0,
    };
    size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 16 : 8;
    l->handled = attr.fs;
    l->fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
}

int bx_landlock_allow_fd(const struct bx_landlock *l, int fd, uint64_t rights) {
    struct stat st;
    if (l->fd < 0)
        return 0;
    if (fstat(fd, &st) < 0)
        return -errno;
    rights &= l->handled & (S_ISDIR(st.st_mode) ? UINT64_MAX : OF_FILES);
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    return syscall(SYS_landlock_add_rule, l->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
}

int bx_landlock_allow(const struct bx_landlock *l, const char *path, uint64_t rights,
                      struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return bx_fail_errno(err, errno, "%.300s", path);
    int r = bx_landlock_allow_fd(l, fd, rights);
    return r < 0 ? bx_fail_errno(err, -r, "landlock: %.300s", path) : 0;
}

bool bx_landlock_enforce(struct bx_landlock *l) {
    bool up = l->fd >= 0 && syscall(SYS_landlock_restrict_self, l->fd, 0) == 0;
    bx_fd_close(&l->fd);
    return up;
}
