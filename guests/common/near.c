#include "common/near.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/guest.h"
#include "common/path.h"

enum { MAX_NAME = 255, MAX_SHOWN = 3, MAX_ENTRIES = 20000 };

struct candidate {
    char *name;
    int cost; // smaller is nearer
};

static int lower(char c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : (unsigned char)c;
}

// Edits from a to b, upper and lower case alike.
static int distance(const char *a, const char *b) {
    int row[MAX_NAME + 2];
    size_t n_a = strlen(a), n_b = strlen(b);
    if (n_a > MAX_NAME || n_b > MAX_NAME) {
        return MAX_NAME;
    }
    for (size_t j = 0; j <= n_b; j++) {
        row[j] = (int)j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= n_b; j++) {
            int above = row[j];
            int best = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            best = above + 1 < best ? above + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[n_b];
}

// How unlike two names are; a negative number when too unlike to be worth showing.
static int unlikeness(const char *wanted, const char *name) {
    size_t len = strlen(wanted), n_stem = strcspn(wanted, ".");
    int edits = distance(wanted, name);
    if (edits <= 1 + (int)(len / 4)) {
        return edits;
    }
    // the same name with another ending: config.yml, config.yaml
    bool same_stem =
        n_stem > 1 && strcspn(name, ".") == n_stem && !strncasecmp(wanted, name, n_stem);
    bool longer = len >= 4 && strncasecmp(wanted, name, len) == 0;
    return same_stem || longer ? 100 + edits : -1;
}

static void keep(struct candidate *best, size_t *n, const char *name, int cost) {
    size_t at = *n;
    while (at > 0 && (best[at - 1].cost > cost ||
                      (best[at - 1].cost == cost && strcmp(best[at - 1].name, name) > 0))) {
        at--;
    }
    if (at == MAX_SHOWN) {
        return;
    }
    if (*n == MAX_SHOWN) {
        free(best[--*n].name);
    }
    memmove(best + at + 1, best + at, (*n - at) * sizeof *best);
    best[at] = (struct candidate){bx_strndup(name, strlen(name)), cost};
    ++*n;
}

static size_t find_near(const char *dir, const char *wanted, struct candidate *best) {
    size_t n = 0, n_seen = 0;
    DIR *stream = opendir(dir);
    if (!stream) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(stream)) && n_seen < MAX_ENTRIES; n_seen++) {
        int cost =
            entry->d_name[0] == '.' && wanted[0] != '.' ? -1 : unlikeness(wanted, entry->d_name);
        if (cost >= 0 && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            keep(best, &n, entry->d_name, cost);
        }
    }
    closedir(stream);
    return n;
}

bool bx_near_missing(const char *path, struct bx_answer *answer) {
    char *dir = bx_path_dir(path), *missing = bx_strndup(path, strlen(path));
    struct stat st;
    while (strcmp(dir, ".") != 0 && stat(dir, &st) != 0) { // up to the first folder that is there
        free(missing);
        missing = dir;
        dir = bx_path_dir(missing);
    }
    struct candidate best[MAX_SHOWN];
    bx_answer_fail(answer, "%s does not exist", bx_path_show(path));
    struct bx_buf *out = &answer->content;
    if (strcmp(dir, ".") != 0 && stat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
        bx_buf_add_fmt(out, ": %s is a file, not a folder.", bx_path_show(dir));
    } else {
        if (strcmp(missing, path) != 0) {
            bx_buf_add_fmt(out, ": there is no folder %s", bx_path_show(missing));
        }
        size_t n = find_near(dir, bx_path_name(missing), best);
        bx_buf_add_str(out, n ? ". Did you mean " : ".");
        for (size_t i = 0; i < n; i++) {
            char *full = bx_path_join(dir, best[i].name);
            bx_buf_add_str(out, i == 0 ? "" : i + 1 == n ? " or " : ", ");
            bx_path_put(out, full);
            free(full);
            free(best[i].name);
        }
        bx_buf_add_str(out, n ? "?" : " Paths are relative to the root; find files with glob.");
    }
    free(missing);
    free(dir);
    return false;
}
