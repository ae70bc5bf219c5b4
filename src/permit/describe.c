#include "permit/permit.h"

#define NAMES_SHOWN 3

static void add_names(struct bx_buf *out, const char *const *names, size_t count) {
    for (size_t i = 0; i < BX_MIN(count, NAMES_SHOWN); i++)
        bx_buf_addf(out, "%s%.200s", i == 0 ? "" : i + 1 == count ? " and " : ", ", names[i]);
    if (count > NAMES_SHOWN)
        bx_buf_addf(out, " and %zu more", count - NAMES_SHOWN);
}

void bx_permit_describe(const struct bx_permit_request *req, struct bx_buf *out) {
    static const char *const verbs[BX_LEVEL_COUNT] = {"use",
                                                      "read",
                                                      "change",
                                                      "run programs with",
                                                      "do something dangerous with",
                                                      "do what is forbidden with"};
    bx_buf_addf(out, "Let `%s` ", req->tool);
    if (req->command)
        bx_buf_addf(out, "run “%.300s”", req->command);
    else if (req->path_count)
        bx_buf_addf(out, "%s ", verbs[req->level]), add_names(out, req->paths, req->path_count);
    else if (!req->host_count)
        bx_buf_addf(out, "run (level %s)", bx_level_name(req->level));
    if (req->host_count) {
        bx_buf_addz(out, req->command || req->path_count ? " and reach " : "reach ");
        add_names(out, req->hosts, req->host_count);
    }
    if (req->paths_outside_root)
        bx_buf_addz(out, " (which leads outside the root)");
    if (req->guarded_path)
        bx_buf_addf(out, " (%.200s is a file that your own programs run or obey)",
                    req->guarded_path);
    bx_buf_addf(out, ", %s the sandbox, this once", req->in_box ? "inside" : "outside");
}
