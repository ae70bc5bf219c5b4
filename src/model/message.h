/* model/message.h: what goes to a model and comes back, whoever the provider is.
 *
 * One thread at a time; a message owns its blocks. The wire formats (model/openai.c …) translate to and from this. */
#ifndef BX_MODEL_MESSAGE_H
#define BX_MODEL_MESSAGE_H

#include "base/vec.h"
#include "json/json.h"

enum bx_role { BX_ROLE_USER, BX_ROLE_ASSISTANT, BX_ROLE_TOOL };
enum bx_block_kind { BX_BLOCK_TEXT, BX_BLOCK_REASONING, BX_BLOCK_IMAGE, BX_BLOCK_CALL, BX_BLOCK_RESULT };

struct bx_block {
    enum bx_block_kind kind;
    char *text;      /* TEXT, REASONING; RESULT: its text */
    char *mime;      /* IMAGE */
    char *data;      /* IMAGE: base64 */
    char *id;        /* CALL, RESULT: the call's id */
    char *tool;      /* CALL, RESULT: the tool's name */
    char *arguments; /* CALL: JSON text as the model wrote it, maybe broken */
    bool is_error;   /* RESULT */
};
void bx_block_deinit(struct bx_block *b);

struct bx_message {
    enum bx_role role;
    uint64_t origin; /* the caller's own marks, which are not sent */
    int tag;
    BX_VEC(struct bx_block) blocks;
};
struct bx_message *bx_message_new(enum bx_role role);
void bx_message_free(struct bx_message *m);
/* Adds a zeroed block and returns it; valid until the next add. */
struct bx_block *bx_message_add(struct bx_message *m, enum bx_block_kind kind);
void bx_message_add_text(struct bx_message *m, const char *text);
BX_DEFINE_AUTO(struct bx_message, bx_message_free)

#endif
