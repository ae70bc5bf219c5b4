// unix.c - the Unix calls that wasi-libc does not have, for programs of others (common/port.h).
// There is one user, no signal arrives, nothing has owners or permission bits, the time is UTC.
#define BX_PORT_SELF
#include "common/port.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <wasi/api.h>
#include <wasi/libc.h>

#include "common/start.h"

enum { MAX_FILES = 1024, BUFFER_BYTES = 32768, USER = 1000 };

static int refuse(void) {
    errno = ENOSYS;
    return -1;
}

// --- files: O_RDONLY is not 0 here, and unknown bits are errors

enum {
    KNOWN_FLAGS = O_RDWR | O_EXEC | O_SEARCH | O_CREAT | O_DIRECTORY | O_EXCL | O_TRUNC | O_APPEND |
                  O_NONBLOCK | O_NOFOLLOW
};

static unsigned char shared[MAX_FILES]; // dup()s of a file, which have its number
static enum { FILE_REAL, FILE_NULL, FILE_ZERO, FILE_RANDOM } kinds[MAX_FILES];
static char *dirs[MAX_FILES]; // the names of opened folders, for fchdir()

static int flags_of(int flags) {
    flags &= KNOWN_FLAGS;
    return flags & O_ACCMODE ? flags : flags | O_RDONLY;
}

static int device_of(const char *path) {
    static const char *const names[] = {
        [FILE_NULL] = "/dev/null", [FILE_ZERO] = "/dev/zero", [FILE_RANDOM] = "/dev/urandom"};
    for (int kind = FILE_NULL; kind <= FILE_RANDOM; kind++) {
        if (!strcmp(path, names[kind])) {
            return kind;
        }
    }
    return strcmp(path, "/dev/random") ? FILE_REAL : FILE_RANDOM;
}

// The files of /dev, which the box does not have: the root folder's number stands for a device
static int open_device(const char *path) {
    static const char *const standard[][2] = {
        {"/dev/stdin", "/dev/fd/0"}, {"/dev/stdout", "/dev/fd/1"}, {"/dev/stderr", "/dev/fd/2"}};
    for (int fd = 0; fd < 3; fd++) {
        if (!strcmp(path, standard[fd][0]) || !strcmp(path, standard[fd][1])) {
            return dup(fd);
        }
    }
    int kind = device_of(path), fd = kind ? open("/", O_RDONLY | O_DIRECTORY) : -1;
    if (fd < 0 || fd >= MAX_FILES) {
        errno = ENOENT;
        return -1;
    }
    kinds[fd] = kind;
    return fd;
}

static void note_dir(int fd, int at, const char *path) {
    struct stat st;
    if (fd < 0 || fd >= MAX_FILES) {
        return;
    }
    free(dirs[fd]);
    dirs[fd] = NULL;
    if (fstat(fd, &st) || !S_ISDIR(st.st_mode)) {
        return;
    }
    char *base = *path == '/'                 ? strdup("")
                 : at == AT_FDCWD             ? getcwd(NULL, 0)
                 : at < MAX_FILES && dirs[at] ? strdup(dirs[at])
                                              : NULL;
    if (base && asprintf(&dirs[fd], "%s/%s", base, strcmp(path, ".") ? path : "") < 0) {
        dirs[fd] = NULL;
    }
    free(base);
}

int fchdir(int fd) {
    return fd < 0 || fd >= MAX_FILES || !dirs[fd] ? refuse() : chdir(dirs[fd]);
}

// A pipe or device of the machine: to open it could wait for ever, and the host's thread with it
static bool may_wait(int at, const char *path) {
    struct stat st;
    if (fstatat(at, path, &st, 0) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
        return false;
    }
    errno = ENXIO;
    return true;
}

int bx_port_open(const char *path, int flags, ...) {
    if (!strncmp(path, "/dev/", 5)) {
        int fd = open_device(path);
        if (fd >= 0) {
            return fd;
        }
    }
    if (may_wait(AT_FDCWD, path)) {
        return -1;
    }
    int fd = open(path, flags_of(flags), 0666);
    if (!(flags & (O_WRONLY | O_CREAT))) {
        note_dir(fd, AT_FDCWD, path);
    }
    return fd;
}

int bx_port_openat(int at, const char *path, int flags, ...) {
    if (at == AT_FDCWD || *path == '/') {
        return bx_port_open(path, flags);
    }
    if (may_wait(at, path)) {
        return -1;
    }
    int fd = openat(at, path, flags_of(flags), 0666);
    if (!(flags & (O_WRONLY | O_CREAT))) {
        note_dir(fd, at, path);
    }
    return fd;
}

