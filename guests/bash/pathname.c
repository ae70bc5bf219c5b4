// Patterns of paths: *.c, src/**/x?.[ch]
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bash/sh.h"

enum { MAX_DEPTH = 60, MAX_RESULTS = 200000 };

struct search {
    struct sh *sh;
    struct sh_fields *out;
    size_t start;
    bool is_full;
};

static bool is_dir(struct search *s, const char *path, bool follows) {
    struct stat st;
    const char *real = sh_path(s->sh, path[0] ? path : ".");
    return (follows ? stat(real, &st) : lstat(real, &st)) == 0 && S_ISDIR(st.st_mode);
}

static char *join(struct search *s, const char *dir, const char *name, bool slash) {
    struct sh_text text = {.arena = &s->sh->scratch};
    sh_text_add(&text, dir, strlen(dir));
    sh_text_add(&text, name, strlen(name));
    if (slash) {
        sh_text_char(&text, '/');
    }
    return text.data ? text.data : "";
}

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// The names in a folder, sorted; "" is the current one
static char **list(struct search *s, const char *dir, size_t *ret_n) {
    struct sh_fields names = {0};
    DIR *d = opendir(sh_path(s->sh, dir[0] ? dir : "."));
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            sh_fields_add(s->sh, &names,
                          sh_arena_copy(&s->sh->scratch, entry->d_name, strlen(entry->d_name)));
        }
    }
    if (d) {
        closedir(d);
    }
    if (names.n) {
        qsort(names.v, names.n, sizeof *names.v, compare);
    }
    *ret_n = names.n;
    return names.v;
}

static void add(struct search *s, const char *path) {
    if (s->out->n - s->start >= MAX_RESULTS) {
        s->is_full = true;
    } else if (path[0]) {
        sh_fields_add(s->sh, s->out, (char *)(uintptr_t)path);
    }
}

static bool takes_dots(const struct search *s, const char *pattern) {
    return s->sh->shopts & SH_DOTGLOB || pattern[0] == '.' ||
           (pattern[0] == '\\' && pattern[1] == '.');
}

static void walk(struct search *s, const char *base, const char *pattern, int depth);

// ** : this folder and all below it
static void walk_all(struct search *s, const char *base, const char *rest, int depth) {
    if (depth > MAX_DEPTH || s->is_full) {
        return;
    }
    if (rest) {
        walk(s, base, rest, depth + 1);
    } else if (base[0]) {
        add(s, base);
    }
    size_t n;
    char **names = list(s, base, &n);
    for (size_t i = 0; i < n && !s->is_full; i++) {
        if (names[i][0] == '.' && !(s->sh->shopts & SH_DOTGLOB)) {
            continue;
        }
        char *path = join(s, base, names[i], false);
        if (is_dir(s, path, false)) {
            walk_all(s, join(s, base, names[i], true), rest, depth + 1);
        } else if (!rest) {
            add(s, path);
        }
    }
}

static void walk(struct search *s, const char *base, const char *pattern, int depth) {
    if (depth > MAX_DEPTH || s->is_full) {
        return;
    }
    size_t n = strcspn(pattern, "/");
    const char *rest = pattern[n] ? pattern + n + strspn(pattern + n, "/") : NULL;
    char *part = sh_arena_copy(&s->sh->scratch, pattern, n);
    unsigned flags = (s->sh->shopts & SH_NOCASEGLOB ? SH_MATCH_FOLD : 0) |
                     (s->sh->shopts & SH_EXTGLOB ? SH_MATCH_EXT : 0);
    if (strcmp(part, "**") == 0 && s->sh->shopts & SH_GLOBSTAR) {
        if (!rest || rest[0]) {
            walk_all(s, base, rest, depth);
            return;
        }
    }
    if (!sh_has_pattern(part, s->sh->shopts & SH_EXTGLOB)) {
        char *path = join(s, base, sh_unescape(s->sh, part), false);
        struct stat st;
        if (rest && is_dir(s, path, true)) {
            path = join(s, path, "", true);
            if (rest[0]) {
                walk(s, path, rest, depth + 1);
            } else {
                add(s, path);
            }
        } else if (!rest && lstat(sh_path(s->sh, path), &st) == 0) {
            add(s, path);
        }
        return;
    }
    size_t count;
    char **names = list(s, base, &count);
    for (size_t i = 0; i < count && !s->is_full; i++) {
        if ((names[i][0] == '.' && !takes_dots(s, part)) ||
            !sh_match(part, names[i], strlen(names[i]), flags)) {
            continue;
        }
        char *path = join(s, base, names[i], false);
        if (!rest) {
            add(s, path);
        } else if (is_dir(s, path, true)) {
            path = join(s, path, "", true);
            if (rest[0]) {
                walk(s, path, rest, depth + 1);
            } else {
                add(s, path);
            }
        }
    }
}

size_t sh_pathnames(struct sh *sh, const char *pattern, struct sh_fields *out) {
    struct search s = {.sh = sh, .out = out, .start = out->n};
    size_t slashes = strspn(pattern, "/");
    walk(&s, slashes ? "/" : "", pattern + slashes, 0);
    if (out->n > s.start) {
        qsort(out->v + s.start, out->n - s.start, sizeof *out->v, compare);
    }
    return out->n - s.start;
}
