// grep.c - grep, egrep, fgrep: GNU's options and output
#include "programs/grep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/programs.h"

struct grep g;

// One input
struct scan {
    FILE *file;
    const char *name;
    char *buf;
    size_t start, end, cap; // what of buf is not looked at yet
    bool is_eof, is_binary;
    long line; // its number
    size_t offset;
    long count, after_left, last_shown;
    struct tool_list kept; // lines before, as NUL-free copies
    size_t *kept_len;
    long kept_first;         // number of the first of them
    char *plain, *plain_end; // lines one behind the other that are shown as they are
};

static void prefix(const struct scan *s, long line, size_t offset, char mark) {
    if (g.with_name) {
        if (g.has_color) {
            printf("\33[35m\33[K%s\33[m\33[K", s->name);
        } else {
            fputs(s->name, stdout);
        }
        if (g.is_null) {
            putchar(0);
        } else if (g.has_color) {
            printf("\33[36m\33[K%c\33[m\33[K", mark);
        } else {
            putchar(mark);
        }
    }
    if (g.is_numbered) {
        printf(g.has_color ? "\33[32m\33[K%ld\33[m\33[K\33[36m\33[K%c\33[m\33[K" : "%ld%c", line,
               mark);
    }
    if (g.is_byte) {
        printf("%zu%c", offset, mark);
    }
    if (g.initial_tab && (g.with_name || g.is_numbered || g.is_byte)) {
        putchar('\t');
    }
}

static void put_colored(const char *text, size_t len) {
    struct regex_match m;
    size_t at = 0;
    while (at <= len && regex_find(g.re, text, len, at, false, &m)) {
        if (m.end[0] == m.start[0]) {
            if (m.start[0] >= len) {
                break;
            }
            fwrite(text + at, 1, m.start[0] + 1 - at, stdout);
            at = m.start[0] + 1;
            continue;
        }
        fwrite(text + at, 1, m.start[0] - at, stdout);
        fputs("\33[01;31m\33[K", stdout);
        fwrite(text + m.start[0], 1, m.end[0] - m.start[0], stdout);
        fputs("\33[m\33[K", stdout);
        at = m.end[0];
    }
    if (at < len) {
        fwrite(text + at, 1, len - at, stdout);
    }
}

static void put_only(const struct scan *s, const char *text, size_t len, long line, size_t offset) {
    struct regex_match m;
    size_t at = 0;
    while (at <= len && regex_find(g.re, text, len, at, false, &m)) {
        if (m.end[0] == m.start[0]) {
            at = m.end[0] + 1;
            continue;
        }
        prefix(s, line, offset + m.start[0], ':');
        if (g.has_color) {
            fputs("\33[01;31m\33[K", stdout);
        }
        fwrite(text + m.start[0], 1, m.end[0] - m.start[0], stdout);
        if (g.has_color) {
            fputs("\33[m\33[K", stdout);
        }
        putchar(g.end);
        at = m.end[0];
    }
}

// text[len] is there: its end, or what stands in the end's place when it has none
static void put_line(struct scan *s, char *text, size_t len, long line, size_t offset, char mark) {
    if (g.has_prefix) {
        prefix(s, line, offset, mark);
    }
    if (g.has_color && mark == ':' && !g.is_inverted) {
        put_colored(text, len);
        putchar(g.end);
    } else {
        text[len] = g.end;
        fwrite(text, 1, len + 1, stdout);
    }
    s->last_shown = line;
}

static void separate(struct scan *s, long next) {
    static bool has_any;
    if ((g.before > 0 || g.after > 0) && !g.is_only && has_any &&
        (s->last_shown ? next > s->last_shown + 1 : true)) {
        fputs(g.has_color ? "\33[36m\33[K--\33[m\33[K" : "--", stdout);
        putchar('\n');
    }
    has_any = true;
}

static void forget(struct scan *s) {
    for (size_t i = 0; i < s->kept.n; i++) {
        free(s->kept.p[i]);
    }
    s->kept.n = 0;
}

static void keep(struct scan *s, const char *text, size_t len) {
    if (!g.before) {
        return;
    }
    if (!s->kept_len) {
        s->kept_len = tool_alloc((size_t)g.before * sizeof *s->kept_len);
    }
    if (s->kept.n == (size_t)g.before) {
        free(s->kept.p[0]);
        memmove(s->kept.p, s->kept.p + 1, (s->kept.n - 1) * sizeof *s->kept.p);
        memmove(s->kept_len, s->kept_len + 1, (s->kept.n - 1) * sizeof *s->kept_len);
        s->kept.n--;
        s->kept_first++;
    }
    if (!s->kept.n) {
        s->kept_first = s->line;
    }
    s->kept_len[s->kept.n] = len;
    tool_push(&s->kept, tool_strndup(text, len));
}

