#include "base/path.h"

char *bx_path_join(const char *dir, const char *name) {
    if (name[0] == '/' || dir[0] == '\0') {
        return bx_strdup(name);
    }
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/') {
        n--;
    }
    return bx_asprintf("%.*s%s%s", (int)n, dir, dir[n - 1] == '/' ? "" : "/", name);
}

char *bx_path_normal(const char *path) {
    bool absolute = path[0] == '/';
    struct bx_buf out = BX_BUF_INIT(strlen(path) + 2);
    size_t names = 0; /* that a ".." can take back */
    struct bx_str rest = bx_str(path), part;
    if (absolute) {
        bx_buf_addc(&out, '/');
    }
    while (bx_str_split(&rest, '/', &part)) {
        if (part.n == 0 || bx_str_eqz(part, ".")) {
            continue;
        }
        bool up = bx_str_eqz(part, "..");
        if (up && names > 0) {
            size_t at = out.size;
            while (at > 0 && out.p[at - 1] != '/') {
                at--;
            }
            bx_buf_cut(&out, at > 1 ? at - 1 : at);
            names--;
            continue;
        }
        if (up && absolute) {
            continue;
        }
        if (out.size > 0 && out.p[out.size - 1] != '/') {
            bx_buf_addc(&out, '/');
        }
        bx_buf_adds(&out, part);
        names += !up;
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
    char *cwd = getcwd(NULL, 0);
    if (!cwd) {
        bx_die("the current folder is gone");
    }
    bx_auto(bx_freep) char *joined = bx_path_join(cwd, path);
    bx_free(cwd);
    return bx_path_normal(joined);
}

char *bx_path_real(const char *path, struct bx_err *err) {
    char *real = realpath(path, NULL);
    if (!real) {
        bx_fail_errno(err, errno, "'%s'", path);
    }
    return real;
}

const char *bx_path_base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *bx_path_dir(const char *path) {
    size_t n = (size_t)(bx_path_base(path) - path);
    if (n == 0) {
        return bx_strdup(".");
    }
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    return bx_strndup(path, n);
}

bool bx_path_is_under(const char *path, const char *dir) {
    size_t n = strlen(dir);
    if (strncmp(path, dir, n) != 0) {
        return false;
    }
    return path[n] == '\0' || path[n] == '/' || (n > 0 && dir[n - 1] == '/');
}
