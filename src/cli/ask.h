/* cli/ask.h: a question of a run, asked on the terminal: options with numbers, an answer by number or in own words. One
 * thread. What a model wrote is stripped of control characters (cli/show.h). */
#ifndef BX_CLI_ASK_H
#define BX_CLI_ASK_H

#include "cli/show.h"

struct bx_spoken {
    enum bx_choice choice;
    char *text;             /* or NULL */
    struct bx_doc *answers; /* kind ask; or NULL */
};
void bx_spoken_deinit(struct bx_spoken *s);

enum bx_ask { BX_ASK_ANSWERED, BX_ASK_GONE /* the terminal ended */, BX_ASK_INTERRUPTED /* interrupt_fd became readable */ };
/* Asks a `question` event. *ret is the caller's, empty but on BX_ASK_ANSWERED. */
enum bx_ask bx_ask_terminal(struct bx_show *s, const struct bx_val *event, int interrupt_fd, struct bx_spoken *ret);

#endif
