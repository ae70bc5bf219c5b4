#include "http/request.h"

const char *bx_http_method_name(enum bx_http_method method) {
    static const char *const names[BX_HTTP_METHOD_COUNT] = {"GET",   "HEAD",   "POST",   "PUT",
                                                            "PATCH", "DELETE", "OPTIONS"};
    return names[method];
}

static bool name_is(struct bx_str name, const char *z) {
    return bx_str_ieqz(name, z);
}

struct bx_str bx_http_field(const struct bx_http_request *r, const char *name) {
    for (size_t i = 0; i < r->field_count; i++) {
        if (name_is(r->fields[i].name, name))
            return r->fields[i].value;
    }
    return (struct bx_str){NULL, 0};
}

size_t bx_http_field_count(const struct bx_http_request *r, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < r->field_count; i++)
        count += name_is(r->fields[i].name, name);
    return count;
}

bool bx_http_field_has_token(const struct bx_http_request *r, const char *name, const char *token) {
    for (size_t i = 0; i < r->field_count; i++) {
        if (!name_is(r->fields[i].name, name))
            continue;
        struct bx_str rest = r->fields[i].value, piece;
        while (bx_str_split(&rest, ',', &piece)) {
            if (bx_str_ieqz(bx_str_trim(piece), token))
                return true;
        }
    }
    return false;
}

struct bx_str bx_http_cookie(const struct bx_http_request *r, const char *name) {
    struct bx_str rest = bx_http_field(r, "cookie"), piece;
    size_t name_size = strlen(name);
    while (bx_str_split(&rest, ';', &piece)) {
        piece = bx_str_trim(piece);
        if (piece.n > name_size && piece.p[name_size] == '=' &&
            memcmp(piece.p, name, name_size) == 0)
            return bx_str_slice(piece, name_size + 1, piece.n);
    }
    return (struct bx_str){NULL, 0};
}

bool bx_http_query(const struct bx_http_request *r, const char *name, struct bx_buf *ret) {
    struct bx_str rest = r->query, pair;
    while (bx_str_split(&rest, '&', &pair)) {
        size_t equals = bx_str_find(pair, '=');
        struct bx_str key = equals == (size_t)-1 ? pair : bx_str_slice(pair, 0, equals);
        if (!bx_str_eqz(key, name))
            continue;
        struct bx_str value =
            equals == (size_t)-1 ? (struct bx_str){"", 0} : bx_str_slice(pair, equals + 1, pair.n);
        return bx_http_decode(value, true, ret) == 0;
    }
    return false;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int bx_http_decode(struct bx_str s, bool plus_is_space, struct bx_buf *out) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '%') {
            int high = s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
            int low = s.n - i > 2 ? hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return BX_ERR_INVALID;
            c = (unsigned char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0x20 || c == 0x7f)
            return BX_ERR_INVALID;
        int r = bx_buf_addc(out, (char)c);
        if (r < 0)
            return r;
    }
    return 0;
}
