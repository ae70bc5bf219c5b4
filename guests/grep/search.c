#include "search.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/path.h"
#include "common/text.h"
#include "common/utf8.h"

enum {
    PIECE_BYTES = 256 * 1024,
    MAX_LINE = 16 << 20,  // a longer line is searched in parts
    MAX_WHOLE = 16 << 20, // a multiline pattern sees the whole file
    MAX_OUT_BYTES = 100 * 1000,
    MAX_SHOWN_LINE = 500,
    SHOWN_BEFORE_MATCH = 150,
    MAX_CONTEXT_BYTES = 64 * 1024, // lines kept from piece to piece for context
    MAX_COSTLY = 20,
    MAX_BYTES_AFTER_FULL = 2000 << 20, // so far is counted on
};

// One file while it is searched: a window on its text, in buf.
struct file {
    struct bx_search *search;
    const char *path;
    int fd;
    bool is_utf16, is_end, is_borrowed; // the window is the caller's
    struct bx_utf16 utf16;
    struct bx_buf raw; // only UTF-16 needs it
    struct bx_buf buf;
    size_t start;         // of what is not searched yet; a line begins there
    size_t counted;       // up to here line ends have been counted: a line begins there
    long long line;       // its number
    size_t shown_end;     // lines before here have been shown, or must not be shown as context
    long long shown_line; // the number of the line there
    bool has_shown, is_gap;
    long long after_left; // lines of context still to show
    size_t n_lines;
};

static size_t line_end(const struct file *f, size_t at, size_t end) {
    const char *newline = memchr(f->buf.data + at, '\n', end - at);
    return newline ? (size_t)(newline - f->buf.data) + 1 : end;
}

static size_t line_start(const struct file *f, size_t at, size_t lowest) {
    while (at > lowest && f->buf.data[at - 1] != '\n') {
        at--;
    }
    return at;
}

// One line of output. match_at is where in the line the match starts, -1 for a line of context.
static void put_line(struct file *f, long long number, const char *text, size_t len,
                     long long match_at) {
    struct bx_buf *out = f->search->out;
    char mark = match_at < 0 ? '-' : ':';
    size_t from = 0;
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    bx_path_put(out, f->path);
    bx_buf_add_char(out, mark);
    if (f->search->has_numbers) {
        bx_buf_add_fmt(out, "%lld%c", number, mark);
    }
    if (len > MAX_SHOWN_LINE && match_at > MAX_SHOWN_LINE - SHOWN_BEFORE_MATCH) {
        from = (size_t)match_at - SHOWN_BEFORE_MATCH;
        from = from < len ? bx_utf8_cut(text, len, from) : 0;
        bx_buf_add_fmt(out, "[%zu bytes ...]", from);
    }
    size_t shown = bx_utf8_cut(text + from, len - from, MAX_SHOWN_LINE);
    bx_utf8_add_text(out, text + from, shown);
    if (from + shown < len) {
        bx_buf_add_fmt(out, "[... %zu bytes]", len - from - shown);
    }
    bx_buf_add_char(out, '\n');
}

// Lines of context after a match, up to limit (the next match, or the end of the window).
static void put_after(struct file *f, size_t limit) {
    while (f->after_left && f->shown_end < limit) {
        size_t end = line_end(f, f->shown_end, limit);
        put_line(f, f->shown_line++, f->buf.data + f->shown_end, end - f->shown_end, -1);
        f->shown_end = end;
        f->after_left--;
    }
}

static void put_before(struct file *f, size_t at, long long number) {
    size_t from = at;
    long long n = 0;
    while (n < f->search->before && from > f->shown_end) {
        from = line_start(f, from - 1, f->shown_end);
        n++;
    }
    bool has_context = f->search->before || f->search->after;
    if (has_context && f->search->n_shown && (!f->has_shown || from > f->shown_end || f->is_gap)) {
        bx_buf_add_str(f->search->out, "--\n");
    }
    for (; from < at; n--) {
        size_t end = line_end(f, from, at);
        put_line(f, number - n, f->buf.data + from, end - from, -1);
        from = end;
    }
}

// A line that matches is at [at, end).
static void found(struct file *f, size_t at, size_t end, long long number, size_t match_at) {
    struct bx_search *search = f->search;
    f->n_lines++;
    if (search->mode != BX_SEARCH_CONTENT || search->is_full) {
        return;
    }
    put_after(f, at);
    put_before(f, at, number);
    put_line(f, number, f->buf.data + at, end - at, match_at > at ? (long long)(match_at - at) : 0);
    f->shown_end = end;
    f->shown_line = number + 1;
    f->has_shown = true;
    f->is_gap = false;
    f->after_left = search->after;
    search->n_shown++;
    search->is_full = search->n_shown >= search->max_lines || search->out->len >= MAX_OUT_BYTES;
}

