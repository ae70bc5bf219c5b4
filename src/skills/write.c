#include "skills/write.h"

#include "base/path.h"

const char *bx_skill_state(const struct bx_skill *s) {
    return s->problem ? "broken" : s->shadowed ? "shadowed" : s->untrusted ? "untrusted" : "ok";
}

char *bx_skill_why(const struct bx_skill *s, const struct bx_skills *all) {
    if (s->problem)
        return bx_strdup(s->problem);
    if (s->shadowed) {
        const struct bx_skill *nearer = bx_skills_get(all, bx_str(s->name));
        bx_auto(bx_freep) char *path = nearer ? bx_skill_path(nearer) : bx_strdup("");
        return bx_asprintf("a nearer one has its name: %s", path);
    }
    if (s->untrusted)
        return bx_strdup(s->approved && s->in_root ? "it has changed since somebody said yes to it"
                         : s->in_root ? "it came with the project and nobody has said yes to it yet"
                                      : "it is no longer what was added");
    return NULL;
}

static void write_texts(struct bx_jw *w, const char *key, const bx_texts *t) {
    bx_jw_karr(w, key);
    for (size_t i = 0; i < t->n; i++)
        bx_jw_z(w, t->p[i]);
    bx_jw_end(w);
}

static void write_params(struct bx_jw *w, const struct bx_skill_meta *m) {
    bx_jw_karr(w, "parameters");
    for (size_t i = 0; i < m->params.n; i++) {
        const struct bx_param *p = &m->params.p[i];
        bx_jw_obj(w);
        bx_jw_kstr(w, "name", p->name);
        bx_jw_kstr(w, "type", bx_param_type_name(p->type));
        bx_jw_kbool(w, "required", p->required);
        bx_jw_kstr(w, "default", p->preset);
        if (p->choices.n)
            write_texts(w, "enum", &p->choices);
        else
            bx_jw_kstr(w, "enum", NULL);
        bx_jw_kstr(w, "description", p->description);
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static void write_meta(struct bx_jw *w, const struct bx_skill_meta *m) {
    write_texts(w, "triggers", &m->triggers);
    write_params(w, m);
    if (m->narrows)
        write_texts(w, "tools", &m->tools);
    else
        bx_jw_kstr(w, "tools", NULL);
    write_texts(w, "uses", &m->uses);
    if (m->when)
        bx_jw_kstr(w, "when_to_use", m->when);
    if (m->license)
        bx_jw_kstr(w, "license", m->license);
    if (m->compatibility)
        bx_jw_kstr(w, "compatibility", m->compatibility);
}

void bx_skill_write(struct bx_jw *w, const struct bx_skill *s, const struct bx_skills *all,
                    const char *more_warning) {
    char digest[BX_SHA256_HEX + 1];
    bx_auto(bx_freep) char *folder = bx_skill_path(s), *path = bx_path_join(folder, BX_SKILL_FILE),
                           *why = bx_skill_why(s, all);
    bool both = s->warning && more_warning && *more_warning;
    bx_auto(bx_freep) char *warnings = bx_asprintf(
        "%s%s%s", s->warning ? s->warning : "", both ? "; " : "", more_warning ? more_warning : "");
    bx_jw_kstr(w, "name", s->name);
    bx_jw_kstr(w, "description", s->description);
    bx_jw_kstr(w, "source", bx_skill_source_name(s->source));
    bx_jw_kstr(w, "path", path);
    bx_jw_kstr(w, "state", bx_skill_state(s));
    bx_jw_kstr(w, "problem", why);
    bx_jw_kstr(w, "warning", *warnings ? warnings : NULL);
    write_meta(w, &s->meta);
    bx_jw_kval(w, "metadata", s->members ? bx_val_get(bx_doc_root(s->members), "metadata") : NULL);
    bx_jw_kstr(w, "digest", bx_skill_digest(s, digest, NULL) ? NULL : digest);
}