ssize_t bx_port_read(int fd, void *bytes, size_t n) {
    int kind = fd >= 0 && fd < MAX_FILES ? kinds[fd] : FILE_REAL;
    if (kind == FILE_REAL) {
        return read(fd, bytes, n);
    }
    if (kind == FILE_NULL) {
        return 0;
    }
    if (kind == FILE_ZERO) {
        memset(bytes, 0, n);
    } else if (__wasi_random_get(bytes, n)) {
        return refuse();
    }
    return (ssize_t)n;
}

ssize_t bx_port_write(int fd, const void *bytes, size_t n) {
    if (fd == 1) {
        return fwrite(bytes, 1, n, stdout) == n ? (ssize_t)n : -1;
    }
    if (fd == 2) {
        fflush(stdout);
    }
    if (fd >= 0 && fd < MAX_FILES && kinds[fd]) {
        return (ssize_t)n;
    }
    ssize_t r = write(fd, bytes, n);
    if (r < 0 && errno == EPIPE) {
        bx_port_exit(141);
    }
    return r;
}

static ssize_t device_read(void *cookie, char *bytes, size_t n) {
    return bx_port_read((int)(intptr_t)cookie, bytes, n);
}
static ssize_t device_write(void *cookie, const char *bytes, size_t n) {
    (void)cookie, (void)bytes;
    return (ssize_t)n;
}

static FILE *with_buffer(FILE *file) {
    if (file) {
        setvbuf(file, malloc(BUFFER_BYTES), _IOFBF, BUFFER_BYTES);
    }
    return file;
}

FILE *bx_port_fdopen(int fd, const char *mode) {
    if (fd >= 0 && fd < MAX_FILES && kinds[fd]) {
        return fopencookie((void *)(intptr_t)fd, mode,
                           (cookie_io_functions_t){.read = device_read, .write = device_write});
    }
    return with_buffer(fdopen(fd, mode));
}

FILE *bx_port_fopen(const char *path, const char *mode) {
    if (!strncmp(path, "/dev/", 5)) {
        int fd = open_device(path);
        if (fd >= 0) {
            return fd == 1 ? stdout : fd == 2 ? stderr : bx_port_fdopen(fd, mode);
        }
    }
    return may_wait(AT_FDCWD, path) ? NULL : with_buffer(fopen(path, mode));
}

int bx_port_close(int fd) {
    if (fd >= 0 && fd < MAX_FILES) {
        if (fd == 1) {
            fflush(stdout);
        }
        if (shared[fd]) {
            shared[fd]--;
            return 0;
        }
        kinds[fd] = FILE_REAL;
    }
    return close(fd);
}

// A folder is opened again; a file is shared under its number
int dup(int fd) {
    struct stat st;
    if (fstat(fd, &st)) {
        return -1;
    }
    if (S_ISDIR(st.st_mode)) {
        return openat(fd, ".", O_RDONLY | O_DIRECTORY);
    }
    if (fd < MAX_FILES) {
        shared[fd]++;
    }
    return fd;
}

int bx_port_move(int from, int to) {
    __wasi_errno_t e = __wasi_fd_renumber((__wasi_fd_t)from, (__wasi_fd_t)to);
    if (e) {
        errno = e;
        return -1;
    }
    if (from < MAX_FILES && to < MAX_FILES) {
        kinds[to] = kinds[from];
        kinds[from] = FILE_REAL;
    }
    return to;
}

int dup2(int from, int to) {
    return from == to ? to : bx_port_move(from, to);
}

int bx_port_fcntl(int fd, int command, ...) {
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        return dup(fd);
    }
    return command == F_GETFL ? fcntl(fd, command) : 0;
}

static int complete(int r, struct stat *st) {
    if (r) {
        return r;
    }
    if (!(st->st_mode & 07777)) {
        st->st_mode |= S_ISDIR(st->st_mode)   ? 0755
                       : S_ISLNK(st->st_mode) ? 0777
                       : S_ISCHR(st->st_mode) ? 0666
                                              : 0644;
    }
    st->st_nlink = st->st_nlink ? st->st_nlink : 1;
    st->st_blksize = 4096;
    st->st_blocks = (st->st_size + 4095) / 4096 * 8;
    st->st_uid = st->st_gid = USER;
    return 0;
}

