// zip.c - zip and unzip, over zlib: stored and deflated entries, up to 4 GiB, without passwords
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
#include "programs/tool.h"

enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    END_BYTES = 22,
    UTF8_FLAG = 1 << 11,
    ENCRYPTED_FLAG = 1,
    STORED = 0,
    DEFLATED = 8,
    PIECE = 65536
};

struct entry {
    char *name;
    unsigned method, flags, date, time, mode;
    uint32_t crc, packed, size, offset;
};

static unsigned get16(const unsigned char *p) {
    return p[0] | (unsigned)p[1] << 8;
}
static uint32_t get32(const unsigned char *p) {
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}
static void put16(FILE *out, unsigned v) {
    putc((int)(v & 255), out);
    putc((int)(v >> 8 & 255), out);
}
static void put32(FILE *out, uint32_t v) {
    put16(out, v & 0xffff);
    put16(out, v >> 16);
}

// --- reading

// The entries of an archive; NULL after a message
static struct entry *entries_of(FILE *file, const char *path, size_t *ret_n) {
    unsigned char tail[END_BYTES + 65536];
    fseeko(file, 0, SEEK_END);
    off_t size = ftello(file), from = TOOL_MAX(0, size - (off_t)sizeof tail);
    fseeko(file, from, SEEK_SET);
    size_t n = fread(tail, 1, sizeof tail, file), at = n >= END_BYTES ? n - END_BYTES + 1 : 0;
    while (at > 0 && get32(tail + at - 1) != END) {
        at--;
    }
    if (!at) {
        tool_warn("%s is not a zip archive", path);
        return NULL;
    }
    const unsigned char *end = tail + at - 1;
    size_t count = get16(end + 10);
    uint32_t length = get32(end + 12), start = get32(end + 16);
    if ((off_t)start + length > size) {
        tool_warn("%s is damaged: its list of files lies outside of it", path);
        return NULL;
    }
    unsigned char *list = tool_alloc(length);
    struct entry *entries = tool_alloc((count + 1) * sizeof *entries);
    fseeko(file, start, SEEK_SET);
    size_t got = fread(list, 1, length, file), done = 0;
    for (size_t p = 0; done < count && p + 46 <= got && get32(list + p) == CENTRAL; done++) {
        const unsigned char *e = list + p;
        size_t name = get16(e + 28), extra = get16(e + 30), comment = get16(e + 32);
        if (p + 46 + name > got) {
            break;
        }
        entries[done] = (struct entry){.name = tool_strndup((const char *)e + 46, name),
                                       .flags = get16(e + 8),
                                       .method = get16(e + 10),
                                       .time = get16(e + 12),
                                       .date = get16(e + 14),
                                       .crc = get32(e + 16),
                                       .packed = get32(e + 20),
                                       .size = get32(e + 24),
                                       .mode = get32(e + 38) >> 16,
                                       .offset = get32(e + 42)};
        p += 46 + name + extra + comment;
    }
    free(list);
    if (done < count) {
        tool_warn("%s is damaged: its list of files is cut", path);
        return NULL;
    }
    *ret_n = count;
    return entries;
}

static bool go_to_data(FILE *file, const struct entry *e) {
    unsigned char head[30];
    return fseeko(file, e->offset, SEEK_SET) == 0 &&
           fread(head, 1, sizeof head, file) == sizeof head && get32(head) == LOCAL &&
           fseeko(file, (off_t)e->offset + 30 + get16(head + 26) + get16(head + 28), SEEK_SET) == 0;
}

// Into out, or nowhere (-t); false after a message
static bool unpack(FILE *file, const struct entry *e, FILE *out) {
    unsigned char in[PIECE], made[PIECE];
    z_stream z = {0};
    uint32_t crc = 0, left = e->packed;
    unsigned long long total = 0;
    int r = Z_OK;
    if ((e->flags & ENCRYPTED_FLAG) || (e->method != STORED && e->method != DEFLATED)) {
        tool_warn("   skipping: %s  %s", e->name,
                  e->flags & ENCRYPTED_FLAG ? "it has a password"
                                            : "unsupported compression method");
        return false;
    }
    if (!go_to_data(file, e) || inflateInit2(&z, -15) != Z_OK) {
        tool_warn("%s: the archive is damaged", e->name);
        return false;
    }
    while (left && r == Z_OK) {
        size_t n = fread(in, 1, TOOL_MIN((size_t)left, sizeof in), file);
        if (!n) {
            break;
        }
        left -= (uint32_t)n;
        z.next_in = in;
        z.avail_in = (uInt)n;
        do {
            size_t got = n;
            const unsigned char *from = in;
            if (e->method == DEFLATED) {
                z.next_out = made;
                z.avail_out = sizeof made;
                r = inflate(&z, Z_NO_FLUSH);
                got = sizeof made - z.avail_out;
                from = made;
            } else {
                z.avail_in = 0;
            }
            total += got;
            if (total > e->size) { // more than was promised
                r = Z_DATA_ERROR;
            } else {
                crc = (uint32_t)crc32(crc, from, (uInt)got);
                if (out && fwrite(from, 1, got, out) != got) {
                    tool_warn("%s: %s", e->name, strerror(errno));
                    r = Z_ERRNO;
                }
            }
        } while (r == Z_OK && (z.avail_in || (e->method == DEFLATED && !z.avail_out)));
    }
    inflateEnd(&z);
    if (total != e->size || crc != e->crc || (r != Z_OK && r != Z_STREAM_END)) {
        tool_warn("%s: bad CRC or length: the archive is damaged", e->name);
        return false;
    }
    return true;
}

