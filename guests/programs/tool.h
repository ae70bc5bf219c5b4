#ifndef BX_PROGRAM_TOOL_H
#define BX_PROGRAM_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <getopt.h>

/*
 * What the programs of image "tools" share (main.c). Each is one function, int NAME_main(argc, argv), that returns its
 * status. One thread, one run, then the end: memory is freed where it could grow, not for its own sake.
 *
 * Messages are GNU's word for word where models and scripts read them: "sort: cannot read: x: No such file or directory".
 */

extern const char *bx_tool; /* the command's name, for messages */
extern int bx_status;       /* what tool_warn() sets to 1 */

/* "NAME: message" on stderr, after what was printed; tool_die() ends the program with the status. */
void tool_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void tool_die(int status, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
/* "NAME: PATH: No such file or directory", from errno */
void tool_warn_file(const char *path);
/* After getopt() returned '?': GNU's second line. */
void tool_die_usage(int status) __attribute__((noreturn));

/* getopt_long() with GNU's words for what is wrong; programs call it by its usual name. */
int tool_getopt(int argc, char **argv, const char *shorts, const struct option *longs);
#define getopt_long(argc, argv, shorts, longs, index) tool_getopt(argc, argv, shorts, longs)

/* malloc and realloc that never return NULL */
void *tool_alloc(size_t n);
void *tool_realloc(void *p, size_t n);
char *tool_strndup(const char *s, size_t n);
char *tool_strdup(const char *s);
char *tool_join(const char *dir, const char *name); /* with one slash between */

/* Input, "-" being stdin; NULL after a warning. A folder is refused as GNU does. */
FILE *tool_open(const char *path);
void tool_close(FILE *file);
/* A line with its end, NUL after it; false at the end. */
bool tool_line(FILE *file, char **line, size_t *cap, size_t *ret_len, char end);
/* All of it. */
char *tool_slurp(FILE *file, size_t *ret_len);

/* Calls run for each file, or for stdin when there is none. */
void tool_each(char **files, void (*run)(FILE *file, const char *path));

/* A growing list of strings (or of anything that is a pointer) */
struct tool_list {
    char **p;
    size_t n, cap;
};
void tool_push(struct tool_list *list, char *item);

/* Bytes that grow */
struct tool_buf {
    char *p;
    size_t n, cap;
};
void tool_put(struct tool_buf *buf, const char *s, size_t n);
void tool_puts(struct tool_buf *buf, const char *s);
void tool_putc(struct tool_buf *buf, char c);
void tool_printf(struct tool_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -NUM at the front becomes -n NUM (head -5). Returns a new argv. */
char **tool_number_option(int *argc, char **argv, const char *with_value);

/* A number with a suffix (k, K, M, G, kB, MiB, b = 512); false when it is none. */
bool tool_size(const char *text, long long *ret);
/* 1234 -> "1.3K" as du -h and ls -h do; base 1024 or 1000 */
void tool_human(char out[24], unsigned long long n, unsigned base);

/* Names that a shell takes without quotes, else 'quoted' (ls, GNU messages) */
const char *tool_quote(const char *name);

/* Columns on a terminal of one UTF-8 text */
size_t tool_width(const char *s, size_t n);
/* The bytes of the character at s, at least 1 */
size_t tool_char(const char *s, size_t n);

/* GNU's version order (sort -V) */
int tool_version_cmp(const char *a, const char *b);

/* Runs a command to its end with stdin empty: 0 to 255, or 127 and 126 after a message. is_input: it gets our stdin. */
int tool_run(char *const *argv, bool is_input);

/* Seconds since 1970 of a date as `date -d` takes it; false when it is none. */
bool tool_date(const char *text, struct timespec now, struct timespec *ret);
void tool_now(struct timespec *ret);

#define TOOL_LEN(a) (sizeof(a) / sizeof *(a))
#define TOOL_MIN(a, b) ((a) < (b) ? (a) : (b))
#define TOOL_MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
