/* tool list, describe, run: the same registry, permission check, path and record as an agent's
 * calls; no server needed. */
#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"

#define MCP_WAIT_MS 30000 /* for servers whose tools are not known yet */

static int open_context(const struct bx_args *args, struct bx_cli_context *ret,
                        struct bx_err *err) {
    return bx_cli_context_open(
        args, NULL,
        &(struct bx_context_options){
            .store_mode = BX_STORE_READER, /* works beside a running server */
            .root_read_only = bx_args_has(args, "ro"),
            .require_second_wall = bx_args_has(args, "require-second-wall")},
        ret, err);
}

static const char *kind_name(enum bx_tool_kind kind) {
    static const char *const names[] = {"native", "box", "mcp", "remote"};
    return names[kind];
}

/* Files of the folders that are no tools: said instead of being missed. */
static void list_broken(struct bx_cli_context *c, struct bx_jw *w, struct bx_buf *out) {
    size_t count = 0;
    struct bx_broken_tool *broken = bx_tool_folders_broken(c->folders, &count);
    for (size_t i = 0; i < count; i++) {
        if (w) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "broken", broken[i].path);
            bx_jw_kstr(w, "reason", broken[i].reason);
            bx_jw_end(w);
        } else {
            bx_buf_addf(out, "broken: %s: %s\n", broken[i].path, broken[i].reason);
        }
    }
    bx_broken_tools_free(broken, count);
}

static void list_hidden(struct bx_cli_context *c, struct bx_jw *w, struct bx_buf *out) {
    size_t count = 0;
    struct bx_hidden_tool *hidden = bx_registry_hidden(c->registry, &count);
    for (size_t i = 0; i < count; i++) {
        if (w) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "hidden", hidden[i].name);
            bx_jw_kstr(w, "path", hidden[i].source);
            bx_jw_kstr(w, "by", hidden[i].by);
            bx_jw_end(w);
        } else {
            bx_buf_addf(out, "hidden: %s (%s) by %s\n", hidden[i].name, hidden[i].source,
                        hidden[i].by);
        }
    }
    bx_hidden_tools_free(hidden, count);
}

/* Its length; a full stop inside a word ends none: *.c, SKILL.md. */
static size_t first_sentence(const char *text) {
    size_t n = 0;
    while (text[n] && text[n] != '\n' &&
           !(text[n] == '.' && n && text[n - 1] != ' ' &&
             (!text[n + 1] || text[n + 1] == ' ' || text[n + 1] == '\n')))
        n++;
    return n;
}

int bx_cmd_tool_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(4 * BX_MIB);
    struct bx_jw w;
    bool json = bx_args_has(args, "json");
    size_t n;
    bx_mcp_learn(c.mcp, MCP_WAIT_MS, NULL);
    struct bx_tool **all = bx_registry_all(c.registry, &n);
    bx_jw_init(&w, &out);
    if (json) {
        bx_jw_arr(&w);
    }
    for (size_t i = 0; i < n; i++) {
        const struct bx_tool *t = all[i];
        if (json) {
            bx_jw_obj(&w);
            bx_jw_kstr(&w, "name", t->name);
            bx_jw_kstr(&w, "description", t->description);
            bx_jw_kstr(&w, "level", bx_level_name(t->level));
            bx_jw_kstr(&w, "kind", kind_name(t->kind));
            bx_jw_kstr(&w, "source", t->source);
            bx_jw_end(&w);
        } else {
            size_t sentence = first_sentence(t->description);
            bx_buf_addf(&out, "%-12s %-10s %-7s %.*s\n", t->name, bx_level_name(t->level),
                        kind_name(t->kind), (int)BX_MIN(sentence, (size_t)100), t->description);
        }
        bx_tool_unref(all[i]);
    }
    list_broken(&c, json ? &w : NULL, &out);
    list_hidden(&c, json ? &w : NULL, &out);
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    }
    bx_free(all);
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}

static int find_tool(struct bx_cli_context *c, const char *name, struct bx_tool **ret,
                     struct bx_err *err) {
    if (bx_str_ends(bx_str(name), ".wasm") || bx_str_ends(bx_str(name), ".js") ||
        bx_str_ends(bx_str(name), ".remote.json")) {
        return bx_registry_load_file(c->registry, name, ret, err);
    }
    if (bx_str_starts(bx_str(name), "mcp__")) {
        bx_mcp_learn(c->mcp, MCP_WAIT_MS, NULL);
    }
    *ret = bx_registry_find(c->registry, name);
    if (*ret) {
        return 0;
    }
    bx_auto(bx_freep) char *near = bx_registry_nearest(c->registry, name);
    return near ? bx_fail(err, BX_ERR_NOTFOUND, "there is no tool \"%.60s\"; did you mean \"%s\"?",
                          name, near)
                : bx_fail(err, BX_ERR_NOTFOUND,
                          "there is no tool \"%.60s\"; see boxagnts tool list", name);
}

