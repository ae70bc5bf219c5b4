#include "json/write.h"

#include <math.h>
#include <yyjson.h>

#include "base/utf8.h"

static bool bit(const uint64_t *bits, unsigned at) {
    return bits[at / 64] >> (at % 64) & 1;
}

static void set_bit(uint64_t *bits, unsigned at, bool on) {
    uint64_t mask = (uint64_t)1 << (at % 64);
    bits[at / 64] = on ? bits[at / 64] | mask : bits[at / 64] & ~mask;
}

void bx_jw_init(struct bx_jw *w, struct bx_buf *out) {
    *w = (struct bx_jw){.out = out};
}

/* Before a value: a comma where one is due, and the rule that a member needs its key. */
static void value(struct bx_jw *w) {
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0) {
        return;
    }
    assert(!bit(w->is_obj, w->depth - 1));
    if (bit(w->has_item, w->depth - 1)) {
        bx_buf_addc(w->out, ',');
    }
    set_bit(w->has_item, w->depth - 1, true);
}

static void begin(struct bx_jw *w, bool is_obj) {
    value(w);
    assert(w->depth < 256);
    set_bit(w->is_obj, w->depth, is_obj);
    set_bit(w->has_item, w->depth, false);
    w->depth++;
    bx_buf_addc(w->out, is_obj ? '{' : '[');
}

void bx_jw_obj(struct bx_jw *w) {
    begin(w, true);
}

void bx_jw_arr(struct bx_jw *w) {
    begin(w, false);
}

void bx_jw_end(struct bx_jw *w) {
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    bx_buf_addc(w->out, bit(w->is_obj, w->depth) ? '}' : ']');
}

void bx_jw_keys(struct bx_jw *w, struct bx_str key) {
    assert(w->depth > 0 && bit(w->is_obj, w->depth - 1) && !w->after_key);
    if (bit(w->has_item, w->depth - 1)) {
        bx_buf_addc(w->out, ',');
    }
    set_bit(w->has_item, w->depth - 1, true);
    bx_json_quote(w->out, key);
    bx_buf_addc(w->out, ':');
    w->after_key = true;
}

void bx_jw_key(struct bx_jw *w, const char *key) {
    bx_jw_keys(w, bx_str(key));
}

static int add_escape(struct bx_buf *out, unsigned char c) {
    switch (c) {
    case '"':
        return bx_buf_add(out, "\\\"", 2);
    case '\\':
        return bx_buf_add(out, "\\\\", 2);
    case '\n':
        return bx_buf_add(out, "\\n", 2);
    case '\r':
        return bx_buf_add(out, "\\r", 2);
    case '\t':
        return bx_buf_add(out, "\\t", 2);
    default:
        return bx_buf_addf(out, "\\u%04x", c);
    }
}

static bool needs_escape(unsigned char c) {
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* How many bytes from the start need no escape; sixteen at a time, for histories are long. */
static size_t plain_length(struct bx_str s) {
    typedef unsigned char sixteen __attribute__((vector_size(16)));
    size_t at = 0;
    for (; s.n - at >= sizeof(sixteen); at += sizeof(sixteen)) {
        sixteen c;
        uint64_t found[2];
        memcpy(&c, s.p + at, sizeof c);
        c = (sixteen)(c < 0x20) | (sixteen)(c == '"') | (sixteen)(c == '\\') | (sixteen)(c == 0x7f);
        memcpy(found, &c, sizeof found);
        if (found[0] | found[1]) {
            break;
        }
    }
    while (at < s.n && !needs_escape((unsigned char)s.p[at])) {
        at++;
    }
    return at;
}

/* Adds text that is valid UTF-8, escaped. Runs without anything to escape are copied whole. */
static int add_escaped(struct bx_buf *out, struct bx_str s) {
    int r = 0;
    while (s.n && r == 0) {
        size_t plain = plain_length(s);
        r = plain ? bx_buf_add(out, s.p, plain) : 0;
        if (r == 0 && plain < s.n) {
            r = add_escape(out, (unsigned char)s.p[plain++]);
        }
        s = bx_str_slice(s, plain, s.n);
    }
    return r;
}

int bx_json_quote(struct bx_buf *out, struct bx_str s) {
    int r = bx_buf_addc(out, '"');
    while (r == 0 && s.n) {
        size_t good = bx_utf8_valid_prefix(s);
        r = add_escaped(out, bx_str_slice(s, 0, good));
        s = bx_str_slice(s, good, s.n);
        if (r == 0 && s.n) {
            r = bx_buf_add(out, "\xef\xbf\xbd", 3);
            s = bx_str_slice(s, 1, s.n);
        }
    }
    return r < 0 ? r : bx_buf_addc(out, '"');
}

void bx_jw_str(struct bx_jw *w, struct bx_str s) {
    value(w);
    bx_json_quote(w->out, s);
}

void bx_jw_z(struct bx_jw *w, const char *z) {
    if (z) {
        bx_jw_str(w, bx_str(z));
    } else {
        bx_jw_null(w);
    }
}

void bx_jw_int(struct bx_jw *w, int64_t n) {
    value(w);
    bx_buf_addf(w->out, "%" PRId64, n);
}

void bx_jw_uint(struct bx_jw *w, uint64_t n) {
    value(w);
    bx_buf_addf(w->out, "%" PRIu64, n);
}

void bx_jw_real(struct bx_jw *w, double n) {
    if (!isfinite(n)) {
        bx_jw_null(w);
        return;
    }
    value(w);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) { /* the shortest that reads back the same */
        snprintf(text, sizeof text, "%.*g", digits, n);
        if (strtod(text, NULL) == n) {
            break;
        }
    }
    bx_buf_addz(w->out, text);
}

