#include "cli/show.h"

#include <poll.h>

#include "base/file.h"
#include "base/map.h"

static const char *paint(const struct bx_show *s, const char *code) {
    return s->colour ? code : "";
}
#define DIM   "\033[2m"
#define RED   "\033[31m"
#define AMBER "\033[33m"
#define PLAIN "\033[0m"

void bx_show_init(struct bx_show *s) {
    const char *no_colour = getenv("NO_COLOR");
    *s = (struct bx_show){.colour = isatty(STDERR_FILENO) && !(no_colour && no_colour[0]),
                          .calls = bx_map_new(bx_free)};
}

void bx_show_deinit(struct bx_show *s) {
    bx_map_free(s->calls);
}

/* Text from outside: control characters but newline and tab go. */
static void add_safe(struct bx_buf *out, struct bx_str text, bool one_line) {
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool c1 = c == 0xc2 && i + 1 < text.n &&
                  (unsigned char)text.p[i + 1] < 0xa0; /* U+0080 to U+009F */
        if (c1) {
            i++;
        } else if (c >= 0x20 && c != 0x7f) {
            bx_buf_addc(out, (char)c);
        } else if ((c == '\n' || c == '\t') && !one_line) {
            bx_buf_addc(out, (char)c);
        } else if (one_line) {
            bx_buf_addc(out, ' ');
        }
    }
}

static void to_stdout(struct bx_show *s, struct bx_str text) {
    struct bx_buf out = BX_BUF_INIT(text.n + 1);
    add_safe(&out, text, false);
    if (out.size) {
        (void)bx_write_all(STDOUT_FILENO, out.p, out.size);
        s->line_open = out.p[out.size - 1] != '\n';
    }
    bx_buf_deinit(&out);
}

static void end_line(struct bx_show *s) {
    if (s->line_open) {
        (void)bx_write_all(STDOUT_FILENO, "\n", 1);
        s->line_open = false;
    }
}

static void note(struct bx_show *s, const char *colour, const char *fmt, ...) BX_PRINTF(3, 4);
static void note(struct bx_show *s, const char *colour, const char *fmt, ...) {
    end_line(s);
    struct bx_buf raw = BX_BUF_INIT(64 * BX_KIB), line = BX_BUF_INIT(64 * BX_KIB + 64);
    va_list ap;
    va_start(ap, fmt);
    bx_buf_vaddf(&raw, fmt, ap);
    va_end(ap);
    bx_buf_addz(&line, paint(s, colour));
    add_safe(&line, bx_buf_str(&raw), false);
    bx_buf_addz(&line, paint(s, PLAIN));
    bx_buf_addc(&line, '\n');
    (void)bx_write_all(STDERR_FILENO, line.p, line.size);
    bx_buf_deinit(&raw);
    bx_buf_deinit(&line);
}

/* The one argument that says what a call is about. */
static struct bx_str main_argument(const struct bx_val *input) {
    static const char *const names[] = {"file_path", "path", "pattern", "command", "url", "query"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        struct bx_str s = bx_val_get_str(input, names[i]);
        if (s.n) {
            return bx_str_slice(s, 0, 120);
        }
    }
    return (struct bx_str){"", 0};
}

static void show_assistant(struct bx_show *s, const struct bx_val *event) {
    if (!s->streamed) {
        to_stdout(s, bx_val_get_str(event, "text"));
    }
    s->streamed = false;
    if (bx_val_get_str(event, "text").n) {
        end_line(s);
    }
    bx_val_foreach_item (bx_val_get(event, "calls"), call) {
        struct bx_str id = bx_val_get_str(call, "id"),
                      argument = main_argument(bx_val_get(call, "input"));
        if (id.n) {
            bx_map_put(s->calls, id,
                       bx_asprintf(BX_STR_FMT "%s" BX_STR_FMT,
                                   BX_STR_ARG(bx_val_get_str(call, "tool")), argument.n ? " " : "",
                                   BX_STR_ARG(argument)));
        }
    }
}

static struct bx_str first_text(const struct bx_val *content) {
    if (bx_val_is(content, BX_VAL_ARR)) {
        bx_val_foreach_item (content, block) {
            if (bx_val_get(block, "text")) {
                return bx_val_get_str(block, "text");
            }
        }
    }
    return bx_val_str(content);
}

static void show_result(struct bx_show *s, const struct bx_val *event) {
    const char *what = bx_map_get(s->calls, bx_val_get_str(event, "call"));
    const char *limit = bx_val_get_z(event, "limit");
    bool bad = bx_val_get_bool(event, "is_error", false);
    double ms = bx_val_real(bx_val_get(event, "ms"), 0);
    note(s,
         limit ? AMBER
         : bad ? RED
               : DIM,
         "● %s … %s%s%.0f ms", what ? what : "call",
         limit ? limit
         : bad ? "failed"
               : "",
         limit ? " limit, "
         : bad ? ", "
               : "",
         ms);
    if (bad) {
        struct bx_str text = first_text(bx_val_get(event, "content"));
        size_t line = bx_str_find(text, '\n');
        note(s, DIM, "  " BX_STR_FMT, BX_STR_ARG(bx_str_slice(text, 0, BX_MIN(line, (size_t)300))));
    }
}

