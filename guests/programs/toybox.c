// toybox.c - what toybox asks of its system and the box does not have, and its functions that are
// replaced (port.h makes them weak): they would start processes with pipes, or walk folders
// upwards.
#define BX_PORT_SELF
#include "common/port.h"

#include <stdbool.h>
#include <wasi/api.h>

#include "common/start.h"
#pragma clang diagnostic ignored "-Wunused-parameter"
#pragma clang diagnostic ignored "-Wmissing-prototypes"

char bx_port_obuf[32768];
void error_msg(char *, ...), perror_msg(char *, ...), xexit(void);
long long gzip_fd(int, int), gunzip_fd(int, int);
extern struct {
    void *which;
    char **argv, **optargs;
    unsigned long long optflags;
    int optc;
    short toycount;
    char exitval, wasroot;
} toys;

// env: the command is looked up by the host
struct string_list {
    struct string_list *next;
    char str[];
} * bx_port_find_in_path(char *path, char *name) {
    struct string_list *one = malloc(sizeof *one + strlen(name) + 1);
    one->next = NULL;
    strcpy(one->str, name);
    return one;
}

// clang-format off
#define NONE(type, name, args) type name args { errno = ENOSYS; return (type)-1; }
#define NULLP(type, name, args) type name args { errno = ENOSYS; return NULL; }
NONE(int, statfs, (const char *p, void *s))
NONE(int, fstatfs, (int f, void *s))
NONE(ssize_t, getxattr, (const char *a, const char *b, void *c, size_t d))
NONE(ssize_t, lgetxattr, (const char *a, const char *b, void *c, size_t d))
NONE(ssize_t, fgetxattr, (int a, const char *b, void *c, size_t d))
NONE(ssize_t, listxattr, (const char *a, char *c, size_t d))
NONE(ssize_t, llistxattr, (const char *a, char *c, size_t d))
NONE(ssize_t, flistxattr, (int a, char *c, size_t d))
NONE(int, setxattr, (const char *a, const char *b, const void *c, size_t d, int e))
NONE(int, lsetxattr, (const char *a, const char *b, const void *c, size_t d, int e))
NONE(int, fsetxattr, (int a, const char *b, const void *c, size_t d, int e))
NONE(int, inotify_init, (void))
NONE(int, inotify_add_watch, (int a, const char *b, unsigned c))
NULLP(FILE *, setmntent, (const char *a, const char *b))
NULLP(void *, getmntent, (FILE *f))
NONE(int, endmntent, (FILE *f))
NULLP(void *, gethostbyname, (const char *n))
const char *hstrerror(int e) { return "no network"; }
int *__h_errno_location(void) { static int e; return &e; }
// clang-format on

void _xexit(void) {
    bx_port_exit((unsigned char)toys.exitval);
}

void xexec(char **argv) {
    execvp(argv[0], argv); // comes back only when there is no such command
    int missing = errno == ENOENT;
    perror_msg("exec %s", *argv);
    toys.exitval = missing ? 127 : 126;
    xexit();
}

int xnotstdio(int fd) {
    return fd;
}

void xgetrandom(void *bytes, unsigned n) {
    (void)!__wasi_random_get(bytes, n);
}

// A child with pipes can only be one of the (de)compressors that tar asks for. They run here,
// through a temporary file; the compressor at the end.
static int gzip_in = -1, gzip_out = -1;

void bx_port_at_end(void) {
    int in = gzip_in, out = gzip_out;
    gzip_in = -1;
    if (in >= 0) {
        lseek(in, 0, SEEK_SET);
        gzip_fd(in, out);
        fflush(stdout);
    }
}

static int nameless(void) {
    FILE *file = tmpfile();
    if (!file) {
        perror_msg("no temporary file");
        xexit();
    }
    return fileno(file);
}

pid_t xpopen_setup(char **argv, int *pipes, void (*callback)(char **)) {
    if (!pipes && argv) {
        return bx_port_spawn(argv);
    }
    char *slash = argv ? strrchr(*argv, '/') : NULL, *name = slash ? slash + 1 : argv ? *argv : "";
    if (pipes && pipes[0] != -1 && pipes[1] == -1 &&
        (!strcmp(name, "zcat") || (!strcmp(name, "gzip") && argv[1]))) {
        int fd = nameless();
        gunzip_fd(pipes[0], fd);
        lseek(fd, 0, SEEK_SET);
        pipes[1] = fd;
        dup(pipes[0]); // the caller closes its end
        return bx_port_done(0);
    }
    if (pipes && pipes[0] == -1 && pipes[1] != -1 && !strcmp(name, "gzip")) {
        gzip_in = nameless();
        gzip_out = pipes[1];
        dup(gzip_out);
        pipes[0] = gzip_in;
        return bx_port_done(0);
    }
    error_msg("cannot pipe through %s", *name ? name : "a process of its own");
    toys.exitval = 1;
    xexit();
    return -1;
}

static bool add_component(char *out, size_t size, const char *name, size_t n) {
    size_t len = strlen(out);
    if (n == 1 && *name == '.') {
        return true;
    }
    if (n == 2 && !memcmp(name, "..", 2)) {
        char *slash = strrchr(out, '/');
        if (slash) {
            *slash = 0;
        }
        return true;
    }
    return snprintf(out + len, size - len, "/%.*s", (int)n, name) < (int)(size - len);
}

// A canonical path by names (toybox walks ".." by openat). Flags: 1 PATH must exist, 2 FILE too, 4
// KEEP links, 8 LAST link.
char *xabspath(char *path, int flags) {
    enum { SIZE = 8192 };
    static char out[SIZE], rest[SIZE], link[SIZE], joined[SIZE];
    int links = 64;
    char *dir = getcwd(NULL, 0);
    struct stat st;
    *out = 0;
    if (snprintf(rest, SIZE, "%s/%s", *path == '/' ? "" : dir, path) >= SIZE) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    free(dir);
    for (char *at = rest;;) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/"), before = strlen(out);
        if (!n) {
            break;
        }
        bool is_last = !at[n + strspn(at + n, "/")];
        if (!add_component(out, SIZE, at, n)) {
            errno = ENAMETOOLONG;
            return NULL;
        }
        at += n;
        if (strlen(out) <= before) {
            continue;
        }
        if (bx_port_lstat(out, &st)) {
            if (is_last ? flags & 2 : flags & 3) {
                return NULL;
            }
        } else if (S_ISLNK(st.st_mode) && !(flags & 4) && !(is_last && (flags & 8))) {
            ssize_t len = links-- ? readlink(out, link, SIZE - 1) : -1;
            if (len < 0 || snprintf(joined, SIZE, "%.*s/%s", (int)len, link, at) >= SIZE) {
                errno = ELOOP;
                return NULL;
            }
            memcpy(rest, joined, SIZE);
            at = rest;
            out[*link == '/' ? 0 : before] = 0;
        } else if (!is_last && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode) && (flags & 3)) {
            errno = ENOTDIR;
            return NULL;
        }
    }
    return strdup(*out ? out : "/");
}
