/* Tools and what the server can say about itself. Worker threads. */
#include "api/call.h"
#include "box/wall_linux.h"
#include "tools/folders.h"

static void write_limits(struct bx_jw *w, const struct bx_tool_limits *limits) {
    static const char *const units[] = {
        [BX_UNIT_MS] = "ms", [BX_UNIT_BYTES] = "bytes", [BX_UNIT_COUNT] = "count"};
    bx_jw_kobj(w, "limits");
    for (unsigned i = 0; i < BX_LIMIT_COUNT; i++) {
        const struct bx_limit_info *info = bx_limit_info((enum bx_limit_id)i);
        bx_jw_kobj(w, info->name);
        bx_jw_kuint(w, "value", limits->limits.value[i]);
        bx_jw_kstr(w, "unit", units[info->unit]);
        bx_jw_kstr(w, "from", bx_limit_from_name((enum bx_limit_from)limits->from[i]));
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

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

static int write_tool(struct bx_jw *w, struct bx_registry *registry, const struct bx_tool *t,
                      struct bx_err *err) {
    struct bx_tool_limits limits;
    int r = bx_registry_limits(registry, t, NULL, &limits, err);
    if (r < 0)
        return r;
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", t->name);
    bx_jw_kstr(w, "description", t->description);
    bx_jw_kstr(w, "level", bx_level_name(t->level));
    bx_jw_kstr(w, "kind", kind_name(t->kind));
    bx_jw_kstr(w, "source", t->source);
    bx_jw_kstr(w, "digest", t->digest);
    bx_jw_kval(w, "input_schema", t->schema);
    if (t->example)
        bx_jw_kraw(w, "example", bx_str(t->example));
    write_limits(w, &limits);
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

int bx_route_tools(struct bx_api_call *c, struct bx_err *err) {
    struct bx_registry *registry = c->api->config->registry;
    size_t count = 0;
    struct bx_tool **tools = bx_registry_all(registry, &count);
    struct bx_jw *w = bx_call_json(c, 200);
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
    bx_jw_end(w);
    return 0;
}

int bx_route_tool_run(struct bx_api_call *c, struct bx_err *err) {
    const struct bx_serve_config *config = c->api->config;
    bx_auto(bx_freep) char *name = bx_str_dup(bx_call_param(c, 0));
    bx_auto(bx_tool_unrefp) struct bx_tool *tool = bx_registry_find(config->registry, name);
    struct bx_tool_result result = {0};
    if (!tool)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no tool of this name");
    int r = bx_agent_call_tool(config->agent, tool, bx_val_get(c->body, "input"), NULL, c->cancel,
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
    bx_jw_karr(w, "mounts");
    for (size_t i = 0; i < config->mount_count; i++) {
        bx_jw_obj(w);
        bx_jw_kstr(w, "host", config->mounts[i].host_path);
        bx_jw_kstr(w, "guest", config->mounts[i].guest_path);
        bx_jw_kbool(w, "writable", config->mounts[i].writable);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    write_walls(w, &walls);
    bx_jw_kbool(w, "offline", config->offline);
    bx_jw_kbool(w, "embedded_model", config->embedded_model);
    bx_jw_end(w);
    return 0;
}
