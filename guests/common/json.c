#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

enum { MAX_DEPTH = 64 };

struct parser {
    char *text;
    char *at;
    char *end;
    const char *why;
};

static bool value(struct parser *p, int depth, struct bx_json *out);

static bool fail(struct parser *p, const char *why) {
    if (!p->why) {
        p->why = why;
    }
    return false;
}

static void skip_space(struct parser *p) {
    while (p->at < p->end &&
           (*p->at == ' ' || *p->at == '\n' || *p->at == '\r' || *p->at == '\t')) {
        p->at++;
    }
}

static bool hex4(struct parser *p, unsigned *ret) {
    unsigned number = 0;
    if (p->end - p->at < 4) {
        return fail(p, "a \\u escape is cut short");
    }
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)*p->at++;
        unsigned digit = c >= '0' && c <= '9' ? c - 48U : (c | 32U) - 'a' + 10U;
        if (digit > 15) {
            return fail(p, "a \\u escape has a character that is not a hexadecimal digit");
        }
        number = number * 16 + digit;
    }
    *ret = number;
    return true;
}

// After "\u": writes the character; halves of a pair that stand alone become U+FFFD.
static bool unicode_escape(struct parser *p, char **out) {
    unsigned c = 0;
    if (!hex4(p, &c)) {
        return false;
    }
    if (c >= 0xD800 && c < 0xDC00 && p->end - p->at >= 6 && p->at[0] == '\\' && p->at[1] == 'u') {
        char *before = p->at;
        unsigned low = 0;
        p->at += 2;
        if (!hex4(p, &low)) {
            return false;
        }
        if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        } else {
            p->at = before;
        }
    }
    *out += bx_utf8_encode(*out, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c);
    return true;
}

static bool escape(struct parser *p, char **out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (p->at == p->end) {
        return fail(p, "a string is not closed");
    }
    char c = *p->at++;
    if (c == 'u') {
        return unicode_escape(p, out);
    }
    const char *which = c ? strchr(from, c) : NULL;
    if (!which) {
        return fail(p, "a string has an unknown escape");
    }
    *(*out)++ = to[which - from];
    return true;
}

// At the opening quote. The closing quote, or what stood before it, makes room for the NUL.
static bool string(struct parser *p, const char **ret_text, size_t *ret_len) {
    char *start = ++p->at, *out = start;
    for (;;) {
        if (p->at == p->end) {
            return fail(p, "a string is not closed");
        }
        char c = *p->at++;
        if (c == '"') {
            break;
        }
        if ((unsigned char)c < 0x20) {
            return fail(p, "a string has a control character that is not escaped");
        }
        if (c != '\\') {
            *out++ = c;
        } else if (!escape(p, &out)) {
            return false;
        }
    }
    *out = '\0';
    *ret_text = start;
    *ret_len = (size_t)(out - start);
    return bx_utf8_valid(start, *ret_len) || fail(p, "a string is not UTF-8");
}

static bool digits(struct parser *p) {
    char *start = p->at;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9') {
        p->at++;
    }
    return p->at > start || fail(p, "a number has no digits where some must be");
}

static bool number(struct parser *p, struct bx_json *out) {
    char *start = p->at;
    if (*p->at == '-') {
        p->at++;
    }
    bool zero = p->at < p->end && *p->at == '0';
    char *first = p->at;
    if (!digits(p)) {
        return false;
    }
    if (zero && p->at - first > 1) {
        return fail(p, "a number starts with 0");
    }
    if (p->at < p->end && *p->at == '.') {
        p->at++;
        if (!digits(p)) {
            return false;
        }
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-')) {
            p->at++;
        }
        if (!digits(p)) {
            return false;
        }
    }
    out->type = BX_JSON_NUMBER;
    out->len = (size_t)(p->at - start);
    out->text = bx_strndup(start, out->len);
    return true;
}

static bool word(struct parser *p, const char *text, enum bx_json_type type, struct bx_json *out) {
    size_t len = strlen(text);
    if ((size_t)(p->end - p->at) < len || memcmp(p->at, text, len) != 0) {
        return fail(p, "unexpected character");
    }
    p->at += len;
    out->type = type;
    return true;
}

static bool member_key(struct parser *p, struct bx_json *child) {
    if (p->at == p->end || *p->at != '"') {
        return fail(p, "a member name in quotes is missing");
    }
    if (!string(p, &child->key, &child->key_len)) {
        return false;
    }
    skip_space(p);
    if (p->at == p->end || *p->at != ':') {
        return fail(p, "a colon is missing after a member name");
    }
    p->at++;
    return true;
}

