// Compound commands: if, for, while, case, ( … ), { … }.
#include <string.h>

#include "bash/ast.h"

static struct sh_node *body_until(struct sh_parser *p, const char *word) {
    struct sh_node *list = sh_parse_list(p);
    if (p->error[0]) {
        return NULL;
    }
    if (!list) {
        sh_unexpected(p);
        return NULL;
    }
    return sh_expect(p, word) ? list : NULL;
}

static bool parse_if(struct sh_parser *p, struct sh_node *node) {
    if (!(node->left = body_until(p, "then"))) {
        return false;
    }
    node->right = sh_parse_list(p);
    if (p->error[0] || !node->right) {
        return !p->error[0] && sh_unexpected(p);
    }
    sh_skip_newlines(p);
    size_t start = p->at;
    int line = p->line;
    if (sh_take_keyword(p, "elif")) {
        if (!sh_enter(p)) {
            return false;
        }
        node->other = sh_new_node(p, SH_IF, start, line);
        bool is_ok = parse_if(p, node->other);
        node->other->end = p->at;
        p->depth--;
        return is_ok;
    }
    if (sh_take_keyword(p, "else")) {
        node->other = body_until(p, "fi");
        return node->other != NULL;
    }
    return sh_expect(p, "fi");
}

static bool parse_do(struct sh_parser *p, struct sh_node **ret) {
    sh_skip_newlines(p);
    if (sh_take_keyword(p, "{")) { // for x in a; { …; }
        return (*ret = body_until(p, "}")) != NULL;
    }
    return sh_expect(p, "do") && (*ret = body_until(p, "done")) != NULL;
}

static struct sh_word *arith_until(struct sh_parser *p, const char *end) {
    size_t all = p->end, at = p->at;
    int depth = 0;
    for (; at < p->end; at++) {
        if (p->text[at] == '(') {
            depth++;
        } else if (p->text[at] == ')' && depth) {
            depth--;
        } else if (depth == 0 && (p->text[at] == ')' || p->text[at] == ';')) {
            break;
        }
    }
    p->end = at;
    struct sh_word *word = sh_parse_word(p, SH_IN_TEXT);
    p->end = all;
    if (!word || !sh_at(p, end)) {
        if (word) {
            sh_unexpected(p);
        }
        return NULL;
    }
    p->at += strlen(end);
    return word;
}

static bool parse_arith_for(struct sh_parser *p, struct sh_node *node) {
    p->at += 2;
    node->kind = SH_ARITH_FOR;
    if (!(node->arith[0] = arith_until(p, ";")) || !(node->arith[1] = arith_until(p, ";")) ||
        !(node->arith[2] = arith_until(p, "))"))) {
        return false;
    }
    sh_skip_blank(p);
    if (sh_peek(p, 0) == ';') {
        p->at++;
    }
    return parse_do(p, &node->left);
}

static bool parse_for(struct sh_parser *p, struct sh_node *node) {
    sh_skip_blank(p);
    if (sh_at(p, "((")) {
        return parse_arith_for(p, node);
    }
    size_t n = sh_token_length(p);
    if (!sh_is_name(p->text + p->at, n)) {
        return n ? sh_parse_fail(p, "`%.*s': not a valid identifier", (int)(n > 60 ? 60 : n),
                                 p->text + p->at)
                 : sh_unexpected(p);
    }
    node->name = sh_arena_copy(p->arena, p->text + p->at, n);
    p->at += n;
    sh_skip_newlines(p);
    if (sh_take_keyword(p, "in")) {
        struct sh_word **tail = &node->words;
        node->has_in = true;
        for (;;) {
            sh_skip_blank(p);
            size_t before = p->at;
            struct sh_word *word = sh_parse_word(p, SH_IN_WORD);
            if (!word) {
                return false;
            }
            if (p->at == before) {
                break;
            }
            *tail = word;
            tail = &word->next;
        }
        if (sh_peek(p, 0) != ';' && sh_peek(p, 0) != '\n') {
            return sh_unexpected(p);
        }
    }
    sh_skip_blank(p);
    if (sh_peek(p, 0) == ';') {
        p->at++;
    }
    return parse_do(p, &node->left);
}

