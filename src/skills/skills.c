#include "skills/skills.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "skills/front.h"
#include "skills/yaml.h"

#define MAX_DEPTH   6
#define MAX_FOLDERS 2000
#define FILE_NAME   "SKILL.md"

static const char *const root_folders[] = {".boxagnts/skills", ".agents/skills", ".claude/skills"};

struct finder {
    const char *base;
    int base_fd;
    bool in_root;
    unsigned folders;
    bool cut;
    BX_VEC(struct bx_skill) found;
};

/* Below the root a link may not lead out; the user's own folders may be links to wherever they keep
 * them. */
static int open_in(int base_fd, bool in_root, const char *name, int flags) {
    return in_root && !bx_unwired("skills_beneath") ? bx_file_open_beneath(base_fd, name, flags)
                                                    : openat(base_fd, name, flags | O_CLOEXEC);
}

/* The first max bytes of a regular file; false when there is none. */
static bool read_file(int base_fd, bool in_root, const char *name, struct bx_buf *out) {
    bx_auto(bx_fd_close) int fd = open_in(base_fd, in_root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    char piece[16384];
    for (ssize_t n; out->size < out->max && (n = read(fd, piece, sizeof piece)) > 0;)
        bx_buf_add(out, piece, BX_MIN((size_t)n, out->max - out->size));
    return true;
}

static void take_skill(struct finder *f, const char *folder, struct bx_str text) {
    struct bx_front front;
    bx_front_parse(text, bx_path_base(folder), &front);
    struct bx_skill s = {
        .name = bx_steal(&front.name),
        .description = front.description ? bx_steal(&front.description) : bx_strdup(""),
        .members = bx_steal(&front.members),
        .base = bx_strdup(f->base),
        .folder = bx_strdup(folder),
        .in_root = f->in_root,
        .problem = bx_steal(&front.problem),
        .warning = bx_steal(&front.warning),
    };
    bx_front_deinit(&front);
    bx_vec_push(&f->found, s);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef BX_VEC(char *) names_t;

/* Folders inside, by name; hidden ones and packages' are not looked into. */
static void list_folders(struct finder *f, const char *folder, names_t *ret) {
    int fd = open_in(f->base_fd, f->in_root, folder, O_RDONLY | O_DIRECTORY);
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
    bx_auto(bx_freep) char *file = bx_path_join(folder, FILE_NAME);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_YAML_MAX + 16);
    if (depth && read_file(f->base_fd, f->in_root, file, &text)) {
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

static void find_in(struct finder *f, const char *base, const char *folder, bool in_root) {
    f->base = base;
    f->in_root = in_root;
    f->folders = 0; /* each place has its own count: one that is full hides none of the others */
    f->base_fd = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->base_fd >= 0)
        walk(f, folder, 0);
    bx_fd_close(&f->base_fd);
}

static void mark_shadowed(struct bx_skills *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i && !s->items[i].shadowed; k++)
            s->items[i].shadowed =
                !s->items[k].problem && strcmp(s->items[i].name, s->items[k].name) == 0;
}

struct bx_skills *bx_skills_find(const char *root, const char *const *user_folders) {
    struct finder f = {.base_fd = -1};
    for (size_t i = 0; i < BX_ARRAY_LEN(root_folders); i++)
        find_in(&f, root, root_folders[i], true);
    for (; user_folders && *user_folders; user_folders++)
        find_in(&f, *user_folders, ".", false);
    struct bx_skills *s = bx_new(struct bx_skills);
    *s = (struct bx_skills){.items = f.found.p, .n = f.found.n, .cut = f.cut};
    mark_shadowed(s);
    return s;
}

void bx_skills_free(struct bx_skills *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct bx_skill *k = &s->items[i];
        char *texts[] = {k->name, k->description, k->base, k->folder, k->problem, k->warning};
        for (size_t t = 0; t < BX_ARRAY_LEN(texts); t++)
            bx_free(texts[t]);
        bx_doc_free(k->members);
    }
    bx_free(s->items);
    bx_free(s);
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

/* ---- loading ---- */

static void expand(struct bx_str body, struct bx_str arguments, struct bx_buf *out) {
    static const struct bx_str place = {"$ARGUMENTS", sizeof "$ARGUMENTS" - 1};
    bool any = false;
    for (size_t at; (at = bx_str_find_str(body, place)) != (size_t)-1; any = true) {
        bx_buf_add(out, body.p, at);
        bx_buf_adds(out, arguments);
        body = bx_str_slice(body, at + place.n, body.n);
    }
    bx_buf_adds(out, body);
    if (!any && arguments.n) {
        bx_buf_addz(out, "\n\nARGUMENTS: ");
        bx_buf_adds(out, arguments);
    }
}

int bx_skill_load(const struct bx_skill *s, struct bx_str arguments, struct bx_buf *out,
                  struct bx_err *err) {
    if (s->problem)
        return bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %s", s->name, s->problem);
    bx_auto(bx_freep) char *file = bx_path_join(s->folder, FILE_NAME);
    bx_auto(bx_fd_close) int base = open(s->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_YAML_MAX + BX_SKILL_BODY_MAX + 16);
    struct bx_str yaml;
    if (base < 0 || !read_file(base, s->in_root, file, &text))
        return bx_fail(err, BX_ERR_NOTFOUND, "the skill %s is not there any more (%s)", s->name,
                       file);
    size_t begin = bx_front_end(bx_buf_str(&text), &yaml);
    struct bx_str body = bx_str_slice(bx_buf_str(&text), begin, text.size);
    if (body.n > BX_SKILL_BODY_MAX || text.size == text.max)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the skill %s is larger than 1 MiB: put its material into files beside it",
                       s->name);
    expand(bx_str_trim(body), arguments, out);
    return bx_buf_failed(out) ? bx_fail(err, BX_ERR_LIMIT,
                                        "the skill %s is too large with these arguments", s->name)
                              : 0;
}

size_t bx_skill_files(const struct bx_skill *s, char **ret_names, size_t max) {
    size_t n = 0;
    bx_auto(bx_fd_close) int base = open(s->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = base < 0 ? -1 : open_in(base, s->in_root, s->folder, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *e; n < max && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && strcmp(e->d_name, FILE_NAME))
            ret_names[n++] = bx_asprintf("%s%s", e->d_name, e->d_type == DT_DIR ? "/" : "");
    closedir(dir);
    qsort(ret_names, n, sizeof *ret_names, by_text);
    return n;
}
