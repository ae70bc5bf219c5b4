// Assignments: name=word, name[index]+=word, name=(elements).
#include "bash/ast.h"

// Where the = of name=, name+=, name[…]= or name[…]+= is; 0: it is none
static size_t find_equals(const struct sh_parser *p) {
    size_t at = p->at;
    if (at >= p->end || !sh_is_name_start((unsigned char)p->text[at])) {
        return 0;
    }
    while (at < p->end && sh_is_name_char((unsigned char)p->text[at])) {
        at++;
    }
    if (at < p->end && p->text[at] == '[') {
        int depth = 0;
        for (; at < p->end && p->text[at] != '\n'; at++) {
            if (p->text[at] == '[') {
                depth++;
            } else if (p->text[at] == ']' && --depth == 0) {
                break;
            }
        }
        at++;
    }
    if (at + 1 < p->end && p->text[at] == '+' && p->text[at + 1] == '=') {
        at++;
    }
    return at < p->end && p->text[at] == '=' ? at : 0;
}

static bool parse_elements(struct sh_parser *p, struct sh_assign *assign) {
    struct sh_element **tail = &assign->elements;
    for (;;) {
        sh_skip_newlines(p);
        int c = sh_peek(p, 0);
        if (c == ')') {
            p->at++;
            return true;
        }
        if (c < 0) {
            return sh_unclosed(p, ")");
        }
        struct sh_element *e = sh_arena_alloc(p->arena, sizeof *e);
        if (c == '[') {
            size_t start = p->at++;
            e->index = sh_parse_word(p, SH_IN_INDEX);
            if (!e->index) {
                return false;
            }
            if (sh_at(p, "]=") || sh_at(p, "]+=")) {
                e->is_append = sh_at(p, "]+=");
                p->at += e->is_append ? 3 : 2;
            } else {
                e->index = NULL;
                p->at = start;
            }
        }
        size_t before = p->at;
        e->value = sh_parse_word(p, SH_IN_WORD);
        if (!e->value) {
            return false;
        }
        if (p->at == before && !e->index) {
            return sh_unexpected(p);
        }
        *tail = e;
        tail = &e->next;
    }
}

struct sh_assign *sh_parse_assign(struct sh_parser *p) {
    size_t equals = find_equals(p);
    if (!equals) {
        return NULL;
    }
    struct sh_assign *assign = sh_arena_alloc(p->arena, sizeof *assign);
    size_t start = p->at;
    while (sh_is_name_char(sh_peek(p, 0))) {
        p->at++;
    }
    assign->name = sh_arena_copy(p->arena, p->text + start, p->at - start);
    if (sh_peek(p, 0) == '[') {
        p->at++;
        assign->index = sh_parse_word(p, SH_IN_INDEX);
        if (!assign->index || sh_peek(p, 0) != ']') {
            sh_unclosed(p, "]");
            return NULL;
        }
        p->at++;
    }
    assign->is_append = sh_peek(p, 0) == '+';
    p->at = (p->at > equals ? p->at : equals) + 1;
    if (sh_peek(p, 0) == '(') {
        p->at++;
        assign->is_array = true;
        return parse_elements(p, assign) ? assign : NULL;
    }
    assign->value = sh_parse_word(p, SH_IN_WORD);
    return assign->value ? assign : NULL;
}
