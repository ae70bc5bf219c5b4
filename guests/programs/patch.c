// patch.c - patch: unified diffs, those of git too, and normal ones when the file is named
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

enum { FUZZ_MAX = 2, STATUS_REJECTS = 1, STATUS_TROUBLE = 2 };

struct hunk {
    long old_start, old_count, new_start, new_count;
    struct tool_list lines; // with ' ', '-' or '+' in front
    bool old_lacks_end, new_lacks_end;
};

static struct {
    char **lines; // of the patch
    size_t n, at;
    long strip;
    bool is_reverse, is_dry, is_quiet, ignores_applied, keeps_backup, removes_empty, is_forced,
        ignores_space;
    int fuzz;
    const char *file, *out, *reject;
    int status;
} p = {.strip = -1, .fuzz = FUZZ_MAX};

struct text {
    struct tool_list lines;
    bool lacks_end;
};

static void read_text(struct text *t, const char *path) {
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, n;
    while (file && tool_line(file, &line, &cap, &n, '\n')) {
        t->lacks_end = line[n - 1] != '\n';
        tool_push(&t->lines, tool_strndup(line, n - !t->lacks_end));
    }
    free(line);
    if (file) {
        fclose(file);
    }
}

static bool same(const char *a, const char *b) {
    if (!p.ignores_space) {
        return !strcmp(a, b);
    }
    for (;; a++, b++) {
        size_t x = strspn(a, " \t"), y = strspn(b, " \t");
        if ((x != 0) != (y != 0) && a[x] && b[y]) {
            return false;
        }
        a += x;
        b += y;
        if (*a != *b || !*a) {
            return *a == *b;
        }
    }
}

// --- the patch

static char side_of(char mark) { // of a line, with -R in mind
    return p.is_reverse && mark == '-' ? '+' : p.is_reverse && mark == '+' ? '-' : mark;
}

static bool parse_range(const char **at, long *start, long *count) {
    char *end;
    *start = strtol(*at, &end, 10);
    if (end == *at) {
        return false;
    }
    *count = 1;
    if (*end == ',') {
        *count = strtol(end + 1, &end, 10);
    }
    *at = end;
    return true;
}

static bool parse_hunk(struct hunk *h) {
    memset(h, 0, sizeof *h);
    const char *at = p.at < p.n ? p.lines[p.at] : "";
    if (strncmp(at, "@@ -", 4)) {
        return false;
    }
    at += 4;
    if (!parse_range(&at, &h->old_start, &h->old_count) || strncmp(at, " +", 2)) {
        return false;
    }
    at += 2;
    if (!parse_range(&at, &h->new_start, &h->new_count)) {
        return false;
    }
    p.at++;
    for (long left_old = h->old_count, left_new = h->new_count; left_old > 0 || left_new > 0;
         p.at++) {
        const char *line = p.at < p.n ? p.lines[p.at] : "";
        char mark = *line ? *line : ' ';
        if (p.at >= p.n || !strchr(" +-\\", mark)) {
            tool_die(STATUS_TROUBLE, "**** malformed patch at line %zu: %s\n", p.at + 1, line);
        }
        if (mark == '\\') {
            continue;
        }
        left_old -= mark != '+';
        left_new -= mark != '-';
        struct tool_buf copy = {0};
        tool_putc(&copy, side_of(mark));
        tool_puts(&copy, *line ? line + 1 : "");
        tool_push(&h->lines, copy.p);
        if (p.at + 1 < p.n && p.lines[p.at + 1][0] == '\\') {
            char side = side_of(mark);
            h->old_lacks_end = h->old_lacks_end || side != '+';
            h->new_lacks_end = h->new_lacks_end || side != '-';
        }
    }
    if (p.at < p.n && p.lines[p.at][0] == '\\') {
        p.at++;
    }
    if (p.is_reverse) {
        long start = h->old_start, count = h->old_count;
        h->old_start = h->new_start;
        h->old_count = h->new_count;
        h->new_start = start;
        h->new_count = count;
    }
    return true;
}

