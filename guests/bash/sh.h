#ifndef SH_SH_H
#define SH_SH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "bash/ast.h"
#include "common/buf.h"

/*
 * The shell. One struct sh is one shell; everything is reached through it, and there are no other variables.
 *
 * WebAssembly has neither fork nor dup2 nor setjmp, and that decides the shape:
 * - Descriptors are the shell's own (sh->fds, io.c): files, pipes of the host, texts, captures. A program that is started
 *   gets pipes as numbers and files as paths (spawn.c).
 * - ( … ), $( … ) and one stage of each pipeline run in this instance on a copy of the state (subshell.c): variables are
 *   shared until they are changed. Stages that must run side by side become fresh instances, with the state handed over
 *   as text (state.c) and the command as its source.
 * - break, return, exit and errors are a `flow` that every loop looks at.
 * Bounds: depth of the parser and of the evaluation, and the memory and time of the call.
 */
enum sh_var_flags {
    SH_EXPORT = 1, SH_READONLY = 2, SH_INTEGER = 4, SH_INDEXED = 8, SH_ASSOC = 16, SH_TO_LOWER = 32, SH_TO_UPPER = 64,
    SH_NAMEREF = 128, SH_IS_SET = 256,
    SH_MAKE_LOCAL = 1 << 20, /* not of a variable: what sh_assign_one is asked to do */
};
struct sh_item {
    long long index; /* of an indexed array; the items are in its order */
    char *key;       /* of an associative one; in bash's order, or NULL */
    char *value;
};
struct sh_var { /* shared between copies of the state: sh_var_own before a change */
    int refs;
    unsigned flags;
    char *name;
    char *value; /* of what is not an array */
    struct sh_item *items;
    size_t n, cap;
};
struct sh_program { /* a text that was parsed, and what functions point into */
    int refs;
    struct sh_arena arena;
    char *text;
};
struct sh_function {
    int refs;
    char *name;
    const struct sh_node *node;
    struct sh_program *program;
};
struct sh_entry {
    const char *name;
    struct sh_var *var;
    struct sh_function *function;
    struct sh_entry *next;
};
enum { SH_BUCKETS = 128 };
struct sh_table {
    struct sh_entry *buckets[SH_BUCKETS];
};
struct sh_scope { /* what a function's local variables hide */
    struct sh_saved {
        char *name;
        struct sh_var *var; /* NULL: there was none */
    } *saved;
    size_t n, cap;
    struct sh_scope *above;
    bool is_function;
};

enum sh_flow { SH_GO, SH_BREAK, SH_CONTINUE, SH_RETURN, SH_EXIT };

enum sh_io_kind { SH_IO_NULL, SH_IO_STD, SH_IO_PIPE, SH_IO_FILE, SH_IO_TEXT, SH_IO_CAPTURE };
struct sh_io { /* an open file description: shared by the descriptors that were made from it */
    enum sh_io_kind kind;
    int refs;
    int32_t number; /* std: 0, 1, 2. pipe: of the host */
    bool is_writer; /* a pipe's end; a file that was opened for writing */
    int fd;         /* file */
    char *path;
    long long at;   /* file: where reading is */
    struct bx_buf buf; /* read ahead, from buf_at on; of a text all of it; of a capture what came */
    size_t buf_at;
    bool reads_ahead; /* nobody else reads from it */
    bool is_ended;
    int32_t drain; /* capture: the pipe of the pipeline that runs now, 0: none */
};
enum { SH_FDS = 64 };

struct sh_job {
    int32_t pids[16];
    int statuses[16];
    bool is_waited[16];
    size_t n;
    int32_t id; /* what $! is: the last pid */
    char *text;
    bool is_done;
    int status;
};

enum sh_option { /* set -o */
    SH_ERREXIT = 1, SH_NOUNSET = 2, SH_XTRACE = 4, SH_NOGLOB = 8, SH_NOEXEC = 16, SH_PIPEFAIL = 32, SH_NOCLOBBER = 64,
    SH_ALLEXPORT = 128, SH_VERBOSE = 256, SH_OPT_OTHER = 512, SH_POSIX = 1024,
};
enum sh_shopt {
    SH_GLOBSTAR = 1, SH_NULLGLOB = 2, SH_FAILGLOB = 4, SH_DOTGLOB = 8, SH_NOCASEGLOB = 16, SH_NOCASEMATCH = 32,
    SH_EXTGLOB = 64, SH_LASTPIPE = 128, SH_INHERIT_ERREXIT = 256, SH_SHOPT_OTHER = 512,
};
enum sh_trap { SH_TRAP_EXIT, SH_TRAP_ERR, SH_TRAP_DEBUG, SH_TRAP_RETURN, SH_TRAP_OTHER, SH_TRAPS };

