#include "base/path.h"

char *bx_path_join(const char *dir, const char *name) {
    if (name[0] == '/' || dir[0] == '\0') {
        return bx_strdup(name);
    }
    size_t n = strlen(dir);
    return bx_asprintf("%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

char *bx_path_normal(const char *path) {
    bool absolute = path[0] == '/';
    struct bx_buf out = BX_BUF_INIT(strlen(path) + 2);
    struct bx_str rest = bx_str(path), part;
    size_t ups = 0; /* ".." that stand at the front of a relative path */
    if (absolute) {
        bx_buf_addc(&out, '/');
    }
    while (bx_str_split(&rest, '/', &part)) {
        if (part.n == 0 || bx_str_eqz(part, ".")) {
            continue;
        }
        if (bx_str_eqz(part, "..")) {
            size_t floor = absolute ? 1 : (ups ? ups * 3 - 1 : 0);
            if (out.size > floor) {
                size_t at = out.size;
                while (at > floor && out.p[at - 1] != '/') {
                    at--;
                }
                bx_buf_cut(&out, at > floor ? at - 1 : floor);
                if (absolute && out.size == 0) {
                    bx_buf_addc(&out, '/');
                }
                continue;
            }
            if (absolute) {
                continue;
            }
            ups++;
        }
        if (out.size && out.p[out.size - 1] != '/') {
            bx_buf_addc(&out, '/');
        }
        bx_buf_adds(&out, part);
    }
    if (out.size == 0) {
        bx_buf_addc(&out, '.');
    }
    return bx_buf_steal(&out);
}

char *bx_path_absolute(const char *path) {
    if (path[0] == '/') {
        return bx_path_normal(path);
    }
    bx_auto(bx_freep) char *cwd = getcwd(NULL, 0); /* allocated by libc with the same malloc */
    bx_auto(bx_freep) char *joined = bx_path_join(cwd ? cwd : "/", path);
    return bx_path_normal(joined);
}

char *bx_path_real(const char *path, struct bx_err *err) {
    char *real = realpath(path, NULL);
    if (!real) {
        bx_fail_errno(err, errno, "%s", path);
    }
    return real;
}

const char *bx_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *bx_path_dir(const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return bx_strdup(".");
    }
    return slash == path ? bx_strdup("/") : bx_strndup(path, (size_t)(slash - path));
}

bool bx_path_is_under(const char *path, const char *dir) {
    size_t n = strlen(dir);
    if (n && dir[n - 1] == '/') { /* the root */
        return strncmp(path, dir, n) == 0;
    }
    return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}