// The old (or new) lines of a hunk, without `fuzz` lines of context at each end
static void side_lines(const struct hunk *h, char side, int fuzz, struct tool_list *ret,
                       long *ret_skipped) {
    size_t first = 0, last = h->lines.n;
    for (int i = 0; i < fuzz && first < last && h->lines.p[first][0] == ' '; i++) {
        first++;
    }
    for (int i = 0; i < fuzz && last > first && h->lines.p[last - 1][0] == ' '; i++) {
        last--;
    }
    for (size_t i = first; i < last; i++) {
        if (h->lines.p[i][0] == ' ' || h->lines.p[i][0] == side) {
            tool_push(ret, h->lines.p[i] + 1);
        }
    }
    *ret_skipped = (long)first;
}

static bool fits(const struct text *t, const struct tool_list *wanted, long at) {
    if (at < 0 || (size_t)at + wanted->n > t->lines.n) {
        return false;
    }
    for (size_t i = 0; i < wanted->n; i++) {
        if (!same(t->lines.p[(size_t)at + i], wanted->p[i])) {
            return false;
        }
    }
    return true;
}

// Where the side's lines are, nearest to guess; -1: nowhere
static long place(const struct text *t, const struct hunk *h, char side, long guess, int fuzz,
                  long floor) {
    struct tool_list wanted = {0};
    long skipped, found = -1;
    side_lines(h, side, fuzz, &wanted, &skipped);
    long near = guess + skipped, limit = (long)t->lines.n;
    for (long step = 0; step <= limit && found < 0; step++) {
        if (near + step >= floor && fits(t, &wanted, near + step)) {
            found = near + step;
        } else if (near - step >= floor && fits(t, &wanted, near - step)) {
            found = near - step;
        }
    }
    free(wanted.p);
    return found < 0 ? -1 : found - skipped;
}

static void replace(struct text *t, const struct hunk *h, long at, int fuzz) {
    struct tool_list made = {0};
    size_t i = 0, from = (size_t)at;
    (void)fuzz;
    for (; i < from; i++) {
        tool_push(&made, t->lines.p[i]);
    }
    for (size_t k = 0; k < h->lines.n; k++) {
        char mark = h->lines.p[k][0];
        if (mark == '+') {
            tool_push(&made, h->lines.p[k] + 1);
        } else {
            if (mark == ' ' &&
                i < t->lines.n) { // the file's own text, which -l may see as the same
                tool_push(&made, t->lines.p[i]);
            }
            i++;
        }
    }
    if (i >= t->lines.n) {
        t->lacks_end = h->new_lacks_end || (t->lacks_end && !h->old_lacks_end && h->lines.n &&
                                            h->lines.p[h->lines.n - 1][0] == ' ');
    }
    for (; i < t->lines.n; i++) {
        tool_push(&made, t->lines.p[i]);
    }
    free(t->lines.p);
    t->lines = made;
}

static void put_hunk(FILE *out, const struct hunk *h) {
    fprintf(out, "@@ -%ld,%ld +%ld,%ld @@\n", h->old_start, h->old_count, h->new_start,
            h->new_count);
    for (size_t i = 0; i < h->lines.n; i++) {
        fprintf(out, "%s\n", h->lines.p[i]);
    }
}

// --- one file

static char *name_of(const char *line, bool *ret_is_nothing) {
    size_t n = strcspn(line, "\t\n");
    char *name = tool_strndup(line, n);
    *ret_is_nothing = !strcmp(name, "/dev/null");
    long strip = p.strip;
    char *at = name;
    for (; strip > 0; strip--) {
        char *slash = strchr(at, '/');
        if (!slash) {
            break;
        }
        at = slash + strspn(slash, "/");
    }
    if (p.strip < 0 && strrchr(at, '/')) {
        at = strrchr(at, '/') + 1;
    }
    return at;
}

static bool is_safe(const char *name) {
    return *name != '/' && strncmp(name, "../", 3) && !strstr(name, "/../");
}

static bool exists(const char *name) {
    struct stat st;
    return name && stat(name, &st) == 0;
}

