/* Tools as an MCP server would bring them, by the dozen. */
#ifndef BX_TESTS_UNIT_TOOLS_FAKES_H
#define BX_TESTS_UNIT_TOOLS_FAKES_H

#include "tools/registry.h"

struct fake {
    struct bx_tool tool;
    struct bx_doc *schema;
    char name[130], description[400];
};

static int fake_execute(const struct bx_tool *t, const struct bx_val *input, struct bx_tool_ctx *ctx,
                        struct bx_tool_result *ret, struct bx_err *err) {
    (void)input, (void)ctx, (void)err;
    bx_tool_result_text(ret, false, "%s ran", t->name);
    return 0;
}

static void fake_destroy(struct bx_tool *t) {
    struct fake *f = (struct fake *)t;
    bx_doc_free(f->schema);
    bx_free(f);
}

#define FAKE_SCHEMA "{\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"}},\"additionalProperties\":false}"

static struct bx_tool *fake_new(const char *name, const char *description) {
    struct fake *f = bx_new(struct fake);
    snprintf(f->name, sizeof f->name, "%s", name);
    snprintf(f->description, sizeof f->description, "%s", description);
    bx_doc_parse(bx_str(FAKE_SCHEMA), NULL, &f->schema, NULL);
    f->tool = (struct bx_tool){.name = f->name,
                               .description = f->description,
                               .version = "1",
                               .kind = BX_TOOL_MCP,
                               .level = BX_LEVEL_READ_ONLY,
                               .source = "mcp:fake",
                               .schema_text = FAKE_SCHEMA,
                               .schema = bx_doc_root(f->schema),
                               .path_members = "",
                               .execute = fake_execute,
                               .destroy = fake_destroy,
                               .refs = 1};
    return &f->tool;
}

/* `many` tools mcp__fake__item_00 … and four that mean something. */
static void fakes_register(struct bx_registry *r, size_t many) {
    static const char *const named[][2] = {
        {"mcp__hub__create_issue", "Opens a new issue in a repository"},
        {"mcp__hub__list_issues", "Lists the issues of a repository, filtered by state"},
        {"mcp__hub__createPullRequest", "Proposes a branch for merging"},
        {"mcp__mail__send", "Sends a message; can also create a draft. Not for issues"},
    };
    struct bx_tool *all[200];
    size_t n = 0;
    for (; n < BX_ARRAY_LEN(named); n++)
        all[n] = fake_new(named[n][0], named[n][1]);
    for (size_t i = 0; i < many; i++) {
        char name[40];
        snprintf(name, sizeof name, "mcp__fake__item_%02zu", i);
        all[n++] = fake_new(name, "Does something with a thing of its kind");
    }
    bx_registry_set_source(r, "mcp:fake", BX_RANK_MCP, all, n);
    for (size_t i = 0; i < n; i++)
        bx_tool_unref(all[i]);
}

#endif
