// The shell's own descriptors, and messages.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bash/sh.h"
#include "common/process.h"

enum { READ_AHEAD = 32768 };

struct sh_io *sh_io_new(enum sh_io_kind kind) {
    struct sh_io *io = bx_alloc(sizeof *io);
    *io = (struct sh_io){.kind = kind, .refs = 1, .fd = -1};
    return io;
}

struct sh_io *sh_io_ref(struct sh_io *io) {
    if (io) {
        io->refs++;
    }
    return io;
}

void sh_io_unref(struct sh_io *io) {
    if (!io || --io->refs) {
        return;
    }
    if (io->kind == SH_IO_PIPE) {
        bxp_close(io->number, io->is_writer ? BXP_WRITE_END : BXP_READ_END);
    } else if (io->fd >= 0) {
        close(io->fd);
    }
    free(io->path);
    bx_buf_deinit(&io->buf);
    free(io);
}

void sh_fd_set(struct sh *sh, int fd, struct sh_io *take_io) {
    struct sh_io *before = sh->fds[fd];
    sh->fds[fd] = take_io;
    sh_io_unref(before);
}

static int write_all(int fd, const char *bytes, size_t n) {
    while (n) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -errno;
        }
        bytes += done;
        n -= (size_t)done;
    }
    return 0;
}

int sh_write(struct sh *sh, int fd, const char *bytes, size_t n) {
    struct sh_io *io = fd >= 0 && fd < SH_FDS ? sh->fds[fd] : NULL;
    if (!io) {
        return -EBADF;
    }
    switch (io->kind) {
    case SH_IO_NULL:
        return 0;
    case SH_IO_STD:
        return write_all(io->number, bytes, n);
    case SH_IO_PIPE: {
        int32_t done = io->is_writer ? bxp_write(io->number, bytes, (uint32_t)n) : -EBADF;
        return done < 0 ? done : 0;
    }
    case SH_IO_FILE:
        return io->is_writer ? write_all(io->fd, bytes, n) : -EBADF;
    case SH_IO_CAPTURE:
        bx_buf_add(&io->buf, bytes, n);
        return 0;
    case SH_IO_TEXT:
        break;
    }
    return -EBADF;
}

static ssize_t read_raw(struct sh_io *io, char *bytes, size_t n) {
    ssize_t got;
    switch (io->kind) {
    case SH_IO_STD:
        do {
            got = read(io->number, bytes, n);
        } while (got < 0 && errno == EINTR);
        return got < 0 ? -errno : got;
    case SH_IO_PIPE:
        return io->is_writer ? -EBADF : bxp_read(io->number, bytes, (uint32_t)n);
    case SH_IO_FILE:
        got = pread(io->fd, bytes, n, io->at);
        if (got < 0 && errno == ESPIPE) {
            got = read(io->fd, bytes, n);
        }
        if (got > 0) {
            io->at += got;
        }
        return got < 0 ? -errno : got;
    default:
        return 0;
    }
}

// Everything that can be had is in buf: a file (whose place is known) and a pipe that is ours alone
// are read in blocks.
ssize_t sh_read(struct sh *sh, int fd, char *bytes, size_t n) {
    struct sh_io *io = fd >= 0 && fd < SH_FDS ? sh->fds[fd] : NULL;
    if (!io || (io->kind == SH_IO_FILE && io->is_writer && io->at < 0)) {
        return -EBADF;
    }
    bool ahead = io->kind == SH_IO_FILE || io->reads_ahead;
    if (io->kind == SH_IO_NULL || io->kind == SH_IO_CAPTURE) {
        return 0;
    }
    if (io->buf_at == io->buf.len && io->kind != SH_IO_TEXT) {
        if (!ahead || n >= READ_AHEAD) {
            return read_raw(io, bytes, n);
        }
        bx_buf_reset(&io->buf);
        io->buf_at = 0;
        bx_buf_reserve(&io->buf, READ_AHEAD);
        ssize_t got = read_raw(io, io->buf.data, READ_AHEAD);
        if (got <= 0) {
            return got;
        }
        io->buf.len = (size_t)got;
    }
    size_t left = io->buf.len - io->buf_at;
    n = n < left ? n : left;
    if (n) {
        memcpy(bytes, io->buf.data + io->buf_at, n);
    }
    io->buf_at += n;
    return (ssize_t)n;
}

int sh_read_char(struct sh *sh, int fd) {
    struct sh_io *io = fd >= 0 && fd < SH_FDS ? sh->fds[fd] : NULL;
    if (io && io->buf_at < io->buf.len && io->kind != SH_IO_CAPTURE) {
        return (unsigned char)io->buf.data[io->buf_at++];
    }
    char c;
    return sh_read(sh, fd, &c, 1) == 1 ? (unsigned char)c : -1;
}

// --- paths and files

char *sh_path(struct sh *sh, const char *path) {
    if (path[0] == '/') {
        return sh_arena_copy(&sh->scratch, path, strlen(path));
    }
    struct sh_text text = {.arena = &sh->scratch};
    sh_text_add(&text, sh->cwd, strlen(sh->cwd));
    if (sh->cwd[1]) {
        sh_text_char(&text, '/');
    }
    sh_text_add(&text, path, strlen(path));
    return text.data;
}

char *sh_path_normal(struct sh *sh, const char *path) {
    char *whole = sh_path(sh, path), *out = sh_arena_alloc(&sh->scratch, strlen(whole) + 2);
    size_t n = 0;
    for (const char *c = whole; *c;) {
        c += strspn(c, "/");
        size_t len = strcspn(c, "/");
        if (len == 2 && c[0] == '.' && c[1] == '.') {
            while (n && out[--n] != '/') {
            }
        } else if (len && !(len == 1 && *c == '.')) {
            out[n++] = '/';
            memcpy(out + n, c, len);
            n += len;
        }
        c += len;
    }
    out[n ? n : 1] = '\0';
    out[0] = '/';
    return out;
}

