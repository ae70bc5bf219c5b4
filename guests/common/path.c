#include "common/path.h"

#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"

enum { MAX_PATH_BYTES = 4096 };

char *bx_path_parse(const char *text, size_t len, const char **ret_why) {
    if (len >= MAX_PATH_BYTES) {
        *ret_why = "is too long to be a path";
        return NULL;
    }
    if (memchr(text, '\0', len)) {
        *ret_why = "has a NUL character, which no path can have";
        return NULL;
    }
    char *out = bx_alloc(len + 2);
    size_t n = 0;
    for (const char *at = text, *end = text + len; at < end;) {
        const char *slash = memchr(at, '/', (size_t)(end - at));
        size_t part = (size_t)((slash ? slash : end) - at);
        if (part == 2 && at[0] == '.' && at[1] == '.') {
            if (!n) {
                *ret_why =
                    "leads out of the root with \"..\"; only files below the root can be used";
                return NULL;
            }
            while (n && out[--n] != '/') {
            }
        } else if (part && !(part == 1 && at[0] == '.')) {
            if (n) {
                out[n++] = '/';
            }
            memcpy(out + n, at, part);
            n += part;
        }
        at += part + 1;
    }
    if (!n) {
        out[n++] = '.';
    }
    out[n] = '\0';
    return out;
}

char *bx_path_join(const char *dir, const char *name) {
    struct bx_buf out = {0};
    if (strcmp(dir, ".") != 0) {
        bx_buf_add_str(&out, dir);
        bx_buf_add_char(&out, '/');
    }
    bx_buf_add_str(&out, name);
    return out.data;
}

char *bx_path_dir(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? bx_strndup(path, (size_t)(slash - path)) : bx_strndup(".", 1);
}

const char *bx_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool bx_path_is_text(const char *path) {
    return bx_utf8_valid(path, strlen(path));
}

static bool is_odd(const char *path, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c < 0x20 || c == 0x7F || c == '"') {
            return true;
        }
    }
    return !bx_utf8_valid(path, len);
}

void bx_path_put(struct bx_buf *out, const char *path) {
    size_t len = strlen(path);
    if (!is_odd(path, len)) {
        bx_buf_add(out, path, len);
        return;
    }
    bx_buf_add_char(out, '"');
    for (size_t i = 0; i < len;) {
        unsigned char c = (unsigned char)path[i];
        size_t n = bx_utf8_length(path + i, len - i);
        if (c == '\n' || c == '\t') {
            bx_buf_add_str(out, c == '\n' ? "\\n" : "\\t");
        } else if (c == '"' || c == '\\') {
            bx_buf_add_fmt(out, "\\%c", c);
        } else if (!n || c < 0x20 || c == 0x7F) {
            bx_buf_add_fmt(out, "\\x%02x", c);
        } else {
            bx_buf_add(out, path + i, n);
        }
        i += n ? n : 1;
    }
    bx_buf_add_char(out, '"');
}

const char *bx_path_show(const char *path) {
    struct bx_buf out = {0};
    bx_path_put(&out, path);
    return out.data ? out.data : "";
}