static struct {
    bool lists, is_pipe, is_test, overwrites, keeps, is_quiet, junks, is_verbose, names_only;
    const char *dir;
    struct tool_list excluded;
    char **wanted;
} u;

static bool is_wanted(const char *name) {
    bool is_in = !*u.wanted;
    for (char **w = u.wanted; *w && !is_in; w++) {
        is_in = fnmatch(*w, name, 0) == 0;
    }
    for (size_t i = 0; i < u.excluded.n && is_in; i++) {
        is_in = fnmatch(u.excluded.p[i], name, 0) != 0;
    }
    return is_in;
}

static void when(const struct entry *e, struct tm *tm) {
    memset(tm, 0, sizeof *tm);
    tm->tm_year = (int)(e->date >> 9) + 80;
    tm->tm_mon = (int)(e->date >> 5 & 15) - 1;
    tm->tm_mday = (int)(e->date & 31);
    tm->tm_hour = (int)(e->time >> 11);
    tm->tm_min = (int)(e->time >> 5 & 63);
    tm->tm_sec = (int)(e->time & 31) * 2;
}

static void list(const char *path, const struct entry *entries, size_t n) {
    unsigned long long total = 0;
    size_t count = 0;
    char text[40];
    struct tm tm;
    if (!u.names_only) {
        printf("Archive:  %s\n  Length      Date    Time    Name\n---------  ---------- -----   "
               "----\n",
               path);
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_wanted(entries[i].name)) {
            continue;
        }
        when(&entries[i], &tm);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm);
        if (u.names_only) {
            puts(entries[i].name);
        } else {
            printf("%9lu  %s   %s\n", (unsigned long)entries[i].size, text, entries[i].name);
        }
        total += entries[i].size;
        count++;
    }
    if (!u.names_only) {
        printf("---------                     -------\n%9llu                     %zu file%s\n",
               total, count, count == 1 ? "" : "s");
    }
}

static bool is_safe(const char *name) {
    size_t n = strlen(name);
    return *name && *name != '/' && strncmp(name, "../", 3) && !strstr(name, "/../") &&
           strcmp(name, "..") && !(n > 2 && !strcmp(name + n - 3, "/.."));
}

static void make_parents(char *path) {
    for (char *s = path + 1; *s; s++) {
        if (*s == '/') {
            *s = 0;
            mkdir(path, 0777);
            *s = '/';
        }
    }
}

static bool extract(FILE *file, const struct entry *e) {
    const char *base = strrchr(e->name, '/'), *name = u.junks && base ? base + 1 : e->name;
    size_t n = strlen(e->name);
    bool is_dir = n && e->name[n - 1] == '/';
    struct stat st;
    if (!is_safe(e->name)) {
        tool_warn("warning:  skipped \"%s\": it would lie outside of the folder", e->name);
        return false;
    }
    if (is_dir && u.junks) {
        return true;
    }
    char *path = u.dir ? tool_join(u.dir, name) : tool_strdup(name);
    make_parents(path);
    if (is_dir) {
        if (stat(path, &st) && !u.is_quiet) {
            printf("   creating: %s\n", path);
        }
        mkdir(path, 0777);
        return true;
    }
    if (lstat(path, &st) == 0 && !u.overwrites) {
        if (!u.keeps) {
            tool_warn("%s exists: use -o to replace it, -n to keep it", path);
        }
        return u.keeps;
    }
    unlink(path); // not through a link
    FILE *out = fopen(path, "wb");
    if (!out) {
        tool_warn("%s: %s", path, strerror(errno));
        return false;
    }
    if (!u.is_quiet) {
        printf(e->method == DEFLATED ? "  inflating: %-22s  \n" : " extracting: %-22s  \n", path);
    }
    bool r = unpack(file, e, out);
    r = fclose(out) == 0 && r;
    struct tm tm;
    when(e, &tm);
    struct timespec times[2] = {{.tv_sec = timegm(&tm)}, {.tv_sec = timegm(&tm)}};
    utimensat(AT_FDCWD, path, times, 0);
    free(path);
    return r;
}