static void make_parents(const char *path) {
    char *copy = tool_strdup(path);
    for (char *s = copy + 1; *s; s++) {
        if (*s == '/') {
            *s = 0;
            mkdir(copy, 0777);
            *s = '/';
        }
    }
    free(copy);
}

static void write_text(const struct text *t, const char *path) {
    make_parents(path);
    FILE *out = !strcmp(path, "-") ? stdout : fopen(path, "w");
    if (!out) {
        tool_die(STATUS_TROUBLE, "**** Can't create file %s : %s", path, strerror(errno));
    }
    for (size_t i = 0; i < t->lines.n; i++) {
        fputs(t->lines.p[i], out);
        if (i + 1 < t->lines.n || !t->lacks_end) {
            putc('\n', out);
        }
    }
    if (out != stdout) {
        fclose(out);
    }
}

static void say(const char *what, const char *name) {
    if (!p.is_quiet && !(p.out && !strcmp(p.out, "-"))) {
        printf("%s file %s\n", what, name);
    }
}

static void settle(struct text *t, const char *name, bool is_deletion, size_t n_rejected) {
    if (p.is_dry) {
        return;
    }
    if (p.keeps_backup && exists(name)) {
        struct tool_buf kept = {0};
        tool_printf(&kept, "%s.orig", name);
        struct text old = {0};
        read_text(&old, name);
        write_text(&old, kept.p);
    }
    if ((is_deletion || p.removes_empty) && !t->lines.n && !n_rejected) {
        unlink(name);
    } else {
        write_text(t, p.out ? p.out : name);
    }
}

static void apply_all(const char *name, bool is_creation, bool is_deletion) {
    struct text t = {0};
    struct hunk h;
    long shift = 0, floor = 0;
    size_t number = 0, rejected = 0;
    bool skips = false;
    FILE *rejects = NULL;
    if (name) {
        read_text(&t, name);
        say(p.is_dry ? "checking" : "patching", name);
    }
    for (; parse_hunk(&h); number++) {
        long guess = (h.old_count ? h.old_start - 1 : h.old_start) + shift, at = -1;
        int fuzz = 0;
        if (!name) {
            rejected++;
            continue;
        }
        for (; !skips && at < 0 && fuzz <= p.fuzz; fuzz++) {
            at = is_creation && t.lines.n ? -1 : place(&t, &h, '-', guess, fuzz, floor);
        }
        fuzz--;
        if (at < 0 && !number && !skips && place(&t, &h, '+', guess, 0, 0) >= 0) {
            printf(p.is_reverse
                       ? "Unreversed patch detected!  Skipping patch.\n"
                       : "Reversed (or previously applied) patch detected!  Skipping patch.\n");
            skips = true;
        }
        if (at < 0) {
            rejected++;
            if (!skips) {
                printf("Hunk #%zu FAILED at %ld.\n", number + 1, h.old_start);
            }
            if (!p.is_dry && !rejects) {
                struct tool_buf path = {0};
                tool_printf(&path, "%s.rej", name);
                rejects = fopen(p.reject ? p.reject : path.p, "w");
                if (rejects) {
                    fprintf(rejects, "--- %s\n+++ %s\n", name, name);
                }
            }
            if (rejects) {
                put_hunk(rejects, &h);
            }
            continue;
        }
        replace(&t, &h, at, fuzz);
        long off = at - guess;
        if ((off || fuzz) && !p.is_quiet) {
            printf("Hunk #%zu succeeded at %ld", number + 1, at + 1);
            if (fuzz) {
                printf(" with fuzz %d", fuzz);
            }
            if (off) {
                printf(" (offset %ld line%s)", off, off == 1 || off == -1 ? "" : "s");
            }
            puts(".");
        }
        shift += off + h.new_count - h.old_count;
        floor = at + h.new_count;
    }
    if (rejects) {
        fclose(rejects);
    }
    if (rejected && name) {
        printf("%zu out of %zu hunk%s %s", rejected, number, number == 1 ? "" : "s",
               skips ? "ignored" : "FAILED");
        printf(p.is_dry ? "\n" : " -- saving rejects to file %s%s\n", p.reject ? p.reject : name,
               p.reject ? "" : ".rej");
    }
    p.status = rejected ? STATUS_REJECTS : p.status;
    if (name && number > rejected) {
        settle(&t, name, is_deletion, rejected);
    }
}

