#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/guest.h"
#include "common/near.h"
#include "common/path.h"

enum { MAX_LINKS = 20, MAX_TRIES = 100 };

const char *bx_file_why(int error) {
    switch (error) {
    case EPERM:
#ifdef ENOTCAPABLE
    case ENOTCAPABLE:
#endif
    case EROFS:
        return "it is outside the root, or this session may only read there";
    case EACCES:
        return "permission denied";
    case ELOOP:
        return "there are too many symbolic links in the path (a loop?)";
    case ENOSPC:
    case EDQUOT:
        return "the disk is full";
    case EFBIG:
        return "the file would be larger than is allowed";
    case ENAMETOOLONG:
        return "the name is too long";
    case ENOTDIR:
        return "a part of the path is a file, not a folder";
    case EILSEQ:
        return "there is a name that is not UTF-8, which the sandbox cannot pass on";
    default:
        return strerror(error);
    }
}

const char *bx_file_oddity(mode_t mode) {
    if (S_ISREG(mode)) {
        return NULL;
    }
    if (S_ISDIR(mode)) {
        return "a folder";
    }
    return "a pipe, a socket or a device"; // WASI does not tell them apart
}

bool bx_file_stat(const char *path, struct stat *ret, struct bx_answer *answer) {
    struct stat st;
    if (stat(path, &st) != 0) {
        int error = errno;
        if (error == ENOENT || error == ENOTDIR) {
            return bx_near_missing(path, answer);
        }
        return bx_answer_fail(answer, "%s cannot be opened: %s.", bx_path_show(path),
                              bx_file_why(error));
    }
    const char *oddity = bx_file_oddity(st.st_mode);
    if (oddity) {
        return bx_answer_fail(answer, "%s is %s, not a file.", bx_path_show(path), oddity);
    }
    *ret = st;
    return true;
}

ssize_t bx_file_read(int fd, void *bytes, size_t n) {
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, (char *)bytes + have, n - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        have += (size_t)got;
    }
    return (ssize_t)have;
}

bool bx_file_load(const char *path, size_t max_bytes, struct bx_buf *ret,
                  struct bx_answer *answer) {
    struct stat st;
    if (!bx_file_stat(path, &st, answer)) {
        return false;
    }
    if ((unsigned long long)st.st_size > max_bytes) {
        return bx_answer_fail(answer,
                              "%s is too large for this tool (%lld bytes; the most is %zu).",
                              bx_path_show(path), (long long)st.st_size, max_bytes);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;
    if (fd >= 0) {
        bx_buf_reserve(ret, (size_t)st.st_size);
        got = bx_file_read(fd, ret->data, (size_t)st.st_size);
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (got < 0) {
        return bx_answer_fail(answer, "%s cannot be read: %s.", bx_path_show(path),
                              bx_file_why(error));
    }
    ret->len = (size_t)got;
    ret->data[got] = '\0';
    return true;
}

char *bx_file_target(const char *path, struct bx_answer *answer) {
    char *at = bx_strndup(path, strlen(path));
    for (int i = 0; i < MAX_LINKS; i++) {
        struct stat st;
        char link[4096];
        if (lstat(at, &st) != 0 || !S_ISLNK(st.st_mode)) {
            return at;
        }
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0) {
            bx_answer_fail(answer, "%s is a symbolic link that cannot be read: %s.",
                           bx_path_show(at), bx_file_why(errno));
            return NULL;
        }
        link[n] = '\0';
        char *dir = bx_path_dir(at);
        char *joined = bx_path_join(dir, link);
        const char *why = NULL;
        char *next = link[0] == '/' ? NULL : bx_path_parse(joined, strlen(joined), &why);
        free(dir);
        free(joined);
        if (!next) {
            bx_answer_fail(answer, "%s is a symbolic link to %s, outside the root.",
                           bx_path_show(at), bx_path_show(link));
            return NULL;
        }
        free(at);
        at = next;
    }
    bx_answer_fail(answer, "%s is a loop of symbolic links.", bx_path_show(path));
    return NULL;
}

// Make the folders above path; *ret_made is how many, so that a failure can take them away again.
static bool make_folders(char *path, size_t *ret_made, struct bx_answer *answer) {
    *ret_made = 0;
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int error = mkdir(path, 0777) == 0 ? 0 : errno;
        struct stat st;
        *ret_made += error == 0;
        if (error && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))) {
            bx_answer_fail(answer, "The folder %s cannot be made: %s.", bx_path_show(path),
                           error == EEXIST ? "a file of this name is in the way"
                                           : bx_file_why(error));
            *slash = '/';
            return false;
        }
        *slash = '/';
    }
    return true;
}

static void remove_folders(const char *path, size_t n) {
    char *dir = bx_path_dir(path);
    while (n-- && rmdir(dir) == 0) {
        char *above = bx_path_dir(dir);
        free(dir);
        dir = above;
    }
    free(dir);
}

static int open_temporary(const char *path, char **ret_name) {
    struct timespec now = {0};
    char *dir = bx_path_dir(path);
    clock_gettime(CLOCK_REALTIME, &now);
    unsigned seed = (unsigned)now.tv_nsec;
    int fd = -1;
    for (int i = 0; i < MAX_TRIES && fd < 0; i++) {
        char name[40];
        snprintf(name, sizeof name, ".bx-%08x.tmp", seed + (unsigned)i * 2654435761U);
        *ret_name = bx_path_join(dir, name);
        fd = open(*ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0) {
            int error = errno;
            free(*ret_name);
            errno = error;
            if (error != EEXIST) {
                break;
            }
        }
    }
    int error = errno;
    free(dir);
    errno = error;
    return fd;
}

static int write_whole(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done < 0 ? errno : ENOSPC;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

bool bx_file_replace(const char *path, const char *bytes, size_t n, struct bx_answer *answer) {
    char *copy = bx_strndup(path, strlen(path)), *temporary = NULL;
    size_t n_made = 0;
    bool ok = make_folders(copy, &n_made, answer);
    if (ok) {
        int fd = open_temporary(path, &temporary);
        int error = fd < 0 ? errno : write_whole(fd, bytes, n);
        if (fd >= 0) {
            error = close(fd) != 0 && !error ? errno : error;
            error = !error && rename(temporary, path) != 0 ? errno : error;
            if (error) {
                unlink(temporary);
            }
            free(temporary);
        }
        if (error) {
            ok = bx_answer_fail(answer, "%s cannot be written: %s. Nothing was changed.",
                                bx_path_show(path), bx_file_why(error));
        }
    }
    if (!ok) {
        remove_folders(path, n_made);
    }
    free(copy);
    return ok;
}
