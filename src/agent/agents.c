#include "agent/agents.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "base/vec.h"
#include "skills/front.h"
#include "skills/yaml.h"

#define MAX_DEPTH 3
#define MAX_FILES 200
#define FILE_MAX  (BX_YAML_MAX + BX_AGENT_TEXT_MAX)

static const char *const root_folders[] = {".boxagnts/agents", ".claude/agents", ".agents/agents"};

const char *bx_agent_source_name(enum bx_agent_source source) {
    static const char *const names[] = {"root", "workspace", "user", "built in"};
    return names[source];
}

char *bx_agent_places_folder(const struct bx_agent_places *places, size_t i) {
    BX_VEC(char *) all = {0};
    for (size_t k = 0; places->root && k < BX_ARRAY_LEN(root_folders); k++)
        bx_vec_push(&all, bx_path_join(places->root, root_folders[k]));
    if (places->state)
        bx_vec_push(&all, bx_path_join(places->state, "agents"));
    if (places->user)
        bx_vec_push(&all, bx_strdup(places->user));
    char *it = i < all.n ? bx_steal(&all.p[i]) : NULL;
    for (size_t k = 0; k < all.n; k++)
        bx_free(all.p[k]);
    bx_vec_free(&all);
    return it;
}

struct finder {
    const struct bx_agent_places *places;
    enum bx_agent_source source;
    const char *base; /* host folder, for paths */
    int base_fd;
    size_t files; /* of this place */
    bool cut;
    BX_VEC(struct bx_agent_def) found;
};

/* Below the root a link may not lead out; the user's own folders may be links to wherever they keep
 * them. */
static int open_in(const struct finder *f, const char *name, int flags) {
    return f->source == BX_AGENT_ROOT && !bx_unwired("agents_beneath")
               ? bx_file_open_beneath(f->base_fd, name, flags)
               : openat(f->base_fd, name, flags | O_CLOEXEC);
}

static char *path_of(const struct finder *f, const char *name) {
    return f->source == BX_AGENT_ROOT ? bx_asprintf("/%s", name) : bx_path_join(f->base, name);
}

