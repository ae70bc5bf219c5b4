#ifndef BX_PROGRAM_DIFF_H
#define BX_PROGRAM_DIFF_H

#include "programs/tool.h"

/* diff in two files: diff_compare.c finds which lines differ, diff.c shows them. */
struct side {
    const char *path;
    char *text;
    size_t len, n;
    const char **lines;
    size_t *lens;
    long *ids;     // equal lines have equal numbers
    bool *differs; // of each line
    bool lacks_end;
    struct stat st;
};

struct diff_options {
    char style; // n(ormal), u, c, y, q, e
    long context;
    bool is_recursive, same_too, ignores_case, ignores_space_change, ignores_space,
        ignores_blank_lines, ignores_end, new_files, is_text, strips_cr, has_color, left_only,
        hides_common;
    int width;
    const char *labels[2];
    int n_labels;
    struct tool_list excluded;
    char *options; // as given, for "diff -r a b"
};
extern struct diff_options d;

/* Makes the lines of a side's text. */
void diff_split(struct side *side);
/* Sets differs[] of both: the fewest lines that it can find, in bounded time. */
void diff_compare(struct side *a, struct side *b);

#endif
