/* Skills: what they are, and the workspace's own. Worker threads. */
#include "agent/history.h"
#include "api/call.h"
#include "api/skill_watch.h"
#include "skills/check.h"
#include "skills/expand.h"
#include "skills/own.h"
#include "skills/trust.h"
#include "skills/write.h"
#include "tools/skill_tools.h"

#define FILES_MAX 200

static struct bx_skills *all_skills(struct bx_api_call *c) {
    return bx_registry_skills(c->api->config->registry, c->api->config->root);
}

static const char *state_of(struct bx_api_call *c) {
    return bx_store_dir(c->api->config->store);
}

static char *name_of(struct bx_api_call *c) {
    return bx_str_dup(bx_call_param(c, 0));
}

static void write_members(struct bx_api_call *c, struct bx_jw *w, const struct bx_skills *all,
                          const struct bx_skill *s) {
    bx_auto(bx_buf_deinit) struct bx_buf odd = BX_BUF_INIT(64 * BX_KIB),
                                         text = BX_BUF_INIT(2 * BX_MIB);
    bx_skill_check_tools(c->api->config->registry, &s->meta, &odd);
    bx_skill_write(w, s, all, bx_buf_z(&odd));
    if (bx_skill_text(s, &text, NULL))
        bx_buf_reset(&text);
    bx_jw_kint(w, "tokens", bx_tokens_estimate(bx_buf_str(&text)));
}

int bx_route_skills(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    struct bx_jw *w = bx_call_json(c, 200);
    (void)err;
    bx_jw_obj(w);
    bx_jw_karr(w, "skills");
    for (size_t i = 0; i < all->n; i++) {
        bx_jw_obj(w);
        write_members(c, w, all, &all->items[i]);
        bx_jw_end(w);
    }
    bx_jw_end(w);
    bx_jw_kbool(w, "cut", all->cut);
    bx_jw_end(w);
    return 0;
}

static void write_files(struct bx_jw *w, const struct bx_skill *s) {
    char *names[FILES_MAX];
    size_t n = bx_skill_files(s, names, FILES_MAX);
    bx_jw_karr(w, "files");
    for (size_t i = 0; i < n; i++) {
        bx_jw_z(w, names[i]);
        bx_free(names[i]);
    }
    bx_jw_end(w);
}

static int reply_skill(struct bx_api_call *c, const char *name, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    const struct bx_skill *s = bx_skills_get(all, bx_str(name));
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(2 * BX_MIB);
    if (!s)
        return bx_skills_missing(all, bx_str(name), err);
    int r = bx_skill_text(s, &text, err);
    if (r < 0 && r != BX_ERR_LIMIT)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    write_members(c, w, all, s);
    bx_jw_kstrn(w, "text", bx_buf_str(&text));
    write_files(w, s);
    bx_jw_end(w);
    return 0;
}

int bx_route_skill_get(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = name_of(c);
    return reply_skill(c, name, err);
}

int bx_route_skill_put(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = name_of(c);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    int r = bx_skill_put(state_of(c), all, name, bx_val_get_str(c->body, "text"), err);
    if (r == BX_ERR_INVALID || r == BX_ERR_LIMIT)
        snprintf(c->field, sizeof c->field, "text");
    bx_skill_watch_look(c->api->skill_watch);
    return r < 0 ? r : reply_skill(c, name, err);
}

int bx_route_skill_delete(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = name_of(c);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    int r = bx_skill_remove(state_of(c), all, name, err);
    bx_skill_watch_look(c->api->skill_watch);
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}

int bx_route_skill_check(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    bx_auto(bx_buf_deinit) struct bx_buf odd = BX_BUF_INIT(64 * BX_KIB);
    struct bx_skill_check check;
    (void)err;
    bx_skill_check(bx_val_get_str(c->body, "text"), NULL, all, &check);
    bx_skill_check_tools(c->api->config->registry, &check.meta, &odd);
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstr(w, "problem", check.problem);
    bx_jw_karr(w, "warnings");
    for (size_t i = 0; i < check.warnings.n; i++)
        bx_jw_z(w, check.warnings.p[i]);
    if (odd.size)
        bx_jw_str(w, bx_buf_str(&odd));
    bx_jw_end(w);
    bx_jw_end(w);
    bx_skill_check_deinit(&check);
    return 0;
}

int bx_route_skill_expand(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = name_of(c);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    struct bx_skill_use use;
    int r = bx_skill_expand(all, bx_str(name), bx_val_get_str(c->body, "args"), &use, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_kstr(w, "text", use.text);
    bx_jw_end(w);
    bx_skill_use_deinit(&use);
    return 0;
}

int bx_route_skill_trust(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_freep) char *name = name_of(c);
    bx_auto(bx_skills_freep) struct bx_skills *all = all_skills(c);
    int r = bx_skill_say_yes(state_of(c), all, name, bx_val_get_z(c->body, "digest"), err);
    bx_skill_watch_look(c->api->skill_watch);
    return r < 0 ? r : reply_skill(c, name, err);
}
