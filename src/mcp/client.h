/* mcp/client.h: one connection to one server: which era it speaks, and calls.
 *
 * Any thread. Ref-counted: the last to let go closes it, which may take some hundred milliseconds (a child is ended). The era is
 * found out at opening: `server/discover` is asked first, and whoever does not know it is greeted with `initialize`. What a
 * server asks of us is answered here: ping; roots (a program on this machine learns the root, a server elsewhere none);
 * everything else is refused politely. */
#ifndef BX_MCP_CLIENT_H
#define BX_MCP_CLIENT_H

#include "mcp/wire.h"

struct bx_mcp_client;
struct bx_mcp_client_config {
    struct bx_mcp_wire_config wire; /* on_message and user are the client's */
    const char *known_version;      /* what it spoke last time, or NULL: a hint */
    void (*on_changed)(void *user); /* its list of tools did; on any thread, must not block */
    void *user;
};
/* As bx_mcp_wire's request; BX_ERR_PROTO: it speaks no version that we do. ret_tail (may be NULL) gets the end of its
 * standard error when that fails. */
int bx_mcp_client_open(const struct bx_mcp_client_config *config, uint64_t deadline_ms, struct bx_cancel *cancel,
                       struct bx_buf *ret_tail, char **ret_challenge, struct bx_mcp_client **ret, struct bx_err *err);
struct bx_mcp_client *bx_mcp_client_ref(struct bx_mcp_client *c);
void bx_mcp_client_unref(struct bx_mcp_client *c);
BX_DEFINE_AUTO(struct bx_mcp_client, bx_mcp_client_unref)

struct bx_mcp_facts { /* views into the client */
    const char *version; /* of the protocol */
    const char *server;  /* "name version", as it calls itself; cleaned */
    bool tools, resources, prompts;
};
const struct bx_mcp_facts *bx_mcp_client_facts(const struct bx_mcp_client *c);
bool bx_mcp_client_is_alive(struct bx_mcp_client *c, char why[static 200]);
void bx_mcp_client_tail(struct bx_mcp_client *c, struct bx_buf *out);
char *bx_mcp_client_challenge(struct bx_mcp_client *c); /* of HTTP; the caller's or NULL */

struct bx_mcp_call {
    const char *method, *name;
    void (*params)(void *user, struct bx_jw *w); /* writes the members but _meta; NULL: none */
    const struct bx_mcp_param *headers;
    size_t header_count;
    uint64_t deadline_ms;
    struct bx_cancel *cancel;
    void (*on_progress)(void *user, struct bx_str text);
    void *user;
};
/* 0: *ret_result is a view into *ret_doc. An error that the server answers is BX_ERR_INVALID with its message, cleaned
 * (BX_ERR_NOTFOUND when it does not know the method). */
int bx_mcp_client_call(struct bx_mcp_client *c, const struct bx_mcp_call *call, struct bx_doc **ret_doc,
                       const struct bx_val **ret_result, struct bx_err *err);
/* All pages of a list: fn(user, item) for each, at most max. */
int bx_mcp_client_list(struct bx_mcp_client *c, const char *method, const char *member, size_t max, uint64_t deadline_ms,
                       struct bx_cancel *cancel, void (*fn)(void *user, const struct bx_val *item), void *user,
                       struct bx_err *err);

#endif
