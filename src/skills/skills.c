#include "skills/skills.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "skills/expand.h"
#include "skills/front.h"
#include "skills/internal.h"
#include "skills/yaml.h"

#define MAX_DEPTH   6
#define MAX_FOLDERS 2000

static const char *const root_folders[] = {".boxagnts/skills", ".agents/skills", ".claude/skills"};

static const char *const source_names[] = {"workspace", "root", "user", "bundled"};

const char *bx_skill_source_name(enum bx_skill_source source) {
    return source_names[source];
}

struct finder {
    const char *base;
    int base_fd;
    enum bx_skill_source source;
    unsigned folders;
    bool cut;
    BX_VEC(struct bx_skill) found;
};

static struct bx_skill *take_skill(struct finder *f, const char *folder, struct bx_str text) {
    struct bx_front front;
    bx_front_parse(text, bx_path_base(folder), &front);
    struct bx_skill s = {
        .name = bx_steal(&front.name),
        .description = front.description ? bx_steal(&front.description) : bx_strdup(""),
        .members = bx_steal(&front.members),
        .meta = front.meta,
        .source = f->source,
        .base = f->base ? bx_strdup(f->base) : NULL,
        .folder = bx_strdup(folder),
        .in_root = f->source == BX_SKILL_ROOT,
        .problem = bx_steal(&front.problem),
        .warning = bx_steal(&front.warning),
    };
    front.meta = (struct bx_skill_meta){0};
    bx_sha256_hex_of(text.n ? text.p : "", BX_MIN(text.n, BX_SKILL_FRONT_READ), s.front_digest);
    bx_front_deinit(&front);
    bx_vec_push(&f->found, s);
    return &f->found.p[f->found.n - 1];
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef BX_VEC(char *) names_t;

/* Folders inside, by name; hidden ones and packages' are not looked into. */
static void list_folders(struct finder *f, const char *folder, names_t *ret) {
    int fd = bx_skill_open(f->base_fd, f->source == BX_SKILL_ROOT, folder, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; ret->n < MAX_FOLDERS && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && strcmp(e->d_name, "node_modules") &&
            (e->d_type == DT_DIR || e->d_type == DT_LNK || e->d_type == DT_UNKNOWN))
            bx_vec_push(ret, bx_strdup(e->d_name));
    closedir(dir);
    if (ret->n)
        qsort(ret->p, ret->n, sizeof *ret->p, by_text);
}

/* A folder with a SKILL.md is a skill, and what is below it is its own. */
static void walk(struct finder *f, const char *folder, unsigned depth) {
    if (f->folders++ >= MAX_FOLDERS) {
        f->cut = true;
        return;
    }
    bx_auto(bx_freep) char *file = bx_path_join(folder, BX_SKILL_FILE);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_SKILL_FRONT_READ);
    if (depth && bx_skill_read(f->base_fd, f->source == BX_SKILL_ROOT, file, &text)) {
        take_skill(f, folder, bx_buf_str(&text));
        return;
    }
    if (depth == MAX_DEPTH)
        return;
    names_t names = {0};
    list_folders(f, folder, &names);
    for (size_t i = 0; i < names.n; i++) {
        bx_auto(bx_freep) char *below = bx_path_join(folder, names.p[i]);
        walk(f, below, depth + 1);
        bx_free(names.p[i]);
    }
    bx_vec_free(&names);
}

static void find_in(struct finder *f, const char *base, const char *folder,
                    enum bx_skill_source source) {
    f->base = base;
    f->source = source;
    f->folders = 0; /* each place has its own count: one that is full hides none of the others */
    f->base_fd = base ? open(base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (f->base_fd >= 0)
        walk(f, folder, 0);
    bx_fd_close(&f->base_fd);
}

static void find_bundled(struct finder *f, const struct bx_file_blob *files) {
    f->base = NULL;
    f->source = BX_SKILL_BUNDLED;
    for (const struct bx_file_blob *file = files; file && file->name; file++) {
        struct bx_str name = bx_str(file->name);
        if (!bx_str_ends(name, "/" BX_SKILL_FILE))
            continue;
        bx_auto(bx_freep) char *folder =
            bx_str_dup(bx_str_slice(name, 0, name.n - strlen("/" BX_SKILL_FILE)));
        take_skill(f, folder, bx_str_n((const char *)file->content.p, file->content.n))->files =
            files;
    }
}

static void mark_shadowed(struct bx_skills *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i && !s->items[i].shadowed; k++)
            s->items[i].shadowed =
                !s->items[k].problem && strcmp(s->items[i].name, s->items[k].name) == 0;
}

