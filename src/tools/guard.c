#include "tools/guard.h"

#include <dirent.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/unwire.h"
#include "json/write.h"
#include "tools/paths.h"

void bx_guard_deinit(struct bx_guard *g) {
    for (size_t i = 0; i < g->files.n; i++) {
        bx_free(g->files.p[i].guest);
        bx_free(g->files.p[i].text);
    }
    bx_vec_free(&g->files);
}

/* ---- looking ---- */

struct walk {
    struct bx_guard *guard;
    const struct bx_grant *grant;
    unsigned dirs;
};

static char *join(const char *dir, const char *name) {
    return bx_asprintf("%s/%s", strcmp(dir, "/") ? dir : "", name);
}

static char *read_file(int dir, const char *name, size_t size) {
    bx_auto(bx_fd_close) int fd =
        openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    char *text = fd < 0 ? NULL : bx_alloc(size + 1);
    size_t n = 0;
    for (ssize_t k; text && n < size && (k = read(fd, text + n, size - n)) > 0;)
        n += (size_t)k;
    if (text && n < size) {
        bx_free(text);
        return NULL;
    }
    return text;
}

static void note(struct walk *w, int dir, const char *name, const char *guest,
                 const struct stat *st) {
    struct bx_guarded_file f = {.guest = bx_strdup(guest), .mode = st->st_mode};
    if (S_ISREG(st->st_mode) && (size_t)st->st_size <= BX_GUARD_FILE_MAX) {
        f.size = (size_t)st->st_size;
        f.text = read_file(dir, name, f.size);
    } else if (S_ISLNK(st->st_mode)) {
        char target[4096];
        ssize_t n = readlinkat(dir, name, target, sizeof target - 1);
        f.size = (size_t)BX_MAX(n, 0);
        f.text = bx_strndup(target, f.size);
    }
    bx_vec_push(&w->guard->files, f);
}

/* Of a .git: what git obeys, not what it stores. */
static bool skips(const char *guest) {
    const char *git = strstr(guest, "/.git/");
    if (!git)
        return false;
    struct bx_str rest = bx_str(git + 6), first;
    bx_str_split(&rest, '/', &first);
    return !bx_str_eqz(first, "config") && !bx_str_eqz(first, "config.worktree") &&
           !bx_str_eqz(first, "hooks") && !bx_str_eqz(first, "info") &&
           !bx_str_eqz(first, "modules");
}

static void look(struct walk *w, int take_dir, const char *guest, unsigned depth, bool guarded);

/* is_dir: the folder that lists it says so; else it is looked at. */
static void look_at(struct walk *w, int dir, const char *name, const char *parent, unsigned depth,
                    bool guarded, bool is_dir) {
    bx_auto(bx_freep) char *guest = join(parent, name);
    struct stat st = {.st_mode = S_IFDIR};
    bool here = guarded || bx_is_guarded(w->grant, guest);
    if (w->guard->files.n >= BX_GUARD_ENTRIES || skips(guest) ||
        ((here || !is_dir) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0))
        return;
    if (here)
        note(w, dir, name, guest, &st);
    if (!S_ISDIR(st.st_mode) || depth >= BX_GUARD_DEPTH || w->dirs >= BX_GUARD_DIRS)
        return;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        look(w, fd, guest, depth + 1, here);
}

/* By the name alone, in a folder that is not guarded itself: most files of a project are not worth
 * a path, let alone a system call. All built-in names begin with a dot. */
static bool may_be_guarded(const struct bx_grant *grant, const char *name) {
    bool may = name[0] == '.';
    for (size_t i = 0; i < grant->guarded_path_count && !may; i++)
        may = grant->guarded_paths[i][0] == '/' || strcasecmp(grant->guarded_paths[i], name) == 0;
    return may;
}

static void look(struct walk *w, int take_dir, const char *guest, unsigned depth, bool guarded) {
    DIR *d = fdopendir(take_dir);
    if (!d) {
        bx_fd_close(&take_dir);
        return;
    }
    w->dirs++;
    for (struct dirent *e; (e = readdir(d));) {
        bool plain = e->d_type != DT_DIR && e->d_type != DT_UNKNOWN;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (plain && !guarded) {
            bx_auto(bx_freep) char *path =
                may_be_guarded(w->grant, e->d_name) ? join(guest, e->d_name) : NULL;
            if (!path || !bx_is_guarded(w->grant, path))
                continue;
        }
        look_at(w, dirfd(d), e->d_name, guest, depth, guarded, e->d_type == DT_DIR);
    }
    closedir(d);
}

static void look_everywhere(struct bx_guard *g, const struct bx_grant *grant) {
    struct walk w = {.guard = g, .grant = grant};
    for (size_t i = 0; i < grant->mount_count; i++) {
        const struct bx_mount *m = &grant->mounts[i];
        int fd = m->writable ? bx_dir_open_real(m->host_path, O_RDONLY) : -1;
        if (fd >= 0)
            look(&w, fd, m->guest_path, 0, false);
    }
}

void bx_guard_keep(struct bx_guard *g, const struct bx_grant *grant) {
    *g = (struct bx_guard){0};
    if (!bx_unwired("guarded"))
        look_everywhere(g, grant);
}

