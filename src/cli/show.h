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
void bx_show_init(struct bx_show *s);
void bx_show_deinit(struct bx_show *s);
void bx_show_event(struct bx_show *s, const struct bx_val *event);
void bx_show_end(struct bx_show *s, const char *session_id);
/* Asks a `question` event on the terminal. ret_text: the caller's or NULL; set on BX_ASK_ANSWERED only. */
enum bx_ask { BX_ASK_ANSWERED, BX_ASK_GONE /* the terminal ended */, BX_ASK_INTERRUPTED /* interrupt_fd became readable */ };
enum bx_ask bx_show_ask(struct bx_show *s, const struct bx_val *event, int interrupt_fd, enum bx_choice *ret_choice,
                        char **ret_text);

#endif
