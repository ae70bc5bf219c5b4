// tool.c - what the programs of image "tools" share
#include "programs/tool.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *bx_tool = "tools";
int bx_status;

static void say(const char *fmt, va_list args) {
    fflush(stdout);
    fprintf(stderr, "%s: ", bx_tool);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
}

void tool_warn(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
    bx_status = bx_status ? bx_status : 1;
}

void tool_die(int status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    say(fmt, args);
    va_end(args);
    exit(status);
}

void tool_warn_file(const char *path) {
    tool_warn("%s: %s", path, strerror(errno));
}

void tool_die_usage(int status) {
    fprintf(stderr, "Try '%s --help' for more information.\n", bx_tool);
    exit(status);
}

#undef getopt_long
int tool_getopt(int argc, char **argv, const char *shorts, const struct option *longs) {
    static char with_colon[128];
    bool is_strict = *shorts == '+';
    snprintf(with_colon, sizeof with_colon, "%s:%s", is_strict ? "+" : "", shorts + is_strict);
    opterr = 0;
    int c = getopt_long(argc, argv, with_colon, longs, NULL);
    if (c != ':' && c != '?') {
        return c;
    }
    fflush(stdout);
    const char *given = argv[optind - 1];
    bool is_long = !strncmp(given, "--", 2);
    if (is_long && c == ':') {
        fprintf(stderr, "%s: option '%s' requires an argument\n", bx_tool, given);
    } else if (is_long) {
        fprintf(stderr, "%s: unrecognized option '%s'\n", bx_tool, given);
    } else {
        fprintf(stderr, "%s: %s -- '%c'\n", bx_tool,
                c == ':' ? "option requires an argument" : "invalid option", optopt);
    }
    return '?';
}

void *tool_alloc(size_t n) {
    return tool_realloc(NULL, n);
}

void *tool_realloc(void *p, size_t n) {
    p = realloc(p, n ? n : 1);
    if (!p) {
        tool_die(2, "memory exhausted");
    }
    return p;
}

char *tool_strndup(const char *s, size_t n) {
    char *copy = tool_alloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *tool_strdup(const char *s) {
    return tool_strndup(s, strlen(s));
}

char *tool_join(const char *dir, const char *name) {
    size_t n = strlen(dir), m = strlen(name);
    char *path = tool_alloc(n + m + 2);
    memcpy(path, dir, n);
    if (n && dir[n - 1] != '/') {
        path[n++] = '/';
    }
    memcpy(path + n, name, m + 1);
    return path;
}

FILE *tool_open(const char *path) {
    struct stat st;
    if (!strcmp(path, "-")) {
        return stdin;
    }
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        tool_warn_file(path);
        return NULL;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        tool_warn_file(path);
        return NULL;
    }
    setvbuf(file, NULL, _IOFBF, 32768);
    return file;
}

void tool_close(FILE *file) {
    if (file != stdin) {
        fclose(file);
    }
}

bool tool_line(FILE *file, char **line, size_t *cap, size_t *ret_len, char end) {
    ssize_t n = getdelim(line, cap, (unsigned char)end, file);
    *ret_len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

char *tool_slurp(FILE *file, size_t *ret_len) {
    struct tool_buf buf = {0};
    char piece[32768];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        tool_put(&buf, piece, n);
    }
    *ret_len = buf.n;
    tool_putc(&buf, 0);
    return buf.p;
}

void tool_each(char **files, void (*run)(FILE *file, const char *path)) {
    if (!*files) {
        run(stdin, "-");
    }
    for (; *files; files++) {
        FILE *file = tool_open(*files);
        if (file) {
            run(file, *files);
            tool_close(file);
        }
    }
}

void tool_push(struct tool_list *list, char *item) {
    if (list->n + 1 >= list->cap) {
        list->cap = list->cap * 2 + 16;
        list->p = tool_realloc(list->p, list->cap * sizeof *list->p);
    }
    list->p[list->n++] = item;
    list->p[list->n] = NULL;
}

void tool_put(struct tool_buf *buf, const char *s, size_t n) {
    if (buf->n + n + 1 > buf->cap) {
        buf->cap = (buf->n + n + 1) * 2;
        buf->p = tool_realloc(buf->p, buf->cap);
    }
    if (n) {
        memcpy(buf->p + buf->n, s, n);
    }
    buf->n += n;
    buf->p[buf->n] = 0;
}

void tool_puts(struct tool_buf *buf, const char *s) {
    tool_put(buf, s, strlen(s));
}

void tool_putc(struct tool_buf *buf, char c) {
    tool_put(buf, &c, 1);
}

void tool_printf(struct tool_buf *buf, const char *fmt, ...) {
    va_list args;
    char *text;
    va_start(args, fmt);
    int n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0) {
        tool_die(2, "memory exhausted");
    }
    tool_put(buf, text, (size_t)n);
    free(text);
}

