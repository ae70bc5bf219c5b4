// Arithmetic: 64 bits that wrap around, as in C but for **. A name's value is an expression of its
// own.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

enum { MAX_DEPTH = 60 };

struct arith {
    struct sh *sh;
    const char *at, *start;
    int depth;
    bool is_failed, is_skipped; /* skipped: a side of && || ?: that is only parsed */
};
struct place { /* what can be assigned to */
    char *name;
    bool has_index, is_key;
    long long index;
    char *key;
};

static long long comma(struct arith *a);
static long long assignment(struct arith *a);

static long long fail(struct arith *a, const char *why) {
    if (!a->is_failed) {
        size_t n = strlen(a->at);
        while (n && (a->at[n - 1] == ' ' || a->at[n - 1] == '\n')) {
            n--;
        }
        sh_say(a->sh, "%s: %s (error token is \"%.*s\")", a->start, why, (int)(n > 200 ? 200 : n),
               a->at);
    }
    a->is_failed = true;
    return 0;
}

static void skip(struct arith *a) {
    while (*a->at == ' ' || *a->at == '\t' || *a->at == '\n' || *a->at == '\r') {
        a->at++;
    }
}

static bool take(struct arith *a, const char *op) {
    skip(a);
    if (op[0] != *a->at || strncmp(a->at, op, strlen(op)) != 0) {
        return false;
    }
    a->at += strlen(op);
    return true;
}

static bool is_name_char(char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static long long number(struct arith *a) {
    unsigned long long n = 0;
    unsigned base = 10;
    const char *p = a->at;
    if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        base = 16;
        p += 2;
    } else if (p[0] == '0') {
        base = 8;
    } else {
        size_t digits = strspn(p, "0123456789");
        if (p[digits] == '#') {
            base = (unsigned)atoi(p);
            p += digits + 1;
            if (base < 2 || base > 64) {
                return fail(a, "invalid arithmetic base");
            }
        }
    }
    for (;; p++) {
        unsigned digit;
        if (*p >= '0' && *p <= '9') {
            digit = (unsigned)(*p - '0');
        } else if (*p >= 'a' && *p <= 'z') {
            digit = (unsigned)(*p - 'a' + 10);
        } else if (*p >= 'A' && *p <= 'Z') {
            digit = (unsigned)(*p - 'A' + (base <= 36 ? 10 : 36));
        } else if (*p == '@' || *p == '_') {
            digit = *p == '@' ? 62 : 63;
        } else {
            break;
        }
        if (digit >= base) {
            return fail(a, "value too great for base");
        }
        n = n * base + digit;
    }
    a->at = p;
    return (long long)n;
}

static long long evaluate(struct arith *a, const char *text) {
    struct arith inner = {.sh = a->sh, .at = text, .start = text, .depth = a->depth + 1};
    if (a->depth > MAX_DEPTH) {
        return fail(a, "expression recursion level exceeded");
    }
    skip(&inner);
    long long n = *inner.at ? comma(&inner) : 0;
    skip(&inner);
    if (!inner.is_failed && *inner.at) {
        fail(&inner, "syntax error in expression");
    }
    a->is_failed |= inner.is_failed;
    return n;
}

static const char *value_of(struct arith *a, const struct place *place) {
    const struct sh_var *var = sh_var_get(a->sh, place->name);
    if (!place->has_index) {
        return sh_get(a->sh, place->name);
    }
    return !var            ? NULL
           : place->is_key ? sh_key_get(var, place->key)
                           : sh_item_get(var, place->index);
}

static long long load(struct arith *a, const struct place *place) {
    if (a->is_skipped || a->is_failed) {
        return 0;
    }
    const char *value = value_of(a, place);
    if (!value && a->sh->options & SH_NOUNSET) {
        sh_say(a->sh, "%s: unbound variable", place->name);
        a->sh->flow = SH_EXIT;
        a->is_failed = true;
        return 0;
    }
    if (!value || !*value) {
        return 0;
    }
    long long n;
    if (sh_parse_int(value, &n) && (value[0] != '0' || !value[1])) {
        return n;
    }
    char *copy = sh_arena_copy(&a->sh->scratch, value, strlen(value));
    return evaluate(a, copy);
}

static void store(struct arith *a, const struct place *place, long long n) {
    char text[32];
    if (a->is_skipped || a->is_failed) {
        return;
    }
    snprintf(text, sizeof text, "%lld", n);
    if (!place->has_index) {
        a->is_failed |= !sh_set(a->sh, place->name, text);
        return;
    }
    struct sh_var *var = sh_var_make(a->sh, place->name);
    a->is_failed |= !(place->is_key ? sh_set_key(a->sh, var, place->key, text, false)
                                    : sh_set_index(a->sh, var, place->index, text, false));
}