struct description {
    const struct bx_tool *tool;
    struct bx_tool_limits limits;
    struct bx_grant grant;
    struct bx_err unmounted; /* code 0: the grant is there */
};

static void describe_json(const struct description *d, struct bx_buf *out) {
    const struct bx_tool *t = d->tool;
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "name", t->name);
    bx_jw_kstr(&w, "version", t->version);
    bx_jw_kstr(&w, "description", t->description);
    bx_jw_kstr(&w, "level", bx_level_name(t->level));
    bx_jw_kstr(&w, "kind", kind_name(t->kind));
    bx_jw_kstr(&w, "source", t->source);
    bx_jw_kval(&w, "input_schema", t->schema);
    if (t->example)
        bx_jw_kraw(&w, "example", bx_str(t->example));
    bx_jw_kval(&w, "wants", t->wants);
    bx_jw_key(&w, "limits");
    bx_tool_limits_write(&w, &d->limits);
    bx_jw_key(&w, "reach");
    bx_tool_lists_write(&w, &d->limits);
    bx_mounts_write(&w, d->grant.mounts, d->grant.mount_count);
    bx_jw_kstr(&w, "problem", d->unmounted.code ? d->unmounted.msg : NULL);
    bx_jw_end(&w);
    bx_buf_addc(out, '\n');
}

static void add_from(struct bx_buf *out, unsigned from, const char *key) {
    const char *name = bx_limit_from_name((enum bx_limit_from)from);
    bx_auto(bx_freep) char *both = key ? bx_asprintf("%s (%s)", name, key) : bx_strdup(name);
    bx_buf_addf(out, " from %-19s ", both);
}

static void describe_limits(const struct bx_tool_limits *l, struct bx_buf *out) {
    for (unsigned i = 0; i < BX_LIMIT_COUNT; i++) {
        const struct bx_limit_info *info = bx_limit_info((enum bx_limit_id)i);
        struct bx_buf value = BX_BUF_INIT(64);
        bx_limit_print(&value, (enum bx_limit_id)i, l->limits.value[i]);
        bx_buf_addf(out, "  %-10s %-14s", info->name, bx_buf_z(&value));
        add_from(out, l->from[i], l->key[i]);
        bx_buf_addf(out, "%s: %s\n", info->setting, info->what);
        bx_buf_deinit(&value);
    }
    bx_buf_addz(out, "\nReach:\n");
    for (unsigned i = 0; i < BX_LIST_COUNT; i++) {
        const struct bx_list_info *info = bx_list_info((enum bx_list_id)i);
        const struct bx_tool_list *list = &l->lists[i];
        bx_buf_addf(out, "  %-22s", info->setting);
        add_from(out, list->from, list->key);
        for (size_t k = 0; k < list->n; k++)
            bx_buf_addf(out, "%s%s", k ? ", " : "", list->items[k]);
        bx_buf_addf(out, "%s\n", list->n ? "" : "none");
    }
}

static void describe_text(const struct description *d, struct bx_buf *out) {
    const struct bx_tool *t = d->tool;
    bx_buf_addf(out, "%s %s\n\n%s\n\nlevel   %s\nkind    %s (%s)\n\nInput:\n", t->name,
                t->version ? t->version : "", t->description, bx_level_name(t->level),
                kind_name(t->kind), t->source);
    bx_json_pretty(out, t->schema);
    bx_buf_addz(out, "\n\nLimits:\n");
    describe_limits(&d->limits, out);
    bx_buf_addf(out, "\nFolders:\n%s%s%s", d->unmounted.code ? "  " : "",
                d->unmounted.code ? d->unmounted.msg : "", d->unmounted.code ? "\n" : "");
    for (size_t i = 0; i < d->grant.mount_count; i++)
        bx_buf_addf(out, "  %-20s %s %s\n", d->grant.mounts[i].guest_path,
                    d->grant.mounts[i].writable ? "rw" : "ro", d->grant.mounts[i].host_path);
    if (t->wants) {
        bx_buf_addz(out, "\nIt asks for (its own words; your settings decide):\n");
        bx_json_pretty(out, t->wants);
        bx_buf_addc(out, '\n');
    }
}

