#ifndef SH_AST_H
#define SH_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bash/arena.h"

/*
 * What a command text means. Everything lives in the parser's arena and is never changed after parsing.
 *
 * A node knows its place in the source, so that it can be handed to another instance of the shell as text
 * (sh_node_text): pipelines and background jobs are made that way. Names of this folder begin with sh_.
 */
struct sh_heredoc { /* a body, which stands behind the line of its operator */
    const char *operator_at, *body;
    size_t body_len; /* with the line of the delimiter */
    struct sh_heredoc *next;
};
struct sh_source {
    const char *text;
    size_t len;
    struct sh_heredoc *heredocs;
};

enum sh_part_kind {
    SH_LITERAL,  /* unquoted text: braces, tilde and patterns count */
    SH_QUOTED,   /* text that means itself */
    SH_DQUOTE,   /* "parts" */
    SH_PARAM,    /* $x ${…} */
    SH_COMMAND,  /* $(…) `…` */
    SH_ARITH,    /* $((parts)) */
    SH_PROCESS,  /* <(…) >(…) */
};
struct sh_part {
    enum sh_part_kind kind;
    struct sh_part *next;
    const char *text;
    size_t len;
    struct sh_part *parts;
    struct sh_param *param;
    struct sh_node *list; /* may be NULL: an empty substitution */
    bool is_output;       /* of SH_PROCESS: >( ) */
};
struct sh_word {
    struct sh_part *parts; /* NULL: the empty word "" has an SH_DQUOTE */
    struct sh_word *next;
    struct sh_assign *assign; /* an argument of declare, local, export … of the form name=value */
    bool has_brace;           /* an unquoted { */
    bool is_quoted;           /* any part of it */
    bool may_assign;          /* expanding it may change the shell: ${x:=y}, $((x++)) */
};

enum sh_op { /* of ${name…} */
    SH_OP_NONE,
    SH_OP_DEFAULT, SH_OP_ASSIGN, SH_OP_ERROR, SH_OP_ALTERNATE, /* - = ? + */
    SH_OP_PREFIX, SH_OP_PREFIX_LONG, SH_OP_SUFFIX, SH_OP_SUFFIX_LONG,
    SH_OP_REPLACE, SH_OP_REPLACE_ALL, SH_OP_REPLACE_START, SH_OP_REPLACE_END,
    SH_OP_SUBSTRING,
    SH_OP_UPPER, SH_OP_UPPER_ALL, SH_OP_LOWER, SH_OP_LOWER_ALL,
    SH_OP_TRANSFORM, /* @Q … */
};
struct sh_param {
    const char *name;      /* a name, digits, or one of @*#?-$! */
    struct sh_word *index; /* [index]; a literal "@" or "*" is all_index */
    char all_index;        /* '@', '*' or 0 */
    char all_names;        /* ${!prefix@}: '@' or '*' */
    bool is_length, is_indirect, is_colon; /* is_colon: an empty value counts as unset */
    bool is_bad;           /* no such form: an error when it is expanded */
    enum sh_op op;
    char transform;
    struct sh_word *arg, *arg2; /* arg2: the replacement, or the length of a substring */
};

struct sh_element {
    struct sh_word *index; /* or NULL */
    struct sh_word *value;
    bool is_append;
    struct sh_element *next;
};
struct sh_assign {
    const char *name;
    struct sh_word *index;
    struct sh_word *value; /* NULL: nothing behind the = */
    struct sh_element *elements;
    bool is_append, is_array;
    struct sh_assign *next;
};

enum sh_redir_op {
    SH_IN, SH_OUT, SH_CLOBBER, SH_APPEND, SH_BOTH, SH_DUP_IN, SH_DUP_OUT, SH_ALL, SH_ALL_APPEND, SH_HERE, SH_HERE_STRING,
};
struct sh_redir {
    enum sh_redir_op op;
    int fd;             /* -1: the usual one */
    const char *fd_var; /* {name}>… */
    struct sh_word *target;
    struct sh_word *body; /* of SH_HERE */
    struct sh_redir *next;
};

enum sh_cond_kind { SH_COND_AND, SH_COND_OR, SH_COND_NOT, SH_COND_UNARY, SH_COND_BINARY };
struct sh_cond {
    enum sh_cond_kind kind;
    const char *op; /* "-f", "==", "=~" …; a word alone is "-n" */
    struct sh_word *a, *b;
    struct sh_cond *left, *right;
};

