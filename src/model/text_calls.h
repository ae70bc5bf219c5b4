/* model/text_calls.h: finds tool calls and thoughts that a model writes as plain text.
 *
 * Pure, one thread at a time; text may be cut anywhere. <tool_call>{…}</tool_call> is a call wherever it stands,
 * <think>…</think> is reasoning when it opens the reply. Text is held back only as long as it may be the start of a tag. */
#ifndef BX_MODEL_TEXT_CALLS_H
#define BX_MODEL_TEXT_CALLS_H

#include "base/base.h"

struct bx_text_calls {
    enum { BX_TEXT_START, BX_TEXT_PLAIN, BX_TEXT_THINK, BX_TEXT_CALL } state;
    bool with_calls, after_call;
    struct bx_buf held;
    size_t scanned; /* of held, without a tag in it */
    void (*on_text)(void *user, struct bx_str piece);
    void (*on_reasoning)(void *user, struct bx_str piece);
    /* The text between the tags; false: it is no call, and is given out as text. */
    bool (*on_call)(void *user, struct bx_str body);
    void *user;
};

/* Set the callbacks after this. */
void bx_text_calls_init(struct bx_text_calls *t, bool with_calls, size_t max_call_bytes);
void bx_text_calls_deinit(struct bx_text_calls *t);
int bx_text_calls_feed(struct bx_text_calls *t, struct bx_str text, struct bx_err *err); /* BX_ERR_LIMIT */
void bx_text_calls_end(struct bx_text_calls *t);

#endif
