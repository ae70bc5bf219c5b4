// Words: quoting, and the inside of $….
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bash/ast.h"

struct word_builder {
    struct sh_parser *p;
    struct sh_word *word;
    struct sh_part **tail;
    struct sh_text literal;
};

bool sh_is_name(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!sh_is_name_char((unsigned char)text[i])) {
            return false;
        }
    }
    return len && sh_is_name_start((unsigned char)text[0]);
}

static struct sh_part *add_part(struct word_builder *b, enum sh_part_kind kind) {
    struct sh_part *part = sh_arena_alloc(b->p->arena, sizeof *part);
    part->kind = kind;
    *b->tail = part;
    b->tail = &part->next;
    return part;
}

static void flush(struct word_builder *b) {
    if (b->literal.len) {
        struct sh_part *part = add_part(b, SH_LITERAL);
        part->text = b->literal.data;
        part->len = b->literal.len;
        b->literal = (struct sh_text){.arena = b->p->arena};
    }
}

static void add_quoted(struct word_builder *b, const char *text, size_t len) {
    flush(b);
    struct sh_part *part = add_part(b, SH_QUOTED);
    part->text = sh_arena_copy(b->p->arena, text, len);
    part->len = len;
    b->word->is_quoted = true;
}

static size_t encode_utf8(char *out, unsigned c) {
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | (c >> 18 & 7));
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

static unsigned digits(struct sh_parser *p, unsigned base, int max) {
    unsigned n = 0;
    for (int i = 0; i < max; i++) {
        int c = sh_peek(p, 0);
        unsigned digit = sh_is_digit(c)         ? (unsigned)c - '0'
                         : c >= 'a' && c <= 'f' ? (unsigned)c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)c - 'A' + 10
                                                : 99;
        if (digit >= base) {
            break;
        }
        n = n * base + digit;
        p->at++;
    }
    return n;
}

