/* How tools that run in the sandbox are made: embedded ones, WebAssembly files, JavaScript files.
 */
#include "tools/box_internal.h"

#include <stdatomic.h>

#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "json/write.h"

#define SCRIPT_SUFFIX ".js"
#define DESCRIBE_LIMITS                                                                            \
    { "time=5s", "fuel=200M", "memory=64MiB", "output=256KiB" }

/* So many tools from files have their compiled form open before the first call. Each is a
 * descriptor: those of the others are made at their first call, from the cache. */
#define READY_MAX 64
static atomic_uint ready;

static void box_destroy(struct bx_tool *t) {
    struct box_tool *b = (struct box_tool *)t;
    bx_descriptor_deinit(&b->descriptor);
    bx_buf_deinit(&b->text);
    bx_image_free(b->images[0]);
    bx_image_free(b->images[1]);
    if (b->is_ready)
        atomic_fetch_sub(&ready, 1);
    pthread_mutex_destroy(&b->lock);
    bx_free(b->name);
    bx_free(b->path);
    bx_free(b);
}

static struct box_tool *box_tool_new(struct bx_box *box, struct bx_outbound *outbound) {
    struct box_tool *b = bx_new(struct box_tool);
    b->box = box;
    b->outbound = outbound;
    b->text = BX_BUF_INIT(BX_IMAGE_WASM_MAX);
    b->tool.destroy = box_destroy;
    b->tool.refs = 1;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

static void digest_of(struct box_tool *b, struct bx_str descriptor) {
    char both[2 * BX_SHA256_HEX + 1];
    bx_sha256_hex_of(b->text.p, b->text.size, both);
    bx_sha256_hex_of(descriptor.p, descriptor.n, both + BX_SHA256_HEX);
    bx_sha256_hex_of(both, 2 * BX_SHA256_HEX, b->digest);
}

static int take_descriptor(struct box_tool *b, struct bx_str text, const char *fallback_name,
                           struct bx_err *err) {
    struct bx_descriptor *d = &b->descriptor;
    int rc = bx_descriptor_parse(text, fallback_name, d, err);
    if (rc)
        return rc;
    b->name = bx_strdup(d->name);
    if (b->path)
        digest_of(b, text);
    struct bx_tool made = {
        .name = b->name,
        .description = d->description,
        .version = d->version,
        .kind = BX_TOOL_BOX,
        .level = d->level,
        .source = b->path ? b->path : "built in",
        .digest = b->path ? b->digest : NULL,
        .schema_text = d->schema_text,
        .schema = d->schema,
        .example = d->example,
        .path_members = d->path_members,
        .command_member = d->command_member,
        .wants = d->wants,
        .execute = bx_box_tool_execute,
        .destroy = box_destroy,
        .refs = 1,
    };
    b->tool = made;
    return 0;
}

int bx_box_tool_embedded(struct bx_box *box, struct bx_outbound *outbound,
                         const struct bx_embedded_tool *e, struct bx_tool **ret,
                         struct bx_err *err) {
    struct box_tool *b = box_tool_new(box, outbound);
    int rc = take_descriptor(b, bx_str(e->descriptor), e->name, err);
    if (rc) {
        box_destroy(&b->tool);
        return bx_wrap(err, rc, "the embedded tool %s", e->name);
    }
    *ret = &b->tool;
    return 0;
}

/* One call under the limits of a description, without folders. The result is the caller's when it
 * is 0. */
static int ask(struct box_tool *b, struct bx_box_request *request, struct bx_box_result *ret,
               struct bx_err *err) {
    static const char *const limits[] = DESCRIBE_LIMITS;
    struct bx_grant grant;
    bx_grant_init(&grant);
    int rc = 0;
    for (size_t i = 0; i < BX_ARRAY_LEN(limits) && !rc; i++)
        rc = bx_limits_set_pair(&grant.limits, limits[i], err);
    if (!rc)
        rc = bx_box_tool_image(b, true, &request->image, err);
    if (rc)
        return rc;
    request->tool = bx_path_base(b->path);
    request->grant = &grant;
    request->repeatable = true;
    return bx_box_call(b->box, request, NULL, ret, err);
}

/* What it says to --describe; nothing when it fails, or is stopped. */
static int ask_guest(struct box_tool *b, struct bx_buf *ret_text, struct bx_err *err) {
    const char *const argv[] = {bx_path_base(b->path), "--describe"};
    struct bx_box_request request = {.argv = argv, .argc = 2};
    struct bx_box_result r = {0};
    int rc = ask(b, &request, &r, err);
    if (rc)
        return rc;
    if (r.exit == BX_BOX_OK)
        bx_buf_adds(ret_text, bx_buf_str(&r.out));
    bx_box_result_deinit(&r);
    return rc;
}

/* Can it be read, and what does it say of itself? op: "check", "describe". */
static int ask_script(struct box_tool *b, const char *op, struct bx_buf *ret_text,
                      struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf input = BX_BUF_INIT(SIZE_MAX / 2);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_box_tool_script(b, op, (struct bx_str){0}, NULL, 0, &input);
    struct bx_box_request request = {.embedded = BX_SCRIPT_IMAGE, .input = bx_buf_str(&input)};
    struct bx_box_result r = {0};
    int rc = ask(b, &request, &r, err);
    if (rc)
        return rc;
    if (r.limit)
        rc = bx_fail(err, BX_ERR_INVALID,
                     "it was stopped while it was read (%s limit): work belongs into the function "
                     "that it exports",
                     r.limit);
    else if (r.exit != BX_BOX_OK || bx_doc_parse(bx_buf_str(&r.out), NULL, &doc, NULL))
        rc = bx_fail(err, BX_ERR_INVALID, "it cannot be read: %s", r.message);
    struct bx_str said = doc ? bx_val_get_str(bx_doc_root(doc), "content") : (struct bx_str){0};
    if (!rc && bx_val_get_bool(bx_doc_root(doc), "is_error", false))
        rc = bx_fail(err, BX_ERR_INVALID, BX_STR_FMT, BX_STR_ARG(said));
    if (!rc)
        bx_buf_adds(ret_text, said);
    bx_box_result_deinit(&r);
    return rc;
}

static char *file_stem(const char *path) {
    struct bx_str name = bx_str(bx_path_base(path));
    size_t suffix = bx_str_ends(name, ".wasm")         ? strlen(".wasm")
                    : bx_str_ends(name, SCRIPT_SUFFIX) ? strlen(SCRIPT_SUFFIX)
                                                       : 0;
    return bx_str_dup(bx_str_slice(name, 0, name.n - suffix));
}

/* For a program that knows nothing of descriptions and is run by hand: whatever it is, it can be
 * boxed. */
static void generic_descriptor(const char *stem, struct bx_buf *out) {
    struct bx_buf name = BX_BUF_INIT(128);
    for (const char *c = stem; *c && name.size < 100; c++)
        bx_buf_addc(&name, strchr("_.-", *c) || (*c >= '0' && *c <= '9') ||
                                   (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
                               ? *c
                               : '_');
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_obj(&w);
    bx_jw_kstr(&w, "name", name.size ? bx_buf_z(&name) : "tool");
    bx_jw_kstr(&w, "version", "");
    bx_jw_kstr(&w, "description", "A WebAssembly program that does not describe itself.");
    bx_jw_kstr(&w, "permission_level", bx_level_name(BX_LEVEL_EXECUTE));
    bx_jw_kobj(&w, "input_schema");
    bx_jw_kstr(&w, "type", "object");
    bx_jw_end(&w);
    bx_jw_end(&w);
    bx_buf_deinit(&name);
}

static int describe_script(struct box_tool *b, const char *stem, bool is_described,
                           struct bx_buf *text, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf said = BX_BUF_INIT(256 * BX_KIB);
    int rc = ask_script(b, is_described ? "check" : "describe", &said, err);
    return rc ? rc : take_descriptor(b, bx_buf_str(is_described ? text : &said), stem, err);
}

static int describe(struct box_tool *b, struct bx_err *err) {
    bx_auto(bx_freep) char *stem = file_stem(b->path), *dir = bx_path_dir(b->path),
                           *name = bx_asprintf("%s.json", stem), *beside = bx_path_join(dir, name);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(256 * BX_KIB);
    bool is_described = bx_file_exists(beside);
    int rc = is_described ? bx_file_read(beside, &text, err) : 0;
    if (rc)
        return rc;
    if (b->is_script)
        return describe_script(b, stem, is_described, &text, err);
    if (is_described)
        return take_descriptor(b, bx_buf_str(&text), stem, err);
    rc = ask_guest(b, &text, err);
    if (!rc && (!text.size || take_descriptor(b, bx_buf_str(&text), stem, err))) {
        bx_free(b->name);
        b->name = NULL;
        bx_descriptor_deinit(&b->descriptor);
        bx_buf_reset(&text);
        generic_descriptor(stem, &text);
        rc = take_descriptor(b, bx_buf_str(&text), stem, err);
    }
    return rc;
}

int bx_box_tool_load(struct bx_box *box, struct bx_outbound *outbound, const char *path,
                     struct bx_tool **ret, struct bx_err *err) {
    struct box_tool *b = box_tool_new(box, outbound);
    b->path = bx_path_absolute(path);
    b->is_script = bx_str_ends(bx_str(b->path), SCRIPT_SUFFIX);
    int rc = bx_file_read(b->path, &b->text, err);
    const struct bx_image
        *image; /* made now: a file that does not compile is no tool, and the first call is fast */
    if (!rc && !b->text.size)
        rc = bx_fail(err, BX_ERR_INVALID, "this is not %s: the file is empty",
                     b->is_script ? "a tool" : "WebAssembly");
    if (!rc)
        rc = describe(b, err);
    if (!rc)
        rc = bx_box_tool_image(b, true, &image, err);
    if (rc)
        bx_wrap(err, rc, "%s", path);
    if (rc) {
        box_destroy(&b->tool);
        return rc;
    }
    if (b->is_script) {
        *ret = &b->tool;
        return 0;
    }
    b->is_ready = atomic_fetch_add(&ready, 1) < READY_MAX;
    if (!b->is_ready) {
        atomic_fetch_sub(&ready, 1);
        bx_image_free(b->images[true]);
        b->images[true] = NULL;
    }
    *ret = &b->tool;
    return 0;
}
