/* What calls were recorded, for the page. Worker threads. */
#include "api/call.h"
#include "base/path.h"
#include "box/receipt_read.h"

int bx_route_receipts(struct bx_api_call *c, struct bx_err *err) {
    uint64_t limit;
    bx_auto(bx_buf_deinit) struct bx_buf tool = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    bx_auto(bx_freep) char *dir = bx_path_join(bx_store_dir(c->api->config->store), "receipts");
    int r = bx_call_query_uint(c, "limit", 1, 500, 50, &limit, err);
    if (r < 0)
        return r;
    bool has_tool = bx_http_query(c->req, "tool", &tool) && tool.size;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_key(w, "receipts");
    bx_receipts_recent(dir, has_tool ? bx_buf_z(&tool) : NULL, (size_t)limit, w);
    bx_jw_end(w);
    return 0;
}
