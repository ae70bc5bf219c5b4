#include "tools/descriptor.h"

#include "json/schema.h"
#include "json/write.h"

#define MAX_DESCRIPTOR_BYTES (256 * BX_KIB)

static bool name_is_valid(const char *name) {
    size_t n = strlen(name);
    return n >= 1 && n <= 128 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == n;
}

static char *json_text(const struct bx_val *v) {
    struct bx_buf out = BX_BUF_INIT(4 * MAX_DESCRIPTOR_BYTES);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_val(&w, v);
    return bx_buf_steal(&out);
}

static char *path_members(const struct bx_val *root) {
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB);
    const struct bx_val *said = bx_val_get(root, "path_members");
    if (bx_val_is(said, BX_VAL_STR))
        return bx_strdup(bx_val_z(said));
    if (bx_val_is(said, BX_VAL_ARR)) {
        bx_val_foreach_item (said, item)
            bx_buf_addf(&out, "%s%s", out.size ? "," : "", bx_val_z(item) ? bx_val_z(item) : "");
    } else {
        static const char *const usual[] = {"file_path", "path", "paths", "cwd"};
        const struct bx_val *properties =
            bx_val_get(bx_val_get(root, "input_schema"), "properties");
        for (size_t i = 0; i < BX_ARRAY_LEN(usual); i++)
            if (bx_val_get(properties, usual[i]))
                bx_buf_addf(&out, "%s%s", out.size ? "," : "", usual[i]);
    }
    bx_buf_addz(&out, "");
    return bx_buf_steal(&out);
}

static int parse_input(const struct bx_val *v, enum bx_tool_input *ret, struct bx_err *err) {
    static const char *const names[] = {
        [BX_INPUT_JSON] = "json", [BX_INPUT_ARGV] = "argv", [BX_INPUT_STDIN] = "stdin"};
    *ret = BX_INPUT_JSON;
    if (!v)
        return 0;
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++) {
        if (bx_str_eqz(bx_val_str(v), names[i])) {
            *ret = (enum bx_tool_input)i;
            return 0;
        }
    }
    return bx_fail(err, BX_ERR_INVALID, "\"input\" must be \"json\", \"argv\" or \"stdin\"");
}

static int read_members(struct bx_descriptor *d, const char *fallback_name, struct bx_err *err) {
    const struct bx_val *root = bx_doc_root(d->doc);
    if (!bx_val_is(root, BX_VAL_OBJ))
        return bx_fail(err, BX_ERR_INVALID, "a descriptor is a JSON object, not %s",
                       bx_val_type_name(root));
    d->name = bx_val_get_z(root, "name") ? bx_val_get_z(root, "name") : fallback_name;
    if (!d->name || !name_is_valid(d->name))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"name\" must be 1 to 128 letters, digits, '_', '.' or '-'");
    d->version = bx_val_get_z(root, "version") ? bx_val_get_z(root, "version") : "";
    d->description = bx_val_get_z(root, "description");
    if (!d->description || !*d->description)
        return bx_fail(err, BX_ERR_INVALID,
                       "\"description\" is missing: a model must know what %s does", d->name);
    struct bx_str level = bx_val_get_str(root, "permission_level");
    if (!bx_level_parse(level, &d->level))
        return bx_fail(
            err, BX_ERR_INVALID,
            "\"permission_level\" must be none, read_only, write, execute, dangerous or forbidden");
    d->schema = bx_val_get(root, "input_schema");
    int rc = bx_schema_validate(d->schema, err);
    if (rc)
        return bx_wrap(err, rc, "\"input_schema\"");
    rc = parse_input(bx_val_get(root, "input"), &d->input, err);
    if (rc)
        return rc;
    const struct bx_val *effect = bx_val_get(root, "file_effect");
    if (effect && !bx_file_effect_parse(bx_val_str(effect), &d->file_effect))
        return bx_fail(err, BX_ERR_INVALID,
                       "\"file_effect\" must be \"sees\", \"changes\" or \"replaces\"");
    d->wants = bx_val_get(root, "wants");
    struct bx_limits scratch;
    bx_limits_init(&scratch);
    if ((rc = bx_limits_lower(&scratch, bx_val_get(d->wants, "limits"), err)))
        return bx_wrap(err, rc, "\"wants\"");
    d->command_member = bx_val_get_z(root, "command_member");
    d->timeout_member = bx_val_get_z(root, "timeout_member");
    d->streams = bx_str_eqz(bx_val_get_str(root, "output"), "streams");
    if (bx_val_get(root, "output") && !d->streams)
        return bx_fail(err, BX_ERR_INVALID, "\"output\" can only be \"streams\"");
    d->path_members = path_members(root);
    d->schema_text = json_text(d->schema);
    d->example = bx_val_get(root, "example") ? json_text(bx_val_get(root, "example")) : NULL;
    return 0;
}

int bx_descriptor_parse(struct bx_str text, const char *fallback_name, struct bx_descriptor *ret,
                        struct bx_err *err) {
    struct bx_descriptor d = {0};
    struct bx_json_limits limits = {.max_size_bytes = MAX_DESCRIPTOR_BYTES, .max_depth = 32};
    int rc = bx_doc_parse(text, &limits, &d.doc, err);
    if (!rc)
        rc = read_members(&d, fallback_name, err);
    if (rc) {
        bx_descriptor_deinit(&d);
        return bx_wrap(err, rc, "the tool's description");
    }
    *ret = d;
    return 0;
}

void bx_descriptor_deinit(struct bx_descriptor *d) {
    bx_doc_free(d->doc);
    bx_free(d->schema_text);
    bx_free(d->example);
    bx_free(d->path_members);
    *d = (struct bx_descriptor){0};
}
