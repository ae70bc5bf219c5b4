/* grant list, add, remove: what tools may use beside the settings; works beside a running server,
 * but for a session's grants, which belong to its owner. verify: the receipts' chain. */
#include "base/path.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"

static int open_agent(const struct bx_args *args, bool owner, struct bx_cli_context *ret,
                      struct bx_err *err) {
    return bx_cli_context_open(
        args, NULL,
        &(struct bx_context_options){.store_mode = owner ? BX_STORE_OWNER : BX_STORE_READER}, ret,
        err);
}

static void add_text(const struct bx_val *g, struct bx_buf *out) {
    static const char *const whats[] = {"host", "path", "command"};
    bx_buf_addf(out, BX_STR_FMT "  %-7s " BX_STR_FMT, BX_STR_ARG(bx_val_get_str(g, "id")),
                bx_val_get_z(g, "verdict"), BX_STR_ARG(bx_val_get_str(g, "tool")));
    for (size_t i = 0; i < BX_ARRAY_LEN(whats); i++)
        if (bx_val_get_z(g, whats[i]))
            bx_buf_addf(out, " %s %.200s", whats[i], bx_val_get_z(g, whats[i]));
    if (bx_val_get(g, "limits")) {
        struct bx_jw w;
        bx_buf_addz(out, " limits ");
        bx_jw_init(&w, out);
        bx_jw_val(&w, bx_val_get(g, "limits"));
    }
    bx_buf_addf(out, "  (%s, %s", bx_val_get_z(g, "scope"), bx_val_get_z(g, "state"));
    if (bx_val_is(bx_val_get(g, "calls_left"), BX_VAL_INT))
        bx_buf_addf(out, ", %" PRIi64 " calls left", bx_val_get_int(g, "calls_left", 0));
    if (bx_val_get_z(g, "expires_at"))
        bx_buf_addf(out, ", until %s", bx_val_get_z(g, "expires_at"));
    bx_buf_addz(out, ")\n");
}

int bx_cmd_grant_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_agent(args, false, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB), text = BX_BUF_INIT(16 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_arr(&w);
    int r = bx_agent_list_grants(c.agent, bx_args_get(args, "session"), &w, &err);
    if (r == 0) {
        bx_jw_end(&w);
        r = bx_doc_parse(bx_buf_str(&out), NULL, &doc, &err);
    }
    if (r == 0 && !bx_args_has(args, "json"))
        bx_val_foreach_item (bx_doc_root(doc), grant)
            add_text(grant, &text);
    bx_cli_context_close(&c);
    if (r < 0 || !bx_args_has(args, "json"))
        bx_buf_deinit(&out);
    else
        bx_buf_addc(&out, '\n');
    if (r < 0) {
        bx_buf_deinit(&text);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    return bx_cli_print(bx_args_has(args, "json") ? &out : &text);
}

/* "1h" → seconds, by the units of limits. */
static int add_expiry(struct bx_jw *w, const char *text, struct bx_err *err) {
    struct bx_limits scratch;
    bx_limits_init(&scratch);
    int r = bx_limits_set(&scratch, BX_STR_LIT("time"), bx_str(text), NULL);
    if (r < 0)
        return bx_fail(err, BX_ERR_INVALID,
                       "--expires %.40s: write a time such as 15m or 8h (at most 24h)", text);
    bx_jw_kuint(w, "expires_in_s", BX_MAX(scratch.value[BX_LIMIT_TIME] / 1000, 1));
    return 0;
}

static int write_grant(const struct bx_args *args, struct bx_buf *out, struct bx_err *err) {
    bx_auto(bx_freep) const char **limits = bx_args_all(args, "limit");
    const char *expires = bx_args_get(args, "expires"), *scope = bx_args_get(args, "scope"),
               *host = bx_args_get(args, "host"), *path = bx_args_get(args, "path"),
               *command = bx_args_get(args, "command");
    uint64_t calls = 0;
    struct bx_jw w;
    int r = bx_args_number(args, "max-calls", 1, 1000000, 0, &calls, err);
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "tool", args->operands.p[0]);
    if (bx_args_has(args, "deny") && bx_args_has(args, "ask"))
        r = bx_fail(err, BX_ERR_INVALID, "say --deny or --ask, not both");
    if (bx_args_has(args, "deny") || bx_args_has(args, "ask"))
        bx_jw_kstr(&w, "verdict", bx_args_has(args, "deny") ? "deny" : "ask");
    if (host)
        bx_jw_kstr(&w, "host", host);
    if (command)
        bx_jw_kstr(&w, "command", command);
    if (path)
        bx_jw_kstr(&w, "path", path);
    if (limits[0]) {
        bx_jw_kobj(&w, "limits");
        for (size_t i = 0; limits[i] && r == 0; i++) {
            struct bx_str rest = bx_str(limits[i]), name = {0};
            if (!bx_str_split(&rest, '=', &name) || !rest.p)
                r = bx_fail(err, BX_ERR_INVALID,
                            "write a limit as NAME=VALUE, for example time=60s");
            bx_jw_keys(&w, name);
            bx_jw_str(&w, rest);
        }
        bx_jw_end(&w);
    }
    if (r == 0 && expires)
        r = add_expiry(&w, expires, err);
    if (calls)
        bx_jw_kuint(&w, "max_calls", calls);
    bx_jw_kstr(&w, "scope", scope ? scope : bx_args_get(args, "session") ? "session" : "workspace");
    bx_jw_end(&w);
    return r;
}

int bx_cmd_grant_add(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    char id[37];
    bx_auto(bx_doc_freep) struct bx_doc *grant = NULL;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    const char *session = bx_args_get(args, "session");
    int r = write_grant(args, &text, &err);
    if (r == 0)
        r = bx_doc_parse(bx_buf_str(&text), NULL, &grant, &err);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    if (open_agent(args, session != NULL, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    r = bx_agent_add_grant(c.agent, bx_doc_root(grant), session, id, &err);
    bx_cli_context_close(&c);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(64);
    bx_buf_addf(&out, "%s\n", id);
    return bx_cli_print(&out);
}

int bx_cmd_grant_remove(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    const char *session = bx_args_get(args, "session");
    if (open_agent(args, session != NULL, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    int r = bx_agent_remove_grant(c.agent, args->operands.p[0], session, &err);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_verify(const struct bx_args *args) {
    struct bx_workspace w;
    struct bx_err err;
    size_t count = 0;
    if (bx_workspace_find(args, NULL, false, &w, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    bx_auto(bx_freep) char *dir = bx_path_join(w.state, "receipts");
    int r = bx_receipts_verify(dir, &count, &err);
    bx_workspace_deinit(&w);
    if (r < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(200);
    bx_buf_addf(&out, "%zu receipts; each fits the one before it\n", count);
    return bx_cli_print(&out);
}