static int stat_device(const char *path, struct stat *st) {
    if (!device_of(path)) {
        return -1;
    }
    memset(st, 0, sizeof *st);
    st->st_mode = S_IFCHR;
    return 0;
}

int bx_port_stat(const char *path, struct stat *st) {
    int r = stat(path, st);
    return complete(r ? stat_device(path, st) : r, st);
}
int bx_port_lstat(const char *path, struct stat *st) {
    int r = lstat(path, st);
    return complete(r ? stat_device(path, st) : r, st);
}
int bx_port_fstat(int fd, struct stat *st) {
    return complete(fstat(fd, st), st);
}
int bx_port_fstatat(int at, const char *path, struct stat *st, int flags) {
    if (at >= 0 && !strcmp(path, "..")) { // may not leave a folder that was opened
        path = ".";
    }
    return complete(fstatat(at, path, st, flags & AT_SYMLINK_NOFOLLOW), st);
}

// Changing modes and owners succeeds when the file is there
int bx_port_chmod(const char *path, mode_t mode) {
    struct stat st;
    (void)mode;
    return stat(path, &st);
}
int bx_port_fchmod(int fd, mode_t mode) {
    struct stat st;
    (void)mode;
    return fstat(fd, &st);
}
int bx_port_fchmodat(int at, const char *path, mode_t mode, int flags) {
    struct stat st;
    (void)mode;
    return bx_port_fstatat(at, path, &st, flags & AT_SYMLINK_NOFOLLOW);
}
int chown(const char *path, uid_t user, gid_t group) {
    (void)user, (void)group;
    return bx_port_chmod(path, 0);
}
int lchown(const char *path, uid_t user, gid_t group) {
    struct stat st;
    (void)user, (void)group;
    return lstat(path, &st);
}
int fchown(int fd, uid_t user, gid_t group) {
    (void)user, (void)group;
    return bx_port_fchmod(fd, 0);
}
int fchownat(int at, const char *path, uid_t user, gid_t group, int flags) {
    (void)user, (void)group;
    return bx_port_fchmodat(at, path, 0, flags);
}
mode_t umask(mode_t mask) {
    static mode_t current = 022;
    mode_t old = current;
    current = mask & 0777;
    return old;
}

// --- temporary files

static int make_name(char *name, size_t suffix, bool is_dir) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(name) - suffix;
    unsigned char random[6];
    if (n < 6 || memcmp(name + n - 6, "XXXXXX", 6)) {
        errno = EINVAL;
        return -1;
    }
    for (int tries = 0; tries < 100; tries++) {
        if (__wasi_random_get(random, sizeof random)) {
            return refuse();
        }
        for (size_t i = 0; i < 6; i++) {
            name[n - 6 + i] = letters[random[i] % 62];
        }
        int fd = is_dir ? mkdir(name, 0700) : open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}
int mkstemp(char *name) {
    return make_name(name, 0, false);
}
int mkostemp(char *name, int flags) {
    (void)flags;
    return make_name(name, 0, false);
}
int mkstemps(char *name, int suffix) {
    return make_name(name, (size_t)suffix, false);
}
char *mkdtemp(char *name) {
    return make_name(name, 0, true) < 0 ? NULL : name;
}
char *mktemp(char *name) {
    int fd = make_name(name, 0, false);
    if (fd < 0) {
        *name = 0;
        return name;
    }
    close(fd);
    unlink(name);
    return name;
}
FILE *tmpfile(void) {
    char name[40] = "/tmp/.tmpXXXXXX";
    int fd = mkstemp(name);
    if (fd < 0) { // no /tmp
        fd = mkstemp(strcpy(name, ".tmpXXXXXX"));
    }
    if (fd < 0) {
        return NULL;
    }
    unlink(name);
    return fdopen(fd, "w+");
}

// Of a file or of nothing: private memory
void *bx_port_mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset) {
    char *copy = aligned_alloc(16, (len + 15) & ~(size_t)15);
    size_t n = 0;
    ssize_t r;
    (void)at, (void)protection;
    if (!copy) {
        return MAP_FAILED;
    }
    memset(copy, 0, len);
    while (!(flags & MAP_ANONYMOUS) && n < len &&
           (r = pread(fd, copy + n, len - n, offset + (off_t)n)) > 0) {
        n += (size_t)r;
    }
    return copy;
}
int bx_port_munmap(void *at, size_t len) {
    (void)len;
    free(at);
    return 0;
}
