// misc.c - shuf, tsort, unexpand, sum, sum, tac, nl
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"
#include "programs/regex.h"
#include "programs/tool.h"

// --- shuf

static uint64_t state;
static uint64_t random_below(uint64_t n) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % n;
}

static struct tool_list shuf_lines;
static char shuf_end = '\n';
static void shuf_take(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, shuf_end)) {
        n -= line[n - 1] == shuf_end;
        tool_push(&shuf_lines, tool_strndup(line, n));
    }
    free(line);
}

int shuf_main(int argc, char **argv) {
    static const struct option longs[] = {{"head-count", 1, 0, 'n'},
                                          {"input-range", 1, 0, 'i'},
                                          {"echo", 0, 0, 'e'},
                                          {"repeat", 0, 0, 'r'},
                                          {"random-source", 1, 0, 'S'},
                                          {"output", 1, 0, 'o'},
                                          {"zero-terminated", 0, 0, 'z'},
                                          {0}};
    long long count = -1, from = 0, to = -1;
    bool is_echo = false, repeats = false, is_range = false;
    struct timespec now;
    tool_now(&now);
    state = (uint64_t)now.tv_nsec * 2654435761u + (uint64_t)now.tv_sec + (uint64_t)(uintptr_t)&argc;
    state = state ? state : 1;
    for (int c; (c = getopt_long(argc, argv, "n:i:ero:z", longs, NULL)) != -1;) {
        switch (c) {
        case 'n':
            count = atoll(optarg);
            break;
        case 'i':
            is_range = true;
            if (sscanf(optarg, "%lld-%lld", &from, &to) != 2 || to < from - 1) {
                tool_die(1, "invalid input range: '%s'", optarg);
            }
            break;
        case 'e':
            is_echo = true;
            break;
        case 'r':
            repeats = true;
            break;
        case 'S': {
            FILE *file = fopen(optarg, "r");
            size_t n = 0;
            char *text = file ? tool_slurp(file, &n) : (char *)"";
            state = 88172645463325252u;
            for (size_t i = 0; i < n; i++) {
                state = state * 31 + (unsigned char)text[i];
            }
            break;
        }
        case 'o':
            if (!freopen(optarg, "w", stdout)) {
                tool_die(1, "%s: %s", optarg, strerror(errno));
            }
            break;
        case 'z':
            shuf_end = 0;
            break;
        default:
            tool_die_usage(1);
        }
    }
    if (is_range) {
        for (long long i = from; i <= to; i++) {
            struct tool_buf b = {0};
            tool_printf(&b, "%lld", i);
            tool_push(&shuf_lines, b.p);
        }
    } else if (is_echo) {
        for (char **a = argv + optind; *a; a++) {
            tool_push(&shuf_lines, *a);
        }
    } else {
        tool_each(argv + optind, shuf_take);
    }
    long long n = (long long)shuf_lines.n;
    if (repeats) {
        for (long long i = 0; n && (count < 0 || i < count); i++) {
            if (printf("%s%c", shuf_lines.p[random_below((uint64_t)n)], shuf_end) < 0) {
                break;
            }
        }
        return bx_status;
    }
    for (long long i = 0; i < n && (count < 0 || i < count); i++) {
        long long k = i + (long long)random_below((uint64_t)(n - i));
        char *line = shuf_lines.p[k];
        shuf_lines.p[k] = shuf_lines.p[i];
        printf("%s%c", line, shuf_end);
    }
    return bx_status;
}

// --- tsort

int tsort_main(int argc, char **argv) {
    struct tool_list names = {0};
    size_t len, *pairs = NULL, n = 0;
    FILE *file = argc > 1 ? tool_open(argv[1]) : stdin;
    if (!file) {
        return 1;
    }
    char *text = tool_slurp(file, &len);
    size_t last = 0, words = 0;
    for (char *w = strtok(text, " \t\n"); w; w = strtok(NULL, " \t\n"), words++) {
        size_t i = 0;
        while (i < names.n && strcmp(names.p[i], w)) {
            i++;
        }
        if (i == names.n) {
            tool_push(&names, w);
        }
        if (words % 2) {
            pairs = tool_realloc(pairs, (n + 1) * 2 * sizeof *pairs);
            pairs[2 * n] = last;
            pairs[2 * n++ + 1] = i;
        }
        last = i;
    }
    if (words % 2) {
        tool_die(1, "%s: input contains an odd number of tokens", argc > 1 ? argv[1] : "-");
    }
    long *before = tool_alloc((names.n + 1) * sizeof *before);
    memset(before, 0, (names.n + 1) * sizeof *before);
    for (size_t i = 0; i < n; i++) {
        before[pairs[2 * i + 1]] += pairs[2 * i] != pairs[2 * i + 1];
    }
    size_t *queue = tool_alloc((names.n + 1) * sizeof *queue), head = 0, tail = 0, done = 0;
    for (size_t i = 0; i < names.n; i++) {
        if (!before[i]) {
            queue[tail++] = i;
        }
    }
    while (done < names.n) {
        if (head == tail) { // a loop: broken at its first name
            tool_warn("%s: input contains a loop:", argc > 1 ? argv[1] : "-");
            for (size_t i = 0; i < names.n; i++) {
                if (before[i] > 0) {
                    tool_warn("%s", names.p[i]);
                    before[i] = 0;
                    queue[tail++] = i;
                    break;
                }
            }
        }
        size_t i = queue[head++];
        puts(names.p[i]);
        before[i] = -1;
        done++;
        for (size_t k = 0; k < n; k++) {
            size_t to = pairs[2 * k + 1];
            if (pairs[2 * k] == i && to != i && before[to] > 0 && --before[to] == 0) {
                queue[tail++] = to;
            }
        }
    }
    return bx_status;
}

