/* base/err.h: how a function says that it failed.
 *
 * Functions return 0 or a negative BX_ERR_* code and take a `struct bx_err *err` last, which may be NULL. The code is
 * for the program, the message for the person: one sentence, no trailing period needed, that says what to do when
 * something can be done. It is filled where the fact is known (bx_fail); a caller adds only what it alone knows
 * (bx_wrap). Rooms below the edge never log an error that they return. No allocation on this path. */
#ifndef BX_BASE_ERR_H
#define BX_BASE_ERR_H

/* name, code, HTTP status, text */
#define BX_ERR_MAP(XX)                                                                                                 \
    XX(INVALID, -1, 400, "invalid argument")                                                                           \
    XX(NOTFOUND, -2, 404, "not found")                                                                                 \
    XX(LIMIT, -3, 413, "limit exceeded")                                                                               \
    XX(EXISTS, -4, 409, "already exists")                                                                              \
    XX(DENIED, -5, 403, "not permitted")                                                                               \
    XX(IO, -6, 500, "input or output failed")                                                                          \
    XX(PROTO, -7, 502, "protocol error")                                                                               \
    XX(CANCELLED, -8, 499, "stopped")                                                                                  \
    XX(TIMEOUT, -9, 504, "took too long")                                                                              \
    XX(BUSY, -10, 409, "busy")                                                                                         \
    XX(UNAVAILABLE, -11, 503, "not available")                                                                         \
    XX(AUTH, -12, 401, "not authorised")                                                                               \
    XX(DAMAGED, -13, 500, "data is damaged")                                                                           \
    XX(RETRY, -14, 503, "failed, may succeed when tried again")                                                        \
    XX(INTERNAL, -15, 500, "internal error")

enum bx_err_code {
#define XX(name, code, status, text) BX_ERR_##name = (code),
    BX_ERR_MAP(XX)
#undef XX
};

struct bx_err {
    int code;
    char msg[480];
};

/* Fills err (unless NULL) and returns code. */
int bx_fail(struct bx_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same with ": strerror(errno_value)" behind; picks the code from errno_value. */
int bx_fail_errno(struct bx_err *err, int errno_value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "fmt: " before the message that is there. Returns code. */
int bx_wrap(struct bx_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

const char *bx_err_name(int code);   /* "invalid", "notfound" …; "ok" for 0 */
const char *bx_err_text(int code);   /* "invalid argument" … */
int bx_err_http_status(int code);    /* 200 for 0, 500 for an unknown code */

/* Wrong use by our own code and exhausted memory: prints and aborts. */
_Noreturn void bx_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
