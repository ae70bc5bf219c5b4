#include "http/reply.h"

#include "base/clock.h"

#define MAX_HEAD (16 * BX_KIB)

static const struct {
    int status;
    const char *text;
} statuses[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Stopped"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *bx_http_status_text(int status) {
    for (size_t i = 0; i < BX_ARRAY_LEN(statuses); i++) {
        if (statuses[i].status == status)
            return statuses[i].text;
    }
    return "Unknown";
}

void bx_http_reply_init(struct bx_http_reply *r, int status, size_t max_body_bytes) {
    *r = (struct bx_http_reply){.status = status};
    bx_buf_init(&r->head, MAX_HEAD);
    bx_buf_init(&r->body, max_body_bytes);
}

void bx_http_reply_deinit(struct bx_http_reply *r) {
    bx_buf_deinit(&r->head);
    bx_buf_deinit(&r->body);
}

static bool is_clean(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

void bx_http_reply_header(struct bx_http_reply *r, const char *name, struct bx_str value) {
    if (!is_clean(value) || !is_clean(bx_str(name)) || strchr(name, ':')) {
        r->head.failed = true;
        return;
    }
    bx_buf_addz(&r->head, name);
    bx_buf_addz(&r->head, ": ");
    bx_buf_adds(&r->head, value);
    bx_buf_addz(&r->head, "\r\n");
}

void bx_http_reply_headerf(struct bx_http_reply *r, const char *name, const char *fmt, ...) {
    struct bx_buf value = BX_BUF_INIT(8 * BX_KIB);
    va_list ap;
    va_start(ap, fmt);
    bx_buf_vaddf(&value, fmt, ap);
    va_end(ap);
    bx_http_reply_header(r, name, bx_buf_str(&value));
    bx_buf_deinit(&value);
}

void bx_http_reply_refuse(struct bx_http_reply *r, int status, const char *detail) {
    bx_http_reply_init(r, status, BX_KIB * 2);
    bx_http_reply_header(r, "Content-Type", BX_STR_LIT("application/problem+json"));
    bx_http_reply_header(r, "X-Content-Type-Options", BX_STR_LIT("nosniff"));
    bx_buf_addf(&r->body,
                "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\","
                "\"code\":\"http\"}",
                bx_http_status_text(status), status, detail);
}

static void add_date(struct bx_buf *out) {
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(bx_wall_ms() / 1000);
    struct tm tm;
    gmtime_r(&now, &tm);
    bx_buf_addf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday], tm.tm_mday,
                months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void bx_http_reply_write_head(const struct bx_http_reply *r, bool keep_alive, struct bx_buf *out) {
    size_t length = r->fixed.p ? r->fixed.n : r->body.size;
    bx_buf_addf(out, "HTTP/1.1 %d %s\r\n", r->status, bx_http_status_text(r->status));
    add_date(out);
    bx_buf_adds(out, bx_buf_str(&r->head));
    if (r->status >= 200 && r->status != 204 && r->status != 304)
        bx_buf_addf(out, "Content-Length: %zu\r\n", length);
    if (r->status != 101)
        bx_buf_addz(out, keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n");
    bx_buf_addz(out, "\r\n");
}