// --- unexpand, sum, tac, nl

static long tab_size = 8;
static bool unexpands_all;
static void unexpand_run(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        long column = 0, blanks = 0;
        bool is_start = true;
        for (size_t i = 0; i < n; i++) {
            if ((line[i] == ' ' || line[i] == '\t') && (is_start || unexpands_all)) {
                blanks++;
                column = line[i] == '\t' ? (column / tab_size + 1) * tab_size : column + 1;
                if (column % tab_size == 0) {
                    bool is_single =
                        blanks == 1 && line[i] == ' ' && !(i + 1 < n && line[i + 1] == ' ');
                    putchar(is_single ? ' ' : '\t');
                    blanks = 0;
                }
                continue;
            }
            for (; blanks; blanks--) {
                putchar(' ');
            }
            is_start = false;
            putchar(line[i]);
            column++;
        }
    }
    free(line);
}

int unexpand_main(int argc, char **argv) {
    static const struct option longs[] = {
        {"all", 0, 0, 'a'}, {"tabs", 1, 0, 't'}, {"first-only", 0, 0, 'f'}, {0}};
    for (int c; (c = getopt_long(argc, argv, "at:f", longs, NULL)) != -1;) {
        if (c == 't') {
            tab_size = atol(optarg) > 0 ? atol(optarg) : 8;
            unexpands_all = true;
        } else if (c == 'a' || c == 'f') {
            unexpands_all = c == 'a';
        } else {
            tool_die_usage(1);
        }
    }
    tool_each(argv + optind, unexpand_run);
    return bx_status;
}

static int sum_files;
static void sum_run(FILE *file, const char *path) {
    unsigned sum = 0;
    unsigned long long size = 0;
    for (int c; (c = getc(file)) != EOF; size++) {
        sum = ((sum >> 1) + ((sum & 1) << 15) + (unsigned)c) & 0xffff;
    }
    printf("%05u %5llu", sum, (size + 1023) / 1024);
    printf(sum_files ? " %s\n" : "\n", path);
}

int sum_main(int argc, char **argv) {
    while (getopt(argc, argv, "rs") != -1) {
    }
    sum_files = argv[optind] != NULL;
    tool_each(argv + optind, sum_run);
    return bx_status;
}

static void tac_run(FILE *file, const char *path) {
    size_t n;
    char *text = tool_slurp(file, &n);
    (void)path;
    for (size_t end = n; end;) {
        const char *before = end > 1 ? memrchr(text, '\n', end - 1) : NULL;
        size_t start = before ? (size_t)(before + 1 - text) : 0;
        fwrite(text + start, 1, end - start, stdout);
        end = start;
    }
    free(text);
}

int tac_main(int argc, char **argv) {
    (void)argc;
    tool_each(argv + 1, tac_run);
    return bx_status;
}

static struct {
    char style;
    struct regex *re;
    long next, step;
    int width;
    const char *between, *format;
} number = {'t', NULL, 1, 1, 6, "\t", "%*ld%s"};

static void nl_run(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        n -= line[n - 1] == '\n';
        bool is_wanted = number.style == 'a' || (number.style == 't' && n) ||
                         (number.re && regex_find(number.re, line, n, 0, false, NULL));
        if (is_wanted) {
            if (number.format[1] == '-') {
                printf("%-*ld%s", number.width, number.next, number.between);
            } else if (number.format[1] == '0') {
                printf("%0*ld%s", number.width, number.next, number.between);
            } else {
                printf("%*ld%s", number.width, number.next, number.between);
            }
            number.next += number.step;
        } else {
            printf("%*s", number.width + (int)strlen(number.between), "");
        }
        fwrite(line, 1, n, stdout);
        putchar('\n');
    }
    free(line);
}

int nl_main(int argc, char **argv) {
    static const struct option longs[] = {{"body-numbering", 1, 0, 'b'},
                                          {"number-width", 1, 0, 'w'},
                                          {"number-separator", 1, 0, 's'},
                                          {"starting-line-number", 1, 0, 'v'},
                                          {"line-increment", 1, 0, 'i'},
                                          {"number-format", 1, 0, 'n'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "b:w:s:v:i:n:pd:h:f:l:", longs, NULL)) != -1;) {
        switch (c) {
        case 'b':
            number.style = *optarg;
            if (*optarg == 'p') {
                struct regex_options options = {.syntax = REGEX_BASIC};
                const char *text = optarg + 1, *why;
                size_t len = strlen(text);
                number.re = regex_new(&text, &len, 1, &options, &why);
                if (!number.re) {
                    tool_die(1, "%s", why);
                }
            }
            break;
        case 'w':
            number.width = atoi(optarg);
            break;
        case 's':
            number.between = optarg;
            break;
        case 'v':
            number.next = atol(optarg);
            break;
        case 'i':
            number.step = atol(optarg);
            break;
        case 'n':
            number.format = !strcmp(optarg, "ln") ? "%-" : !strcmp(optarg, "rz") ? "%0" : "%*";
            break;
        case '?':
            tool_die_usage(1);
        default:
            break;
        }
    }
    tool_each(argv + optind, nl_run);
    return bx_status;
}
