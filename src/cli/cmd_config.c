/* config get, set, path */
#include "base/path.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"

int bx_cmd_config_get(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    if (bx_cli_store_open(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = bx_settings_load(c.store, &c.settings, &err);
    if (r == 0) {
        const struct bx_val *v = bx_doc_root(c.settings);
        if (args->operands.n) {
            v = bx_val_get(v, args->operands.p[0]);
            if (!v) {
                r = bx_fail(&err, BX_ERR_NOTFOUND, "the setting \"%.60s\" is not set",
                            args->operands.p[0]);
            }
        }
        if (r == 0 && bx_val_is(v, BX_VAL_STR)) {
            bx_buf_adds(&out, bx_val_str(v));
        } else if (r == 0) {
            bx_json_pretty(&out, v);
        }
        bx_buf_addc(&out, '\n');
    }
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

/* VALUE is JSON when it parses as such, else a plain string: `config set model tour` and `config
 * set max_turns 20`. */
int bx_cmd_config_set(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_doc *value = NULL, *patch = NULL;
    struct bx_buf text = BX_BUF_INIT(16 * BX_MIB);
    struct bx_jw w;
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_key(&w, args->operands.p[0]);
    if (bx_doc_parse(bx_str(args->operands.p[1]), NULL, &value, NULL) == 0) {
        bx_jw_val(&w, bx_doc_root(value));
    } else {
        bx_jw_z(&w, args->operands.p[1]);
    }
    bx_jw_end(&w);
    bx_doc_free(value);
    int r = bx_doc_parse(bx_buf_str(&text), NULL, &patch, &err);
    bx_buf_deinit(&text);
    if (r == 0) {
        r = bx_cli_store_open(args, BX_STORE_OWNER, &c, &err);
        if (r == 0) {
            r = bx_settings_patch(c.store, bx_doc_root(patch), &err);
            bx_cli_context_close(&c);
        }
    }
    bx_doc_free(patch);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_config_path(const struct bx_args *args) {
    struct bx_workspace w;
    struct bx_err err;
    if (bx_workspace_find(args, NULL, false, &w, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(8 * BX_KIB);
    bx_buf_addf(&out, "%s/settings.json\n", w.state);
    bx_workspace_deinit(&w);
    return bx_cli_print(&out);
}
