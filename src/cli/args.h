/* cli/args.h: the command line, as one table: parsing, --help and shell completion all read it.
 *
 * Main thread. An option is `--name VALUE`, `--name=VALUE` or a flag; `--` ends options. Unknown words are refused with the
 * nearest known one. */
#ifndef BX_CLI_ARGS_H
#define BX_CLI_ARGS_H

#include "base/base.h"
#include "base/vec.h"

/* Exit codes (docs/cli.md). */
enum bx_exit {
    BX_EXIT_OK = 0,
    BX_EXIT_FAILED = 1,    /* it was tried and failed; the line on stderr says why */
    BX_EXIT_USAGE = 2,     /* the command line is wrong; nothing was done */
    BX_EXIT_LIMIT = 3,     /* the run ended at a limit (a budget, max_turns, repeated calls) */
    BX_EXIT_STOPPED = 130, /* Ctrl-C */
};

struct bx_option {
    const char *name;
    const char *value; /* "DIR"; NULL = a flag */
    const char *help;
};

struct bx_args;
struct bx_command {
    const char *name;     /* "run", "tool run" */
    const char *operands; /* "[DIR]", "NAME|FILE.wasm" */
    const char *help;     /* one line */
    const char *options;  /* names of bx_options, separated by spaces */
    unsigned min_operands, max_operands;
    int (*run)(const struct bx_args *args); /* returns an exit code */
};
extern const struct bx_option bx_options[];
extern const size_t bx_option_count;
extern const struct bx_command bx_commands[];
extern const size_t bx_command_count;

struct bx_given {
    const struct bx_option *option;
    const char *value; /* NULL for a flag */
};
struct bx_args {
    const struct bx_command *command; /* NULL with help: all, or those of `group` */
    const char *group;                /* "tool", for its help */
    BX_VEC(const char *) operands; /* NULL ended by bx_args_parse */
    BX_VEC(struct bx_given) options;
    bool help;
};

/* Picks the command and its options out of argv[1…]. BX_ERR_INVALID with one clear line. Views into argv. */
int bx_args_parse(int argc, char **argv, struct bx_args *ret, struct bx_err *err);
void bx_args_deinit(struct bx_args *a);

bool bx_args_has(const struct bx_args *a, const char *option);
const char *bx_args_get(const struct bx_args *a, const char *option); /* the last one given; NULL = absent */
/* A number in range, or the fallback when absent. */
int bx_args_number(const struct bx_args *a, const char *option, uint64_t min, uint64_t max, uint64_t fallback,
                   uint64_t *ret, struct bx_err *err);
/* All values of an option that may be given many times, NULL ended; free with bx_free. */
const char **bx_args_all(const struct bx_args *a, const char *option);

void bx_args_usage(const struct bx_args *a, struct bx_buf *out); /* of one that asks for help */
/* The known word nearest to what was typed, or NULL when none is near. */
const char *bx_args_nearest(const char *typed, const char *(*word)(size_t i));

#endif
