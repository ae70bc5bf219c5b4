/* An agent file: whatever the bytes, it has a name and is either broken with a reason or fits the
 * bounds; and what it narrows to is made of patterns that the permission check takes. */
#include "agent/agents.h"
#include "fuzz/fuzz.h"
#include "skills/front.h"
#include "tools/embedded.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

static void must(bool yes) {
    if (!yes)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_agent_def d;
    struct bx_narrow n;
    char by[80];
    bx_agent_def_parse(bx_str_n((const char *)data, size), "/root/.claude/agents/some.md", NULL,
                       &d);
    must(d.name && d.description && d.prompt && d.path);
    if (!d.problem) {
        must(bx_skill_name_ok(bx_str(d.name)));
        must(*d.description && strlen(d.description) <= BX_SKILL_DESCRIPTION_MAX &&
             !strchr(d.description, '\n'));
        must(*d.prompt && strlen(d.prompt) <= BX_AGENT_TEXT_MAX);
        must(d.max_turns <= BX_AGENT_TURNS_MAX && (!d.has_mode || d.mode != BX_MODE_BYPASS));
        bx_agent_def_narrow(&d, by, &n);
        for (size_t i = 0; n.tools && n.tools[i]; i++)
            must(bx_narrow_check_pattern(bx_str(n.tools[i]), NULL) == 0);
    }
    struct bx_buf json = BX_BUF_INIT(16 * BX_MIB);
    struct bx_doc *doc = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &json);
    bx_agent_def_write(&d, true, &w);
    must(bx_doc_parse(bx_buf_str(&json), NULL, &doc, NULL) == 0);
    bx_doc_free(doc);
    bx_buf_deinit(&json);
    bx_agent_def_deinit(&d);
    return 0;
}
