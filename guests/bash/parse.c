// Commands: lists, pipelines, compound commands, redirections and here-documents.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bash/ast.h"

enum { MAX_DEPTH = 150 };

void sh_parser_init(struct sh_parser *p, struct sh_arena *arena, const char *text, size_t len,
                    int line) {
    struct sh_source *source = sh_arena_alloc(arena, sizeof *source);
    *source = (struct sh_source){text, len, NULL};
    *p = (struct sh_parser){
        .arena = arena, .source = source, .text = text, .end = len, .line = line};
}

bool sh_parse_fail(struct sh_parser *p, const char *fmt, ...) {
    if (!p->error[0]) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(p->error, sizeof p->error, fmt, args);
        va_end(args);
        p->error_line = p->line;
    }
    return false;
}

bool sh_unclosed(struct sh_parser *p, const char *what) {
    p->is_incomplete = true;
    return sh_parse_fail(p, "unexpected EOF while looking for matching `%s'", what);
}

bool sh_enter(struct sh_parser *p) {
    return ++p->depth <= MAX_DEPTH ||
           sh_parse_fail(p, "the command is nested too deeply (more than %d levels)", MAX_DEPTH);
}

int sh_peek(const struct sh_parser *p, size_t ahead) {
    return p->at + ahead < p->end ? (unsigned char)p->text[p->at + ahead] : -1;
}

bool sh_at(const struct sh_parser *p, const char *text) {
    size_t n = strlen(text);
    return p->end - p->at >= n && p->at <= p->end && memcmp(p->text + p->at, text, n) == 0;
}

void sh_skip_blank(struct sh_parser *p) {
    for (;;) {
        int c = sh_peek(p, 0);
        if (c == ' ' || c == '\t' || (c == '\r' && sh_peek(p, 1) == '\n')) {
            p->at++;
        } else if (c == '\\' && sh_peek(p, 1) == '\n') {
            p->at += 2;
            p->line++;
        } else if (c == '#') {
            while (p->at < p->end && p->text[p->at] != '\n') {
                p->at++;
            }
        } else {
            return;
        }
    }
}

// --- words that are part of the grammar

size_t sh_token_length(const struct sh_parser *p) {
    size_t n = 0;
    int c;
    while ((c = sh_peek(p, n)) >= 0 && !strchr(" \t\n;&|()<>", c)) {
        n++;
    }
    return n;
}

bool sh_at_keyword(const struct sh_parser *p, const char *word) {
    return sh_at(p, word) && sh_token_length(p) == strlen(word);
}

bool sh_take_keyword(struct sh_parser *p, const char *word) {
    if (!sh_at_keyword(p, word)) {
        return false;
    }
    p->at += strlen(word);
    return true;
}

bool sh_unexpected(struct sh_parser *p) {
    sh_skip_blank(p);
    int c = sh_peek(p, 0);
    if (c < 0) {
        p->is_incomplete = true;
        return sh_parse_fail(p, "syntax error: unexpected end of file");
    }
    if (c == '\n') {
        return sh_parse_fail(p, "syntax error near unexpected token `newline'");
    }
    size_t n = sh_token_length(p);
    if (!n) {
        static const char *const operators[] = {";;&", "&>>", "<<<", "<<-", ";;", ";&",
                                                "&&",  "||",  "|&",  "&>",  ">>", "<<"};
        n = 1;
        for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
            if (sh_at(p, operators[i])) {
                n = strlen(operators[i]);
                break;
            }
        }
    }
    return sh_parse_fail(p, "syntax error near unexpected token `%.*s'", (int)(n > 100 ? 100 : n),
                         p->text + p->at);
}

bool sh_expect(struct sh_parser *p, const char *word) {
    sh_skip_newlines(p);
    return sh_take_keyword(p, word) || (!p->error[0] && sh_unexpected(p));
}

static bool ends_list(const struct sh_parser *p) {
    static const char *const words[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}"};
    int c = sh_peek(p, 0);
    if (c < 0 || c == ')' || (c == ';' && (sh_peek(p, 1) == ';' || sh_peek(p, 1) == '&'))) {
        return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (sh_at_keyword(p, words[i])) {
            return true;
        }
    }
    return false;
}

struct sh_node *sh_new_node(struct sh_parser *p, enum sh_node_kind kind, size_t start, int line) {
    struct sh_node *node = sh_arena_alloc(p->arena, sizeof *node);
    node->kind = kind;
    node->source = p->source;
    node->start = start;
    node->end = p->at;
    node->line = line;
    return node;
}

// --- commands

