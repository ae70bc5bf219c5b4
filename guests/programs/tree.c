// tree.c - du and tree
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool names_of(const char *dir, struct tool_list *names, bool is_sorted) {
    DIR *d = opendir(dir);
    if (!d) {
        return false;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            tool_push(names, tool_strdup(e->d_name));
        }
    }
    closedir(d);
    if (names->n && is_sorted) {
        qsort(names->p, names->n, sizeof *names->p, by_name);
    }
    return true;
}

// --- du

static struct {
    bool shows_all, only_total, is_human, is_si, grand_total, apparent, separate_dirs,
        counts_inodes;
    int max_depth;
    long long unit, threshold;
    struct tool_list excluded;
    char end;
} du;

static void du_put(long long bytes, const char *path) {
    char text[24];
    if (du.threshold > 0 ? bytes < du.threshold : bytes > -du.threshold && du.threshold < 0) {
        return;
    }
    if (du.counts_inodes) {
        printf("%lld\t%s%c", bytes, path, du.end);
        return;
    }
    if (du.is_human) {
        tool_human(text, (unsigned long long)bytes, du.is_si ? 1000 : 1024);
    } else {
        snprintf(text, sizeof text, "%lld", (bytes + du.unit - 1) / du.unit);
    }
    printf("%s\t%s%c", text, path, du.end);
}

static bool du_is_out(const char *path, const char *name) {
    for (size_t i = 0; i < du.excluded.n; i++) {
        if (fnmatch(du.excluded.p[i], name, 0) == 0 || fnmatch(du.excluded.p[i], path, 0) == 0) {
            return true;
        }
    }
    return false;
}

static long long du_of(const char *path, const char *name, int depth) {
    struct stat st;
    struct tool_list names = {0};
    if (du_is_out(path, name)) {
        return 0;
    }
    if (lstat(path, &st)) {
        tool_warn("cannot access '%s': %s", path, strerror(errno));
        return 0;
    }
    bool is_dir = S_ISDIR(st.st_mode);
    long long blocks = S_ISLNK(st.st_mode) ? 0
                       : is_dir            ? 4096
                                           : ((long long)st.st_size + 4095) / 4096 * 4096;
    long long sum = du.counts_inodes ? 1
                    : du.apparent    ? (is_dir ? 4096 : (long long)st.st_size)
                                     : blocks,
              below = 0;
    if (is_dir) {
        if (!names_of(path, &names, false)) {
            tool_warn("cannot read directory '%s': %s", path, strerror(errno));
        }
        for (size_t i = 0; i < names.n; i++) {
            char *p = tool_join(path, names.p[i]);
            struct stat one;
            long long n = du_of(p, names.p[i], depth + 1);
            bool is_sub = lstat(p, &one) == 0 && S_ISDIR(one.st_mode);
            below += n;
            sum += du.separate_dirs && is_sub ? 0 : n;
            free(p);
            free(names.p[i]);
        }
        free(names.p);
    }
    if ((is_dir || du.shows_all || !depth) && depth <= du.max_depth) {
        du_put(sum, path);
    }
    return du.separate_dirs && is_dir ? sum + below - (sum - (du.apparent ? 4096 : 4096)) : sum;
}