void bx_jw_bool(struct bx_jw *w, bool b) {
    value(w);
    bx_buf_addz(w->out, b ? "true" : "false");
}

void bx_jw_null(struct bx_jw *w) {
    value(w);
    bx_buf_addz(w->out, "null");
}

void bx_jw_raw(struct bx_jw *w, struct bx_str json) {
    value(w);
    bx_buf_adds(w->out, json);
}

/* bx_val_int clamps; what is written must be what was read, up to UINT64_MAX. */
static void int_value(struct bx_jw *w, const struct bx_val *v) {
    yyjson_val *number = (yyjson_val *)(uintptr_t)v;
    if (yyjson_is_uint(number)) {
        bx_jw_uint(w, yyjson_get_uint(number));
    } else {
        bx_jw_int(w, yyjson_get_sint(number));
    }
}

void bx_jw_val(struct bx_jw *w, const struct bx_val *v) {
    switch (bx_val_type(v)) {
    case BX_VAL_ABSENT:
    case BX_VAL_NULL:
        bx_jw_null(w);
        break;
    case BX_VAL_BOOL:
        bx_jw_bool(w, bx_val_bool(v, false));
        break;
    case BX_VAL_INT:
        int_value(w, v);
        break;
    case BX_VAL_REAL:
        bx_jw_real(w, bx_val_real(v, 0));
        break;
    case BX_VAL_STR:
        bx_jw_str(w, bx_val_str(v));
        break;
    case BX_VAL_ARR:
        bx_jw_arr(w);
        bx_val_foreach_item (v, item) {
            bx_jw_val(w, item);
        }
        bx_jw_end(w);
        break;
    case BX_VAL_OBJ:
        bx_jw_obj(w);
        bx_val_foreach_member (v, key, member) {
            bx_jw_keys(w, key);
            bx_jw_val(w, member);
        }
        bx_jw_end(w);
        break;
    }
}

void bx_jw_kstr(struct bx_jw *w, const char *key, const char *z) {
    bx_jw_key(w, key);
    bx_jw_z(w, z);
}

void bx_jw_kstrn(struct bx_jw *w, const char *key, struct bx_str s) {
    bx_jw_key(w, key);
    bx_jw_str(w, s);
}

void bx_jw_kint(struct bx_jw *w, const char *key, int64_t n) {
    bx_jw_key(w, key);
    bx_jw_int(w, n);
}

void bx_jw_kuint(struct bx_jw *w, const char *key, uint64_t n) {
    bx_jw_key(w, key);
    bx_jw_uint(w, n);
}

void bx_jw_kreal(struct bx_jw *w, const char *key, double n) {
    bx_jw_key(w, key);
    bx_jw_real(w, n);
}

void bx_jw_kreal_if(struct bx_jw *w, const char *key, double n, bool known) {
    bx_jw_key(w, key);
    if (known)
        bx_jw_real(w, n);
    else
        bx_jw_null(w);
}

void bx_jw_kbool(struct bx_jw *w, const char *key, bool b) {
    bx_jw_key(w, key);
    bx_jw_bool(w, b);
}

void bx_jw_kval(struct bx_jw *w, const char *key, const struct bx_val *v) {
    bx_jw_key(w, key);
    bx_jw_val(w, v);
}

void bx_jw_kraw(struct bx_jw *w, const char *key, struct bx_str json) {
    bx_jw_key(w, key);
    bx_jw_raw(w, json);
}

void bx_jw_kobj(struct bx_jw *w, const char *key) {
    bx_jw_key(w, key);
    bx_jw_obj(w);
}

void bx_jw_karr(struct bx_jw *w, const char *key) {
    bx_jw_key(w, key);
    bx_jw_arr(w);
}

static void indent(struct bx_buf *out, unsigned depth) {
    bx_buf_addf(out, "\n%*s", (int)(depth * 2), "");
}

static void pretty(struct bx_buf *out, const struct bx_val *v, unsigned depth) {
    bool is_obj = bx_val_is(v, BX_VAL_OBJ);
    if (bx_val_len(v) == 0) {
        struct bx_jw w;
        bx_jw_init(&w, out);
        bx_jw_val(&w, v);
        return;
    }
    bool first = true;
    bx_buf_addc(out, is_obj ? '{' : '[');
    bx_val_foreach_item (v, item) {
        bx_buf_addz(out, first ? "" : ",");
        first = false;
        indent(out, depth + 1);
        pretty(out, item, depth + 1);
    }
    bx_val_foreach_member (v, key, member) {
        bx_buf_addz(out, first ? "" : ",");
        first = false;
        indent(out, depth + 1);
        bx_json_quote(out, key);
        bx_buf_addz(out, ": ");
        pretty(out, member, depth + 1);
    }
    indent(out, depth);
    bx_buf_addc(out, is_obj ? '}' : ']');
}

int bx_json_pretty(struct bx_buf *out, const struct bx_val *v) {
    pretty(out, v, 0);
    return bx_buf_failed(out) ? BX_ERR_LIMIT : 0;
}
