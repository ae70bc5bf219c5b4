/* mcp/rpc.h: JSON-RPC 2.0 as MCP uses it: messages taken apart and put together.
 *
 * Pure, any thread. What comes from a server is bytes of a stranger: size and nesting are limited before anything is built. */
#ifndef BX_MCP_RPC_H
#define BX_MCP_RPC_H

#include "json/write.h"

#define BX_MCP_MESSAGE_MAX (32 * BX_MIB) /* one message of a server */
#define BX_MCP_NEWEST      "2026-07-28"  /* the stateless era */
#define BX_MCP_LEGACY      "2025-11-25"  /* the newest that begins with `initialize` */

enum bx_rpc_kind { BX_RPC_RESPONSE, BX_RPC_REQUEST, BX_RPC_NOTIFICATION };
struct bx_rpc { /* views into the document */
    enum bx_rpc_kind kind;
    const struct bx_val *id;     /* of a response or a request */
    const char *method;          /* of a request or a notification */
    const struct bx_val *params; /* may be absent */
    const struct bx_val *result, *error; /* of a response: one of them */
};
/* BX_ERR_PROTO, BX_ERR_LIMIT: what is no JSON-RPC message. */
int bx_rpc_parse(struct bx_str text, struct bx_doc **ret_doc, struct bx_rpc *ret, struct bx_err *err);
bool bx_rpc_id_is(const struct bx_rpc *m, uint64_t id);
/* The id that a progress notification is about, 0 for none. */
uint64_t bx_rpc_progress_id(const struct bx_rpc *m);
/* "3 of 10: copying" from such a notification. */
void bx_rpc_progress_text(const struct bx_rpc *m, struct bx_buf *out);

/* A request or (id 0) a notification: write the members of params between begin and end. */
struct bx_rpc_writer {
    struct bx_buf body;
    struct bx_jw w;
};
void bx_rpc_begin(struct bx_rpc_writer *m, uint64_t id, const char *method);
void bx_rpc_end(struct bx_rpc_writer *m);
/* Answers to a request of the server's. result: JSON text. */
void bx_rpc_reply(struct bx_buf *out, const struct bx_val *id, const char *result);
void bx_rpc_refuse(struct bx_buf *out, const struct bx_val *id, int code, const char *message);

/* Text of a stranger for people and models: control characters become spaces (line feed and tab stay), so do the invisible
 * ones that hide or turn text (bidirectional marks, tags, zero width); at most max bytes, cut between characters. */
void bx_mcp_clean(struct bx_buf *out, struct bx_str text, size_t max_bytes);

#endif