static bool children(struct parser *p, int depth, struct bx_json *out) {
    char close = *p->at++ == '{' ? '}' : ']';
    struct bx_json **link = &out->first;
    out->type = close == '}' ? BX_JSON_OBJECT : BX_JSON_ARRAY;
    skip_space(p);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        return true;
    }
    for (;;) {
        struct bx_json *child = bx_alloc(sizeof *child);
        *child = (struct bx_json){0};
        *link = child;
        link = &child->next;
        skip_space(p);
        if ((close == '}' && !member_key(p, child)) || !value(p, depth + 1, child)) {
            return false;
        }
        skip_space(p);
        if (p->at == p->end || (*p->at != ',' && *p->at != close)) {
            return fail(p, "a comma or a closing bracket is missing");
        }
        if (*p->at++ == close) {
            return true;
        }
    }
}

static bool value(struct parser *p, int depth, struct bx_json *out) {
    skip_space(p);
    if (p->at == p->end) {
        return fail(p, "the text ends too early");
    }
    switch (*p->at) {
    case '{':
    case '[':
        return depth < MAX_DEPTH ? children(p, depth, out) : fail(p, "it is nested too deep");
    case '"':
        out->type = BX_JSON_STRING;
        return string(p, &out->text, &out->len);
    case 't':
        return word(p, "true", BX_JSON_TRUE, out);
    case 'f':
        return word(p, "false", BX_JSON_FALSE, out);
    case 'n':
        return word(p, "null", BX_JSON_NULL, out);
    default:
        if (*p->at == '-' || (*p->at >= '0' && *p->at <= '9')) {
            return number(p, out);
        }
        return fail(p, "unexpected character");
    }
}

struct bx_json *bx_json_parse(char *text, size_t len, const char **ret_why, size_t *ret_at) {
    struct parser p = {.text = text, .at = text, .end = text + len};
    struct bx_json *top = bx_alloc(sizeof *top);
    *top = (struct bx_json){0};
    if (value(&p, 0, top)) {
        skip_space(&p);
        if (p.at == p.end) {
            return top;
        }
        fail(&p, "there is more text after the value");
    }
    *ret_why = p.why;
    *ret_at = (size_t)(p.at - p.text);
    return NULL;
}

const struct bx_json *bx_json_get(const struct bx_json *object, const char *key) {
    const struct bx_json *found = NULL;
    if (object && object->type == BX_JSON_OBJECT) {
        for (const struct bx_json *child = object->first; child; child = child->next) {
            if (child->key_len == strlen(key) && memcmp(child->key, key, child->key_len) == 0) {
                found = child;
            }
        }
    }
    return found;
}

bool bx_json_int(const struct bx_json *value_in, long long *ret) {
    if (value_in->type != BX_JSON_NUMBER && value_in->type != BX_JSON_STRING) {
        return false;
    }
    const char *at = value_in->text;
    bool negative = *at == '-';
    long long number_out = 0;
    at += negative;
    if (*at < '0' || *at > '9') {
        return false;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        number_out = number_out * 10 + (*at - '0');
        if (number_out > (1LL << 53)) {
            return false;
        }
    }
    if (*at == '.') { // models write 10.0
        at++;
        at += strspn(at, "0");
    }
    if (at != value_in->text + value_in->len) {
        return false;
    }
    *ret = negative ? -number_out : number_out;
    return true;
}

static bool needs_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x7F;
}

// How many bytes need no escape; sixteen at a time.
static size_t plain_length(const char *text, size_t len) {
    typedef signed char sixteen __attribute__((vector_size(16)));
    size_t at = 0;
    for (; len - at >= sizeof(sixteen); at += sizeof(sixteen)) {
        sixteen c;
        uint64_t found[2];
        memcpy(&c, text + at, sizeof c);
        c = (sixteen)(c < 0x20) | (sixteen)(c == 0x7F) | (sixteen)(c == '"') |
            (sixteen)(c == '\\'); // above 0x7F: < 0
        memcpy(found, &c, sizeof found);
        if (found[0] | found[1]) {
            break;
        }
    }
    while (at < len && !needs_escape((unsigned char)text[at])) {
        at++;
    }
    return at;
}

static size_t put_special(struct bx_buf *out, const char *text, size_t len) {
    unsigned char c = (unsigned char)text[0];
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *which = c ? strchr(from, c) : NULL;
    if (which) {
        bx_buf_add_char(out, '\\');
        bx_buf_add_char(out, to[which - from]);
        return 1;
    }
    if (c < 0x20 || c == 0x7F) {
        bx_buf_add_fmt(out, "\\u%04x", c);
        return 1;
    }
    size_t n = bx_utf8_length(text, len);
    if (n) {
        bx_buf_add(out, text, n);
        return n;
    }
    bx_buf_add_str(out, "\xEF\xBF\xBD");
    return 1;
}

void bx_json_put_string(struct bx_buf *out, const char *text, size_t len) {
    size_t at = 0;
    bx_buf_reserve(out, len + 2);
    bx_buf_add_char(out, '"');
    while (at < len) {
        size_t plain = plain_length(text + at, len - at);
        bx_buf_add(out, text + at, plain);
        at += plain;
        if (at < len) {
            at += put_special(out, text + at, len - at);
        }
    }
    bx_buf_add_char(out, '"');
}