static bool parse_case_item(struct sh_parser *p, struct sh_case_item *item) {
    struct sh_word **tail = &item->patterns;
    if (sh_peek(p, 0) == '(') {
        p->at++;
    }
    for (;;) {
        sh_skip_blank(p);
        size_t before = p->at;
        struct sh_word *word = sh_parse_word(p, SH_IN_WORD);
        if (!word) {
            return false;
        }
        if (p->at == before) {
            return sh_unexpected(p);
        }
        *tail = word;
        tail = &word->next;
        sh_skip_blank(p);
        if (sh_peek(p, 0) != '|') {
            break;
        }
        p->at++;
    }
    if (sh_peek(p, 0) != ')') {
        return sh_unexpected(p);
    }
    p->at++;
    item->body = sh_parse_list(p);
    if (p->error[0]) {
        return false;
    }
    sh_skip_newlines(p);
    item->end = ';';
    if (sh_at(p, ";;&")) {
        item->end = 't';
        p->at += 3;
    } else if (sh_at(p, ";;") || sh_at(p, ";&")) {
        item->end = p->text[p->at + 1];
        p->at += 2;
    } else if (!sh_at_keyword(p, "esac")) {
        return sh_unexpected(p);
    }
    return true;
}

static bool parse_case(struct sh_parser *p, struct sh_node *node) {
    sh_skip_blank(p);
    size_t before = p->at;
    node->words = sh_parse_word(p, SH_IN_WORD);
    if (!node->words || p->at == before) {
        return !p->error[0] && sh_unexpected(p);
    }
    if (!sh_expect(p, "in")) {
        return false;
    }
    struct sh_case_item **tail = &node->items;
    for (;;) {
        sh_skip_newlines(p);
        if (p->error[0] || sh_take_keyword(p, "esac")) {
            return !p->error[0];
        }
        struct sh_case_item *item = sh_arena_alloc(p->arena, sizeof *item);
        if (!parse_case_item(p, item)) {
            return false;
        }
        *tail = item;
        tail = &item->next;
    }
}

static bool parse_parens(struct sh_parser *p, struct sh_node *node) {
    if (sh_peek(p, 1) == '(') { // (( … )), unless it is a subshell in a subshell
        size_t at = p->at;
        int line = p->line, depth = p->depth;
        p->at += 2;
        struct sh_word *word = sh_parse_word(p, SH_IN_ARITH);
        if (word && sh_at(p, "))")) {
            p->at += 2;
            node->kind = SH_ARITH_COMMAND;
            node->arith[0] = word;
            return true;
        }
        p->at = at;
        p->line = line;
        p->depth = depth;
        p->error[0] = '\0';
        p->is_incomplete = false;
    }
    p->at++;
    node->kind = SH_SUBSHELL;
    node->left = sh_parse_list(p);
    sh_skip_newlines(p);
    if (p->error[0] || !node->left || sh_peek(p, 0) != ')') {
        return !p->error[0] && sh_unexpected(p);
    }
    p->at++;
    return true;
}

bool sh_parse_compound(struct sh_parser *p, struct sh_node *node, bool *ret_is_one) {
    *ret_is_one = true;
    if (sh_peek(p, 0) == '(') {
        return parse_parens(p, node);
    }
    if (sh_take_keyword(p, "{")) {
        node->kind = SH_GROUP;
        return (node->left = body_until(p, "}")) != NULL;
    }
    if (sh_take_keyword(p, "if")) {
        node->kind = SH_IF;
        return parse_if(p, node);
    }
    if (sh_at_keyword(p, "while") || sh_at_keyword(p, "until")) {
        node->kind = sh_at(p, "while") ? SH_WHILE : SH_UNTIL;
        p->at += 5;
        node->left = sh_parse_list(p);
        if (p->error[0] || !node->left) {
            return !p->error[0] && sh_unexpected(p);
        }
        return parse_do(p, &node->right);
    }
    if (sh_at_keyword(p, "select")) {
        return sh_parse_fail(p, "select needs a terminal; use for");
    }
    if (sh_take_keyword(p, "for")) {
        node->kind = SH_FOR;
        return parse_for(p, node);
    }
    if (sh_take_keyword(p, "case")) {
        node->kind = SH_CASE;
        return parse_case(p, node);
    }
    if (sh_take_keyword(p, "[[")) {
        node->kind = SH_TEST;
        return sh_parse_test(p, node);
    }
    *ret_is_one = false;
    return true;
}
