/* api/api.h: inside of the api room: what the parts of the server share.
 *
 * The struct is made before the loop runs and does not change; its parts say which thread may touch them. */
#ifndef BX_API_API_H
#define BX_API_API_H

#include "api/auth.h"
#include "api/workers.h"
#include "api/serve.h"
#include "base/thread.h"
#include "http/server.h"
#include "json/write.h"
#include "store/session.h"

struct bx_api {
    const struct bx_serve_config *config;
    struct bx_loop *loop;
    struct bx_http_server *server; /* loop thread */
    struct bx_auth *auth;          /* loop thread */
    struct bx_workers *quick;         /* the disk */
    struct bx_workers *slow;          /* tool calls: as long as their limits */
    struct bx_cancel *cancel;      /* fires when the server stops: tool calls of the page */
    struct bx_hub *hub;            /* loop thread */
    struct bx_socket *sockets;     /* loop thread; all that are open */
    struct bx_tool_watch *tool_watch; /* loop thread */
    struct bx_agent_watch *agent_watch; /* loop thread */
    struct bx_mcp_watch *mcp_watch;   /* loop thread */
    struct bx_retention_job *retention; /* loop thread */
    struct bx_skill_watch *skill_watch; /* loop thread */
    pthread_mutex_t settings_mutex; /* one change of the settings at a time; held by workers over disk writes */
};

extern const struct bx_http_handler bx_api_handler; /* gate.c; user is the struct bx_api */

/* Every reply of this room leaves through here: adds the headers that keep the page closed. Loop thread. */
void bx_api_reply(struct bx_http_exchange *ex, struct bx_http_reply *take_reply);
/* application/problem+json; code and field may be NULL. */
void bx_api_problem(struct bx_http_reply *reply, int status, const char *detail, const char *code, const char *field);

#endif
