#include "common/regex.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

enum { MAX_DEPTH = 100, MAX_REPEAT = 1000, MAX_QUANTIFIERS = 20 };

struct parser {
    const char *at, *end;
    bool is_caseless, is_exact, is_unknown;
    enum bx_regex_text text;
    int depth;
};

static struct bx_node *make(enum bx_node_kind kind) {
    struct bx_node *node = bx_alloc(sizeof *node);
    *node = (struct bx_node){.kind = kind, .min = 1, .max = 1};
    return node;
}

static void set_add(uint32_t *set, unsigned from, unsigned to) {
    for (unsigned byte = from; byte <= to; byte++) {
        set[byte >> 5] |= 1U << (byte & 31);
    }
}

static void set_add_text(uint32_t *set, const char *bytes) {
    for (; *bytes; bytes++) {
        set_add(set, (unsigned char)*bytes, (unsigned char)*bytes);
    }
}

static struct bx_node *repeat(struct bx_node *child, int min, int max) {
    struct bx_node *node = make(BX_NODE_REPEAT);
    node->first = child;
    node->min = min;
    node->max = max;
    return node;
}

static struct bx_node *alternatives(struct bx_node *a, struct bx_node *b) {
    struct bx_node *node = make(BX_NODE_ALT);
    node->first = a;
    a->next = b;
    return node;
}

// A character beyond ASCII, whichever: up to four bytes.
static struct bx_node *beyond(struct parser *p) {
    struct bx_node *byte = make(BX_NODE_SET);
    set_add(byte->set, 0x80, 0xFF);
    p->is_exact = p->is_exact && p->text == BX_TEXT_ASCII; // there is none
    return repeat(byte, 1, 4);
}

