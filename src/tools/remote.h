/* tools/remote.h: tools that are an HTTP request: a descriptor in a file, <name>.remote.json in a folder of tools.
 *
 *     {"name","description","version"?,"permission_level"? ("execute"),"input_schema"?,"example"?,
 *      "url":"https://api.example.org/v1/{city}","method"? ("POST"; "GET" with "input":"query"),
 *      "headers"? {"Authorization":"Bearer ${secret:NAME}"},
 *      "input"? "json" (the body) | "query" | "form",
 *      "response"? "text" | "json", "pointer"? "/current/temp" (RFC 6901, of a JSON answer),
 *      "wants"? {"limits":{"time":"10s"}}}
 * {member} in the URL's path or query takes that member of the input, as one piece; the rest of the input goes into the body or
 * the query. The host stands fast: no brace before the path. Secrets are those of auth.json, filled in for the request, for
 * https or this machine only, and are in no descriptor, message or record.
 *
 * It is the registry's like any other tool: schema, permission, limits (time, request, response), receipt; and its host must
 * be granted like that of any other call: the policy judges the URL and the address. Redirects are not followed. */
#ifndef BX_TOOLS_REMOTE_H
#define BX_TOOLS_REMOTE_H

#include "tools/tool.h"

struct bx_outbound;

struct bx_remote_config {
    struct bx_outbound *outbound; /* NULL: its calls fail */
    char *(*secret)(void *user, const char *name); /* the caller's or NULL; may be NULL itself */
    void *secret_user;
};
#define BX_REMOTE_SUFFIX ".remote.json"
/* BX_ERR_INVALID says what is wrong with which member. */
int bx_remote_tool_load(const struct bx_remote_config *config, const char *path, struct bx_tool **ret, struct bx_err *err);

#endif
