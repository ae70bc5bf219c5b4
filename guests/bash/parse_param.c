// The inside of ${…}.
#include <string.h>

#include "bash/ast.h"

// The name in ${…}; "" when there is none.
const char *sh_parse_param_name(struct sh_parser *p) {
    size_t start = p->at;
    int c = sh_peek(p, 0);
    if (sh_is_name_char(c) && !(c >= '0' && c <= '9')) {
        while (sh_is_name_char(sh_peek(p, 0))) {
            p->at++;
        }
    } else if (c >= '0' && c <= '9') {
        while (sh_peek(p, 0) >= '0' && sh_peek(p, 0) <= '9') {
            p->at++;
        }
    } else if (c > 0 && strchr("@*#?-$!", c)) {
        p->at++;
    }
    return sh_arena_copy(p->arena, p->text + start, p->at - start);
}

static bool param_index(struct sh_parser *p, struct sh_param *param) {
    if (sh_peek(p, 0) != '[') {
        return true;
    }
    if ((sh_peek(p, 1) == '@' || sh_peek(p, 1) == '*') && sh_peek(p, 2) == ']') {
        param->all_index = p->text[p->at + 1];
        p->at += 3;
        return true;
    }
    p->at++;
    param->index = sh_parse_word(p, SH_IN_INDEX);
    if (!param->index) {
        return false;
    }
    if (sh_peek(p, 0) != ']') {
        return sh_unclosed(p, "]");
    }
    p->at++;
    return true;
}

static bool take(struct sh_parser *p, const char *text) {
    if (!sh_at(p, text)) {
        return false;
    }
    p->at += strlen(text);
    return true;
}

static enum sh_op param_op(struct sh_parser *p, struct sh_param *param) {
    static const struct {
        const char *text;
        enum sh_op op;
        bool is_colon;
    } ops[] = {
        {":-", SH_OP_DEFAULT, true},      {":=", SH_OP_ASSIGN, true},
        {":?", SH_OP_ERROR, true},        {":+", SH_OP_ALTERNATE, true},
        {"-", SH_OP_DEFAULT, false},      {"=", SH_OP_ASSIGN, false},
        {"?", SH_OP_ERROR, false},        {"+", SH_OP_ALTERNATE, false},
        {"##", SH_OP_PREFIX_LONG, false}, {"#", SH_OP_PREFIX, false},
        {"%%", SH_OP_SUFFIX_LONG, false}, {"%", SH_OP_SUFFIX, false},
        {"//", SH_OP_REPLACE_ALL, false}, {"/#", SH_OP_REPLACE_START, false},
        {"/%", SH_OP_REPLACE_END, false}, {"/", SH_OP_REPLACE, false},
        {":", SH_OP_SUBSTRING, false},    {"^^", SH_OP_UPPER_ALL, false},
        {"^", SH_OP_UPPER, false},        {",,", SH_OP_LOWER_ALL, false},
        {",", SH_OP_LOWER, false},        {"@", SH_OP_TRANSFORM, false},
    };
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (take(p, ops[i].text)) {
            param->is_colon = ops[i].is_colon;
            return ops[i].op;
        }
    }
    return SH_OP_NONE;
}

// A word of ${…}: up to }, and in a pattern to be replaced or a substring up to the separator
static struct sh_word *param_word(struct sh_parser *p, bool in_dquote, char separator) {
    size_t end = p->end;
    struct sh_word *word;
    if (separator == ':') { // arithmetic: find its end, then parse that
        int depth = 0, questions = 0;
        size_t at = p->at;
        for (; at < p->end; at++) {
            char c = p->text[at];
            if (c == '(' || c == '{' || c == '[') {
                depth++;
            } else if ((c == ')' || c == ']' || c == '}') && depth) {
                depth--;
            } else if (c == '?') {
                questions++;
            } else if (depth == 0 && (c == '}' || (c == ':' && questions-- == 0))) {
                break;
            }
        }
        p->end = at;
        word = sh_parse_word(p, SH_IN_TEXT);
        p->end = end;
        return word;
    }
    return sh_parse_word(p, in_dquote ? SH_IN_QUOTED_BRACES : SH_IN_BRACES);
}

