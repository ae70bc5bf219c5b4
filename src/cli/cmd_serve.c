/* serve: the server and its page. */
#include "api/serve.h"
#include "base/log.h"
#include "base/thread.h"
#include "cli/commands.h"
#include "cli/context.h"

struct serving {
    struct bx_cli_context context;
    struct bx_mount *mounts; /* as read-only tools get them */
    struct bx_grant grant;
    pthread_mutex_t lock; /* of what follows */
    struct bx_box_walls walls;
    bool walls_known;
    pthread_t warmer;
    bool warms;
};

/* Tried from inside a worker, once: the first to ask waits some milliseconds. */
static int walls(void *user, struct bx_box_walls *ret, struct bx_err *err) {
    struct serving *s = user;
    BX_LOCKED(&s->lock);
    int r = s->walls_known ? 0 : bx_box_probe(s->context.box, &s->grant, &s->walls, err);
    if (r == 0) {
        s->walls_known = true;
        *ret = s->walls;
    }
    return r;
}

/* After the first byte could be served: the worker that the first call will need, and what the page
 * will ask. */
static void *warm(void *user) {
    struct serving *s = user;
    struct bx_box_walls known;
    struct bx_err err;
    bx_mcp_learn(s->context.mcp, 0, NULL);
    if (bx_box_warm(s->context.box, &s->grant, &err) < 0 || walls(s, &known, &err) < 0) {
        bx_warn("box", "the sandbox is not ready: %s", err.msg);
    }
    return NULL;
}

static int doctor(void *user, struct bx_buf *out, struct bx_err *err) {
    struct serving *s = user;
    return bx_doctor_markdown(&s->context, out, err);
}

static void ready(void *user, const char *url) {
    struct serving *s = user;
    const struct bx_workspace *w = &s->context.workspace;
    const char *query = strchr(url, '?');
    bx_auto(bx_freep) char *bare = query ? bx_strndup(url, (size_t)(query - url)) : bx_strdup(url);
    bx_store_set_url(s->context.store, bare); /* without the token */
    printf("BoxAgnts " BX_VERSION "\n  workspace  %s\n  tools see  %s\n  open       %s\n", w->name,
           w->root, url);
    fflush(stdout);
    s->warms = bx_thread_start(&s->warmer, "bx-warm", warm, s, NULL) == 0;
}

static void make_grant(struct serving *s) {
    const struct bx_workspace *w = &s->context.workspace;
    s->mounts = bx_realloc_array(NULL, w->mount_count + 1, sizeof *s->mounts);
    s->mounts[0] = (struct bx_mount){.host_path = w->root, .guest_path = "/"};
    for (size_t i = 0; i < w->mount_count; i++) {
        s->mounts[i + 1] = w->mounts[i];
        s->mounts[i + 1].writable = false;
    }
    bx_grant_init(&s->grant);
    s->grant.mounts = s->mounts;
    s->grant.mount_count = w->mount_count + 1;
}

static int serve(const struct bx_args *args, struct serving *s, uint16_t port, struct bx_err *err) {
    struct bx_cli_context *c = &s->context;
    struct bx_box_walls known;
    make_grant(s);
    int r = bx_agent_recover(c->agent, true, err);
    if (r == 0 && bx_args_has(args, "require-second-wall")) {
        r = walls(s, &known, err); /* the box refuses where a part is missing */
    }
    if (r < 0) {
        return r;
    }
    struct bx_serve_config config = {.store = c->store,
                                     .models = c->models,
                                     .registry = c->registry,
                                     .folders = c->folders,
                                     .mcp = c->mcp,
                                     .agent = c->agent,
                                     .walls = walls,
                                     .doctor = doctor,
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
                                     .user = s};
    r = bx_api_serve(&config, err);
    if (s->warms) {
        pthread_join(s->warmer, NULL);
    }
    return r;
}

int bx_cmd_serve(const struct bx_args *args) {
    struct bx_err err;
    uint64_t port;
    if (bx_args_number(args, "port", 0, 65535, 30001, &port, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    struct serving s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int r =
        bx_cli_context_open(args, args->operands.n ? args->operands.p[0] : NULL,
                            &(struct bx_context_options){
                                .store_mode = BX_STORE_OWNER,
                                .models = true,
                                .tools_later = true,
                                .offline = bx_args_has(args, "offline"),
                                .require_second_wall = bx_args_has(args, "require-second-wall")},
                            &s.context, &err);
    if (r == 0) {
        r = serve(args, &s, (uint16_t)port, &err);
        bx_cli_context_close(&s.context);
    }
    bx_free(s.mounts);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}