static void patch_file(size_t from) { // the "--- " line
    bool old_is_nothing, new_is_nothing;
    char *old = name_of(p.lines[from] + 4, &old_is_nothing),
         *new = name_of(p.lines[from + 1] + 4, &new_is_nothing);
    const char *name = p.file;
    p.at = from + 2;
    if (!name) {
        const char *first = old_is_nothing ? NULL : old, *second = new_is_nothing ? NULL : new;
        // GNU's choice: what exists, of two the one with fewer parts, the shorter, the first
        if (exists(first) && exists(second)) {
            size_t x = 0, y = 0;
            for (const char *s = first; *s; s++) {
                x += *s == '/';
            }
            for (const char *s = second; *s; s++) {
                y += *s == '/';
            }
            name = x != y                            ? (x < y ? first : second)
                   : strlen(first) <= strlen(second) ? first
                                                     : second;
        } else {
            name = exists(first)    ? first
                   : exists(second) ? second
                   : p.is_reverse   ? (first ? first : second)
                                    : (second ? second : first);
        }
    }
    if (p.is_reverse) {
        bool is_nothing = old_is_nothing;
        old_is_nothing = new_is_nothing;
        new_is_nothing = is_nothing;
    }
    if (!p.file && !is_safe(name)) {
        printf("Ignoring potentially dangerous file name %s\n", name);
        name = NULL;
    } else if (!exists(name) && !old_is_nothing) {
        printf("can't find file to patch at input line %zu\nPerhaps you used the wrong -p or "
               "--strip option?\n",
               from + 3);
        puts("The text leading up to this was:\n--------------------------");
        for (size_t i = from > 3 ? from - 3 : 0; i < from + 2; i++) {
            printf("|%s\n", p.lines[i]);
        }
        printf("--------------------------\nNo file to patch.  Skipping patch.\n");
        size_t before = p.at;
        name = NULL;
        apply_all(NULL, false, false);
        size_t hunks = 0;
        for (size_t i = before; i < p.at; i++) {
            hunks += !strncmp(p.lines[i], "@@ -", 4);
        }
        printf("%zu out of %zu hunk%s ignored\n", hunks, hunks, hunks == 1 ? "" : "s");
        return;
    }
    apply_all(name, old_is_nothing, new_is_nothing);
}

// "2,3c2": the diff without names, as a hunk of a unified one
static bool normal_hunk(size_t *io_at, struct tool_list *ret) {
    char *end;
    const char *line = p.lines[*io_at];
    long a0 = strtol(line, &end, 10), a1 = a0;
    if (end == line || !strchr(",acd", *end) || !*end) {
        return false;
    }
    a1 = *end == ',' ? strtol(end + 1, &end, 10) : a0;
    char kind = *end++;
    if (!kind || !strchr("acd", kind)) {
        return false;
    }
    long b0 = strtol(end, &end, 10), b1 = *end == ',' ? strtol(end + 1, &end, 10) : b0;
    long old_count = kind == 'a' ? 0 : a1 - a0 + 1, new_count = kind == 'd' ? 0 : b1 - b0 + 1;
    struct tool_buf head = {0};
    tool_printf(&head, "@@ -%ld,%ld +%ld,%ld @@", a0, old_count, b0, new_count);
    tool_push(ret, head.p);
    for ((*io_at)++; *io_at < p.n && strchr("<>-\\", p.lines[*io_at][0]) && p.lines[*io_at][0];
         (*io_at)++) {
        const char *s = p.lines[*io_at];
        if (*s == '-') {
            continue;
        }
        struct tool_buf one = {0};
        tool_printf(&one, "%s%s",
                    *s == '<'   ? "-"
                    : *s == '>' ? "+"
                                : "\\",
                    strlen(s) > 2 ? s + 2 : "");
        tool_push(ret, one.p);
    }
    return true;
}

