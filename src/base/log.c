#include "base/log.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/file.h"

static atomic_int max_level = BX_LOG_INFO;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void bx_log_set_level(enum bx_log_level level) {
    atomic_store(&max_level, (int)level);
}

void bx_log_init(void) {
    struct bx_str wanted = bx_str(getenv("BOXAGNTS_LOG"));
    for (size_t i = 0; i < BX_ARRAY_LEN(level_names); i++) {
        if (bx_str_eqz(wanted, level_names[i])) {
            bx_log_set_level((enum bx_log_level)i);
            return;
        }
    }
    if (wanted.n > 0) {
        bx_warn("base", "BOXAGNTS_LOG is '%s'; it should be one of: error, warn, info, debug",
                wanted.p);
    }
}

void bx_log(enum bx_log_level level, const char *room, const char *fmt, ...) {
    if ((int)level > atomic_load(&max_level)) {
        return;
    }
    char stamp[25], line[2048];
    bx_time_format(bx_wall_ms(), stamp);
    size_t head =
        (size_t)snprintf(line, sizeof line, "%s %-5s %.32s: ", stamp, level_names[level], room);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line + head, sizeof line - head - 1, fmt, ap);
    va_end(ap);
    size_t end = head + BX_MIN((size_t)BX_MAX(n, 0), sizeof line - head - 2);
    /* One fact is one line: text from outside must not be able to write a second one or to steer a
     * terminal. */
    for (size_t i = head; i < end; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = ' ';
        }
    }
    line[end++] = '\n';
    int saved = errno;
    bx_write_all(STDERR_FILENO, line, end);
    errno = saved;
}
