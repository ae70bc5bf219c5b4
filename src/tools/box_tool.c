#include "tools/box_internal.h"

#include "base/path.h"
#include "base/thread.h"
#include "base/vec.h"
#include "json/write.h"
#include "box/receipt.h"
#include "tools/guard.h"
#include "tools/mode.h"
#include "tools/network.h"
#include "tools/outbound.h"
#include "tools/reach.h"
#include "tools/shell.h"
#include "tools/session.h"

#define INPUT_MAX (64 * BX_MIB)

/* ---- input ---- */

struct call_input {
    struct bx_buf text;
    BX_VEC(char *) argv;
};

static void input_deinit(struct call_input *in) {
    bx_buf_deinit(&in->text);
    for (size_t i = 0; i < in->argv.n; i++)
        bx_free(in->argv.p[i]);
    bx_vec_free(&in->argv);
}

/* {"file_path":"/a","all":true,"n":3} → --file-path=/a --all=true --n=3 */
static void add_argument(struct call_input *in, struct bx_str key, const struct bx_val *value) {
    struct bx_buf arg = BX_BUF_INIT(16 * BX_MIB);
    if (bx_val_is(value, BX_VAL_NULL))
        return;
    bx_buf_addz(&arg, "--");
    for (size_t i = 0; i < key.n; i++)
        bx_buf_addc(&arg, key.p[i] == '_' ? '-' : key.p[i]);
    bx_buf_addc(&arg, '=');
    if (bx_val_is(value, BX_VAL_STR)) {
        bx_buf_adds(&arg, bx_val_str(value));
    } else {
        struct bx_jw w;
        bx_jw_init(&w, &arg);
        bx_jw_val(&w, value);
    }
    bx_vec_push(&in->argv, bx_buf_steal(&arg));
}

static void write_json(const struct bx_val *input, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_val(&w, input);
}

void bx_box_tool_script(const struct box_tool *b, const char *op, struct bx_str input,
                        const char *const *args, size_t count, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kobj(&w, "tool");
    bx_jw_kstr(&w, "op", op);
    bx_jw_kstr(&w, "file", bx_path_base(b->path));
    bx_jw_kstrn(&w, "source", bx_buf_str(&b->text));
    bx_jw_kstrn(&w, "input", input);
    bx_jw_karr(&w, "args");
    for (size_t i = 0; i < count; i++)
        bx_jw_z(&w, args[i]);
    bx_jw_end(&w);
    bx_jw_end(&w);
    bx_jw_end(&w);
}

/* Its function gets the object, its process.argv what a program would: options, or the object as
 * JSON. */
static void make_script_input(const struct box_tool *b, const struct bx_val *input,
                              struct call_input *in) {
    bx_auto(bx_buf_deinit) struct bx_buf json = BX_BUF_INIT(INPUT_MAX);
    bx_auto(input_deinit) struct call_input args = {.text = BX_BUF_INIT(0)};
    write_json(input, &json);
    if (b->descriptor.input == BX_INPUT_ARGV)
        bx_val_foreach_member (input, key, value)
            add_argument(&args, key, value);
    else
        bx_vec_push(&args.argv, bx_str_dup(bx_buf_str(&json)));
    bx_box_tool_script(b, "run", bx_buf_str(&json), (const char *const *)args.argv.p, args.argv.n,
                       &in->text);
}

static void make_input(const struct box_tool *b, const struct bx_val *input,
                       struct call_input *in) {
    bx_vec_push(&in->argv, bx_strdup(b->name));
    if (b->is_script) {
        make_script_input(b, input, in);
    } else if (b->descriptor.input == BX_INPUT_ARGV) {
        bx_val_foreach_member (input, key, value)
            add_argument(in, key, value);
    } else if (b->descriptor.input == BX_INPUT_STDIN) {
        bx_val_foreach_member (input, key, value)
            if (bx_str_eqz(key, "input") ||
                (bx_val_len(input) == 1 && bx_val_is(value, BX_VAL_STR)))
                bx_buf_adds(&in->text, bx_val_str(value));
    } else {
        write_json(input, &in->text);
    }
}

/* ---- output ---- */

static void add_text(struct bx_buf *out, struct bx_str text) {
    text = bx_str_trim(text);
    if (out->size && text.n)
        bx_buf_addc(out, '\n');
    bx_buf_adds(out, text);
}

