// zip.c - zip, over zlib
#include "programs/zip.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "programs/programs.h"

static void put16(FILE *out, unsigned v) {
    putc((int)(v & 255), out);
    putc((int)(v >> 8 & 255), out);
}
static void put32(FILE *out, uint32_t v) {
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

// --- writing

static struct {
    bool is_recursive, junks, is_quiet, no_dirs;
    int level;
    struct tool_list excluded;
    struct zip_entry *entries;
    size_t n, cap;
    FILE *out;
} z = {.level = 6};

static struct zip_entry *add_entry(char *name, const struct stat *st) {
    if (z.n == z.cap) {
        z.cap = z.cap * 2 + 16;
        z.entries = tool_realloc(z.entries, z.cap * sizeof *z.entries);
    }
    struct tm *tm = gmtime(&st->st_mtime);
    struct zip_entry *e = &z.entries[z.n++];
    *e = (struct zip_entry){.name = name,
                            .flags = UTF8_FLAG,
                            .mode = st->st_mode | (S_ISDIR(st->st_mode) ? 0755 : 0644),
                            .offset = (uint32_t)ftello(z.out)};
    e->date = tm->tm_year < 80 ? 33
                               : (unsigned)(tm->tm_year - 80) << 9 |
                                     (unsigned)(tm->tm_mon + 1) << 5 | (unsigned)tm->tm_mday;
    e->time = tm->tm_year < 80 ? 0
                               : (unsigned)tm->tm_hour << 11 | (unsigned)tm->tm_min << 5 |
                                     (unsigned)tm->tm_sec / 2;
    return e;
}

static void put_head(const struct zip_entry *e, bool is_central) {
    put32(z.out, is_central ? CENTRAL : LOCAL);
    if (is_central) {
        put16(z.out, 3 << 8 | 20); // made by Unix
    }
    put16(z.out, 20);
    put16(z.out, e->flags);
    put16(z.out, e->method);
    put16(z.out, e->time);
    put16(z.out, e->date);
    put32(z.out, e->crc);
    put32(z.out, e->packed);
    put32(z.out, e->size);
    put16(z.out, (unsigned)strlen(e->name));
    put16(z.out, 0);
    if (is_central) {
        put16(z.out, 0);
        put16(z.out, 0);
        put16(z.out, 0);
        put32(z.out, e->mode << 16);
        put32(z.out, e->offset);
    }
    fputs(e->name, z.out);
}

static void put_bytes(struct zip_entry *e, const char *text, size_t n) {
    uLong bound = compressBound((uLong)n) + 64;
    unsigned char *packed = tool_alloc(bound);
    z_stream s = {.next_in = (unsigned char *)text,
                  .avail_in = (uInt)n,
                  .next_out = packed,
                  .avail_out = (uInt)bound};
    e->crc = (uint32_t)crc32(0, (const unsigned char *)text, (uInt)n);
    e->size = e->packed = (uint32_t)n;
    if (n && z.level && deflateInit2(&s, z.level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK) {
        if (deflate(&s, Z_FINISH) == Z_STREAM_END && s.total_out < n) {
            e->method = DEFLATED;
            e->packed = (uint32_t)s.total_out;
        }
        deflateEnd(&s);
    }
    put_head(e, false);
    fwrite(e->method == DEFLATED ? packed : (const unsigned char *)text, 1, e->packed, z.out);
    free(packed);
}

static void zip_path(const char *path, const char *archive);

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void zip_below(const char *dir, const char *archive) {
    struct tool_list names = {0};
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            tool_push(&names, tool_strdup(e->d_name));
        }
    }
    if (d) {
        closedir(d);
    }
    if (names.n) {
        qsort(names.p, names.n, sizeof *names.p, by_name);
    }
    for (size_t i = 0; i < names.n; i++) {
        char *path = tool_join(dir, names.p[i]);
        zip_path(path, archive);
        free(path);
    }
}

static void zip_path(const char *path, const char *archive) {
    struct stat st;
    const char *name = path;
    while (!strncmp(name, "./", 2) || *name == '/') {
        name += *name == '/' ? 1 : 2;
    }
    if (stat(path, &st)) {
        printf("\tzip warning: name not matched: %s\n", path);
        bx_status = 12;
        return;
    }
    for (size_t i = 0; i < z.excluded.n; i++) {
        if (fnmatch(z.excluded.p[i], name, 0) == 0) {
            return;
        }
    }
    if (!strcmp(path, archive)) {
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        struct tool_buf full = {0};
        tool_printf(&full, "%s%s", name, *name && name[strlen(name) - 1] != '/' ? "/" : "");
        if (*name && strcmp(name, ".") && !z.junks && !z.no_dirs) {
            put_bytes(add_entry(full.p, &st), "", 0);
            if (!z.is_quiet) {
                printf("  adding: %s (stored 0%%)\n", full.p);
            }
        }
        if (z.is_recursive) {
            zip_below(path, archive);
        }
        return;
    }
    FILE *file = S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    if (!file) {
        tool_warn("%s: %s", path, S_ISREG(st.st_mode) ? strerror(errno) : "not a file");
        return;
    }
    size_t n;
    char *text = tool_slurp(file, &n);
    const char *base = strrchr(name, '/');
    struct zip_entry *e = add_entry(tool_strdup(z.junks && base ? base + 1 : name), &st);
    fclose(file);
    put_bytes(e, text, n);
    if (!z.is_quiet) {
        printf("  adding: %s (%s %u%%)\n", e->name, e->method == DEFLATED ? "deflated" : "stored",
               n && e->method == DEFLATED ? (unsigned)((n - e->packed) * 100.0 / (double)n + 0.5)
                                          : 0);
    }
    free(text);
}

