// Commands that the rules of this call deny (BX_BARS, common/process.h). A program is stopped by
// the host when it is about to start. What the shell does itself is no start: it hands such a
// command to the host as if it were one, and the host says no. A courtesy of this shell and no
// wall: the wall are the folders of the call.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

static struct {
    char **p;
    size_t n;
} bars;

static int hex(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void sh_bars_init(const char *list) {
    for (const char *at = list; at && *at; at += *at == ' ') {
        struct bx_buf pattern = {0};
        for (; *at && *at != ' '; at++) {
            bool is_escape = *at == '%' && hex(at[1]) >= 0 && hex(at[2]) >= 0;
            bx_buf_add_char(&pattern, is_escape ? (char)(hex(at[1]) * 16 + hex(at[2])) : *at);
            at += is_escape ? 2 : 0;
        }
        bars.p = bx_realloc(bars.p, (bars.n + 1) * sizeof *bars.p);
        bars.p[bars.n++] = bx_strndup(pattern.data ? pattern.data : "", pattern.len);
        bx_buf_deinit(&pattern);
    }
}

// `*` is anything, as in the rules (base/glob.h)
static bool fits(const char *pattern, const char *text) {
    const char *star = NULL, *again = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (!*text && !*pattern) {
            return true;
        } else if (*text && *pattern == *text) {
            pattern++;
            text++;
        } else if (star && *again) {
            pattern = star;
            text = ++again;
        } else {
            return false;
        }
    }
}

bool sh_is_barred(char **argv, size_t argc) {
    struct bx_buf text = {0};
    bool found = false;
    if (!bars.n) {
        return false;
    }
    for (size_t i = 0; i < argc; i++) {
        bx_buf_add_str(&text, i ? " " : "");
        bx_buf_add_str(&text, argv[i]);
    }
    for (size_t i = 0; i < bars.n && !found; i++) {
        found = fits(bars.p[i], text.data ? text.data : "");
    }
    bx_buf_deinit(&text);
    return found;
}
