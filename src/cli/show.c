#include "cli/show.h"

#include "base/file.h"
#include "base/map.h"

#define DIM   BX_TONE_DIM
#define RED   BX_TONE_RED
#define AMBER BX_TONE_AMBER

static const char *paint(const struct bx_show *s, enum bx_tone tone) {
    static const char *const codes[] = {[BX_TONE_PLAIN] = "\033[0m",
                                        [BX_TONE_DIM] = "\033[2m",
                                        [BX_TONE_RED] = "\033[31m",
                                        [BX_TONE_AMBER] = "\033[33m"};
    return s->colour ? codes[tone] : "";
}

void bx_show_init(struct bx_show *s) {
    const char *no_colour = getenv("NO_COLOR");
    *s = (struct bx_show){.colour = isatty(STDERR_FILENO) && !(no_colour && no_colour[0]),
                          .calls = bx_map_new(bx_free)};
}

void bx_show_deinit(struct bx_show *s) {
    bx_map_free(s->calls);
}

void bx_show_add_safe(struct bx_buf *out, struct bx_str text, bool one_line) {
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
    bx_show_add_safe(&out, text, false);
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

void bx_show_text(struct bx_show *s, struct bx_str text) {
    end_line(s);
    to_stdout(s, text);
    end_line(s);
}

void bx_show_note(struct bx_show *s, enum bx_tone tone, const char *fmt, ...) {
    end_line(s);
    struct bx_buf raw = BX_BUF_INIT(BX_MIB), line = BX_BUF_INIT(BX_MIB + 64);
    va_list ap;
    va_start(ap, fmt);
    bx_buf_vaddf(&raw, fmt, ap);
    va_end(ap);
    bx_buf_addz(&line, paint(s, tone));
    bx_show_add_safe(&line, bx_buf_str(&raw), false);
    bx_buf_addz(&line, paint(s, BX_TONE_PLAIN));
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
    bx_show_note(s,
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
        bx_show_note(s, DIM, "  " BX_STR_FMT,
                     BX_STR_ARG(bx_str_slice(text, 0, BX_MIN(line, (size_t)300))));
    }
}

static void show_todos(struct bx_show *s, const struct bx_val *todos) {
    if (!bx_val_len(todos))
        bx_show_note(s, DIM, "☐ the list of tasks is empty");
    bx_val_foreach_item (todos, todo) {
        struct bx_str status = bx_val_get_str(todo, "status"), active;
        bool now = bx_str_eqz(status, "in_progress");
        active = now ? bx_val_get_str(todo, "activeForm") : (struct bx_str){"", 0};
        struct bx_str text = active.n ? active : bx_val_get_str(todo, "content");
        bx_show_note(s, now ? BX_TONE_PLAIN : DIM, "%s " BX_STR_FMT,
                     now                               ? "▸"
                     : bx_str_eqz(status, "completed") ? "☑"
                                                       : "☐",
                     BX_STR_ARG(text));
    }
}

static void show_brief(struct bx_show *s, const struct bx_val *event) {
    bx_show_note(s, BX_TONE_PLAIN, "▸ %s", bx_val_get_z(event, "text"));
    bx_val_foreach_item (bx_val_get(event, "attachments"), file)
        bx_show_note(s, DIM, "  " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(file, "path")));
}