/* A file that cannot be read, or is too large, is listed with the reason. */
static void take_file(struct finder *f, const char *name) {
    bx_auto(bx_fd_close) int fd = open_in(f, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(FILE_MAX + 1);
    bx_auto(bx_freep) char *path = path_of(f, name);
    struct stat st;
    const char *why = NULL;
    struct bx_agent_def d;
    if (fd < 0)
        why = f->source == BX_AGENT_ROOT ? "it cannot be read, or leads out of the root"
                                         : "it cannot be read";
    else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        why = "it is not a file";
    char piece[16384];
    for (ssize_t n; !why && text.size < text.max && (n = read(fd, piece, sizeof piece)) > 0;)
        bx_buf_add(&text, piece, BX_MIN((size_t)n, text.max - text.size));
    if (!why && text.size > FILE_MAX)
        why = "it is larger than 128 KiB";
    bx_agent_def_parse(why ? BX_STR_LIT("") : bx_buf_str(&text), path, f->places->registry, &d);
    if (why) {
        bx_free(d.problem);
        d.problem = bx_strdup(why);
    }
    d.source = f->source;
    bx_vec_push(&f->found, d);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk(struct finder *f, const char *folder, unsigned depth) {
    BX_VEC(char *) names = {0};
    int fd = open_in(f, folder, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; names.n <= MAX_FILES && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' &&
            (e->d_type == DT_DIR || e->d_type == DT_LNK || bx_str_ends(bx_str(e->d_name), ".md")))
            bx_vec_push(&names, bx_strdup(e->d_name));
    closedir(dir);
    if (names.n)
        qsort(names.p, names.n, sizeof *names.p, by_text);
    for (size_t i = 0; i < names.n; i++) {
        bx_auto(bx_freep) char *name = names.p[i];
        bx_auto(bx_freep) char *below = bx_path_join(folder, name);
        bool file = bx_str_ends(bx_str(name), ".md");
        if (file && f->files < MAX_FILES && ++f->files)
            take_file(f, below);
        else if (file)
            f->cut = true;
        else if (depth + 1 < MAX_DEPTH)
            walk(f, below, depth + 1);
    }
    f->cut |= names.n > MAX_FILES;
    bx_vec_free(&names);
}

static void find_in(struct finder *f, const char *base, const char *folder,
                    enum bx_agent_source source) {
    f->base = base;
    f->source = source;
    f->files = 0; /* each place has its own count: one that is full hides none of the others */
    f->base_fd = base ? open(base, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (f->base_fd >= 0)
        walk(f, folder, 0);
    bx_fd_close(&f->base_fd);
}

static void take_built_in(struct finder *f) {
    for (const struct bx_file_blob *b = f->places->built_in; b && b->name; b++) {
        struct bx_agent_def d;
        bx_agent_def_parse(bx_str_n((const char *)b->content.p, b->content.n), b->name,
                           f->places->registry, &d);
        bx_free(d.path);
        d.path = bx_strdup("built in");
        d.source = BX_AGENT_BUILT_IN;
        bx_vec_push(&f->found, d);
    }
}

static void mark_shadowed(struct bx_agent_defs *s) {
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < i && !s->items[i].shadowed; k++)
            s->items[i].shadowed =
                !s->items[k].problem && strcmp(s->items[i].name, s->items[k].name) == 0;
}

struct bx_agent_defs *bx_agent_defs_load(const struct bx_agent_places *places) {
    struct finder f = {.places = places, .base_fd = -1};
    for (size_t i = 0; i < BX_ARRAY_LEN(root_folders); i++)
        find_in(&f, places->root, root_folders[i], BX_AGENT_ROOT);
    find_in(&f, places->state, "agents", BX_AGENT_WORKSPACE);
    find_in(&f, places->user, ".", BX_AGENT_USER);
    take_built_in(&f);
    struct bx_agent_defs *s = bx_new(struct bx_agent_defs);
    *s = (struct bx_agent_defs){.items = f.found.p, .n = f.found.n, .cut = f.cut};
    mark_shadowed(s);
    return s;
}

void bx_agent_defs_free(struct bx_agent_defs *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        bx_agent_def_deinit(&s->items[i]);
    bx_free(s->items);
    bx_free(s);
}

bool bx_agent_def_usable(const struct bx_agent_def *d) {
    return !d->problem && !d->shadowed;
}

const struct bx_agent_def *bx_agent_defs_get(const struct bx_agent_defs *s, struct bx_str name) {
    const struct bx_agent_def *broken = NULL;
    for (size_t i = 0; i < s->n; i++) {
        if (!bx_str_eqz(name, s->items[i].name))
            continue;
        if (bx_agent_def_usable(&s->items[i]))
            return &s->items[i];
        broken = broken ? broken : &s->items[i];
    }
    return broken;
}

static const char *nearest(const struct bx_agent_defs *s, struct bx_str name) {
    const char *best = NULL;
    size_t best_slips = 1 + name.n / 2;
    for (size_t i = 0; i < s->n; i++) {
        size_t slips = bx_str_slips(name, bx_str(s->items[i].name));
        if (bx_agent_def_usable(&s->items[i]) && slips < best_slips) {
            best = s->items[i].name;
            best_slips = slips;
        }
    }
    return best;
}

static int not_found(const struct bx_agent_defs *s, struct bx_str name, struct bx_err *err) {
    const char *near = nearest(s, name);
    struct bx_buf all = BX_BUF_INIT(300);
    for (size_t i = 0; i < s->n && !near; i++)
        if (bx_agent_def_usable(&s->items[i]) && all.size + strlen(s->items[i].name) + 2 < all.max)
            bx_buf_addf(&all, "%s%s", all.size ? ", " : "", s->items[i].name);
    int rc = bx_fail(err, BX_ERR_NOTFOUND, "there is no agent \"%.*s\"%s%s%s",
                     (int)BX_MIN(name.n, (size_t)80), name.p ? name.p : "",
                     near ? "; did you mean " : "; there are: ", near ? near : bx_buf_z(&all),
                     near ? "?" : "");
    bx_buf_deinit(&all);
    return rc;
}

int bx_agent_defs_find(const struct bx_agent_defs *s, struct bx_str name,
                       const struct bx_agent_def **ret, struct bx_err *err) {
    const struct bx_agent_def *d = bx_agent_defs_get(s, bx_str_trim(name));
    if (!d)
        return not_found(s, bx_str_trim(name), err);
    if (d->problem)
        return bx_fail(err, BX_ERR_INVALID, "the agent %s (%.200s) is broken: %s", d->name, d->path,
                       d->problem);
    *ret = d;
    return 0;
}

void bx_agent_def_narrow(const struct bx_agent_def *d, char by[static 80], struct bx_narrow *ret) {
    snprintf(by, 80, "agent %s", d->name);
    *ret = (struct bx_narrow){.by = by,
                              .tools = (const char *const *)d->tools,
                              .max_level = d->has_mode && d->mode == BX_MODE_PLAN
                                               ? BX_LEVEL_READ_ONLY
                                               : BX_LEVEL_DANGEROUS};
}

void bx_agent_def_write(const struct bx_agent_def *d, bool text, struct bx_jw *w) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "name", d->name);
    bx_jw_kstr(w, "description", d->description);
    bx_jw_key(w, "tools");
    if (d->tools) {
        bx_jw_arr(w);
        for (size_t i = 0; d->tools[i]; i++)
            bx_jw_z(w, d->tools[i]);
        bx_jw_end(w);
    } else {
        bx_jw_null(w);
    }
    bx_jw_kstr(w, "model", d->model);
    bx_jw_key(w, "max_turns");
    if (d->max_turns)
        bx_jw_uint(w, d->max_turns);
    else
        bx_jw_null(w);
    bx_jw_kstr(w, "mode", d->has_mode ? bx_mode_name(d->mode) : NULL);
    bx_jw_kstr(w, "isolation", d->worktree ? "worktree" : "none");
    bx_jw_kstr(w, "source", bx_agent_source_name(d->source));
    bx_jw_kstr(w, "path", d->path);
    if (d->problem)
        bx_jw_kstr(w, "problem", d->problem);
    if (d->warning)
        bx_jw_kstr(w, "warning", d->warning);
    if (d->shadowed)
        bx_jw_kbool(w, "shadowed", true);
    if (text)
        bx_jw_kstr(w, "text", d->text);
    bx_jw_end(w);
}

