/* mcp.json: what was approved, and what each server said last, so that its tools are known before
 * it is started. */
#include "base/file.h"
#include "base/path.h"
#include "mcp/internal.h"

#define STATE_MAX (32 * BX_MIB)

static void read_entry(struct bx_mcp_server *s, const struct bx_val *v) {
    struct bx_mcp_entry e = {.name = NULL};
    (void)bx_mcp_definition_read(bx_val_get(v, "approved"), &e.approved, NULL);
    (void)bx_mcp_definition_read(bx_val_get(v, "now"), &e.now, NULL);
    const char *name = e.approved.doc ? bx_mcp_definition_name(&e.approved)
                       : e.now.doc    ? bx_mcp_definition_name(&e.now)
                                      : NULL;
    if (!name || s->entries.n >= BX_MCP_TOOLS_MAX)
        return;
    e.name = bx_strdup(name);
    bx_vec_push(&s->entries, e);
}

/* Only for the entry that it was written for: another program or another URL is another server. */
static void read_server(struct bx_mcp_server *s, const struct bx_val *v) {
    if (!v || !bx_str_eqz(bx_val_get_str(v, "config"), s->config.digest))
        return;
    BX_LOCKED(&s->lock);
    s->approved = !s->config.from_root || bx_val_get_bool(v, "approved", false);
    s->listed = bx_val_get_bool(v, "listed", false);
    s->resources = bx_val_get_bool(v, "resources", false);
    s->prompts = bx_val_get_bool(v, "prompts", false);
    snprintf(s->version, sizeof s->version, "%s",
             bx_val_get_z(v, "version") ? bx_val_get_z(v, "version") : "");
    snprintf(s->about, sizeof s->about, "%s",
             bx_val_get_z(v, "about") ? bx_val_get_z(v, "about") : "");
    bx_val_foreach_item (bx_val_get(v, "tools"), entry)
        read_entry(s, entry);
}

void bx_mcp_state_read(struct bx_mcp *m, struct bx_mcp_server *const *servers, size_t count) {
    bx_auto(bx_freep) char *path = bx_path_join(m->state_dir, "mcp.json");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = STATE_MAX};
    if (bx_doc_read_file(path, &limits, &doc, NULL))
        return; /* none yet; without it every server is a new one */
    for (size_t i = 0; i < count; i++)
        read_server(servers[i],
                    bx_val_get(bx_val_get(bx_doc_root(doc), "servers"), servers[i]->config.name));
}

static void write_definition(struct bx_jw *w, const char *key, const struct bx_mcp_definition *d) {
    if (d->doc)
        bx_jw_kval(w, key, bx_doc_root(d->doc));
}

static void write_server(struct bx_mcp_server *s, struct bx_jw *w) {
    BX_LOCKED(&s->lock);
    bx_jw_kobj(w, s->config.name);
    bx_jw_kstr(w, "config", s->config.digest);
    bx_jw_kbool(w, "approved", s->approved);
    bx_jw_kbool(w, "listed", s->listed);
    bx_jw_kbool(w, "resources", s->resources);
    bx_jw_kbool(w, "prompts", s->prompts);
    bx_jw_kstr(w, "version", s->version);
    bx_jw_kstr(w, "about", s->about);
    bx_jw_karr(w, "tools");
    for (size_t i = 0; i < s->entries.n; i++) {
        bx_jw_obj(w);
        write_definition(w, "approved", &s->entries.p[i].approved);
        write_definition(w, "now", &s->entries.p[i].now);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_end(w);
}

void bx_mcp_state_write(struct bx_mcp *m) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(STATE_MAX);
    bx_auto(bx_freep) char *path = bx_path_join(m->state_dir, "mcp.json");
    struct bx_jw w;
    BX_LOCKED(&m->state_lock);
    size_t count;
    struct bx_mcp_server **all = bx_mcp_all(m, &count);
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kuint(&w, "v", 1);
    bx_jw_kobj(&w, "servers");
    for (size_t i = 0; i < count; i++) {
        if (!all[i]->broken)
            write_server(all[i], &w);
        bx_mcp_server_unref(all[i]);
    }
    bx_free(all);
    bx_jw_end(&w);
    bx_jw_end(&w);
    bx_buf_addc(&text, '\n');
    if (!bx_buf_failed(&text))
        (void)bx_file_write_atomic(path, bx_buf_str(&text), 0600, NULL);
}
