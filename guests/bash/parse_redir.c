// Redirections and here-documents.
#include <stdlib.h>
#include <string.h>

#include "bash/ast.h"

struct sh_pending {
    struct sh_redir *redir;
    const char *delimiter;
    const char *operator_at;
    bool is_quoted, strips_tabs;
    struct sh_pending *next;
};

// --- here-documents: their bodies are read when the line of the operator ends

static bool is_delimiter(const char *line, size_t n, const struct sh_pending *pending) {
    while (pending->strips_tabs && n && *line == '\t') {
        line++, n--;
    }
    return n == strlen(pending->delimiter) && memcmp(line, pending->delimiter, n) == 0;
}

static bool read_body(struct sh_parser *p, const struct sh_pending *pending) {
    struct sh_text body = {.arena = p->arena};
    size_t start = p->at;
    int line = p->line;
    while (p->at < p->end) {
        const char *text = p->text + p->at, *newline = memchr(text, '\n', p->end - p->at);
        size_t n = newline ? (size_t)(newline - text) : p->end - p->at;
        p->at += n + (newline != NULL);
        p->line += newline != NULL;
        if (is_delimiter(text, n, pending)) {
            break;
        }
        while (pending->strips_tabs && n && *text == '\t') {
            text++, n--;
        }
        sh_text_add(&body, text, n);
        sh_text_char(&body, '\n');
    }
    struct sh_heredoc *here = sh_arena_alloc(p->arena, sizeof *here), **tail = &p->source->heredocs;
    *here = (struct sh_heredoc){pending->operator_at, p->text + start, p->at - start, NULL};
    while (*tail) {
        tail = &(*tail)->next;
    }
    *tail = here;
    if (pending->is_quoted) {
        struct sh_part *part = sh_arena_alloc(p->arena, sizeof *part);
        *part = (struct sh_part){
            .kind = SH_QUOTED, .text = body.data ? body.data : "", .len = body.len};
        pending->redir->body = sh_arena_alloc(p->arena, sizeof(struct sh_word));
        pending->redir->body->parts = part;
        return true;
    }
    struct sh_parser inner;
    sh_parser_init(&inner, p->arena, body.data ? body.data : "", body.len, line);
    inner.depth = p->depth;
    if (!sh_parse_quoted(&inner, &pending->redir->body)) {
        return sh_parse_fail(p, "%s", inner.error);
    }
    return true;
}

bool sh_parse_quoted(struct sh_parser *p, struct sh_word **ret) {
    *ret = sh_parse_word(p, SH_IN_TEXT);
    return *ret != NULL;
}

bool sh_end_line(struct sh_parser *p) { // at a newline
    p->at++;
    p->line++;
    while (p->pending && !p->error[0]) {
        struct sh_pending *first = p->pending;
        p->pending = first->next;
        if (!read_body(p, first)) {
            return false;
        }
    }
    return true;
}

void sh_skip_newlines(struct sh_parser *p) {
    sh_skip_blank(p);
    while (sh_peek(p, 0) == '\n' && sh_end_line(p)) {
        sh_skip_blank(p);
    }
}

// --- redirections

static bool redir_operator(struct sh_parser *p, struct sh_redir *r, bool *ret_strips) {
    static const struct {
        const char *text;
        enum sh_redir_op op;
    } ops[] = {{"&>>", SH_ALL_APPEND}, {"&>", SH_ALL},     {"<<<", SH_HERE_STRING},
               {"<<-", SH_HERE},       {"<<", SH_HERE},    {"<&", SH_DUP_IN},
               {"<>", SH_BOTH},        {"<", SH_IN},       {">>", SH_APPEND},
               {">&", SH_DUP_OUT},     {">|", SH_CLOBBER}, {">", SH_OUT}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (sh_at(p, ops[i].text)) {
            r->op = ops[i].op;
            *ret_strips = strcmp(ops[i].text, "<<-") == 0;
            p->at += strlen(ops[i].text);
            return true;
        }
    }
    return false;
}

// A redirection, if one begins here: true and *ret, or true and NULL; false on an error.
bool sh_parse_redir(struct sh_parser *p, struct sh_redir **ret) {
    struct sh_redir r = {.fd = -1};
    bool strips = false;
    size_t start = p->at, n = 0;
    *ret = NULL;
    while (sh_peek(p, n) >= '0' && sh_peek(p, n) <= '9') {
        n++;
    }
    int c = sh_peek(p, n);
    if (n && n < 8 && (c == '<' || c == '>')) {
        r.fd = atoi(p->text + p->at);
        p->at += n;
    } else if (sh_peek(p, 0) == '{') {
        size_t close = 1;
        while (sh_peek(p, close) > 0 && sh_is_name(p->text + p->at + 1, close)) {
            close++;
        }
        if (close > 1 && sh_peek(p, close) == '}' &&
            (sh_peek(p, close + 1) == '<' || sh_peek(p, close + 1) == '>')) {
            r.fd_var = sh_arena_copy(p->arena, p->text + p->at + 1, close - 1);
            p->at += close + 1;
        }
    }
    c = sh_peek(p, 0);
    if ((c == '<' || c == '>') && sh_peek(p, 1) == '(' && r.fd < 0) {
        return true; // a process substitution
    }
    const char *operator_at = p->text + p->at;
    if (!redir_operator(p, &r, &strips)) {
        p->at = start;
        return true;
    }
    sh_skip_blank(p);
    size_t before = p->at;
    struct sh_word *target = sh_parse_word(p, SH_IN_WORD);
    if (!target) {
        return false;
    }
    if (p->at == before) {
        return sh_unexpected(p);
    }
    r.target = target;
    *ret = sh_arena_alloc(p->arena, sizeof **ret);
    **ret = r;
    if (r.op == SH_HERE) {
        struct sh_pending *pending = sh_arena_alloc(p->arena, sizeof *pending),
                          **tail = &p->pending;
        struct sh_text delimiter = {.arena = p->arena};
        for (const struct sh_part *part = target->parts; part; part = part->next) {
            const struct sh_part *from =
                part->kind == SH_DQUOTE && part->parts ? part->parts : part;
            sh_text_add(&delimiter, from->text ? from->text : "", from->len);
        }
        *pending = (struct sh_pending){*ret,        delimiter.data ? delimiter.data : "",
                                       operator_at, target->is_quoted,
                                       strips,      NULL};
        while (*tail) {
            tail = &(*tail)->next;
        }
        *tail = pending;
    }
    return true;
}

bool sh_parse_redirs(struct sh_parser *p, struct sh_node *node) {
    struct sh_redir **tail = &node->redirs;
    for (;;) {
        sh_skip_blank(p);
        struct sh_redir *redir;
        if (!sh_parse_redir(p, &redir)) {
            return false;
        }
        if (!redir) {
            return true;
        }
        *tail = redir;
        tail = &redir->next;
        node->end = p->at;
    }
}