static void put_plain(struct scan *s) {
    if (s->plain_end > s->plain) {
        fwrite(s->plain, 1, (size_t)(s->plain_end - s->plain), stdout);
    }
    s->plain = s->plain_end = NULL;
}

// Nothing stands before or between the lines that are shown
static bool is_plain(void) {
    return !g.has_prefix && !g.has_color && !g.before && !g.after;
}

// A line that is wanted; false: no more are
static bool found(struct scan *s, char *text, size_t len) {
    s->count++;
    g.is_found = true;
    if (g.is_quiet || g.list) {
        return false;
    }
    if (g.is_counting) {
        return g.max < 0 || s->count < g.max;
    }
    if (s->is_binary && g.binary == BINARY_SAY) {
        return false; // said at the end
    }
    if (g.is_only) {
        if (!g.is_inverted) {
            put_only(s, text, len, s->line, s->offset);
        }
    } else if (is_plain()) {
        if (s->plain_end != text) {
            put_plain(s);
            s->plain = text;
        }
        text[len] = g.end;
        s->plain_end = text + len + 1;
    } else {
        separate(s, s->kept.n ? s->kept_first : s->line);
        for (size_t i = 0; i < s->kept.n; i++) {
            put_line(s, s->kept.p[i], s->kept_len[i], s->kept_first + (long)i, 0, '-');
        }
        forget(s);
        put_line(s, text, len, s->line, s->offset, ':');
    }
    s->after_left = g.after;
    return g.max < 0 || s->count < g.max;
}

// A line that matches or does not; false: no more are wanted
static bool look_at_line(struct scan *s, char *text, size_t len, bool is_match) {
    s->line++;
    bool go_on = true;
    if (is_match != g.is_inverted) {
        go_on = found(s, text, len);
    } else if (s->after_left > 0) {
        s->after_left--;
        put_line(s, text, len, s->line, s->offset, '-');
    } else {
        keep(s, text, len);
    }
    s->start = TOOL_MIN(s->start + len + 1, s->end); // the last one may lack its end
    s->offset += len + 1;
    return go_on;
}

// In a binary file NULs end lines, many of them one: a file of zeros is no endless line
static size_t without_nuls(char *p, size_t n) {
    size_t kept = 0;
    bool was_nul = false;
    for (size_t i = 0; i < n; i++) {
        bool is_nul = !p[i];
        if (!is_nul || !was_nul) {
            p[kept++] = is_nul ? g.end : p[i];
        }
        was_nul = is_nul;
    }
    return kept;
}