struct sh_stage {
    char *command;
    int status;
    long long ms;
};
enum { SH_STAGES_MAX = 50, SH_MAX_EXEC_DEPTH = 400 };

struct sh {
    struct sh_table *vars, *functions;
    struct sh_scope *scope;
    char **args; /* $1 …, refs by copying */
    size_t n_args;
    char *arg0;
    const char *name; /* "bash" or "sh": in messages */
    unsigned options, shopts;
    int status;
    int last_substitution; /* the status of the last $( ) of a command, -1: none */
    char *cwd; /* absolute, without a trailing slash but for "/" */
    char **dirs;
    size_t n_dirs;
    struct sh_io *fds[SH_FDS];
    enum sh_flow flow;
    int flow_count;
    int loop_depth, function_depth, exec_depth, subshell_depth, source_depth;
    int quiet; /* > 0: a failure does not end the shell (errexit): conditions */
    bool is_erred; /* an expansion failed: the command is not run */
    char *traps[SH_TRAPS];
    bool is_in_trap, is_root, is_command_string;
    struct sh_job *jobs;
    size_t n_jobs, cap_jobs;
    int32_t last_background;
    int pid; /* $$ */
    int line;
    struct sh_program *program;
    struct sh_arena scratch;
    const char *function_name;
    long long start_ms;
    long long seconds_offset;
    unsigned random;
    char *programs; /* names that the host can start, separated by spaces; NULL: not known (native) */
    int getopts_at;
    int umask;
    struct sh_stage *stages;
    size_t n_stages;
    bool stages_open; /* pipelines are recorded: those of the call's own text, not those inside functions */
    char **temps; /* files to be removed when the command is over */
    size_t n_temps;
    unsigned temp_count;
    struct sh_deferred {
        char *path;
        const struct sh_node *list;
    } deferred[8];
    size_t n_deferred;
    struct sh_io *draining[4]; /* captures that programs write to right now */
    size_t n_draining;
};

/* --- var.c. Names of namerefs are followed unless said otherwise. */
struct sh_var *sh_var_get(struct sh *sh, const char *name);     /* or NULL; to look at */
struct sh_var *sh_var_get_raw(struct sh *sh, const char *name); /* the nameref itself */
struct sh_var *sh_var_make(struct sh *sh, const char *name);    /* to change: not shared, made when missing */
struct sh_var *sh_var_make_raw(struct sh *sh, const char *name);
bool sh_var_unset(struct sh *sh, const char *name, bool follow);
/* False after a message: read-only, or not a number. */
bool sh_set(struct sh *sh, const char *name, const char *value);
bool sh_set_index(struct sh *sh, struct sh_var *var, long long index, const char *value, bool append);
bool sh_set_key(struct sh *sh, struct sh_var *var, const char *key, const char *value, bool append);
bool sh_set_var(struct sh *sh, struct sh_var *var, const char *value, bool append);
void sh_clear_array(struct sh_var *var, unsigned kind);
/* Set an indexed array to these texts. */
bool sh_set_array(struct sh *sh, const char *name, const char *const *values, size_t n);
const char *sh_get(struct sh *sh, const char *name); /* NULL: unset. Valid until the next change */
const char *sh_item_get(const struct sh_var *var, long long index);
const char *sh_key_get(const struct sh_var *var, const char *key);
void sh_item_unset(struct sh_var *var, long long index, const char *key);
void sh_local(struct sh *sh, const char *name); /* hide it until the function ends */
void sh_scope_push(struct sh *sh, struct sh_scope *scope);
void sh_scope_pop(struct sh *sh);
struct sh_table *sh_table_copy(const struct sh_table *table);
void sh_table_free(struct sh_table *table);
const char **sh_names(struct sh *sh, const struct sh_table *table, size_t *ret_n); /* sorted, in scratch */
struct sh_function *sh_function_get(struct sh *sh, const char *name);
void sh_function_set(struct sh *sh, const char *name, const struct sh_node *node);
void sh_function_unset(struct sh *sh, const char *name);
struct sh_program *sh_program_ref(struct sh_program *program);
void sh_program_unref(struct sh_program *program);
const char *sh_special(struct sh *sh, const char *name); /* $RANDOM, $SECONDS … or NULL */

