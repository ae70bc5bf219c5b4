#include "base/base.h"

#include "base/utf8.h"

/* The arguments may point into err->msg, so the text is made beside it; a cut never splits a
 * character. */
static void set(struct bx_err *err, int code, const char *text) {
    size_t n = bx_utf8_cut(bx_str(text), sizeof err->msg - 1);
    err->code = code;
    memcpy(err->msg, text, n);
    err->msg[n] = '\0';
}

int bx_fail(struct bx_err *err, int code, const char *fmt, ...) {
    assert(code < 0);
    if (err) {
        char text[2 * sizeof err->msg];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        set(err, code, text);
    }
    return code;
}

static int code_of_errno(int errno_value) {
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
        return BX_ERR_NOTFOUND;
    case EEXIST:
    case ENOTEMPTY:
        return BX_ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return BX_ERR_DENIED;
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return BX_ERR_INVALID;
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
        return BX_ERR_LIMIT;
    case ECANCELED:
        return BX_ERR_CANCELLED;
    case ETIMEDOUT:
        return BX_ERR_TIMEOUT;
    case EBUSY:
    case EADDRINUSE:
    case ETXTBSY:
        return BX_ERR_BUSY;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENOSYS:
    case EOPNOTSUPP:
        return BX_ERR_UNAVAILABLE;
    case EAGAIN:
    case EINTR:
        return BX_ERR_RETRY;
    default:
        return BX_ERR_IO;
    }
}

int bx_fail_errno(struct bx_err *err, int errno_value, const char *fmt, ...) {
    int code = code_of_errno(errno_value);
    if (err) {
        char text[2 * sizeof err->msg], reason[128];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        const char *why = strerror_r(errno_value, reason, sizeof reason);
        /* A long text is cut so that the reason is still to be read. */
        size_t n = bx_utf8_cut(bx_str(text), sizeof err->msg - 3 - strlen(why));
        char joined[sizeof err->msg + 1];
        snprintf(joined, sizeof joined, "%.*s: %s", (int)n, text, why);
        set(err, code, joined);
    }
    return code;
}

int bx_wrap(struct bx_err *err, int code, const char *fmt, ...) {
    if (err) {
        char text[2 * sizeof err->msg];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(text, sizeof text - sizeof err->msg, fmt, ap);
        va_end(ap);
        size_t used = BX_MIN((size_t)BX_MAX(n, 0), sizeof text - sizeof err->msg - 1);
        used -= bx_utf8_incomplete_tail(bx_str_n(text, used));
        snprintf(text + used, sizeof text - used, ": %s", err->msg);
        set(err, code, text);
    }
    return code;
}

const char *bx_err_name(int code) {
    switch (code) {
    case 0:
        return "ok";
    case BX_ERR_INVALID:
        return "invalid";
    case BX_ERR_NOTFOUND:
        return "notfound";
    case BX_ERR_LIMIT:
        return "limit";
    case BX_ERR_EXISTS:
        return "exists";
    case BX_ERR_DENIED:
        return "denied";
    case BX_ERR_IO:
        return "io";
    case BX_ERR_PROTO:
        return "proto";
    case BX_ERR_CANCELLED:
        return "cancelled";
    case BX_ERR_TIMEOUT:
        return "timeout";
    case BX_ERR_BUSY:
        return "busy";
    case BX_ERR_UNAVAILABLE:
        return "unavailable";
    case BX_ERR_AUTH:
        return "auth";
    case BX_ERR_DAMAGED:
        return "damaged";
    case BX_ERR_RETRY:
        return "retry";
    default:
        return "internal";
    }
}

const char *bx_err_text(int code) {
    switch (code) {
    case 0:
        return "ok";
#define XX(name, value, status, text)                                                              \
    case value:                                                                                    \
        return text;
        BX_ERR_MAP(XX)
#undef XX
    default:
        return "internal error";
    }
}

int bx_err_http_status(int code) {
    switch (code) {
    case 0:
        return 200;
#define XX(name, value, status, text)                                                              \
    case value:                                                                                    \
        return status;
        BX_ERR_MAP(XX)
#undef XX
    default:
        return 500;
    }
}

_Noreturn void bx_die(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("boxagnts: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}