static int open_device(struct sh *sh, const char *path, struct sh_io **ret) {
    int fd = -1;
    if (strcmp(path, "/dev/null") == 0) {
        *ret = sh_io_new(SH_IO_NULL);
        return 1;
    }
    if (strcmp(path, "/dev/stdin") == 0) {
        fd = 0;
    } else if (strcmp(path, "/dev/stdout") == 0) {
        fd = 1;
    } else if (strcmp(path, "/dev/stderr") == 0) {
        fd = 2;
    } else if (strncmp(path, "/dev/fd/", 8) == 0) {
        fd = atoi(path + 8);
    } else if (strcmp(path, "/dev/tty") == 0) {
        return -ENXIO;
    } else {
        return 0;
    }
    if (fd < 0 || fd >= SH_FDS || !sh->fds[fd]) {
        return -ENOENT;
    }
    *ret = sh_io_ref(sh->fds[fd]);
    return 1;
}

int sh_open(struct sh *sh, const char *path, enum sh_redir_op op, struct sh_io **ret) {
    static const int flags[] = {[SH_IN] = O_RDONLY,
                                [SH_OUT] = O_WRONLY | O_CREAT | O_TRUNC,
                                [SH_CLOBBER] = O_WRONLY | O_CREAT | O_TRUNC,
                                [SH_APPEND] = O_WRONLY | O_CREAT,
                                [SH_BOTH] = O_RDWR | O_CREAT};
    int device = open_device(sh, path, ret);
    if (device) {
        return device < 0 ? device : 0;
    }
    if (!path[0]) {
        return -ENOENT;
    }
    char *real = sh_path(sh, path);
    struct stat st;
    bool is_there = stat(real, &st) == 0;
    if (is_there && S_ISDIR(st.st_mode) && op != SH_IN) {
        return -EISDIR;
    }
    if (is_there && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
        return -ENXIO; // a pipe or device: opening it could wait for ever
    }
    if (op == SH_OUT && sh->options & SH_NOCLOBBER && is_there && S_ISREG(st.st_mode)) {
        return -EEXIST;
    }
    // Appending also for >: the programs that are started append to it as well, each by itself
    int fd = open(real, flags[op] | (op == SH_IN || op == SH_BOTH ? 0 : O_APPEND),
                  0666 & ~(unsigned)sh->umask);
    if (fd < 0) {
        return -errno;
    }
    struct sh_io *io = sh_io_new(SH_IO_FILE);
    io->fd = fd;
    io->path = bx_strndup(real, strlen(real));
    io->is_writer = op != SH_IN;
    io->at = op == SH_IN || op == SH_BOTH ? 0 : -1;
    *ret = io;
    return 0;
}

bool sh_temp_file(struct sh *sh, const char *bytes, size_t n, char **ret_path) {
    static const char *const folders[] = {"/tmp", ""};
    for (size_t i = 0; i < 2; i++) {
        for (int tries = 0; tries < 100; tries++) {
            char *path = NULL;
            sh->temp_count += 1 + (unsigned)sh_now_ms() % 1000;
            if (asprintf(&path, "%s/.sh-%d-%u", i ? sh->cwd : folders[0], sh->pid, sh->temp_count) <
                0) {
                return false;
            }
            int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
            if (fd < 0) {
                int why = errno;
                free(path);
                if (why == EEXIST) {
                    continue;
                }
                break;
            }
            bool is_ok = write_all(fd, bytes, n) == 0;
            close(fd);
            sh->temps = bx_realloc(sh->temps, (sh->n_temps + 1) * sizeof *sh->temps);
            sh->temps[sh->n_temps++] = path;
            *ret_path = path;
            return is_ok;
        }
    }
    return false;
}

void sh_drop_temps(struct sh *sh, size_t until) {
    while (sh->n_temps > until) {
        unlink(sh->temps[--sh->n_temps]);
        free(sh->temps[sh->n_temps]);
    }
}

// --- messages

static void say(struct sh *sh, const char *prefix, const char *fmt, va_list args) {
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0) {
        return;
    }
    struct bx_buf line = {0};
    bx_buf_add_str(&line, prefix);
    bx_buf_add_str(&line, text);
    bx_buf_add_char(&line, '\n');
    sh_write(sh, 2, line.data, line.len);
    bx_buf_deinit(&line);
    free(text);
}

void sh_say(struct sh *sh, const char *fmt, ...) {
    char prefix[300];
    va_list args;
    snprintf(prefix, sizeof prefix, "%.200s: line %d: ", sh->name, sh->line);
    va_start(args, fmt);
    say(sh, prefix, fmt, args);
    va_end(args);
}

void sh_complain(struct sh *sh, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(sh, "", fmt, args);
    va_end(args);
}

// As GNU says it: the C library of the box has other words
const char *sh_strerror(int error) {
    switch (error < 0 ? -error : error) {
    case ENOENT:
        return "No such file or directory";
    case EACCES:
        return "Permission denied";
    case EPERM:
        return "Operation not permitted";
    case EISDIR:
        return "Is a directory";
    case ENOTDIR:
        return "Not a directory";
    case EEXIST:
        return "cannot overwrite existing file";
    case EBADF:
        return "Bad file descriptor";
    case EROFS:
        return "Read-only file system";
    case ENXIO:
        return "No such device or address";
    case EPIPE:
        return "Broken pipe";
    case ENOSPC:
        return "No space left on device";
    case ELOOP:
        return "Too many levels of symbolic links";
    case ENAMETOOLONG:
        return "File name too long";
    default:
        return strerror(error < 0 ? -error : error);
    }
}

long long sh_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