/* Their starts and ends; what they do in between is in their own sessions. */
static void show_executor(struct bx_show *s, const struct bx_val *event) {
    struct bx_str state = bx_val_get_str(event, "state"), agent = bx_val_get_str(event, "agent"),
                  text = bx_val_get_str(event, "text");
    if (bx_str_eqz(state, "queued"))
        return;
    bool runs = bx_str_eqz(state, "running"), done = bx_str_eqz(state, "done");
    bx_auto(bx_buf_deinit) struct bx_buf line = BX_BUF_INIT(8 * BX_KIB);
    bx_buf_addf(&line, "%s " BX_STR_FMT "%s" BX_STR_FMT "%s " BX_STR_FMT, runs ? "▸" : "◂",
                BX_STR_ARG(bx_val_get_str(event, "name")), agent.n ? " (" : "", BX_STR_ARG(agent),
                agent.n ? ")" : "", BX_STR_ARG(bx_val_get_str(event, "description")));
    if (!runs)
        bx_buf_addf(&line, " … %s%s, %d turns, %.1f s",
                    done                            ? "done"
                    : bx_val_get_z(event, "reason") ? bx_val_get_z(event, "reason")
                                                    : "ended",
                    done || !bx_str_eqz(state, "limit") ? "" : " limit",
                    (int)bx_val_get_int(event, "turns", 0),
                    bx_val_real(bx_val_get(event, "ms"), 0) / 1000);
    bx_show_note(s, runs || done ? DIM : AMBER, "%s", bx_buf_z(&line));
    if (!runs && !done && text.n)
        bx_show_note(s, DIM, "  " BX_STR_FMT, BX_STR_ARG(bx_str_slice(text, 0, 300)));
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
        bx_show_note(s, AMBER, "✕ " BX_STR_FMT ": " BX_STR_FMT,
                     BX_STR_ARG(bx_val_get_str(event, "tool")),
                     BX_STR_ARG(bx_val_get_str(event, "reason")));
    } else if (bx_str_eqz(type, "executor")) {
        show_executor(s, event);
    } else if (bx_str_eqz(type, "todo")) {
        show_todos(s, bx_val_get(event, "todos"));
    } else if (bx_str_eqz(type, "note") && bx_val_get_z(event, "text")) {
        show_brief(s, event);
    } else if (bx_str_eqz(type, "mode")) {
        bx_show_note(s, DIM, "mode " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "mode")));
    } else if (bx_str_eqz(type, "retry")) {
        bx_show_note(s, AMBER, "… " BX_STR_FMT ", trying again in %.1f s",
                     BX_STR_ARG(bx_val_get_str(event, "reason")),
                     bx_val_real(bx_val_get(event, "wait_ms"), 0) / 1000);
    } else if (bx_str_eqz(type, "error")) {
        struct bx_str hint = bx_val_get_str(event, "hint");
        bx_show_note(s, RED, "boxagnts: " BX_STR_FMT "%s" BX_STR_FMT,
                     BX_STR_ARG(bx_val_get_str(event, "text")), hint.n ? " · " : "",
                     BX_STR_ARG(hint));
    } else if (bx_str_eqz(type, "limit")) {
        bx_show_note(s, AMBER, "boxagnts: " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(event, "text")));
    } else if (bx_str_eqz(type, "compact")) {
        bx_show_note(
            s, DIM, "boxagnts: the conversation was compacted: %" PRId64 " → %" PRId64 " tokens",
            bx_val_get_int(event, "before_tokens", 0), bx_val_get_int(event, "after_tokens", 0));
    } else if (bx_str_eqz(type, "queued")) {
        bx_show_note(s, DIM, "◷ waits for the next turn (/queue back takes it back): " BX_STR_FMT,
                     BX_STR_ARG(bx_str_slice(bx_val_get_str(event, "text"), 0, 200)));
    } else if (bx_str_eqz(type, "user") && bx_val_get_z(event, "queued")) {
        bx_show_note(s, DIM, "▸ " BX_STR_FMT,
                     BX_STR_ARG(bx_str_slice(bx_val_get_str(event, "text"), 0, 200)));
    } else if (bx_str_eqz(type, "unqueue") && bx_val_get_z(event, "why")) {
        bx_show_note(s, AMBER, "boxagnts: not sent: " BX_STR_FMT " (%s)",
                     BX_STR_ARG(bx_str_slice(bx_val_get_str(event, "text"), 0, 200)),
                     bx_val_get_z(event, "why"));
    } else if (bx_str_eqz(type, "state") && bx_val_get_str(event, "text").n && s->colour) {
        bx_show_note(s, DIM, BX_STR_FMT "…", BX_STR_ARG(bx_val_get_str(event, "text")));
    }
}

void bx_show_end(struct bx_show *s, const char *session_id) {
    end_line(s);
    if (s->colour) {
        bx_show_note(s, DIM, "session %s", session_id);
    }
}