int du_main(int argc, char **argv) {
    static const struct option longs[] = {{"all", 0, 0, 'a'},
                                          {"summarize", 0, 0, 's'},
                                          {"human-readable", 0, 0, 'h'},
                                          {"bytes", 0, 0, 'b'},
                                          {"max-depth", 1, 0, 'd'},
                                          {"total", 0, 0, 'c'},
                                          {"apparent-size", 0, 0, 'A'},
                                          {"block-size", 1, 0, 'B'},
                                          {"exclude", 1, 0, 'X'},
                                          {"separate-dirs", 0, 0, 'S'},
                                          {"si", 0, 0, 'H'},
                                          {"null", 0, 0, '0'},
                                          {"threshold", 1, 0, 't'},
                                          {"inodes", 0, 0, 'i'},
                                          {"one-file-system", 0, 0, 'x'},
                                          {0}};
    du.max_depth = INT_MAX;
    du.unit = 1024;
    du.end = '\n';
    for (int c; (c = getopt_long(argc, argv, "ashbd:cB:SkmxLPDlt:0H", longs, NULL)) != -1;) {
        switch (c) {
        case 'a':
            du.shows_all = true;
            break;
        case 's':
            du.max_depth = 0;
            break;
        case 'h':
            du.is_human = true;
            break;
        case 'H':
            du.is_human = du.is_si = true;
            break;
        case 'b':
            du.apparent = true;
            du.unit = 1;
            break;
        case 'd':
            du.max_depth = atoi(optarg);
            break;
        case 'c':
            du.grand_total = true;
            break;
        case 'A':
            du.apparent = true;
            break;
        case 'B':
            if (!tool_size(optarg[0] >= '0' && optarg[0] <= '9' ? optarg
                                                                : (char[]){'1', optarg[0], 0},
                           &du.unit) ||
                du.unit < 1) {
                tool_die(1, "invalid --block-size argument '%s'", optarg);
            }
            break;
        case 'X':
            tool_push(&du.excluded, optarg);
            break;
        case 'S':
            du.separate_dirs = true;
            break;
        case 'k':
            du.unit = 1024;
            break;
        case 'm':
            du.unit = 1 << 20;
            break;
        case '0':
            du.end = 0;
            break;
        case 't':
            tool_size(optarg, &du.threshold);
            break;
        case 'i':
            du.counts_inodes = true;
            break;
        case '?':
            tool_die_usage(1);
        default:
            break;
        }
    }
    static char *here[] = {(char *)".", NULL};
    long long total = 0;
    for (char **a = argv[optind] ? argv + optind : here; *a; a++) {
        size_t n = strlen(*a);
        while (n > 1 && (*a)[n - 1] == '/') {
            (*a)[--n] = 0;
        }
        const char *slash = strrchr(*a, '/');
        total += du_of(*a, slash && slash[1] ? slash + 1 : *a, 0);
    }
    if (du.grand_total) {
        du_put(total, "total");
    }
    return bx_status;
}

// --- tree

static struct {
    bool shows_all, only_dirs, full_path, shows_size, is_human, dirs_first, no_report, no_lines,
        marks, is_ascii, gitignore, prunes;
    int max_depth;
    struct tool_list wanted, ignored;
    bool is_caseless;
    size_t dirs, files;
} t;

// "a|b" are alternatives
static bool tree_match(const struct tool_list *patterns, const char *name) {
    for (size_t i = 0; i < patterns->n; i++) {
        char *copy = tool_strdup(patterns->p[i]), *save = NULL;
        for (char *p = strtok_r(copy, "|", &save); p; p = strtok_r(NULL, "|", &save)) {
            size_t n = strlen(p);
            if (n > 1 && p[n - 1] == '/') {
                p[n - 1] = 0;
            }
            if (fnmatch(p, name, FNM_PERIOD | (t.is_caseless ? FNM_CASEFOLD : 0)) == 0 ||
                fnmatch(p, name, t.is_caseless ? FNM_CASEFOLD : 0) == 0) {
                free(copy);
                return true;
            }
        }
        free(copy);
    }
    return false;
}

static bool tree_is_dir(const char *dir, const char *name) {
    struct stat st;
    char *path = tool_join(dir, name);
    bool r = lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
    free(path);
    return r;
}

static void tree_item(const char *path, const char *name, const struct stat *st) {
    if (t.shows_size || t.is_human) {
        char text[24];
        if (t.is_human) {
            tool_human(text, (unsigned long long)st->st_size, 1024);
            printf("[%4s]  ", text);
        } else {
            printf("[%11lld]  ", (long long)st->st_size);
        }
    }
    fputs(t.full_path ? path : name, stdout);
    if (S_ISLNK(st->st_mode)) {
        char to[PATH_MAX];
        ssize_t n = readlink(path, to, sizeof to - 1);
        printf(" -> %.*s", n < 0 ? 0 : (int)n, to);
    } else if (t.marks && S_ISDIR(st->st_mode)) {
        putchar('/');
    }
    putchar('\n');
}

