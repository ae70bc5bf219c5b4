// find_eval.c - the tests and actions of find
#include "programs/find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// --- tests

bool eval_and(struct node *n, struct entry *e) {
    return n->left->eval(n->left, e) && n->right->eval(n->right, e);
}
bool eval_or(struct node *n, struct entry *e) {
    return n->left->eval(n->left, e) || n->right->eval(n->right, e);
}
bool eval_comma(struct node *n, struct entry *e) {
    n->left->eval(n->left, e);
    return n->right->eval(n->right, e);
}
bool eval_not(struct node *n, struct entry *e) {
    return !n->left->eval(n->left, e);
}
bool eval_true(struct node *n, struct entry *e) {
    (void)n, (void)e;
    return true;
}
bool eval_false(struct node *n, struct entry *e) {
    (void)n, (void)e;
    return false;
}
bool eval_name(struct node *n, struct entry *e) {
    size_t len = strlen(e->name);
    char *name = len > 1 && e->name[len - 1] == '/' ? tool_strndup(e->name, len - 1) : NULL;
    bool r = fnmatch(n->text, name ? name : e->name, n->letter ? FNM_CASEFOLD : 0) == 0;
    free(name);
    return r;
}
bool eval_path(struct node *n, struct entry *e) {
    return fnmatch(n->text, e->path, n->letter ? FNM_CASEFOLD : 0) == 0;
}
bool eval_regex(struct node *n, struct entry *e) {
    return regex_find(n->re, e->path, strlen(e->path), 0, false, NULL);
}
static char type_of(mode_t mode) {
    return S_ISDIR(mode)    ? 'd'
           : S_ISLNK(mode)  ? 'l'
           : S_ISREG(mode)  ? 'f'
           : S_ISCHR(mode)  ? 'c'
           : S_ISBLK(mode)  ? 'b'
           : S_ISFIFO(mode) ? 'p'
                            : 's';
}
bool eval_type(struct node *n, struct entry *e) {
    return strchr(n->text, type_of(e->st.st_mode)) != NULL;
}
static bool compare(const struct node *n, long long value) {
    return n->sign > 0 ? value > n->number : n->sign < 0 ? value < n->number : value == n->number;
}
bool eval_size(struct node *n, struct entry *e) {
    return compare(n, (long long)((e->st.st_size + n->unit - 1) / n->unit));
}
bool eval_links(struct node *n, struct entry *e) {
    return compare(n, (long long)e->st.st_nlink);
}
bool eval_inum(struct node *n, struct entry *e) {
    return compare(n, (long long)e->st.st_ino);
}
bool eval_empty(struct node *n, struct entry *e) {
    (void)n;
    if (S_ISREG(e->st.st_mode)) {
        return e->st.st_size == 0;
    }
    DIR *d = S_ISDIR(e->st.st_mode) ? opendir(e->path) : NULL;
    bool is_empty = d != NULL;
    for (struct dirent *x; d && is_empty && (x = readdir(d));) {
        is_empty = !strcmp(x->d_name, ".") || !strcmp(x->d_name, "..");
    }
    if (d) {
        closedir(d);
    }
    return is_empty;
}
struct timespec find_time_of(const struct stat *st, char which) {
    return which == 'a' ? st->st_atim : which == 'c' ? st->st_ctim : st->st_mtim;
}
bool eval_age(struct node *n, struct entry *e) { // in days or minutes
    struct timespec t = find_time_of(&e->st, n->letter);
    long long age = (long long)f.now.tv_sec - (long long)t.tv_sec;
    if (f.now.tv_nsec < t.tv_nsec) {
        age--;
    }
    if (n->unit == 60) {
        return n->sign > 0   ? age > n->number * 60
               : n->sign < 0 ? age < n->number * 60
                             : age / 60 + (age % 60 > 0) == n->number;
    }
    return compare(n, age < 0 ? -((-age + n->unit - 1) / n->unit) : age / n->unit);
}
bool eval_newer(struct node *n, struct entry *e) {
    struct timespec t = find_time_of(&e->st, n->letter);
    return t.tv_sec > n->time.tv_sec || (t.tv_sec == n->time.tv_sec && t.tv_nsec > n->time.tv_nsec);
}
bool eval_perm(struct node *n, struct entry *e) {
    long long mode = e->st.st_mode & 07777;
    mode = mode ? mode : S_ISDIR(e->st.st_mode) ? 0755 : 0644;
    return n->letter == '-'   ? (mode & n->number) == n->number
           : n->letter == '/' ? !n->number || (mode & n->number) != 0
                              : mode == n->number;
}
bool eval_access(struct node *n, struct entry *e) {
    return n->letter != 'x' || S_ISDIR(e->st.st_mode) || (e->st.st_mode & 0111) != 0;
}
bool eval_link_name(struct node *n, struct entry *e) {
    char to[PATH_MAX];
    ssize_t len = S_ISLNK(e->st.st_mode) ? readlink(e->path, to, sizeof to - 1) : -1;
    if (len < 0) {
        return false;
    }
    to[len] = 0;
    return fnmatch(n->text, to, n->letter ? FNM_CASEFOLD : 0) == 0;
}

