/* cli/show.h: a session's events on a terminal. The assistant's text goes to stdout as it streams; calls, notes and
 * questions go to stderr, so that `boxagnts run … >file` holds the answer alone. Colour only on a terminal and without
 * NO_COLOR. What comes from models and tools is stripped of control characters: it must not steer the terminal. */
#ifndef BX_CLI_SHOW_H
#define BX_CLI_SHOW_H

#include "agent/agent.h"
#include "base/map.h"

struct bx_show {
    bool colour;       /* stderr */
    bool streamed;     /* text of the current turn was shown as deltas */
    bool line_open;    /* stdout stands in the middle of a line */
    int64_t turn;
    struct bx_map *calls; /* call id -> what is shown of it */
};
/* Adds text from outside without its control characters but, unless it shall be one line, newline and tab. */
void bx_show_add_safe(struct bx_buf *out, struct bx_str text, bool one_line);
void bx_show_init(struct bx_show *s);
void bx_show_deinit(struct bx_show *s);
void bx_show_event(struct bx_show *s, const struct bx_val *event);
void bx_show_end(struct bx_show *s, const char *session_id);
/* Text for the person on stdout, made safe, on lines of its own. */
void bx_show_text(struct bx_show *s, struct bx_str text);
/* A line on stderr, made safe. */
enum bx_tone { BX_TONE_PLAIN, BX_TONE_DIM, BX_TONE_RED, BX_TONE_AMBER };
void bx_show_note(struct bx_show *s, enum bx_tone tone, const char *fmt, ...) BX_PRINTF(3, 4);

#endif