// What an archive has already and is not put anew is copied
static void copy_old(const char *path) {
    FILE *old = fopen(path, "rb");
    size_t n, kept = z.n;
    struct zip_entry *entries = old ? zip_entries(old, path, &n) : NULL;
    for (size_t i = 0; entries && i < n; i++) {
        bool is_new = false;
        for (size_t k = 0; k < kept; k++) {
            is_new = is_new || !strcmp(z.entries[k].name, entries[i].name);
        }
        if (is_new || !zip_go_to_data(old, &entries[i])) {
            continue;
        }
        char *bytes = tool_alloc(entries[i].packed);
        if (fread(bytes, 1, entries[i].packed, old) == entries[i].packed) {
            struct stat st = {0};
            struct zip_entry *e = add_entry(entries[i].name, &st);
            uint32_t offset = e->offset;
            *e = entries[i];
            e->offset = offset;
            e->flags &= ~8u; // sizes are in the head now
            put_head(e, false);
            fwrite(bytes, 1, e->packed, z.out);
        }
        free(bytes);
    }
    if (old) {
        fclose(old);
    }
}

int zip_main(int argc, char **argv) {
    struct tool_list files = {0};
    char *archive = NULL;
    static const struct option none[] = {{0}};
    for (bool is_excluding = false; optind < argc;) {
        int c = getopt_long(argc, argv, "+rjqvxD@0123456789Xyu", none, NULL);
        if (c == -1) {
            if (is_excluding) {
                tool_push(&z.excluded, argv[optind++]);
            } else if (!archive) {
                archive = argv[optind++];
            } else {
                tool_push(&files, argv[optind++]);
            }
        } else if (c >= '0' && c <= '9') {
            z.level = c - '0';
        } else if (c == '?') {
            return 16;
        } else if (c == '@') {
            char *line = NULL;
            size_t cap = 0, n;
            while (tool_line(stdin, &line, &cap, &n, '\n')) {
                tool_push(&files, tool_strndup(line, n - (line[n - 1] == '\n')));
            }
        } else {
            z.is_recursive = z.is_recursive || c == 'r';
            z.junks = z.junks || c == 'j';
            z.is_quiet = z.is_quiet || c == 'q';
            z.no_dirs = z.no_dirs || c == 'D';
            is_excluding = is_excluding || c == 'x';
        }
    }
    if (!archive || !files.n) {
        fprintf(stderr, "Usage: zip [-rjqD0-9] FILE[.zip] NAME... [-x NAME...]\n");
        return 16;
    }
    const char *base = strrchr(archive, '/');
    struct tool_buf path = {0}, temporary = {0};
    tool_printf(&path, "%s%s", archive, strchr(base ? base : archive, '.') ? "" : ".zip");
    tool_printf(&temporary, "%s.new", path.p);
    z.out = fopen(temporary.p, "wb");
    if (!z.out) {
        tool_die(15, "%s: %s", path.p, strerror(errno));
    }
    for (size_t i = 0; i < files.n; i++) {
        zip_path(files.p[i], path.p);
    }
    copy_old(path.p);
    if (!z.n) {
        fclose(z.out);
        unlink(temporary.p);
        printf("\nzip error: Nothing to do! (%s)\n", path.p);
        return 12;
    }
    uint32_t start = (uint32_t)ftello(z.out);
    for (size_t i = 0; i < z.n; i++) {
        put_head(&z.entries[i], true);
    }
    uint32_t end = (uint32_t)ftello(z.out);
    put32(z.out, END);
    put32(z.out, 0);
    put16(z.out, (unsigned)z.n);
    put16(z.out, (unsigned)z.n);
    put32(z.out, end - start);
    put32(z.out, start);
    put16(z.out, 0);
    if (fclose(z.out) || rename(temporary.p, path.p)) {
        tool_die(14, "%s: %s", path.p, strerror(errno));
    }
    return bx_status == 12 && z.n ? 0 : bx_status;
}
