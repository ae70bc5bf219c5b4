// column.c - column
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"
#include "programs/tool.h"

static struct {
    bool is_table, fills_rows, is_greedy;
    const char *separators, *between, *names;
    struct tool_list lines;
    size_t width;
    bool has_own_separators;
    const char *right;
} col;

static void column_take(FILE *file, const char *path) {
    char *line = NULL;
    size_t cap = 0, n;
    (void)path;
    while (tool_line(file, &line, &cap, &n, '\n')) {
        n -= line[n - 1] == '\n';
        if (n && strspn(line, " \t\n") != n) {
            tool_push(&col.lines, tool_strndup(line, n));
        }
    }
    free(line);
}

static void cells_of(char *line, struct tool_list *cells) {
    if (!col.has_own_separators) {
        for (char *cell = strtok(line, col.separators); cell; cell = strtok(NULL, col.separators)) {
            tool_push(cells, cell);
        }
        return;
    }
    for (;;) {
        size_t n = strcspn(line, col.separators);
        bool is_last = !line[n];
        line[n] = 0;
        tool_push(cells, line);
        if (is_last) {
            return;
        }
        line += n + 1;
    }
}

static bool is_right(size_t column) {
    for (const char *p = col.right; p && *p;) {
        char *end;
        if ((size_t)strtol(p, &end, 10) == column + 1) {
            return true;
        }
        p = *end == ',' ? end + 1 : end == p ? "" : end;
    }
    return false;
}

static void column_table(void) {
    enum { MAX = 512 };
    size_t widths[MAX] = {0}, columns = 0;
    struct tool_list *rows = tool_alloc((col.lines.n + 2) * sizeof *rows);
    size_t n = 0;
    if (col.names) {
        memset(&rows[n], 0, sizeof *rows);
        char *names = tool_strdup(col.names);
        for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
            tool_push(&rows[n], name);
        }
        n++;
    }
    for (size_t i = 0; i < col.lines.n; i++, n++) {
        memset(&rows[n], 0, sizeof *rows);
        cells_of(col.lines.p[i], &rows[n]);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < rows[i].n && k < MAX; k++) {
            widths[k] = TOOL_MAX(widths[k], tool_width(rows[i].p[k], strlen(rows[i].p[k])));
            columns = TOOL_MAX(columns, k + 1);
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < columns; k++) {
            const char *cell = k < rows[i].n ? rows[i].p[k] : "";
            size_t pad = widths[k] - tool_width(cell, strlen(cell));
            bool is_end = k + 1 == columns;
            if (k >= rows[i].n && k) { // the rest of a short row is not padded
                break;
            }
            if (is_right(k)) {
                printf("%*s%s", (int)pad, "", cell);
            } else {
                fputs(cell, stdout);
                if (!is_end) {
                    printf("%*s", (int)pad, "");
                }
            }
            if (!is_end) {
                fputs(col.between, stdout);
            }
        }
        putchar('\n');
    }
}

static void column_fill(void) {
    size_t widest = 0;
    for (size_t i = 0; i < col.lines.n; i++) {
        widest = TOOL_MAX(widest, tool_width(col.lines.p[i], strlen(col.lines.p[i])));
    }
    widest = (widest + 8) / 8 * 8;
    size_t columns = TOOL_MAX((size_t)1, col.width / widest),
           rows = (col.lines.n + columns - 1) / columns;
    for (size_t row = 0; row < rows; row++) {
        for (size_t k = 0; k < columns; k++) {
            size_t i = col.fills_rows ? row * columns + k : k * rows + row,
                   next = col.fills_rows ? i + 1 : i + rows;
            if (i >= col.lines.n) {
                break;
            }
            fputs(col.lines.p[i], stdout);
            if (k + 1 < columns && next < col.lines.n) {
                for (size_t at = tool_width(col.lines.p[i], strlen(col.lines.p[i])); at < widest;
                     at = at / 8 * 8 + 8) {
                    putchar('\t');
                }
            }
        }
        putchar('\n');
    }
}

int column_main(int argc, char **argv) {
    static const struct option longs[] = {{"table", 0, 0, 't'},
                                          {"separator", 1, 0, 's'},
                                          {"output-separator", 1, 0, 'o'},
                                          {"fillrows", 0, 0, 'x'},
                                          {"output-width", 1, 0, 'c'},
                                          {"table-columns", 1, 0, 'N'},
                                          {"table-right", 1, 0, 'R'},
                                          {0}};
    col.separators = " \t";
    col.between = "  ";
    col.width = 80;
    for (int c; (c = getopt_long(argc, argv, "ts:o:xc:N:R:enL", longs, NULL)) != -1;) {
        switch (c) {
        case 't':
            col.is_table = true;
            break;
        case 's':
            col.separators = optarg;
            col.has_own_separators = true;
            break;
        case 'o':
            col.between = optarg;
            break;
        case 'x':
            col.fills_rows = true;
            break;
        case 'c':
            col.width = (size_t)atol(optarg);
            break;
        case 'N':
            col.names = optarg;
            break;
        case 'R':
            col.right = optarg;
            break;
        case '?':
            tool_die_usage(1);
        default:
            break;
        }
    }
    tool_each(argv + optind, column_take);
    if (col.is_table) {
        column_table();
    } else {
        column_fill();
    }
    return bx_status;
}
