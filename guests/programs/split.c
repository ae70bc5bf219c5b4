// split.c - split and mktemp
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

// --- split

static struct {
    const char *prefix, *suffix;
    long long lines, bytes, chunks, number;
    int digits, base;
    bool is_numbered, is_line_bytes, drops_empty, is_verbose;
    FILE *out;
} s = {.prefix = "x", .suffix = "", .digits = 2, .base = 26};

static void next_file(void) {
    char name[20] = "";
    struct tool_buf path = {0};
    long long n = s.number++;
    if (s.out) {
        fclose(s.out);
    }
    for (int i = s.digits - 1; i >= 0; i--, n /= s.base) {
        long long digit = n % s.base;
        name[i] = (char)(s.base == 26 ? 'a' + digit : digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    if (n) {
        tool_die(1, "output file suffixes exhausted");
    }
    tool_printf(&path, "%s%s%s", s.prefix, name, s.suffix);
    if (s.is_verbose) {
        printf("creating file '%s'\n", path.p);
    }
    s.out = fopen(path.p, "w");
    if (!s.out) {
        tool_die(1, "%s: %s", path.p, strerror(errno));
    }
    free(path.p);
}

static void split_lines(FILE *file) {
    char *line = NULL;
    size_t cap = 0, n;
    long long count = 0, size = 0;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        bool is_full =
            s.is_line_bytes ? size && size + (long long)n > s.bytes : count % s.lines == 0;
        if (!s.out || is_full) {
            next_file();
            size = 0;
        }
        fwrite(line, 1, n, s.out);
        size += (long long)n;
        count++;
    }
}

static void split_bytes(FILE *file) {
    char piece[32768];
    long long left = 0;
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;) {
        for (size_t at = 0; at < n;) {
            if (!left) {
                next_file();
                left = s.bytes;
            }
            size_t part = (size_t)TOOL_MIN((long long)(n - at), left);
            fwrite(piece + at, 1, part, s.out);
            at += part;
            left -= (long long)part;
        }
    }
}

static void split_chunks(FILE *file, bool by_lines) {
    size_t n, at = 0;
    char *text = tool_slurp(file, &n);
    for (long long i = 0; i < s.chunks; i++) {
        size_t end = i + 1 == s.chunks ? n : (size_t)((long long)n / s.chunks * (i + 1));
        if (by_lines && end < n) {
            if (end < at) {
                end = at;
            }
            const char *newline = end ? memchr(text + end - 1, '\n', n - end + 1) : NULL;
            end = newline ? (size_t)(newline + 1 - text) : end ? n : 0;
        }
        if (end > at || !s.drops_empty) {
            next_file();
            fwrite(text + at, 1, end - at, s.out);
        }
        at = end;
    }
    free(text);
}

