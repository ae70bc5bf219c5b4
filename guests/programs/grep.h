#ifndef BX_PROGRAM_GREP_H
#define BX_PROGRAM_GREP_H

#include "programs/regex.h"
#include "programs/tool.h"

/* grep in two files: grep_options.c reads the command line, grep.c searches. */
enum { STATUS_FOUND, STATUS_NONE, STATUS_TROUBLE, PIECE_BYTES = 65536 };

enum binary { BINARY_SAY, BINARY_TEXT, BINARY_SKIP };

struct grep {
    struct regex *re;
    bool is_inverted, is_counting, is_only, is_quiet, is_silent, is_numbered, is_byte, is_recursive,
        follows, is_null, initial_tab;
    int list;      // 1: files with matches, -1: files without
    int with_name; // -1: when there are several
    bool has_color;
    bool has_prefix; // before the text of a line
    long before, after, max;
    char end;
    enum binary binary;
    const char *label;
    struct tool_list include, exclude, exclude_dir;
    bool is_found, is_trouble;
};
extern struct grep g;

/* One option of getopt_long() with grep_shorts and grep_longs; patterns are added to the list. */
void grep_option(int c, struct regex_options *options, struct tool_list *patterns, bool *has_patterns);
void grep_add_patterns(struct tool_list *list, char *text);
extern const struct option grep_longs[];
extern const char grep_shorts[];

#endif
