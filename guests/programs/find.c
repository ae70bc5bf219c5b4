// find.c - find: GNU's tests and actions
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/regex.h"
#include "programs/tool.h"

enum { EXEC_BYTES = 100000, EXEC_COUNT = 4000, MAX_DEPTH = 400 };

struct entry {
    const char *path, *name, *start; // start: the argument that it is below
    struct stat st;
    int depth;
    bool prune;
};

struct node;
typedef bool eval_fn(struct node *n, struct entry *e);
struct node {
    eval_fn *eval;
    struct node *left, *right;
    const char *text;
    struct regex *re;
    long long number;
    int sign; // of +N and -N
    long long unit;
    char letter;
    struct timespec time;
    char **argv; // of -exec
    size_t argc;
    bool is_plus, in_dir;
    struct tool_list files; // of -exec … +
    size_t bytes;
    FILE *out;
};

static struct {
    char **argv;
    bool has_action, depth_first, follows, same_argument_links, quits;
    int min_depth, max_depth;
    enum regex_syntax syntax;
    struct timespec now;
    bool from_midnight;
    struct tool_list dirs;
    struct node *plus[32];
    int n_plus;
} f;

// --- tests

static bool eval_and(struct node *n, struct entry *e) {
    return n->left->eval(n->left, e) && n->right->eval(n->right, e);
}
static bool eval_or(struct node *n, struct entry *e) {
    return n->left->eval(n->left, e) || n->right->eval(n->right, e);
}
static bool eval_comma(struct node *n, struct entry *e) {
    n->left->eval(n->left, e);
    return n->right->eval(n->right, e);
}
static bool eval_not(struct node *n, struct entry *e) {
    return !n->left->eval(n->left, e);
}
static bool eval_true(struct node *n, struct entry *e) {
    (void)n, (void)e;
    return true;
}
static bool eval_false(struct node *n, struct entry *e) {
    (void)n, (void)e;
    return false;
}
static bool eval_name(struct node *n, struct entry *e) {
    size_t len = strlen(e->name);
    char *name = len > 1 && e->name[len - 1] == '/' ? tool_strndup(e->name, len - 1) : NULL;
    bool r = fnmatch(n->text, name ? name : e->name, n->letter ? FNM_CASEFOLD : 0) == 0;
    free(name);
    return r;
}
static bool eval_path(struct node *n, struct entry *e) {
    return fnmatch(n->text, e->path, n->letter ? FNM_CASEFOLD : 0) == 0;
}
static bool eval_regex(struct node *n, struct entry *e) {
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
static bool eval_type(struct node *n, struct entry *e) {
    return strchr(n->text, type_of(e->st.st_mode)) != NULL;
}
static bool compare(const struct node *n, long long value) {
    return n->sign > 0 ? value > n->number : n->sign < 0 ? value < n->number : value == n->number;
}
static bool eval_size(struct node *n, struct entry *e) {
    return compare(n, (long long)((e->st.st_size + n->unit - 1) / n->unit));
}
static bool eval_links(struct node *n, struct entry *e) {
    return compare(n, (long long)e->st.st_nlink);
}
static bool eval_inum(struct node *n, struct entry *e) {
    return compare(n, (long long)e->st.st_ino);
}
static bool eval_empty(struct node *n, struct entry *e) {
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
static struct timespec time_of(const struct stat *st, char which) {
    return which == 'a' ? st->st_atim : which == 'c' ? st->st_ctim : st->st_mtim;
}
static bool eval_age(struct node *n, struct entry *e) { // in days or minutes
    struct timespec t = time_of(&e->st, n->letter);
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
static bool eval_newer(struct node *n, struct entry *e) {
    struct timespec t = time_of(&e->st, n->letter);
    return t.tv_sec > n->time.tv_sec || (t.tv_sec == n->time.tv_sec && t.tv_nsec > n->time.tv_nsec);
}
static bool eval_perm(struct node *n, struct entry *e) {
    long long mode = e->st.st_mode & 07777;
    mode = mode ? mode : S_ISDIR(e->st.st_mode) ? 0755 : 0644;
    return n->letter == '-'   ? (mode & n->number) == n->number
           : n->letter == '/' ? !n->number || (mode & n->number) != 0
                              : mode == n->number;
}
static bool eval_access(struct node *n, struct entry *e) {
    return n->letter != 'x' || S_ISDIR(e->st.st_mode) || (e->st.st_mode & 0111) != 0;
}
static bool eval_link_name(struct node *n, struct entry *e) {
    char to[PATH_MAX];
    ssize_t len = S_ISLNK(e->st.st_mode) ? readlink(e->path, to, sizeof to - 1) : -1;
    if (len < 0) {
        return false;
    }
    to[len] = 0;
    return fnmatch(n->text, to, n->letter ? FNM_CASEFOLD : 0) == 0;
}

// --- actions

static bool eval_print(struct node *n, struct entry *e) {
    fputs(e->path, n->out ? n->out : stdout);
    putc(n->letter, n->out ? n->out : stdout);
    return true;
}
static bool eval_prune(struct node *n, struct entry *e) {
    (void)n;
    e->prune = true;
    return true;
}
static bool eval_quit(struct node *n, struct entry *e) {
    (void)n, (void)e;
    f.quits = true;
    return true;
}
static bool eval_delete(struct node *n, struct entry *e) {
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
        put_time(out, time_of(&e->st, *p == 't' ? 'm' : *p), 0);
        return p + 1;
    case 'T':
    case 'A':
    case 'C':
        put_time(out, time_of(&e->st, *p == 'T' ? 'm' : (char)tolower(*p)), p[1]);
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

static bool eval_printf(struct node *n, struct entry *e) {
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

static bool eval_ls(struct node *n, struct entry *e) {
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

static void run_collected(struct node *n) {
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

static bool eval_exec(struct node *n, struct entry *e) {
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
            run_collected(n);
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

// --- the expression

static struct node *parse_comma(void);

static struct node *new_node(eval_fn *eval) {
    struct node *n = tool_alloc(sizeof *n);
    memset(n, 0, sizeof *n);
    n->eval = eval;
    return n;
}

static char *argument(const char *of) {
    if (!*f.argv) {
        tool_die(1, "missing argument to `%s'", of);
    }
    return *f.argv++;
}

static void parse_number(struct node *n, const char *text, const char *of, char **ret_end) {
    const char *p = text;
    n->sign = *p == '+' ? 1 : *p == '-' ? -1 : 0;
    p += n->sign != 0;
    n->number = strtoll(p, ret_end, 10);
    if (*ret_end == p) {
        tool_die(1, "invalid argument `%s' to `%s'", text, of);
    }
}

static struct node *size_node(const char *of) {
    struct node *n = new_node(eval_size);
    char *text = argument(of), *end;
    parse_number(n, text, of, &end);
    static const char letters[] = "bcwkMG";
    static const long long units[] = {512, 1, 2, 1024, 1 << 20, 1 << 30};
    const char *at = *end ? strchr(letters, *end) : letters;
    if (!at || (*end && end[1])) {
        tool_die(1, "invalid -size type `%s'", end);
    }
    n->unit = units[at - letters];
    return n;
}

static struct node *count_node(eval_fn *eval, const char *of, long long unit, char letter) {
    struct node *n = new_node(eval);
    char *text = argument(of), *end;
    parse_number(n, text, of, &end);
    if (*end) {
        tool_die(1, "invalid argument `%s' to `%s'", text, of);
    }
    n->unit = unit;
    n->letter = letter;
    return n;
}

static struct node *newer_node(const char *of, char which, char reference) {
    struct node *n = new_node(eval_newer);
    const char *path = argument(of);
    struct stat st;
    n->letter = which;
    if (reference == 't') {
        if (!tool_date(path, f.now, &n->time)) {
            tool_die(1, "I cannot figure out how to interpret `%s' as a date or time", path);
        }
    } else if (stat(path, &st)) {
        tool_die(1, "%s: %s", tool_quote(path), strerror(errno));
    } else {
        n->time = time_of(&st, reference);
    }
    return n;
}

static struct node *regex_node(const char *of, bool is_caseless) {
    struct node *n = new_node(eval_regex);
    const char *text = argument(of), *why;
    struct regex_options options = {
        .syntax = f.syntax, .is_caseless = is_caseless, .is_line = true};
    size_t len = strlen(text);
    n->re = regex_new(&text, &len, 1, &options, &why);
    if (!n->re) {
        tool_die(1, "%s: %s", text, why);
    }
    return n;
}

static long long symbolic_mode(const char *text) {
    long long mode = 0, bits = 0, who = 0;
    for (const char *p = text; *p; p++) {
        if (*p == ',') {
            who = bits = 0;
        } else if (strchr("ugoa", *p)) {
            who |= *p == 'u' ? 0700 : *p == 'g' ? 070 : *p == 'o' ? 07 : 0777;
        } else if (strchr("rwx", *p)) {
            bits = *p == 'r' ? 0444 : *p == 'w' ? 0222 : 0111;
            mode |= bits & (who ? who : 0777);
        } else if (!strchr("+=", *p)) {
            tool_die(1, "invalid mode '%s'", text);
        }
    }
    return mode;
}

static struct node *perm_node(void) {
    struct node *n = new_node(eval_perm);
    const char *text = argument("-perm");
    if (*text == '-' || *text == '/') {
        n->letter = *text++;
    }
    char *end;
    n->number = strtoll(text, &end, 8);
    if (*end || end == text) {
        n->number = symbolic_mode(text);
    }
    return n;
}

static struct node *exec_node(const char *of) {
    struct node *n = new_node(eval_exec);
    n->in_dir = strstr(of, "dir") != NULL;
    n->argv = f.argv;
    for (;; n->argc++) {
        const char *a = f.argv[n->argc];
        if (!a) {
            tool_die(1, "missing argument to `%s'", of);
        }
        if (!strcmp(a, ";")) {
            break;
        }
        if (!strcmp(a, "+") && n->argc && !strcmp(f.argv[n->argc - 1], "{}")) {
            n->is_plus = true;
            break;
        }
    }
    f.argv += n->argc + 1;
    f.has_action = true;
    if (!n->argc) {
        tool_die(1, "missing argument to `%s'", of);
    }
    if (n->is_plus && f.n_plus < (int)TOOL_LEN(f.plus)) {
        f.plus[f.n_plus++] = n;
    }
    return n;
}

static FILE *output_file(const char *of) {
    const char *path = argument(of);
    FILE *out = !strcmp(path, "/dev/stdout")   ? stdout
                : !strcmp(path, "/dev/stderr") ? stderr
                                               : fopen(path, "w");
    if (!out) {
        tool_die(1, "%s: %s", tool_quote(path), strerror(errno));
    }
    return out;
}

static struct node *print_node(const char *a) {
    bool to_file = a[1] == 'f';
    const char *kind = a + 1 + to_file;
    struct node *n = new_node(strcmp(kind, "printf") == 0 ? eval_printf
                              : strcmp(kind, "ls") == 0   ? eval_ls
                                                          : eval_print);
    n->out = to_file ? output_file(a) : NULL;
    if (n->eval == eval_printf) {
        n->text = argument(a);
    }
    n->letter = strcmp(kind, "print0") == 0 ? 0 : '\n';
    f.has_action = true;
    return n;
}

static struct node *text_node(eval_fn *eval, const char *of, bool is_caseless) {
    struct node *n = new_node(eval);
    n->text = argument(of);
    n->letter = is_caseless;
    return n;
}

static struct node *option_node(const char *a) {
    if (!strcmp(a, "-maxdepth") || !strcmp(a, "-mindepth")) {
        char *text = argument(a), *end;
        long n = strtol(text, &end, 10);
        if (*end || end == text || n < 0) {
            tool_die(1, "Expected a positive decimal integer argument to %s, but got %s", a,
                     tool_quote(text));
        }
        *(a[2] == 'a' ? &f.max_depth : &f.min_depth) = (int)n;
    } else if (!strcmp(a, "-depth") || !strcmp(a, "-d")) {
        f.depth_first = true;
    } else if (!strcmp(a, "-follow")) {
        f.follows = true;
    } else if (!strcmp(a, "-regextype")) {
        const char *text = argument(a);
        f.syntax = strstr(text, "extended") || strstr(text, "egrep") || strstr(text, "awk")
                       ? REGEX_EXTENDED
                       : REGEX_BASIC;
    } else if (!strcmp(a, "-daystart")) {
        f.now.tv_sec = (f.now.tv_sec / 86400 + 1) * 86400;
    } else if (strcmp(a, "-mount") && strcmp(a, "-xdev") && strcmp(a, "-noleaf") &&
               strcmp(a, "-warn") && strcmp(a, "-nowarn") && strcmp(a, "-ignore_readdir_race")) {
        return NULL;
    }
    return new_node(eval_true);
}

static struct node *test_node(const char *a) {
    static const struct {
        const char *name;
        eval_fn *eval;
        bool is_caseless;
    } texts[] = {{"-name", eval_name, false},       {"-iname", eval_name, true},
                 {"-path", eval_path, false},       {"-ipath", eval_path, true},
                 {"-wholename", eval_path, false},  {"-iwholename", eval_path, true},
                 {"-lname", eval_link_name, false}, {"-ilname", eval_link_name, true}};
    for (size_t i = 0; i < TOOL_LEN(texts); i++) {
        if (!strcmp(a, texts[i].name)) {
            return text_node(texts[i].eval, a, texts[i].is_caseless);
        }
    }
    if (!strcmp(a, "-regex") || !strcmp(a, "-iregex")) {
        return regex_node(a, a[1] == 'i');
    }
    if (!strcmp(a, "-type") || !strcmp(a, "-xtype")) {
        struct node *n = text_node(eval_type, a, false);
        if (strspn(n->text, "fdlbcps,") != strlen(n->text) || !*n->text) {
            tool_die(1, "Unknown argument to %s: %c", a, *n->text);
        }
        return n;
    }
    if (!strcmp(a, "-size")) {
        return size_node(a);
    }
    if (!strcmp(a, "-links") || !strcmp(a, "-inum")) {
        return count_node(a[1] == 'l' ? eval_links : eval_inum, a, 1, 0);
    }
    size_t len = strlen(a);
    if ((len == 6 && !strcmp(a + 2, "time")) || (len == 5 && !strcmp(a + 2, "min"))) {
        return count_node(eval_age, a, len == 6 ? 86400 : 60, a[1]);
    }
    if (!strcmp(a, "-newer") || !strcmp(a, "-anewer") || !strcmp(a, "-cnewer")) {
        return newer_node(a, a[1] == 'n' ? 'm' : a[1], 'm');
    }
    if (!strncmp(a, "-newer", 6) && len == 8) {
        return newer_node(a, a[6], a[7]);
    }
    if (!strcmp(a, "-perm")) {
        return perm_node();
    }
    if (!strcmp(a, "-empty")) {
        return new_node(eval_empty);
    }
    if (!strcmp(a, "-readable") || !strcmp(a, "-writable") || !strcmp(a, "-executable")) {
        struct node *n = new_node(eval_access);
        n->letter = a[1] == 'e' ? 'x' : 'r';
        return n;
    }
    if (!strcmp(a, "-user") || !strcmp(a, "-group") || !strcmp(a, "-uid") || !strcmp(a, "-gid")) {
        const char *who = argument(a);
        return new_node(!strcmp(who, "user") || !strcmp(who, "1000") ? eval_true : eval_false);
    }
    return NULL;
}

static struct node *action_node(const char *a) {
    if (!strcmp(a, "-print") || !strcmp(a, "-print0") || !strcmp(a, "-printf") ||
        !strcmp(a, "-ls") || !strcmp(a, "-fprint") || !strcmp(a, "-fprint0") ||
        !strcmp(a, "-fprintf") || !strcmp(a, "-fls")) {
        return print_node(a);
    }
    if (!strcmp(a, "-exec") || !strcmp(a, "-execdir") || !strcmp(a, "-ok") ||
        !strcmp(a, "-okdir")) {
        return exec_node(a);
    }
    if (!strcmp(a, "-delete")) {
        f.has_action = f.depth_first = true;
        return new_node(eval_delete);
    }
    if (!strcmp(a, "-quit")) {
        f.has_action = true;
        return new_node(eval_quit);
    }
    return !strcmp(a, "-prune")   ? new_node(eval_prune)
           : !strcmp(a, "-true")  ? new_node(eval_true)
           : !strcmp(a, "-false") ? new_node(eval_false)
                                  : NULL;
}

static struct node *parse_one(void) {
    if (!*f.argv) {
        tool_die(1, "expected an expression");
    }
    const char *a = *f.argv++;
    struct node *n;
    if (!strcmp(a, "!") || !strcmp(a, "-not")) {
        n = new_node(eval_not);
        n->left = parse_one();
        return n;
    }
    if (!strcmp(a, "(")) {
        n = parse_comma();
        if (!*f.argv || strcmp(*f.argv, ")")) {
            tool_die(
                1,
                "invalid expression; I was expecting to find a ')' somewhere but did not see one.");
        }
        f.argv++;
        return n;
    }
    n = option_node(a);
    n = n ? n : test_node(a);
    n = n ? n : action_node(a);
    if (!n) {
        tool_die(1, *a == '-' ? "unknown predicate `%s'" : "paths must precede expression: `%s'",
                 a);
    }
    return n;
}

static struct node *pair(eval_fn *eval, struct node *left, struct node *right) {
    struct node *n = new_node(eval);
    n->left = left;
    n->right = right;
    return n;
}

static bool is_word(const char *a, const char *b) {
    return *f.argv && (!strcmp(*f.argv, a) || !strcmp(*f.argv, b));
}

static struct node *parse_and(void) {
    struct node *n = parse_one();
    while (*f.argv && !is_word("-o", "-or") && !is_word(",", ")")) {
        if (is_word("-a", "-and")) {
            f.argv++;
        }
        n = pair(eval_and, n, parse_one());
    }
    return n;
}

static struct node *parse_or(void) {
    struct node *n = parse_and();
    while (is_word("-o", "-or")) {
        f.argv++;
        n = pair(eval_or, n, parse_and());
    }
    return n;
}

static struct node *parse_comma(void) {
    struct node *n = parse_or();
    while (is_word(",", ",")) {
        f.argv++;
        n = pair(eval_comma, n, parse_or());
    }
    return n;
}

// --- the walk

static void visit(struct node *root, const char *start, const char *path, const char *name,
                  int depth);

static void visit_below(struct node *root, const char *start, const char *path, int depth) {
    struct tool_list names = {0};
    DIR *d = opendir(path);
    if (!d) {
        tool_warn("'%s': %s", path, strerror(errno));
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            tool_push(&names, tool_strdup(e->d_name));
        }
    }
    closedir(d);
    for (size_t i = 0; i < names.n && !f.quits; i++) {
        char *below = tool_join(path, names.p[i]);
        visit(root, start, below, names.p[i], depth + 1);
        free(below);
        free(names.p[i]);
    }
    free(names.p);
}

static void visit(struct node *root, const char *start, const char *path, const char *name,
                  int depth) {
    struct entry e = {.path = path, .name = name, .start = start, .depth = depth};
    bool links = f.follows || (f.same_argument_links && depth == 0);
    if ((!links || stat(path, &e.st)) && lstat(path, &e.st)) {
        tool_warn("'%s': %s", path, strerror(errno));
        return;
    }
    bool is_dir = S_ISDIR(e.st.st_mode) && depth < MAX_DEPTH;
    bool is_in = depth >= f.min_depth, goes_down = is_dir && depth < f.max_depth;
    if (f.depth_first && goes_down) {
        visit_below(root, start, path, depth);
    }
    if (is_in && !f.quits) {
        root->eval(root, &e);
    }
    if (!f.depth_first && goes_down && !e.prune && !f.quits) {
        visit_below(root, start, path, depth);
    }
}

int find_main(int argc, char **argv) {
    struct tool_list starts = {0};
    (void)argc;
    f.max_depth = INT_MAX;
    f.syntax = REGEX_BASIC;
    tool_now(&f.now);
    f.argv = argv + 1;
    for (; *f.argv; f.argv++) {
        if (!strcmp(*f.argv, "-L")) {
            f.follows = true;
        } else if (!strcmp(*f.argv, "-H")) {
            f.same_argument_links = true;
        } else if (strcmp(*f.argv, "-P") && strncmp(*f.argv, "-O", 2)) {
            break;
        }
    }
    for (; *f.argv && **f.argv != '-' && strcmp(*f.argv, "(") && strcmp(*f.argv, "!") &&
           strcmp(*f.argv, ",");
         f.argv++) {
        tool_push(&starts, *f.argv);
    }
    if (!starts.n) {
        tool_push(&starts, (char *)".");
    }
    struct node *root = *f.argv ? parse_comma() : new_node(eval_true);
    if (*f.argv) {
        tool_die(1, "you have too many ')'");
    }
    if (!f.has_action) {
        struct node *print = new_node(eval_print);
        print->letter = '\n';
        root = pair(eval_and, root, print);
    }
    for (size_t i = 0; i < starts.n && !f.quits; i++) {
        const char *path = starts.p[i];
        size_t len = strlen(path);
        while (len > 1 && path[len - 1] == '/') {
            len--;
        }
        const char *slash = memrchr(path, '/', len > 1 ? len - 1 : 0);
        visit(root, path, path, slash ? slash + 1 : path, 0);
    }
    for (int i = 0; i < f.n_plus; i++) {
        run_collected(f.plus[i]);
    }
    return bx_status;
}