static void mark_circles(struct bx_skills *s) {
    for (size_t i = 0; i < s->n; i++)
        if (bx_skill_usable(&s->items[i]))
            s->items[i].problem = bx_skill_uses_problem(s, &s->items[i]);
}

struct bx_skills *bx_skills_find(const struct bx_skills_where *where) {
    struct finder f = {.base_fd = -1};
    find_in(&f, where->workspace, ".", BX_SKILL_WORKSPACE);
    for (size_t i = 0; i < BX_ARRAY_LEN(root_folders); i++)
        find_in(&f, where->root, root_folders[i], BX_SKILL_ROOT);
    for (const char *const *user = where->user; user && *user; user++)
        find_in(&f, *user, ".", BX_SKILL_USER);
    find_bundled(&f, where->bundled);
    struct bx_skills *s = bx_new(struct bx_skills);
    *s = (struct bx_skills){.items = f.found.p, .n = f.found.n, .cut = f.cut};
    mark_shadowed(s);
    mark_circles(s);
    return s;
}

char *bx_skills_place(const struct bx_skills_where *where, size_t i) {
    if (where->workspace && i-- == 0)
        return bx_strdup(where->workspace);
    if (where->root && i < BX_ARRAY_LEN(root_folders))
        return bx_path_join(where->root, root_folders[i]);
    i -= where->root ? BX_ARRAY_LEN(root_folders) : 0;
    for (const char *const *user = where->user; user && *user; user++)
        if (i-- == 0)
            return bx_strdup(*user);
    return NULL;
}

struct bx_skills *bx_skills_read(const char *dir) {
    struct finder f = {.base_fd = -1};
    bx_auto(bx_freep) char *file = bx_path_join(dir, BX_SKILL_FILE), *above = bx_path_dir(dir),
                           *name = bx_asprintf("./%s", bx_path_base(dir));
    if (!bx_file_exists(file))
        return bx_skills_find(&(struct bx_skills_where){.workspace = dir});
    f.source = BX_SKILL_WORKSPACE;
    f.base = above;
    f.base_fd = open(above, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f.base_fd >= 0)
        walk(&f, name, 1);
    bx_fd_close(&f.base_fd);
    struct bx_skills *s = bx_new(struct bx_skills);
    *s = (struct bx_skills){.items = f.found.p, .n = f.found.n};
    return s;
}

void bx_skills_free(struct bx_skills *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct bx_skill *k = &s->items[i];
        char *texts[] = {k->name,    k->description, k->base,     k->folder,
                         k->problem, k->warning,     k->approved, k->text};
        for (size_t t = 0; t < BX_ARRAY_LEN(texts); t++)
            bx_free(texts[t]);
        bx_skill_meta_deinit(&k->meta);
        bx_doc_free(k->members);
    }
    bx_free(s->items);
    bx_free(s);
}

char *bx_skill_path(const struct bx_skill *s) {
    if (!s->base)
        return bx_asprintf("bundled/%s", s->folder);
    return bx_path_join(s->base, s->folder + (strncmp(s->folder, "./", 2) ? 0 : 2));
}

bool bx_skill_usable(const struct bx_skill *s) {
    return !s->problem && !s->shadowed;
}

const struct bx_skill *bx_skills_get(const struct bx_skills *s, struct bx_str name) {
    const struct bx_skill *broken = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (!bx_str_eqz(name, s->items[i].name))
            continue;
        if (bx_skill_usable(&s->items[i]))
            return &s->items[i];
        broken = broken ? broken : &s->items[i];
    }
    return broken;
}

const char *bx_skills_nearest(const struct bx_skills *s, struct bx_str name) {
    const char *best = NULL;
    size_t best_slips = 1 + name.n / 2;
    for (size_t i = 0; i < s->n; i++) {
        size_t slips = bx_str_slips(name, bx_str(s->items[i].name));
        if (bx_skill_usable(&s->items[i]) && slips < best_slips) {
            best = s->items[i].name;
            best_slips = slips;
        }
    }
    return best;
}

int bx_skills_missing(const struct bx_skills *s, struct bx_str name, struct bx_err *err) {
    const char *nearest = bx_skills_nearest(s, name);
    return bx_fail(err, BX_ERR_NOTFOUND, "there is no skill \"%.*s\"%s%s%s",
                   (int)BX_MIN(name.n, (size_t)100), name.n ? name.p : "",
                   nearest ? ": did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?" : "");
}
