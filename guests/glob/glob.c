/* glob: the files whose names match a pattern, newest first. */
#include "common/glob.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/guest.h"
#include "common/near.h"
#include "common/newest.h"
#include "common/path.h"
#include "common/walk.h"

enum { MAX_SHOWN = 200, MAX_DIRS_SHOWN = 10 };

struct search {
    struct bx_glob glob; // whole paths from the root
    struct bx_newest found;
    size_t n_ignored;   // that match
    struct bx_buf dirs; // folders that match
    size_t n_dirs;
};

static bool is_file(const char *path) {
    struct stat st;
    return bx_path_is_text(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool visit(struct bx_walk *walk, const char *path, enum bx_walk_kind kind) {
    struct search *search = walk->user;
    bool matches = bx_glob_matches(&search->glob, path);
    switch (kind) {
    case BX_WALK_DIR:
        if (matches && search->n_dirs++ < MAX_DIRS_SHOWN) {
            bx_buf_add_str(&search->dirs, search->dirs.len ? ", " : "");
            bx_path_put(&search->dirs, path);
            bx_buf_add_char(&search->dirs, '/');
        }
        return bx_glob_may_match_below(&search->glob, path);
    case BX_WALK_IGNORED:
        search->n_ignored += matches;
        break;
    case BX_WALK_LINK:
        matches = matches && is_file(path);
        // fall through
    case BX_WALK_FILE:
        if (matches) {
            bx_newest_add(&search->found, path);
        }
        break;
    }
    return false;
}

static bool start_exists(const char *start, struct bx_answer *answer) {
    struct stat st;
    if (stat(start, &st) == 0) {
        return S_ISDIR(st.st_mode) ||
               bx_answer_fail(answer, "%s is a file, not a folder; read shows it.",
                              bx_path_show(start));
    }
    if (errno == ENOENT || errno == ENOTDIR) {
        return bx_near_missing(start, answer);
    }
    return bx_answer_fail(answer, "%s cannot be searched: %s.", bx_path_show(start),
                          bx_file_why(errno));
}

// The pattern from the root: that of the input counts from base unless it begins with a slash.
static char *whole_pattern(const char *base, const struct bx_json *pattern,
                           struct bx_answer *answer) {
    const char *why = NULL;
    char *tidy = bx_path_parse(pattern->text, pattern->len, &why);
    if (!tidy || strcmp(tidy, ".") == 0) {
        bx_answer_fail(answer, "pattern %s.",
                       tidy ? "is empty: give a pattern such as **/*.c" : why);
        return NULL;
    }
    if (pattern->text[0] == '/' || strcmp(base, ".") == 0) {
        return tidy;
    }
    struct bx_buf out = {0};
    for (const char *at = base; *at; at++) {
        if (strchr("*?[{\\", *at)) {
            bx_buf_add_char(&out, '\\');
        }
        bx_buf_add_char(&out, *at);
    }
    bx_buf_add_char(&out, '/');
    bx_buf_add_str(&out, tidy);
    free(tidy);
    return out.data;
}

static void count_deeper(const char *base, const char *pattern, struct bx_answer *answer) {
    struct search deeper = {0};
    struct bx_walk walk = {.visit = visit, .user = &deeper};
    struct bx_buf text = {0};
    const char *why = NULL;
    bx_buf_add_fmt(&text, "**/%s", bx_path_name(pattern));
    bx_newest_init(&deeper.found, 0);
    if (bx_glob_parse(&deeper.glob, text.data, text.len, &why)) {
        bx_walk_run(&walk, base);
        if (deeper.found.n_seen) {
            bx_buf_add_fmt(&answer->content, " %zu file%s in folders below do%s: use %s.",
                           deeper.found.n_seen, deeper.found.n_seen == 1 ? "" : "s",
                           deeper.found.n_seen == 1 ? "es" : "", text.data);
        }
    }
    bx_buf_deinit(&text);
}

static void put_nothing(const struct search *search, const char *base,
                        const struct bx_json *pattern, struct bx_answer *answer) {
    struct bx_buf *out = &answer->content;
    bx_buf_add_str(out, "No files match ");
    bx_buf_add(out, pattern->text, pattern->len);
    if (strcmp(base, ".") != 0) {
        bx_buf_add_fmt(out, " in %s", bx_path_show(base));
    }
    bx_buf_add_char(out, '.');
    if (search->n_dirs) {
        bx_buf_add_fmt(out, " Folders do: %s%s. Add /** for what is in them.", search->dirs.data,
                       search->n_dirs > MAX_DIRS_SHOWN ? "..." : "");
    }
    if (search->n_ignored) {
        bx_buf_add_fmt(out,
                       " %zu that match %s left out by .gitignore; name one exactly to see it.",
                       search->n_ignored, search->n_ignored == 1 ? "is" : "are");
    }
    if (!memchr(pattern->text, '/', pattern->len) && !search->n_dirs) {
        count_deeper(base, pattern->text, answer);
    }
}

static void put_found(struct search *search, const struct bx_walk *walk, struct bx_answer *answer) {
    struct bx_buf *out = &answer->content;
    bx_newest_sort(&search->found);
    for (size_t i = 0; i < search->found.n; i++) {
        bx_path_put(out, search->found.heap[i].path);
        bx_buf_add_char(out, '\n');
    }
    if (search->found.n_seen > search->found.n) {
        bx_buf_add_fmt(
            out, "\n[The newest %zu of %zu files. A narrower pattern or a path shows the rest.]\n",
            search->found.n, search->found.n_seen);
    }
    if (walk->n_unreadable || walk->n_too_deep) {
        bx_buf_add_fmt(out, "\n[%zu folder%s could not be listed completely.]\n",
                       walk->n_unreadable + walk->n_too_deep,
                       walk->n_unreadable + walk->n_too_deep == 1 ? "" : "s");
    }
    bx_answer_meta_int(answer, "files", (long long)search->found.n_seen);
    bx_answer_meta_int(answer, "shown", (long long)search->found.n);
    bx_answer_meta_int(answer, "cut", (long long)(search->found.n_seen - search->found.n));
    bx_answer_meta_int(answer, "ignored", (long long)search->n_ignored);
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    struct search search = {0};
    struct bx_walk walk = {.visit = visit, .user = &search};
    const struct bx_json *pattern = NULL;
    char *base = NULL, *whole = NULL;
    const char *why = NULL;
    if (!bx_input_required(input, "pattern", &pattern, answer) ||
        !bx_input_path(input, "path", false, &base, answer) || !start_exists(base, answer) ||
        !(whole = whole_pattern(base, pattern, answer))) {
        return;
    }
    if (!bx_glob_parse(&search.glob, whole, strlen(whole), &why)) {
        bx_answer_fail(answer, "pattern %s.", why);
        return;
    }
    bx_newest_init(&search.found, MAX_SHOWN);
    if (bx_glob_is_plain(whole)) { // one name: the file itself, even if .gitignore leaves it out
        if (is_file(whole)) {
            bx_newest_add(&search.found, whole);
        }
    }
    size_t prefix = bx_glob_plain_prefix(whole);
    char *start = prefix ? bx_strndup(whole, prefix - 1) : bx_strndup(".", 1);
    struct stat st;
    if (!search.found.n && stat(start, &st) == 0 && S_ISDIR(st.st_mode) &&
        !bx_walk_run(&walk, start)) {
        bx_answer_fail(answer, "%s cannot be searched: %s.", bx_path_show(start),
                       bx_file_why(errno));
        return;
    }
    if (!search.found.n_seen) {
        put_nothing(&search, base, pattern, answer);
    }
    put_found(&search, &walk, answer);
}