static bool is_letter(unsigned c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// One character of an ASCII set, or, when has_beyond, of any beyond it.
static struct bx_node *character(struct parser *p, const uint32_t *set, bool has_beyond) {
    struct bx_node *node = make(BX_NODE_SET);
    bool is_utf = p->text == BX_TEXT_UTF || p->text == BX_TEXT_UCP;
    memcpy(node->set, set, sizeof node->set);
    for (unsigned c = 'a'; p->is_caseless && c <= 'z'; c++) {
        if (bx_set_has(node->set, c) || bx_set_has(node->set, c - 32)) {
            set_add(node->set, c, c);
            set_add(node->set, c - 32, c - 32);
            has_beyond = has_beyond || (is_utf && (c == 'k' || c == 's')); // U+212A, U+017F
        }
    }
    node->set['\n' >> 5] &= ~(1U << ('\n' & 31));
    return has_beyond && p->text != BX_TEXT_ASCII ? alternatives(node, beyond(p)) : node;
}

static struct bx_node *literal(struct parser *p, unsigned byte) {
    uint32_t set[8] = {0};
    set_add(set, byte, byte);
    if (byte >= 0x80 && p->is_caseless) { // the other case may have another length
        while (p->at < p->end && ((unsigned char)*p->at & 0xC0) == 0x80) {
            p->at++;
        }
        return beyond(p);
    }
    return character(p, set, false);
}

static struct bx_node *anything(struct parser *p) {
    struct bx_node *node = make(BX_NODE_SET);
    set_add(node->set, 0, 0xFF);
    node->set['\n' >> 5] &= ~(1U << ('\n' & 31));
    p->is_exact = false;
    return repeat(node, 0, -1);
}

static struct bx_node *nothing(struct parser *p) {
    p->is_exact = false;
    return make(BX_NODE_EMPTY);
}

static struct bx_node *unknown(struct parser *p) {
    p->is_unknown = true;
    p->at = p->end;
    return make(BX_NODE_EMPTY);
}

// \d and its like into a set; false for other letters. *ret_beyond: takes in what is beyond ASCII.
static bool class_letter(const struct parser *p, char c, uint32_t *set, bool *ret_beyond) {
    uint32_t plain[8] = {0};
    switch (c | 0x20) {
    case 'd':
        set_add(plain, '0', '9');
        break;
    case 'w':
        set_add(plain, '0', '9');
        set_add(plain, 'a', 'z');
        set_add(plain, 'A', 'Z');
        set_add_text(plain, "_");
        break;
    case 's':
        set_add_text(plain, " \t\n\v\f\r");
        break;
    case 'h':
        set_add_text(plain, " \t");
        *ret_beyond = true;
        break;
    default:
        return false;
    }
    bool is_negated = !(c & 0x20);
    *ret_beyond = *ret_beyond || is_negated || p->text == BX_TEXT_UCP;
    for (size_t i = 0; i < 4; i++) {
        set[i] |= is_negated ? ~plain[i] : plain[i];
    }
    return true;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

// Behind "\x": one byte below 0x80, or -1.
static int hex_byte(struct parser *p) {
    int value = 0, n = 0;
    while (n < 2 && p->at < p->end && hex_digit(*p->at) >= 0) {
        value = value * 16 + hex_digit(*p->at++);
        n++;
    }
    return value < 0x80 && (p->at == p->end || *p->at != '{') ? value : -1;
}

// The character that \c stands for in sets and outside, or -1.
static int escaped_byte(struct parser *p, char c) {
    switch (c) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 'f':
        return '\f';
    case 'e':
        return 0x1B;
    case 'a':
        return '\a';
    case 'x':
        return hex_byte(p);
    default:
        return (unsigned char)c < 0x80 && !is_letter((unsigned char)c) && !(c >= '0' && c <= '9')
                   ? c
                   : -1;
    }
}

static struct bx_node *escape(struct parser *p) {
    uint32_t set[8] = {0};
    bool has_beyond = false;
    if (p->at == p->end) {
        return unknown(p);
    }
    char c = *p->at++;
    if (class_letter(p, c, set, &has_beyond)) {
        return character(p, set, has_beyond);
    }
    switch (c) {
    case 'b':
    case 'B':
    case 'A':
    case 'z':
    case 'Z':
    case 'K':
        return nothing(p);
    case 'p':
    case 'P':
        if (p->at < p->end && *p->at == '{') {
            while (p->at < p->end && *p->at != '}') {
                p->at++;
            }
        }
        p->at += p->at < p->end;
        // fall through
    case 'N':
    case 'V':
    case 'v':
        set_add(set, 0, 0x7F);
        p->is_exact = false;
        return character(p, set, true);
    case 'R':
    case 'X':
        return anything(p);
    default:
        break;
    }
    if (c == 'g' && p->at < p->end && *p->at == '{') { // what a group has matched
        while (p->at < p->end && *p->at++ != '}') {
        }
        return anything(p);
    }
    if (c >= '1' && c <= '9') { // the same, or an octal number
        while (p->at < p->end && *p->at >= '0' && *p->at <= '9') {
            p->at++;
        }
        return anything(p);
    }
    int byte = escaped_byte(p, c);
    return byte < 0 ? unknown(p) : literal(p, (unsigned)byte);
}

// [:name:] at p->at (behind "[:"); false when it is none.
static bool posix_class(struct parser *p, uint32_t *set) {
    static const struct {
        const char *name, *ranges;
    } classes[] = {{"alpha:]", "azAZ"},
                   {"digit:]", "09"},
                   {"alnum:]", "azAZ09"},
                   {"upper:]", "AZ"},
                   {"lower:]", "az"},
                   {"space:]", "\t\r  "},
                   {"blank:]", "\t\t  "},
                   {"xdigit:]", "09afAF"},
                   {"word:]", "azAZ09__"},
                   {"punct:]", "!/:@[`{~"},
                   {"graph:]", "!~"},
                   {"print:]", " ~"},
                   {"cntrl:]", "\x01\x1f\x7f\x7f"}};
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        size_t n = strlen(classes[i].name);
        if ((size_t)(p->end - p->at) >= n && memcmp(p->at, classes[i].name, n) == 0) {
            for (const char *r = classes[i].ranges; *r; r += 2) {
                set_add(set, (unsigned char)r[0], (unsigned char)r[1]);
            }
            p->at += n;
            return true;
        }
    }
    return false;
}

