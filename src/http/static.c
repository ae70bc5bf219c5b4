#include "http/static.h"

static bool quality_is_zero(struct bx_str params) {
    struct bx_str param;
    while (bx_str_split(&params, ';', &param)) {
        param = bx_str_trim(param);
        if (param.n < 3 || (param.p[0] != 'q' && param.p[0] != 'Q') || param.p[1] != '=')
            continue;
        for (size_t i = 2; i < param.n; i++) {
            if (param.p[i] != '0' && param.p[i] != '.')
                return false;
        }
        return true;
    }
    return false;
}

bool bx_static_takes_gzip(struct bx_str accept_encoding) {
    struct bx_str item;
    bool star = false;
    while (bx_str_split(&accept_encoding, ',', &item)) {
        struct bx_str rest = item, name;
        if (!bx_str_split(&rest, ';', &name))
            continue;
        name = bx_str_trim(name);
        bool zero = quality_is_zero(rest);
        if (bx_str_ieqz(name, "gzip") || bx_str_ieqz(name, "x-gzip"))
            return !zero;
        if (bx_str_eqz(name, "*"))
            star = !zero;
    }
    return star;
}

static const struct bx_page_file *find(const struct bx_page_file *files, size_t count,
                                       struct bx_str path) {
    if (bx_str_eqz(path, "/"))
        path = BX_STR_LIT("/index.html");
    for (size_t i = 0; i < count; i++) {
        if (bx_str_eqz(path, files[i].path))
            return &files[i];
    }
    return NULL;
}

/* Is one of the entity tags of an If-None-Match ours? Weak comparison. */
static bool tags_have(struct bx_str tags, struct bx_str tag) {
    struct bx_str item;
    while (bx_str_split(&tags, ',', &item)) {
        item = bx_str_trim(item);
        if (bx_str_starts(item, "W/"))
            item = bx_str_slice(item, 2, item.n);
        if (bx_str_eqz(item, "*") || bx_str_eq(item, tag))
            return true;
    }
    return false;
}

enum range { RANGE_NONE, RANGE_ONE, RANGE_BEYOND };

/* "bytes=a-b", "bytes=a-", "bytes=-n"; anything else is no range at all. */
static enum range read_range(struct bx_str field, size_t size, size_t *ret_from, size_t *ret_n) {
    if (!bx_str_starts(field, "bytes="))
        return RANGE_NONE;
    struct bx_str spec = bx_str_trim(bx_str_slice(field, 6, field.n));
    size_t dash = bx_str_find(spec, '-');
    if (dash == (size_t)-1)
        return RANGE_NONE;
    struct bx_str first = bx_str_slice(spec, 0, dash), last = bx_str_slice(spec, dash + 1, spec.n);
    uint64_t a = 0, b = UINT64_MAX;
    if ((first.n && !bx_str_to_u64(first, &a)) || (last.n && !bx_str_to_u64(last, &b)) ||
        (!first.n && !last.n))
        return RANGE_NONE;
    if (!first.n) { /* the last b bytes */
        if (b == 0)
            return RANGE_BEYOND;
        a = b < size ? size - b : 0;
        b = UINT64_MAX;
    }
    if (b < a)
        return RANGE_NONE;
    if (a >= size)
        return RANGE_BEYOND;
    *ret_from = (size_t)a;
    *ret_n = (size_t)(BX_MIN(b, (uint64_t)size - 1) - a + 1);
    return RANGE_ONE;
}

static void add_range(const struct bx_http_request *req, struct bx_str tag,
                      struct bx_http_reply *ret) {
    struct bx_str range = bx_http_field(req, "range"), condition = bx_http_field(req, "if-range");
    size_t size = ret->fixed.n, from, n;
    bx_http_reply_header(ret, "Accept-Ranges", BX_STR_LIT("bytes"));
    if (!range.p || (condition.p && !bx_str_eq(condition, tag)))
        return;
    switch (read_range(range, size, &from, &n)) {
    case RANGE_ONE:
        ret->status = 206;
        ret->fixed = bx_str_slice(ret->fixed, from, n);
        bx_http_reply_headerf(ret, "Content-Range", "bytes %zu-%zu/%zu", from, from + n - 1, size);
        break;
    case RANGE_BEYOND:
        ret->status = 416;
        ret->fixed = (struct bx_str){NULL, 0};
        bx_http_reply_headerf(ret, "Content-Range", "bytes */%zu", size);
        break;
    case RANGE_NONE:
        break;
    }
}

bool bx_static_reply(const struct bx_page_file *files, size_t count,
                     const struct bx_http_request *req, struct bx_http_reply *ret) {
    const struct bx_page_file *file = find(files, count, req->path);
    if (!file)
        return false;
    /* a range is of the plain form: who asks for parts wants parts of the file */
    bool gzip = file->gz && !bx_http_field_count(req, "range") &&
                bx_static_takes_gzip(bx_http_field(req, "accept-encoding"));
    bx_http_reply_init(ret, 200, 0);
    bx_http_reply_header(ret, "Content-Type", bx_str(file->mime));
    bx_http_reply_header(ret, "Cache-Control",
                         BX_STR_LIT("no-cache")); /* kept, but asked about: a new binary shows */
    if (file->gz)
        bx_http_reply_header(ret, "Vary", BX_STR_LIT("Accept-Encoding"));
    struct bx_buf tag = BX_BUF_INIT(256);
    bx_buf_addz(&tag, file->etag);
    if (gzip) {
        bx_buf_cut(&tag, tag.size - 1);
        bx_buf_addz(&tag, "-gz\"");
    }
    bx_http_reply_header(ret, "ETag", bx_buf_str(&tag));
    ret->fixed =
        (struct bx_str){(const char *)(gzip ? file->gz : file->p), gzip ? file->gz_n : file->n};
    if (gzip)
        bx_http_reply_header(ret, "Content-Encoding", BX_STR_LIT("gzip"));
    if (tags_have(bx_http_field(req, "if-none-match"), bx_buf_str(&tag))) {
        ret->status = 304;
        ret->fixed = (struct bx_str){NULL, 0};
    } else {
        add_range(req, bx_buf_str(&tag), ret);
    }
    bx_buf_deinit(&tag);
    return true;
}
