/* memory, memory add, memory set; pack list, show, put, remove. They read and write the workspace's
 * files as they are, also while a server runs: it reads them anew for each run. */
#include "agent/memory.h"
#include "agent/pack.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"

#define FILE_MAX (4 * BX_MIB)

/* Runs one of the functions below on the workspace; prints what it wrote. */
typedef int on_workspace(const struct bx_args *args, const struct bx_pack_place *place,
                         struct bx_buf *out, struct bx_err *err);

static int with(const struct bx_args *args, on_workspace *fn) {
    struct bx_cli_context c;
    struct bx_err err;
    if (bx_cli_store_open(args, BX_STORE_READER, &c, &err) < 0)
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    struct bx_pack_place place = {
        .state_dir = c.workspace.state, .root = c.workspace.root, .store = c.store};
    int r = fn(args, &place, &out, &err);
    bx_cli_context_close(&c);
    if (r < 0) {
        bx_buf_deinit(&out);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    return bx_cli_print(&out);
}

static int show_memory(const struct bx_args *args, const struct bx_pack_place *place,
                       struct bx_buf *out, struct bx_err *err) {
    (void)args;
    bx_auto(bx_freep) char *text = NULL;
    int r = bx_memory_read(place->state_dir, &text, err);
    if (r == 0)
        bx_buf_addz(out, text);
    return r;
}

static int add_memory(const struct bx_args *args, const struct bx_pack_place *place,
                      struct bx_buf *out, struct bx_err *err) {
    int r = bx_memory_add(place->state_dir, bx_str(args->operands.p[0]), err);
    if (r > 0)
        bx_buf_addz(out, "it is there already\n");
    return BX_MIN(r, 0);
}

static int set_memory(const struct bx_args *args, const struct bx_pack_place *place,
                      struct bx_buf *out, struct bx_err *err) {
    (void)out;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(FILE_MAX);
    int r = bx_file_read(args->operands.p[0], &text, err);
    return r < 0 ? r : bx_memory_write(place->state_dir, bx_buf_str(&text), NULL, err);
}

static int list_packs(const struct bx_args *args, const struct bx_pack_place *place,
                      struct bx_buf *out, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &json);
    bx_jw_arr(&w);
    bx_pack_list(place, &w);
    bx_jw_end(&w);
    int r = bx_doc_parse(bx_buf_str(&json), NULL, &doc, err);
    if (r < 0)
        return r;
    if (bx_args_has(args, "json")) {
        bx_json_pretty(out, bx_doc_root(doc));
        bx_buf_addc(out, '\n');
        return 0;
    }
    bx_val_foreach_item (bx_doc_root(doc), row) {
        const char *problem = bx_val_get_z(row, "problem");
        bx_buf_addf(out, "%-20s %3" PRId64 " items %6" PRId64 " tokens  %s%s%s\n",
                    bx_val_get_z(row, "name"), bx_val_get_int(row, "items", 0),
                    bx_val_get_int(row, "tokens", 0), bx_val_get_z(row, "description"),
                    problem ? "  missing: " : "", problem ? problem : "");
    }
    return 0;
}

static int show_pack(const struct bx_args *args, const struct bx_pack_place *place,
                     struct bx_buf *out, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int r = bx_pack_get(place->state_dir, args->operands.p[0], &doc, err);
    if (r < 0)
        return r;
    bx_json_pretty(out, bx_doc_root(doc));
    bx_buf_addc(out, '\n');
    return 0;
}

static int put_pack(const struct bx_args *args, const struct bx_pack_place *place,
                    struct bx_buf *out, struct bx_err *err) {
    (void)out;
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(FILE_MAX);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int r = bx_file_read(args->operands.p[1], &text, err);
    if (r == 0)
        r = bx_doc_parse(bx_buf_str(&text), NULL, &doc, err);
    if (r < 0)
        return bx_wrap(err, r, "%s", args->operands.p[1]);
    return bx_pack_put(place->state_dir, args->operands.p[0], bx_doc_root(doc), err);
}

static int remove_pack(const struct bx_args *args, const struct bx_pack_place *place,
                       struct bx_buf *out, struct bx_err *err) {
    (void)out;
    return bx_pack_remove(place->state_dir, args->operands.p[0], err);
}

int bx_cmd_memory_show(const struct bx_args *args) {
    return with(args, show_memory);
}
int bx_cmd_memory_add(const struct bx_args *args) {
    return with(args, add_memory);
}
int bx_cmd_memory_set(const struct bx_args *args) {
    return with(args, set_memory);
}
int bx_cmd_pack_list(const struct bx_args *args) {
    return with(args, list_packs);
}
int bx_cmd_pack_show(const struct bx_args *args) {
    return with(args, show_pack);
}
int bx_cmd_pack_put(const struct bx_args *args) {
    return with(args, put_pack);
}
int bx_cmd_pack_remove(const struct bx_args *args) {
    return with(args, remove_pack);
}