// One member of a set: its byte, or -1 when it was a class (added already), or -2 when it is not
// clear.
static int set_member(struct parser *p, uint32_t *set, bool *io_beyond) {
    unsigned char c = (unsigned char)*p->at++;
    if (c >= 0x80) { // its bytes are those of some character beyond ASCII
        while (p->at < p->end && ((unsigned char)*p->at & 0xC0) == 0x80) {
            p->at++;
        }
        *io_beyond = true;
        return -1;
    }
    if (c == '[' && p->at < p->end && strchr(":.=", *p->at)) {
        p->at++;
        *io_beyond = *io_beyond || p->text == BX_TEXT_UCP;
        return p->at[-1] == ':' && posix_class(p, set) ? -1 : -2;
    }
    if (c != '\\' || p->at == p->end) {
        return c;
    }
    char e = *p->at++;
    if (class_letter(p, e, set, io_beyond)) {
        return -1;
    }
    int byte = e == 'b' ? '\b' : escaped_byte(p, e);
    return byte < 0 ? -2 : byte;
}

static struct bx_node *bracket(struct parser *p) {
    uint32_t set[8] = {0};
    bool is_negated = p->at < p->end && *p->at == '^', has_beyond = false;
    p->at += is_negated;
    const char *first = p->at;
    while (p->at < p->end && (*p->at != ']' || p->at == first)) {
        int low = set_member(p, set, &has_beyond), high = low;
        if (low == -2) {
            return unknown(p);
        }
        if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            uint32_t ignored[8] = {0};
            high = set_member(p, ignored, &has_beyond);
            if (high == -2 || low == -1 || (high == -1 && !has_beyond)) {
                return unknown(p); // [\w-x] and the like
            }
            high = high < 0 ? 0x7F : high;
        }
        if (low >= 0 && high >= low) {
            set_add(set, (unsigned)low, (unsigned)high);
        }
    }
    if (p->at == p->end) {
        return unknown(p);
    }
    p->at++;
    if (p->is_caseless && is_negated) { // before the members are taken away
        for (unsigned c = 'a'; c <= 'z'; c++) {
            if (bx_set_has(set, c) || bx_set_has(set, c - 32)) {
                set_add(set, c, c);
                set_add(set, c - 32, c - 32);
            }
        }
    }
    for (size_t i = 0; is_negated && i < 4; i++) {
        set[i] = ~set[i];
    }
    if (!is_negated) {
        return character(p, set, has_beyond);
    }
    // the other case of what is left over is out of the set already
    bool was_caseless = p->is_caseless;
    p->is_caseless = false;
    struct bx_node *node = character(p, set, true);
    p->is_caseless = was_caseless;
    return node;
}

static struct bx_node *alternation(struct parser *p);

// Skip to the parenthesis that closes this group, of which nothing is kept.
static struct bx_node *skip_group(struct parser *p) {
    alternation(p);
    if (p->at < p->end) {
        p->at++;
    }
    return nothing(p);
}

static bool takes(struct parser *p, const char *text) {
    size_t n = strlen(text);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0) {
        return false;
    }
    p->at += n;
    return true;
}

static struct bx_node *group(struct parser *p) {
    if (takes(p, "*")) {
        return unknown(p); // (*VERB)
    }
    if (takes(p, "?")) {
        if (takes(p, "=") || takes(p, "!") || takes(p, "<=") || takes(p, "<!")) {
            return skip_group(p);
        }
        if (takes(p, ">")) {
            p->is_exact = false; // it may refuse to give back
        } else if (takes(p, "<") || takes(p, "P<")) {
            while (p->at < p->end && *p->at++ != '>') {
            }
        } else if (!takes(p, ":")) {
            return unknown(p); // options, conditions, recursion, comments
        }
    }
    struct bx_node *inside = alternation(p);
    if (p->at == p->end) {
        return unknown(p);
    }
    p->at++;
    return inside;
}

static struct bx_node *atom(struct parser *p) {
    unsigned char c = (unsigned char)*p->at++;
    uint32_t all[8] = {0};
    switch (c) {
    case '(':
        return group(p);
    case '[':
        return bracket(p);
    case '\\':
        return escape(p);
    case '.':
        set_add(all, 0, 0x7F);
        return character(p, all, true);
    case '^':
        return make(BX_NODE_BEGIN);
    case '$':
        return make(BX_NODE_END);
    default:
        return literal(p, c);
    }
}

