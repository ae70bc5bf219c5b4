#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "base/unwire.h"
#include "skills/front.h"
#include "skills/internal.h"
#include "skills/yaml.h"

#define FOLDER_DEPTH 8

int bx_skill_open(int base_fd, bool in_root, const char *name, int flags) {
    return in_root && !bx_unwired("skills_beneath") ? bx_file_open_beneath(base_fd, name, flags)
                                                    : openat(base_fd, name, flags | O_CLOEXEC);
}

bool bx_skill_read_fd(int fd, struct bx_buf *out) {
    char piece[16384];
    ssize_t n = 0;
    while (out->size < out->max && (n = read(fd, piece, sizeof piece)) > 0)
        bx_buf_add(out, piece, BX_MIN((size_t)n, out->max - out->size));
    return n >= 0;
}

bool bx_skill_read(int base_fd, bool in_root, const char *name, struct bx_buf *out) {
    bx_auto(bx_fd_close) int fd =
        bx_skill_open(base_fd, in_root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && bx_skill_read_fd(fd, out);
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- part of the program ---- */

/* The next of its files at or after *at; NULL at the end. */
static const struct bx_file_blob *
next_bundled(const struct bx_skill *s, const struct bx_file_blob **at, const char **ret_name) {
    size_t n = strlen(s->folder);
    for (; (*at)->name; (*at)++) {
        if (strncmp((*at)->name, s->folder, n) == 0 && (*at)->name[n] == '/') {
            *ret_name = (*at)->name + n + 1;
            return (*at)++;
        }
    }
    return NULL;
}

static int bundled_each(const struct bx_skill *s, bx_skill_file_fn *fn, void *user,
                        struct bx_err *err) {
    const struct bx_file_blob *at = s->files, *file;
    const char *name;
    while ((file = next_bundled(s, &at, &name)) != NULL) {
        int rc = fn(user, name, bx_str_n((const char *)file->content.p, file->content.n),
                    file->is_program, err);
        if (rc)
            return rc;
    }
    return 0;
}

static size_t bundled_names(const struct bx_skill *s, char **ret_names, size_t max) {
    const struct bx_file_blob *at = s->files, *file;
    const char *name;
    size_t n = 0;
    while (n < max && (file = next_bundled(s, &at, &name)) != NULL) {
        size_t slash = bx_str_find(bx_str(name), '/');
        char *top =
            bx_str_dup(bx_str_slice(bx_str(name), 0, slash == (size_t)-1 ? slash : slash + 1));
        if (strcmp(top, BX_SKILL_FILE) == 0 || (n && strcmp(top, ret_names[n - 1]) == 0))
            bx_free(top);
        else
            ret_names[n++] = top;
    }
    return n;
}

/* ---- the text ---- */

int bx_skill_text(const struct bx_skill *s, struct bx_buf *out, struct bx_err *err) {
    struct bx_buf text = BX_BUF_INIT(BX_YAML_MAX + BX_SKILL_BODY_MAX + 16);
    bool found = false;
    if (s->text) {
        found = true;
        bx_buf_add(&text, s->text, s->text_bytes);
    } else if (s->files) {
        const struct bx_file_blob *at = s->files, *file;
        const char *name;
        while (!found && (file = next_bundled(s, &at, &name)) != NULL)
            if ((found = strcmp(name, BX_SKILL_FILE) == 0))
                bx_buf_add(&text, file->content.p, file->content.n);
    } else {
        bx_auto(bx_freep) char *file = bx_path_join(s->folder, BX_SKILL_FILE);
        bx_auto(bx_fd_close) int base = open(s->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
        found = base >= 0 && bx_skill_read(base, s->in_root, file, &text);
    }
    int rc =
        !found ? bx_fail(err, BX_ERR_NOTFOUND, "the skill %s is not there any more (%s)", s->name,
                         s->folder)
        : text.size == text.max
            ? bx_fail(err, BX_ERR_LIMIT,
                      "the skill %s is larger than 1 MiB: put its material into files beside it",
                      s->name)
            : 0;
    if (!rc)
        bx_buf_adds(out, bx_buf_str(&text));
    bx_buf_deinit(&text);
    return rc;
}

int bx_skill_body(const struct bx_skill *s, struct bx_buf *out, struct bx_err *err) {
    if (s->problem)
        return bx_fail(err, BX_ERR_INVALID, "the skill %s is broken: %.350s", s->name, s->problem);
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_YAML_MAX + BX_SKILL_BODY_MAX + 16);
    struct bx_str yaml;
    int rc = bx_skill_text(s, &text, err);
    if (rc)
        return rc;
    size_t begin = bx_front_end(bx_buf_str(&text), &yaml);
    if (text.size - begin > BX_SKILL_BODY_MAX)
        return bx_fail(err, BX_ERR_LIMIT,
                       "the skill %s is larger than 1 MiB: put its material into files beside it",
                       s->name);
    bx_buf_adds(out, bx_str_slice(bx_buf_str(&text), begin, text.size));
    return 0;
}

/* ---- its files ---- */

static int open_folder(const struct bx_skill *s) {
    bx_auto(bx_fd_close) int base = open(s->base, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return base < 0 ? -1 : bx_skill_open(base, s->in_root, s->folder, O_RDONLY | O_DIRECTORY);
}

size_t bx_skill_files(const struct bx_skill *s, char **ret_names, size_t max) {
    size_t n = 0;
    if (s->files)
        return bundled_names(s, ret_names, max);
    int fd = open_folder(s);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *e; n < max && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.' && strcmp(e->d_name, BX_SKILL_FILE))
            ret_names[n++] = bx_asprintf("%s%s", e->d_name, e->d_type == DT_DIR ? "/" : "");
    closedir(dir);
    qsort(ret_names, n, sizeof *ret_names, by_text);
    return n;
}

struct walk {
    const struct bx_skill *skill;
    int top; /* its folder: nothing is opened but beneath it */
    bx_skill_file_fn *fn;
    void *user;
    struct bx_err *err;
    size_t files, bytes;
};

static int too_much(const struct walk *w) {
    return bx_fail(w->err, BX_ERR_LIMIT,
                   "the skill %s has more than %d files or more than %zu MiB beside SKILL.md",
                   w->skill->name, BX_SKILL_FILES_MAX, BX_SKILL_FILES_BYTES_MAX / BX_MIB);
}

static int take_file(struct walk *w, const char *name, int fd, const struct stat *st) {
    if (++w->files > BX_SKILL_FILES_MAX ||
        (size_t)st->st_size > BX_SKILL_FILES_BYTES_MAX - w->bytes)
        return too_much(w);
    bx_auto(bx_buf_deinit) struct bx_buf bytes =
        BX_BUF_INIT(BX_SKILL_FILES_BYTES_MAX - w->bytes + 1);
    if (!bx_skill_read_fd(fd, &bytes))
        return bx_fail(w->err, BX_ERR_IO, "%s of the skill %s cannot be read", name,
                       w->skill->name);
    if (bytes.size == bytes.max)
        return too_much(w);
    w->bytes += bytes.size;
    return w->fn(w->user, name, bx_buf_str(&bytes), st->st_mode & 0100, w->err);
}

static int walk_folder(struct walk *w, const char *folder, unsigned depth);

static int take_entry(struct walk *w, const char *name, bool is_link, unsigned depth) {
    bx_auto(bx_fd_close) int fd =
        bx_unwired("skills_beneath")
            ? openat(w->top, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
            : bx_file_open_beneath(w->top, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return 0; /* a link that leads out, or nowhere: no file of this skill */
    if (S_ISREG(st.st_mode))
        return take_file(w, name, fd, &st);
    return S_ISDIR(st.st_mode) && !is_link ? walk_folder(w, name, depth + 1) : 0;
}

struct entry {
    char *name;
    bool is_link;
};
static int by_name(const void *a, const void *b) {
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int walk_folder(struct walk *w, const char *folder, unsigned depth) {
    BX_VEC(struct entry) entries = {0};
    if (depth > FOLDER_DEPTH || ++w->files > BX_SKILL_FILES_MAX)
        return too_much(w);
    int fd = bx_file_open_beneath(w->top, folder, O_RDONLY | O_DIRECTORY), rc = 0;
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        bx_fd_close(&fd);
        return 0;
    }
    for (struct dirent *e; entries.n <= BX_SKILL_FILES_MAX && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            bx_vec_push(&entries, ((struct entry){bx_strdup(e->d_name), e->d_type == DT_LNK}));
    closedir(dir);
    if (entries.n)
        qsort(entries.p, entries.n, sizeof *entries.p, by_name);
    for (size_t i = 0; i < entries.n; i++) {
        bx_auto(bx_freep) char *name = strcmp(folder, ".") ? bx_path_join(folder, entries.p[i].name)
                                                           : bx_strdup(entries.p[i].name);
        if (!rc)
            rc = take_entry(w, name, entries.p[i].is_link, depth);
        bx_free(entries.p[i].name);
    }
    bx_vec_free(&entries);
    return rc;
}

int bx_skill_each_file(const struct bx_skill *s, bx_skill_file_fn *fn, void *user,
                       struct bx_err *err) {
    if (s->files)
        return bundled_each(s, fn, user, err);
    bx_auto(bx_fd_close) int top = open_folder(s);
    if (top < 0)
        return bx_fail(err, BX_ERR_NOTFOUND, "the skill %s is not there any more (%s)", s->name,
                       s->folder);
    struct walk w = {.skill = s, .top = top, .fn = fn, .user = user, .err = err};
    return walk_folder(&w, ".", 0);
}

/* ---- digest and copy ---- */

void bx_skill_hash_file(struct bx_sha256 *h, const char *name, struct bx_str bytes,
                        bool is_program) {
    char head[64];
    int n = snprintf(head, sizeof head, "%zu %d %zu ", strlen(name), is_program, bytes.n);
    bx_sha256_add(h, head, (size_t)n);
    bx_sha256_add(h, name, strlen(name));
    bx_sha256_add(h, bytes.n ? bytes.p : "", bytes.n);
}

void bx_skill_hash_end(struct bx_sha256 *h, char ret[static BX_SHA256_HEX + 1]) {
    unsigned char sum[BX_SHA256_SIZE];
    bx_sha256_end(h, sum);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

static int hash_one(void *user, const char *name, struct bx_str bytes, bool is_program,
                    struct bx_err *err) {
    (void)err;
    bx_skill_hash_file(user, name, bytes, is_program);
    return 0;
}

int bx_skill_digest(const struct bx_skill *s, char ret[static BX_SHA256_HEX + 1],
                    struct bx_err *err) {
    struct bx_sha256 h;
    bx_sha256_init(&h);
    int rc = bx_skill_each_file(s, hash_one, &h, err);
    bx_skill_hash_end(&h, ret);
    return rc;
}

struct copy {
    const char *dir;
    struct bx_sha256 hash;
};

int bx_skill_write_file(const char *dir, const char *name, struct bx_str bytes, bool is_program,
                        struct bx_err *err) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name), *parent = bx_path_dir(path);
    int rc = bx_dir_make(parent, 0700, err);
    if (rc)
        return rc;
    bx_auto(bx_fd_close) int fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, is_program ? 0700 : 0600);
    if (fd < 0)
        return bx_fail_errno(err, errno, "%s cannot be written", path);
    rc = bx_write_all(fd, bytes.p, bytes.n);
    return rc ? bx_fail_errno(err, -rc, "%s cannot be written", path) : 0;
}

static int copy_one(void *user, const char *name, struct bx_str bytes, bool is_program,
                    struct bx_err *err) {
    struct copy *c = user;
    bx_skill_hash_file(&c->hash, name, bytes, is_program);
    return bx_skill_write_file(c->dir, name, bytes, is_program, err);
}

int bx_skill_copy(const struct bx_skill *s, const char *dir,
                  char ret_digest[static BX_SHA256_HEX + 1], struct bx_err *err) {
    struct copy c = {.dir = dir};
    bx_sha256_init(&c.hash);
    int rc = bx_dir_make(dir, 0700, err);
    if (!rc)
        rc = bx_skill_each_file(s, copy_one, &c, err);
    bx_skill_hash_end(&c.hash, ret_digest);
    return rc;
}
