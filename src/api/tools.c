/* Tools and what the server can say about itself. Worker threads. */
#include "api/call.h"
#include "box/wall_linux.h"
#include "tools/folders.h"

static const char *kind_name(enum bx_tool_kind kind) {
    switch (kind) {
    case BX_TOOL_NATIVE:
        return "native";
    case BX_TOOL_BOX:
        return "box";
    case BX_TOOL_MCP:
        return "mcp";
    case BX_TOOL_REMOTE:
        return "remote";
    }
    return "native";
}

static void write_names(struct bx_jw *w, const struct bx_tool *t) {
    bx_jw_kstr(w, "name", t->name);
    bx_jw_kstr(w, "description", t->description);
    bx_jw_kstr(w, "level", bx_level_name(t->level));
    bx_jw_kstr(w, "kind", kind_name(t->kind));
    bx_jw_kstr(w, "source", t->source);
    bx_jw_kstr(w, "digest", t->digest);
    bx_jw_kval(w, "input_schema", t->schema);
    if (t->example)
        bx_jw_kraw(w, "example", bx_str(t->example));
}

static int write_tool(struct bx_jw *w, struct bx_registry *registry, const struct bx_tool *t,
                      struct bx_err *err) {
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_tool_limits limits;
    int r = bx_registry_limits(registry, t, NULL, &arena, &limits, err);
    if (r < 0)
        return r;
    bx_jw_obj(w);
    write_names(w, t);
    bx_jw_key(w, "limits");
    bx_tool_limits_write(w, &limits);
    bx_jw_end(w);
    return 0;
}

static void write_broken(struct bx_jw *w, struct bx_tool_folders *folders) {
    size_t count = 0;
    struct bx_broken_tool *broken = bx_tool_folders_broken(folders, &count);
    bx_jw_karr(w, "broken");
    for (size_t i = 0; i < count; i++) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "path", broken[i].path);
        bx_jw_kstr(w, "reason", broken[i].reason);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_broken_tools_free(broken, count);
}

static void write_hidden(struct bx_jw *w, struct bx_registry *registry) {
    size_t count = 0;
    struct bx_hidden_tool *hidden = bx_registry_hidden(registry, &count);
    bx_jw_karr(w, "hidden");
    for (size_t i = 0; i < count; i++) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "name", hidden[i].name);
        bx_jw_kstr(w, "path", hidden[i].source);
        bx_jw_kstr(w, "by", hidden[i].by);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_hidden_tools_free(hidden, count);
}

/* What settings.json says of it, under its own name. */
static int write_own_settings(struct bx_api_call *c, struct bx_jw *w, const struct bx_tool *t,
                              struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    int r = bx_settings_load(c->api->config->store, &settings, err);
    if (r == 0)
        bx_jw_kval(w, "settings", bx_val_get(bx_val_get(bx_doc_root(settings), "limits"), t->name));
    return r;
}

int bx_reply_tool(struct bx_api_call *c, struct bx_tool *t, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_tool_limits limits;
    struct bx_grant grant;
    struct bx_err unmounted = {0};
    struct bx_jw *w = bx_call_json(c, 200);
    int r = bx_registry_limits(config->registry, t, NULL, &arena, &limits, err);
    if (r < 0)
        return r;
    bx_jw_obj(w);
    write_names(w, t);
    bx_jw_kstr(w, "version", t->version ? t->version : "");
    bx_jw_kval(w, "wants", t->wants);
    bx_jw_key(w, "limits");
    bx_tool_limits_write(w, &limits);
    bx_jw_key(w, "reach");
    bx_tool_lists_write(w, &limits);
    bool mounted = bx_agent_tool_grant(config->agent, t, &limits, &arena, &grant, &unmounted) == 0;
    bx_mounts_write(w, mounted ? grant.mounts : NULL, mounted ? grant.mount_count : 0);
    bx_jw_kstr(w, "problem", mounted ? NULL : unmounted.msg);
    r = write_own_settings(c, w, t, err);
    bx_jw_karr(w, "grants");
    if (r == 0)
        r = bx_agent_list_grants(config->agent, NULL, w, err);
    if (r < 0)
        return r;
    bx_jw_end(w);
    bx_jw_end(w);
    return 0;
}

int bx_route_tool_get(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_tool_unrefp) struct bx_tool *tool = bx_registry_find(c->api->config->registry, name);
    return tool ? bx_reply_tool(c, tool, err)
                : bx_fail(err, BX_ERR_NOTFOUND, "there is no tool of this name");
}

