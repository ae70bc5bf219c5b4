#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/id.h"
#include "base/path.h"
#include "base/unwire.h"

void bx_fd_close(int *fd) {
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
    *fd = -1;
}

static int open_resolved(int dir, const char *name, int flags, uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags | O_CLOEXEC, .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
}

int bx_file_open_beneath(int dir, const char *name, int flags) {
    return open_resolved(dir, name, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

int bx_file_open_without_links(int dir, const char *name, int flags) {
    return open_resolved(dir, name, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

int bx_dir_open_real(const char *path, int flags) {
    uint64_t links = bx_unwired("mount_links") ? 0 : RESOLVE_NO_SYMLINKS;
    return open_resolved(AT_FDCWD, path, flags | O_DIRECTORY, links);
}

int bx_write_all(int fd, const void *p, size_t n) {
    const char *at = p;
    while (n > 0) {
        ssize_t put = write(fd, at, n);
        if (put < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -errno;
        }
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

bool bx_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

/* Reads to the end of the file; the size that stat gave is only a hint. */
static int read_rest(int fd, const char *path, struct bx_buf *buf, struct bx_err *err) {
    for (;;) {
        size_t room = BX_MIN(buf->max - buf->size, (size_t)64 * BX_KIB);
        char probe;
        char *at = room > 0 ? bx_buf_space(buf, room) : &probe;
        ssize_t got = read(fd, at, room > 0 ? room : 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return bx_fail_errno(err, errno, "cannot read '%s'", path);
        }
        if (got == 0) {
            return 0;
        }
        if (room == 0) {
            return bx_fail(err, BX_ERR_LIMIT, "'%s' is larger than %zu bytes", path, buf->max);
        }
        bx_buf_grew(buf, (size_t)got);
    }
}

int bx_file_read(const char *path, struct bx_buf *buf, struct bx_err *err) {
    /* Not blocking, because the open of a pipe without a writer would never return. */
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return bx_fail_errno(err, errno, "cannot read '%s'", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return bx_fail(err, BX_ERR_INVALID, "'%s' is not a regular file", path);
    }
    if (bx_buf_failed(buf) || buf->size > buf->max ||
        (uint64_t)st.st_size > (uint64_t)(buf->max - buf->size)) {
        return bx_fail(err, BX_ERR_LIMIT, "'%s' is larger than %zu bytes", path, buf->max);
    }
    size_t before = buf->size;
    int r = 0;
    if (st.st_size > 0 && !bx_buf_space(buf, (size_t)st.st_size)) {
        r = bx_fail(err, BX_ERR_LIMIT, "'%s' is larger than %zu bytes", path, buf->max);
    }
    if (r == 0) {
        r = read_rest(fd, path, buf, err);
    }
    if (r < 0) {
        bx_buf_cut(buf, before);
    }
    return r;
}

/* Some file systems cannot sync a folder and say EINVAL; there is nothing better to do there. */
static _Atomic uint64_t folder_syncs;

uint64_t bx_dir_syncs(void) {
    return atomic_load(&folder_syncs);
}

static int sync_folder(int dir_fd, const char *path, struct bx_err *err) {
    atomic_fetch_add(&folder_syncs, 1);
    return fsync(dir_fd) < 0 && errno != EINVAL
               ? bx_fail_errno(err, errno, "'%s' is written, but perhaps not to last", path)
               : 0;
}

/* The new content under a name of its own in the folder of the old one. */
static int write_temporary(int dir_fd, const char *name, struct bx_str content, mode_t mode) {
    bx_auto(bx_fd_close) int fd =
        openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return -errno;
    }
    int r = bx_write_all(fd, content.p, content.n);
    if (r == 0 && fsync(fd) < 0) {
        r = -errno;
    }
    if (r < 0) {
        unlinkat(dir_fd, name, 0);
    }
    return r;
}

int bx_file_write_atomic(const char *path, struct bx_str content, mode_t mode, struct bx_err *err) {
    bx_auto(bx_freep) char *dir = bx_path_dir(path);
    const char *base = bx_path_base(path);
    if (base[0] == '\0') {
        return bx_fail(err, BX_ERR_INVALID, "'%s' is not the name of a file", path);
    }
    bx_auto(bx_fd_close) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return bx_fail_errno(err, errno, "cannot write '%s'", path);
    }
    char random[8], hex[17], name[32];
    bx_random(random, sizeof random);
    bx_hex(random, sizeof random, hex);
    snprintf(name, sizeof name, ".bx-%s.tmp", hex);

    int r = write_temporary(dir_fd, name, content, mode);
    if (r < 0) {
        return bx_fail_errno(err, -r, "cannot write '%s'", path);
    }
    if (renameat(dir_fd, name, dir_fd, base) < 0) {
        r = bx_fail_errno(err, errno, "cannot write '%s'", path);
        unlinkat(dir_fd, name, 0);
        return r;
    }
    return sync_folder(dir_fd, path, err);
}

int bx_dir_sync(const char *path, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? bx_fail_errno(err, errno, "'%s' cannot be opened", path)
                  : sync_folder(fd, path, err);
}

static int make_folders(const char *path, mode_t mode, bool lasting, struct bx_err *err) {
    bx_auto(bx_freep) char *whole = bx_path_normal(path);
    for (char *at = whole + 1;; at++) {
        if (*at != '/' && *at != '\0') {
            continue;
        }
        char stop = *at;
        *at = '\0';
        struct stat st;
        int failed = mkdir(whole, mode) < 0 ? errno : 0;
        /* Not only EEXIST: a parent that is there may be one that we must not write to. */
        if (failed && !(stat(whole, &st) == 0 && S_ISDIR(st.st_mode))) {
            if (failed == EEXIST) {
                return bx_fail(err, BX_ERR_EXISTS, "cannot make the folder '%s': '%s' is a file",
                               path, whole);
            }
            return bx_fail_errno(err, failed, "cannot make the folder '%s'", path);
        }
        if (!failed && lasting) {
            bx_auto(bx_freep) char *parent = bx_path_dir(whole);
            int r = bx_dir_sync(parent, err);
            if (r < 0 && r != BX_ERR_DENIED) { /* one may write to it and not read it */
                return r;
            }
        }
        if (stop == '\0') {
            return 0;
        }
        *at = stop;
    }
}

int bx_dir_make(const char *path, mode_t mode, struct bx_err *err) {
    return make_folders(path, mode, false, err);
}

int bx_dir_make_lasting(const char *path, mode_t mode, struct bx_err *err) {
    return make_folders(path, mode, true, err);
}

static int next_name(DIR *dir, const char **ret_name) {
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(dir);
    } while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
    *ret_name = entry ? entry->d_name : NULL;
    return entry ? 0 : -errno;
}

int bx_dir_each(const char *path, int (*visit)(void *user, const char *name), void *user,
                struct bx_err *err) {
    DIR *dir = opendir(path);
    if (!dir) {
        return bx_fail_errno(err, errno, "cannot list '%s'", path);
    }
    const char *name;
    int r, visited = 0;
    while ((r = next_name(dir, &name)) == 0 && name && visited == 0) {
        visited = visit(user, name);
    }
    closedir(dir);
    if (r < 0) {
        return bx_fail_errno(err, -r, "cannot list '%s'", path);
    }
    return visited;
}

/* A tree may be deeper than there are descriptors: a folder found this far down is moved up into
 * the top folder, which is walked until it is empty. */
#define MAX_REMOVE_DEPTH 24

static int remove_content(int top_fd, int take_fd, int depth);

static int open_folder(int parent_fd, const char *name) {
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(parent_fd, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(parent_fd, name, 0700, AT_SYMLINK_NOFOLLOW) == 0) {
        fd = openat(parent_fd, name, flags);
    }
    struct stat st;
    if (fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 0700) != 0700) {
        (void)!fchmod(fd, 0700); /* when it fails the removal inside says why */
    }
    return fd;
}

static int remove_folder(int top_fd, int parent_fd, const char *name, int depth) {
    int fd = open_folder(parent_fd, name);
    if (fd < 0) {
        return -errno;
    }
    if (depth >= MAX_REMOVE_DEPTH) {
        close(fd);
        char random[8], up[17];
        bx_random(random, sizeof random);
        bx_hex(random, sizeof random, up);
        return renameat(parent_fd, name, top_fd, up) < 0 ? -errno : 0;
    }
    int r = remove_content(top_fd, fd, depth + 1);
    if (r == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        r = -errno;
    }
    return r;
}

/* Empties the folder take_fd. One pass is enough but for the top, into which others may have been
 * moved. */
static int remove_content(int top_fd, int take_fd, int depth) {
    DIR *dir = fdopendir(take_fd);
    if (!dir) {
        int r = -errno;
        close(take_fd);
        return r;
    }
    int r;
    bool again;
    do {
        const char *name;
        again = false;
        rewinddir(dir);
        while ((r = next_name(dir, &name)) == 0 && name) {
            again = depth == 0;
            struct stat st;
            int fd = dirfd(dir);
            if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                r = errno == ENOENT ? 0 : -errno;
            } else if (S_ISDIR(st.st_mode)) {
                r = remove_folder(top_fd, fd, name, depth);
            } else if (unlinkat(fd, name, 0) < 0 && errno != ENOENT) {
                r = -errno;
            }
            if (r < 0) {
                break;
            }
        }
    } while (r == 0 && again);
    closedir(dir);
    return r;
}

int bx_dir_remove(const char *path, struct bx_err *err) {
    int fd = open_folder(AT_FDCWD, path);
    if (fd < 0 && errno == ENOENT) {
        return 0;
    }
    if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
        return bx_fail(err, BX_ERR_INVALID, "'%s' is not a folder, so it is left alone", path);
    }
    if (fd < 0) {
        return bx_fail_errno(err, errno, "cannot remove '%s'", path);
    }
    bx_auto(bx_fd_close) int top_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (top_fd < 0) {
        int failed = errno;
        close(fd);
        return bx_fail_errno(err, failed, "cannot remove '%s'", path);
    }
    int r = remove_content(top_fd, fd, 0);
    if (r == 0 && rmdir(path) < 0 && errno != ENOENT) {
        r = -errno;
    }
    return r < 0 ? bx_fail_errno(err, -r, "cannot remove '%s'", path) : 0;
}

/* ---- a whole tree to the platter ---- */

struct tree_sync {
    const char *dir;
    struct bx_err *err;
};

static int sync_entry(void *user, const char *name) {
    struct tree_sync *t = user;
    bx_auto(bx_freep) char *path = bx_path_join(t->dir, name);
    struct stat st;
    if (lstat(path, &st) < 0) {
        return bx_fail_errno(t->err, errno, "'%s' cannot be looked at", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return bx_tree_sync(path, t->err);
    }
    if (!S_ISREG(st.st_mode)) {
        return 0;
    }
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0
               ? bx_fail_errno(t->err, errno, "'%s' is written, but perhaps not to last", path)
               : 0;
}

int bx_tree_sync(const char *path, struct bx_err *err) {
    struct tree_sync t = {.dir = path, .err = err};
    int r = bx_dir_each(path, sync_entry, &t, err);
    return r ? r : bx_dir_sync(path, err);
}