char **tool_number_option(int *argc, char **argv, const char *with_value) {
    char **made = tool_alloc(((size_t)*argc * 2 + 2) * sizeof *made);
    int n = 0;
    bool is_first = true;
    for (int i = 0; i < *argc; i++) {
        const char *a = argv[i];
        size_t digits = a[0] == '-' ? strspn(a + 1, "0123456789") : 0;
        if (i && is_first && digits) {
            made[n++] = (char *)"-n";
            made[n++] = tool_strndup(a + 1, digits);
            if (a[1 + digits]) { // -5q
                made[n] = tool_alloc(strlen(a));
                sprintf(made[n++], "-%s", a + 1 + digits);
            }
            continue;
        }
        is_first = is_first && (!i || (a[0] == '-' && a[1] && strcmp(a, "--")));
        made[n++] = argv[i];
        if (i && is_first && a[1] && !a[2] && strchr(with_value, a[1]) && i + 1 < *argc) {
            made[n++] = argv[++i]; // the value of an option
        }
    }
    made[n] = NULL;
    *argc = n;
    return made;
}

bool tool_size(const char *text, long long *ret) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || errno) {
        return false;
    }
    static const char units[] = "KMGTPE";
    double unit = 1;
    if (*end) {
        const char *at = *end == 'k' ? units : strchr(units, *end);
        if (*end == 'b' && !end[1]) {
            unit = 512;
            end++;
        } else if (*end == 'c' && !end[1]) {
            end++;
        } else if (at && *at) {
            double base = end[1] == 'B' ? 1000 : 1024;
            for (long i = 0; i <= at - units; i++) {
                unit *= base;
            }
            end += end[1] == 'B' ? 2 : end[1] == 'i' && end[2] == 'B' ? 3 : 1;
        }
    }
    *ret = (long long)(value * unit);
    return !*end;
}

void tool_human(char out[24], unsigned long long n, unsigned base) {
    static const char units[] = "KMGTPE";
    double value = (double)n;
    int unit = -1;
    while (value >= base && unit < 5) {
        value /= base;
        unit++;
    }
    if (unit < 0) {
        snprintf(out, 24, "%llu", n);
        return;
    }
    // Rounded up, one digit behind the point below 10
    double tenth = value * 10;
    double up = tenth > (double)(long long)tenth ? (double)(long long)tenth + 1 : tenth;
    if (up < 100) {
        snprintf(out, 24, "%.1f%c", up / 10, units[unit]);
        return;
    }
    double whole = value > (double)(long long)value ? (double)(long long)value + 1 : value;
    if (whole >= base && unit < 5) {
        snprintf(out, 24, "1.0%c", units[unit + 1]);
        return;
    }
    char letter = base == 1000 && !unit ? 'k' : units[unit];
    snprintf(out, 24, "%.0f%c", whole, letter);
}

const char *tool_quote(const char *name) {
    static char *kept[4];
    static int next;
    bool is_plain = *name && !strpbrk(name, " \t\n'\"\\$`!*?[](){}<>|&;~#=");
    if (is_plain) {
        return name;
    }
    struct tool_buf buf = {0};
    tool_putc(&buf, '\'');
    for (const char *s = name; *s; s++) {
        if (*s == '\'') {
            tool_puts(&buf, "'\\''");
        } else {
            tool_putc(&buf, *s);
        }
    }
    tool_putc(&buf, '\'');
    next = (next + 1) % 4;
    free(kept[next]);
    return kept[next] = buf.p;
}

size_t tool_char(const char *s, size_t n) {
    unsigned char c = (unsigned char)*s;
    size_t want = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
    if (want > n) {
        return 1;
    }
    for (size_t i = 1; i < want; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) {
            return 1;
        }
    }
    return want;
}

size_t tool_width(const char *s, size_t n) {
    size_t width = 0;
    for (size_t i = 0; i < n;) {
        size_t len = tool_char(s + i, n - i);
        unsigned c = (unsigned char)s[i];
        if (len == 3) {
            c = (c & 15) << 12 | ((unsigned char)s[i + 1] & 63u) << 6 |
                ((unsigned char)s[i + 2] & 63u);
        } else if (len == 2) {
            c = (c & 31) << 6 | ((unsigned char)s[i + 1] & 63u);
        } else if (len == 4) {
            c = 0x1f300;
        }
        bool is_wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || c >= 0x1f300;
        bool is_mark = (c >= 0x300 && c <= 0x36f) || (len == 1 && (c < 32 || c >= 127)) ||
                       c == 0x200b || c == 0x200d;
        width += is_mark ? 0 : is_wide ? 2 : 1;
        i += len;
    }
    return width;
}

static int order(int c) {
    return c == '~' ? -1 : isdigit(c) || !c ? 0 : isalpha(c) ? c : c + 256;
}

// Debian's comparison of versions, which GNU's sort -V uses
static int version_part(const char *a, const char *b) {
    while (*a || *b) {
        while ((*a && !isdigit((unsigned char)*a)) || (*b && !isdigit((unsigned char)*b))) {
            int x = order((unsigned char)*a), y = order((unsigned char)*b);
            if (x != y) {
                return x - y;
            }
            a += *a != 0;
            b += *b != 0;
        }
        while (*a == '0') {
            a++;
        }
        while (*b == '0') {
            b++;
        }
        int first = 0;
        while (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            first = first ? first : *a - *b;
            a++;
            b++;
        }
        if (isdigit((unsigned char)*a)) {
            return 1;
        }
        if (isdigit((unsigned char)*b)) {
            return -1;
        }
        if (first) {
            return first;
        }
    }
    return 0;
}

int tool_version_cmp(const char *a, const char *b) {
    int r = version_part(a, b);
    return r ? r : strcmp(a, b);
}

void tool_now(struct timespec *ret) {
    clock_gettime(CLOCK_REALTIME, ret);
}