/* ---- putting back ---- */

/* The folder that holds a guest path, opened part by part without links; missing ones are made,
 * what is in the way goes. */
static int open_parent(const struct bx_grant *grant, const char *guest, bool make,
                       char **ret_name) {
    const struct bx_mount *m = NULL;
    for (size_t i = 0; i < grant->mount_count; i++)
        if (grant->mounts[i].writable && bx_path_is_under(guest, grant->mounts[i].guest_path) &&
            (!m || strlen(grant->mounts[i].guest_path) > strlen(m->guest_path)))
            m = &grant->mounts[i];
    int fd = m ? bx_dir_open_real(m->host_path, O_RDONLY) : -1;
    struct bx_str rest = bx_str(m ? guest + strlen(strcmp(m->guest_path, "/") ? m->guest_path : "")
                                  : ""),
                  part;
    if (rest.n && rest.p[0] == '/')
        rest = bx_str_slice(rest, 1, rest.n);
    while (fd >= 0 && bx_str_split(&rest, '/', &part)) {
        bx_auto(bx_freep) char *name = bx_str_dup(part);
        if (!rest.p) {
            *ret_name = bx_steal(&name);
            return fd;
        }
        int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 && make) {
            (void)unlinkat(fd, name, 0);
            (void)mkdirat(fd, name, 0755);
            next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        bx_fd_close(&fd);
        fd = next;
    }
    bx_fd_close(&fd);
    return -1;
}

static void take_out(int dir, const char *name, unsigned depth) {
    if (unlinkat(dir, name, 0) == 0 || depth > 64)
        return;
    bx_auto(bx_fd_close) int fd =
        openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (!d) {
        bx_fd_close(&copy);
        return;
    }
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
            take_out(fd, e->d_name, depth + 1);
    closedir(d);
    (void)unlinkat(dir, name, AT_REMOVEDIR);
}

static void put_back(const struct bx_grant *grant, const struct bx_guarded_file *f) {
    bx_auto(bx_freep) char *name = NULL;
    bx_auto(bx_fd_close) int dir = open_parent(grant, f->guest, true, &name);
    if (dir < 0 || (!f->text && !S_ISDIR(f->mode)))
        return;
    take_out(dir, name, 0);
    if (S_ISDIR(f->mode)) {
        (void)mkdirat(dir, name, f->mode & 0777);
    } else if (S_ISLNK(f->mode)) {
        if (symlinkat(f->text, dir, name) != 0)
            bx_warn("tools", "the guarded link %s could not be put back: %s", f->guest,
                    strerror(errno));
    } else {
        bx_auto(bx_fd_close) int fd =
            openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            (void)bx_write_all(fd, f->text, f->size);
            (void)fchmod(fd, f->mode & 0777);
        }
    }
}

static const struct bx_guarded_file *find(const struct bx_guard *g, const char *guest) {
    for (size_t i = 0; i < g->files.n; i++)
        if (strcmp(g->files.p[i].guest, guest) == 0)
            return &g->files.p[i];
    return NULL;
}

static bool same(const struct bx_guarded_file *a, const struct bx_guarded_file *b) {
    if (!b || (a->mode & S_IFMT) != (b->mode & S_IFMT))
        return false;
    if (S_ISDIR(a->mode) || !a->text)
        return true;
    return b->text && a->size == b->size && memcmp(a->text, b->text, a->size) == 0 &&
           (S_ISLNK(a->mode) || (a->mode & 0777) == (b->mode & 0777));
}

static bool is_granted(const struct bx_tool_grants *grants, const char *guest) {
    return grants && grants->path && grants->path(grants->user, guest);
}

void bx_guard_restore(struct bx_guard *g, const struct bx_grant *grant,
                      const struct bx_tool_grants *grants, char **ret_paths) {
    bx_auto(bx_guard_deinit) struct bx_guard now = {0};
    struct bx_buf paths = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    size_t n = 0;
    *ret_paths = NULL;
    if (bx_unwired("guarded"))
        return;
    look_everywhere(&now, grant);
    bx_jw_init(&w, &paths);
    bx_jw_arr(&w);
    for (size_t i = 0; i < now.files.n; i++) { /* what is new */
        const char *guest = now.files.p[i].guest;
        bx_auto(bx_freep) char *name = NULL, *parent = bx_path_dir(guest);
        const struct bx_guarded_file *above = find(&now, parent);
        if (find(g, guest) || (above && !find(g, parent)) || is_granted(grants, guest))
            continue; /* with its folder, which is new itself, it goes anyway */
        bx_auto(bx_fd_close) int dir = open_parent(grant, guest, false, &name);
        if (dir >= 0)
            take_out(dir, name, 0);
        bx_jw_z(&w, guest);
        n++;
    }
    for (size_t i = 0; i < g->files.n; i++) { /* what is gone or different */
        const struct bx_guarded_file *f = &g->files.p[i];
        if (same(f, find(&now, f->guest)) || is_granted(grants, f->guest))
            continue;
        put_back(grant, f);
        bx_jw_z(&w, f->guest);
        n++;
    }
    bx_jw_end(&w);
    if (n)
        *ret_paths = bx_buf_steal(&paths);
    bx_buf_deinit(&paths);
}