int split_main(int argc, char **argv) {
    static const struct option longs[] = {{"lines", 1, 0, 'l'},
                                          {"bytes", 1, 0, 'b'},
                                          {"line-bytes", 1, 0, 'C'},
                                          {"number", 1, 0, 'n'},
                                          {"suffix-length", 1, 0, 'a'},
                                          {"numeric-suffixes", 2, 0, 'D'},
                                          {"hex-suffixes", 2, 0, 'x'},
                                          {"additional-suffix", 1, 0, 256},
                                          {"elide-empty-files", 0, 0, 'e'},
                                          {"verbose", 0, 0, 'v'},
                                          {0}};
    bool by_lines = false;
    s.lines = 1000;
    argv = tool_number_option(&argc, argv, "lbCna");
    for (int c; (c = getopt_long(argc, argv, "l:b:C:n:a:dxev", longs, NULL)) != -1;) {
        bool is_right = true;
        switch (c) {
        case 'l':
            is_right = tool_size(optarg, &s.lines) && s.lines > 0;
            break;
        case 'C':
            s.is_line_bytes = true; // fall through
        case 'b':
            is_right = tool_size(optarg, &s.bytes) && s.bytes > 0;
            break;
        case 'n':
            by_lines = !strncmp(optarg, "l/", 2);
            s.chunks = atoll(optarg + (by_lines ? 2 : 0));
            is_right = s.chunks > 0;
            break;
        case 'a':
            s.digits = atoi(optarg);
            is_right = s.digits > 0 && s.digits < 18;
            break;
        case 'D':
        case 'd':
            s.base = 10;
            s.number = optarg && c == 'D' ? atoll(optarg) : 0;
            break;
        case 'x':
            s.base = 16;
            break;
        case 256:
            s.suffix = optarg;
            break;
        case 'e':
            s.drops_empty = true;
            break;
        case 'v':
            s.is_verbose = true;
            break;
        default:
            tool_die_usage(1);
        }
        if (!is_right) {
            tool_die(1, "invalid number of %s: '%s'",
                     c == 'l'   ? "lines"
                     : c == 'n' ? "chunks"
                                : "bytes",
                     optarg);
        }
    }
    FILE *file = argv[optind] ? tool_open(argv[optind]) : stdin;
    if (!file) {
        return 1;
    }
    if (argv[optind] && argv[optind + 1]) {
        s.prefix = argv[optind + 1];
    }
    if (s.chunks) {
        split_chunks(file, by_lines);
    } else if (s.bytes && !s.is_line_bytes) {
        split_bytes(file);
    } else {
        split_lines(file);
    }
    if (s.out) {
        fclose(s.out);
    }
    return bx_status;
}

// --- mktemp

static void randomise(char *at, size_t n) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char bytes[64];
    if (n > sizeof bytes || getentropy(bytes, n)) {
        tool_die(1, "no random numbers: %s", strerror(errno));
    }
    for (size_t i = 0; i < n; i++) {
        at[i] = letters[bytes[i] % 62];
    }
}

int mktemp_main(int argc, char **argv) {
    static const struct option longs[] = {{"directory", 0, 0, 'd'}, {"dry-run", 0, 0, 'u'},
                                          {"quiet", 0, 0, 'q'},     {"suffix", 1, 0, 's'},
                                          {"tmpdir", 2, 0, 'p'},    {0}};
    bool is_dir = false, is_dry = false, is_quiet = false, in_tmp = false;
    const char *suffix = "", *dir = NULL, *tmp = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    for (int c; (c = getopt_long(argc, argv, "duqp:t", longs, NULL)) != -1;) {
        switch (c) {
        case 'd':
            is_dir = true;
            break;
        case 'u':
            is_dry = true;
            break;
        case 'q':
            is_quiet = true;
            break;
        case 's':
            suffix = optarg;
            break;
        case 'p':
            dir = optarg ? optarg : tmp;
            in_tmp = true;
            break;
        case 't':
            in_tmp = true;
            break;
        default:
            tool_die_usage(1);
        }
    }
    const char *template = argv[optind] ? argv[optind] : "tmp.XXXXXXXXXX";
    in_tmp = in_tmp || !argv[optind];
    struct tool_buf path = {0};
    char *joined = in_tmp ? tool_join(dir ? dir : tmp, template) : tool_strdup(template);
    tool_printf(&path, "%s%s", joined, suffix);
    char *last = strrchr(path.p, 'X'), *first = last;
    while (first && first > path.p && first[-1] == 'X') {
        first--;
    }
    if (!first || last - first < 2) {
        tool_die(1, "too few X's in template '%s'", template);
    }
    for (int tries = 0; tries < 100; tries++) {
        struct stat st;
        randomise(first, (size_t)(last - first + 1));
        int r = is_dry   ? (lstat(path.p, &st) ? 0 : -1)
                : is_dir ? mkdir(path.p, 0700)
                         : open(path.p, O_RDWR | O_CREAT | O_EXCL, 0600);
        if (r >= 0) {
            puts(path.p);
            return 0;
        }
        if (errno != EEXIST && !is_dry) {
            break;
        }
    }
    if (!is_quiet) {
        tool_warn("failed to create %s via template '%s': %s", is_dir ? "directory" : "file",
                  joined, strerror(errno));
    }
    return 1;
}
