#include "agent/project.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/history.h"
#include "base/file.h"
#include "base/unwire.h"
#include "base/utf8.h"

#define FILE_MAX (1 * BX_MIB) /* nobody's instructions are longer; of what is, nothing is read */

static int open_below(const char *root, const char *path) {
    bx_auto(bx_fd_close) int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    if (bx_unwired("project_beneath"))
        return openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return bx_file_open_beneath(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static int read_fd(int fd, struct bx_buf *out) {
    char piece[16 * BX_KIB];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? BX_ERR_IO : 0;
        if (bx_buf_add(out, piece, (size_t)n))
            return BX_ERR_LIMIT;
    }
}

int bx_project_read(const char *root, const char *path, struct bx_buf *out, struct bx_err *err) {
    while (*path == '/')
        path++;
    bx_auto(bx_fd_close) int fd = open_below(root, *path ? path : ".");
    struct stat st;
    if (fd < 0 && errno == EXDEV)
        return bx_fail(err, BX_ERR_DENIED, "/%.300s leads out of the root", path);
    if (fd < 0)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no file /%.300s", path);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        return bx_fail(err, BX_ERR_NOTFOUND, "/%.300s is not a file", path);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(FILE_MAX);
    int rc = read_fd(fd, &text);
    if (!rc)
        rc = bx_utf8_add_clean(out, bx_buf_str(&text)) ? BX_ERR_LIMIT : 0;
    return rc ? bx_fail(err, rc,
                        rc == BX_ERR_LIMIT ? "/%.300s is too large" : "/%.300s cannot be read",
                        path)
              : 0;
}

char *bx_project_text(const char *root, const char *folder, size_t max_bytes, char **ret_file) {
    static const char *const names[] = {"AGENTS.md", "CLAUDE.md"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        bx_auto(bx_freep) char *path = bx_asprintf("%s%s%s", folder, *folder ? "/" : "", names[i]);
        bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(4 * FILE_MAX);
        struct bx_err err = {0};
        int rc = bx_project_read(root, path, &text, &err);
        if (rc == BX_ERR_LIMIT) {
            bx_buf_reset(&text);
            bx_buf_addf(&text, "(%s is larger than %zu KiB and was left out.)", path,
                        FILE_MAX / BX_KIB);
        } else if (rc || !bx_str_trim(bx_buf_str(&text)).n) {
            continue;
        }
        *ret_file = bx_asprintf("/%s", path);
        return bx_text_shorten(bx_buf_str(&text), max_bytes, NULL);
    }
    return NULL;
}
