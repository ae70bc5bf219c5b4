#include "skills/front.h"

#include "base/utf8.h"
#include "skills/members.h"
#include "skills/yaml.h"

bool bx_skill_name_ok(struct bx_str name) {
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return name.n && name.n <= BX_SKILL_NAME_MAX && name.p[0] != '.';
}

static bool is_fence(struct bx_str line) {
    line = bx_str_trim(line);
    return bx_str_eqz(line, "---") || bx_str_eqz(line, "...");
}

size_t bx_front_end(struct bx_str text, struct bx_str *ret_yaml) {
    *ret_yaml = (struct bx_str){"", 0};
    size_t at = bx_str_starts(text, "\xEF\xBB\xBF") ? 3 : 0;
    for (size_t begin = 0, first = 1; at < text.n; first = 0) {
        size_t line = at, end = bx_str_find(bx_str_slice(text, at, text.n), '\n');
        end = end == (size_t)-1 ? text.n : at + end;
        bool fence = is_fence(bx_str_slice(text, line, end - line));
        at = BX_MIN(end + 1, text.n);
        if (first) {
            if (!fence)
                return 0;
            begin = at;
        } else if (fence) {
            *ret_yaml = bx_str_slice(text, begin, line - begin);
            return at;
        }
        if (end == text.n)
            break;
    }
    return 0;
}

static void warn(struct bx_front *f, char *take_text) {
    char *old = f->warning;
    f->warning = old ? bx_asprintf("%s; %s", old, take_text) : bx_strdup(take_text);
    bx_free(old);
    bx_free(take_text);
}

/* What must not get lost where the text is not YAML: a skill without its list of tools, say, would
 * be another one. */
static const char *const needed[] = {"name",        "description",   "license", "compatibility",
                                     "when_to_use", "allowed-tools", "tools",   "parameters",
                                     "args",        "uses",          NULL};

static void read_members(struct bx_front *f, struct bx_str yaml) {
    struct bx_err err = {0};
    char *odd = NULL;
    if (bx_front_members(yaml, needed, &f->members, &odd, &err)) {
        f->problem = bx_asprintf("its front matter cannot be read: %s", err.msg);
        return;
    }
    const struct bx_val *root = bx_doc_root(f->members);
    f->name = bx_val_get_z(root, "name") ? bx_front_line(bx_val_get_str(root, "name")) : NULL;
    f->description = bx_val_get_z(root, "description")
                         ? bx_front_line(bx_val_get_str(root, "description"))
                         : NULL;
    if (odd)
        warn(f, bx_asprintf("its front matter is not YAML (%s); it was read line by line, without "
                            "triggers and metadata: put the value into quotes",
                            odd));
    bx_free(odd);
}

static void settle_name(struct bx_front *f, const char *folder) {
    struct bx_str own = bx_str(f->name);
    if (bx_skill_name_ok(own)) {
        if (strcmp(f->name, folder))
            warn(f, bx_asprintf("its name is not that of its folder, %.100s", folder));
        return;
    }
    if (!bx_skill_name_ok(bx_str(folder))) {
        f->problem = bx_asprintf("it has no usable name: at most 64 letters, digits and hyphens");
        return;
    }
    warn(f, own.n ? bx_asprintf("its name is not made of letters, digits and hyphens; the folder's "
                                "is used")
                  : bx_asprintf("it has no name; the folder's is used"));
    bx_free(f->name);
    f->name = bx_strdup(folder);
}

static void settle_description(struct bx_front *f) {
    if (!f->description || !*f->description) {
        f->problem = bx_strdup("it has no description: add `description: …` to the front matter, "
                               "so that it is known when to use it");
        return;
    }
    size_t n = strlen(f->description);
    if (n <= BX_SKILL_DESCRIPTION_MAX)
        return;
    f->description[bx_utf8_cut(bx_str(f->description), BX_SKILL_DESCRIPTION_MAX)] = '\0';
    warn(f, bx_asprintf("its description has %zu bytes; the first 1024 count", n));
}

static void read_meta(struct bx_front *f) {
    struct bx_buf warnings = BX_BUF_INIT(16 * BX_KIB);
    bx_skill_meta_read(f->members ? bx_doc_root(f->members) : NULL, &f->meta, &warnings);
    if (warnings.size)
        warn(f, bx_buf_steal(&warnings));
    bx_buf_deinit(&warnings);
}

void bx_front_parse(struct bx_str text, const char *folder, struct bx_front *ret) {
    struct bx_str yaml;
    *ret = (struct bx_front){0};
    if (!bx_utf8_valid(bx_str_slice(text, 0, bx_utf8_valid_prefix(text))) ||
        text.n - bx_utf8_valid_prefix(text) > 3) {
        ret->problem = bx_strdup("it is not UTF-8");
    } else if (!bx_front_end(text, &yaml)) {
        ret->problem = bx_strdup(
            text.n > BX_YAML_MAX ? "its front matter does not end within 64 KiB: close it with ---"
                                 : "it has no front matter: begin the file with ---, name: …, "
                                   "description: …, ---");
    } else {
        read_members(ret, yaml);
    }
    if (!ret->problem)
        settle_description(ret);
    if (!ret->problem)
        settle_name(ret, folder);
    read_meta(ret);
    if (ret->problem && !ret->name)
        ret->name = bx_strdup(folder);
}

void bx_front_deinit(struct bx_front *f) {
    bx_doc_free(f->members);
    bx_skill_meta_deinit(&f->meta);
    bx_free(f->name);
    bx_free(f->description);
    bx_free(f->problem);
    bx_free(f->warning);
    *f = (struct bx_front){0};
}
