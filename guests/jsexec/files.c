// Files, as core.js and fs.js see them: absolute paths of the box, errors as Node writes them.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/utf8.h"
#include "jsexec/js.h"

enum { MAX_FILE = 512 << 20 };

char *bx_js_path(const char *base, const char *path) {
    struct bx_buf whole = {0}, out = {0};
    bx_buf_add_fmt(&whole, "%s/%s", path[0] == '/' ? "" : base, path);
    for (const char *at = whole.data; *at;) {
        size_t n = strcspn(at, "/");
        if (n == 2 && strncmp(at, "..", 2) == 0) {
            while (out.len && out.data[--out.len] != '/') {
            }
        } else if (n && !(n == 1 && *at == '.')) {
            bx_buf_add_char(&out, '/');
            bx_buf_add(&out, at, n);
        }
        at += n + (at[n] == '/');
    }
    bx_buf_add(&out, "/", out.len ? 0 : 1);
    out.data[out.len] = '\0';
    bx_buf_deinit(&whole);
    return out.data;
}

static const char *on_disk(const char *path) {
#ifdef BX_GUEST_NATIVE // the test build: the root is the working directory
    return path[1] ? path + 1 : ".";
#else
    return path;
#endif
}

static const char *error_name(int error, const char **words) {
    static const struct {
        int error;
        const char *name, *words;
    } known[] = {{ENOENT, "ENOENT", "no such file or directory"},
                 {EACCES, "EACCES", "permission denied"},
                 {EPERM, "EPERM", "operation not permitted"},
                 {EEXIST, "EEXIST", "file already exists"},
                 {ENOTDIR, "ENOTDIR", "not a directory"},
                 {EISDIR, "EISDIR", "illegal operation on a directory"},
                 {ENOTEMPTY, "ENOTEMPTY", "directory not empty"},
                 {EINVAL, "EINVAL", "invalid argument"},
                 {EROFS, "EROFS", "read-only file system"},
                 {ENOSPC, "ENOSPC", "no space left on device"},
                 {EFBIG, "EFBIG", "file too large"},
                 {ELOOP, "ELOOP", "too many symbolic links encountered"},
                 {ENAMETOOLONG, "ENAMETOOLONG", "name too long"},
                 {EXDEV, "EXDEV", "cross-device link not permitted"},
#ifdef ENOTCAPABLE
                 {ENOTCAPABLE, "EACCES",
                  "permission denied: outside the folders of this call, or read-only"},
#endif
                 {EMFILE, "EMFILE", "too many open files"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].error == error) {
            *words = known[i].words;
            return known[i].name;
        }
    }
    *words = strerror(error);
    return "EIO";
}

static JSValue fail_words(JSContext *ctx, const char *name, const char *words, const char *call,
                          const char *path) {
    JSValue error = JS_NewPlainError(ctx, "%s: %s, %s '%.300s'", name, words, call, path);
    JS_SetPropertyStr(ctx, error, "code", JS_NewString(ctx, name));
    JS_SetPropertyStr(ctx, error, "syscall", JS_NewString(ctx, call));
    JS_SetPropertyStr(ctx, error, "path", JS_NewString(ctx, path));
    return JS_Throw(ctx, error);
}

static JSValue fail_errno(JSContext *ctx, const char *call, const char *path) {
    int error = errno;
    const char *words, *name = error_name(error, &words);
    return fail_words(ctx, name, words, call, path);
}

/* An argument that is a path, absolute; NULL after an exception. The caller's. */
static char *path_of(JSContext *ctx, JSValueConst value) {
    size_t n = 0;
    const char *text = JS_ToCStringLen(ctx, &n, value);
    char *path = NULL;
    if (!text) {
        return NULL;
    }
    if (!n) {
        fail_words(ctx, "ENOENT", "no such file or directory", "open", "");
    } else if (strlen(text) != n) {
        JS_ThrowTypeError(ctx, "The path holds a null byte");
    } else {
        path = bx_js_path(bx_js_of(ctx)->cwd, text);
    }
    JS_FreeCString(ctx, text);
    return path;
}

static bool read_all(int fd, struct bx_buf *ret, size_t size_hint) {
    size_t room = size_hint < 65536 ? 65536 : size_hint + 1;
    for (;;) {
        if (ret->len + room > MAX_FILE) {
            errno = EFBIG;
            return false;
        }
        char *more = realloc(ret->data, ret->len + room + 1);
        if (!more) {
            errno = ENOMEM;
            return false;
        }
        ret->data = more;
        ret->cap = ret->len + room + 1;
        ssize_t n = bx_file_read(fd, ret->data + ret->len, room);
        if (n < 0) {
            return false;
        }
        ret->len += (size_t)n;
        ret->data[ret->len] = '\0';
        if ((size_t)n < room) {
            return true;
        }
        room = ret->len;
    }
}