enum sh_node_kind {
    SH_SIMPLE, SH_PIPELINE, SH_AND, SH_OR, SH_LIST,
    SH_SUBSHELL, SH_GROUP, SH_IF, SH_FOR, SH_ARITH_FOR, SH_WHILE, SH_UNTIL, SH_CASE, SH_FUNCTION, SH_ARITH_COMMAND, SH_TEST,
};
struct sh_case_item {
    struct sh_word *patterns;
    struct sh_node *body; /* may be NULL */
    char end;             /* ';' for ;;  '&' for ;&  't' for ;;& */
    struct sh_case_item *next;
};
struct sh_node {
    enum sh_node_kind kind;
    const struct sh_source *source;
    size_t start, end; /* in the source */
    int line;
    struct sh_node *next; /* in a list or pipeline */
    struct sh_redir *redirs;
    bool is_background; /* in a list: followed by & */
    /* simple: */
    struct sh_word *words;
    struct sh_assign *assigns;
    /* pipeline: left is the first stage. and, or: both. if: condition, then, else. while: condition, body.
     * list: left is the first. subshell, group, function: left is the body. */
    struct sh_node *left, *right, *other;
    bool is_negated, is_timed, is_timed_posix;
    bool pipes_stderr; /* a stage: followed by |& */
    const char *name;  /* function, for */
    bool has_in;       /* for: "in" was given (words) */
    struct sh_case_item *items;
    struct sh_word *arith[3]; /* (( )) uses the first */
    struct sh_cond *cond;
};

/* --- the parser (parse.c, parse_word.c) */
struct sh_parser {
    struct sh_arena *arena;
    struct sh_source *source;
    const char *text;
    size_t at, end;
    int line;
    int depth;
    char error[200]; /* "" as long as all is well; without "bash: line 3: " */
    int error_line;
    bool is_incomplete; /* the error is the end of the text */
    struct sh_pending *pending; /* heredocs whose bodies come at the next line end */
};

/* text must outlive the arena's content. */
void sh_parser_init(struct sh_parser *p, struct sh_arena *arena, const char *text, size_t len, int line);
/* The next line of commands: true and *ret (NULL at the end of the text), or false and p->error. */
bool sh_parse_line(struct sh_parser *p, struct sh_node **ret);
/* A text as inside double quotes, for here-documents and prompts: never fails to give something on true. */
bool sh_parse_quoted(struct sh_parser *p, struct sh_word **ret);
/* The node as text that parses to the same. */
void sh_node_text(const struct sh_node *node, struct sh_text *out);
/* A word that is just unquoted or quoted text: the text, else NULL. */
const char *sh_word_constant(const struct sh_word *word);
bool sh_is_name(const char *text, size_t len);

/* --- inside the parser */
static inline bool sh_is_digit(int c) {
    return c >= '0' && c <= '9';
}
static inline bool sh_is_name_start(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static inline bool sh_is_name_char(int c) {
    return sh_is_name_start(c) || sh_is_digit(c);
}
enum sh_mode { SH_IN_WORD, SH_IN_DQUOTE, SH_IN_BRACES, SH_IN_QUOTED_BRACES, SH_IN_ARITH, SH_IN_REGEX, SH_IN_INDEX, SH_IN_TEXT };
struct sh_node *sh_parse_list(struct sh_parser *p);
struct sh_word *sh_parse_word(struct sh_parser *p, enum sh_mode mode);
struct sh_assign *sh_parse_assign(struct sh_parser *p); /* NULL: what follows is not one */
bool sh_parse_fail(struct sh_parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool sh_unexpected(struct sh_parser *p); /* "syntax error near unexpected token" */
bool sh_unclosed(struct sh_parser *p, const char *what);
bool sh_enter(struct sh_parser *p); /* one level deeper, or false */
/* Behind "${", up to behind the }; NULL after an error. */
struct sh_param *sh_parse_param(struct sh_parser *p, bool in_dquote);
const char *sh_parse_param_name(struct sh_parser *p); /* "" when there is none */
/* True and *ret_is_one = false: no compound command begins here. */
bool sh_parse_compound(struct sh_parser *p, struct sh_node *node, bool *ret_is_one);
bool sh_take_keyword(struct sh_parser *p, const char *word);
struct sh_node *sh_new_node(struct sh_parser *p, enum sh_node_kind kind, size_t start, int line);
bool sh_parse_redir(struct sh_parser *p, struct sh_redir **ret); /* true and NULL: none begins here */
bool sh_parse_redirs(struct sh_parser *p, struct sh_node *node);
bool sh_parse_test(struct sh_parser *p, struct sh_node *node);
bool sh_end_line(struct sh_parser *p); /* at a newline: what waits for it is read */
size_t sh_token_length(const struct sh_parser *p);
bool sh_at_keyword(const struct sh_parser *p, const char *word);
bool sh_expect(struct sh_parser *p, const char *word);
void sh_skip_blank(struct sh_parser *p);
void sh_skip_newlines(struct sh_parser *p);
int sh_peek(const struct sh_parser *p, size_t ahead); /* -1 at the end */
bool sh_at(const struct sh_parser *p, const char *text);

#endif