static void plain_result(const struct bx_box_result *r, struct bx_tool_result *ret) {
    struct bx_buf text = BX_BUF_INIT(r->out.size + r->err.size + 4 * BX_KIB),
                  json = BX_BUF_INIT(SIZE_MAX / 2);
    bool failed = r->exit != BX_BOX_OK;
    bx_buf_adds(&text, bx_buf_str(&r->out));
    if (failed && r->exit == BX_BOX_ERROR)
        add_text(&text, bx_buf_str(&r->err));
    if (failed)
        add_text(&text, bx_str(r->message));
    if (failed && !text.size)
        bx_buf_addz(&text, "The tool failed and did not say why.");
    bx_json_quote(&json, bx_buf_str(&text));
    ret->content = bx_buf_steal(&json);
    ret->is_error = failed;
    bx_buf_deinit(&text);
}

/* What the tool said, and behind an error what only the host knows: which limit, which setting. */
static char *with_reason(struct bx_str said, const char *reason) {
    struct bx_buf text = BX_BUF_INIT(said.n + 4 * BX_KIB), json = BX_BUF_INIT(SIZE_MAX / 2);
    bx_buf_adds(&text, said);
    add_text(&text, bx_str(reason));
    bx_json_quote(&json, bx_buf_str(&text));
    bx_buf_deinit(&text);
    return bx_buf_steal(&json);
}

static char *json_of(const struct bx_val *v, size_t max) {
    struct bx_buf out = BX_BUF_INIT(max);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_val(&w, v);
    return bx_buf_steal(&out);
}

/* The object form; false when the output is not one. */
static bool object_result(const struct bx_box_result *r, const char *network,
                          struct bx_doc **ret_doc, struct bx_tool_result *ret) {
    struct bx_str text = bx_str_trim(bx_buf_str(&r->out));
    if (!text.n || text.p[0] != '{' || r->out_cut ||
        (r->exit != BX_BOX_OK && r->exit != BX_BOX_ERROR))
        return false;
    struct bx_json_limits limits = {.max_size_bytes = 256 * BX_MIB};
    if (bx_doc_parse(text, &limits, ret_doc, NULL))
        return false;
    const struct bx_val *content = bx_val_get(bx_doc_root(*ret_doc), "content");
    if (!bx_val_is(content, BX_VAL_STR) && !bx_val_is(content, BX_VAL_ARR))
        return false;
    ret->is_error =
        bx_val_get_bool(bx_doc_root(*ret_doc), "is_error", false) || r->exit == BX_BOX_ERROR;
    const char *reason = r->limit ? r->message : network;
    ret->content = ret->is_error && reason[0] && bx_val_is(content, BX_VAL_STR)
                       ? with_reason(bx_val_str(content), reason)
                       : json_of(content, SIZE_MAX / 2);
    return true;
}

/* The guest's own, and what it wrote to stderr: apart from the content, for people. */
static char *metadata(const struct bx_val *said, struct bx_str diagnostics) {
    if (!bx_val_len(said) && !diagnostics.n)
        return NULL;
    struct bx_buf out = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_val_foreach_member (said, key, value) {
        bx_jw_keys(&w, key);
        bx_jw_val(&w, value);
    }
    if (diagnostics.n)
        bx_jw_kstrn(&w, "stderr", diagnostics);
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

void bx_box_tool_result(const struct bx_box_result *r, const char *network,
                        struct bx_tool_result *ret) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (!object_result(r, network, &doc, ret))
        plain_result(r, ret);
    const struct bx_val *said = doc ? bx_val_get(bx_doc_root(doc), "metadata") : NULL;
    ret->metadata =
        metadata(bx_val_is(said, BX_VAL_OBJ) ? said : NULL, bx_str_trim(bx_buf_str(&r->err)));
    ret->limit = r->limit;
}

static void count_traffic(struct bx_tool_session *s, const struct bx_box_result *r) {
    if (!s || !r->host_count)
        return;
    BX_LOCKED(&s->lock);
    for (size_t i = 0; i < r->host_count; i++)
        bx_traffic_add(&s->traffic, r->hosts[i].host, r->hosts[i].sent_bytes,
                       r->hosts[i].received_bytes, r->hosts[i].denied);
}

static char *receipt(const struct box_tool *b, const struct bx_box_result *r) {
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB + r->host_count * BX_KIB); /* a name has 255 bytes */
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "id", r->receipt_id[0] ? r->receipt_id : NULL);
    bx_jw_kstr(&w, "tool", b->name);
    bx_jw_kobj(&w, "used");
    bx_jw_kuint(&w, "fuel", r->fuel_used);
    bx_jw_kuint(&w, "peak_memory", r->memory_peak_bytes);
    bx_jw_kuint(&w, "cpu_us", r->cpu_us);
    bx_jw_kuint(&w, "wall_us", r->wall_us);
    bx_jw_kuint(&w, "stdout_bytes", r->out.size);
    if (r->host_count)
        bx_receipt_write_hosts(&w, r->hosts, r->host_count);
    bx_jw_end(&w);
    bx_jw_kstr(&w, "limit", r->limit);
    bx_jw_kuint(&w, "walls", r->wall_parts);
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