static bool read_place(struct arith *a, struct place *place) {
    size_t n = 0;
    while (is_name_char(a->at[n], n == 0)) {
        n++;
    }
    *place = (struct place){.name = sh_arena_copy(&a->sh->scratch, a->at, n)};
    a->at += n;
    if (*a->at != '[') {
        return true;
    }
    const char *start = ++a->at;
    int depth = 1;
    for (; *a->at && depth; a->at++) {
        depth += *a->at == '[' ? 1 : *a->at == ']' ? -1 : 0;
    }
    if (depth) {
        fail(a, "syntax error: bad array subscript");
        return false;
    }
    char *text = sh_arena_copy(&a->sh->scratch, start, (size_t)(a->at - start - 1));
    const struct sh_var *var = sh_var_get(a->sh, place->name);
    place->has_index = true;
    place->is_key = var && var->flags & SH_ASSOC;
    place->key = text;
    if (!place->is_key) {
        place->index = evaluate(a, text);
    }
    return !a->is_failed;
}

static long long step_before(struct arith *a, int by) {
    struct place place;
    skip(a);
    if (!is_name_char(*a->at, true)) {
        return fail(a, "syntax error: operand expected");
    }
    if (!read_place(a, &place)) {
        return 0;
    }
    long long n =
        (long long)((unsigned long long)load(a, &place) + (unsigned long long)(long long)by);
    store(a, &place, n);
    return n;
}

static long long primary(struct arith *a) {
    skip(a);
    if (a->is_failed) {
        return 0;
    }
    if (*a->at >= '0' && *a->at <= '9') {
        return number(a);
    }
    if (*a->at == '(') {
        a->at++;
        if (++a->depth > MAX_DEPTH) {
            return fail(a, "expression recursion level exceeded");
        }
        long long n = comma(a);
        a->depth--;
        return take(a, ")") ? n : fail(a, "missing `)'");
    }
    if (!is_name_char(*a->at, true)) {
        return fail(a, "syntax error: operand expected");
    }
    struct place place;
    if (!read_place(a, &place)) {
        return 0;
    }
    skip(a);
    if (a->at[0] == a->at[1] && (*a->at == '+' || *a->at == '-')) {
        int by = *a->at == '+' ? 1 : -1;
        a->at += 2;
        long long n = load(a, &place);
        store(a, &place, (long long)((unsigned long long)n + (unsigned long long)(long long)by));
        return n;
    }
    return load(a, &place);
}

static long long unary(struct arith *a) {
    if (++a->depth > MAX_DEPTH) {
        return fail(a, "expression recursion level exceeded");
    }
    skip(a);
    long long n;
    if (take(a, "++")) {
        n = step_before(a, 1);
    } else if (take(a, "--")) {
        n = step_before(a, -1);
    } else if (take(a, "!")) {
        n = !unary(a);
    } else if (take(a, "~")) {
        n = ~unary(a);
    } else if (take(a, "-")) {
        n = (long long)(0 - (unsigned long long)unary(a));
    } else if (take(a, "+")) {
        n = unary(a);
    } else {
        n = primary(a);
    }
    a->depth--;
    return n;
}

static long long power(struct arith *a) {
    long long base = unary(a);
    if (!take(a, "**")) {
        return base;
    }
    if (++a->depth > MAX_DEPTH) {
        return fail(a, "expression recursion level exceeded");
    }
    long long exponent = power(a);
    a->depth--;
    if (exponent < 0) {
        return fail(a, "exponent less than 0");
    }
    unsigned long long n = 1, factor = (unsigned long long)base;
    for (; exponent; exponent >>= 1, factor *= factor) {
        n *= exponent & 1 ? factor : 1;
    }
    return (long long)n;
}

// The binary operators, the tightest last
static const struct {
    const char *op;
    int level;
} operators[] = {{"|", 1},  {"^", 2},  {"&", 3},  {"==", 4}, {"!=", 4}, {"<=", 5},
                 {">=", 5}, {"<<", 6}, {">>", 6}, {"<", 5},  {">", 5},  {"+", 7},
                 {"-", 7},  {"*", 8},  {"/", 8},  {"%", 8}};

static const char *binary_operator(struct arith *a, int level) {
    skip(a);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (operators[i].op[0] !=
            *a->at) { // most often: this is asked at every level of every operand
            continue;
        }
        size_t n = strlen(operators[i].op);
        if (strncmp(a->at, operators[i].op, n) != 0) {
            continue;
        }
        char next = a->at[n];
        bool is_other = next == '=' || (n == 1 && next == *a->at && strchr("|&*", next)) ||
                        (n == 2 && operators[i].op[0] == operators[i].op[1] && next == '=');
        if (operators[i].op[n - 1] == '=') {
            is_other = false;
        }
        if (is_other) {
            return NULL;
        }
        return operators[i].level == level ? operators[i].op : NULL;
    }
    return NULL;
}

