#include "tools/skill_tools.h"

#include "base/glob.h"

static bool fits_any(const char *pattern, struct bx_tool *const *all, size_t count) {
    size_t n = strcspn(pattern, "(");
    bx_auto(bx_freep) char *name = bx_str_dup(bx_str_trim(bx_str_n(pattern, n)));
    for (size_t i = 0; i < count; i++)
        if (bx_glob_text(name, bx_str(all[i]->name)))
            return true;
    return false;
}

void bx_skill_check_tools(struct bx_registry *r, const struct bx_skill_meta *m,
                          struct bx_buf *out) {
    size_t count = 0;
    bx_auto(bx_freep) struct bx_tool **all = bx_registry_all(r, &count);
    for (size_t i = 0; i < m->tools.n; i++) {
        if (fits_any(m->tools.p[i], all, count))
            continue;
        bx_auto(bx_freep) char *bare =
            bx_str_dup(bx_str_n(m->tools.p[i], strcspn(m->tools.p[i], "(")));
        bx_auto(bx_freep) char *nearest = bx_registry_nearest(r, bare);
        bx_buf_addf(out, "%s`%s` is no tool here%s%s%s", out->size ? "; " : "", m->tools.p[i],
                    nearest ? ": did you mean `" : "", nearest ? nearest : "", nearest ? "`?" : "");
    }
    for (size_t i = 0; i < count; i++)
        bx_tool_unref(all[i]);
}