/* ---- the call ---- */

int bx_box_tool_image(struct box_tool *b, bool fuel, const struct bx_image **ret,
                      struct bx_err *err) {
    *ret = NULL;
    if (!b->path || b->is_script)
        return 0; /* embedded: the box has it by name */
    BX_LOCKED(&b->lock);
    int rc = b->images[fuel]
                 ? 0
                 : bx_box_image(b->box, bx_buf_str(&b->text), fuel, &b->images[fuel], err);
    *ret = b->images[fuel];
    return rc;
}

/* One call, for the callbacks of the box */
struct on_call {
    struct bx_tool_ctx *ctx;
    struct bx_network_call outbound;
    struct bx_shell_call *shell; /* NULL: not one whose output are streams */
    struct bx_err network;       /* why its last request failed */
};

static int on_request(void *user, const struct bx_outbound_request *request,
                      struct bx_outbound_answer *answer, struct bx_err *err) {
    struct on_call *call = user;
    struct bx_err why = {0};
    int r = bx_network_answer(&call->outbound, request, answer, &why);
    call->network = why;
    if (err)
        *err = why;
    return r;
}

static void on_output(void *user, int fd, struct bx_str piece) {
    struct on_call *call = user;
    struct bx_tool_ctx *ctx = call->ctx;
    if (call->shell)
        bx_shell_output(call->shell, fd, piece);
    else if (ctx->on_output &&
             fd ==
                 STDERR_FILENO) /* stdout is the result, and may be JSON: shown when it is whole */
        ctx->on_output(ctx->user, "stderr", piece);
}

static void say_guarded(const struct bx_tool *t, struct bx_tool_result *ret) {
    bx_auto(bx_doc_freep) struct bx_doc *paths = NULL;
    if (bx_doc_parse(bx_str(ret->guarded), NULL, &paths, NULL))
        return;
    const char *first = bx_val_z(bx_val_at(bx_doc_root(paths), 0));
    bx_auto(bx_freep) char *line = bx_asprintf("boxagnts grant add %s --path '%s'", t->name, first);
    bx_tool_result_add(ret,
                       "The host put back what this call changed of files that the user's own "
                       "programs run or obey: %.2000s (guarded limit); %s would allow the first.",
                       ret->guarded, line);
    ret->limit = "guarded";
    bx_free(ret->denied);
    ret->denied = bx_denied_json("guarded", "path", first, "guarded_paths", line);
}

static char *not_started(const struct bx_box_result *r, const struct bx_grant *grant) {
    struct bx_buf out = BX_BUF_INIT(SIZE_MAX / 2);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_arr(&w);
    for (size_t i = 0; i < r->barred_count; i++) {
        const struct bx_bar *bar = &grant->bars[r->barred[i].bar];
        bx_jw_obj(&w);
        bx_jw_kstr(&w, "command", r->barred[i].command);
        bx_jw_kstr(&w, "pattern", bar->pattern);
        if (bar->rule)
            bx_jw_kstr(&w, "rule", bar->rule);
        bx_jw_kuint(&w, "times", r->barred[i].times);
        bx_jw_end(&w);
    }
    bx_jw_end(&w);
    return bx_buf_steal(&out);
}

/* Whatever became of what the guest said about it. */
static void say_not_started(const struct bx_box_result *r, const struct bx_grant *grant,
                            bool is_said, struct bx_tool_result *ret) {
    if (!r->barred_count)
        return;
    ret->not_started = not_started(r, grant);
    if (r->limit && strcmp(r->limit, "command") == 0 && !is_said)
        bx_tool_result_add(ret, "[%s]", r->message);
    if (!ret->denied)
        ret->denied = bx_denied_json("command", "command", r->barred[0].command, "rules", "");
}