// {n}, {n,}, {,m} or {n,m} at p->at; other braces are themselves.
static bool counts(struct parser *p, int *ret_min, int *ret_max) {
    const char *at = p->at + 1;
    long n[2] = {0, -1};
    bool has_comma = false, has_digit = false;
    for (; at < p->end && *at != '}'; at++) {
        if (*at == ',' && !has_comma) {
            has_comma = true;
        } else if (*at >= '0' && *at <= '9') {
            long *one = &n[has_comma];
            *one = (*one < 0 ? 0 : *one) * 10 + (*at - '0');
            *one = *one > 100000 ? 100000 : *one;
            has_digit = true;
        } else {
            return false;
        }
    }
    if (at == p->end || !has_digit) {
        return false;
    }
    p->at = at + 1;
    *ret_min = (int)n[0];
    *ret_max = has_comma ? (int)n[1] : (int)n[0];
    return true;
}

static struct bx_node *quantified(struct parser *p) {
    // a character beyond ASCII is one thing to repeat, all of its bytes
    struct bx_node *node;
    if ((unsigned char)*p->at >= 0xC0 && !p->is_caseless) {
        struct bx_node *cat = make(BX_NODE_CAT), **last = &cat->first;
        do {
            *last = literal(p, (unsigned char)*p->at++);
            last = &(*last)->next;
        } while (p->at < p->end && ((unsigned char)*p->at & 0xC0) == 0x80);
        node = cat;
    } else {
        node = atom(p);
    }
    for (int n = 0; p->at < p->end && !p->is_unknown; n++) {
        int min = 0, max = -1;
        char c = *p->at;
        if (c == '*' || c == '+' || c == '?') {
            p->at++;
            min = c == '+';
            max = c == '?' ? 1 : -1;
        } else if (c != '{' || !counts(p, &min, &max)) {
            return node;
        }
        if (n == MAX_QUANTIFIERS) {
            return unknown(p); // each is a level of the tree
        }
        if (min > MAX_REPEAT || max > MAX_REPEAT) {
            p->is_exact = false;
            min = min > MAX_REPEAT ? MAX_REPEAT : min;
            max = -1;
        }
        if (p->at < p->end && *p->at == '+') { // may refuse to give back
            p->is_exact = false;
            p->at++;
        } else if (p->at < p->end && *p->at == '?') {
            p->at++;
        }
        node = repeat(node, min, max);
    }
    return node;
}

static struct bx_node *sequence(struct parser *p) {
    struct bx_node *cat = make(BX_NODE_CAT), **last = &cat->first;
    while (p->at < p->end && *p->at != '|' && *p->at != ')') {
        *last = quantified(p);
        last = &(*last)->next;
    }
    return cat;
}

static struct bx_node *alternation(struct parser *p) {
    if (++p->depth > MAX_DEPTH) {
        return unknown(p);
    }
    struct bx_node *first = sequence(p), **last = &first->next;
    while (p->at < p->end && *p->at == '|') {
        p->at++;
        *last = sequence(p);
        last = &(*last)->next;
    }
    p->depth--;
    if (!first->next) {
        return first;
    }
    struct bx_node *alt = make(BX_NODE_ALT);
    alt->first = first;
    return alt;
}

struct bx_regex bx_regex_parse(const char *pattern, size_t len, bool is_caseless,
                               enum bx_regex_text text) {
    struct parser p = {.at = pattern,
                       .end = pattern + len,
                       .is_caseless = is_caseless,
                       .text = text,
                       .is_exact = true};
    if (takes(&p, "(?i)")) {
        p.is_caseless = true;
    }
    struct bx_node *root = alternation(&p);
    if (p.is_unknown || p.at < p.end) {
        return (struct bx_regex){0};
    }
    return (struct bx_regex){.root = root, .is_exact = p.is_exact, .is_caseless = p.is_caseless};
}
