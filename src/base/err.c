#include "base/base.h"

static void set(struct bx_err *err, int code, const char *text) {
    err->code = code;
    size_t n = strlen(text);
    if (n >= sizeof err->msg) { /* cut between characters */
        n = sizeof err->msg - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    memcpy(err->msg, text, n);
    err->msg[n] = '\0';
}

int bx_fail(struct bx_err *err, int code, const char *fmt, ...) {
    assert(code < 0);
    if (err) {
        char text[1024];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        set(err, code, text);
    }
    return code;
}

static int code_of_errno(int e) {
    switch (e) {
    case ENOENT:
    case ENOTDIR:
        return BX_ERR_NOTFOUND;
    case EEXIST:
        return BX_ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return BX_ERR_DENIED;
    case EINVAL:
    case ENAMETOOLONG:
        return BX_ERR_INVALID;
    case ENOSYS:
    case EOPNOTSUPP:
        return BX_ERR_UNAVAILABLE;
    case ETIMEDOUT:
        return BX_ERR_TIMEOUT;
    default:
        return BX_ERR_IO;
    }
}

int bx_fail_errno(struct bx_err *err, int errno_value, const char *fmt, ...) {
    int code = code_of_errno(errno_value);
    if (err) {
        char text[1024], reason[128];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text - sizeof reason - 2, fmt, ap);
        va_end(ap);
        const char *words = strerror_r(errno_value, reason, sizeof reason); /* the GNU form */
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, ": %s", words);
        set(err, code, text);
    }
    return code;
}

int bx_wrap(struct bx_err *err, int code, const char *fmt, ...) {
    if (err) {
        char text[2048];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof text / 2, fmt, ap);
        va_end(ap);
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, ": %s", err->msg);
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

void bx_die(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    fputs("boxagnts: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    abort();
}
