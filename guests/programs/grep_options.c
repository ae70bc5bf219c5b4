// grep_options.c - the command line of grep
#include "programs/grep.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"

void grep_add_patterns(struct tool_list *list, char *text) {
    for (char *at = text;;) {
        size_t n = strcspn(at, "\n");
        tool_push(list, tool_strndup(at, n));
        if (!at[n]) {
            return;
        }
        at += n + 1;
    }
}

static void add_pattern_file(struct tool_list *list, const char *path) {
    FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
    size_t n;
    if (!file) {
        tool_warn_file(path);
        exit(STATUS_TROUBLE);
    }
    char *text = tool_slurp(file, &n);
    if (n && text[n - 1] == '\n') {
        text[--n] = 0;
    }
    if (n) {
        grep_add_patterns(list, text);
    }
}

static long number(const char *text, const char *what) {
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < 0) {
        tool_die(STATUS_TROUBLE, "%s: invalid %s", text, what);
    }
    return n;
}

enum {
    OPT_INCLUDE = 256,
    OPT_EXCLUDE,
    OPT_EXCLUDE_DIR,
    OPT_COLOR,
    OPT_LABEL,
    OPT_BINARY,
    OPT_NOOP,
    OPT_EXCLUDE_FROM
};

const struct option grep_longs[] = {{"include", 1, 0, OPT_INCLUDE},
                                    {"exclude", 1, 0, OPT_EXCLUDE},
                                    {"exclude-dir", 1, 0, OPT_EXCLUDE_DIR},
                                    {"color", 2, 0, OPT_COLOR},
                                    {"colour", 2, 0, OPT_COLOR},
                                    {"label", 1, 0, OPT_LABEL},
                                    {"binary-files", 1, 0, OPT_BINARY},
                                    {"line-buffered", 0, 0, OPT_NOOP},
                                    {"extended-regexp", 0, 0, 'E'},
                                    {"fixed-strings", 0, 0, 'F'},
                                    {"basic-regexp", 0, 0, 'G'},
                                    {"perl-regexp", 0, 0, 'P'},
                                    {"regexp", 1, 0, 'e'},
                                    {"file", 1, 0, 'f'},
                                    {"ignore-case", 0, 0, 'i'},
                                    {"no-ignore-case", 0, 0, 'Y'},
                                    {"word-regexp", 0, 0, 'w'},
                                    {"line-regexp", 0, 0, 'x'},
                                    {"null-data", 0, 0, 'z'},
                                    {"no-messages", 0, 0, 's'},
                                    {"invert-match", 0, 0, 'v'},
                                    {"max-count", 1, 0, 'm'},
                                    {"byte-offset", 0, 0, 'b'},
                                    {"line-number", 0, 0, 'n'},
                                    {"with-filename", 0, 0, 'H'},
                                    {"no-filename", 0, 0, 'h'},
                                    {"only-matching", 0, 0, 'o'},
                                    {"quiet", 0, 0, 'q'},
                                    {"silent", 0, 0, 'q'},
                                    {"text", 0, 0, 'a'},
                                    {"recursive", 0, 0, 'r'},
                                    {"dereference-recursive", 0, 0, 'R'},
                                    {"files-without-match", 0, 0, 'L'},
                                    {"files-with-matches", 0, 0, 'l'},
                                    {"count", 0, 0, 'c'},
                                    {"initial-tab", 0, 0, 'T'},
                                    {"null", 0, 0, 'Z'},
                                    {"before-context", 1, 0, 'B'},
                                    {"after-context", 1, 0, 'A'},
                                    {"context", 1, 0, 'C'},
                                    {"version", 0, 0, 'V'},
                                    {0}};

static void option_long(int c) {
    switch (c) {
    case OPT_INCLUDE:
        tool_push(&g.include, optarg);
        break;
    case OPT_EXCLUDE:
        tool_push(&g.exclude, optarg);
        break;
    case OPT_EXCLUDE_DIR:
        while (strlen(optarg) > 1 && optarg[strlen(optarg) - 1] == '/') {
            optarg[strlen(optarg) - 1] = 0;
        }
        tool_push(&g.exclude_dir, optarg);
        break;
    case OPT_COLOR:
        g.has_color = optarg && !strcmp(optarg, "always");
        break;
    case OPT_LABEL:
        g.label = optarg;
        break;
    case OPT_BINARY:
        g.binary = !strcmp(optarg, "text")            ? BINARY_TEXT
                   : !strcmp(optarg, "without-match") ? BINARY_SKIP
                                                      : BINARY_SAY;
        break;
    default:
        break;
    }
}

void grep_option(int c, struct regex_options *options, struct tool_list *patterns,
                 bool *has_patterns) {
    switch (c) {
    case 'E':
        options->syntax = REGEX_EXTENDED;
        break;
    case 'F':
        options->syntax = REGEX_FIXED;
        break;
    case 'G':
        options->syntax = REGEX_BASIC;
        break;
    case 'P':
        options->syntax = REGEX_PERL;
        break;
    case 'e':
    case 'f':
        *has_patterns = true;
        if (c == 'e') {
            grep_add_patterns(patterns, optarg);
        } else {
            add_pattern_file(patterns, optarg);
        }
        break;
    case 'i':
    case 'y':
        options->is_caseless = true;
        break;
    case 'Y':
        options->is_caseless = false;
        break;
    case 'w':
        options->is_word = true;
        break;
    case 'x':
        options->is_line = true;
        break;
    case 'z':
        g.end = 0;
        break;
    case 's':
        g.is_silent = true;
        break;
    case 'v':
        g.is_inverted = true;
        break;
    case 'm':
        g.max = strtol(optarg, NULL, 10);
        break;
    case 'b':
        g.is_byte = true;
        break;
    case 'n':
        g.is_numbered = true;
        break;
    case 'H':
        g.with_name = 1;
        break;
    case 'h':
        g.with_name = 0;
        break;
    case 'o':
        g.is_only = true;
        break;
    case 'q':
        g.is_quiet = true;
        break;
    case 'a':
        g.binary = BINARY_TEXT;
        break;
    case 'I':
        g.binary = BINARY_SKIP;
        break;
    case 'R':
        g.follows = true; // fall through
    case 'r':
        g.is_recursive = true;
        break;
    case 'd':
        g.is_recursive = !strcmp(optarg, "recurse");
        g.is_silent = g.is_silent || !strcmp(optarg, "skip");
        break;
    case 'L':
        g.list = -1;
        break;
    case 'l':
        g.list = 1;
        break;
    case 'c':
        g.is_counting = true;
        break;
    case 'T':
        g.initial_tab = true;
        break;
    case 'Z':
        g.is_null = true;
        break;
    case 'A':
        g.after = number(optarg, "context length argument");
        break;
    case 'B':
        g.before = number(optarg, "context length argument");
        break;
    case 'C':
    case 'k':
        g.before = g.after = number(optarg, "context length argument");
        break;
    case 'V':
        puts("grep (BoxAgnts)");
        exit(0);
    case 'U':
        break;
    case '?':
        fprintf(stderr, "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more "
                        "information.\n");
        exit(STATUS_TROUBLE);
    default:
        option_long(c);
    }
}

const char grep_shorts[] = "EFGPe:f:iyYwxzsvm:bnHhoqaIrRd:LlcTZUA:B:C:k:V";