static void too_costly(struct file *f, long long number) {
    struct bx_search *search = f->search;
    if (!search->n_costly++) {
        struct bx_buf name = {0};
        bx_path_put(&name, f->path);
        bx_buf_add_fmt(&name, ":%lld", number);
        search->first_costly = name.data;
    }
    search->is_done = search->is_done || search->n_costly >= MAX_COSTLY;
}

// Nothing more of this file can change the answer.
static bool is_over(const struct file *f) {
    return f->search->is_done || (f->search->mode == BX_SEARCH_FILES && f->n_lines);
}

// The number of the line that begins at a place; places come in order.
static long long number_of(struct file *f, size_t at) {
    if (at > f->counted) {
        f->line += (long long)bx_text_count(f->buf.data + f->counted, at - f->counted, '\n');
        f->counted = at;
    }
    return f->line;
}

static bool wants_number(const struct file *f) {
    return f->search->mode == BX_SEARCH_CONTENT && !f->search->is_full;
}

// Does the line [at, end) match, and where?
static bool confirm(struct file *f, size_t at, size_t end, size_t *ret_hit) {
    struct bx_matcher *m = f->search->matcher;
    size_t len = end - at, hit_end = 0, hit = 0;
    len -= len && f->buf.data[at + len - 1] == '\n';
    len -= len && f->buf.data[at + len - 1] == '\r'; // $ stands before it
    enum bx_match status = bx_matcher_find(m, f->buf.data + at, len, 0, &hit, &hit_end);
    if (status == BX_MATCH_TOO_COSTLY) {
        too_costly(f, number_of(f, at));
    }
    *ret_hit = at + hit;
    return status == BX_MATCH_FOUND;
}

// Every line of [start, limit) that may match, one after the other.
static void search_lines(struct file *f, size_t limit) {
    size_t at = f->start;
    while (at < limit && !is_over(f)) {
        bool is_sure = false;
        const char *place = bx_scout_next(&f->search->matcher->scout, f->buf.data + at,
                                          f->buf.data + limit, &is_sure);
        if (!place) {
            break;
        }
        size_t hit = (size_t)(place - f->buf.data), line = line_start(f, hit, at),
               end = line_end(f, hit, limit);
        if (!is_sure && !bx_scout_may_match(&f->search->matcher->scout, f->buf.data + line,
                                            f->buf.data + end, &is_sure)) {
            at = end;
            continue;
        }
        if (!is_sure ||
            (wants_number(f) && end - line > MAX_SHOWN_LINE)) { // of a long line the place is shown
            size_t start = hit;
            bool matches = confirm(f, line, end, &start);
            hit = matches ? start : hit;
            is_sure = is_sure || matches;
        }
        if (is_sure) {
            found(f, line, end, wants_number(f) ? number_of(f, line) : 0, hit);
        }
        at = end;
    }
    bx_scout_passed(&f->search->matcher->scout, limit - f->start);
    f->start = limit;
}

// The whole file is in the window: each line that a match touches counts.
static void search_whole(struct file *f) {
    size_t len = f->buf.len, from = f->start, counted = f->start, hit_start = 0, hit_end = 0;
    long long number = 1;
    bool is_sure;
    // a file without the text that every match holds needs no closer look
    if (f->search->matcher->scout.finder &&
        !bx_scout_next(&f->search->matcher->scout, f->buf.data + from, f->buf.data + len,
                       &is_sure)) {
        f->start = len;
        return;
    }
    while (from <= len && len && !is_over(f)) {
        enum bx_match status =
            bx_matcher_find(f->search->matcher, f->buf.data, len, from, &hit_start, &hit_end);
        if (status == BX_MATCH_TOO_COSTLY) {
            too_costly(f, number);
        }
        if (status != BX_MATCH_FOUND || hit_start >= len) {
            break;
        }
        size_t at = line_start(f, hit_start, counted);
        number += (long long)bx_text_count(f->buf.data + counted, at - counted, '\n');
        do {
            size_t end = line_end(f, at, len);
            found(f, at, end, number++, hit_start);
            at = end;
        } while (at < hit_end && !is_over(f));
        counted = at;
        from = at; // the next match begins on another line
    }
    f->start = len;
}

// Read more behind the window. False at an error.
static bool fill(struct file *f, size_t room) {
    if (!f->is_utf16) {
        bx_buf_reserve(&f->buf, room);
        ssize_t got = bx_file_read(f->fd, f->buf.data + f->buf.len, room);
        f->is_end = got < (ssize_t)room;
        f->buf.len += got > 0 ? (size_t)got : 0;
        f->buf.data[f->buf.len] = '\0';
        return got >= 0;
    }
    bx_buf_reset(&f->raw);
    bx_buf_reserve(&f->raw, room);
    ssize_t got = bx_file_read(f->fd, f->raw.data, room);
    f->is_end = got < (ssize_t)room;
    bx_utf16_decode(&f->utf16, f->raw.data, got > 0 ? (size_t)got : 0, &f->buf);
    return got >= 0;
}

