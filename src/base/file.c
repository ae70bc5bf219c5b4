#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"

int bx_file_read(const char *path, struct bx_buf *buf, struct bx_err *err) {
    /* O_NONBLOCK: a FIFO must not hang the open; fstat then refuses it */
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return bx_fail_errno(err, errno, "cannot read %s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return bx_fail(err, BX_ERR_INVALID, "cannot read %s: it is not a regular file", path);
    }
    size_t want = st.st_size > 0 ? (size_t)st.st_size : 0;
    for (;;) { /* the size is a hint only: /proc says 0, another process may append */
        size_t room = BX_MAX(want, (size_t)4096);
        room = BX_MIN(room, buf->max - buf->size + 1); /* one more than allowed shows that it is too large */
        char *to = bx_buf_space(buf, BX_MIN(room, buf->max - buf->size));
        char extra;
        if (room > buf->max - buf->size) {
            room = buf->max - buf->size;
        }
        ssize_t got = room ? read(fd, to, room) : read(fd, &extra, 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return bx_fail_errno(err, errno, "cannot read %s", path);
        }
        if (got == 0) {
            return 0;
        }
        if (!room) {
            return bx_fail(err, BX_ERR_LIMIT, "%s is larger than %zu bytes", path, buf->max);
        }
        bx_buf_grew(buf, (size_t)got);
        want -= BX_MIN(want, (size_t)got);
    }
}

static int sync_folder(const char *path) {
    bx_auto(bx_freep) char *dir = bx_path_dir(path);
    bx_auto(bx_fd_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int bx_file_write_atomic(const char *path, struct bx_str content, mode_t mode, struct bx_err *err) {
    char tag[17];
    unsigned char random[8];
    bx_random(random, sizeof random);
    bx_hex(random, sizeof random, tag);
    bx_auto(bx_freep) char *temporary = bx_asprintf("%s.%s.tmp", path, tag);
    bx_auto(bx_fd_close) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) {
        return bx_fail_errno(err, errno, "cannot write %s", path);
    }
    int r = bx_write_all(fd, content.p, content.n);
    if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)) {
        r = -errno;
    }
    if (r < 0) {
        unlink(temporary);
        return bx_fail_errno(err, -r, "cannot write %s", path);
    }
    r = sync_folder(path);
    return r < 0 ? bx_fail_errno(err, -r, "cannot write %s", path) : 0;
}

int bx_dir_make(const char *path, mode_t mode, struct bx_err *err) {
    struct stat st;
    if (mkdir(path, mode) == 0) {
        return 0;
    }
    if (errno == ENOENT) {
        bx_auto(bx_freep) char *parent = bx_path_dir(path);
        if (strcmp(parent, path) != 0) {
            int r = bx_dir_make(parent, mode, err);
            if (r < 0) {
                return r;
            }
        }
        if (mkdir(path, mode) == 0) {
            return 0;
        }
    }
    int e = errno;
    if (stat(path, &st) == 0) {
        return S_ISDIR(st.st_mode) ? 0 : bx_fail(err, BX_ERR_EXISTS, "%s is there, but is not a folder", path);
    }
    return bx_fail_errno(err, e, "cannot make the folder %s", path);
}

static int remove_entries(int dir_fd, unsigned depth);

static int remove_at(int dir_fd, const char *name, unsigned depth) {
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR && errno != EPERM) {
        return -errno;
    }
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int r = remove_entries(fd, depth + 1); /* takes fd */
    if (r == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        r = -errno;
    }
    return r;
}

static int remove_entries(int dir_fd, unsigned depth) {
    DIR *dir = depth < 256 ? fdopendir(dir_fd) : NULL;
    if (!dir) {
        close(dir_fd);
        return depth < 256 ? -errno : -ELOOP;
    }
    int r = 0;
    for (struct dirent *e; r == 0 && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            r = remove_at(dir_fd, e->d_name, depth);
        }
    }
    closedir(dir);
    return r;
}

int bx_dir_remove(const char *path, struct bx_err *err) {
    int r = remove_at(AT_FDCWD, path, 0);
    return r < 0 ? bx_fail_errno(err, -r, "cannot delete %s", path) : 0;
}

int bx_dir_each(const char *path, int (*visit)(void *user, const char *name), void *user, struct bx_err *err) {
    DIR *dir = opendir(path);
    if (!dir) {
        return bx_fail_errno(err, errno, "cannot list %s", path);
    }
    int r = 0;
    for (struct dirent *e; r == 0 && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            r = visit(user, e->d_name);
        }
    }
    closedir(dir);
    return r;
}

bool bx_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

int bx_write_all(int fd, const void *p, size_t n) {
    const char *at = p;
    while (n) {
        ssize_t put = write(fd, at, n);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -errno;
        }
        at += put;
        n -= (size_t)put;
    }
    return 0;
}

void bx_fd_close(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}
