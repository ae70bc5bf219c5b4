// unzip.c - unzip, over zlib
#include "programs/zip.h"

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

static unsigned get16(const unsigned char *p) {
    return p[0] | (unsigned)p[1] << 8;
}
static uint32_t get32(const unsigned char *p) {
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}
// --- reading

struct zip_entry *zip_entries(FILE *file, const char *path, size_t *ret_n) {
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
    struct zip_entry *entries = tool_alloc((count + 1) * sizeof *entries);
    fseeko(file, start, SEEK_SET);
    size_t got = fread(list, 1, length, file), done = 0;
    for (size_t p = 0; done < count && p + 46 <= got && get32(list + p) == CENTRAL; done++) {
        const unsigned char *e = list + p;
        size_t name = get16(e + 28), extra = get16(e + 30), comment = get16(e + 32);
        if (p + 46 + name > got) {
            break;
        }
        entries[done] = (struct zip_entry){.name = tool_strndup((const char *)e + 46, name),
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

bool zip_go_to_data(FILE *file, const struct zip_entry *e) {
    unsigned char head[30];
    return fseeko(file, e->offset, SEEK_SET) == 0 &&
           fread(head, 1, sizeof head, file) == sizeof head && get32(head) == LOCAL &&
           fseeko(file, (off_t)e->offset + 30 + get16(head + 26) + get16(head + 28), SEEK_SET) == 0;
}

// Into out, or nowhere (-t); false after a message
static bool unpack(FILE *file, const struct zip_entry *e, FILE *out) {
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
    if (!zip_go_to_data(file, e) || inflateInit2(&z, -15) != Z_OK) {
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

static void when(const struct zip_entry *e, struct tm *tm) {
    memset(tm, 0, sizeof *tm);
    tm->tm_year = (int)(e->date >> 9) + 80;
    tm->tm_mon = (int)(e->date >> 5 & 15) - 1;
    tm->tm_mday = (int)(e->date & 31);
    tm->tm_hour = (int)(e->time >> 11);
    tm->tm_min = (int)(e->time >> 5 & 63);
    tm->tm_sec = (int)(e->time & 31) * 2;
}

static void list(const char *path, const struct zip_entry *entries, size_t n) {
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

static bool extract(FILE *file, const struct zip_entry *e) {
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

static bool take(FILE *file, const struct zip_entry *e) {
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
    struct zip_entry *entries = zip_entries(file, path, &n);
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
