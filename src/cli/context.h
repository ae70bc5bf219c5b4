/* cli/context.h: the graph of objects that `serve`, `run` and `tool run` share, built in order, torn down in reverse. */
#ifndef BX_CLI_CONTEXT_H
#define BX_CLI_CONTEXT_H

#include "agent/agent.h"
#include "box/box.h"
#include "box/receipt.h"
#include "cli/workspace.h"
#include "mcp/mcp.h"
#include "tools/folders.h"
#include "tools/outbound.h"

struct bx_context_options {
    enum bx_store_mode store_mode;
    bool models;         /* the registry of models too */
    bool tools_later;    /* the folders of tools are read by who watches them */
    bool root_read_only;
    bool require_second_wall, offline, allow_bypass;
};

struct bx_cli_context {
    struct bx_workspace workspace;
    struct bx_store *store;
    struct bx_doc *settings;
    struct bx_models *models;
    struct bx_receipts *receipts;
    struct bx_box *box;
    struct bx_outbound *outbound;
    struct bx_registry *registry;
    struct bx_tool_folders *folders;
    struct bx_mcp *mcp;
    struct bx_agent *agent;
    char *runtime_dir; /* 0700, for sockets; removed at the end */
};

int bx_cli_context_open(const struct bx_args *args, const char *operand, const struct bx_context_options *options,
                        struct bx_cli_context *ret, struct bx_err *err);
void bx_cli_context_close(struct bx_cli_context *c);

/* The values of --allow-host, NULL ended. */
int bx_cli_check_hosts(const char *const *hosts, struct bx_err *err);

/* doctor's rows as Markdown, without the port (cmd_doctor.c). */
int bx_doctor_markdown(struct bx_cli_context *c, struct bx_buf *out, struct bx_err *err);

/* Only the workspace and its store. */
int bx_cli_store_open(const struct bx_args *args, enum bx_store_mode mode, struct bx_cli_context *ret, struct bx_err *err);

/* Says on stderr that auth.json could be read by others, when it could. */
void bx_cli_tell_open_secrets(const struct bx_store *store);

#endif
