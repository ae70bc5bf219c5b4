/* edit: replace exact text in one file, once or everywhere, one change or several at once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/diff.h"
#include "common/file.h"
#include "common/guest.h"
#include "common/path.h"
#include "document.h"
#include "hint.h"

enum { MAX_FILE_BYTES = 16 << 20, MAX_PLACES_NAMED = 20 };

struct edit {
    const struct bx_json *before, *after;
    bool is_all;
    int number; // 1 for the first of several, 0 for the only one
};

// "old_string" or "old_string of edit 2", kept until the program ends.
static const char *name_of(const struct edit *edit, const char *field) {
    struct bx_buf out = {0};
    bx_buf_add_str(&out, field);
    if (edit->number) {
        bx_buf_add_fmt(&out, " of edit %d", edit->number);
    }
    return out.data;
}

static size_t line_of(const struct bx_buf *text, size_t at) {
    return bx_text_count(text->data, at, '\n') + 1;
}

static const char *find(const struct bx_buf *text, size_t from, const struct bx_buf *wanted) {
    if (from >= text->len) {
        return NULL; // an empty file has no bytes at all
    }
    return memmem(text->data + from, text->len - from, wanted->data, wanted->len);
}

// A file with CR LF is shown and edited as if it had LF.
static void with_line_ends(struct bx_buf *out, const struct bx_json *text, bool is_crlf) {
    for (size_t i = 0; i < text->len; i++) {
        if (is_crlf && text->text[i] == '\n' && (i == 0 || text->text[i - 1] != '\r')) {
            bx_buf_add_char(out, '\r');
        }
        bx_buf_add_char(out, text->text[i]);
    }
    bx_buf_reserve(out, 1);
}

static bool not_found(const struct edit *edit, const char *path, const struct bx_document *doc,
                      struct bx_answer *answer) {
    bx_answer_fail(answer, "%s is not in %s.", name_of(edit, "old_string"), bx_path_show(path));
    bx_hint_put(&answer->content, doc->text.data, doc->text.len, edit->before->text,
                edit->before->len);
    return false;
}

static bool not_unique(const struct edit *edit, const char *path, const struct bx_document *doc,
                       const struct bx_buf *wanted, size_t n, struct bx_answer *answer) {
    bx_answer_fail(answer, "%s is in %s %zu times, at lines ", name_of(edit, "old_string"),
                   bx_path_show(path), n);
    size_t at = 0, line = 1;
    for (size_t i = 0; i < n && i < MAX_PLACES_NAMED; i++) {
        size_t next = (size_t)(find(&doc->text, at, wanted) - doc->text.data);
        line += bx_text_count(doc->text.data + at, next - at, '\n');
        bx_buf_add_fmt(&answer->content, "%s%zu", i == 0 ? "" : i + 1 == n ? " and " : ", ", line);
        line += bx_text_count(wanted->data, wanted->len, '\n');
        at = next + wanted->len;
    }
    bx_buf_add_fmt(&answer->content,
                   "%s. Add lines around it until it is the only one, or set "
                   "replace_all to change every one.",
                   n > MAX_PLACES_NAMED ? "..." : "");
    return false;
}

static size_t count_places(const struct bx_buf *text, const struct bx_buf *wanted) {
    size_t n = 0;
    const char *hit;
    for (size_t at = 0; (hit = find(text, at, wanted)); n++) {
        at = (size_t)(hit - text->data) + wanted->len;
    }
    return n;
}

static bool apply(const struct edit *edit, const char *path, struct bx_document *doc,
                  size_t *io_places, size_t *io_line, struct bx_answer *answer) {
    struct bx_buf wanted = {0}, fresh = {0}, out = {0};
    with_line_ends(&wanted, edit->before, doc->is_crlf);
    size_t n = count_places(&doc->text, &wanted);
    if (!n && doc->is_crlf) { // a place with other line ends than the rest of the file
        bx_buf_reset(&wanted);
        with_line_ends(&wanted, edit->before, false);
        n = count_places(&doc->text, &wanted);
    }
    if (!n) {
        return not_found(edit, path, doc, answer);
    }
    if (n > 1 && !edit->is_all) {
        return not_unique(edit, path, doc, &wanted, n, answer);
    }
    with_line_ends(&fresh, edit->after, doc->is_crlf);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t next = (size_t)(find(&doc->text, at, &wanted) - doc->text.data);
        if (i == 0 && !*io_line) {
            *io_line = line_of(&doc->text, next);
        }
        bx_buf_add(&out, doc->text.data + at, next - at);
        bx_buf_add(&out, fresh.data, fresh.len);
        at = next + wanted.len;
    }
    bx_buf_add(&out, doc->text.data + at, doc->text.len - at);
    bx_buf_deinit(&doc->text);
    bx_buf_deinit(&wanted);
    bx_buf_deinit(&fresh);
    doc->text = out;
    *io_places += n;
    return true;
}

static bool parse_edit(const struct bx_json *from, struct edit *ret, struct bx_answer *answer) {
    if (!bx_input_required(from, "old_string", &ret->before, answer) ||
        !bx_input_required(from, "new_string", &ret->after, answer) ||
        !bx_input_bool(from, "replace_all", &ret->is_all, answer)) {
        if (ret->number) {
            bx_buf_add_fmt(&answer->content, " (edit %d)", ret->number);
        }
        return false;
    }
    if (ret->before->len == ret->after->len &&
        memcmp(ret->before->text, ret->after->text, ret->before->len) == 0) {
        return bx_answer_fail(answer, "%s and new_string are the same; there is nothing to change.",
                              name_of(ret, "old_string"));
    }
    return true;
}

static bool parse_edits(const struct bx_json *input, struct edit **ret, size_t *ret_n,
                        struct bx_answer *answer) {
    const struct bx_json *list = bx_json_get(input, "edits");
    if (!list || list->type == BX_JSON_NULL) {
        *ret = bx_alloc(sizeof **ret);
        **ret = (struct edit){0};
        *ret_n = 1;
        return parse_edit(input, *ret, answer);
    }
    if (bx_json_get(input, "old_string") || bx_json_get(input, "new_string")) {
        return bx_answer_fail(answer, "Give either old_string and new_string or edits, not both.");
    }
    size_t n = 0;
    if (list->type != BX_JSON_ARRAY || !list->first) {
        return bx_answer_fail(answer, "edits must be a list of {old_string, new_string}.");
    }
    for (const struct bx_json *item = list->first; item; item = item->next) {
        n++;
    }
    *ret = bx_alloc(n * sizeof **ret);
    *ret_n = n;
    n = 0;
    for (const struct bx_json *item = list->first; item; item = item->next, n++) {
        (*ret)[n] = (struct edit){.number = (int)n + 1};
        if (item->type != BX_JSON_OBJECT) {
            return bx_answer_fail(answer, "edit %zu must be {old_string, new_string}.", n + 1);
        }
        if (!parse_edit(item, &(*ret)[n], answer)) {
            return false;
        }
        if (!(*ret)[n].before->len) {
            return bx_answer_fail(answer, "old_string of edit %zu is empty.", n + 1);
        }
    }
    return true;
}

static void put_done(const char *path, size_t n_places, size_t line, const struct bx_buf *diff,
                     struct bx_answer *answer) {
    bx_buf_add_fmt(&answer->content, "Edited %s: %zu place%s changed, %s line %zu.",
                   bx_path_show(path), n_places, n_places == 1 ? "" : "s",
                   n_places == 1 ? "at" : "the first at", line);
    bx_answer_meta_string(answer, "path", path, strlen(path));
    bx_answer_meta_bool(answer, "created", false);
    bx_answer_meta_int(answer, "replacements", (long long)n_places);
    bx_answer_meta_int(answer, "line", (long long)line);
    bx_answer_meta_string(answer, "diff", diff->data, diff->len);
}

// An empty old_string: a new file, or an empty one filled.
static void fill_empty(const struct edit *edit, const char *path, struct bx_answer *answer) {
    struct stat st;
    bool exists = stat(path, &st) == 0;
    const char *oddity = exists ? bx_file_oddity(st.st_mode) : NULL;
    if (oddity) {
        bx_answer_fail(answer, "%s is %s, not a file.", bx_path_show(path), oddity);
        return;
    }
    if (exists && st.st_size > 0) {
        bx_answer_fail(answer,
                       "old_string is empty and %s is not: give the text to replace, or use write "
                       "to replace the whole file.",
                       bx_path_show(path));
        return;
    }
    if (!bx_file_replace(path, edit->after->text, edit->after->len, answer)) {
        return;
    }
    bx_buf_add_fmt(&answer->content, "%s %s: %zu byte%s.", exists ? "Filled" : "Created",
                   bx_path_show(path), edit->after->len, edit->after->len == 1 ? "" : "s");
    bx_answer_meta_string(answer, "path", path, strlen(path));
    bx_answer_meta_bool(answer, "created", !exists);
    bx_answer_meta_int(answer, "bytes", (long long)edit->after->len);
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    char *path = NULL;
    struct edit *edits = NULL;
    size_t n_edits = 0, n_places = 0, line = 0;
    struct bx_buf bytes = {0}, result = {0}, diff = {0};
    struct bx_document doc;
    if (!bx_input_path(input, "file_path", true, &path, answer) ||
        !parse_edits(input, &edits, &n_edits, answer) || !(path = bx_file_target(path, answer))) {
        return;
    }
    if (!edits[0].before->len) {
        fill_empty(&edits[0], path, answer);
        return;
    }
    if (!bx_file_load(path, MAX_FILE_BYTES, &bytes, answer) ||
        !bx_document_open(&doc, path, &bytes, answer)) {
        return;
    }
    char *before = bx_strndup(doc.text.data, doc.text.len);
    size_t before_len = doc.text.len;
    for (size_t i = 0; i < n_edits; i++) {
        if (!apply(&edits[i], path, &doc, &n_places, &line, answer)) {
            if (i > 0) {
                bx_buf_add_str(&answer->content, " (It was looked for after the edits before it. "
                                                 "None of the edits was made.)");
            }
            return;
        }
    }
    if (!bx_document_encode(&doc, path, &result, answer) ||
        !bx_file_replace(path, result.data, result.len, answer)) {
        return;
    }
    struct bx_diff_size size = bx_diff_put(&diff, before, before_len, doc.text.data, doc.text.len);
    put_done(path, n_places, line, &diff, answer);
    bx_answer_meta_int(answer, "added", (long long)size.added);
    bx_answer_meta_int(answer, "removed", (long long)size.removed);
}