static void tree_below(const char *dir, struct tool_buf *prefix, int depth) {
    struct tool_list names = {0}, shown = {0};
    if (depth > t.max_depth || !names_of(dir, &names, true)) {
        return;
    }
    for (int pass = 0; pass < (t.dirs_first ? 2 : 1); pass++) {
        for (size_t i = 0; i < names.n; i++) {
            bool is_dir = tree_is_dir(dir, names.p[i]);
            bool is_out = (*names.p[i] == '.' && !t.shows_all) || (t.only_dirs && !is_dir) ||
                          tree_match(&t.ignored, names.p[i]) ||
                          (t.wanted.n && !is_dir && !tree_match(&t.wanted, names.p[i]));
            if (!is_out && (!t.dirs_first || is_dir == !pass)) {
                tool_push(&shown, names.p[i]);
            }
        }
    }
    for (size_t i = 0; i < shown.n; i++) {
        char *path = tool_join(dir, shown.p[i]);
        struct stat st = {0};
        bool is_last = i + 1 == shown.n;
        size_t before = prefix->n;
        lstat(path, &st);
        if (!t.no_lines) {
            fputs(prefix->p, stdout);
            fputs(is_last ? (t.is_ascii ? "`-- " : "\342\224\224\342\224\200\342\224\200 ")
                          : (t.is_ascii ? "|-- " : "\342\224\234\342\224\200\342\224\200 "),
                  stdout);
        }
        tree_item(path, shown.p[i], &st);
        if (S_ISDIR(st.st_mode)) {
            t.dirs++;
            tool_puts(prefix, is_last      ? "    "
                              : t.is_ascii ? "|   "
                                           : "\342\224\202\302\240\302\240 ");
            tree_below(path, prefix, depth + 1);
            prefix->n = before;
            prefix->p[before] = 0;
        } else {
            t.files++;
        }
        free(path);
    }
    for (size_t i = 0; i < names.n; i++) {
        free(names.p[i]);
    }
    free(names.p);
    free(shown.p);
}

int tree_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"dirsfirst", 0, 0, 'D'},   {"noreport", 0, 0, 'N'},  {"charset", 1, 0, 'c'},
        {"ignore-case", 0, 0, 'K'}, {"gitignore", 0, 0, 'g'}, {"prune", 0, 0, 'g'},
        {"filelimit", 1, 0, 'x'},   {"sort", 1, 0, 'x'},      {0}};
    t.max_depth = INT_MAX;
    for (int c; (c = getopt_long(argc, argv, "adfshL:P:I:iFnCrtU", longs, NULL)) != -1;) {
        switch (c) {
        case 'a':
            t.shows_all = true;
            break;
        case 'd':
            t.only_dirs = true;
            break;
        case 'f':
            t.full_path = true;
            break;
        case 's':
            t.shows_size = true;
            break;
        case 'h':
            t.is_human = true;
            break;
        case 'L':
            t.max_depth = atoi(optarg);
            break;
        case 'P':
            tool_push(&t.wanted, optarg);
            break;
        case 'I':
            tool_push(&t.ignored, optarg);
            break;
        case 'i':
            t.no_lines = true;
            break;
        case 'F':
            t.marks = true;
            break;
        case 'D':
            t.dirs_first = true;
            break;
        case 'N':
            t.no_report = true;
            break;
        case 'c':
            t.is_ascii = strcmp(optarg, "ascii") == 0 || strcmp(optarg, "ASCII") == 0;
            break;
        case 'K':
            t.is_caseless = true;
            break;
        case '?':
            return 1;
        default:
            break;
        }
    }
    if (t.max_depth < 1) {
        tool_die(1, "Invalid level, must be greater than 0.");
    }
    static char *here[] = {(char *)".", NULL};
    for (char **a = argv[optind] ? argv + optind : here; *a; a++) {
        struct tool_buf prefix = {0};
        struct stat st;
        tool_puts(&prefix, "");
        if (lstat(*a, &st)) {
            printf("%s  [error opening dir]\n", *a);
            bx_status = 2;
            continue;
        }
        tree_item(*a, *a, &st);
        t.dirs += S_ISDIR(st.st_mode);
        t.files += !S_ISDIR(st.st_mode);
        tree_below(*a, &prefix, 1);
    }
    if (!t.no_report) {
        printf("\n%zu director%s", t.dirs, t.dirs == 1 ? "y" : "ies");
        printf(t.only_dirs ? "\n" : ", %zu file%s\n", t.files, t.files == 1 ? "" : "s");
    }
    return bx_status;
}
