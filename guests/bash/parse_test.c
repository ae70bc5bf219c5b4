// [[ … ]]
#include <stdlib.h>
#include <string.h>

#include "bash/ast.h"

// --- [[ ]]

static struct sh_cond *parse_cond_or(struct sh_parser *p);

static struct sh_cond *new_cond(struct sh_parser *p, enum sh_cond_kind kind, const char *op) {
    struct sh_cond *cond = sh_arena_alloc(p->arena, sizeof *cond);
    cond->kind = kind;
    cond->op = op;
    return cond;
}

static struct sh_word *cond_word(struct sh_parser *p) {
    sh_skip_newlines(p);
    size_t before = p->at;
    if (sh_at_keyword(p, "]]")) {
        sh_unexpected(p);
        return NULL;
    }
    struct sh_word *word = sh_parse_word(p, SH_IN_WORD);
    if (word && p->at == before) {
        sh_unexpected(p);
        return NULL;
    }
    return word;
}

static const char *cond_operator(struct sh_parser *p) {
    static const char *const ops[] = {"=~",  "==",  "!=",  "=",   "<",   ">",   "-eq", "-ne",
                                      "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        size_t n = strlen(ops[i]);
        if (sh_at(p, ops[i]) &&
            (sh_peek(p, n) == ' ' || sh_peek(p, n) == '\t' || sh_peek(p, n) == '\n')) {
            p->at += n;
            return ops[i];
        }
    }
    return NULL;
}

static struct sh_cond *parse_cond_primary(struct sh_parser *p) {
    sh_skip_newlines(p);
    if (!sh_enter(p)) {
        return NULL;
    }
    struct sh_cond *cond;
    if (sh_at_keyword(p, "!")) {
        p->at++;
        cond = new_cond(p, SH_COND_NOT, "!");
        cond->left = parse_cond_primary(p);
        p->depth--;
        return cond->left ? cond : NULL;
    }
    if (sh_peek(p, 0) == '(') {
        p->at++;
        cond = parse_cond_or(p);
        sh_skip_newlines(p);
        if (cond && sh_peek(p, 0) != ')') {
            sh_unexpected(p);
            return NULL;
        }
        p->at++;
        p->depth--;
        return cond;
    }
    p->depth--;
    if (sh_peek(p, 0) == '-' && sh_token_length(p) == 2 &&
        strchr("abcdefghknoprstuvwxzGLNORS", sh_peek(p, 1))) {
        size_t at = p->at;
        const char *op = sh_arena_copy(p->arena, p->text + p->at, 2);
        p->at += 2;
        sh_skip_blank(p);
        if (!sh_at_keyword(p, "]]") && !sh_at(p, "&&") && !sh_at(p, "||") && !sh_at(p, "=") &&
            !sh_at(p, "!=")) {
            cond = new_cond(p, SH_COND_UNARY, op);
            cond->a = cond_word(p);
            return cond->a ? cond : NULL;
        }
        p->at = at;
    }
    cond = new_cond(p, SH_COND_UNARY, "-n");
    if (!(cond->a = cond_word(p))) {
        return NULL;
    }
    sh_skip_newlines(p);
    const char *op = cond_operator(p);
    if (!op) {
        return cond;
    }
    cond->kind = SH_COND_BINARY;
    cond->op = op;
    sh_skip_newlines(p);
    cond->b = strcmp(op, "=~") == 0 ? sh_parse_word(p, SH_IN_REGEX) : cond_word(p);
    return cond->b ? cond : NULL;
}

static struct sh_cond *parse_cond_and(struct sh_parser *p) {
    struct sh_cond *left = parse_cond_primary(p);
    sh_skip_newlines(p);
    while (left && sh_at(p, "&&")) {
        p->at += 2;
        struct sh_cond *both = new_cond(p, SH_COND_AND, "&&");
        both->left = left;
        both->right = parse_cond_primary(p);
        left = both->right ? both : NULL;
        sh_skip_newlines(p);
    }
    return left;
}

static struct sh_cond *parse_cond_or(struct sh_parser *p) {
    struct sh_cond *left = parse_cond_and(p);
    while (left && sh_at(p, "||")) {
        p->at += 2;
        struct sh_cond *both = new_cond(p, SH_COND_OR, "||");
        both->left = left;
        both->right = parse_cond_and(p);
        left = both->right ? both : NULL;
    }
    return left;
}

bool sh_parse_test(struct sh_parser *p, struct sh_node *node) {
    node->cond = parse_cond_or(p);
    if (!node->cond) {
        return !p->error[0] && sh_unexpected(p);
    }
    return sh_expect(p, "]]");
}
