#ifndef BX_PROGRAM_FIND_H
#define BX_PROGRAM_FIND_H

#include <time.h>

#include "programs/regex.h"
#include "programs/tool.h"

/* find in three files: find_parse.c makes the expression, find_eval.c has its tests and actions, find.c walks. */
enum { EXEC_BYTES = 100000, EXEC_COUNT = 4000, MAX_DEPTH = 400 };

struct entry {
    const char *path, *name, *start; // start: the argument that it is below
    struct stat st;
    int depth;
    bool prune;
};

struct node;
typedef bool eval_fn(struct node *n, struct entry *e);
struct node {
    eval_fn *eval;
    struct node *left, *right;
    const char *text;
    struct regex *re;
    long long number;
    int sign; // of +N and -N
    long long unit;
    char letter;
    struct timespec time;
    char **argv; // of -exec
    size_t argc;
    bool is_plus, in_dir;
    struct tool_list files; // of -exec … +
    size_t bytes;
    FILE *out;
};

struct find {
    char **argv;
    bool has_action, depth_first, follows, same_argument_links, quits;
    int min_depth, max_depth;
    enum regex_syntax syntax;
    struct timespec now;
    bool from_midnight;
    struct tool_list dirs;
    struct node *plus[32];
    int n_plus;
};
extern struct find f;

/* The whole expression in f.argv, up to what is no part of it. */
struct node *find_parse(void);
struct node *find_node(eval_fn *eval);

struct timespec find_time_of(const struct stat *st, char which);
void find_run_collected(struct node *n); /* what -exec … + has not run yet */
eval_fn eval_and, eval_or, eval_comma, eval_not, eval_true, eval_false, eval_name, eval_path, eval_regex, eval_type, eval_size, eval_links, eval_inum, eval_empty, eval_age, eval_newer, eval_perm, eval_access, eval_link_name, eval_print, eval_prune, eval_quit, eval_delete, eval_printf, eval_ls, eval_exec;

#endif
