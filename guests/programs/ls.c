// ls.c - ls as GNU's prints it into a pipe
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

struct item {
    char *name, *path;
    struct stat st;
    char link[PATH_MAX];
};

static struct {
    bool shows_all, shows_almost, is_long, is_human, is_si, is_recursive, is_dir, is_reverse,
        unsorted, marks_dirs, classifies, shows_inode, shows_size, hides_owner, hides_group,
        is_numeric, follows, full_time, dirs_first, by_columns, quotes, commas, zero;
    char sort; // 0 name, t, S, X, v
    char time; // m, a, c
    const char *time_style, *ignore;
    struct timespec now;
} o;

static int compare(const void *a, const void *b) {
    const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
    int r = 0;
    if (o.dirs_first && S_ISDIR(x->st.st_mode) != S_ISDIR(y->st.st_mode)) {
        return S_ISDIR(x->st.st_mode) ? -1 : 1;
    }
    if (o.sort == 't') {
        const struct timespec *p = o.time == 'a'   ? &x->st.st_atim
                                   : o.time == 'c' ? &x->st.st_ctim
                                                   : &x->st.st_mtim;
        const struct timespec *q = o.time == 'a'   ? &y->st.st_atim
                                   : o.time == 'c' ? &y->st.st_ctim
                                                   : &y->st.st_mtim;
        r = p->tv_sec != q->tv_sec     ? (p->tv_sec < q->tv_sec ? 1 : -1)
            : p->tv_nsec != q->tv_nsec ? (p->tv_nsec < q->tv_nsec ? 1 : -1)
                                       : 0;
    } else if (o.sort == 'S') {
        r = x->st.st_size < y->st.st_size ? 1 : x->st.st_size > y->st.st_size ? -1 : 0;
    } else if (o.sort == 'X') {
        const char *p = strrchr(x->name, '.'), *q = strrchr(y->name, '.');
        r = strcmp(p ? p : "", q ? q : "");
    } else if (o.sort == 'v') {
        r = tool_version_cmp(x->name, y->name);
    }
    r = r ? r : strcmp(x->name, y->name);
    return o.is_reverse ? -r : r;
}

static mode_t mode_of(const struct stat *st) {
    mode_t bits = st->st_mode & 07777;
    return bits ? bits : S_ISDIR(st->st_mode) ? 0755 : S_ISLNK(st->st_mode) ? 0777 : 0644;
}

static void mode_text(const struct stat *st, char out[11]) {
    mode_t bits = mode_of(st);
    out[0] = S_ISDIR(st->st_mode)   ? 'd'
             : S_ISLNK(st->st_mode) ? 'l'
             : S_ISCHR(st->st_mode) ? 'c'
                                    : '-';
    for (int i = 8; i >= 0; i--) {
        out[9 - i] = bits & 1u << i ? "xwr"[i % 3] : '-';
    }
    out[10] = 0;
}

static char mark_of(const struct item *i) {
    if (S_ISDIR(i->st.st_mode)) {
        return o.classifies || o.marks_dirs ? '/' : 0;
    }
    if (!o.classifies) {
        return 0;
    }
    return S_ISLNK(i->st.st_mode)                             ? '@'
           : S_ISREG(i->st.st_mode) && mode_of(&i->st) & 0111 ? '*'
                                                              : 0;
}

static long long blocks_of(const struct item *i) {
    return S_ISLNK(i->st.st_mode) ? 0 : ((long long)i->st.st_size + 4095) / 4096 * 4;
}

static void size_text(char out[24], long long n) {
    if (o.is_human) {
        tool_human(out, (unsigned long long)n, o.is_si ? 1000 : 1024);
    } else {
        snprintf(out, 24, "%lld", n);
    }
}

static void blocks_text(char out[24], long long kib) {
    if (o.is_human) {
        tool_human(out, (unsigned long long)kib * 1024, o.is_si ? 1000 : 1024);
    } else {
        snprintf(out, 24, "%lld", kib);
    }
}

static void put_name(const struct item *i, bool is_target) {
    const char *name = i->name;
    fputs(o.quotes ? tool_quote(name) : name, stdout);
    char mark = mark_of(i);
    if (mark && !(mark == '@' && o.is_long)) {
        putchar(mark);
    }
    if (is_target && S_ISLNK(i->st.st_mode)) {
        printf(" -> %s", i->link);
    }
}