void bx_show_event(struct bx_show *s, const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    if (bx_str_eqz(type, "delta")) {
        struct bx_str text = bx_val_get_str(event, "text");
        if (text.n) {
            to_stdout(s, text);
            s->streamed = true;
        }
    } else if (bx_str_eqz(type, "delta_reset")) {
        end_line(s);
        s->streamed = false;
    } else if (bx_str_eqz(type, "assistant")) {
        show_assistant(s, event);
    } else if (bx_str_eqz(type, "tool_result")) {
        show_result(s, event);
    } else if (bx_str_eqz(type, "permission") &&
               bx_str_eqz(bx_val_get_str(event, "decision"), "deny")) {
        note(s, AMBER, "✕ " BX_STR_FMT ": " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "tool")),
             BX_STR_ARG(bx_val_get_str(event, "reason")));
    } else if (bx_str_eqz(type, "retry")) {
        note(s, AMBER, "… " BX_STR_FMT ", trying again in %.1f s",
             BX_STR_ARG(bx_val_get_str(event, "reason")),
             bx_val_real(bx_val_get(event, "wait_ms"), 0) / 1000);
    } else if (bx_str_eqz(type, "error")) {
        struct bx_str hint = bx_val_get_str(event, "hint");
        note(s, RED, "boxagnts: " BX_STR_FMT "%s" BX_STR_FMT,
             BX_STR_ARG(bx_val_get_str(event, "text")), hint.n ? " · " : "", BX_STR_ARG(hint));
    } else if (bx_str_eqz(type, "limit")) {
        note(s, AMBER, "boxagnts: " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    } else if (bx_str_eqz(type, "state") && bx_val_get_str(event, "text").n && s->colour) {
        note(s, DIM, BX_STR_FMT "…", BX_STR_ARG(bx_val_get_str(event, "text")));
    }
}

void bx_show_end(struct bx_show *s, const char *session_id) {
    end_line(s);
    if (s->colour) {
        note(s, DIM, "session %s", session_id);
    }
}

/* A line of the terminal. Ctrl-C may reach any thread, so the wait is for its bell too, not for an
 * interrupted read. */
static enum bx_ask read_line(int interrupt_fd, char *line, size_t cap, struct bx_str *ret) {
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                          {.fd = interrupt_fd, .events = POLLIN}};
    while (poll(p, 2, -1) < 0 && errno == EINTR) {
    }
    if (p[1].revents)
        return BX_ASK_INTERRUPTED;
    ssize_t n = read(STDIN_FILENO, line, cap);
    if (n <= 0)
        return n < 0 && errno == EINTR ? BX_ASK_INTERRUPTED : BX_ASK_GONE;
    *ret = bx_str_trim(bx_str_n(line, (size_t)n));
    return BX_ASK_ANSWERED;
}

static bool read_choice(struct bx_str said, enum bx_choice *ret_choice, char **ret_text) {
    static const enum bx_choice choices[] = {BX_CHOICE_ONCE, BX_CHOICE_SESSION, BX_CHOICE_ALWAYS,
                                             BX_CHOICE_NO};
    if (said.n == 1 && said.p[0] >= '1' && said.p[0] <= '4') {
        *ret_choice = choices[said.p[0] - '1'];
    } else if (bx_str_ieqz(said, "y") || bx_str_ieqz(said, "yes")) {
        *ret_choice = BX_CHOICE_ONCE;
    } else if (bx_str_ieqz(said, "n") || bx_str_ieqz(said, "no")) {
        *ret_choice = BX_CHOICE_NO;
    } else if (said.n > 1) {
        *ret_choice = BX_CHOICE_NO;
        *ret_text = bx_str_dup(said);
    } else {
        return false;
    }
    return true;
}

enum bx_ask bx_show_ask(struct bx_show *s, const struct bx_val *event, int interrupt_fd,
                        enum bx_choice *ret_choice, char **ret_text) {
    note(s, AMBER, "? " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    for (;;) {
        fprintf(stderr,
                "  [1] once  [2] this session  [3] always  [4] no  or say what to do instead: ");
        fflush(stderr);
        char line[4096];
        struct bx_str said;
        enum bx_ask got = read_line(interrupt_fd, line, sizeof line, &said);
        if (got != BX_ASK_ANSWERED || read_choice(said, ret_choice, ret_text))
            return got;
    }
}
