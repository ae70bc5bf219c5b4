#include "tools/native.h"

struct native_tool {
    struct bx_tool tool;
    struct bx_doc *schema_doc;
};

static void native_destroy(struct bx_tool *t) {
    struct native_tool *n = (struct native_tool *)t;
    bx_doc_free(n->schema_doc);
    bx_free(n);
}

struct bx_tool *bx_native_tool_new(const struct bx_native_spec *spec) {
    struct native_tool *n = bx_new(struct native_tool);
    struct bx_err err;
    if (bx_doc_parse(bx_str(spec->schema), NULL, &n->schema_doc, &err))
        bx_die("schema of the built-in tool %s: %s", spec->name, err.msg);
    n->tool = (struct bx_tool){
        .name = spec->name,
        .description = spec->description,
        .version = BX_VERSION,
        .kind = BX_TOOL_NATIVE,
        .level = spec->level,
        .source = "built in",
        .schema_text = spec->schema,
        .schema = bx_doc_root(n->schema_doc),
        .example = spec->example,
        .path_members = spec->path_members ? spec->path_members : "",
        .execute = spec->execute,
        .destroy = native_destroy,
        .refs = 1,
    };
    return &n->tool;
}