/* The call itself, between what the host does before and after it for the files that it names. */
static int call_box(struct box_tool *b, const struct bx_box_request *request,
                    const struct bx_call_reach *reach, struct bx_tool_ctx *ctx,
                    struct bx_box_result *r, char **ret_guarded, struct bx_err *err) {
    struct bx_kept_modes modes = {.n = 0};
    bx_auto(bx_guard_deinit) struct bx_guard guard = {0};
    /* What runs programs, or comes from outside, may write where its input names nothing. */
    bool guards = b->tool.level >= BX_LEVEL_EXECUTE || (b->path && b->tool.level >= BX_LEVEL_WRITE);
    if (guards)
        bx_guard_keep(&guard, ctx->grant);
    if (b->tool.level >= BX_LEVEL_WRITE)
        bx_modes_keep(&modes, reach, ctx->grant);
    int rc = bx_box_call(b->box, request, ctx->cancel, r, err);
    bx_modes_restore(&modes, ctx->grant);
    if (guards)
        bx_guard_restore(&guard, ctx->grant, ctx->grants, ret_guarded);
    return rc;
}

int bx_box_tool_execute(const struct bx_tool *t, const struct bx_val *input,
                        struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    struct box_tool *b = (struct box_tool *)t; /* lock and images change, nothing else */
    bx_auto(input_deinit) struct call_input in = {.text = BX_BUF_INIT(INPUT_MAX)};
    const struct bx_image *image = NULL;
    int rc = bx_box_tool_image(b, ctx->grant->limits.value[BX_LIMIT_FUEL] != 0, &image, err);
    if (rc)
        return rc;
    make_input(b, input, &in);
    bx_auto(bx_shell_call_deinit) struct bx_shell_call shell = {.ctx = NULL};
    if (b->descriptor.streams)
        bx_shell_begin(&shell, input, b->descriptor.timeout_member, ctx);
    struct on_call call = {.ctx = ctx,
                           .outbound = {.tool = b->name, .ctx = ctx, .outbound = b->outbound},
                           .shell = shell.ctx ? &shell : NULL};
    struct bx_box_request request = {
        .tool = b->name,
        .embedded = b->is_script ? BX_SCRIPT_IMAGE : NULL,
        .digest = b->is_script ? b->digest : NULL,
        .image = image,
        .call_id = ctx->call_id,
        .permit = bx_tool_permit_said(ctx->permit),
        .input = bx_buf_str(&in.text),
        .argv = (const char *const *)in.argv.p,
        .argc = in.argv.n,
        .env = (const char *const *)shell.env.p,
        .env_count = shell.env.n,
        .grant = shell.ctx ? &shell.grant : ctx->grant,
        .repeatable = t->level <= BX_LEVEL_READ_ONLY,
        .output = on_output,
        .outbound = b->outbound ? on_request : NULL,
        .user = &call,
    };
    struct bx_box_result r = {0};
    struct bx_call_reach reach;
    struct bx_err stale = {0};
    bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
    bx_auto(bx_seen_call_deinit) struct bx_seen_call seen = {.n = 0};
    bx_tool_reach(t, input, ctx->grant, &arena, &reach);
    if (bx_seen_begin(&seen, ctx->session, b->descriptor.file_effect, &reach, ctx->grant, &stale)) {
        bx_tool_result_text(ret, true, "%s.", stale.msg);
        return 0;
    }
    rc = call_box(b, &request, &reach, ctx, &r, &ret->guarded, err);
    if (rc) {
        bx_free(call.outbound.denied);
        return rc;
    }
    if (shell.ctx)
        bx_shell_result(&shell, &r, ret);
    else
        bx_box_tool_result(&r, call.network.msg, ret);
    bx_seen_end(&seen, !ret->is_error);
    ret->denied = call.outbound.denied;
    say_not_started(&r, ctx->grant, shell.ctx || ret->is_error, ret);
    if (ret->guarded)
        say_guarded(t, ret);
    count_traffic(ctx->session, &r);
    ret->receipt = receipt(b, &r);
    bx_box_result_deinit(&r);
    return 0;
}

int bx_box_tool_wish(const struct bx_tool *t, struct bx_limits *limits, struct bx_err *err) {
    const struct box_tool *b = (const struct box_tool *)t;
    if (b->path && !limits->value[BX_LIMIT_FUEL])
        limits->value[BX_LIMIT_FUEL] = BX_LIMIT_FUEL_OUTSIDE;
    /* A deep stack is no more than address space: what is part of the binary gets what it asks for,
     * and what runs a script sees its recursion come to an end by itself. */
    const struct bx_val *stack =
        b->path ? NULL : bx_val_get(bx_val_get(b->descriptor.wants, "limits"), "stack");
    struct bx_str deep = b->is_script ? BX_STR_LIT("8MiB") : bx_val_str(stack);
    int rc = deep.n ? bx_limits_set(limits, BX_STR_LIT("stack"), deep, err) : 0;
    if (rc)
        return rc;
    return bx_limits_lower(limits, bx_val_get(b->descriptor.wants, "limits"), err);
}
