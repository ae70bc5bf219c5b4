#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

static enum bx_log_level threshold = BX_LOG_INFO; /* set before threads start */
static const char *const names[] = {"error", "warn", "info", "debug"};

void bx_log_set_level(enum bx_log_level level) {
    threshold = level;
}

void bx_log_init(void) {
    const char *wanted = getenv("BOXAGNTS_LOG");
    for (unsigned i = 0; wanted && i < BX_ARRAY_LEN(names); i++) {
        if (strcmp(wanted, names[i]) == 0) {
            threshold = (enum bx_log_level)i;
        }
    }
}

void bx_log(enum bx_log_level level, const char *room, const char *fmt, ...) {
    if (level > threshold) {
        return;
    }
    char line[2048], when[25];
    bx_time_format(bx_wall_ms(), when);
    int n = snprintf(line, sizeof line, "%s %s %s: ", when, names[level], room);
    size_t used = BX_MIN((size_t)n, sizeof line - 2);
    va_list ap;
    va_start(ap, fmt);
    n = vsnprintf(line + used, sizeof line - used - 1, fmt, ap);
    va_end(ap);
    used = BX_MIN(used + (size_t)BX_MAX(n, 0), sizeof line - 2);
    for (size_t i = 0; i < used; i++) { /* one line a fact, and nothing that steers a terminal */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = ' ';
        }
    }
    line[used++] = '\n';
    (void)bx_write_all(STDERR_FILENO, line, used);
}