static void put_time(const struct item *i) {
    char text[80];
    struct timespec t = o.time == 'a'   ? i->st.st_atim
                        : o.time == 'c' ? i->st.st_ctim
                                        : i->st.st_mtim;
    struct tm *tm = gmtime(&t.tv_sec);
    bool is_recent = t.tv_sec > o.now.tv_sec - 31556952 / 2 && t.tv_sec <= o.now.tv_sec;
    const char *style = o.full_time ? "full-iso" : o.time_style ? o.time_style : "locale";
    if (!strcmp(style, "full-iso")) {
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", tm);
        printf("%s.%09ld +0000 ", text, t.tv_nsec);
        return;
    }
    const char *format = *style == '+'                ? style + 1
                         : !strcmp(style, "long-iso") ? "%Y-%m-%d %H:%M"
                         : !strcmp(style, "iso")      ? (is_recent ? "%m-%d %H:%M" : "%Y-%m-%d ")
                                                      : (is_recent ? "%b %e %H:%M" : "%b %e  %Y");
    strftime(text, sizeof text, format, tm);
    printf("%s ", text);
}

static void put_long(struct item **items, size_t n) {
    int links = 1, size = 1, inode = 1, blocks = 1;
    char text[24], mode[11];
    for (size_t i = 0; i < n; i++) {
        links = TOOL_MAX(
            links, snprintf(text, sizeof text, "%llu", (unsigned long long)items[i]->st.st_nlink));
        size_text(text, (long long)items[i]->st.st_size);
        size = TOOL_MAX(size, (int)strlen(text));
        inode = TOOL_MAX(
            inode, snprintf(text, sizeof text, "%llu", (unsigned long long)items[i]->st.st_ino));
        blocks_text(text, blocks_of(items[i]));
        blocks = TOOL_MAX(blocks, (int)strlen(text));
    }
    for (size_t i = 0; i < n; i++) {
        if (o.shows_inode) {
            printf("%*llu ", inode, (unsigned long long)items[i]->st.st_ino);
        }
        if (o.shows_size) {
            blocks_text(text, blocks_of(items[i]));
            printf("%*s ", blocks, text);
        }
        mode_text(&items[i]->st, mode);
        printf("%s %*llu ", mode, links,
               (unsigned long long)(items[i]->st.st_nlink ? items[i]->st.st_nlink : 1));
        if (!o.hides_owner) {
            fputs(o.is_numeric ? "1000 " : "user ", stdout);
        }
        if (!o.hides_group) {
            fputs(o.is_numeric ? "1000 " : "user ", stdout);
        }
        size_text(text, (long long)items[i]->st.st_size);
        printf("%*s ", size, text);
        put_time(items[i]);
        put_name(items[i], true);
        putchar(o.zero ? 0 : '\n');
    }
}

static void put_columns(struct item **items, size_t n) {
    enum { WIDTH = 80 };
    size_t widest = 0;
    for (size_t i = 0; i < n; i++) {
        widest = TOOL_MAX(widest, tool_width(items[i]->name, strlen(items[i]->name)) +
                                      (mark_of(items[i]) != 0));
    }
    size_t columns = TOOL_MAX((size_t)1, WIDTH / (widest + 2)), rows = (n + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < n; i += rows) {
            put_name(items[i], false);
            if (i + rows < n) {
                size_t used =
                    tool_width(items[i]->name, strlen(items[i]->name)) + (mark_of(items[i]) != 0);
                printf("%*s", (int)(widest + 2 - used), "");
            }
        }
        putchar('\n');
    }
}