bool bx_js_load(JSContext *ctx, const char *path, struct bx_buf *ret) {
    struct stat st;
    *ret = (struct bx_buf){0};
    if (stat(on_disk(path), &st) != 0) {
        fail_errno(ctx, "open", path);
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        fail_words(ctx, "EISDIR", "illegal operation on a directory", "read", path);
        return false;
    }
    if (bx_file_oddity(st.st_mode)) { // opening it could wait for ever
        fail_words(ctx, "EINVAL", "not a plain file", "open", path);
        return false;
    }
    int fd = open(on_disk(path), O_RDONLY);
    bool is_good = fd >= 0 && read_all(fd, ret, (size_t)(st.st_size > 0 ? st.st_size : 0));
    if (!is_good) {
        if (errno == ENOMEM) {
            JS_ThrowOutOfMemory(ctx);
        } else {
            fail_errno(ctx, fd < 0 ? "open" : "read", path);
        }
        free(ret->data);
        *ret = (struct bx_buf){0};
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_good;
}

/* How the engine resizes bytes that are ours, and gives them back (size 0). */
static void *resize_bytes(JSRuntime *rt, void *opaque, void *bytes, size_t size) {
    (void)rt;
    (void)opaque;
    if (!size) {
        free(bytes);
        return NULL;
    }
    return realloc(bytes, size);
}

static JSValue bytes_value(JSContext *ctx, struct bx_buf *take) {
    return JS_NewUint8Array(ctx, (uint8_t *)take->data, take->len, resize_bytes, NULL, false);
}

static JSValue js_read(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    struct bx_buf bytes;
    char *path = path_of(ctx, argv[0]);
    JSValue result =
        path && bx_js_load(ctx, path, &bytes) ? bytes_value(ctx, &bytes) : JS_EXCEPTION;
    free(path);
    return result;
}

static JSValue js_stdin(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    (void)argv;
    struct bx_buf bytes = {0};
    if (bx_js_of(ctx)->is_live && !read_all(STDIN_FILENO, &bytes, 0)) {
        return fail_errno(ctx, "read", "/dev/stdin");
    }
    bx_buf_add(&bytes, "", 0);
    return bytes_value(ctx, &bytes);
}

/* path, bytes, "w" | "a" | "x" */
static JSValue js_put(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    size_t n = 0;
    struct stat st;
    const uint8_t *bytes = JS_GetUint8Array(ctx, &n, argv[1]);
    const char *mode = JS_ToCString(ctx, argv[2]);
    char *path = bytes && mode ? path_of(ctx, argv[0]) : NULL;
    JSValue result = path ? JS_UNDEFINED : JS_EXCEPTION;
    if (path && stat(on_disk(path), &st) == 0 && !S_ISDIR(st.st_mode) &&
        bx_file_oddity(st.st_mode)) {
        result = fail_words(ctx, "EINVAL", "not a plain file", "open", path);
    } else if (path) {
        int flags = O_WRONLY | O_CREAT |
                    (*mode == 'a'   ? O_APPEND
                     : *mode == 'x' ? O_EXCL
                                    : O_TRUNC);
        int fd = open(on_disk(path), flags, 0666);
        bool is_good = fd >= 0;
        for (size_t at = 0; is_good && at < n;) {
            ssize_t done = write(fd, bytes + at, n - at);
            is_good = done > 0 || (done < 0 && errno == EINTR);
            at += done > 0 ? (size_t)done : 0;
        }
        if (!is_good) {
            result = fail_errno(ctx, fd < 0 ? "open" : "write", path);
        }
        if (fd >= 0 && close(fd) != 0 && is_good) {
            result = fail_errno(ctx, "close", path);
        }
    }
    JS_FreeCString(ctx, mode);
    free(path);
    return result;
}

static int type_of(mode_t mode) {
    return S_ISREG(mode) ? 0 : S_ISDIR(mode) ? 1 : S_ISLNK(mode) ? 2 : S_ISFIFO(mode) ? 3 : 4;
}

/* path, follow -> [type, size, mtime, atime, ctime, inode, links] */
static JSValue js_stat(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    struct stat st;
    char *path = path_of(ctx, argv[0]);
    bool follows = JS_ToBool(ctx, argv[1]) == 1;
    if (!path) {
        return JS_EXCEPTION;
    }
    if ((follows ? stat : lstat)(on_disk(path), &st) != 0) {
        JSValue error = fail_errno(ctx, follows ? "stat" : "lstat", path);
        free(path);
        return error;
    }
    free(path);
    const double values[] = {type_of(st.st_mode),
                             (double)st.st_size,
                             (double)st.st_mtim.tv_sec * 1e3 + (double)st.st_mtim.tv_nsec / 1e6,
                             (double)st.st_atim.tv_sec * 1e3 + (double)st.st_atim.tv_nsec / 1e6,
                             (double)st.st_ctim.tv_sec * 1e3 + (double)st.st_ctim.tv_nsec / 1e6,
                             (double)st.st_ino,
                             (double)st.st_nlink};
    JSValue list = JS_NewArray(ctx);
    for (uint32_t i = 0; i < sizeof values / sizeof *values; i++) {
        JS_SetPropertyUint32(ctx, list, i, JS_NewNumber(ctx, values[i]));
    }
    return list;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* path -> [[name, type], …], by name */
static JSValue js_list(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    char *path = path_of(ctx, argv[0]), **names = NULL;
    size_t count = 0, room = 0;
    DIR *dir = path ? opendir(on_disk(path)) : NULL;
    if (!dir) {
        JSValue error = path ? fail_errno(ctx, "scandir", path) : JS_EXCEPTION;
        free(path);
        return error;
    }
    for (struct dirent *e; (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (count == room) {
            room = room ? room * 2 : 64;
            names = bx_realloc(names, room * sizeof *names);
        }
        names[count++] = bx_strndup(e->d_name, strlen(e->d_name));
    }
    closedir(dir);
    if (count) {
        qsort(names, count, sizeof *names, by_name);
    }
    JSValue list = JS_NewArray(ctx);
    for (size_t i = 0; i < count; i++) {
        struct stat st = {0};
        char *whole = bx_js_path(path, names[i]);
        JSValue pair = JS_NewArray(ctx);
        int type = lstat(on_disk(whole), &st) == 0 ? type_of(st.st_mode) : 4;
        JS_SetPropertyUint32(ctx, pair, 0, JS_NewString(ctx, names[i]));
        JS_SetPropertyUint32(ctx, pair, 1, JS_NewInt32(ctx, type));
        JS_SetPropertyUint32(ctx, list, (uint32_t)i, pair);
        free(whole);
        free(names[i]);
    }
    free(names);
    free(path);
    return list;
}

enum change { MKDIR, UNLINK, RMDIR };

static JSValue js_change(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv,
                         int which) {
    static const char *const calls[] = {"mkdir", "unlink", "rmdir"};
    (void)self;
    (void)argc;
    char *path = path_of(ctx, argv[0]);
    if (!path) {
        return JS_EXCEPTION;
    }
    const char *disk = on_disk(path);
    int r = which == MKDIR ? mkdir(disk, 0777) : which == UNLINK ? unlink(disk) : rmdir(disk);
    JSValue result = r == 0 ? JS_UNDEFINED : fail_errno(ctx, calls[which], path);
    free(path);
    return result;
}

static JSValue js_rename(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    char *from = path_of(ctx, argv[0]), *to = from ? path_of(ctx, argv[1]) : NULL;
    JSValue result = !to                                       ? JS_EXCEPTION
                     : rename(on_disk(from), on_disk(to)) == 0 ? JS_UNDEFINED
                                                               : fail_errno(ctx, "rename", from);
    free(from);
    free(to);
    return result;
}

static JSValue js_symlink(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    const char *target = JS_ToCString(ctx, argv[0]);
    char *path = target ? path_of(ctx, argv[1]) : NULL;
    JSValue result = !path                                 ? JS_EXCEPTION
                     : symlink(target, on_disk(path)) == 0 ? JS_UNDEFINED
                                                           : fail_errno(ctx, "symlink", path);
    JS_FreeCString(ctx, target);
    free(path);
    return result;
}

static JSValue js_readlink(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self;
    (void)argc;
    char target[4096], *path = path_of(ctx, argv[0]);
    ssize_t n = path ? readlink(on_disk(path), target, sizeof target) : -1;
    JSValue result = n >= 0  ? JS_NewStringLen(ctx, target, (size_t)n)
                     : !path ? JS_EXCEPTION
                             : fail_errno(ctx, "readlink", path);
    free(path);
    return result;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("read", 1, js_read),
    JS_CFUNC_DEF("stdin", 0, js_stdin),
    JS_CFUNC_DEF("put", 3, js_put),
    JS_CFUNC_DEF("stat", 2, js_stat),
    JS_CFUNC_DEF("list", 1, js_list),
    JS_CFUNC_MAGIC_DEF("mkdir", 1, js_change, MKDIR),
    JS_CFUNC_MAGIC_DEF("unlink", 1, js_change, UNLINK),
    JS_CFUNC_MAGIC_DEF("rmdir", 1, js_change, RMDIR),
    JS_CFUNC_DEF("rename", 2, js_rename),
    JS_CFUNC_DEF("symlink", 2, js_symlink),
    JS_CFUNC_DEF("readlink", 1, js_readlink),
};

void bx_js_add_files(struct bx_js *js, JSValue native) {
    JS_SetPropertyFunctionList(js->ctx, native, functions, sizeof functions / sizeof *functions);
}
