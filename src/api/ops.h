/* api/ops.h: what a page may say over its WebSocket, and the texts that go back. Pure, any thread. */
#ifndef BX_API_OPS_H
#define BX_API_OPS_H

#include "agent/agent.h"
#include "api/body.h"

enum bx_op { BX_OP_SUBSCRIBE, BX_OP_UNSUBSCRIBE, BX_OP_SEND, BX_OP_STOP, BX_OP_ANSWER, BX_OP_PING };

/* Parses one message and checks its members; the document is the caller's. On failure *ret_ref holds "ref" if it could be
 * read (the caller's, may be NULL). */
int bx_op_parse(struct bx_str text, enum bx_op *ret_op, struct bx_doc **ret_doc, char **ret_ref, struct bx_err *err);

void bx_op_write_ok(struct bx_buf *out, const char *ref, const struct bx_said *said); /* may be NULL */
void bx_op_write_error(struct bx_buf *out, const char *ref, int code, const char *text);
void bx_op_write_event(struct bx_buf *out, const char *session, struct bx_str event); /* event: one JSON object */
void bx_op_write_caught_up(struct bx_buf *out, const char *session, uint64_t seq, bool running);

#endif