static void put_items(struct item **items, size_t n) {
    if (n && !o.unsorted) {
        qsort(items, n, sizeof *items, compare);
    }
    if (o.is_long) {
        put_long(items, n);
        return;
    }
    if (o.by_columns) {
        put_columns(items, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        char text[24];
        if (o.shows_inode) {
            printf("%llu ", (unsigned long long)items[i]->st.st_ino);
        }
        if (o.shows_size) {
            blocks_text(text, blocks_of(items[i]));
            printf("%s ", text);
        }
        put_name(items[i], false);
        fputs(o.commas ? (i + 1 < n ? ", " : "\n") : "", stdout);
        if (!o.commas) {
            putchar(o.zero ? 0 : '\n');
        }
    }
}

static struct item *item_new(const char *name, char *path, bool is_argument) {
    struct item *i = tool_alloc(sizeof *i);
    memset(i, 0, sizeof *i - sizeof i->link);
    i->name = tool_strdup(name);
    i->path = path;
    bool follows = o.follows || (is_argument && !o.is_long && !o.is_dir && !o.classifies);
    if ((!follows || stat(path, &i->st)) && lstat(path, &i->st)) {
        tool_warn("cannot access '%s': %s", path, strerror(errno));
        bx_status = is_argument ? 2 : 1;
        return NULL;
    }
    if (is_argument && S_ISLNK(i->st.st_mode) && o.is_long) {
        struct stat st; // ls -l link lists the link; ls link/ the folder
        size_t len = strlen(path);
        if (path[len - 1] == '/' && stat(path, &st) == 0) {
            i->st = st;
        }
    }
    ssize_t n = S_ISLNK(i->st.st_mode) ? readlink(path, i->link, sizeof i->link - 1) : 0;
    i->link[n < 0 ? 0 : n] = 0;
    return i;
}

static bool is_shown(const char *name) {
    bool is_dots = !strcmp(name, ".") || !strcmp(name, "..");
    if (is_dots) {
        return o.shows_all;
    }
    return (*name != '.' || o.shows_all || o.shows_almost) &&
           !(o.ignore && fnmatch(o.ignore, name, FNM_PERIOD) == 0);
}

static void list_dir(const char *dir, bool has_title, bool *io_has_printed) {
    struct tool_list list = {0};
    long long blocks = 0;
    char text[24];
    DIR *d = opendir(dir);
    if (!d) {
        tool_warn("cannot open directory '%s': %s", dir, strerror(errno));
        bx_status = 2;
        return;
    }
    struct tool_list names = {0};
    bool has_dots = false;
    for (struct dirent *e; (e = readdir(d));) {
        has_dots = has_dots || !strcmp(e->d_name, ".");
        if (is_shown(e->d_name)) {
            tool_push(&names, tool_strdup(e->d_name));
        }
    }
    closedir(d);
    if (o.shows_all && !has_dots) { // the box does not list them
        tool_push(&names, (char *)".");
        tool_push(&names, (char *)"..");
    }
    for (size_t i = 0; i < names.n; i++) {
        char *path = tool_join(dir, !strcmp(names.p[i], "..") ? "." : names.p[i]);
        struct item *it = item_new(names.p[i], path, false);
        if (it) {
            tool_push(&list, (char *)it);
            blocks += blocks_of(it);
        }
    }
    if (has_title) {
        printf("%s%s:\n", *io_has_printed ? "\n" : "", dir);
    }
    *io_has_printed = true;
    if (o.is_long || o.shows_size) {
        blocks_text(text, blocks);
        printf("total %s\n", text);
    }
    struct item **items = (struct item **)(void *)list.p;
    put_items(items, list.n);
    for (size_t i = 0; o.is_recursive && i < list.n; i++) {
        if (S_ISDIR(items[i]->st.st_mode) && strcmp(items[i]->name, ".") &&
            strcmp(items[i]->name, "..")) {
            list_dir(items[i]->path, true, io_has_printed);
        }
    }
    for (size_t i = 0; i < list.n; i++) {
        free(items[i]->name);
        free(items[i]->path);
        free(items[i]);
    }
    free(list.p);
    free(names.p);
}

static const struct option longs[] = {{"all", 0, 0, 'a'},
                                      {"almost-all", 0, 0, 'A'},
                                      {"human-readable", 0, 0, 'h'},
                                      {"recursive", 0, 0, 'R'},
                                      {"reverse", 0, 0, 'r'},
                                      {"directory", 0, 0, 'd'},
                                      {"classify", 2, 0, 'F'},
                                      {"inode", 0, 0, 'i'},
                                      {"size", 0, 0, 's'},
                                      {"no-group", 0, 0, 'G'},
                                      {"numeric-uid-gid", 0, 0, 'n'},
                                      {"dereference", 0, 0, 'L'},
                                      {"color", 2, 0, 256},
                                      {"sort", 1, 0, 257},
                                      {"time", 1, 0, 258},
                                      {"time-style", 1, 0, 259},
                                      {"full-time", 0, 0, 260},
                                      {"group-directories-first", 0, 0, 261},
                                      {"si", 0, 0, 262},
                                      {"ignore", 1, 0, 'I'},
                                      {"quote-name", 0, 0, 'Q'},
                                      {"format", 1, 0, 263},
                                      {"file-type", 0, 0, 'F'},
                                      {"zero", 0, 0, 264},
                                      {"literal", 0, 0, 'N'},
                                      {"hide", 1, 0, 'I'},
                                      {0}};

static void long_option(int c) {
    switch (c) {
    case 257:
        o.sort = !strcmp(optarg, "time")        ? 't'
                 : !strcmp(optarg, "size")      ? 'S'
                 : !strcmp(optarg, "extension") ? 'X'
                 : !strcmp(optarg, "version")   ? 'v'
                                                : 0;
        o.unsorted = !strcmp(optarg, "none");
        break;
    case 258:
        o.time = *optarg == 'a' || *optarg == 'u' ? 'a' : *optarg == 'c' ? 'c' : 'm';
        break;
    case 259:
        o.time_style = optarg;
        break;
    case 260:
        o.is_long = o.full_time = true;
        break;
    case 261:
        o.dirs_first = true;
        break;
    case 262:
        o.is_human = o.is_si = true;
        break;
    case 263:
        o.is_long = !strcmp(optarg, "long");
        break;
    case 264:
        o.zero = true;
        break;
    default:
        break;
    }
}

static void option(int c) {
    switch (c) {
    case 'a':
        o.shows_all = true;
        break;
    case 'A':
        o.shows_almost = true;
        break;
    case 'l':
        o.is_long = true;
        break;
    case 'h':
        o.is_human = true;
        break;
    case 'R':
        o.is_recursive = true;
        break;
    case 'd':
        o.is_dir = true;
        break;
    case 'r':
        o.is_reverse = true;
        break;
    case 't':
    case 'S':
    case 'X':
    case 'v':
        o.sort = (char)c;
        break;
    case 'U':
        o.unsorted = true;
        break;
    case 'f':
        o.unsorted = o.shows_all = true;
        break;
    case 'u':
        o.time = 'a';
        break;
    case 'c':
        o.time = 'c';
        break;
    case 'p':
        o.marks_dirs = true;
        break;
    case 'F':
        o.classifies = true;
        break;
    case 'i':
        o.shows_inode = true;
        break;
    case 's':
        o.shows_size = true;
        break;
    case 'g':
        o.is_long = o.hides_owner = true;
        break;
    case 'o':
        o.is_long = o.hides_group = true;
        break;
    case 'G':
        o.hides_group = true;
        break;
    case 'n':
        o.is_long = o.is_numeric = true;
        break;
    case 'L':
        o.follows = true;
        break;
    case 'C':
    case 'x':
        o.by_columns = true;
        break;
    case '1':
        o.by_columns = false;
        break;
    case 'm':
        o.commas = true;
        break;
    case 'I':
        o.ignore = optarg;
        break;
    case 'Q':
        o.quotes = true;
        break;
    case 'w':
    case 'T':
    case 'k':
    case 'q':
    case 'N':
    case 'b':
    case 'H':
        break;
    case '?':
        tool_die_usage(2);
    default:
        long_option(c);
    }
}

int ls_main(int argc, char **argv) {
    tool_now(&o.now);
    o.time = 'm';
    for (int c; (c = getopt_long(argc, argv, "aAlhRdrtSXvUfucpFisgoGnLCx1mI:QwTkqNbH", longs,
                                 NULL)) != -1;) {
        option(c);
    }
    struct tool_list files = {0}, dirs = {0};
    static char *here[] = {(char *)".", NULL};
    char **args = argv[optind] ? argv + optind : here;
    for (char **a = args; *a; a++) {
        struct item *it = item_new(*a, tool_strdup(*a), true);
        if (it) {
            tool_push(S_ISDIR(it->st.st_mode) && !o.is_dir ? &dirs : &files, (char *)it);
        }
    }
    bool has_printed = files.n > 0, has_titles = (args[0] && args[1]) || o.is_recursive;
    put_items((struct item **)(void *)files.p, files.n);
    struct item **list = (struct item **)(void *)dirs.p;
    if (dirs.n && !o.unsorted) {
        qsort(list, dirs.n, sizeof *list, compare);
    }
    for (size_t i = 0; i < dirs.n; i++) {
        list_dir(list[i]->path, has_titles, &has_printed);
    }
    return bx_status;
}