// Drop what has been searched, but for the lines that may be shown as context.
static void slide(struct file *f) {
    size_t keep = f->start,
           lowest = f->start > MAX_CONTEXT_BYTES ? f->start - MAX_CONTEXT_BYTES : 0;
    if (f->search->mode == BX_SEARCH_CONTENT) {
        for (long long n = 0; n < f->search->before && keep > lowest; n++) {
            keep = line_start(f, keep - 1, lowest);
        }
    }
    number_of(f, keep);
    f->counted -= keep;
    f->is_gap = f->is_gap || (f->has_shown && f->shown_end < keep);
    memmove(f->buf.data, f->buf.data + keep, f->buf.len - keep);
    f->buf.len -= keep;
    f->start -= keep;
    f->shown_end = f->shown_end > keep ? f->shown_end - keep : 0;
}

// What the first piece says the file is. False when it is not to be searched.
static bool identify(struct file *f) {
    enum bx_encoding encoding = bx_text_family(f->buf.data, f->buf.len);
    if (encoding == BX_ENCODING_BINARY) {
        f->search->n_binary++;
        return false;
    }
    size_t bom = bx_text_bom_size(encoding);
    if (encoding == BX_ENCODING_UTF16LE || encoding == BX_ENCODING_UTF16BE) {
        struct bx_buf raw = f->buf;
        f->is_utf16 = true;
        f->utf16.is_big = encoding == BX_ENCODING_UTF16BE;
        f->buf = (struct bx_buf){0};
        bx_buf_reserve(&f->buf, raw.len);
        bx_utf16_decode(&f->utf16, raw.data + bom, raw.len - bom, &f->buf);
        if (!f->is_borrowed) {
            bx_buf_deinit(&raw);
        }
        f->is_borrowed = false;
    } else {
        f->start = f->counted = f->shown_end = bom;
    }
    f->search->n_searched++;
    return true;
}

static void search_pieces(struct file *f) {
    for (;;) {
        size_t limit = f->is_end ? f->buf.len : line_start(f, f->buf.len, f->start);
        if (limit == f->start && f->buf.len - f->start >= MAX_LINE) {
            limit = f->buf.len;
        }
        if (f->search->is_full) {
            f->search->n_bytes_after_full += limit - f->start;
            f->search->is_done =
                f->search->is_done || f->search->n_bytes_after_full > MAX_BYTES_AFTER_FULL;
        }
        search_lines(f, limit);
        if (f->search->mode == BX_SEARCH_CONTENT) {
            put_after(f, limit);
        }
        if (f->is_end || is_over(f)) {
            return;
        }
        slide(f);
        if (!fill(f, PIECE_BYTES)) {
            f->search->n_unreadable++;
            return;
        }
    }
}

static void search_multiline(struct file *f) {
    while (!f->is_end && f->buf.len <= MAX_WHOLE) {
        if (!fill(f, PIECE_BYTES)) {
            f->search->n_unreadable++;
            return;
        }
    }
    if (f->buf.len > MAX_WHOLE) {
        f->search->n_too_large++;
        return;
    }
    search_whole(f);
    if (f->search->mode == BX_SEARCH_CONTENT) {
        put_after(f, f->buf.len);
    }
}

static size_t finish(struct file *f) {
    if (!f->is_borrowed) {
        bx_buf_deinit(&f->buf);
    }
    bx_buf_deinit(&f->raw);
    f->search->n_lines += f->n_lines;
    f->search->n_files += f->n_lines > 0;
    return f->n_lines;
}

size_t bx_search_bytes(struct bx_search *search, const char *path, char *bytes, size_t len) {
    struct file f = {.search = search,
                     .path = path,
                     .line = 1,
                     .shown_line = 1,
                     .is_end = true,
                     .is_borrowed = true};
    f.buf = (struct bx_buf){.data = bytes, .len = len};
    if (identify(&f)) {
        if (search->matcher->is_multiline) {
            search_multiline(&f);
        } else {
            search_pieces(&f);
        }
    }
    return finish(&f);
}

size_t bx_search_file(struct bx_search *search, const char *path) {
    struct file f = {.search = search, .path = path, .line = 1, .shown_line = 1};
    f.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (f.fd < 0) {
        search->n_unreadable++;
        return 0;
    }
    if (!fill(&f, PIECE_BYTES)) {
        search->n_unreadable++;
    } else if (identify(&f)) {
        if (search->matcher->is_multiline) {
            search_multiline(&f);
        } else {
            search_pieces(&f);
        }
    }
    close(f.fd);
    return finish(&f);
}