/* --- expand.c */
struct sh_fields {
    char **v; /* in scratch */
    size_t n, cap;
};
void sh_fields_add(struct sh *sh, struct sh_fields *fields, const char *text);
/* All expansions. False when one failed (a message was printed). */
bool sh_expand_words(struct sh *sh, const struct sh_word *words, struct sh_fields *out);
bool sh_expand_word(struct sh *sh, const struct sh_word *word, struct sh_fields *out);
/* To one text without splitting and patterns: assignments, case, redirections. NULL after a message. */
char *sh_expand_text(struct sh *sh, const struct sh_word *word);
char *sh_expand_quoted(struct sh *sh, const struct sh_word *word); /* as in double quotes: arithmetic, here-documents */
char *sh_expand_pattern(struct sh *sh, const struct sh_word *word); /* what was quoted has a \ */
char *sh_expand_regex(struct sh *sh, const struct sh_word *word);
bool sh_expand_index(struct sh *sh, const struct sh_word *index, long long *ret);
/* >( ): run this when the command is over, with the file as its input. */
void sh_defer(struct sh *sh, const char *path, const struct sh_node *list);
void sh_run_deferred(struct sh *sh, size_t from);

/* --- param.c: ${…} */
struct sh_value { /* what a parameter is before it is put into words */
    bool is_set;
    bool is_list, is_star; /* "$@", "$*", "${a[@]}" */
    char *text;
    char **list;
    size_t n;
};
bool sh_param_value(struct sh *sh, const struct sh_param *param, bool is_quoted, struct sh_value *ret,
                    const struct sh_word **ret_word); /* ret_word: expand that instead */
void sh_quote(struct bx_buf *out, const char *text); /* so that the shell reads it back, as printf %q */
void sh_quote_single(struct bx_buf *out, const char *text); /* as declare -p and ${x@Q} do */
void sh_quote_trace(struct bx_buf *out, const char *text); /* as set -x does: quotes only where they are needed */
void sh_declare_text(const struct sh_var *var, struct bx_buf *out); /* declare -- x="1" */

/* --- pattern.c, pathname.c, brace.c */
enum sh_match_flags { SH_MATCH_FOLD = 1, SH_MATCH_EXT = 2 };
bool sh_match(const char *pattern, const char *text, size_t len, unsigned flags);
bool sh_has_pattern(const char *pattern, bool ext);
char *sh_unescape(struct sh *sh, const char *pattern); /* into scratch */
/* Adds the matching paths, sorted; returns how many. */
size_t sh_pathnames(struct sh *sh, const char *pattern, struct sh_fields *out);
/* The words that braces make of one; just the word when there are none. */
struct sh_word *sh_braces(struct sh *sh, const struct sh_word *word);
size_t sh_char_length(const char *text, size_t len); /* of the character at text, at least 1 */

/* --- arith.c */
bool sh_arith(struct sh *sh, const char *text, long long *ret);

/* --- cond.c */
int sh_cond_run(struct sh *sh, const struct sh_cond *cond); /* 0, 1, 2 */
int sh_test(struct sh *sh, char **args, size_t n); /* test, [ */
bool sh_test_file(struct sh *sh, char op, const char *path);

/* --- init.c */
void sh_init(struct sh *sh);

