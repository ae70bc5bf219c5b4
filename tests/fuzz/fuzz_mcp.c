/* What an MCP server may send: messages, lists of tools, results. */
#include "fuzz/fuzz.h"
#include "mcp/content.h"
#include "mcp/definition.h"
#include "mcp/rpc.h"
#include "tools/embedded.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{"none", "{}"}};
const size_t bx_embedded_tool_count = 0;

static void look(const struct bx_val *result) {
    bx_val_foreach_item (bx_val_get(result, "tools"), item) {
        struct bx_mcp_definition d, again;
        if (bx_mcp_definition_make(item, &d, NULL) == 0) {
            if (bx_mcp_definition_read(bx_doc_root(d.doc), &again, NULL) ||
                strcmp(d.digest, again.digest))
                abort();
            bx_mcp_definition_deinit(&again);
            bx_mcp_definition_deinit(&d);
        }
    }
    struct bx_tool_result r = {0};
    bx_mcp_content_result("t", result, 4096, &r);
    struct bx_doc *doc = NULL;
    if (bx_doc_parse(bx_str(r.content), NULL, &doc, NULL))
        abort();
    bx_doc_free(doc);
    bx_tool_result_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_doc *doc = NULL;
    struct bx_rpc m;
    struct bx_buf text = BX_BUF_INIT(64 * BX_KIB);
    if (bx_rpc_parse(bx_str_n((const char *)data, size), &doc, &m, NULL) == 0) {
        if (bx_rpc_progress_id(&m))
            bx_rpc_progress_text(&m, &text);
        if (m.kind == BX_RPC_RESPONSE && m.result)
            look(m.result);
        bx_doc_free(doc);
    }
    bx_buf_deinit(&text);
    return 0;
}