static long long apply(struct arith *a, const char *op, long long x, long long y) {
    unsigned long long ux = (unsigned long long)x, uy = (unsigned long long)y;
    switch (op[0]) {
    case '|':
        return x | y;
    case '^':
        return x ^ y;
    case '&':
        return x & y;
    case '=':
        return x == y;
    case '!':
        return x != y;
    case '<':
        return op[1] == '=' ? x <= y : op[1] == '<' ? (long long)(ux << (uy & 63)) : x < y;
    case '>':
        return op[1] == '=' ? x >= y : op[1] == '>' ? x >> (uy & 63) : x > y;
    case '+':
        return (long long)(ux + uy);
    case '-':
        return (long long)(ux - uy);
    case '*':
        return (long long)(ux * uy);
    default:
        break;
    }
    if (a->is_skipped || a->is_failed) {
        return 0;
    }
    if (!y) {
        return fail(a, "division by 0");
    }
    if (y == -1) {
        return op[0] == '/' ? (long long)(0 - ux) : 0;
    }
    return op[0] == '/' ? x / y : x % y;
}

static long long binary(struct arith *a, int level) {
    if (level > 8) {
        return power(a);
    }
    long long x = binary(a, level + 1);
    const char *op;
    while (!a->is_failed && (op = binary_operator(a, level))) {
        a->at += strlen(op);
        const char *operand = a->at;
        long long y = binary(a, level + 1);
        if (y == 0 && (op[0] == '/' || op[0] == '%') && !a->is_failed && !a->is_skipped) {
            a->at = operand + strspn(operand, " \t\n");
        }
        x = apply(a, op, x, y);
    }
    return x;
}

static long long logical_and(struct arith *a) {
    long long x = binary(a, 1);
    while (!a->is_failed && take(a, "&&")) {
        bool before = a->is_skipped;
        a->is_skipped |= !x;
        long long y = binary(a, 1);
        a->is_skipped = before;
        x = x && y;
    }
    return x;
}

static long long logical_or(struct arith *a) {
    long long x = logical_and(a);
    while (!a->is_failed && take(a, "||")) {
        bool before = a->is_skipped;
        a->is_skipped |= x != 0;
        long long y = logical_and(a);
        a->is_skipped = before;
        x = x || y;
    }
    return x;
}

static long long conditional(struct arith *a) {
    long long x = logical_or(a);
    if (a->is_failed || !take(a, "?")) {
        return x;
    }
    bool before = a->is_skipped;
    a->is_skipped = before || !x;
    long long yes = comma(a);
    a->is_skipped = before || x;
    if (!take(a, ":")) {
        a->is_skipped = before;
        return fail(a, "`:' expected for conditional expression");
    }
    if (++a->depth > MAX_DEPTH) {
        return fail(a, "expression recursion level exceeded");
    }
    long long no = conditional(a);
    a->depth--;
    a->is_skipped = before;
    return x ? yes : no;
}

static const char *assign_operator(const char *at) {
    static const char *const ops[] = {
        "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (ops[i][0] == *at && strncmp(at, ops[i], strlen(ops[i])) == 0) {
            return ops[i][0] == '=' && at[1] == '=' ? NULL : ops[i];
        }
    }
    return NULL;
}

static long long assignment(struct arith *a) {
    skip(a);
    const char *before = a->at;
    if (++a->depth > MAX_DEPTH) {
        return fail(a, "expression recursion level exceeded");
    }
    long long n;
    struct place place;
    if (is_name_char(*a->at, true)) {
        size_t len = 0;
        while (is_name_char(a->at[len], len == 0)) {
            len++;
        }
        if (a->at[len] == '[') {
            int depth = 0;
            for (; a->at[len]; len++) {
                depth += a->at[len] == '[' ? 1 : a->at[len] == ']' ? -1 : 0;
                if (!depth) {
                    len++;
                    break;
                }
            }
        }
        const char *op = assign_operator(a->at + len + strspn(a->at + len, " \t\n"));
        if (op && read_place(a, &place)) {
            skip(a);
            a->at += strlen(op);
            long long y = assignment(a);
            n = op[0] == '=' ? y : apply(a, op, load(a, &place), y);
            store(a, &place, n);
            a->depth--;
            return n;
        }
    }
    a->at = before;
    n = conditional(a);
    a->depth--;
    return n;
}

static long long comma(struct arith *a) {
    long long n = assignment(a);
    while (!a->is_failed && take(a, ",")) {
        n = assignment(a);
    }
    return n;
}

bool sh_arith(struct sh *sh, const char *text, long long *ret) {
    struct arith a = {.sh = sh, .at = text, .start = text + strspn(text, " \t\n")};
    skip(&a);
    *ret = *a.at ? comma(&a) : 0;
    skip(&a);
    if (!a.is_failed && *a.at) {
        fail(&a, "syntax error in expression");
    }
    return !a.is_failed;
}

bool sh_parse_int(const char *text, long long *ret) {
    const char *c = text + strspn(text, " \t\n");
    bool negative = *c == '-';
    unsigned long long n = 0;
    c += *c == '-' || *c == '+';
    if (*c < '0' || *c > '9') {
        return false;
    }
    for (; *c >= '0' && *c <= '9'; c++) {
        n = n * 10 + (unsigned long long)(*c - '0');
    }
    c += strspn(c, " \t\n");
    *ret = (long long)(negative ? 0 - n : n);
    return !*c;
}
