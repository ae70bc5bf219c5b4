/* agent list, show, new, check, remove: agent definitions, as the server reads them; works beside a
 * running one. */
#include "base/file.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/context.h"

#define TEXT_MAX    (256 * BX_KIB)
#define PLACEHOLDER "@NAME@"

static int open_context(const struct bx_args *args, struct bx_cli_context *ret,
                        struct bx_err *err) {
    return bx_cli_context_open(
        args, NULL, &(struct bx_context_options){.store_mode = BX_STORE_READER}, ret, err);
}

static void add_row(const struct bx_agent_def *d, struct bx_buf *out) {
    bx_buf_addf(out, "%-16s %-9s ", d->name, bx_agent_source_name(d->source));
    if (d->problem)
        bx_buf_addf(out, "broken: %s (%s)\n", d->problem, d->path);
    else if (d->shadowed)
        bx_buf_addf(out, "hidden: a nearer one has its name (%s)\n", d->path);
    else
        bx_buf_addf(out, "%s\n", d->description);
    if (d->warning && !d->problem)
        bx_buf_addf(out, "%-26s warning: %s\n", "", d->warning);
}

int bx_cmd_agent_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_agent_defs *defs = bx_agent_definitions(c.agent);
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    struct bx_jw w;
    bool json = bx_args_has(args, "json");
    bx_jw_init(&w, &out);
    if (json)
        bx_jw_arr(&w);
    for (size_t i = 0; i < defs->n; i++)
        if (json)
            bx_agent_def_write(&defs->items[i], false, &w);
        else
            add_row(&defs->items[i], &out);
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    } else if (defs->cut) {
        bx_buf_addz(&out, "There are more files than the 200 of a place that are looked at.\n");
    }
    bx_agent_defs_free(defs);
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}

static void add_members(const struct bx_agent_def *d, struct bx_buf *out) {
    bx_buf_addf(out, "%s (%s, %s)\n%s\n", d->name, bx_agent_source_name(d->source), d->path,
                d->description);
    if (d->problem)
        bx_buf_addf(out, "broken:     %s\n", d->problem);
    if (d->warning)
        bx_buf_addf(out, "warning:    %s\n", d->warning);
    bx_buf_addz(out, "tools:      ");
    for (size_t i = 0; d->tools && d->tools[i]; i++)
        bx_buf_addf(out, "%s%s", i ? ", " : "", d->tools[i]);
    bx_buf_addf(
        out, "%s\nmodel:      %s\nmode:       %s\nisolation:  %s\n",
        d->tools ? "" : "all that the session has", d->model ? d->model : "of whoever calls it",
        d->has_mode ? bx_mode_name(d->mode) : "the session's", d->worktree ? "worktree" : "none");
    if (d->max_turns)
        bx_buf_addf(out, "max_turns:  %u\n", d->max_turns);
    bx_buf_addf(out, "\n%s\n", d->prompt);
}

int bx_cmd_agent_show(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_agent_defs *defs = bx_agent_definitions(c.agent);
    struct bx_str name = bx_str(args->operands.p[0]);
    const struct bx_agent_def *d = bx_agent_defs_get(defs, name);
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    struct bx_jw w;
    int r = d ? 0 : bx_agent_defs_find(defs, name, &d, &err);
    bx_jw_init(&w, &out);
    if (r == 0 && bx_args_has(args, "json")) {
        bx_agent_def_write(d, true, &w);
        bx_buf_addc(&out, '\n');
    } else if (r == 0) {
        add_members(d, &out);
    }
    bx_agent_defs_free(defs);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

static void fill_in(const struct bx_file_blob *example, const char *name, struct bx_buf *out) {
    struct bx_str text = bx_str_n((const char *)example->content.p, example->content.n);
    for (size_t at; (at = bx_str_find_str(text, BX_STR_LIT(PLACEHOLDER))) != (size_t)-1;) {
        bx_buf_adds(out, bx_str_slice(text, 0, at));
        bx_buf_addz(out, name);
        text = bx_str_slice(text, at + strlen(PLACEHOLDER), text.n);
    }
    bx_buf_adds(out, text);
}

/* Where the new file goes: --out, the user's folder, or the workspace's. The caller's. */
static int new_path(const struct bx_args *args, const char *name, char **ret, struct bx_err *err) {
    struct bx_workspace w;
    bx_auto(bx_freep) char *file = bx_asprintf("%s.md", name);
    bx_auto(bx_freep) char *users = bx_agents_dir();
    *ret = NULL;
    if (bx_args_get(args, "out"))
        *ret = bx_strdup(bx_args_get(args, "out"));
    else if (bx_args_has(args, "user"))
        *ret = bx_path_join(users, file);
    if (*ret)
        return 0;
    int r = bx_workspace_find(args, NULL, true, &w, err);
    if (r < 0)
        return r;
    bx_auto(bx_freep) char *folder = bx_path_join(w.state, "agents");
    *ret = bx_path_join(folder, file);
    bx_workspace_deinit(&w);
    return 0;
}

int bx_cmd_agent_new(const struct bx_args *args) {
    struct bx_err err;
    const char *name = args->operands.p[0];
    bx_auto(bx_freep) char *path = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(TEXT_MAX);
    if (bx_agent_def_check_name(name, &err) < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    int r = new_path(args, name, &path, &err);
    if (r == 0 && bx_file_exists(path))
        r = bx_fail(&err, BX_ERR_EXISTS, "%s is there already: choose another name, or --out PATH",
                    path);
    if (r == 0) {
        bx_auto(bx_freep) char *folder = bx_path_dir(path);
        fill_in(bx_agent_examples, name, &text);
        r = bx_dir_make(folder, 0700, &err);
        r = r < 0 ? r : bx_file_write_atomic(path, bx_buf_str(&text), 0600, &err);
    }
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(8 * BX_KIB);
    bx_buf_addf(&out,
                "%s is an agent to fill in: its description, and what it is to do.\n"
                "  boxagnts agent check %s\n"
                "It counts from the next run on, without a new start.\n",
                path, path);
    return bx_cli_print(&out);
}

int bx_cmd_agent_check(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_agent_def d;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(TEXT_MAX);
    if (bx_file_read(args->operands.p[0], &text, &err) < 0 || open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    bx_agent_def_parse(bx_buf_str(&text), args->operands.p[0], c.registry, &d);
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    bool broken = d.problem != NULL;
    if (broken)
        bx_buf_addf(&out, "broken: %s\n", d.problem);
    else
        bx_buf_addf(&out, "%s: ok\n", d.name);
    if (d.warning)
        bx_buf_addf(&out, "warning: %s\n", d.warning);
    bx_agent_def_deinit(&d);
    bx_cli_context_close(&c);
    int code = bx_cli_print(&out);
    return broken ? BX_EXIT_FAILED : code;
}

int bx_cmd_agent_remove(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_agent_defs *defs = bx_agent_definitions(c.agent);
    int r = bx_agent_def_remove(defs, args->operands.p[0], &err);
    bx_agent_defs_free(defs);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}