static struct sh_node *parse_command(struct sh_parser *p);

// "name ()" or "function name": what follows is the body
static bool parse_function(struct sh_parser *p, struct sh_node *node, const char *name) {
    node->kind = SH_FUNCTION;
    node->name = name;
    node->words = NULL;
    sh_skip_newlines(p);
    size_t before = p->at;
    node->left = parse_command(p);
    if (p->error[0]) {
        return false;
    }
    if (!node->left || node->left->kind == SH_SIMPLE || p->at == before) {
        p->at = before;
        return sh_unexpected(p);
    }
    return true;
}

static bool takes_assignments(const char *command) {
    static const char *const names[] = {"declare", "typeset", "local", "export", "readonly"};
    for (size_t i = 0; command && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(command, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool parse_simple(struct sh_parser *p, struct sh_node *node) {
    struct sh_word **tail = &node->words;
    struct sh_assign **assigns = &node->assigns;
    struct sh_redir **redirs = &node->redirs;
    const char *command = NULL;
    for (;;) {
        sh_skip_blank(p);
        struct sh_redir *redir;
        if (p->arena->failed) {
            return sh_parse_fail(p, "the command is too long");
        }
        if (!sh_parse_redir(p, &redir)) {
            return false;
        }
        if (redir) {
            *redirs = redir;
            redirs = &redir->next;
            node->end = p->at;
            continue;
        }
        size_t before = p->at;
        struct sh_assign *assign =
            !node->words || takes_assignments(command) ? sh_parse_assign(p) : NULL;
        if (p->error[0]) {
            return false;
        }
        if (assign && !node->words) {
            *assigns = assign;
            assigns = &assign->next;
            node->end = p->at;
            continue;
        }
        struct sh_word *word =
            assign ? sh_arena_alloc(p->arena, sizeof *word) : sh_parse_word(p, SH_IN_WORD);
        if (!word) {
            return false;
        }
        if (p->at == before) {
            break;
        }
        word->assign = assign;
        if (!node->words && !node->assigns) {
            size_t name_end = p->at;
            command = sh_word_constant(word);
            sh_skip_blank(p);
            if (sh_peek(p, 0) == '(' && command && !word->is_quoted) {
                p->at++;
                sh_skip_blank(p);
                if (sh_peek(p, 0) != ')') {
                    return sh_unexpected(p);
                }
                p->at++;
                return parse_function(p, node, command);
            }
            p->at = name_end;
        }
        *tail = word;
        tail = &word->next;
        node->end = p->at;
    }
    if (sh_peek(p, 0) == '(') {
        return sh_unexpected(p);
    }
    return true;
}

// NULL without an error: there is no command here
static struct sh_node *parse_command(struct sh_parser *p) {
    sh_skip_blank(p);
    if (!sh_enter(p)) {
        return NULL;
    }
    struct sh_node *node = sh_new_node(p, SH_SIMPLE, p->at, p->line);
    bool is_compound = false, is_function = false;
    if (sh_take_keyword(p, "function")) {
        sh_skip_blank(p);
        size_t n = sh_token_length(p);
        const char *name = sh_arena_copy(p->arena, p->text + p->at, n);
        p->at += n;
        sh_skip_blank(p);
        if (sh_peek(p, 0) == '(' && sh_peek(p, 1) == ')') {
            p->at += 2;
        }
        is_function = true;
        if (!n || !parse_function(p, node, name)) {
            return (void)(p->error[0] || sh_unexpected(p)), NULL;
        }
    } else if (!sh_parse_compound(p, node, &is_compound)) {
        return NULL;
    }
    if (is_compound) {
        node->end = p->at;
        if (!sh_parse_redirs(p, node)) {
            return NULL;
        }
        sh_skip_blank(p);
    } else if (!is_function && !parse_simple(p, node)) {
        return NULL;
    }
    if (node->kind == SH_FUNCTION) {
        node->end = node->left->end;
    }
    p->depth--;
    if (node->kind == SH_SIMPLE && !node->words && !node->assigns && !node->redirs) {
        return NULL;
    }
    return node;
}

static struct sh_node *parse_pipeline(struct sh_parser *p) {
    sh_skip_blank(p);
    size_t start = p->at;
    int line = p->line;
    struct sh_node flags = {0};
    bool is_any = false;
    for (;; sh_skip_blank(p)) {
        if (sh_take_keyword(p, "!")) {
            flags.is_negated = !flags.is_negated;
        } else if (sh_take_keyword(p, "time")) {
            flags.is_timed = true;
            sh_skip_blank(p);
            flags.is_timed_posix = sh_take_keyword(p, "-p");
        } else {
            break;
        }
        is_any = true;
    }
    struct sh_node *first = parse_command(p), **tail;
    if (!first) {
        if (p->error[0] || !is_any) {
            return NULL;
        }
        if (!flags.is_timed) {
            sh_unexpected(p);
            return NULL;
        }
    }
    if (!is_any && sh_peek(p, 0) != '|') {
        return first;
    }
    struct sh_node *node = sh_new_node(p, SH_PIPELINE, start, line);
    node->left = first;
    node->is_negated = flags.is_negated;
    node->is_timed = flags.is_timed;
    node->is_timed_posix = flags.is_timed_posix;
    struct sh_node *last = first;
    while (last && sh_peek(p, 0) == '|' && sh_peek(p, 1) != '|') {
        last->pipes_stderr = sh_peek(p, 1) == '&';
        p->at += last->pipes_stderr ? 2 : 1;
        sh_skip_newlines(p);
        tail = &last->next;
        last = parse_command(p);
        if (!last) {
            if (!p->error[0]) {
                sh_unexpected(p);
            }
            return NULL;
        }
        *tail = last;
        sh_skip_blank(p);
    }
    node->end = last ? last->end : p->at;
    return node;
}

static struct sh_node *parse_and_or(struct sh_parser *p) {
    struct sh_node *left = parse_pipeline(p);
    while (left) {
        sh_skip_blank(p);
        bool is_and = sh_at(p, "&&");
        if (!is_and && !sh_at(p, "||")) {
            break;
        }
        p->at += 2;
        sh_skip_newlines(p);
        struct sh_node *both = sh_new_node(p, is_and ? SH_AND : SH_OR, left->start, left->line);
        both->left = left;
        both->right = parse_pipeline(p);
        if (!both->right) {
            if (!p->error[0]) {
                sh_unexpected(p);
            }
            return NULL;
        }
        both->end = both->right->end;
        left = both;
    }
    return left;
}

// One list up to the end of a line (is_line) or as far as it goes
static struct sh_node *parse_list(struct sh_parser *p, bool is_line) {
    struct sh_node *first = NULL, **tail = &first, *node;
    if (!sh_enter(p)) {
        return NULL;
    }
    sh_skip_newlines(p);
    while (!p->error[0] && !ends_list(p)) {
        node = parse_and_or(p);
        if (p->arena->failed) {
            sh_parse_fail(p, "the command is too long");
        }
        if (!node) {
            if (!p->error[0]) {
                sh_unexpected(p);
            }
            return NULL;
        }
        *tail = node;
        tail = &node->next;
        sh_skip_blank(p);
        int c = sh_peek(p, 0), next = sh_peek(p, 1);
        if (c == '&' && next != '&') {
            node->is_background = true;
            p->at++;
        } else if (c == ';' && next != ';' && next != '&') {
            p->at++;
        } else if (c != '\n') {
            break;
        }
        sh_skip_blank(p);
        if (is_line && sh_peek(p, 0) == '\n') {
            sh_end_line(p);
            break;
        }
        sh_skip_newlines(p);
    }
    p->depth--;
    if (p->error[0] || !first || (!first->next && !first->is_background)) {
        return p->error[0] ? NULL : first;
    }
    node = sh_new_node(p, SH_LIST, first->start, first->line);
    node->left = first;
    for (const struct sh_node *last = first; last; last = last->next) {
        node->end = last->end;
    }
    return node;
}

struct sh_node *sh_parse_list(struct sh_parser *p) {
    return parse_list(p, false);
}

bool sh_parse_line(struct sh_parser *p, struct sh_node **ret) {
    p->depth = 0;
    *ret = parse_list(p, true);
    if (!p->error[0] && !*ret && p->at < p->end) {
        sh_unexpected(p);
    } else if (!p->error[0] && *ret && p->at < p->end && p->text[p->at - 1] != '\n' &&
               sh_peek(p, 0) != '\n') {
        sh_unexpected(p);
    }
    return !p->error[0];
}

void sh_node_text(const struct sh_node *node, struct sh_text *out) {
    const char *text = node->source->text, *start = text + node->start, *end = text + node->end;
    sh_text_add(out, start, node->end - node->start);
    bool is_first = true;
    for (const struct sh_heredoc *here = node->source->heredocs; here; here = here->next) {
        if (here->operator_at >= start && here->operator_at < end && here->body >= end) {
            if (is_first) {
                sh_text_char(out, '\n');
            }
            is_first = false;
            sh_text_add(out, here->body, here->body_len);
        }
    }
}
