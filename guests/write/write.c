/* write: the whole content of one file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/diff.h"
#include "common/file.h"
#include "common/guest.h"
#include "common/path.h"
#include "common/text.h"

enum { MAX_COMPARED_BYTES = 8 << 20 };

static size_t count_lines(const char *text, size_t n) {
    return bx_text_count(text, n, '\n') + (n && text[n - 1] != '\n');
}

static const char *plural(size_t n) {
    return n == 1 ? "" : "s";
}

// What the path is now; false after an answer when it is nothing that can be written.
static bool look(const char *path, bool *ret_exists, size_t *ret_size, struct bx_answer *answer) {
    struct stat st;
    if (stat(path, &st) != 0) {
        *ret_exists = false;
        if (errno != ENOENT && errno != ENOTDIR) { // those are told, better, when folders are made
            return bx_answer_fail(answer, "%s cannot be written: %s.", bx_path_show(path),
                                  bx_file_why(errno));
        }
        return true;
    }
    const char *oddity = bx_file_oddity(st.st_mode);
    if (oddity) {
        return bx_answer_fail(answer, "%s is %s, not a file; nothing was written.",
                              strcmp(path, ".") == 0 ? "The root" : bx_path_show(path), oddity);
    }
    *ret_exists = true;
    *ret_size = (size_t)st.st_size;
    return true;
}

static bool has_crlf(const char *text, size_t n) {
    size_t lines = bx_text_count(text, n, '\n'), n_crlf = 0;
    for (size_t i = 1; i < n; i++) {
        n_crlf += text[i] == '\n' && text[i - 1] == '\r';
    }
    return n_crlf && n_crlf * 2 >= lines;
}

// write puts down exactly what it is given: when that changes the form of a file, it is said.
static void put_form(struct bx_buf *out, const struct bx_buf *old, const struct bx_json *content) {
    enum bx_encoding was = bx_text_encoding(old->data, old->len);
    bool is_wide = was == BX_ENCODING_UTF16LE || was == BX_ENCODING_UTF16BE;
    if (is_wide || was == BX_ENCODING_UTF8_BOM || was == BX_ENCODING_LATIN1) {
        if (bx_text_encoding(content->text, content->len) != was) {
            bx_buf_add_fmt(out, " It was %s; it is UTF-8 now (edit would have kept it).",
                           is_wide                       ? "UTF-16"
                           : was == BX_ENCODING_UTF8_BOM ? "UTF-8 with a byte order mark"
                                                         : "Latin-1");
        }
    }
    if (!is_wide && has_crlf(old->data, old->len) && !has_crlf(content->text, content->len)) {
        bx_buf_add_str(out,
                       " Its lines ended in CR LF; they end in LF now (edit would have kept it).");
    }
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    char *path = NULL;
    const struct bx_json *content = NULL;
    bool exists = false;
    size_t old_size = 0;
    if (!bx_input_path(input, "file_path", true, &path, answer) ||
        !bx_input_required(input, "content", &content, answer) ||
        !(path = bx_file_target(path, answer)) || !look(path, &exists, &old_size, answer)) {
        return;
    }
    struct bx_buf old = {0}, diff = {0};
    struct bx_diff_size size = {0};
    if (exists && old_size <= MAX_COMPARED_BYTES && content->len <= MAX_COMPARED_BYTES) {
        if (!bx_file_load(path, MAX_COMPARED_BYTES, &old, answer)) {
            return;
        }
        if (bx_text_encoding(old.data, old.len) != BX_ENCODING_BINARY) {
            size = bx_diff_put(&diff, old.data, old.len, content->text, content->len);
        }
    }
    bool is_same = exists && old.data && old.len == content->len &&
                   memcmp(old.data, content->text, old.len) == 0;
    if (!is_same && !bx_file_replace(path, content->text, content->len, answer)) {
        return;
    }
    size_t n_lines = count_lines(content->text, content->len);
    bx_buf_add_fmt(&answer->content, "%s %s: %zu line%s, %zu byte%s",
                   exists ? "Updated" : "Created", bx_path_show(path), n_lines, plural(n_lines),
                   content->len, plural(content->len));
    if (is_same) {
        bx_buf_add_str(&answer->content, " (it had exactly this content already)");
    } else if (old.data) {
        size_t n_old = count_lines(old.data, old.len);
        bx_buf_add_fmt(&answer->content, " (before: %zu line%s, %zu byte%s)", n_old, plural(n_old),
                       old.len, plural(old.len));
    }
    bx_buf_add_str(&answer->content, ".");
    if (old.data && !is_same) {
        put_form(&answer->content, &old, content);
    }
    bx_answer_meta_string(answer, "path", path, strlen(path));
    bx_answer_meta_bool(answer, "created", !exists);
    bx_answer_meta_int(answer, "bytes", (long long)content->len);
    bx_answer_meta_int(answer, "lines", (long long)n_lines);
    if (diff.len) {
        bx_answer_meta_string(answer, "diff", diff.data, diff.len);
        bx_answer_meta_int(answer, "added", (long long)size.added);
        bx_answer_meta_int(answer, "removed", (long long)size.removed);
    }
}
