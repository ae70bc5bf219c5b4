#include "tools/folders.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "base/vec.h"
#include "tools/box_tool.h"
#include "tools/remote.h"

#define MAX_FILES 1000 /* of one folder */
#define FRESH_MS                                                                                   \
    2000 /* a file that was written so lately may be written again without a change of its times   \
          */
#define SUFFIX ".wasm"
#define SCRIPT ".js"

/* What tells that a file is not the one that was read */
struct stamp {
    dev_t dev;
    ino_t inode;
    off_t size;
    struct timespec changed, modified;
};

struct entry {
    char *path;
    struct stamp file, beside; /* of NAME.json; zero: there is none */
    bool is_fresh;             /* was when it was read */
    bool is_link;              /* what it points to is in no folder that is watched */
    struct bx_tool *tool;      /* NULL: broken */
    char *reason;              /* of what is broken, or has the name of one before it */
};
typedef BX_VEC(struct entry) entry_vec;

struct folder {
    char *dir;
    entry_vec entries; /* by path */
    char *reason;      /* why it cannot be read, or NULL */
};

struct bx_tool_folders {
    struct bx_registry *registry;
    BX_VEC(struct folder) folders;
    pthread_mutex_t scanning; /* one scan at a time */
    pthread_mutex_t lock;     /* of the entries and reasons; scans write them, under both */
};

static void empty(entry_vec *entries) {
    for (size_t i = 0; i < entries->n; i++) {
        bx_free(entries->p[i].path);
        bx_free(entries->p[i].reason);
        bx_tool_unref(entries->p[i].tool);
    }
    bx_vec_free(entries);
}

struct bx_tool_folders *bx_tool_folders_new(const struct bx_tool_folders_config *config) {
    struct bx_tool_folders *f = bx_new(struct bx_tool_folders);
    f->registry = config->registry;
    pthread_mutex_init(&f->scanning, NULL);
    pthread_mutex_init(&f->lock, NULL);
    for (size_t i = 0; i < config->dir_count; i++)
        bx_vec_push(&f->folders, ((struct folder){.dir = bx_path_absolute(config->dirs[i])}));
    return f;
}

void bx_tool_folders_free(struct bx_tool_folders *f) {
    if (!f)
        return;
    for (size_t i = 0; i < f->folders.n; i++) {
        struct folder *folder = &f->folders.p[i];
        bx_registry_set_source(f->registry, folder->dir, 0, NULL, 0);
        empty(&folder->entries);
        bx_free(folder->dir);
        bx_free(folder->reason);
    }
    bx_vec_free(&f->folders);
    pthread_mutex_destroy(&f->lock);
    pthread_mutex_destroy(&f->scanning);
    bx_free(f);
}

/* ---- one file ---- */

static struct stamp stamp_of(const char *path) {
    struct stat st;
    if (stat(path, &st))
        return (struct stamp){0};
    return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_ctim, st.st_mtim};
}

static bool is_same_time(struct timespec a, struct timespec b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct stamp *a, const struct stamp *b) {
    return a->dev == b->dev && a->inode == b->inode && a->size == b->size &&
           is_same_time(a->changed, b->changed) && is_same_time(a->modified, b->modified);
}

/* Names that the program itself gives out: a file may hide a built-in tool, not what guards the
 * others. */
static int check_name(const struct bx_tool *t, struct bx_registry *registry, struct bx_err *err) {
    if (bx_str_starts(bx_str(t->name), "mcp__"))
        return bx_fail(err, BX_ERR_INVALID,
                       "names that begin with mcp__ are those of MCP servers; give it another");
    bx_auto(bx_tool_unrefp) struct bx_tool *other = bx_registry_find(registry, t->name);
    if (other && other->kind == BX_TOOL_NATIVE)
        return bx_fail(err, BX_ERR_INVALID,
                       "%s is a tool of the program itself; give this one another name", t->name);
    return 0;
}

static struct bx_tool *load(struct bx_registry *registry, const char *path, char **ret_reason) {
    struct bx_err err = {0};
    struct bx_tool *tool = NULL;
    int rc = bx_registry_load_file(registry, path, &tool, &err);
    if (rc == 0 && (rc = check_name(tool, registry, &err)) < 0)
        bx_tool_unref(tool);
    *ret_reason = rc < 0 ? bx_strdup(err.msg) : NULL;
    return rc < 0 ? NULL : tool;
}

