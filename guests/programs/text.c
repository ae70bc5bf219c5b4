// text.c - cat, head, tail, wc
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

// --- cat

static struct {
    bool numbers, numbers_nonblank, ends, squeeze, tabs, nonprinting;
    long line;
    bool at_start, was_blank;
} cat;

static void cat_char(unsigned char c) {
    if (c == '\t') {
        fputs(cat.tabs ? "^I" : "\t", stdout);
    } else if (cat.nonprinting && c != '\n') {
        if (c >= 128) {
            fputs("M-", stdout);
            c &= 127;
        }
        if (c < 32 || c == 127) {
            putchar('^');
            c ^= 64;
        }
        putchar(c);
    } else {
        putchar(c);
    }
}

static void cat_line(const char *line, size_t n) {
    bool is_blank = cat.at_start && n == 1 && line[0] == '\n';
    if (is_blank && cat.squeeze && cat.was_blank) {
        return;
    }
    cat.was_blank = is_blank;
    if (cat.at_start && (cat.numbers_nonblank ? !is_blank : cat.numbers)) {
        printf("%6ld\t", ++cat.line);
    }
    for (size_t i = 0; i < n; i++) {
        if (cat.ends && line[i] == '\n') {
            putchar('$');
        } else if (cat.ends && line[i] == '\r' && i + 1 < n && line[i + 1] == '\n') {
            fputs("^M", stdout);
            continue;
        }
        cat_char((unsigned char)line[i]);
    }
    cat.at_start = line[n - 1] == '\n';
}

static void cat_run(FILE *file, const char *path) {
    char *line = NULL, piece[32768];
    size_t cap = 0, n;
    (void)path;
    if (!cat.numbers && !cat.numbers_nonblank && !cat.ends && !cat.squeeze && !cat.tabs &&
        !cat.nonprinting) {
        for (ssize_t r; (r = read(fileno(file), piece, sizeof piece)) > 0;) {
            if (fwrite(piece, 1, (size_t)r, stdout) != (size_t)r) {
                break;
            }
        }
        return;
    }
    while (tool_line(file, &line, &cap, &n, '\n')) {
        cat_line(line, n);
    }
    free(line);
}

int cat_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"number", 0, 0, 'n'},        {"number-nonblank", 0, 0, 'b'},
        {"show-all", 0, 0, 'A'},      {"show-ends", 0, 0, 'E'},
        {"show-tabs", 0, 0, 'T'},     {"show-nonprinting", 0, 0, 'v'},
        {"squeeze-blank", 0, 0, 's'}, {0}};
    cat.at_start = true;
    for (int c; (c = getopt_long(argc, argv, "nbAEeTtsuv", longs, NULL)) != -1;) {
        switch (c) {
        case 'n':
            cat.numbers = true;
            break;
        case 'b':
            cat.numbers_nonblank = true;
            break;
        case 'A':
            cat.ends = cat.tabs = cat.nonprinting = true;
            break;
        case 'E':
            cat.ends = true;
            break;
        case 'e':
            cat.ends = cat.nonprinting = true;
            break;
        case 'T':
            cat.tabs = true;
            break;
        case 't':
            cat.tabs = cat.nonprinting = true;
            break;
        case 's':
            cat.squeeze = true;
            break;
        case 'v':
            cat.nonprinting = true;
            break;
        case 'u':
            break;
        default:
            tool_die_usage(1);
        }
    }
    tool_each(argv + optind, cat_run);
    return bx_status;
}

// --- head and tail

static struct {
    long long n;
    bool is_bytes, is_quiet, is_verbose, from_start, from_end, has_printed;
    char end;
} ends;

static long long ends_number(const char *text, const char *what) {
    long long n;
    const char *digits = text + strspn(text, "+-");
    if (!tool_size(digits, &n) || !*digits) {
        tool_die(1, "invalid number of %s: '%s'", what, text);
    }
    return n;
}

static void ends_title(char **files, const char *path) {
    if (ends.is_verbose || (files[0] && files[1] && !ends.is_quiet)) {
        printf("%s==> %s <==\n", ends.has_printed ? "\n" : "",
               strcmp(path, "-") ? path : "standard input");
    }
    ends.has_printed = true;
}

static void copy(FILE *file, long long n) { // n < 0: all
    char piece[32768];
    while (n) {
        size_t want = n > 0 && n < (long long)sizeof piece ? (size_t)n : sizeof piece;
        size_t r = fread(piece, 1, want, file);
        if (!r || fwrite(piece, 1, r, stdout) != r) {
            break;
        }
        n -= n > 0 ? (long long)r : 0;
    }
}

