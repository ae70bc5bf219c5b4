/* The child that becomes git: the wall first.
 *     boxagnts --git-child (KIND BASE PATH)… -- GIT [ARG…]
 * KIND is r, w or x (read, change, run), or with ? behind it for what need not be there; BASE is -
 * for an absolute path. */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/unwire.h"
#include "loop/deny_linux.h"
#include "loop/landlock_linux.h"
#include "loop/powers_linux.h"
#include "git/git.h"
#include "git/internal.h"

#define WRITTEN_MAX_BYTES (UINT64_C(16) << 30) /* one file */

static int allow(const struct bx_landlock *l, const char *kind, const char *base, const char *path,
                 struct bx_err *err) {
    uint64_t rights = kind[0] == 'w' ? BX_FS_CHANGE
                      : kind[0] == 'x'
                          ? LANDLOCK_ACCESS_FS_READ_FILE | (uint64_t)LANDLOCK_ACCESS_FS_EXECUTE
                          : BX_FS_READ;
    bx_auto(bx_fd_close) int dir =
        strcmp(base, "-") ? open(base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    bx_auto(bx_fd_close) int fd = -1;
    if (strcmp(base, "-") == 0)
        fd = open(path, O_PATH | O_CLOEXEC);
    else if (dir >= 0)
        fd = bx_file_open_beneath(dir, path, O_PATH);
    if (fd < 0)
        return kind[1] == '?' ? 0 : bx_fail_errno(err, errno, "%.200s", path);
    int r = bx_landlock_allow_fd(l, fd, rights);
    return r < 0 ? bx_fail_errno(err, -r, "landlock: %.200s", path) : 0;
}

static void lower(int what, uint64_t max) {
    struct rlimit now;
    if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_cur > max) {
        now.rlim_cur = now.rlim_max = max;
        setrlimit((__rlimit_resource_t)what, &now);
    }
}

int bx_git_wall(char **rules, char **end, struct bx_err *err) {
    lower(RLIMIT_CORE, 0);
    lower(RLIMIT_NOFILE, 1024);
    lower(RLIMIT_FSIZE, WRITTEN_MAX_BYTES);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return bx_fail_errno(err, errno, "no_new_privs");
    if (!bx_unwired("git_powers") && !bx_powers_drop())
        return bx_fail_errno(err, errno, "root's powers cannot be dropped");
    if (bx_unwired("git_wall"))
        return 0;
    struct bx_landlock l;
    bx_landlock_open(&l);
    if (l.fd < 0)
        return bx_fail(err, BX_ERR_UNAVAILABLE, "the kernel has no Landlock");
    if (l.abi < 2) { /* git moves what it writes from folder to folder */
        bx_fd_close(&l.fd);
        return bx_fail(err, BX_ERR_UNAVAILABLE,
                       "the kernel's Landlock is too old; Linux 5.19 has what is needed");
    }
    int r = 0;
    for (; rules + 3 <= end && r == 0; rules += 3)
        r = allow(&l, rules[0], rules[1], rules[2], err);
    if (r < 0) {
        bx_fd_close(&l.fd);
        return r;
    }
    if (!bx_landlock_enforce(&l))
        return bx_fail(err, BX_ERR_UNAVAILABLE, "Landlock cannot be put up");
    return bx_deny_install(BX_DENY_PROCESSES | BX_DENY_SOCKETS, err);
}

int bx_git_child_main(int argc, char **argv) {
    int end = 2;
    struct bx_err err = {0};
    while (end < argc && strcmp(argv[end], "--"))
        end++;
    if (end + 1 >= argc) {
        fprintf(stderr, "this is started by boxagnts itself\n");
        return 64;
    }
    if (bx_git_wall(argv + 2, argv + end, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return BX_GIT_NO_WALL;
    }
    execve(argv[end + 1], argv + end + 1, environ);
    fprintf(stderr, "%s: %s\n", argv[end + 1], strerror(errno));
    return BX_GIT_NO_WALL;
}
