// gzip.c - gzip, gunzip and zcat, over zlib
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "programs/programs.h"
#include "programs/tool.h"

enum { PIECE = 65536, GZIP_WINDOW = 15 + 16, STATUS_WARNING = 2 };

static struct {
    bool unpacks, to_stdout, keeps, overwrites, is_test, lists, is_recursive, is_quiet, is_verbose,
        has_no_name;
    int level;
    const char *suffix;
} g;

static bool pack(FILE *in, FILE *out) {
    static unsigned char from[PIECE], to[PIECE];
    z_stream z = {0};
    bool is_end = false;
    if (deflateInit2(&z, g.level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    while (!is_end) {
        z.next_in = from;
        z.avail_in = (uInt)fread(from, 1, sizeof from, in);
        is_end = z.avail_in < sizeof from && feof(in);
        if (ferror(in)) {
            break;
        }
        do {
            z.next_out = to;
            z.avail_out = sizeof to;
            deflate(&z, is_end ? Z_FINISH : Z_NO_FLUSH);
            fwrite(to, 1, sizeof to - z.avail_out, out);
        } while (!z.avail_out);
    }
    deflateEnd(&z);
    return !ferror(in) && !ferror(out);
}

// All members; what is no gzip is an error, with -cdf it is copied. out NULL: only looked at
static bool unpack(FILE *in, FILE *out, const char *name, unsigned long long *ret_size) {
    static unsigned char from[PIECE], to[PIECE];
    z_stream z = {0};
    int r = Z_STREAM_END;
    bool has_any = false;
    *ret_size = 0;
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        return false;
    }
    for (size_t n; (n = fread(from, 1, sizeof from, in)) > 0;) {
        z.next_in = from;
        z.avail_in = (uInt)n;
        if (!has_any && (n < 2 || from[0] != 0x1f || from[1] != 0x8b)) {
            inflateEnd(&z);
            if (g.overwrites && g.to_stdout) {
                do {
                    fwrite(from, 1, n, out);
                } while ((n = fread(from, 1, sizeof from, in)) > 0);
                return true;
            }
            tool_warn("%s: not in gzip format", name);
            return false;
        }
        while (z.avail_in) {
            if (r == Z_STREAM_END && has_any) {
                if (z.next_in[0] != 0x1f) { // padding behind the last member
                    z.avail_in = 0;
                    break;
                }
                inflateReset(&z);
            }
            has_any = true;
            z.next_out = to;
            z.avail_out = sizeof to;
            r = inflate(&z, Z_NO_FLUSH);
            size_t got = sizeof to - z.avail_out;
            *ret_size += got;
            if (out) {
                fwrite(to, 1, got, out);
            }
            if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) {
                inflateEnd(&z);
                tool_warn("%s: invalid compressed data--%s", name,
                          r == Z_DATA_ERROR && z.msg && strstr(z.msg, "check") ? "crc error"
                                                                               : "format violated");
                return false;
            }
        }
    }
    inflateEnd(&z);
    if (!has_any || r != Z_STREAM_END) {
        tool_warn("%s: unexpected end of file", name);
        return false;
    }
    return true;
}

// The name of what is made of a file; NULL after a message
static char *target(const char *path) {
    struct tool_buf made = {0};
    size_t n = strlen(path), m = strlen(g.suffix);
    if (!g.unpacks) {
        if (n > m && !strcmp(path + n - m, g.suffix)) {
            fprintf(stderr, "%s: %s already has %s suffix -- unchanged\n", bx_tool, path, g.suffix);
            return NULL;
        }
        tool_printf(&made, "%s%s", path, g.suffix);
        return made.p;
    }
    if (n > 4 && !strcmp(path + n - 4, ".tgz")) {
        tool_printf(&made, "%.*s.tar", (int)n - 4, path);
        return made.p;
    }
    if (n <= m || strcmp(path + n - m, g.suffix)) {
        tool_warn("%s: unknown suffix -- ignored", path);
        bx_status = STATUS_WARNING;
        return NULL;
    }
    return tool_strndup(path, n - m);
}

static void list_one(FILE *in, const char *path, const struct stat *st) {
    unsigned long long size;
    static bool has_title;
    if (!unpack(in, NULL, path, &size)) {
        return;
    }
    if (!has_title && !g.is_quiet) {
        puts("         compressed        uncompressed  ratio uncompressed_name");
        has_title = true;
    }
    size_t n = strlen(path), m = strlen(g.suffix);
    n -= n > m && !strcmp(path + n - m, g.suffix) ? m : 0;
    double packed = (double)st->st_size - 18 - (double)(n + 1);
    printf("%19lld %19llu %5.1f%% %.*s\n", (long long)st->st_size, size,
           size ? 100.0 * ((double)size - packed) / (double)size : 0.0, (int)n, path);
}

