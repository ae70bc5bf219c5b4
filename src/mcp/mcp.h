/* mcp/mcp.h: servers of the Model Context Protocol, whose tools join the registry.
 *
 * Any thread. Servers come from settings.json ("mcpServers") and from .mcp.json in the root. The second was written by whoever
 * made the folder, so nothing of it is started before the user has approved it; a change of its entry asks again. A server
 * is started when it is first needed: its tools are known from the last time. What always holds:
 *
 *   - The description and schema of each tool are kept with their digest (state folder, mcp.json). The first list of an
 *     approved server is taken as approved; what changes or comes later is not used before it was approved. An approval
 *     is for the digest that was looked at, never for whatever stands there by then.
 *   - Whatever a server does, a call ends at its time limit and within 100 ms of a stop. A server that ended is started again
 *     by the next call, after a while when it ends again and again.
 *   - Secrets are filled in when a server is started and are in no state, message or list. */
#ifndef BX_MCP_MCP_H
#define BX_MCP_MCP_H

#include "base/cancel.h"
#include "json/write.h"

struct bx_mcp;
struct bx_registry;

struct bx_mcp_config {          /* copied, but for the registry */
    struct bx_registry *registry;
    const struct bx_val *settings; /* settings.json's root; may be NULL */
    const char *root;           /* where .mcp.json is, and what programs start in */
    const char *state_dir;      /* of mcp.json */
    bool offline;               /* no server but on this machine */
    char *(*secret)(void *user, const char *name); /* the caller's or NULL */
    int (*set_secret)(void *user, const char *name, const char *value, struct bx_err *err); /* NULL removes */
    void *user;
};
/* Starts nothing. An entry that is broken is listed with the reason; the others work. */
int bx_mcp_new(const struct bx_mcp_config *config, struct bx_mcp **ret, struct bx_err *err);
void bx_mcp_free(struct bx_mcp *m); /* no call may be running; ends all servers */
BX_DEFINE_AUTO(struct bx_mcp, bx_mcp_free)
/* New settings, and .mcp.json as it is now. Servers whose entry did not change go on. */
int bx_mcp_reload(struct bx_mcp *m, const struct bx_val *settings, struct bx_err *err);
/* Asks the servers whose tools are not known yet, at once and side by side; waits until each answered or failed, at most wait_ms
 * (0: does not wait). */
void bx_mcp_learn(struct bx_mcp *m, uint64_t wait_ms, struct bx_cancel *cancel);

/* Would this entry of mcpServers be good? BX_ERR_INVALID says what is not. */
int bx_mcp_check_entry(const char *name, const struct bx_val *entry, struct bx_err *err);
/* The change of the settings that puts an entry under a name, or takes it out (entry NULL; BX_ERR_NOTFOUND: there is none):
 * a bx_settings_change_fn (store/store.h), user is one of these. */
struct bx_mcp_entry_change {
    const char *name;
    const struct bx_val *entry;
};
int bx_mcp_change_entry(void *user, const struct bx_val *settings, struct bx_buf *patch, struct bx_err *err);

/* An array with one object a server; docs/api.md says its members. */
void bx_mcp_write(struct bx_mcp *m, struct bx_jw *w);
/* tool: its name there, NULL: the server itself (of .mcp.json) and everything that it lists now. digest: of what was looked
 * at, as bx_mcp_write gives it for the tool or the server. BX_ERR_EXISTS: another one stands there by now; nothing is approved. */
int bx_mcp_approve(struct bx_mcp *m, const char *server, const char *tool, const char *digest, struct bx_err *err);
/* Ends it; then starts it, lists its tools, and fails when that fails. */
int bx_mcp_test(struct bx_mcp *m, const char *server, uint64_t wait_ms, struct bx_cancel *cancel, struct bx_err *err);
/* {"prompts":[…]} as the server gives them, bounded. */
int bx_mcp_prompts(struct bx_mcp *m, const char *server, struct bx_cancel *cancel, struct bx_jw *w, struct bx_err *err);

/* ---- signing in (OAuth 2.1 with PKCE) ---- */
/* What the user's browser must open. redirect: our own address on 127.0.0.1 that gets the answer. */
int bx_mcp_login_begin(struct bx_mcp *m, const char *server, const char *redirect, struct bx_cancel *cancel, char **ret_url,
                       struct bx_err *err);
/* What came back. state names the sign-in: it is good once and for ten minutes. ret_server (may be NULL): whose it was. */
int bx_mcp_login_finish(struct bx_mcp *m, const char *state, const char *code, const char *issuer,
                        struct bx_cancel *cancel, char **ret_server, struct bx_err *err);
int bx_mcp_logout(struct bx_mcp *m, const char *server, struct bx_err *err);

#endif
