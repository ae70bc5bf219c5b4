#include "common/walk.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/files.h"
#include "common/ignore.h"
#include "common/path.h"

enum { MAX_DEPTH = 200 };

// What is in one folder: a type byte and the NUL-ended name, one after the other in text.
struct listing {
    struct bx_buf text;
    size_t *offsets;
    size_t n, cap;
    bool has_git, has_rules; // .git, .gitignore
};

static const char *sort_base; // qsort() hands no context to the comparison

static int by_name(const void *a, const void *b) {
    return strcmp(sort_base + *(const size_t *)a + 1, sort_base + *(const size_t *)b + 1);
}

static bool list(const char *dir, struct listing *out) {
    if (!bx_files_list(dir, &out->text)) {
        return false;
    }
    for (size_t at = 0; at < out->text.len; at += strlen(out->text.data + at) + 1) {
        const char *name = out->text.data + at + 1;
        if (*name == '.') {
            out->has_git = out->has_git || strcmp(name, ".git") == 0;
            out->has_rules = out->has_rules || strcmp(name, ".gitignore") == 0;
        }
        if (out->text.data[at] == 'o' || strcmp(name, ".git") == 0) {
            continue;
        }
        if (out->n == out->cap) {
            out->cap = out->cap * 2 + 32;
            out->offsets = bx_realloc(out->offsets, out->cap * sizeof *out->offsets);
        }
        out->offsets[out->n++] = at;
    }
    if (out->n) {
        sort_base = out->text.data;
        qsort(out->offsets, out->n, sizeof *out->offsets, by_name);
    }
    return true;
}

static bool walk_dir(struct bx_walk *walk, const char *dir, const struct bx_ignore *above,
                     int depth) {
    struct listing entries = {0};
    if (!list(dir, &entries)) {
        return false;
    }
    const struct bx_ignore *rules = above;
    if (entries.has_git || entries.has_rules) {
        rules = bx_ignore_load(dir, above);
    }
    for (size_t i = 0; i < entries.n && !walk->is_stopped; i++) {
        char type = entries.text.data[entries.offsets[i]];
        char *path = bx_path_join(dir, entries.text.data + entries.offsets[i] + 1);
        if (bx_ignore_test(rules, path, type == 'd')) {
            walk->n_ignored++;
            if (type != 'd') {
                walk->visit(walk, path, BX_WALK_IGNORED);
            }
        } else if (type != 'd') {
            walk->visit(walk, path, type == 'f' ? BX_WALK_FILE : BX_WALK_LINK);
        } else if (depth == MAX_DEPTH) {
            walk->n_too_deep++;
        } else if (walk->visit(walk, path, BX_WALK_DIR)) {
            walk->n_unreadable += !walk_dir(walk, path, rules, depth + 1);
        }
        free(path);
    }
    bx_ignore_free(rules, above);
    free(entries.offsets);
    bx_buf_deinit(&entries.text);
    return true;
}

bool bx_walk_run(struct bx_walk *walk, const char *start) {
    const struct bx_ignore *rules = NULL;
    if (strcmp(start, ".") != 0) { // the rules of the folders above the start
        rules = bx_ignore_load(".", rules);
        for (const char *slash = strchr(start, '/'); slash; slash = strchr(slash + 1, '/')) {
            char *dir = bx_strndup(start, (size_t)(slash - start));
            rules = bx_ignore_load(dir, rules);
            free(dir);
        }
    }
    return walk_dir(walk, start, rules, 0);
}