int bx_agent_def_check_name(const char *name, struct bx_err *err) {
    return bx_skill_name_ok(bx_str(name))
               ? 0
               : bx_fail(err, BX_ERR_INVALID,
                         "an agent's name is at most 64 letters, digits and hyphens, not \"%.80s\"",
                         name);
}

int bx_agent_def_put(const char *folder, const char *name, struct bx_str text,
                     struct bx_registry *registry, struct bx_err *err) {
    if (bx_agent_def_check_name(name, err))
        return BX_ERR_INVALID;
    bx_auto(bx_freep) char *base = bx_asprintf("%s.md", name);
    bx_auto(bx_freep) char *path = bx_path_join(folder, base);
    struct bx_agent_def d;
    if (text.n > FILE_MAX)
        return bx_fail(err, BX_ERR_LIMIT, "the text is larger than 128 KiB");
    bx_agent_def_parse(text, path, registry, &d);
    int rc = 0;
    if (d.problem)
        rc = bx_fail(err, BX_ERR_INVALID, "the agent would be broken: %s", d.problem);
    else if (strcmp(d.name, name))
        rc = bx_fail(err, BX_ERR_INVALID, "the text calls itself %s: write `name: %s`", d.name,
                     name);
    bx_agent_def_deinit(&d);
    rc = rc ? rc : bx_dir_make_lasting(folder, 0700, err);
    return rc ? rc : bx_file_write_atomic(path, text, 0600, err);
}

int bx_agent_def_remove(const struct bx_agent_defs *s, const char *name, struct bx_err *err) {
    const struct bx_agent_def *own = NULL, *other = NULL;
    for (size_t i = 0; i < s->n; i++) {
        const struct bx_agent_def *d = &s->items[i];
        bool ours = d->source == BX_AGENT_WORKSPACE || d->source == BX_AGENT_USER;
        if (strcmp(d->name, name))
            continue;
        own = !own && ours ? d : own;
        other = !other && !ours ? d : other;
    }
    if (!own && !other)
        return not_found(s, bx_str(name), err);
    if (!own)
        return other->source == BX_AGENT_BUILT_IN
                   ? bx_fail(err, BX_ERR_DENIED,
                             "%s is built in and stays; an agent of the same name takes its place",
                             name)
                   : bx_fail(err, BX_ERR_DENIED,
                             "%s is a file of the project, %s: take it out there", name,
                             other->path);
    bx_auto(bx_freep) char *folder = bx_path_dir(own->path);
    return unlink(own->path) == 0 ? bx_dir_sync(folder, err)
                                  : bx_fail_errno(err, errno, "%s", own->path);
}
