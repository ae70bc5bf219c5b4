/* serve: the server and its page. */
#include "api/serve.h"
#include "cli/commands.h"
#include "cli/context.h"

static void ready(void *user, const char *url) {
    struct bx_cli_context *c = user;
    const char *query = strchr(url, '?');
    bx_auto(bx_freep) char *bare =
        query ? bx_strndup(url, (size_t)(query - url)) : bx_strdup(url); /* no token in the lock */
    bx_store_set_url(c->store, bare);
    printf("BoxAgnts " BX_VERSION "\n  workspace  %s\n  tools see  %s\n  open       %s\n",
           c->workspace.name, c->workspace.root, url);
    fflush(stdout);
}

static int serve(const struct bx_args *args, struct bx_cli_context *c, uint16_t port,
                 struct bx_err *err) {
    int r = bx_agent_recover(c->agent, err);
    if (r < 0) {
        return r;
    }
    struct bx_serve_config config = {.store = c->store,
                                     .models = c->models,
                                     .registry = c->registry,
                                     .agent = c->agent,
                                     .host = bx_args_get(args, "host"),
                                     .port = port,
                                     .workspace = c->workspace.name,
                                     .root = c->workspace.root,
                                     .mounts = c->workspace.mounts,
                                     .mount_count = c->workspace.mount_count,
                                     .open = bx_args_has(args, "open"),
                                     .offline = bx_args_has(args, "offline"),
                                     .embedded_model = true,
                                     .ready = ready,
                                     .user = c};
    struct bx_mount root = {.host_path = c->workspace.root, .guest_path = "/", .writable = true};
    struct bx_grant grant;
    bx_grant_init(&grant);
    grant.mounts = &root;
    grant.mount_count = 1;
    r = bx_box_probe(c->box, &grant, &config.walls, err);
    return r < 0 ? r : bx_api_serve(&config, err);
}

int bx_cmd_serve(const struct bx_args *args) {
    struct bx_err err;
    uint64_t port;
    if (bx_args_number(args, "port", 0, 65535, 30001, &port, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    struct bx_cli_context c;
    int r =
        bx_cli_context_open(args, args->operands.n ? args->operands.p[0] : NULL,
                            &(struct bx_context_options){
                                .store_mode = BX_STORE_OWNER,
                                .models = true,
                                .offline = bx_args_has(args, "offline"),
                                .require_second_wall = bx_args_has(args, "require-second-wall")},
                            &c, &err);
    if (r == 0) {
        r = serve(args, &c, (uint16_t)port, &err);
        bx_cli_context_close(&c);
    }
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}
