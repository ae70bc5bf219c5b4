#include "skills/catalogue.h"

#include "base/glob.h"
#include "base/utf8.h"

static void add_cut(struct bx_buf *out, const char *text, size_t max) {
    size_t n = bx_utf8_cut(bx_str(text), BX_MIN(strlen(text), max));
    for (size_t i = 0; i < n; i++)
        bx_buf_addc(out, (unsigned char)text[i] < ' ' ? ' ' : text[i]);
    if (n < strlen(text))
        bx_buf_addz(out, "…");
}

void bx_skill_catalogue_line(const struct bx_skill *s, struct bx_buf *out) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(16 * BX_KIB);
    if (s->untrusted) {
        bx_buf_addz(out, "(of the project; the user is asked before it is used)");
        return;
    }
    bx_buf_addz(&text, s->description);
    if (s->meta.when)
        bx_buf_addf(&text, " When: %s", s->meta.when);
    add_cut(out, bx_buf_z(&text), BX_CATALOGUE_LINE_MAX);
}

void bx_skills_catalogue(const struct bx_skills *skills, struct bx_buf *out) {
    size_t start = out->size, left = 0;
    for (size_t i = 0; i < skills->n; i++) {
        const struct bx_skill *s = &skills->items[i];
        if (!bx_skill_usable(s))
            continue;
        if (out->size == start)
            bx_buf_addz(out, "\nSkills are written instructions for certain kinds of work. When a "
                             "task fits one, load it with the tool Skill before you begin:\n");
        if (out->size - start >= BX_CATALOGUE_MAX) {
            left++;
            continue;
        }
        bx_buf_addf(out, "- %s: ", s->name);
        bx_skill_catalogue_line(s, out);
        bx_buf_addc(out, '\n');
    }
    if (left)
        bx_buf_addf(out, "- … and %zu more: call Skill without a name for the list\n", left);
}

/* ---- triggers ---- */

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* The keyword as whole words, letters without case. */
static bool holds(struct bx_str text, const char *keyword) {
    size_t n = strlen(keyword);
    for (size_t i = 0; i + n <= text.n; i++) {
        if (!bx_str_ieqz(bx_str_slice(text, i, n), keyword))
            continue;
        bool begins = !i || !is_word(keyword[0]) || !is_word(text.p[i - 1]),
             ends = i + n == text.n || !is_word(keyword[n - 1]) || !is_word(text.p[i + n]);
        if (begins && ends)
            return true;
    }
    return false;
}

bool bx_skill_triggered_by_text(const struct bx_skill *s, struct bx_str message) {
    if (!bx_skill_usable(s) || s->untrusted)
        return false;
    for (size_t i = 0; i < s->meta.triggers.n; i++)
        if (!bx_trigger_is_glob(s->meta.triggers.p[i]) && holds(message, s->meta.triggers.p[i]))
            return true;
    return false;
}

/* "*.css" is a file of that kind wherever it lies; "src/" and "**" begin at the root. */
static bool path_fits(const char *glob, const char *path) {
    bx_auto(bx_freep) char *full = strchr(glob, '/')
                                       ? bx_asprintf("%s%s", glob[0] == '/' ? "" : "/", glob)
                                       : bx_asprintf("/**/%s", glob);
    return bx_glob_path(full, path);
}

bool bx_skill_triggered_by_path(const struct bx_skill *s, const char *path) {
    if (!bx_skill_usable(s) || s->untrusted)
        return false;
    for (size_t i = 0; i < s->meta.triggers.n; i++)
        if (bx_trigger_is_glob(s->meta.triggers.p[i]) && path_fits(s->meta.triggers.p[i], path))
            return true;
    return false;
}