int bx_route_tools(struct bx_api_call *c, struct bx_err *err) {
    struct bx_registry *registry = c->api->config->registry;
    size_t count = 0;
    struct bx_tool **tools = bx_registry_all(registry, &count);
    struct bx_jw *w = bx_call_json(c, 200);
    char problem[480];
    int r = 0;
    bx_jw_obj(w);
    bx_jw_karr(w, "tools");
    for (size_t i = 0; i < count; i++) {
        if (r == 0)
            r = write_tool(w, registry, tools[i], err);
        bx_tool_unref(tools[i]);
    }
    bx_free(tools);
    if (r < 0)
        return r;
    bx_jw_end(w);
    write_broken(w, c->api->config->folders);
    write_hidden(w, registry);
    bx_agent_settings_problem(c->api->config->agent, problem);
    bx_jw_kstr(w, "settings_problem", problem[0] ? problem : NULL);
    bx_jw_end(w);
    return 0;
}

/* {"time":"60s"} and ["https://…"] as the call wants them, "time=60s" */
static int read_wish(struct bx_api_call *c, struct bx_arena *arena, struct bx_limits_wish *ret,
                     struct bx_err *err) {
    const struct bx_val *limits = bx_val_get(c->body, "limits"),
                        *hosts = bx_val_get(c->body, "allow_hosts");
    const char **over = bx_arena_alloc(arena, (bx_val_len(limits) + 1) * sizeof *over),
               **allowed = bx_arena_alloc(arena, (bx_val_len(hosts) + 1) * sizeof *allowed);
    size_t n = 0, m = 0;
    bx_val_foreach_member (limits, name, value) {
        const char *text = bx_val_z(value);
        if (!text && !bx_val_is(value, BX_VAL_INT))
            return bx_call_fault(c, "limits", err, "a limit is a number or a text like \"30s\"");
        over[n++] = text ? bx_arena_printf(arena, BX_STR_FMT "=%s", BX_STR_ARG(name), text)
                         : bx_arena_printf(arena, BX_STR_FMT "=%" PRIi64, BX_STR_ARG(name),
                                           bx_val_int(value, 0));
    }
    bx_val_foreach_item (hosts, host) {
        if (!bx_val_z(host))
            return bx_call_fault(c, "allow_hosts", err, "\"allow_hosts\" holds texts");
        allowed[m++] = bx_arena_str(arena, bx_val_str(host));
    }
    *ret = (struct bx_limits_wish){.over = over, .hosts = allowed};
    return 0;
}

int bx_route_tool_run(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_tool_unrefp) struct bx_tool *tool = bx_registry_find(config->registry, name);
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct bx_tool_result result = {0};
    struct bx_limits_wish wish;
    if (!tool)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no tool of this name");
    int r = read_wish(c, &arena, &wish, err);
    if (r == 0)
        r = bx_agent_call_tool(config->agent, tool, bx_val_get(c->body, "input"), &wish, c->cancel,
                               &result, err);
    if (r < 0)
        return r;
    bx_call_json(c, 200);
    bx_tool_result_write(&result, &c->reply.body);
    bx_tool_result_deinit(&result);
    return 0;
}

static void write_walls(struct bx_jw *w, const struct bx_box_walls *walls) {
    const char *summary = walls->parts == BX_WALL_ALL                           ? "up"
                          : walls->parts & (BX_WALL_LANDLOCK | BX_WALL_SECCOMP) ? "partly"
                                                                                : "down";
    bx_jw_kobj(w, "walls");
    bx_jw_kbool(w, "landlock", walls->parts & BX_WALL_LANDLOCK);
    bx_jw_kuint(w, "landlock_abi", walls->landlock_abi);
    bx_jw_kbool(w, "seccomp", walls->parts & BX_WALL_SECCOMP);
    bx_jw_kstr(w, "summary", summary);
    bx_jw_kstr(w, "why", walls->missing);
    bx_jw_end(w);
}

int bx_route_system(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    struct bx_box_walls walls;
    int r = config->walls(config->user, &walls, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstr(w, "version", BX_VERSION);
    bx_jw_kstr(w, "workspace", config->workspace);
    bx_jw_kstr(w, "root", config->root);
    bx_mounts_write(w, config->mounts, config->mount_count);
    write_walls(w, &walls);
    bx_jw_kbool(w, "offline", config->offline);
    bx_jw_kbool(w, "embedded_model", config->embedded_model);
    bx_jw_end(w);
    return 0;
}
