/* read: the lines of a file, numbered; an image as an image; anything else in words. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/guest.h"
#include "common/path.h"
#include "common/text.h"
#include "common/utf8.h"

enum {
    CHUNK_BYTES = 128 * 1024,
    MAX_SHOWN_BYTES = 200 * 1000, // of all lines together: about 50,000 tokens
    MAX_LINE_BYTES = 2000,
    MAX_COUNT_BYTES = 256 << 20, // so far the lines after the last one shown are counted
    MAX_IMAGE_BYTES = 5 << 20,
    MAX_LISTED = 20,
    DEFAULT_LINES = 2000,
};

struct reading {
    const char *path;
    int fd;
    unsigned long long size;
    enum bx_encoding encoding;
    struct bx_utf16 utf16;
    struct bx_buf chunk; // decoded, unless it is UTF-8 or Latin-1
    char *raw;
    size_t n_ready; // bytes in raw that were read to look at and are not used yet
    unsigned long long n_read;

    long long first, limit; // first < 0: counted from the end
    long long line;         // number of the line that comes next
    struct bx_buf text;     // the start of that line
    unsigned long long len; // all of it
    long long n_shown;
    bool is_full;      // the limit of lines or bytes is reached
    bool is_full_size; // of bytes
    bool has_crlf, has_cut, has_latin1, has_final_newline;
};

static bool read_failed(const struct reading *r, struct bx_answer *answer) {
    return bx_answer_fail(answer, "%s cannot be read: %s.", bx_path_show(r->path),
                          bx_file_why(errno));
}

// How much the next read may be worth: a call out of the box is dear, and so is one that only finds
// the end.
static size_t piece_size(const struct reading *r) {
    unsigned long long left = r->size > r->n_read ? r->size - r->n_read : 0;
    return r->size == 0 || left > CHUNK_BYTES ? CHUNK_BYTES
                                              : (size_t)left; // size 0: it may not know
}

static ssize_t read_piece(const struct reading *r) {
    size_t n = piece_size(r);
    return n ? bx_file_read(r->fd, r->raw, n) : 0;
}

// The next piece of the file as text, n = 0 at the end.
static bool next_chunk(struct reading *r, const char **ret, size_t *ret_n,
                       struct bx_answer *answer) {
    do {
        ssize_t got = r->n_ready ? (ssize_t)r->n_ready : read_piece(r);
        r->n_ready = 0;
        if (got < 0) {
            return read_failed(r, answer);
        }
        size_t skip = r->n_read == 0 ? bx_text_bom_size(r->encoding) : 0;
        r->n_read += (size_t)got;
        *ret = r->raw + skip;
        *ret_n = (size_t)got - skip;
        if (r->encoding != BX_ENCODING_UTF16LE && r->encoding != BX_ENCODING_UTF16BE) {
            return true;
        }
        bx_buf_reset(&r->chunk);
        bx_utf16_decode(&r->utf16, *ret, *ret_n, &r->chunk);
        *ret = r->chunk.data;
        *ret_n = got ? r->chunk.len : 0;
        if (!got) {
            return true;
        }
    } while (*ret_n == 0);
    return true;
}

// "%6lld\t": printf would be half the time of a call
static void put_number(struct bx_buf *out, long long line) {
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\t';
    for (long long left = line; left || at == sizeof digits - 1; left /= 10) {
        digits[--at] = (char)('0' + left % 10);
    }
    while (at > sizeof digits - 7) {
        digits[--at] = ' ';
    }
    bx_buf_add(out, digits + at, sizeof digits - at);
}

static void finish_line(struct reading *r, struct bx_answer *answer) {
    size_t shown = r->text.len;
    if (r->len == shown && shown && r->text.data[shown - 1] == '\r') {
        r->has_crlf = true;
        r->len = --shown;
    }
    if (r->len > MAX_LINE_BYTES) {
        shown = bx_utf8_cut(r->text.data, shown, MAX_LINE_BYTES);
    }
    put_number(&answer->content, r->line);
    if (shown) {
        r->has_latin1 |= !bx_utf8_add_text(&answer->content, r->text.data, shown);
    }
    if (r->len > shown) {
        bx_buf_add_fmt(&answer->content, " [... %llu more bytes in this line]", r->len - shown);
        r->has_cut = true;
    }
    bx_buf_add_char(&answer->content, '\n');
    r->n_shown++;
    r->is_full_size = answer->content.len >= MAX_SHOWN_BYTES;
    r->is_full = r->is_full_size || r->n_shown == r->limit;
    bx_buf_reset(&r->text);
    r->len = 0;
}

// Skip whole lines of a piece that lie before the first one shown: as many as are sure to, without
// a look at each.
static size_t skip_lines(struct reading *r, const char *text, size_t n) {
    long long count = (long long)bx_text_count(text, n, '\n');
    if (r->line + count >= r->first) {
        return 0;
    }
    const char *last = count ? memrchr(text, '\n', n) : NULL;
    size_t used = last ? (size_t)(last - text) + 1 : 0;
    r->line += count;
    r->len = last ? 0 : r->len;
    r->has_final_newline = used == n;
    return used;
}

// Collect or skip the lines of one piece; returns how much of it was used.
static size_t take_lines(struct reading *r, const char *text, size_t n, struct bx_answer *answer) {
    size_t at = r->line < r->first ? skip_lines(r, text, n) : 0;
    while (at < n && !r->is_full) {
        const char *newline = memchr(text + at, '\n', n - at);
        size_t part = newline ? (size_t)(newline - text) - at : n - at;
        if (r->line >= r->first) {
            // a few bytes more than are shown, to see a carriage return and not to cut a character
            size_t room = MAX_LINE_BYTES + 4 - r->text.len;
            bx_buf_add(&r->text, text + at, part < room ? part : room);
        }
        r->len += part;
        at += part + (newline != NULL);
        r->has_final_newline = newline != NULL;
        if (newline) {
            if (r->line >= r->first) {
                finish_line(r, answer);
            }
            r->len = 0;
            r->line++;
        }
    }
    return at;
}

// After the last line shown: how many lines are left, -1 when counting them would take too long.
static bool count_rest(struct reading *r, const char *text, size_t n, long long *ret,
                       struct bx_answer *answer) {
    long long count = 0;
    bool is_open = false,
         is_long = r->size - (r->n_read < r->size ? r->n_read : r->size) > MAX_COUNT_BYTES;
    while (n && !is_long) {
        count += (long long)bx_text_count(text, n, '\n');
        is_open = text[n - 1] != '\n';
        if (!next_chunk(r, &text, &n, answer)) {
            return false;
        }
    }
    r->has_final_newline = !is_open;
    *ret = is_long ? -1 : count + is_open;
    return true;
}

static bool seek_failed(struct reading *r, unsigned long long to) {
    r->n_ready = 0;
    r->n_read = to;
    return lseek(r->fd, (off_t)to, SEEK_SET) < 0;
}

// Line ends of [from, to). False and errno.
static bool count_between(struct reading *r, unsigned long long from, unsigned long long to,
                          long long *ret) {
    *ret = 0;
    if (seek_failed(r, from)) {
        return false;
    }
    while (r->n_read < to) {
        unsigned long long left = to - r->n_read;
        size_t wanted = left > CHUNK_BYTES ? CHUNK_BYTES : (size_t)left;
        ssize_t got = bx_file_read(r->fd, r->raw, wanted);
        if (got <= 0) {
            return got == 0; // it has become shorter
        }
        *ret += (long long)bx_text_count(r->raw, (size_t)got, '\n');
        r->n_read += (unsigned long long)got;
    }
    return true;
}

// The byte at which the last n lines begin, searched from the end.
static bool find_from_end(struct reading *r, long long n, unsigned long long *ret) {
    unsigned long long end = r->size;
    bool is_last = true; // the line end of the last line ends no line before it
    *ret = bx_text_bom_size(r->encoding);
    while (end > *ret) {
        size_t part = end - *ret > CHUNK_BYTES ? CHUNK_BYTES : (size_t)(end - *ret);
        if (seek_failed(r, end - part) || bx_file_read(r->fd, r->raw, part) != (ssize_t)part) {
            return false;
        }
        for (size_t at = part; at > 0; at--) {
            if (r->raw[at - 1] == '\n' && !is_last && --n == 0) {
                *ret = end - part + at;
                return true;
            }
            is_last = false;
        }
        end -= part;
    }
    return true;
}

// offset < 0: the number of the first line, and the place where it begins.
static bool go_to_end(struct reading *r, struct bx_answer *answer) {
    unsigned long long at = 0;
    long long n_before = 0, wanted = -r->first;
    if (r->encoding == BX_ENCODING_UTF16LE || r->encoding == BX_ENCODING_UTF16BE) {
        return bx_answer_fail(
            answer,
            "%s is UTF-16: its lines can only be counted from the start (offset of 1 or more).",
            bx_path_show(r->path));
    }
    if (!find_from_end(r, wanted, &at) ||
        !count_between(r, bx_text_bom_size(r->encoding), at, &n_before) || seek_failed(r, at)) {
        return read_failed(r, answer);
    }
    r->line = r->first = n_before + 1;
    return true;
}

static bool show_lines(struct reading *r, struct bx_answer *answer, long long *ret_rest,
                       unsigned long long *ret_rest_bytes) {
    const char *text = NULL;
    size_t n = 0;
    *ret_rest = 0;
    *ret_rest_bytes = 0;
    do {
        if (!next_chunk(r, &text, &n, answer)) {
            return false;
        }
        size_t used = take_lines(r, text, n, answer);
        if (r->is_full) {
            unsigned long long seen = r->n_read < r->size ? r->n_read : r->size;
            *ret_rest_bytes = r->size - seen + (n - used);
            return count_rest(r, text + used, n - used, ret_rest, answer);
        }
    } while (n);
    if (r->len && r->line >= r->first) {
        finish_line(r, answer);
        r->line++;
    } else if (r->len) {
        r->line++;
    }
    return true;
}

static void put_notes(struct reading *r, struct bx_answer *answer, long long rest,
                      unsigned long long rest_bytes) {
    struct bx_buf *out = &answer->content;
    long long last = r->first + r->n_shown - 1;
    char size[32];
    if (rest) {
        bx_buf_add_fmt(out, "\n[Lines %lld to %lld", r->first, last);
        if (rest > 0) {
            bx_buf_add_fmt(out, " of %lld", last + rest);
        }
        bx_buf_add_fmt(out, " are shown%s; ", r->is_full_size ? ", as many as fit" : "");
        if (rest > 0) {
            bx_buf_add_fmt(out, "%lld more line%s, ", rest, rest == 1 ? "" : "s");
        }
        bx_buf_add_fmt(out, "%s follow%s. Go on with offset=%lld.]\n",
                       bx_text_size(rest_bytes, size), rest == 1 ? "s" : "", last + 1);
    }
    if (r->encoding != BX_ENCODING_UTF8 && r->encoding != BX_ENCODING_UTF8_BOM) {
        bx_buf_add_fmt(out, "\n[The file is %s; it is shown as UTF-8.]\n",
                       r->encoding == BX_ENCODING_LATIN1 ? "not UTF-8 and was read as Latin-1"
                                                         : "UTF-16");
    } else if (r->has_latin1) {
        bx_buf_add_str(out, "\n[Some lines are not UTF-8; they are shown as Latin-1.]\n");
    }
    if (r->has_cut) {
        bx_buf_add_fmt(out,
                       "\n[Lines longer than %d bytes are cut; grep finds what is in the rest.]\n",
                       MAX_LINE_BYTES);
    }
    bx_answer_meta_int(answer, "first_line", r->first);
    bx_answer_meta_int(answer, "last_line", last);
    bx_answer_meta_int(answer, "lines", r->n_shown);
    if (rest >= 0) {
        bx_answer_meta_int(answer, "total_lines", last + rest);
        bx_answer_meta_bool(answer, "final_newline", r->has_final_newline);
    }
    bx_answer_meta_string(answer, "encoding", bx_text_encoding_name(r->encoding),
                          strlen(bx_text_encoding_name(r->encoding)));
    bx_answer_meta_bool(answer, "crlf", r->has_crlf);
    bx_answer_meta_bool(answer, "truncated", rest != 0);
}

static bool read_text(struct reading *r, struct bx_answer *answer) {
    long long rest = 0;
    unsigned long long rest_bytes = 0;
    r->utf16.is_big = r->encoding == BX_ENCODING_UTF16BE;
    r->line = 1;
    if (r->first < 0 && !go_to_end(r, answer)) {
        return false;
    }
    if (!show_lines(r, answer, &rest, &rest_bytes)) {
        return false;
    }
    if (!r->n_shown && r->first > 1) {
        return bx_answer_fail(answer, "offset %lld is after the end: %s has %lld line%s.", r->first,
                              bx_path_show(r->path), r->line - 1, r->line == 2 ? "" : "s");
    }
    if (!r->n_shown) { // nothing but a byte order mark
        bx_buf_add_fmt(&answer->content, "%s is empty.", bx_path_show(r->path));
    }
    put_notes(r, answer, rest, rest_bytes);
    return true;
}

static bool read_image(struct reading *r, struct bx_kind kind, struct bx_answer *answer) {
    char size[32];
    if (r->size > MAX_IMAGE_BYTES) {
        bx_buf_add_fmt(
            &answer->content, "%s is %s of %s, too large to look at (the most is %d MB).",
            bx_path_show(r->path), kind.name, bx_text_size(r->size, size), MAX_IMAGE_BYTES >> 20);
        return true;
    }
    char *bytes = bx_alloc((size_t)r->size);
    if (lseek(r->fd, 0, SEEK_SET) != 0) {
        return read_failed(r, answer);
    }
    ssize_t got = bx_file_read(r->fd, bytes, (size_t)r->size);
    if (got < 0) {
        return read_failed(r, answer);
    }
    bx_buf_add_fmt(&answer->blocks, "[{\"type\":\"image\",\"mime\":\"%s\",\"data\":\"",
                   kind.image_mime);
    bx_base64_encode(bytes, (size_t)got, &answer->blocks);
    bx_buf_add_str(&answer->blocks, "\"}]");
    bx_answer_meta_string(answer, "mime", kind.image_mime, strlen(kind.image_mime));
    free(bytes);
    return true;
}

static bool read_open(struct reading *r, struct bx_answer *answer) {
    ssize_t got = read_piece(r);
    if (got < 0) {
        return read_failed(r, answer);
    }
    r->n_ready = (size_t)got;
    bx_answer_meta_string(answer, "path", r->path, strlen(r->path));
    bx_answer_meta_int(answer, "size", (long long)r->size);
    if (got == 0) {
        bx_buf_add_fmt(&answer->content, "%s is empty.", bx_path_show(r->path));
        bx_answer_meta_int(answer, "lines", 0);
        bx_answer_meta_int(answer, "total_lines", 0);
        bx_answer_meta_string(answer, "encoding", "utf-8", 5);
        return true;
    }
    struct bx_kind kind = bx_text_kind(r->raw, (size_t)got);
    if (kind.image_mime) {
        return read_image(r, kind, answer);
    }
    r->encoding = bx_text_encoding(r->raw, (size_t)got);
    if (r->encoding == BX_ENCODING_BINARY || kind.is_never_text) {
        char size[32];
        bx_buf_add_fmt(&answer->content, "%s is %s (%s), not text, so it is not shown.%s%s",
                       bx_path_show(r->path), kind.name, bx_text_size(r->size, size),
                       kind.hint ? " " : "", kind.hint ? kind.hint : "");
        bx_answer_meta_string(answer, "encoding", "binary", 6);
        return true;
    }
    return read_text(r, answer);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *path, struct bx_answer *answer) {
    DIR *stream = opendir(path);
    size_t n = 0, cap = 0;
    char **names = NULL;
    bx_answer_fail(answer, "%s is a folder, not a file.",
                   strcmp(path, ".") == 0 ? "The root" : bx_path_show(path));
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (n == cap) {
            cap = cap * 2 + 32;
            names = bx_realloc(names, cap * sizeof *names);
        }
        names[n] = bx_strndup(entry->d_name, strlen(entry->d_name) + 1);
        if (entry->d_type == DT_DIR) {
            names[n][strlen(entry->d_name)] = '/';
        }
        names[n][strlen(entry->d_name) + (entry->d_type == DT_DIR)] = '\0';
        n++;
    }
    if (stream) {
        closedir(stream);
    }
    if (n) {
        qsort(names, n, sizeof *names, by_name);
    }
    bx_buf_add_str(&answer->content, n ? " In it:" : stream ? " It is empty." : "");
    for (size_t i = 0; i < n && i < MAX_LISTED; i++) {
        bx_buf_add_str(&answer->content, i ? ", " : " ");
        bx_path_put(&answer->content, names[i]);
    }
    if (n > MAX_LISTED) {
        bx_buf_add_fmt(&answer->content, " and %zu more (use glob to list them)", n - MAX_LISTED);
    }
    bx_buf_add_str(&answer->content,
                   n ? ". Read one of them, or use glob to find files below it." : "");
    return false;
}

void bx_guest_run(const struct bx_json *input, struct bx_answer *answer) {
    struct reading r = {.first = 1, .limit = DEFAULT_LINES};
    struct stat st;
    char *path = NULL;
    if (!bx_input_path(input, "file_path", true, &path, answer) ||
        !bx_input_int(input, "offset", -(1LL << 53), 1LL << 53, &r.first, answer) ||
        !bx_input_int(input, "limit", 1, 1LL << 53, &r.limit, answer)) {
        return;
    }
    r.first = r.first == 0 ? 1 : r.first; // some count from nought
    bool is_there = stat(path, &st) == 0;
    if (is_there && S_ISDIR(st.st_mode)) {
        is_folder(path, answer);
        return;
    }
    if ((!is_there || !S_ISREG(st.st_mode)) && !bx_file_stat(path, &st, answer)) { // in words
        return;
    }
    r.path = path;
    r.size = (unsigned long long)st.st_size;
    r.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r.fd < 0) {
        read_failed(&r, answer);
        return;
    }
    r.raw = bx_alloc(piece_size(&r));
    read_open(&r, answer);
    close(r.fd);
}