static bool try_normal(void) {
    struct tool_list made = {0};
    for (size_t at = 0; at < p.n;) {
        if (!normal_hunk(&at, &made)) {
            at++;
        }
    }
    if (!made.n) {
        return false;
    }
    if (!p.file) {
        tool_die(STATUS_TROUBLE,
                 "**** this diff has no file names: name the file (patch FILE < DIFF)");
    }
    p.lines = made.p;
    p.n = made.n;
    p.at = 0;
    apply_all(p.file, false, false);
    return true;
}

static const struct option longs[] = {{"strip", 1, 0, 'p'},
                                      {"reverse", 0, 0, 'R'},
                                      {"input", 1, 0, 'i'},
                                      {"dry-run", 0, 0, 256},
                                      {"directory", 1, 0, 'd'},
                                      {"output", 1, 0, 'o'},
                                      {"forward", 0, 0, 'N'},
                                      {"silent", 0, 0, 's'},
                                      {"quiet", 0, 0, 's'},
                                      {"force", 0, 0, 'f'},
                                      {"batch", 0, 0, 't'},
                                      {"backup", 0, 0, 'b'},
                                      {"fuzz", 1, 0, 'F'},
                                      {"remove-empty-files", 0, 0, 'E'},
                                      {"reject-file", 1, 0, 'r'},
                                      {"unified", 0, 0, 'u'},
                                      {"ignore-whitespace", 0, 0, 'l'},
                                      {"verbose", 0, 0, 'u'},
                                      {"no-backup-if-mismatch", 0, 0, 'u'},
                                      {0}};

int patch_main(int argc, char **argv) {
    const char *input = NULL, *dir = NULL;
    for (int c; (c = getopt_long(argc, argv, "p:Ri:d:o:NsftbF:Er:ulc", longs, NULL)) != -1;) {
        switch (c) {
        case 'p':
            p.strip = atol(optarg);
            break;
        case 'R':
            p.is_reverse = true;
            break;
        case 'i':
            input = optarg;
            break;
        case 256:
            p.is_dry = true;
            break;
        case 'd':
            dir = optarg;
            break;
        case 'o':
            p.out = optarg;
            break;
        case 'N':
            p.ignores_applied = true;
            break;
        case 's':
            p.is_quiet = true;
            break;
        case 'b':
            p.keeps_backup = true;
            break;
        case 'F':
            p.fuzz = atoi(optarg);
            break;
        case 'E':
            p.removes_empty = true;
            break;
        case 'r':
            p.reject = optarg;
            break;
        case 'l':
            p.ignores_space = true;
            break;
        case '?':
            tool_die_usage(STATUS_TROUBLE);
        default:
            break;
        }
    }
    p.file = argv[optind];
    input = argv[optind] && argv[optind + 1] ? argv[optind + 1] : input;
    FILE *file = input && strcmp(input, "-") ? fopen(input, "r") : stdin;
    if (!file) {
        tool_die(STATUS_TROUBLE, "**** Can't open patch file %s : %s", input, strerror(errno));
    }
    if (dir && chdir(dir)) {
        tool_die(STATUS_TROUBLE, "**** Can't change to directory %s : %s", dir, strerror(errno));
    }
    struct tool_list lines = {0};
    char *line = NULL;
    size_t cap = 0, n, files = 0;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        n -= line[n - 1] == '\n';
        n -= n && line[n - 1] == '\r' &&
             (!strncmp(line, "--- ", 4) || !strncmp(line, "+++ ", 4) || !strncmp(line, "@@ ", 3));
        tool_push(&lines, tool_strndup(line, n));
    }
    p.lines = lines.p;
    p.n = lines.n;
    for (p.at = 0; p.at + 2 < p.n;) {
        bool is_file = !strncmp(p.lines[p.at], "--- ", 4) &&
                       !strncmp(p.lines[p.at + 1], "+++ ", 4) &&
                       !strncmp(p.lines[p.at + 2], "@@ -", 4);
        if (is_file) {
            files++;
            patch_file(p.at);
        } else {
            p.at++;
        }
    }
    if (!files && !try_normal() && p.n) {
        tool_die(STATUS_TROUBLE, "**** Only garbage was found in the patch input.");
    }
    return p.status;
}