// Make the buffer hold at least one whole line; false at the end of the input
static bool fill(struct scan *s) {
    if (s->start) {
        memmove(s->buf, s->buf + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
    }
    size_t seen = 0;
    while (!s->is_eof) {
        if (s->cap - s->end < PIECE_BYTES) {
            s->cap = s->cap * 2 + PIECE_BYTES;
            s->buf = tool_realloc(s->buf, s->cap + 1);
        }
        ssize_t n = read(fileno(s->file), s->buf + s->end, PIECE_BYTES);
        if (n <= 0) {
            if (n < 0 && !g.is_silent) {
                tool_warn_file(s->name);
                g.is_trouble = true;
            }
            s->is_eof = true;
            break;
        }
        if (!s->is_binary && g.binary != BINARY_TEXT && g.end &&
            memchr(s->buf + s->end, 0, (size_t)n)) {
            s->is_binary = true;
        }
        s->end += s->is_binary ? without_nuls(s->buf + s->end, (size_t)n) : (size_t)n;
        if (memchr(s->buf + seen, g.end, s->end - seen)) {
            break;
        }
        seen = s->end;
    }
    return s->end > s->start;
}

static size_t count_lines(const char *p, const char *end, char mark) {
    size_t n = 0;
    while ((p = memchr(p, mark, (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

static size_t line_len(const char *text, const char *limit) {
    const char *end = memchr(text, g.end, (size_t)(limit - text));
    return (size_t)((end ? end : limit) - text);
}

// Lines without a match, up to a place; false: no more are wanted
static bool pass_by(struct scan *s, const char *limit) {
    while (s->buf + s->start < limit) {
        char *text = s->buf + s->start;
        if (!g.is_inverted && s->after_left <= 0 && !g.before) { // nobody looks at them
            if (g.is_numbered || g.after > 0) {                  // what lies between two groups
                s->line += (long)count_lines(text, limit, g.end);
            }
            s->offset += (size_t)(limit - text);
            s->start += (size_t)(limit - text);
            break;
        }
        if (!look_at_line(s, text, line_len(text, limit), false)) {
            return false;
        }
    }
    return true;
}

// The whole lines in the buffer; false: no more are wanted
static bool scan_lines(struct scan *s) {
    const char *limit = s->buf + s->end;
    if (!s->is_eof) {
        limit = memrchr(s->buf + s->start, g.end, s->end - s->start);
        limit = limit ? limit + 1 : s->buf + s->start;
    }
    bool is_ascii = !regex_has_high(s->buf + s->start, (size_t)(limit - s->buf) - s->start);
    while (s->buf + s->start < limit) {
        char *text = s->buf + s->start;
        size_t len = 0;
        if (!g.end) { // -z: lines with line ends in them, one by one
            len = line_len(text, limit);
            if (!look_at_line(s, text, len, regex_find(g.re, text, len, 0, false, NULL))) {
                return false;
            }
            continue;
        }
        const char *line = regex_find_line(g.re, text, limit, is_ascii, &len);
        if (!pass_by(s, line ? line : limit) ||
            (line && !look_at_line(s, s->buf + s->start, len, true))) {
            return false;
        }
    }
    return true;
}

// After -m lines: the context behind the last one
static void rest(struct scan *s) {
    while (s->after_left > 0 && (s->start < s->end || fill(s))) {
        char *text = s->buf + s->start, *end = memchr(text, g.end, s->end - s->start);
        if (!end && !s->is_eof && fill(s)) {
            continue;
        }
        size_t len = end ? (size_t)(end - text) : s->end - s->start;
        s->line++;
        if (regex_find(g.re, text, len, 0, false, NULL) != g.is_inverted) {
            return;
        }
        put_line(s, text, len, s->line, s->offset, '-');
        s->start += len + (end != NULL);
        s->after_left--;
    }
}

static void scan(FILE *file, const char *name) {
    struct scan s = {.file = file, .name = name};
    bool go_on = g.max != 0;
    while (go_on && fill(&s)) {
        if (s.is_binary && g.binary == BINARY_SKIP) {
            break;
        }
        go_on = scan_lines(&s);
        put_plain(&s);
    }
    if (!go_on && g.max > 0 && !g.is_counting && !g.list && !g.is_quiet) {
        rest(&s);
    }
    if (g.list ? (s.count > 0) == (g.list > 0) : false) {
        g.is_found = true;
        fputs(name, stdout);
        putchar(g.is_null ? 0 : '\n');
    } else if (g.is_counting && !g.list && !g.is_quiet) {
        if (g.with_name) {
            printf("%s%c", name, g.is_null ? 0 : ':');
        }
        printf("%ld\n", s.count);
    } else if (s.count && s.is_binary && g.binary == BINARY_SAY && !g.is_quiet && !g.list &&
               !g.is_counting) {
        fflush(stdout);
        fprintf(stderr, "%s: %s: binary file matches\n", bx_tool, name);
    }
    forget(&s);
    free(s.kept.p);
    free(s.kept_len);
    free(s.buf);
}

static bool matches_any(const struct tool_list *globs, const char *name) {
    const char *base = strrchr(name, '/');
    for (size_t i = 0; i < globs->n; i++) {
        if (fnmatch(globs->p[i], name, 0) == 0 ||
            (base && fnmatch(globs->p[i], base + 1, 0) == 0)) {
            return true;
        }
    }
    return false;
}

static bool is_left_out(const char *name) {
    return (g.include.n && !matches_any(&g.include, name)) || matches_any(&g.exclude, name);
}

static void trouble(const char *path) {
    if (!g.is_silent) {
        tool_warn_file(path);
    }
    g.is_trouble = true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_at(const char *path, bool is_argument);

static void look_below(const char *dir) {
    struct tool_list names = {0};
    DIR *d = opendir(dir);
    if (!d) {
        trouble(dir);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
            tool_push(&names, tool_strdup(e->d_name));
        }
    }
    closedir(d);
    if (names.n) {
        qsort(names.p, names.n, sizeof *names.p, by_name);
    }
    for (size_t i = 0; i < names.n && !(g.is_quiet && g.is_found); i++) {
        char *path = *dir ? tool_join(dir, names.p[i]) : tool_strdup(names.p[i]);
        look_at(path, false);
        free(path);
        free(names.p[i]);
    }
    free(names.p);
}

static void look_at(const char *path, bool is_argument) {
    struct stat st;
    bool is_stdin = !strcmp(path, "-") && is_argument;
    if (is_stdin) {
        scan(stdin, g.label ? g.label : "(standard input)");
        return;
    }
    if ((is_argument || g.follows ? stat : lstat)(path, &st)) {
        trouble(path);
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        const char *base = strrchr(path, '/');
        bool is_out = matches_any(&g.exclude_dir, path) ||
                      (base && !is_argument && matches_any(&g.exclude_dir, base + 1));
        if (g.is_recursive && !is_out) {
            look_below(path);
        } else if (!g.is_recursive) {
            if (!g.is_silent) {
                fflush(stdout);
                fprintf(stderr, "%s: %s: Is a directory\n", bx_tool, path);
            }
        }
        return;
    }
    if (!S_ISREG(st.st_mode) && (!is_argument || g.is_recursive)) {
        return;
    }
    if (is_left_out(path)) {
        return;
    }
    FILE *file = fopen(path, "r");
    if (!file) {
        trouble(path);
        return;
    }
    scan(file, path);
    fclose(file);
}

static bool is_one_file(char **argv) {
    struct stat st;
    return argv[0] && !argv[1] && stat(argv[0], &st) == 0 && !S_ISDIR(st.st_mode);
}

int grep_main(int argc, char **argv) {
    struct regex_options options = {.syntax = !strcmp(bx_tool, "egrep")   ? REGEX_EXTENDED
                                              : !strcmp(bx_tool, "fgrep") ? REGEX_FIXED
                                                                          : REGEX_BASIC};
    struct tool_list patterns = {0};
    bool has_patterns = false;
    g.with_name = -1;
    g.max = -1;
    g.end = '\n';
    for (int i = 1; i < argc; i++) { // -5 is -C 5
        if (argv[i][0] == '-' && isdigit((unsigned char)argv[i][1]) &&
            strspn(argv[i] + 1, "0123456789") == strlen(argv[i] + 1)) {
            struct tool_buf buf = {0};
            tool_printf(&buf, "-k%s", argv[i] + 1);
            argv[i] = buf.p;
        } else if (!strcmp(argv[i], "--")) {
            break;
        }
    }
    bx_tool = "grep";
    for (int c; (c = getopt_long(argc, argv, grep_shorts, grep_longs, NULL)) != -1;) {
        grep_option(c, &options, &patterns, &has_patterns);
    }
    argv += optind;
    if (!has_patterns) {
        if (!*argv) {
            fprintf(stderr, "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for "
                            "more information.\n");
            return STATUS_TROUBLE;
        }
        grep_add_patterns(&patterns, *argv++);
    }
    size_t *lens = tool_alloc((patterns.n + 1) * sizeof *lens);
    for (size_t i = 0; i < patterns.n; i++) {
        lens[i] = strlen(patterns.p[i]);
    }
    const char *why = NULL;
    if (!patterns.n) { // an empty -f: nothing matches
        options.syntax = REGEX_PERL;
        tool_push(&patterns, (char *)"(?!)");
        lens[0] = 4;
    }
    g.re = regex_new((const char *const *)patterns.p, lens, patterns.n, &options, &why);
    if (!g.re) {
        tool_die(STATUS_TROUBLE, "%s", why);
    }
    if (g.with_name < 0) {
        g.with_name = g.is_recursive ? !is_one_file(argv) : argv[0] && argv[1];
    }
    g.has_prefix = g.with_name || g.is_numbered || g.is_byte;
    if (g.is_recursive && !*argv) {
        look_below("");
    } else if (!*argv) {
        look_at("-", true);
    }
    for (; *argv && !(g.is_quiet && g.is_found); argv++) {
        look_at(*argv, true);
    }
    if (fflush(stdout) && !g.is_trouble) {
        return STATUS_TROUBLE;
    }
    return g.is_trouble && !(g.is_quiet && g.is_found) ? STATUS_TROUBLE
           : g.is_found                                ? STATUS_FOUND
                                                       : STATUS_NONE;
}