// All but the last n lines or bytes (head -n -5), or only these (tail -n 5)
static void split_at_end(FILE *file, long long n, bool is_tail) {
    size_t len;
    char *text = tool_slurp(file, &len), *at = text + len;
    if (ends.is_bytes) {
        at -= TOOL_MIN(n, (long long)len);
    } else if (n > 0 && len) {
        at -= at[-1] == ends.end;
        for (; at > text; at--) {
            if (at[-1] == ends.end && --n == 0) {
                break;
            }
        }
    }
    if (is_tail) {
        fwrite(at, 1, (size_t)(text + len - at), stdout);
    } else {
        fwrite(text, 1, (size_t)(at - text), stdout);
    }
    free(text);
}

static void head_run(FILE *file) {
    char *line = NULL;
    size_t cap = 0, n;
    if (ends.from_end) {
        split_at_end(file, ends.n, false);
    } else if (ends.is_bytes) {
        copy(file, ends.n);
    } else {
        for (long long i = 0; i < ends.n && tool_line(file, &line, &cap, &n, ends.end); i++) {
            fwrite(line, 1, n, stdout);
        }
        free(line);
    }
}

// The last megabytes of a file are enough unless its lines are very long
static void seek_near_end(FILE *file) {
    enum { WINDOW = 65536 };
    struct stat st;
    if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode) || st.st_size < 4 * WINDOW || ends.n < 0) {
        return;
    }
    if (ends.is_bytes) {
        fseeko(file, TOOL_MAX(0, (off_t)st.st_size - (off_t)ends.n), SEEK_SET);
        return;
    }
    char *piece = tool_alloc(WINDOW);
    long long seen = 0;
    off_t at = st.st_size;
    while (at > 0) {
        size_t want = (size_t)TOOL_MIN((off_t)WINDOW, at);
        at -= (off_t)want;
        if (fseeko(file, at, SEEK_SET) || fread(piece, 1, want, file) != want) {
            break;
        }
        for (size_t i = 0; i < want; i++) {
            seen += piece[i] == ends.end;
        }
        if (seen > ends.n) {
            break;
        }
    }
    fseeko(file, at, SEEK_SET);
    free(piece);
}

static void tail_run(FILE *file) {
    char *line = NULL;
    size_t cap = 0, n;
    if (ends.from_start && ends.is_bytes) {
        for (long long i = 1; i < ends.n && getc(file) != EOF; i++) {
        }
        copy(file, -1);
    } else if (ends.from_start) {
        for (long long i = 1; i < ends.n && tool_line(file, &line, &cap, &n, ends.end); i++) {
        }
        copy(file, -1);
        free(line);
    } else if (ends.n) {
        if (file != stdin) {
            seek_near_end(file);
        }
        split_at_end(file, ends.n, true);
    }
}

static int ends_main(int argc, char **argv, bool is_tail) {
    static const struct option longs[] = {{"lines", 1, 0, 'n'},   {"bytes", 1, 0, 'c'},
                                          {"quiet", 0, 0, 'q'},   {"silent", 0, 0, 'q'},
                                          {"verbose", 0, 0, 'v'}, {"zero-terminated", 0, 0, 'z'},
                                          {"follow", 2, 0, 'f'},  {0}};
    bool follows = false;
    ends.n = 10;
    ends.end = '\n';
    argv = tool_number_option(&argc, argv, "nc");
    if (is_tail && argc > 1 && argv[1][0] == '+' && argv[1][1] >= '0' &&
        argv[1][1] <= '9') { // tail +3
        char **made = tool_alloc(((size_t)argc + 2) * sizeof *made);
        made[0] = argv[0];
        made[1] = (char *)"-n";
        memcpy(made + 2, argv + 1, (size_t)argc * sizeof *made);
        argv = made;
        argc++;
    }
    for (int c;
         (c = getopt_long(argc, argv, is_tail ? "n:c:qvzfF" : "n:c:qvz", longs, NULL)) != -1;) {
        switch (c) {
        case 'n':
        case 'c':
            ends.is_bytes = c == 'c';
            ends.n = ends_number(optarg, c == 'c' ? "bytes" : "lines");
            ends.from_end = *optarg == '-';
            ends.from_start = *optarg == '+';
            break;
        case 'q':
            ends.is_quiet = true;
            break;
        case 'v':
            ends.is_verbose = true;
            break;
        case 'z':
            ends.end = 0;
            break;
        case 'f':
        case 'F':
            follows = true;
            break;
        default:
            tool_die_usage(1);
        }
    }
    static char *standard[] = {(char *)"-", NULL};
    char **files = argv[optind] ? argv + optind : standard;
    for (char **f = files; *f; f++) {
        struct stat st;
        if (strcmp(*f, "-") && stat(*f, &st)) {
            tool_warn("cannot open '%s' for reading: %s", *f, strerror(errno));
            continue;
        }
        if (strcmp(*f, "-") && S_ISDIR(st.st_mode)) {
            ends_title(files, *f);
            tool_warn("error reading '%s': Is a directory", *f);
            continue;
        }
        FILE *file = tool_open(*f);
        if (file) {
            ends_title(files, *f);
            if (is_tail) {
                tail_run(file);
            } else {
                head_run(file);
            }
            tool_close(file);
        }
    }
    if (follows) {
        tool_warn("-f ends at the end of the file here: nothing is appended while a call waits");
        bx_status = 0;
    }
    return bx_status;
}

