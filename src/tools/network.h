/* tools/network.h: may this call's request go out? By settings, by a person's grant, by a rule; and what to say when it may not.
 *
 * On the thread of the call. Each request of a guest is a question of its own, so each hop of a redirect is judged anew, on
 * its host and on every address that would be connected to; the request itself is made by outbound.h. */
#ifndef BX_TOOLS_NETWORK_H
#define BX_TOOLS_NETWORK_H

#include "tools/outbound.h"
#include "tools/tool.h"

struct bx_network_call {
    const char *tool;
    struct bx_tool_ctx *ctx;
    struct bx_outbound *outbound;
    char *denied; /* JSON of the first denial (tool.h), the caller's; NULL: none */
};
int bx_network_answer(struct bx_network_call *c, const struct bx_outbound_request *q, struct bx_outbound_answer *a,
                      struct bx_err *err);

/* `"limits": {"web_fetch": {"allowed_outbound_hosts": ["https://a", "https://b"]}}`: the settings that would allow entry beside
 * what is allowed now. The caller's. */
char *bx_outbound_line(const char *tool, const struct bx_grant *grant, const char *entry);
char *bx_path_line(const char *tool); /* `"limits": {"read": {"map_dirs": ["HOST:GUEST:ro"]}}`; the caller's */
/* Is every one of these entries allowed by the grant's hosts (its granted ones too)? */
bool bx_outbound_allows(const struct bx_grant *grant, const char *const *entries, size_t count);
/* Is every one of them inside the bound that the grant has (bx_grant.within_hosts)? True where there is none. */
bool bx_outbound_within(const struct bx_grant *grant, const char *const *entries, size_t count);
/* {"limit":"network","host","setting","line"}: what a person can do about it. The caller's. */
char *bx_denied_json(const char *limit, const char *member, const char *what, const char *setting, const char *line);

#endif