// --- actions

bool eval_print(struct node *n, struct entry *e) {
    fputs(e->path, n->out ? n->out : stdout);
    putc(n->letter, n->out ? n->out : stdout);
    return true;
}
bool eval_prune(struct node *n, struct entry *e) {
    (void)n;
    e->prune = true;
    return true;
}
bool eval_quit(struct node *n, struct entry *e) {
    (void)n, (void)e;
    f.quits = true;
    return true;
}
bool eval_delete(struct node *n, struct entry *e) {
    (void)n;
    if (!strcmp(e->path, ".")) {
        return true;
    }
    if ((S_ISDIR(e->st.st_mode) ? rmdir : unlink)(e->path)) {
        tool_warn("cannot delete '%s': %s", e->path, strerror(errno));
        return false;
    }
    return true;
}

static void put_mode(FILE *out, mode_t mode) {
    mode_t bits = mode & 07777 ? mode & 07777 : S_ISDIR(mode) ? 0755 : 0644;
    char type = type_of(mode);
    putc(type == 'f' ? '-' : type, out);
    for (int i = 8; i >= 0; i--) {
        putc(bits & 1u << i ? "xwr"[i % 3] : '-', out);
    }
}

static void put_time(FILE *out, struct timespec t, char how) {
    char text[200], format[3] = {'%', how, 0};
    struct tm *tm = gmtime(&t.tv_sec);
    if (how == '@') {
        fprintf(out, "%lld.%09ld0", (long long)t.tv_sec, t.tv_nsec);
    } else if (how == '+' || how == 'T' || how == 'S') {
        strftime(text, sizeof text,
                 how == '+'   ? "%Y-%m-%d+%H:%M:%S"
                 : how == 'T' ? "%H:%M:%S"
                              : "%S",
                 tm);
        fprintf(out, "%s.%09ld0", text, t.tv_nsec);
    } else if (how == 'c' || !how) {
        strftime(text, sizeof text, "%a %b %e %H:%M:%S", tm);
        fprintf(out, "%s.%09ld0 %d", text, t.tv_nsec, tm->tm_year + 1900);
    } else {
        strftime(text, sizeof text, format, tm);
        fputs(text, out);
    }
}

static void put_padded(FILE *out, const char *flags, const char *text) {
    char format[40];
    snprintf(format, sizeof format, "%%%.30ss", flags);
    fprintf(out, format, text);
}

// One % of -printf; returns what is behind it
static const char *put_directive(FILE *out, const char *p, struct entry *e) {
    char flags[32], text[PATH_MAX + 8];
    size_t n = strspn(p, "-+ #0123456789.");
    snprintf(flags, sizeof flags, "%.*s", (int)TOOL_MIN(n, 30), p);
    p += n;
    const char *slash = strrchr(e->path, '/');
    size_t start_len = strlen(e->start);
    *text = 0;
    switch (*p) {
    case '%':
        putc('%', out);
        return p + 1;
    case 'p':
        put_padded(out, flags, e->path);
        return p + 1;
    case 'f':
        put_padded(out, flags, e->name);
        return p + 1;
    case 'h':
        snprintf(text, sizeof text, "%.*s", slash ? (int)(slash - e->path) : 1,
                 slash ? e->path : ".");
        break;
    case 'P': {
        const char *rest = e->path + start_len;
        put_padded(out, flags, *rest == '/' ? rest + 1 : rest);
        return p + 1;
    }
    case 'H':
        put_padded(out, flags, e->start);
        return p + 1;
    case 's':
        snprintf(text, sizeof text, "%lld", (long long)e->st.st_size);
        break;
    case 'k':
        snprintf(text, sizeof text, "%lld", ((long long)e->st.st_size + 4095) / 4096 * 4);
        break;
    case 'b':
        snprintf(text, sizeof text, "%lld", ((long long)e->st.st_size + 4095) / 4096 * 8);
        break;
    case 'd':
        snprintf(text, sizeof text, "%d", e->depth);
        break;
    case 'n':
        snprintf(text, sizeof text, "%lld", (long long)e->st.st_nlink);
        break;
    case 'i':
        snprintf(text, sizeof text, "%lld", (long long)e->st.st_ino);
        break;
    case 'm':
        snprintf(text, sizeof text, "%o",
                 (unsigned)(e->st.st_mode & 07777    ? e->st.st_mode & 07777
                            : S_ISDIR(e->st.st_mode) ? 0755
                                                     : 0644));
        break;
    case 'M':
        put_mode(out, e->st.st_mode);
        return p + 1;
    case 'y':
    case 'Y':
        snprintf(text, sizeof text, "%c", type_of(e->st.st_mode));
        break;
    case 'u':
    case 'g':
        snprintf(text, sizeof text, "user");
        break;
    case 'U':
    case 'G':
        snprintf(text, sizeof text, "1000");
        break;
    case 'l': {
        ssize_t len = S_ISLNK(e->st.st_mode) ? readlink(e->path, text, PATH_MAX) : 0;
        text[len < 0 ? 0 : len] = 0;
        break;
    }
    case 't':
    case 'a':
    case 'c':
        put_time(out, find_time_of(&e->st, *p == 't' ? 'm' : *p), 0);
        return p + 1;
    case 'T':
    case 'A':
    case 'C':
        put_time(out, find_time_of(&e->st, *p == 'T' ? 'm' : (char)tolower(*p)), p[1]);
        return p + 1 + (p[1] != 0);
    default:
        putc('%', out);
        if (*p) {
            putc(*p, out);
        }
        return p + (*p != 0);
    }
    put_padded(out, flags, text);
    return p + 1;
}