int bx_cmd_tool_describe(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(4 * BX_MIB);
    struct bx_tool *tool = NULL;
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    struct description d = {.tool = NULL};
    int r = find_tool(&c, args->operands.p[0], &tool, &err);
    if (r == 0) {
        d.tool = tool;
        r = bx_registry_limits(c.registry, tool, NULL, &arena, &d.limits, &err);
    }
    if (r == 0) {
        bx_agent_tool_grant(c.agent, tool, &d.limits, &arena, &d.grant, &d.unmounted);
    }
    if (r == 0 && bx_args_has(args, "json")) {
        describe_json(&d, &out);
    } else if (r == 0) {
        describe_text(&d, &out);
    }
    bx_tool_unref(tool);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

static int read_input(const struct bx_args *args, struct bx_doc **ret, struct bx_err *err) {
    const char *input = bx_args_get(args, "input");
    struct bx_buf text = BX_BUF_INIT(64 * BX_MIB);
    if (input && strcmp(input, "-") == 0) {
        char piece[65536];
        ssize_t got;
        while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0 &&
               bx_buf_add(&text, piece, (size_t)got) == 0) {
        }
    } else {
        bx_buf_addz(&text, input ? input : "{}");
    }
    int r = bx_buf_failed(&text) ? bx_fail(err, BX_ERR_LIMIT, "the input is larger than 64 MiB")
                                 : bx_doc_parse(bx_buf_str(&text), NULL, ret, err);
    bx_buf_deinit(&text);
    return r < 0 ? bx_wrap(err, r, "--input") : 0;
}

/* Content as a person reads it: text plainly, an image as a line. */
static void content_text(const char *content, struct bx_buf *out) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!content || bx_doc_parse(bx_str(content), NULL, &doc, NULL) < 0) {
        return;
    }
    const struct bx_val *root = bx_doc_root(doc);
    if (bx_val_is(root, BX_VAL_STR)) {
        bx_buf_adds(out, bx_val_str(root));
    }
    bx_val_foreach_item (root, block) {
        if (bx_str_eqz(bx_val_get_str(block, "type"), "text")) {
            bx_buf_adds(out, bx_val_get_str(block, "text"));
        } else {
            bx_buf_addf(out, "[" BX_STR_FMT ", %zu bytes in base64]",
                        BX_STR_ARG(bx_val_get_str(block, "mime")), bx_val_get_str(block, "data").n);
        }
    }
    if (out->size && out->p[out->size - 1] != '\n') {
        bx_buf_addc(out, '\n');
    }
}

int bx_cmd_tool_run(const struct bx_args *args) {
    struct bx_err err;
    struct bx_limits check;
    bx_auto(bx_doc_freep) struct bx_doc *input = NULL;
    bx_auto(bx_freep) const char **limits = bx_args_all(args, "limit");
    bx_auto(bx_freep) const char **hosts = bx_args_all(args, "allow-host");
    bx_limits_init(&check);
    if (bx_cli_check_hosts(hosts, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    for (size_t i = 0; limits[i]; i++) {
        if (bx_limits_set_pair(&check, limits[i], &err) < 0) {
            return bx_cli_fail(BX_EXIT_USAGE, &err);
        }
    }
    if (read_input(args, &input, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    struct bx_cli_context c;
    if (open_context(args, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_tool *tool = NULL;
    struct bx_tool_result result = {0};
    struct bx_buf out = BX_BUF_INIT(512 * BX_MIB);
    int r = find_tool(&c, args->operands.p[0], &tool, &err);
    if (r == 0) {
        struct bx_limits_wish wish = {.over = limits, .hosts = hosts};
        r = bx_agent_call_tool(c.agent, tool, bx_doc_root(input), &wish, NULL, &result, &err);
    }
    int code = BX_EXIT_FAILED;
    if (r < 0) {
        bx_cli_fail(code, &err);
    } else {
        code = result.is_error ? BX_EXIT_FAILED : BX_EXIT_OK;
        if (bx_args_has(args, "json")) {
            bx_tool_result_write(&result, &out);
            bx_buf_addc(&out, '\n');
        } else {
            content_text(result.content, &out);
        }
        (void)bx_write_all(result.is_error && !bx_args_has(args, "json") ? STDERR_FILENO
                                                                         : STDOUT_FILENO,
                           out.p, out.size);
    }
    bx_buf_deinit(&out);
    bx_tool_result_deinit(&result);
    bx_tool_unref(tool);
    bx_cli_context_close(&c);
    return code;
}
