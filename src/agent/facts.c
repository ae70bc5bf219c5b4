#include "agent/internal.h"

#include "agent/memory.h"
#include "agent/pack.h"
#include "agent/request.h"
#include "base/id.h"
#include "base/utf8.h"

/* Pinned facts and attached packs: events that people (and a tool) append to a session, also while
 * it runs. */

static int append(struct bx_session *s, const char *type, const char *const *members,
                  const char *const *values, size_t n, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    for (size_t i = 0; i < n; i++)
        bx_jw_kstr(&w, members[i], values[i]);
    bx_jw_end(&w);
    return bx_session_append(s, type, bx_buf_str(&body), BX_DURABLE, NULL, err);
}

/* What the log says now; a history of its own, since the run's belongs to its thread. */
static int look(struct bx_session *s, struct bx_history **ret, struct bx_err *err) {
    *ret = bx_history_new(bx_session_header(s)->id, SIZE_MAX);
    return bx_history_catch_up(*ret, s, err);
}

int bx_agent_add_fact(struct bx_agent *a, struct bx_session *s, struct bx_str text, bool by_model,
                      char ret_id[static 37], struct bx_err *err) {
    (void)a;
    bx_auto(bx_history_freep) struct bx_history *h = NULL;
    text = bx_str_trim(text);
    if (!text.n)
        return bx_fail(err, BX_ERR_INVALID, "there is no fact: write what is to be kept in mind");
    if (text.n > BX_FACT_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT,
                       "a fact is at most %d bytes long, this is %zu: put more into a context pack",
                       BX_FACT_MAX_BYTES, text.n);
    int rc = look(s, &h, err);
    if (rc)
        return rc;
    if (bx_pinned_fact_bytes(&h->pinned) + text.n > BX_FACTS_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the facts of this session fill their %zu KiB: take one out first",
                       BX_FACTS_MAX_BYTES / BX_KIB);
    bx_auto(bx_freep) char *z = bx_str_dup(text);
    bx_id_new(ret_id);
    return append(s, "fact", (const char *const[]){"id", "text", "from"},
                  (const char *const[]){ret_id, z, by_model ? "model" : "user"}, 3, err);
}

int bx_agent_drop_fact(struct bx_agent *a, struct bx_session *s, const char *id,
                       struct bx_err *err) {
    (void)a;
    bx_auto(bx_history_freep) struct bx_history *h = NULL;
    int rc = look(s, &h, err);
    if (rc)
        return rc;
    if (!bx_pinned_fact(&h->pinned, bx_str(id)))
        return bx_fail(err, BX_ERR_NOTFOUND, "this session has no fact \"%.40s\"", id);
    return append(s, "fact_drop", (const char *const[]){"id"}, &id, 1, err);
}

static bool is_attached(const struct bx_history *h, const char *name) {
    for (size_t i = 0; i < h->pinned.packs.n; i++)
        if (strcmp(h->pinned.packs.p[i], name) == 0)
            return true;
    return false;
}

int bx_agent_attach_pack(struct bx_agent *a, struct bx_session *s, const char *name,
                         struct bx_err *err) {
    bx_auto(bx_history_freep) struct bx_history *h = NULL;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    int rc = bx_pack_get(bx_store_dir(a->store), name, &doc, err);
    if (rc || (rc = look(s, &h, err)) || is_attached(h, name))
        return rc;
    if (h->pinned.packs.n >= BX_PACKS_MAX)
        return bx_fail(err, BX_ERR_LIMIT, "a session has at most %d packs: take one out first",
                       BX_PACKS_MAX);
    return append(s, "attach", (const char *const[]){"pack"}, &name, 1, err);
}

int bx_agent_detach_pack(struct bx_agent *a, struct bx_session *s, const char *name,
                         struct bx_err *err) {
    (void)a;
    bx_auto(bx_history_freep) struct bx_history *h = NULL;
    int rc = look(s, &h, err);
    if (rc)
        return rc;
    if (!is_attached(h, name))
        return bx_fail(err, BX_ERR_NOTFOUND, "the pack \"%.64s\" is not attached to this session",
                       name);
    return append(s, "detach", (const char *const[]){"pack"}, &name, 1, err);
}

/* ---- memory and packs of the workspace ---- */

int bx_agent_memory(struct bx_agent *a, struct bx_jw *w, struct bx_err *err) {
    bx_auto(bx_freep) char *text = NULL, *path = bx_memory_path(bx_store_dir(a->store));
    int rc = bx_memory_read(bx_store_dir(a->store), &text, err);
    if (rc)
        return rc;
    char digest[BX_SHA256_HEX + 1];
    bx_memory_digest(text, digest);
    bx_jw_obj(w);
    bx_jw_kstr(w, "text", text);
    bx_jw_kstr(w, "digest", digest);
    bx_jw_kstr(w, "path", path);
    bx_jw_kint(w, "max_bytes", BX_MEMORY_MAX_BYTES);
    bx_jw_end(w);
    return 0;
}

int bx_agent_set_memory(struct bx_agent *a, struct bx_str text, const char *digest,
                        struct bx_err *err) {
    return bx_memory_write(bx_store_dir(a->store), text, digest, err);
}

void bx_agent_list_packs(struct bx_agent *a, struct bx_jw *w) {
    struct bx_pack_place place = bx_agent_pack_place(a);
    bx_pack_list(&place, w);
}

int bx_agent_get_pack(struct bx_agent *a, const char *name, struct bx_jw *w, struct bx_err *err) {
    struct bx_pack_place place = bx_agent_pack_place(a);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_freep) char *problem = NULL;
    int rc = bx_pack_get(place.state_dir, name, &doc, err);
    if (rc)
        return rc;
    bx_auto(bx_freep) char *text = bx_pack_text(&place, name, BX_PACK_TEXT_MAX, &problem);
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", name);
    bx_val_foreach_member (bx_doc_root(doc), key, value) {
        bx_jw_keys(w, key);
        bx_jw_val(w, value);
    }
    bx_jw_kint(w, "tokens", bx_tokens_estimate(bx_str(text)));
    if (problem)
        bx_jw_kstr(w, "problem", problem);
    bx_jw_end(w);
    return 0;
}

int bx_agent_put_pack(struct bx_agent *a, const char *name, const struct bx_val *pack,
                      struct bx_err *err) {
    return bx_pack_put(bx_store_dir(a->store), name, pack, err);
}

int bx_agent_remove_pack(struct bx_agent *a, const char *name, struct bx_err *err) {
    return bx_pack_remove(bx_store_dir(a->store), name, err);
}