bool eval_printf(struct node *n, struct entry *e) {
    FILE *out = n->out ? n->out : stdout;
    for (const char *p = n->text; *p;) {
        if (*p == '%') {
            p = put_directive(out, p + 1, e);
            continue;
        }
        if (*p != '\\' || !p[1]) {
            putc(*p++, out);
            continue;
        }
        static const char from[] = "ntrabfv\\\"", to[] = "\n\t\r\a\b\f\v\\\"";
        const char *at = strchr(from, p[1]);
        if (p[1] >= '0' && p[1] <= '7') {
            int value = 0, i = 1;
            for (; i <= 3 && p[i] >= '0' && p[i] <= '7'; i++) {
                value = value * 8 + p[i] - '0';
            }
            putc(value, out);
            p += i;
        } else if (p[1] == 'c') {
            fflush(out);
            return true;
        } else {
            putc(at ? to[at - from] : '\\', out);
            if (!at) {
                putc(p[1], out);
            }
            p += 2;
        }
    }
    return true;
}

static void put_ls(FILE *out, struct entry *e) {
    char when[40], to[PATH_MAX];
    struct tm *tm = gmtime(&e->st.st_mtime);
    bool is_recent = f.now.tv_sec - e->st.st_mtime < 15778476 && e->st.st_mtime <= f.now.tv_sec;
    strftime(when, sizeof when, is_recent ? "%b %e %H:%M" : "%b %e  %Y", tm);
    fprintf(out, "%9lld %6lld ", (long long)e->st.st_ino,
            ((long long)e->st.st_size + 4095) / 4096 * 4);
    put_mode(out, e->st.st_mode);
    fprintf(out, " %3lld %-8s %-8s %8lld %s %s", (long long)e->st.st_nlink, "user", "user",
            (long long)e->st.st_size, when, e->path);
    if (S_ISLNK(e->st.st_mode)) {
        ssize_t len = readlink(e->path, to, sizeof to - 1);
        fprintf(out, " -> %.*s", len < 0 ? 0 : (int)len, to);
    }
    putc('\n', out);
}

bool eval_ls(struct node *n, struct entry *e) {
    put_ls(n->out ? n->out : stdout, e);
    return true;
}

static int run_with(struct node *n, const char *path) {
    struct tool_list args = {0};
    for (size_t i = 0; i < n->argc; i++) {
        struct tool_buf buf = {0};
        const char *p = n->argv[i];
        for (const char *q; (q = strstr(p, "{}")); p = q + 2) {
            tool_put(&buf, p, (size_t)(q - p));
            tool_puts(&buf, path);
        }
        tool_puts(&buf, p);
        tool_push(&args, buf.p);
    }
    int status = tool_run(args.p, true);
    for (size_t i = 0; i < args.n; i++) {
        free(args.p[i]);
    }
    free(args.p);
    return status;
}

void find_run_collected(struct node *n) {
    struct tool_list args = {0};
    if (!n->files.n) {
        return;
    }
    for (size_t i = 0; i + 1 < n->argc; i++) {
        tool_push(&args, n->argv[i]);
    }
    for (size_t i = 0; i < n->files.n; i++) {
        tool_push(&args, n->files.p[i]);
    }
    if (tool_run(args.p, true)) {
        bx_status = 1;
    }
    for (size_t i = 0; i < n->files.n; i++) {
        free(n->files.p[i]);
    }
    n->files.n = n->bytes = 0;
    free(args.p);
}

bool eval_exec(struct node *n, struct entry *e) {
    char *here = NULL, *local = NULL;
    const char *path = e->path;
    if (n->in_dir) {
        const char *slash = strrchr(e->path, '/');
        char *dir = slash ? tool_strndup(e->path, slash == e->path ? 1 : (size_t)(slash - e->path))
                          : tool_strdup(".");
        here = getcwd(NULL, 0);
        local = tool_join(".", slash ? slash + 1 : e->path);
        path = local;
        if (chdir(dir)) {
            tool_warn_file(dir);
        }
        free(dir);
    }
    bool r = true;
    if (n->is_plus && !n->in_dir) {
        tool_push(&n->files, tool_strdup(path));
        n->bytes += strlen(path) + 1;
        if (n->bytes > EXEC_BYTES || n->files.n >= EXEC_COUNT) {
            find_run_collected(n);
        }
    } else {
        r = run_with(n, path) == 0;
    }
    if (here && chdir(here)) {
        tool_warn_file(here);
    }
    free(here);
    free(local);
    return r;
}