// Behind $' up to the quote
static bool ansi_c(struct word_builder *b) {
    static const char from[] = "abeEfnrtv\\'\"?", to[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
    struct sh_parser *p = b->p;
    struct sh_text text = {.arena = p->arena};
    for (;;) {
        int c = sh_peek(p, 0);
        if (c < 0) {
            return sh_unclosed(p, "'");
        }
        p->at++;
        p->line += c == '\n';
        if (c == '\'') {
            break;
        }
        if (c != '\\') {
            sh_text_char(&text, (char)c);
            continue;
        }
        c = sh_peek(p, 0);
        const char *known = c > 0 ? strchr(from, c) : NULL;
        char utf8[4];
        if (known) {
            p->at++;
            sh_text_char(&text, to[known - from]);
        } else if (c == 'x') {
            p->at++;
            sh_text_char(&text, (char)digits(p, 16, 2));
        } else if (c == 'u' || c == 'U') {
            p->at++;
            sh_text_add(&text, utf8, encode_utf8(utf8, digits(p, 16, c == 'u' ? 4 : 8)));
        } else if (c >= '0' && c <= '7') {
            sh_text_char(&text, (char)digits(p, 8, 3));
        } else if (c == 'c') {
            sh_text_char(&text, (char)(sh_peek(p, 1) & 31));
            p->at += 2;
        } else {
            sh_text_char(&text, '\\');
        }
    }
    if (p->at > p->end) {
        return sh_unclosed(p, "'");
    }
    size_t nul = text.len ? strnlen(text.data, text.len) : 0; // a NUL ends it, as in bash
    add_quoted(b, text.data, nul);
    return true;
}

static bool single_quotes(struct word_builder *b) {
    struct sh_parser *p = b->p;
    size_t start = p->at;
    while (p->at < p->end && p->text[p->at] != '\'') {
        p->line += p->text[p->at] == '\n';
        p->at++;
    }
    if (p->at == p->end) {
        return sh_unclosed(p, "'");
    }
    add_quoted(b, p->text + start, p->at - start);
    p->at++;
    return true;
}

static bool double_quotes(struct word_builder *b) {
    struct sh_parser *p = b->p;
    flush(b);
    struct sh_word *inner = sh_parse_word(p, SH_IN_DQUOTE);
    if (!inner) {
        return false;
    }
    if (sh_peek(p, 0) != '"') {
        return sh_unclosed(p, "\"");
    }
    p->at++;
    add_part(b, SH_DQUOTE)->parts = inner->parts;
    b->word->is_quoted = true;
    b->word->may_assign |= inner->may_assign;
    return true;
}

// Does "((" begin an arithmetic expression? It does when the bracket that closes it is doubled.
static bool is_arith(const struct sh_parser *p, size_t at) {
    int depth = 0;
    char quote = 0;
    for (; at < p->end; at++) {
        char c = p->text[at];
        if (c == '\\') {
            at++;
        } else if (quote) {
            quote = c == quote ? 0 : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '(') {
            depth++;
        } else if (c == ')' && depth-- == 0) {
            return at + 1 < p->end && p->text[at + 1] == ')';
        }
    }
    return false;
}

static bool arithmetic(struct word_builder *b, char open) {
    struct sh_parser *p = b->p;
    flush(b);
    struct sh_word *inner = sh_parse_word(p, open == '[' ? SH_IN_INDEX : SH_IN_ARITH);
    if (!inner) {
        return false;
    }
    if (!sh_at(p, open == '[' ? "]" : "))")) {
        return sh_unclosed(p, open == '[' ? "]" : ")");
    }
    size_t closing = open == '[' ? 1 : 2;
    p->at += closing;
    add_part(b, SH_ARITH)->parts = inner->parts;
    for (const struct sh_part *part = inner->parts; part; part = part->next) {
        if (part->kind != SH_PARAM && (!part->text || memchr(part->text, '=', part->len) ||
                                       strstr(part->text, "++") || strstr(part->text, "--"))) {
            b->word->may_assign = true;
        }
    }
    b->word->may_assign |= inner->may_assign;
    return true;
}

static bool command(struct word_builder *b, enum sh_part_kind kind, bool is_output) {
    struct sh_parser *p = b->p;
    flush(b);
    struct sh_node *list = sh_parse_list(p);
    if (p->error[0]) {
        return false;
    }
    sh_skip_newlines(p);
    if (sh_peek(p, 0) != ')') {
        return p->at >= p->end ? sh_unclosed(p, ")") : sh_unexpected(p);
    }
    p->at++;
    struct sh_part *part = add_part(b, kind);
    part->list = list;
    part->is_output = is_output;
    return !p->error[0];
}

static bool backticks(struct word_builder *b, bool in_dquote) {
    struct sh_parser *p = b->p;
    struct sh_text text = {.arena = p->arena};
    flush(b);
    int line = p->line;
    for (;;) {
        int c = sh_peek(p, 0);
        if (c < 0) {
            return sh_unclosed(p, "`");
        }
        p->at++;
        p->line += c == '\n';
        if (c == '`') {
            break;
        }
        int next = sh_peek(p, 0);
        if (c == '\\' &&
            (next == '`' || next == '\\' || next == '$' || (in_dquote && next == '"'))) {
            c = next;
            p->at++;
        }
        sh_text_char(&text, (char)c);
    }
    struct sh_parser inner;
    sh_parser_init(&inner, p->arena, text.data ? text.data : "", text.len, line);
    inner.depth = p->depth;
    struct sh_node *list = sh_parse_list(&inner);
    if (!inner.error[0] && inner.at < inner.end) {
        sh_unexpected(&inner);
    }
    if (inner.error[0]) {
        return sh_parse_fail(p, "%s", inner.error);
    }
    add_part(b, SH_COMMAND)->list = list;
    return true;
}

// Behind "${"
static bool braces(struct word_builder *b, bool in_dquote) {
    struct sh_parser *p = b->p;
    size_t start = p->at;
    struct sh_param *param = sh_parse_param(p, in_dquote);
    if (!param) {
        return false;
    }
    flush(b);
    struct sh_part *part = add_part(b, SH_PARAM);
    part->param = param;
    part->text = p->text + start - 2;
    part->len = p->at - start + 2;
    b->word->may_assign |= param->op == SH_OP_ASSIGN || (param->arg && param->arg->may_assign);
    return true;
}

// At a $
static bool dollar(struct word_builder *b, enum sh_mode mode) {
    struct sh_parser *p = b->p;
    bool in_dquote = mode == SH_IN_DQUOTE || mode == SH_IN_TEXT || mode == SH_IN_ARITH ||
                     mode == SH_IN_QUOTED_BRACES;
    int c = sh_peek(p, 1);
    if (c == '{') {
        p->at += 2;
        return braces(b, in_dquote);
    }
    if (c == '(' && sh_peek(p, 2) == '(' && is_arith(p, p->at + 3)) {
        p->at += 3;
        return arithmetic(b, '(');
    }
    if (c == '(') {
        p->at += 2;
        return command(b, SH_COMMAND, false);
    }
    if (c == '[') {
        p->at += 2;
        return arithmetic(b, '[');
    }
    if (c == '\'' && !in_dquote) {
        p->at += 2;
        return ansi_c(b);
    }
    if (c == '"' && !in_dquote) {
        p->at += 2;
        return double_quotes(b);
    }
    if (sh_is_name_start(c) || sh_is_digit(c) || (c > 0 && strchr("@*#?-$!", c))) {
        size_t start = p->at++;
        struct sh_param *param = sh_arena_alloc(p->arena, sizeof *param);
        if (sh_is_digit(c)) {
            param->name = sh_arena_copy(p->arena, p->text + p->at++, 1);
        } else {
            param->name = sh_parse_param_name(p);
        }
        flush(b);
        struct sh_part *part = add_part(b, SH_PARAM);
        part->param = param;
        part->text = p->text + start;
        part->len = p->at - start;
        return true;
    }
    sh_text_char(&b->literal, '$');
    p->at++;
    return true;
}

static bool backslash(struct word_builder *b, enum sh_mode mode) {
    struct sh_parser *p = b->p;
    int next = sh_peek(p, 1);
    if (next == '\n') {
        p->at += 2;
        p->line++;
        return true;
    }
    bool is_quoting = mode == SH_IN_DQUOTE || mode == SH_IN_TEXT || mode == SH_IN_ARITH ||
                      mode == SH_IN_QUOTED_BRACES;
    if (next < 0 || (is_quoting && !strchr(mode == SH_IN_TEXT            ? "$`\\"
                                           : mode == SH_IN_QUOTED_BRACES ? "$`\\\"}"
                                                                         : "$`\\\"",
                                           next))) {
        sh_text_char(&b->literal, '\\');
        p->at++;
        return true;
    }
    p->at += 2;
    char c = (char)next;
    if (is_quoting) {
        sh_text_char(&b->literal, c);
    } else {
        add_quoted(b, &c, 1);
    }
    return true;
}

static bool ends_word(int c) {
    return c < 0 || strchr(" \t\n;&|()<>", c) != NULL;
}

// What the loop below does with the next character
enum step { STEP_DONE, STEP_LITERAL, STEP_TAKEN, STEP_FAILED };

struct nesting {
    int parens; // of ( in arithmetic, extended patterns and regular expressions
    int braces; // of { in ${x:-{a}}
    int brackets;
};

static enum step step(struct word_builder *b, enum sh_mode mode, struct nesting *nest, int c) {
    struct sh_parser *p = b->p;
    int next = sh_peek(p, 1);
    switch (mode) {
    case SH_IN_DQUOTE:
        return c == '"' ? STEP_DONE : STEP_LITERAL;
    case SH_IN_TEXT:
        return STEP_LITERAL;
    case SH_IN_BRACES:
    case SH_IN_QUOTED_BRACES:
        if (c == '}' && nest->braces-- == 0) {
            return STEP_DONE;
        }
        nest->braces += c == '{';
        return STEP_LITERAL;
    case SH_IN_INDEX:
        if (c == ']' && nest->brackets-- == 0) {
            return STEP_DONE;
        }
        nest->brackets += c == '[';
        return STEP_LITERAL;
    case SH_IN_ARITH:
        if (c == ')' && nest->parens-- == 0) {
            return STEP_DONE;
        }
        nest->parens += c == '(';
        return STEP_LITERAL;
    case SH_IN_REGEX:
        if (c == '(') {
            nest->parens++;
        } else if (c == ')' && nest->parens-- == 0) {
            return STEP_DONE;
        } else if (nest->parens <= 0 &&
                   (c == ' ' || c == '\t' || c == '\n' || (c == '&' && next == '&'))) {
            return STEP_DONE;
        }
        return STEP_LITERAL;
    case SH_IN_WORD:
        break;
    }
    if (nest->parens > 0) {
        nest->parens += c == '(' ? 1 : c == ')' ? -1 : 0;
        return STEP_LITERAL;
    }
    if (next == '(' && strchr("@?*+!", c)) {
        char both[2] = {(char)c, '('};
        sh_text_add(&b->literal, both, 2);
        p->at += 2;
        nest->parens = 1;
        return STEP_TAKEN;
    }
    if ((c == '<' || c == '>') && next == '(') {
        p->at += 2;
        return command(b, SH_PROCESS, c == '>') ? STEP_TAKEN : STEP_FAILED;
    }
    if (ends_word(c)) {
        return STEP_DONE;
    }
    b->word->has_brace |= c == '{';
    return STEP_LITERAL;
}

static bool takes_quotes(enum sh_mode mode) {
    return mode != SH_IN_DQUOTE && mode != SH_IN_TEXT;
}

static bool add_next(struct word_builder *b, enum sh_mode mode, struct nesting *nest,
                     bool *ret_done) {
    struct sh_parser *p = b->p;
    int c = sh_peek(p, 0);
    if (c == '\\') {
        return backslash(b, mode);
    }
    if (c == '$') {
        return dollar(b, mode);
    }
    if (c == '`') {
        p->at++;
        return backticks(b, mode == SH_IN_DQUOTE);
    }
    if (c == '\'' && takes_quotes(mode) && mode != SH_IN_ARITH && mode != SH_IN_QUOTED_BRACES) {
        p->at++;
        return single_quotes(b);
    }
    if (c == '"' && takes_quotes(mode)) {
        p->at++;
        return double_quotes(b);
    }
    switch (step(b, mode, nest, c)) {
    case STEP_DONE:
        *ret_done = true;
        return true;
    case STEP_FAILED:
        return false;
    case STEP_TAKEN:
        return true;
    case STEP_LITERAL:
        break;
    }
    p->line += c == '\n';
    p->at++;
    sh_text_char(&b->literal, (char)c);
    return true;
}

struct sh_word *sh_parse_word(struct sh_parser *p, enum sh_mode mode) {
    struct word_builder b = {.p = p, .literal = {.arena = p->arena}};
    struct nesting nest = {0};
    bool done = false;
    if (!sh_enter(p)) {
        return NULL;
    }
    b.word = sh_arena_alloc(p->arena, sizeof *b.word);
    b.tail = &b.word->parts;
    while (!done && p->at < p->end) {
        if (p->arena->failed) {
            sh_parse_fail(p, "the command is too long");
        }
        if (p->error[0] || !add_next(&b, mode, &nest, &done)) {
            return NULL;
        }
    }
    if (mode == SH_IN_WORD && nest.parens > 0) {
        sh_unclosed(p, ")");
        return NULL;
    }
    flush(&b);
    p->depth--;
    return p->error[0] ? NULL : b.word;
}

const char *sh_word_constant(const struct sh_word *word) {
    const struct sh_part *part = word ? word->parts : NULL;
    if (!part || part->next) {
        return NULL;
    }
    if (part->kind == SH_DQUOTE && part->parts && !part->parts->next) {
        part = part->parts;
    }
    return part->kind == SH_LITERAL || part->kind == SH_QUOTED ? part->text : NULL;
}
