#include "http/router.h"

static bool pattern_fits(struct bx_str pattern, struct bx_str path, struct bx_http_match *match) {
    struct bx_str want, got;
    match->param_count = 0;
    for (;;) {
        bool more_want = bx_str_split(&pattern, '/', &want);
        bool more_got = bx_str_split(&path, '/', &got);
        if (!more_want || !more_got)
            return more_want == more_got;
        if (bx_str_eqz(want, "*")) {
            if (got.n == 0)
                return false;
            assert(match->param_count < BX_HTTP_MAX_PARAMS);
            match->params[match->param_count++] = got;
        } else if (!bx_str_eq(want, got)) {
            return false;
        }
    }
}

bool bx_http_route_find(const struct bx_http_route *routes, size_t count,
                        enum bx_http_method method, struct bx_str path, struct bx_http_match *ret) {
    struct bx_http_match found = {0};
    unsigned methods = 0;
    enum bx_http_method wanted = method == BX_HTTP_HEAD ? BX_HTTP_GET : method;
    for (size_t i = 0; i < count; i++) {
        struct bx_http_match match = {.route = &routes[i]};
        if (!pattern_fits(bx_str(routes[i].pattern), path, &match))
            continue;
        methods |= 1u << routes[i].method;
        if (routes[i].method == BX_HTTP_GET)
            methods |= 1u << BX_HTTP_HEAD;
        if (!found.route && routes[i].method == wanted)
            found = match;
    }
    *ret = found;
    ret->methods = methods ? methods | 1u << BX_HTTP_OPTIONS : 0;
    return found.route != NULL;
}

void bx_http_allow(unsigned methods, struct bx_buf *out) {
    for (unsigned m = 0; m < BX_HTTP_METHOD_COUNT; m++) {
        if (methods & 1u << m)
            bx_buf_addf(out, "%s%s", out->size ? ", " : "",
                        bx_http_method_name((enum bx_http_method)m));
    }
}