static void to_file(FILE *in, const char *path, const struct stat *st) {
    char *to = target(path);
    struct stat old;
    unsigned long long size;
    if (!to) {
        return;
    }
    if (!g.overwrites && lstat(to, &old) == 0) {
        tool_warn("%s already exists;\tnot overwritten", to);
        bx_status = STATUS_WARNING;
        return;
    }
    FILE *out = fopen(to, "wb");
    if (!out) {
        tool_warn_file(to);
        return;
    }
    bool r = g.unpacks ? unpack(in, out, path, &size) : pack(in, out);
    r = fclose(out) == 0 && r;
    if (!r) {
        unlink(to);
        bx_status = 1;
        return;
    }
    struct timespec times[2] = {st->st_atim, st->st_mtim};
    utimensat(AT_FDCWD, to, times, 0);
    if (!g.keeps) {
        unlink(path);
    }
    free(to);
}

static void one(const char *path) {
    struct stat st = {0};
    unsigned long long size;
    bool is_stdin = !strcmp(path, "-");
    if (!is_stdin && stat(path, &st)) {
        char *longer = g.unpacks ? tool_alloc(strlen(path) + strlen(g.suffix) + 1) : NULL;
        if (longer) {
            sprintf(longer, "%s%s", path, g.suffix);
        }
        if (!longer || stat(longer, &st)) {
            errno = ENOENT;
            tool_warn_file(longer ? longer : path);
            return;
        }
        path = longer;
    }
    if (!is_stdin && S_ISDIR(st.st_mode)) {
        tool_warn("%s is a directory -- ignored", path);
        bx_status = STATUS_WARNING;
        return;
    }
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (!in) {
        tool_warn_file(path);
        return;
    }
    if (g.lists) {
        list_one(in, path, &st);
    } else if (g.is_test) {
        unpack(in, NULL, is_stdin ? "stdin" : path, &size);
    } else if (g.to_stdout || is_stdin) {
        if (!(g.unpacks ? unpack(in, stdout, is_stdin ? "stdin" : path, &size)
                        : pack(in, stdout))) {
            bx_status = 1;
        }
    } else {
        to_file(in, path, &st);
    }
    tool_close(in);
}

int gzip_main(int argc, char **argv) {
    static const struct option longs[] = {{"decompress", 0, 0, 'd'}, {"uncompress", 0, 0, 'd'},
                                          {"stdout", 0, 0, 'c'},     {"to-stdout", 0, 0, 'c'},
                                          {"keep", 0, 0, 'k'},       {"force", 0, 0, 'f'},
                                          {"test", 0, 0, 't'},       {"list", 0, 0, 'l'},
                                          {"quiet", 0, 0, 'q'},      {"verbose", 0, 0, 'v'},
                                          {"fast", 0, 0, '1'},       {"best", 0, 0, '9'},
                                          {"no-name", 0, 0, 'n'},    {"name", 0, 0, 'n'},
                                          {"suffix", 1, 0, 'S'},     {0}};
    bool is_cat = !strcmp(bx_tool, "zcat");
    g.unpacks = is_cat || !strcmp(bx_tool, "gunzip");
    g.to_stdout = is_cat;
    g.level = 6;
    g.suffix = ".gz";
    bx_tool = "gzip";
    for (int c; (c = getopt_long(argc, argv, "dckftlqvnN123456789rS:", longs, NULL)) != -1;) {
        switch (c) {
        case 'd':
            g.unpacks = true;
            break;
        case 'c':
            g.to_stdout = true;
            break;
        case 'k':
            g.keeps = true;
            break;
        case 'f':
            g.overwrites = true;
            break;
        case 't':
            g.is_test = g.unpacks = true;
            break;
        case 'l':
            g.lists = g.unpacks = true;
            break;
        case 'q':
            g.is_quiet = true;
            break;
        case 'S':
            g.suffix = optarg;
            break;
        case '?':
            tool_die_usage(1);
        default:
            if (c >= '1' && c <= '9') {
                g.level = c - '0';
            }
        }
    }
    if (!argv[optind]) {
        one("-");
    }
    for (char **a = argv + optind; *a; a++) {
        one(*a);
    }
    return bx_status;
}
