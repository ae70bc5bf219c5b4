/* api/serve.h: the local server: the page, the routes of docs/api.md and its WebSocket.
 *
 * Called on the main thread, which becomes the loop thread. Binds a loopback address only; every request passes the Host,
 * Origin and cookie or bearer checks of api/auth.h. Nothing that may take time runs on the loop: it goes to worker threads. */
#ifndef BX_API_SERVE_H
#define BX_API_SERVE_H

#include "agent/agent.h"
#include "box/box.h"
#include "mcp/mcp.h"

struct bx_serve_config { /* borrowed until bx_api_serve returns */
    struct bx_store *store;
    struct bx_models *models;
    struct bx_registry *registry;
    struct bx_tool_folders *folders;
    struct bx_mcp *mcp;
    struct bx_agent *agent;
    int (*walls)(void *user, struct bx_box_walls *ret, struct bx_err *err); /* which are up; on a helper thread, may take ms */
    int (*doctor)(void *user, struct bx_buf *out, struct bx_err *err); /* what /doctor says, Markdown; may take seconds */
    const char *host;               /* NULL = "127.0.0.1" */
    uint16_t port;                  /* 0 = any free one */
    const char *const *extra_hosts; /* further names that Host may say, e.g. of a proxy: "name" or "name:port" */
    size_t extra_host_count;
    const char *workspace, *root;   /* host folders, for `system` */
    const struct bx_mount *mounts;
    size_t mount_count;
    bool open;                      /* show the page in the user's browser */
    bool offline, embedded_model;
    void (*ready)(void *user, const char *url); /* listening; url carries the one-time token. NULL: it is printed */
    void *user;
};

/* Runs until SIGINT or SIGTERM (runs are stopped, replies in work are given; a second signal ends at once); returns 0 then.
 * BX_ERR_BUSY: the port is taken. BX_ERR_DENIED: the host is not a loopback address. */
int bx_api_serve(const struct bx_serve_config *config, struct bx_err *err);

#endif
