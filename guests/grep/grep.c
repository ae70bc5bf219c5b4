/* grep: the lines, or the files, that match a regular expression. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/files.h"
#include "common/glob.h"
#include "common/guest.h"
#include "common/near.h"
#include "common/newest.h"
#include "common/path.h"
#include "common/walk.h"
#include "matcher.h"
#include "search.h"
#include "types.h"

enum { DEFAULT_SHOWN = 200, MAX_SHOWN = 5000, MAX_CONTEXT = 1000, BATCH = 256 };

// A list of name patterns: a file must match one that takes in, if there is any, and none that
// leaves out.
struct names {
    struct name_rule {
        struct bx_glob glob;
        bool is_path, is_out;
    } * rules;
    size_t n;
    bool has_in;
};

struct request {
    const struct bx_json *pattern;
    char *path;
    struct names globs, type;
    struct bx_search search;
    struct bx_newest files;
    struct bx_batch batch; // files that are to be searched next
    long long max_shown;
    size_t n_counts;
};

static bool add_name(struct names *names, const char *text, size_t len, const char *what,
                     struct bx_answer *answer) {
    struct name_rule rule = {0};
    const char *why = NULL;
    if (len && text[0] == '!') {
        rule.is_out = true;
        text++;
        len--;
    }
    if (len && text[0] == '/') {
        rule.is_path = true;
        text++;
        len--;
    }
    if (!len) {
        return true;
    }
    rule.is_path = rule.is_path || memchr(text, '/', len);
    if (!bx_glob_parse(&rule.glob, text, len, &why)) {
        return bx_answer_fail(answer, "%s %s.", what, why);
    }
    names->has_in = names->has_in || !rule.is_out;
    names->rules = bx_realloc(names->rules, (names->n + 1) * sizeof rule);
    names->rules[names->n++] = rule;
    return true;
}

// Split at white space, and at commas that are not inside braces.
static bool add_names(struct names *names, const char *text, size_t len, const char *what,
                      struct bx_answer *answer) {
    size_t start = 0;
    int depth = 0;
    for (size_t i = 0; i <= len; i++) {
        char c = i < len ? text[i] : ' ';
        depth += (c == '{') - (c == '}');
        if (i == len || c == ' ' || c == '\t' || c == '\n' || (c == ',' && depth <= 0)) {
            if (i > start && !add_name(names, text + start, i - start, what, answer)) {
                return false;
            }
            start = i + 1;
        }
    }
    return true;
}

// Patterns with a slash count from the searched folder, as those of glob do.
static bool takes(const struct names *names, const char *base, const char *path) {
    bool in = !names->has_in;
    size_t skip = strcmp(base, ".") == 0 ? 0 : strlen(base) + 1;
    const char *below = strlen(path) >= skip ? path + skip : path;
    for (size_t i = 0; i < names->n; i++) {
        const struct name_rule *rule = &names->rules[i];
        if (bx_glob_matches(&rule->glob, rule->is_path ? below : bx_path_name(path))) {
            if (rule->is_out) {
                return false;
            }
            in = true;
        }
    }
    return in;
}

// What became of one file.
static void put_file(struct request *r, const char *path, size_t n) {
    if (!n) {
        return;
    }
    if (r->search.mode == BX_SEARCH_FILES) {
        bx_newest_add(&r->files, path);
    } else if (r->search.mode == BX_SEARCH_COUNT && r->n_counts++ < (size_t)r->max_shown) {
        bx_path_put(r->search.out, path);
        bx_buf_add_fmt(r->search.out, ":%zu\n", n);
    }
}

static void search_batch(struct request *r) {
    struct bx_batch_file file;
    while (!r->search.is_done && bx_batch_next(&r->batch, &file)) {
        if (file.error || (file.goes_on && !bx_path_is_text(file.path))) {
            r->search.n_unreadable++;
        } else if (file.goes_on) {
            put_file(r, file.path, bx_search_file(&r->search, file.path));
        } else {
            put_file(r, file.path, bx_search_bytes(&r->search, file.path, file.bytes, file.len));
        }
    }
    bx_batch_reset(&r->batch);
}

static bool visit(struct bx_walk *walk, const char *path, enum bx_walk_kind kind) {
    struct request *r = walk->user;
    if (kind == BX_WALK_DIR) {
        return true;
    }
    if (kind == BX_WALK_FILE && takes(&r->globs, r->path, path) && takes(&r->type, r->path, path)) {
        bx_batch_add(&r->batch, path);
        if (r->batch.n == BATCH) {
            search_batch(r);
        }
        walk->is_stopped = r->search.is_done;
    }
    return false;
}

static bool parse_mode(const struct bx_json *input, struct request *r, struct bx_answer *answer) {
    static const char *const names[] = {"files_with_matches", "content", "count"};
    const struct bx_json *mode = NULL;
    if (!bx_input_string(input, "output_mode", &mode, answer)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!mode || strcmp(mode->text, names[i]) == 0) {
            r->search.mode = (enum bx_search_mode)i;
            return true;
        }
    }
    return bx_answer_fail(answer, "output_mode must be files_with_matches, content or count.");
}

static bool parse_names(const struct bx_json *input, struct request *r, struct bx_answer *answer) {
    const struct bx_json *glob = NULL, *type = NULL;
    if (!bx_input_string(input, "glob", &glob, answer) ||
        !bx_input_string(input, "type", &type, answer)) {
        return false;
    }
    if (glob && !add_names(&r->globs, glob->text, glob->len, "glob", answer)) {
        return false;
    }
    if (type && type->len) {
        const char *globs = bx_types_find(type->text);
        if (!globs) {
            return bx_answer_fail(answer, "type \"%s\" is not known; use glob, or one of: %s.",
                                  type->text, bx_types_list());
        }
        return add_names(&r->type, globs, strlen(globs), "type", answer);
    }
    return true;
}

static bool parse(const struct bx_json *input, struct request *r, struct bx_matcher *matcher,
                  struct bx_answer *answer) {
    struct bx_search *search = &r->search;
    bool is_caseless = false, is_multiline = false;
    long long context = 0;
    r->max_shown = DEFAULT_SHOWN;
    search->has_numbers = true;
    if (!bx_input_required(input, "pattern", &r->pattern, answer) ||
        !bx_input_path(input, "path", false, &r->path, answer) || !parse_mode(input, r, answer) ||
        !parse_names(input, r, answer) ||
        !bx_input_int(input, "context", 0, MAX_CONTEXT, &context, answer) ||
        !bx_input_int(input, "-C", 0, MAX_CONTEXT, &context, answer)) {
        return false;
    }
    search->before = search->after = context;
    if (!bx_input_int(input, "-B", 0, MAX_CONTEXT, &search->before, answer) ||
        !bx_input_int(input, "-A", 0, MAX_CONTEXT, &search->after, answer) ||
        !bx_input_int(input, "head_limit", 1, MAX_SHOWN, &r->max_shown, answer) ||
        !bx_input_bool(input, "case_insensitive", &is_caseless, answer) ||
        !bx_input_bool(input, "-i", &is_caseless, answer) ||
        !bx_input_bool(input, "-n", &search->has_numbers, answer) ||
        !bx_input_bool(input, "multiline", &is_multiline, answer)) {
        return false;
    }
    search->max_lines = (size_t)r->max_shown;
    search->matcher = matcher;
    search->out = &answer->content;
    return bx_matcher_open(matcher, r->pattern, is_caseless, is_multiline, answer);
}

static bool run(struct request *r, struct bx_walk *walk, struct bx_answer *answer) {
    struct stat st;
    if (stat(r->path, &st) != 0) {
        return errno == ENOENT || errno == ENOTDIR
                   ? bx_near_missing(r->path, answer)
                   : bx_answer_fail(answer, "%s cannot be searched: %s.", bx_path_show(r->path),
                                    bx_file_why(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        if (!bx_walk_run(walk, r->path)) {
            return bx_answer_fail(answer, "%s cannot be searched: %s.", bx_path_show(r->path),
                                  bx_file_why(errno));
        }
        search_batch(r);
        return true;
    }
    if (!bx_file_stat(r->path, &st, answer)) { // a pipe or the like
        return false;
    }
    put_file(r, r->path, bx_search_file(&r->search, r->path));
    if (r->search.n_binary) {
        return bx_answer_fail(answer, "%s is a binary file; grep searches text.",
                              bx_path_show(r->path));
    }
    return !r->search.n_unreadable ||
           bx_answer_fail(answer, "%s cannot be read.", bx_path_show(r->path));
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

// How much there is when not all is shown.
static void put_total(const struct request *r, struct bx_buf *out) {
    const struct bx_search *s = &r->search;
    const char *least = s->is_done ? "at least " : "";
    switch (s->mode) {
    case BX_SEARCH_CONTENT:
        if (s->n_lines > s->n_shown) {
            bx_buf_add_fmt(
                out,
                "\n[The first %zu of %s%zu matching lines in %zu file%s. Narrow it with path, "
                "glob or pattern%s.]\n",
                s->n_shown, least, s->n_lines, s->n_files, plural(s->n_files),
                s->n_shown >= s->max_lines ? ", or raise head_limit" : "");
        }
        break;
    case BX_SEARCH_COUNT:
        bx_buf_add_fmt(out, "\n[%s%zu matching line%s in %zu file%s%s.]\n", least, s->n_lines,
                       plural(s->n_lines), s->n_files, plural(s->n_files),
                       r->n_counts > (size_t)r->max_shown ? "; not all are listed" : "");
        break;
    case BX_SEARCH_FILES:
        if (r->files.n_seen > r->files.n) {
            bx_buf_add_fmt(out, "\n[The newest %zu of %s%zu files with matches.]\n", r->files.n,
                           least, r->files.n_seen);
        }
        break;
    }
}

static void put_nothing(const struct request *r, const struct bx_walk *walk, struct bx_buf *out) {
    bx_buf_add_str(out, "No matches for ");
    bx_buf_add(out, r->pattern->text, r->pattern->len);
    if (strcmp(r->path, ".") != 0) {
        bx_buf_add_fmt(out, " in %s", bx_path_show(r->path));
    }
    if (!r->search.n_searched) {
        bx_buf_add_fmt(out, ": no file was searched%s",
                       r->globs.n || r->type.n ? ", none has a name that glob and type allow" : "");
        if (walk->n_ignored) {
            bx_buf_add_fmt(out, " (.gitignore leaves out %zu)", walk->n_ignored);
        }
    } else {
        bx_buf_add_fmt(out, " (%zu file%s searched)", r->search.n_searched,
                       plural(r->search.n_searched));
    }
    bx_buf_add_str(out, ".\n");
    bool has_line_end = strstr(r->pattern->text, "\\n") || strchr(r->pattern->text, '\n');
    if (has_line_end && !r->search.matcher->is_multiline) {
        bx_buf_add_str(out,
                       "The pattern has a line end: set multiline to match over several lines.\n");
    }
}

static void put_troubles(const struct bx_search *s, const struct bx_walk *walk,
                         struct bx_buf *out) {
    size_t n = s->n_unreadable + walk->n_unreadable + walk->n_too_deep;
    if (s->n_costly) {
        bx_buf_add_fmt(
            out,
            "\n[The pattern is too costly for %zu line%s (the first is %s), which %s left "
            "out%s. Avoid nested repeats such as (a+)+.]\n",
            s->n_costly, plural(s->n_costly), s->first_costly, s->n_costly == 1 ? "was" : "were",
            s->is_done ? "; the search was ended there" : "");
    }
    if (s->n_too_large) {
        bx_buf_add_fmt(out, "\n[%zu file%s larger than 16 MB: not searched with multiline.]\n",
                       s->n_too_large, plural(s->n_too_large));
    }
    if (n) {
        bx_buf_add_fmt(out, "\n[%zu file%s or folder%s could not be read.]\n", n, plural(n),
                       plural(n));
    }
}

// Lines or files that the answer names.
static size_t shown_of(const struct request *r) {
    switch (r->search.mode) {
    case BX_SEARCH_CONTENT:
        return r->search.n_shown;
    case BX_SEARCH_COUNT:
        return r->n_counts < (size_t)r->max_shown ? r->n_counts : (size_t)r->max_shown;
    case BX_SEARCH_FILES:
        break;
    }
    return r->files.n;
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    struct request r = {0};
    struct bx_matcher matcher;
    struct bx_walk walk = {.visit = visit, .user = &r};
    if (!parse(input, &r, &matcher, answer)) {
        return;
    }
    bx_newest_init(&r.files, (size_t)r.max_shown);
    if (!run(&r, &walk, answer)) {
        return;
    }
    bx_newest_sort(&r.files);
    for (size_t i = 0; i < r.files.n; i++) {
        bx_path_put(&answer->content, r.files.heap[i].path);
        bx_buf_add_char(&answer->content, '\n');
    }
    if (r.search.n_lines) {
        put_total(&r, &answer->content);
    } else {
        put_nothing(&r, &walk, &answer->content);
    }
    put_troubles(&r.search, &walk, &answer->content);
    if (r.search.mode != BX_SEARCH_FILES) {
        bx_answer_meta_int(answer, "matches", (long long)r.search.n_lines);
    }
    size_t n_found = r.search.mode == BX_SEARCH_CONTENT ? r.search.n_lines : r.search.n_files,
           n_shown = shown_of(&r);
    bx_answer_meta_int(answer, "files", (long long)r.search.n_files);
    bx_answer_meta_int(answer, "searched", (long long)r.search.n_searched);
    bx_answer_meta_int(answer, "binary", (long long)r.search.n_binary);
    bx_answer_meta_int(answer, "shown", (long long)n_shown);
    bx_answer_meta_int(answer, "cut", (long long)(n_found - n_shown));
    bx_answer_meta_bool(answer, "ended_early",
                        r.search.is_done); // there may be more than was counted
}