int head_main(int argc, char **argv) {
    return ends_main(argc, argv, false);
}

int tail_main(int argc, char **argv) {
    return ends_main(argc, argv, true);
}

// --- wc

enum { WC_LINES = 1, WC_WORDS = 2, WC_CHARS = 4, WC_BYTES = 8, WC_WIDTH = 16, WC_FIELDS = 5 };
static int wc_wanted, wc_column;
static unsigned long long wc_total[WC_FIELDS];

static void wc_put(const unsigned long long *n, const char *name) {
    bool has_any = false;
    for (int i = 0; i < WC_FIELDS; i++) {
        if (wc_wanted & 1 << i) {
            printf("%s%*llu", has_any ? " " : "", wc_column, n[i]);
            has_any = true;
        }
    }
    printf(name ? " %s\n" : "\n", name);
}

static void wc_count(FILE *file, unsigned long long *n) {
    char piece[32768];
    size_t width = 0, r;
    bool in_word = false;
    while ((r = fread(piece, 1, sizeof piece, file)) > 0) {
        n[3] += r;
        if (!(wc_wanted & ~(WC_BYTES | WC_LINES))) {
            for (const char *p = piece, *end = piece + r; (p = memchr(p, '\n', (size_t)(end - p)));
                 p++) {
                n[0]++;
            }
            continue;
        }
        for (size_t i = 0; i < r; i++) {
            unsigned char c = (unsigned char)piece[i];
            bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
            n[0] += c == '\n';
            n[2] += (c & 0xc0) != 0x80;
            if (c == '\n' || c == '\r' || c == '\f') {
                n[4] = TOOL_MAX(n[4], width);
                width = 0;
            } else if (c == '\t') {
                width += 8 - width % 8;
            } else if (c < 0x80) {
                width += c >= 32 && c != 127;
            } else if (c >= 0xc0) {
                width += tool_width(piece + i, r - i < 4 ? r - i : 4)
                             ? tool_width(piece + i, tool_char(piece + i, r - i))
                             : 0;
            }
            n[1] += !is_space && !in_word && (c > 32);
            in_word = !is_space && (in_word || c > 32);
        }
    }
    n[4] = TOOL_MAX(n[4], width);
}

int wc_main(int argc, char **argv) {
    static const struct option longs[] = {{"lines", 0, 0, 'l'},           {"words", 0, 0, 'w'},
                                          {"chars", 0, 0, 'm'},           {"bytes", 0, 0, 'c'},
                                          {"max-line-length", 0, 0, 'L'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "lwmcL", longs, NULL)) != -1;) {
        static const char letters[] = "lwmcL";
        if (c == '?') {
            tool_die_usage(1);
        }
        wc_wanted |= 1 << (strchr(letters, c) - letters);
    }
    wc_wanted = wc_wanted ? wc_wanted : WC_LINES | WC_WORDS | WC_BYTES;
    char **files = argv + optind;
    unsigned long long size = 0;
    bool is_odd = !*files, is_single = !(wc_wanted & (wc_wanted - 1));
    for (char **f = files; *f; f++) {
        struct stat st;
        if (strcmp(*f, "-") == 0 || stat(*f, &st)) {
            is_odd = is_odd || strcmp(*f, "-") == 0;
        } else if (S_ISREG(st.st_mode)) {
            size += (unsigned long long)st.st_size;
        } else {
            is_odd = true;
        }
    }
    char digits[24];
    wc_column = snprintf(digits, sizeof digits, "%llu", size);
    wc_column = is_odd && !(is_single && !files[0]) ? TOOL_MAX(7, wc_column) : wc_column;
    wc_column = is_single && (!files[0] || !files[1]) ? 1 : wc_column;
    static char *standard[] = {(char *)"-", NULL};
    for (char **f = *files ? files : standard; *f; f++) {
        unsigned long long n[WC_FIELDS] = {0};
        struct stat st;
        if (strcmp(*f, "-") && stat(*f, &st) == 0 && S_ISDIR(st.st_mode)) {
            tool_warn("%s: Is a directory", *f);
            wc_put(n, *f);
            continue;
        }
        FILE *file = tool_open(*f);
        if (file) {
            wc_count(file, n);
            tool_close(file);
            wc_put(n, *files ? *f : NULL);
            for (int i = 0; i < WC_FIELDS; i++) {
                wc_total[i] = i == 4 ? TOOL_MAX(wc_total[i], n[i]) : wc_total[i] + n[i];
            }
        }
    }
    if (files[0] && files[1]) {
        wc_put(wc_total, "total");
    }
    return bx_status;
}
