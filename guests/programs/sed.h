#ifndef BX_PROGRAM_SED_H
#define BX_PROGRAM_SED_H

#include "programs/regex.h"
#include "programs/tool.h"

/*
 * sed in four files: sed_parse.c makes the script, sed.c runs it, sed_lines.c has the lines and the output, sed_replace.c what
 * s and y do. GNU's sed with -E, -i, -n, -s, -z, but for e, the commands that run programs.
 */
enum sed_address_kind { SED_NONE, SED_LINE, SED_LAST, SED_REGEX, SED_STEP, SED_PLUS, SED_MULTIPLE, SED_ZERO };

struct sed_address {
    enum sed_address_kind kind;
    long n, step;
    struct regex *re; /* NULL with SED_REGEX: the last one used */
};

/* A piece of s///'s replacement: text, then a group (-1: none), with a change of case */
struct sed_part {
    struct tool_buf text;
    int group;
    char change; /* 0, or U L u l E before this part */
};

struct sed_command {
    struct sed_address from, to;
    bool is_inverted;
    char name;
    bool is_on; /* in a range */
    long end_line;
    struct regex *re;
    struct sed_part *parts;
    size_t n_parts;
    bool is_global, prints;
    long nth;
    char *text; /* of a, i, c; a file of r, w; a label; y's table */
    size_t text_len;
    FILE *out;
    size_t jump; /* of b, t, T and { */
    int code;    /* of q, Q, l */
};

struct sed_script {
    struct sed_command *commands;
    size_t n;
    bool is_quiet_by_script; /* #n */
};

/* Adds to the script; ends the program when it is wrong. is_fragment: the text of one -e. */
void sed_parse(struct sed_script *script, const char *text, bool is_extended, int fragment);
/* After the last fragment: labels are found, blocks are closed. */
void sed_resolve(struct sed_script *script);
FILE *sed_output(const char *path);

/* The run: what the options say, the input, the two spaces */
struct sed_run {
    bool is_quiet, is_separate, in_place, is_posix;
    const char *suffix; /* of -i */
    char end_byte;
    char **files; /* the rest */
    FILE *file;
    const char *name;
    long line;
    char *next; /* read ahead, to know which line is the last */
    size_t next_len, next_cap;
    bool has_next;
    FILE *out;
    char *temporary;
    struct tool_buf space, hold;
    bool lacks_end; /* the last line of the input has no newline */
    bool is_replaced;
    int status;
    struct regex *last_re;
};
extern struct sed_run sed;

bool sed_next_line(void); /* into the pattern space; false: there is none */
bool sed_is_last(void);
void sed_close(void); /* the output of -i becomes the file */
void sed_put(FILE *out, const char *s, size_t n); /* with its end */
void sed_put_raw(const char *s, size_t n);
void sed_put_visibly(int width); /* l */
void sed_append(char kind, const char *text, size_t n); /* of a and r: put after the line, by sed_flush_appended() */
void sed_flush_appended(void);

struct regex *sed_use(struct regex *re); /* NULL: the last one used */
bool sed_substitute(const struct sed_command *c);
void sed_transliterate(const struct sed_command *c);

#endif