// The pattern of ${x/pattern/…}: up to an unquoted slash
static struct sh_word *pattern_word(struct sh_parser *p, bool may_begin_with_slash) {
    size_t at = p->at, end = p->end;
    int depth = 0;
    if (may_begin_with_slash && sh_peek(p, 0) == '/') {
        at++;
    }
    for (; at < end; at++) {
        char c = p->text[at];
        if (c == '\\') {
            at++;
        } else if (c == '\'' || c == '"') {
            const char *close = at + 1 < end ? memchr(p->text + at + 1, c, end - at - 1) : NULL;
            at = close ? (size_t)(close - p->text) : at;
        } else if (c == '{' || c == '(') {
            depth++;
        } else if ((c == '}' || c == ')') && depth) {
            depth--;
        } else if (depth == 0 && (c == '/' || c == '}')) {
            break;
        }
    }
    p->end = at < end ? at : end;
    struct sh_word *word = sh_parse_word(p, SH_IN_BRACES);
    p->end = end;
    return word;
}

static bool param_args(struct sh_parser *p, struct sh_param *param, bool in_dquote) {
    switch (param->op) {
    case SH_OP_NONE:
        return true;
    case SH_OP_TRANSFORM:
        param->transform = (char)sh_peek(p, 0);
        p->at++;
        return true;
    case SH_OP_SUBSTRING:
        param->arg = param_word(p, in_dquote, ':');
        if (param->arg && take(p, ":")) {
            param->arg2 = param_word(p, in_dquote, ':');
            return param->arg2 != NULL;
        }
        return param->arg != NULL;
    case SH_OP_REPLACE:
    case SH_OP_REPLACE_ALL:
    case SH_OP_REPLACE_START:
    case SH_OP_REPLACE_END:
        param->arg = pattern_word(p, param->op == SH_OP_REPLACE_ALL);
        if (param->arg && take(p, "/")) {
            param->arg2 = param_word(p, false, '}');
            return param->arg2 != NULL;
        }
        return param->arg != NULL;
    case SH_OP_DEFAULT:
    case SH_OP_ASSIGN:
    case SH_OP_ERROR:
    case SH_OP_ALTERNATE:
        param->arg = param_word(p, in_dquote, '}');
        return param->arg != NULL;
    default:
        param->arg = param_word(p, false, '}');
        return param->arg != NULL;
    }
}

struct sh_param *sh_parse_param(struct sh_parser *p, bool in_dquote) {
    struct sh_param *param = sh_arena_alloc(p->arena, sizeof *param);
    int next = sh_peek(p, 1);
    if (sh_peek(p, 0) == '#' && next != '}' &&
        !(next > 0 && strchr("-=?+%:", next) && sh_peek(p, 2) != '}')) {
        param->is_length = true;
        p->at++;
    } else if (sh_peek(p, 0) == '!' &&
               (sh_is_name_char(next) || next == '@' || next == '*' || next == '#')) {
        param->is_indirect = true;
        p->at++;
    }
    param->name = sh_parse_param_name(p);
    if (!param_index(p, param)) {
        return NULL;
    }
    if (param->is_indirect && (sh_at(p, "*}") || sh_at(p, "@}"))) {
        param->all_names = p->text[p->at++];
    } else if (param->name[0]) {
        param->op = param_op(p, param);
        if (!param_args(p, param, in_dquote)) {
            return NULL;
        }
    }
    if (!param->name[0] || sh_peek(p, 0) != '}') { // bash notices only when it is expanded
        const char *close = memchr(p->text + p->at, '}', p->end - p->at);
        if (!close) {
            return sh_unclosed(p, "}"), NULL;
        }
        p->at = (size_t)(close - p->text);
        param->is_bad = true;
    }
    p->at++;
    return param;
}