static bool take(FILE *file, const struct entry *e) {
    if (u.is_pipe) {
        return unpack(file, e, stdout);
    }
    if (!u.is_test) {
        return extract(file, e);
    }
    bool r = unpack(file, e, NULL);
    if (r && !u.is_quiet) {
        printf("    testing: %-22s   OK\n", e->name);
    }
    return r;
}

static FILE *open_archive(char **io_path) {
    FILE *file = fopen(*io_path, "rb");
    if (!file) {
        struct tool_buf longer = {0};
        tool_printf(&longer, "%s.zip", *io_path);
        file = fopen(longer.p, "rb");
        if (file) {
            *io_path = longer.p;
        }
    }
    return file;
}

int unzip_main(int argc, char **argv) {
    char *path = NULL;
    struct tool_list wanted = {0};
    static const struct option none[] = {{0}};
    tool_push(&wanted, NULL);
    wanted.n = 0;
    for (bool is_excluding = false; optind < argc;) {
        int c = getopt_long(argc, argv, "+lptonqjvd:xZ1aCL", none, NULL);
        switch (c) {
        case -1:
            if (is_excluding) {
                tool_push(&u.excluded, argv[optind++]);
            } else if (!path) {
                path = argv[optind++];
            } else {
                tool_push(&wanted, argv[optind++]);
            }
            break;
        case 'l':
        case 'v':
            u.lists = true;
            break;
        case 'Z':
        case '1':
            u.lists = u.names_only = true;
            break;
        case 'p':
            u.is_pipe = true;
            break;
        case 't':
            u.is_test = true;
            break;
        case 'o':
            u.overwrites = true;
            break;
        case 'n':
            u.keeps = true;
            break;
        case 'q':
            u.is_quiet = true;
            break;
        case 'j':
            u.junks = true;
            break;
        case 'd':
            u.dir = optarg;
            break;
        case 'x':
            is_excluding = true;
            break;
        case '?':
            return 10;
        default:
            break;
        }
    }
    u.wanted = wanted.p;
    if (!path) {
        fprintf(stderr, "Usage: unzip [-lptonqj] [-d FOLDER] FILE[.zip] [NAME...] [-x NAME...]\n");
        return 10;
    }
    FILE *file = open_archive(&path);
    size_t n;
    if (!file) {
        fprintf(stderr, "unzip:  cannot find or open %s, %s.zip or %s.ZIP.\n", path, path, path);
        return 9;
    }
    struct entry *entries = entries_of(file, path, &n);
    if (!entries) {
        return 9;
    }
    if (u.lists) {
        list(path, entries, n);
        return 0;
    }
    bool is_whole = true, has_any = false;
    if (!u.is_pipe && !u.is_quiet) {
        printf("Archive:  %s\n", path);
    }
    for (size_t i = 0; i < n; i++) {
        if (is_wanted(entries[i].name)) {
            has_any = true;
            is_whole = take(file, &entries[i]) && is_whole;
        }
    }
    if (u.is_test && is_whole && !u.is_quiet) {
        printf("No errors detected in compressed data of %s.\n", path);
    }
    if (!has_any && *u.wanted) {
        fprintf(stderr, "caution: filename not matched:  %s\n", *u.wanted);
        return 11;
    }
    return is_whole ? 0 : 2;
}

// --- writing

static struct {
    bool is_recursive, junks, is_quiet, no_dirs;
    int level;
    struct tool_list excluded;
    struct entry *entries;
    size_t n, cap;
    FILE *out;
} z = {.level = 6};

static struct entry *add_entry(char *name, const struct stat *st) {
    if (z.n == z.cap) {
        z.cap = z.cap * 2 + 16;
        z.entries = tool_realloc(z.entries, z.cap * sizeof *z.entries);
    }
    struct tm *tm = gmtime(&st->st_mtime);
    struct entry *e = &z.entries[z.n++];
    *e = (struct entry){.name = name,
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

static void put_head(const struct entry *e, bool is_central) {
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

static void put_bytes(struct entry *e, const char *text, size_t n) {
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
    struct entry *e = add_entry(tool_strdup(z.junks && base ? base + 1 : name), &st);
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
    struct entry *entries = old ? entries_of(old, path, &n) : NULL;
    for (size_t i = 0; entries && i < n; i++) {
        bool is_new = false;
        for (size_t k = 0; k < kept; k++) {
            is_new = is_new || !strcmp(z.entries[k].name, entries[i].name);
        }
        if (is_new || !go_to_data(old, &entries[i])) {
            continue;
        }
        char *bytes = tool_alloc(entries[i].packed);
        if (fread(bytes, 1, entries[i].packed, old) == entries[i].packed) {
            struct stat st = {0};
            struct entry *e = add_entry(entries[i].name, &st);
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