/* --- io.c */
struct sh_io *sh_io_std(int32_t number);
struct sh_io *sh_io_new(enum sh_io_kind kind);
struct sh_io *sh_io_ref(struct sh_io *io);
void sh_io_unref(struct sh_io *io);
void sh_fd_set(struct sh *sh, int fd, struct sh_io *take_io); /* NULL closes */
int sh_write(struct sh *sh, int fd, const char *bytes, size_t n); /* 0 or -errno */
ssize_t sh_read(struct sh *sh, int fd, char *bytes, size_t n);    /* 0: the end; -errno */
int sh_read_char(struct sh *sh, int fd); /* -1: the end */
int sh_open(struct sh *sh, const char *path, enum sh_redir_op op, struct sh_io **ret); /* 0 or -errno */
char *sh_path(struct sh *sh, const char *path); /* absolute, in scratch */
char *sh_path_normal(struct sh *sh, const char *path); /* and without . and .. */
bool sh_temp_file(struct sh *sh, const char *bytes, size_t n, char **ret_path);
void sh_drop_temps(struct sh *sh, size_t until);
void sh_say(struct sh *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* "bash: line 3: …" */
void sh_complain(struct sh *sh, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* as it is, with a newline */
const char *sh_strerror(int error);
long long sh_now_ms(void);

/* --- redir.c */
struct sh_redirected {
    int fds[16];
    struct sh_io *before[16];
    size_t n;
};
bool sh_redirect(struct sh *sh, const struct sh_redir *redirs, struct sh_redirected *saved); /* saved NULL: for good */
void sh_redirect_back(struct sh *sh, struct sh_redirected *saved);

/* --- spawn.c: other processes */
struct sh_process {
    char **argv;
    size_t argc;
    const struct sh_assign *env; /* of this command only */
    const char *state; /* for a fresh instance of the shell, or NULL */
};
/* The pid or -errno. Uses the shell's descriptors 0, 1 and 2. */
int32_t sh_spawn(struct sh *sh, const struct sh_process *process);
/* The pid, or -1000 - status after a message. */
int32_t sh_start_program(struct sh *sh, char **argv, size_t argc);
int sh_run_program(struct sh *sh, char **argv, size_t argc); /* spawn, drain, wait: the status */
int sh_run_barred(struct sh *sh, char **argv, size_t argc);  /* the same for a command of the shell itself */
bool sh_program_exists(struct sh *sh, const char *name, char **ret_path);
int32_t sh_spawn_text(struct sh *sh, const char *text, bool owns_stdin); /* a fresh instance that runs this */
int sh_wait(struct sh *sh, int32_t pid);
void sh_end_feeders(void); /* at the end, when nobody reads any more what was put back */
void sh_drain(struct sh *sh); /* close and empty the pipes of captures */
void sh_not_found(struct sh *sh, const char *name);

/* --- bars.c */
void sh_bars_init(const char *list); /* BX_BARS, or NULL */
bool sh_is_barred(char **argv, size_t argc); /* a rule denies it: what is no program is handed to the host all the same */

/* --- state.c */
char *sh_state_text(struct sh *sh, bool owns_stdin); /* in scratch */
bool sh_state_read(struct sh *sh, const char *text);
void sh_state_exports(struct sh *sh, struct bx_buf *out); /* JSON members of the variables that are exported */

/* --- subshell.c */
struct sh_copy;
struct sh_copy *sh_subshell_enter(struct sh *sh);
void sh_subshell_leave(struct sh *sh, struct sh_copy *copy); /* keeps sh->status */
bool sh_capture(struct sh *sh, const struct sh_node *list, struct bx_buf *out); /* $( ) */

/* --- exec.c, pipeline.c, run.c */
void sh_exec(struct sh *sh, const struct sh_node *node);
void sh_exec_pipeline(struct sh *sh, const struct sh_node *node);
void sh_exec_background(struct sh *sh, const struct sh_node *node);
void sh_run_words(struct sh *sh, struct sh_fields *words, bool no_functions);
int sh_call_function(struct sh *sh, struct sh_function *f, char **args, size_t n);
/* The caller pops the scope, also on false. */
bool sh_push_assigns(struct sh *sh, const struct sh_assign *assigns, struct sh_scope *scope);
bool sh_assign_all(struct sh *sh, const struct sh_assign *assigns);
bool sh_assign_one(struct sh *sh, const struct sh_assign *assign, unsigned add_flags);
void sh_run_text(struct sh *sh, const char *text, size_t len, int line); /* eval, scripts */
void sh_run_trap(struct sh *sh, enum sh_trap trap);
void sh_failed(struct sh *sh); /* errexit and trap ERR, after a command with a status that is not 0 */
long long sh_record_start(const struct sh *sh);
void sh_record(struct sh *sh, const struct sh_node *node, int status, long long start_ms);
struct sh_job *sh_job_add(struct sh *sh, const char *text);
int sh_job_wait(struct sh *sh, struct sh_job *job);
int sh_exit_shell(struct sh *sh); /* runs trap EXIT; the status */

/* --- builtins */
struct sh_builtin {
    const char *name;
    int (*run)(struct sh *sh, char **argv, size_t argc, struct bx_buf *out); /* argv[0] is the name; argv[argc] is NULL */
    bool is_special;
    bool is_plain; /* changes nothing, reads nothing, ends soon: a stage may run before the next one starts */
};
const struct sh_builtin *sh_builtin_find(const char *name);
extern const struct sh_builtin sh_builtins[];
extern const size_t sh_builtins_n;
int sh_bi_printf(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_echo(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_read(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_mapfile(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_getopts(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_declare(struct sh *sh, const struct sh_word *words, const char *name, struct bx_buf *out); /* words[0] is the name */
int sh_bi_set(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_shopt(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_trap(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_cd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_pwd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_pushd(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_dirs(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_type(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_command(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_kill(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_wait(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_jobs(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_timeout(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_prefix(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_ulimit(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_umask(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_dot(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_unset(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
int sh_bi_exec(struct sh *sh, char **argv, size_t argc, struct bx_buf *out);
bool sh_parse_int(const char *text, long long *ret);
char *sh_option_letters(struct sh *sh);
bool sh_option_set(struct sh *sh, const char *name, bool on);
void sh_signal_list(struct bx_buf *out);
int sh_signal_number(const char *name); /* -1: none */

#endif
