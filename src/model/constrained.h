/* model/constrained.h: tools for models that cannot call them by themselves.
 *
 * Blocks the calling thread, as bx_wire_ask. Two requests at most. First, when tools are offered: the reply is bound by a
 * JSON schema to {"tool": one of the names or "none", "arguments": that tool's schema}; a choice of a tool is the reply.
 * Else, and always after a tool result: a plain answer, streamed. Callers see calls and text as from any model.
 *
 * What makes a model of 135 million parameters choose rightly is the prompt: few tools, a line and an example for each,
 * and file names taken from what the request holds (the listing "Files: /a, /b" of the system prompt, paths in the
 * question), which the schema then allows and nothing else. */
#ifndef BX_MODEL_CONSTRAINED_H
#define BX_MODEL_CONSTRAINED_H

#include "model/wire.h"

int bx_constrained_ask(const struct bx_wire *w, const struct bx_model_request *req, bx_model_on_event *on_event,
                       void *user, struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err);

/* The first request's schema and messages, for tests: JSON schema text and the prompt's system text, the caller's. */
char *bx_constrained_schema(const struct bx_model_request *req);

#endif
