/* loop/landlock_linux.h: which files a process of ours may still reach, by the kernel's Landlock.
 *
 * In a process that is about to fence itself in: open, allow what it needs, enforce. What is not allowed is refused from then
 * on, for this process, all its threads that come, and all programs that it becomes; it cannot be taken down again. Files that
 * are open already stay so. */
#ifndef BX_LOOP_LANDLOCK_LINUX_H
#define BX_LOOP_LANDLOCK_LINUX_H

#include <linux/landlock.h>

#include "base/base.h"

/* Newer than some headers; the numbers are the kernel's interface. */
#define BX_FS_REFER     (UINT64_C(1) << 13) /* ABI 2 */
#define BX_FS_TRUNCATE  (UINT64_C(1) << 14) /* ABI 3 */
#define BX_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */

#define BX_FS_READ ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Whatever can be done to files and folders, but for running them and for devices, sockets and pipes */
#define BX_FS_CHANGE                                                                                                   \
    (BX_FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |     \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM | BX_FS_REFER |           \
     BX_FS_TRUNCATE)

struct bx_landlock {
    int fd;           /* -1: the kernel has none */
    unsigned abi;     /* 0 then */
    uint64_t handled; /* rights that are refused unless allowed */
};
/* Everything that the kernel knows to refuse is refused: files, TCP, and signals to and sockets of others. */
void bx_landlock_open(struct bx_landlock *l);
/* Rights below what `fd` (O_PATH does) is open on; those that the kernel does not know, or a plain file cannot have, are left
 * out. 0 or -errno. */
int bx_landlock_allow_fd(const struct bx_landlock *l, int fd, uint64_t rights);
int bx_landlock_allow(const struct bx_landlock *l, const char *path, uint64_t rights, struct bx_err *err);
bool bx_landlock_enforce(struct bx_landlock *l); /* no_new_privs must be set. True: it is up. Closes it in any case. */

#endif