/* ---- one folder ---- */

static bool is_tool_file(const char *name) {
    return name[0] != '.' &&
           (bx_str_ends(bx_str(name), SUFFIX) || bx_str_ends(bx_str(name), SCRIPT) ||
            bx_str_ends(bx_str(name), BX_REMOTE_SUFFIX));
}

struct listing {
    const char *dir;
    BX_VEC(char *) paths;
};

static int take_name(void *user, const char *name) {
    struct listing *l = user;
    if (is_tool_file(name))
        bx_vec_push(&l->paths, bx_path_join(l->dir, name));
    return 0;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *beside_of(const char *path) {
    struct bx_str name = bx_str(path);
    size_t suffix = bx_str_ends(name, SUFFIX)   ? strlen(SUFFIX)
                    : bx_str_ends(name, SCRIPT) ? strlen(SCRIPT)
                                                : 0; /* a remote tool says all of itself */
    return bx_asprintf("%.*s.json", (int)(name.n - suffix), path);
}

static int by_path(const void *path, const void *entry) {
    return strcmp(path, ((const struct entry *)entry)->path);
}

static struct entry *find(entry_vec *entries, const char *path) {
    return entries->n ? bsearch(path, entries->p, entries->n, sizeof *entries->p, by_path) : NULL;
}

static bool is_link(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static bool is_fresh(const struct stamp *stamp, int64_t now_ms) {
    return now_ms - ((int64_t)stamp->modified.tv_sec * 1000 + stamp->modified.tv_nsec / 1000000) <
           FRESH_MS;
}

/* Two files, or two versions of one, that make the same tool */
static bool is_same_tool(const struct entry *a, const struct entry *b) {
    if (!a->tool || !b->tool)
        return !a->tool && !b->tool && strcmp(a->reason, b->reason) == 0;
    return strcmp(a->tool->digest, b->tool->digest) == 0;
}

static void keep_old(struct entry *e, const struct entry *old) {
    bx_tool_unref(e->tool);
    bx_free(e->reason);
    e->tool = old->tool ? bx_tool_ref(old->tool) : NULL;
    e->reason = old->tool ? NULL : bx_strdup(old->reason); /* doubles are looked for anew */
}

/* The entry of this file: the one of before when nothing has changed. The stamps are taken before
 * the file is read: what is written meanwhile is seen by the next scan. */
static struct entry entry_of(struct bx_tool_folders *f, struct folder *folder, const char *path,
                             bool *io_changed) {
    bx_auto(bx_freep) char *beside = beside_of(path);
    struct entry e = {.path = bx_strdup(path), .file = stamp_of(path), .beside = stamp_of(beside)};
    struct entry *old = find(&folder->entries, path);
    int64_t now_ms = bx_wall_ms();
    e.is_fresh = is_fresh(&e.file, now_ms) || is_fresh(&e.beside, now_ms);
    e.is_link = is_link(path) || is_link(beside);
    if (old && !old->is_fresh && is_same(&old->file, &e.file) && is_same(&old->beside, &e.beside)) {
        keep_old(&e, old);
        return e;
    }
    e.tool = load(f->registry, path, &e.reason);
    if (old && is_same_tool(old, &e))
        keep_old(&e, old);
    else
        *io_changed = true;
    return e;
}

/* Two files of one folder with one name: the first counts. */
static void refuse_doubles(entry_vec *entries) {
    for (size_t i = 0; i < entries->n; i++)
        for (size_t j = 0; j < i && entries->p[i].tool && !entries->p[i].reason; j++)
            if (entries->p[j].tool && !entries->p[j].reason &&
                strcmp(entries->p[i].tool->name, entries->p[j].tool->name) == 0)
                entries->p[i].reason =
                    bx_asprintf("%s beside it has the name %s already",
                                bx_path_base(entries->p[j].path), entries->p[i].tool->name);
}

static void publish(struct bx_tool_folders *f, size_t rank) {
    struct folder *folder = &f->folders.p[rank];
    BX_VEC(struct bx_tool *) tools = {0};
    for (size_t i = 0; i < folder->entries.n; i++)
        if (!folder->entries.p[i].reason)
            bx_vec_push(&tools, folder->entries.p[i].tool);
    bx_registry_set_source(f->registry, folder->dir, BX_RANK_FOLDER + (unsigned)rank, tools.p,
                           tools.n);
    bx_vec_free(&tools);
}

/* The tools' files, in order. What is behind the last one that counts is left out, and said. */
static int list_files(const char *dir, struct listing *ret, struct bx_err *err) {
    *ret = (struct listing){.dir = dir};
    int rc = bx_dir_each(dir, take_name, ret, err);
    if (ret->paths.n)
        qsort(ret->paths.p, ret->paths.n, sizeof *ret->paths.p, by_text);
    if (rc == 0 && ret->paths.n > MAX_FILES)
        rc = bx_fail(err, BX_ERR_LIMIT,
                     "there are %zu files of tools in it; those from %.200s on do not count (at "
                     "most %d)",
                     ret->paths.n, bx_path_base(ret->paths.p[MAX_FILES]), MAX_FILES);
    return rc;
}

static bool scan_folder(struct bx_tool_folders *f, size_t rank) {
    struct folder *folder = &f->folders.p[rank];
    struct listing listing;
    struct bx_err err = {0};
    entry_vec fresh = {0};
    bool changed = false;
    int rc = list_files(folder->dir, &listing, &err);
    char *reason = rc < 0 && rc != BX_ERR_NOTFOUND ? bx_strdup(err.msg) : NULL;
    for (size_t i = 0; i < listing.paths.n; i++) {
        if (i < MAX_FILES)
            bx_vec_push(&fresh, entry_of(f, folder, listing.paths.p[i], &changed));
        bx_free(listing.paths.p[i]);
    }
    bx_vec_free(&listing.paths);
    refuse_doubles(&fresh);
    changed = changed || fresh.n != folder->entries.n || !reason != !folder->reason;
    {
        BX_LOCKED(&f->lock);
        entry_vec old = folder->entries;
        folder->entries = fresh;
        fresh = old;
        bx_free(folder->reason);
        folder->reason = reason;
    }
    if (changed)
        publish(f, rank);
    empty(&fresh);
    return changed;
}

bool bx_tool_folders_scan(struct bx_tool_folders *f) {
    BX_LOCKED(&f->scanning);
    bool changed = false;
    for (size_t i = 0; i < f->folders.n; i++)
        changed = scan_folder(f, i) || changed;
    return changed;
}

bool bx_tool_folders_has_links(struct bx_tool_folders *f) {
    BX_LOCKED(&f->lock);
    for (size_t i = 0; i < f->folders.n; i++)
        for (size_t j = 0; j < f->folders.p[i].entries.n; j++)
            if (f->folders.p[i].entries.p[j].is_link)
                return true;
    return false;
}

const char *bx_tool_folders_dir(const struct bx_tool_folders *f, size_t i) {
    return i < f->folders.n ? f->folders.p[i].dir : NULL;
}

/* ---- what is broken ---- */

struct bx_broken_tool *bx_tool_folders_broken(struct bx_tool_folders *f, size_t *ret_count) {
    BX_VEC(struct bx_broken_tool) all = {0};
    BX_LOCKED(&f->lock);
    for (size_t i = 0; i < f->folders.n; i++) {
        const struct folder *folder = &f->folders.p[i];
        if (folder->reason)
            bx_vec_push(
                &all, ((struct bx_broken_tool){bx_strdup(folder->dir), bx_strdup(folder->reason)}));
        for (size_t j = 0; j < folder->entries.n; j++) {
            const struct entry *e = &folder->entries.p[j];
            if (e->reason)
                bx_vec_push(&all,
                            ((struct bx_broken_tool){bx_strdup(e->path), bx_strdup(e->reason)}));
        }
    }
    *ret_count = all.n;
    return all.p;
}

void bx_broken_tools_free(struct bx_broken_tool *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bx_free(all[i].path);
        bx_free(all[i].reason);
    }
    bx_free(all);
}
