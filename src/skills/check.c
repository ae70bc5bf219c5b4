#include "skills/check.h"

#include "skills/front.h"

#define WARNINGS_MAX 100
#define PLACE_MAX    102           /* bytes of a {{name}}, as expand.c has it */
#define BODY_LINES   500           /* what the Agent Skills format recommends */
#define BODY_BYTES   (20 * BX_KIB) /* about 5,000 tokens */

static void warn(struct bx_skill_check *c, const char *fmt, ...) BX_PRINTF(2, 3);
static void warn(struct bx_skill_check *c, const char *fmt, ...) {
    char text[600];
    va_list ap;
    if (c->warnings.n == WARNINGS_MAX)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < c->warnings.n; i++)
        if (strcmp(c->warnings.p[i], text) == 0)
            return;
    bx_vec_push(&c->warnings, bx_strdup(text));
}

static bool is_param(const struct bx_skill_meta *m, struct bx_str name) {
    for (size_t i = 0; i < m->params.n; i++)
        if (bx_str_ieqz(name, m->params.p[i].name))
            return true;
    return false;
}

static bool looks_like_a_name(struct bx_str s) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' &&
            !(i && ((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return s.n > 0;
}

static void check_places(struct bx_skill_check *c, struct bx_str body) {
    struct bx_str rest = body;
    for (size_t at; (at = bx_str_find_str(rest, BX_STR_LIT("{{"))) != (size_t)-1;) {
        bool escaped = at && rest.p[at - 1] == '\\';
        rest = bx_str_slice(rest, at + 2, rest.n);
        size_t end = bx_str_find_str(bx_str_slice(rest, 0, PLACE_MAX), BX_STR_LIT("}}"));
        struct bx_str name = bx_str_trim(bx_str_slice(rest, 0, end == (size_t)-1 ? 0 : end));
        if (!escaped && name.n <= 64 && looks_like_a_name(name) && !is_param(&c->meta, name))
            warn(c, "{{%.*s}} is no parameter and stays as it is", (int)name.n, name.p);
    }
    for (size_t i = 0; i < c->meta.params.n; i++) {
        const char *name = c->meta.params.p[i].name;
        bx_auto(bx_freep) char *place = bx_asprintf("{{%s}}", name);
        if (bx_str_find_str(body, bx_str(place)) == (size_t)-1 &&
            bx_str_find_str(body, BX_STR_LIT("$ARGUMENTS")) == (size_t)-1)
            warn(c, "the parameter %s has no place in the text: it is put behind it", name);
    }
}

static void check_length(struct bx_skill_check *c, struct bx_str body) {
    size_t lines = 0;
    for (size_t i = 0; i < body.n; i++)
        lines += body.p[i] == '\n';
    if (lines > BODY_LINES || body.n > BODY_BYTES)
        warn(c,
             "its text has %zu lines and %zu KiB, all of which a model reads at once: put what is "
             "not always needed into files beside it",
             lines + 1, body.n / BX_KIB);
    if (!bx_str_trim(body).n)
        warn(c, "it has no text");
}

static void check_uses(struct bx_skill_check *c, const struct bx_skills *others) {
    for (size_t i = 0; others && i < c->meta.uses.n; i++) {
        const struct bx_skill *s = bx_skills_get(others, bx_str(c->meta.uses.p[i]));
        if (!s)
            warn(c, "it uses %s, which is not there", c->meta.uses.p[i]);
        else if (s->problem)
            warn(c, "it uses %s, which is broken: %.300s", s->name, s->problem);
    }
}

/* Names that other agents would not take. */
static void check_name(struct bx_skill_check *c) {
    size_t n = strlen(c->name);
    bool plain = c->name[0] != '-' && c->name[n - 1] != '-' && !strstr(c->name, "--") &&
                 strspn(c->name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
    if (!plain)
        warn(c, "other agents take only small letters, digits and single hyphens in a name");
}

void bx_skill_check(struct bx_str text, const char *folder, const struct bx_skills *others,
                    struct bx_skill_check *ret) {
    struct bx_front f;
    struct bx_str yaml;
    *ret = (struct bx_skill_check){0};
    bx_front_parse(text, folder ? folder : "skill", &f);
    ret->problem = bx_steal(&f.problem);
    ret->name = bx_steal(&f.name);
    ret->meta = f.meta;
    f.meta = (struct bx_skill_meta){0};
    for (struct bx_str rest = bx_str(f.warning); rest.n;) {
        size_t end = bx_str_find_str(rest, BX_STR_LIT("; "));
        struct bx_str one = bx_str_slice(rest, 0, end == (size_t)-1 ? rest.n : end);
        if (folder || bx_str_find_str(one, BX_STR_LIT("not that of its folder")) == (size_t)-1)
            warn(ret, "%.*s", (int)one.n, one.p);
        rest = end == (size_t)-1 ? (struct bx_str){0} : bx_str_slice(rest, end + 2, rest.n);
    }
    bx_front_deinit(&f);
    size_t begin = bx_front_end(text, &yaml);
    if (text.n - begin > BX_SKILL_BODY_MAX && !ret->problem)
        ret->problem = bx_strdup("it is larger than 1 MiB: put its material into files beside it");
    if (ret->problem)
        return;
    check_name(ret);
    check_places(ret, bx_str_slice(text, begin, text.n));
    check_length(ret, bx_str_slice(text, begin, text.n));
    check_uses(ret, others);
}

void bx_skill_check_deinit(struct bx_skill_check *c) {
    bx_free(c->problem);
    bx_free(c->name);
    bx_texts_free(&c->warnings);
    bx_skill_meta_deinit(&c->meta);
    *c = (struct bx_skill_check){0};
}
