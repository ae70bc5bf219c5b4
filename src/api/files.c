#include "api/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/utf8.h"
#include "base/vec.h"

#define ENTRIES_MAX 50000 /* that are looked at */
#define DEPTH_MAX   12
#define PATH_BYTES  1024

struct found {
    char *path;
    unsigned score; /* smaller is better */
    bool is_folder;
};
struct search {
    struct bx_str folder, word; /* what is typed before and behind the last slash */
    BX_VEC(struct found) found;
    size_t seen, limit;
    bool hidden, cut;
};

/* Folders that others fill: thousands of files that nobody types. */
static bool is_filled_by_machine(const char *name) {
    static const char *const names[] = {"node_modules", "target", "__pycache__",
                                        "build",        "dist",   "venv"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Are the letters of the word in the text, in their order? *ret_at: where it stands as a whole, or
 * SIZE_MAX. */
static bool has_letters(struct bx_str text, struct bx_str word, size_t *ret_at) {
    size_t k = 0;
    *ret_at = SIZE_MAX;
    for (size_t i = 0; i + word.n <= text.n && *ret_at == SIZE_MAX; i++) {
        size_t n = 0;
        while (n < word.n && lower(text.p[i + n]) == lower(word.p[n]))
            n++;
        if (n == word.n)
            *ret_at = i;
    }
    for (size_t i = 0; i < text.n && k < word.n; i++)
        k += lower(text.p[i]) == lower(word.p[k]);
    return k == word.n;
}

/* 0 = no match, else smaller is better. */
static unsigned score_of(const struct search *s, struct bx_str path, struct bx_str name,
                         unsigned depth) {
    size_t at;
    unsigned far = BX_MIN(depth, 9u) * 10 + (unsigned)BX_MIN(name.n / 8, (size_t)9);
    if (!s->word.n)
        return 1 + far;
    if (has_letters(name, s->word, &at))
        return (at == 0 ? 100 : at != SIZE_MAX ? 200 : 400) + far;
    if (!s->folder.n && has_letters(path, s->word, &at) && at != SIZE_MAX)
        return 300 + far;
    return 0;
}

static int by_score(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return strcmp(x->path, y->path);
}

static void keep(struct search *s, const char *path, unsigned score, bool is_folder) {
    bx_vec_push(&s->found,
                ((struct found){.path = bx_strdup(path), .score = score, .is_folder = is_folder}));
    if (s->found.n < 8 * s->limit)
        return;
    qsort(s->found.p, s->found.n, sizeof *s->found.p, by_score);
    while (s->found.n > s->limit) {
        bx_free(s->found.p[--s->found.n].path);
        s->cut = true;
    }
}

/* Nor does a name with a line end or an escape in it steer the terminal that shows it. */
static bool can_be_typed(const char *name) {
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return bx_utf8_valid(bx_str(name));
}

/* At most this many folders are open at once: DEPTH_MAX. */
static void walk(struct search *s, int dir, char *path, size_t size, unsigned depth) {
    DIR *d = fdopendir(dir);
    struct dirent *e;
    if (!d) {
        close(dir);
        return;
    }
    while ((e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            (e->d_name[0] == '.' && !s->hidden))
            continue;
        if (size + n + 2 > PATH_BYTES || ++s->seen > ENTRIES_MAX) {
            s->cut = true;
            break;
        }
        if (!can_be_typed(e->d_name) ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
            continue;
        memcpy(path + size, e->d_name, n + 1);
        unsigned score = score_of(s, bx_str(path), bx_str(e->d_name), depth);
        if (score)
            keep(s, path, score, S_ISDIR(st.st_mode));
        /* a folder that is typed with its slash is completed in itself alone */
        if (!S_ISDIR(st.st_mode) || (s->folder.n && !s->word.n) || is_filled_by_machine(e->d_name))
            continue;
        int sub = depth < DEPTH_MAX
                      ? openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                      : -1;
        if (sub >= 0) {
            path[size + n] = '/';
            walk(s, sub, path, size + n + 1, depth + 1);
        }
    }
    closedir(d);
}

static int open_folder(const char *root, struct bx_str folder) {
    int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || !folder.n)
        return dir;
    bx_auto(bx_freep) char *name = bx_str_dup(folder);
    int sub = bx_file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY);
    close(dir);
    return sub;
}

void bx_files_complete(const char *root, struct bx_str query, size_t limit, struct bx_jw *w) {
    char path[PATH_BYTES] = "";
    struct search s = {.limit = limit};
    while (query.n && query.p[0] == '/')
        query = bx_str_slice(query, 1, query.n);
    size_t slash = query.n;
    while (slash && query.p[slash - 1] != '/')
        slash--;
    s.folder = bx_str_slice(query, 0, slash);
    s.word = bx_str_slice(query, slash, query.n);
    s.hidden = s.word.n && s.word.p[0] == '.';
    int dir = memchr(query.p ? query.p : "", 0, query.n) || s.folder.n + 2 > PATH_BYTES
                  ? -1
                  : open_folder(root, s.folder);
    if (dir >= 0) {
        memcpy(path, s.folder.p ? s.folder.p : "", s.folder.n);
        walk(&s, dir, path, s.folder.n, 0);
    }
    if (s.found.n)
        qsort(s.found.p, s.found.n, sizeof *s.found.p, by_score);
    bx_jw_karr(w, "files");
    for (size_t i = 0; i < s.found.n; i++) {
        if (i < limit) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "path", s.found.p[i].path);
            bx_jw_kstr(w, "kind", s.found.p[i].is_folder ? "folder" : "file");
            bx_jw_end(w);
        }
        bx_free(s.found.p[i].path);
    }
    bx_jw_end(w);
    bx_jw_kbool(w, "cut", s.cut || s.found.n > limit);
    bx_vec_free(&s.found);
}
