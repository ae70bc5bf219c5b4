#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

enum { MAX_EACH = 256 * 1024, MAX_ALL = 1024 * 1024 };

#ifdef BX_GUEST_NATIVE // the test build asks the system itself
#include <dirent.h>
#include <sys/stat.h>

static char kind_of(const struct dirent *entry) {
    return entry->d_type == DT_REG   ? 'f'
           : entry->d_type == DT_DIR ? 'd'
           : entry->d_type == DT_LNK ? 'l'
                                     : 'o';
}

bool bx_files_list(const char *dir, struct bx_buf *ret) {
    DIR *stream = opendir(dir);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            bx_buf_add_char(ret, kind_of(entry));
            bx_buf_add(ret, entry->d_name, strlen(entry->d_name) + 1);
        }
    }
    return stream && closedir(stream) == 0;
}

static void put32(struct bx_buf *out, int32_t n) {
    bx_buf_add(out, &n, sizeof n);
}

static void read_start(const char *path, struct bx_buf *out) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        put32(out, fd < 0 ? -errno : -EINVAL);
        put32(out, 0);
    } else {
        char *bytes = bx_alloc(MAX_EACH);
        ssize_t n = bx_file_read(fd, bytes, MAX_EACH);
        put32(out, n < 0 ? -errno : (int32_t)n);
        put32(out, n == MAX_EACH && st.st_size > MAX_EACH);
        bx_buf_add(out, bytes, n > 0 ? (size_t)n : 0);
        free(bytes);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static char *ask(const char *paths, size_t len, size_t *ret_len) {
    struct bx_buf out = {0};
    for (const char *path = paths; path < paths + len; path += strlen(path) + 1) {
        struct bx_buf one = {0};
        read_start(path, &one);
        if (out.len && out.len + one.len > MAX_ALL) {
            bx_buf_deinit(&one);
            break;
        }
        bx_buf_add(&out, one.data, one.len);
        bx_buf_deinit(&one);
    }
    *ret_len = out.len;
    return out.data;
}
#else
struct bytes { // how a list comes back
    char *data;
    size_t len;
};
__attribute__((import_module("boxagnts:box/files@0.1.0"), import_name("entries"))) void
bx_host_entries(const char *path, size_t len, struct bytes *ret);
__attribute__((import_module("boxagnts:box/files@0.1.0"), import_name("contents"))) void
bx_host_contents(const char *paths, size_t len, uint32_t max_each, uint32_t max_all,
                 struct bytes *ret);

// The errno of Linux in that of WASI, as far as they are told apart
static int error_of(int32_t status) {
    switch (-status) {
    case 1:
        return EPERM;
    case 2:
        return ENOENT;
    case 13:
        return EACCES;
    case 18:
        return EPERM; // it leads out of its folder
    case 20:
        return ENOTDIR;
    case 36:
        return ENAMETOOLONG;
    case 40:
        return ELOOP;
    default:
        return EIO;
    }
}

bool bx_files_list(const char *dir, struct bx_buf *ret) {
    struct bytes answer = {0};
    int32_t status = -5;
    bx_host_entries(dir, strlen(dir), &answer);
    if (answer.len >= sizeof status) {
        memcpy(&status, answer.data, sizeof status);
        bx_buf_add(ret, answer.data + sizeof status, answer.len - sizeof status);
    }
    free(answer.data);
    errno = error_of(status);
    return status == 0;
}

static char *ask(const char *paths, size_t len, size_t *ret_len) {
    struct bytes answer = {0};
    bx_host_contents(paths, len, MAX_EACH, MAX_ALL, &answer);
    *ret_len = answer.len;
    return answer.data;
}
#endif

void bx_batch_add(struct bx_batch *batch, const char *path) {
    bx_buf_add(&batch->paths, path, strlen(path) + 1);
    batch->n++;
}

// Each answer holds the starts of the first of the paths that are left.
bool bx_batch_next(struct bx_batch *batch, struct bx_batch_file *ret) {
    const size_t head = 2 * sizeof(int32_t);
    if (!batch->n) {
        return false;
    }
    if (batch->at + head > batch->len) {
        free(batch->bytes);
        batch->bytes =
            ask(batch->paths.data + batch->done, batch->paths.len - batch->done, &batch->len);
        batch->at = 0;
    }
    int32_t status = -EIO, flags = 0;
    *ret = (struct bx_batch_file){.path = batch->paths.data + batch->done, .error = EIO};
    if (batch->at + head <= batch->len) {
        memcpy(&status, batch->bytes + batch->at, sizeof status);
        memcpy(&flags, batch->bytes + batch->at + sizeof status, sizeof flags);
        batch->at += head;
    }
    if (status >= 0 && (size_t)status <= batch->len - batch->at) {
        ret->error = 0;
        ret->bytes = batch->bytes + batch->at;
        ret->len = (size_t)status;
        ret->goes_on = flags & 1;
        batch->at += ret->len;
    }
    batch->done += strlen(ret->path) + 1;
    batch->n--;
    return true;
}

void bx_batch_reset(struct bx_batch *batch) {
    bx_buf_reset(&batch->paths);
    batch->n = batch->done = 0;
}
