#include <string.h>

#include "web_fetch/markdown.h"

bool bx_md_is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* ---- white space ---- */

void bx_md_put_space(struct bx_md *md) {
    struct bx_buf *out = md->out;
    if (md->wants_space && out->len && !bx_md_is_space(out->data[out->len - 1])) {
        bx_buf_add_char(out, ' ');
    } else if (md->wants_space && !out->len) {
        md->led = true;
    }
    md->wants_space = false;
}

void bx_md_put(struct bx_md *md, const char *text, size_t n) {
    if (n) {
        bx_md_put_space(md);
        bx_buf_add(md->out, text, n);
    }
}

void bx_md_put_str(struct bx_md *md, const char *text) {
    bx_md_put(md, text, strlen(text));
}

void bx_md_text(struct bx_md *md, const char *text, size_t n) {
    for (size_t at = 0; at < n;) {
        size_t end = at;
        if (bx_md_is_space(text[at])) {
            md->wants_space = true;
            at++;
            continue;
        }
        while (end < n && !bx_md_is_space(text[end])) {
            end++;
        }
        bx_md_put(md, text + at, end - at);
        at = end;
    }
}

void bx_md_line_end(struct bx_md *md) {
    struct bx_buf *out = md->out;
    md->wants_space = md->is_flat;
    if (md->is_flat) {
        return;
    }
    while (out->len && out->data[out->len - 1] == ' ') {
        out->len--;
    }
    if (out->len && out->data[out->len - 1] != '\n') {
        bx_buf_add_char(out, '\n');
    }
}

void bx_md_blank(struct bx_md *md) {
    struct bx_buf *out = md->out;
    bx_md_line_end(md);
    if (!md->is_flat && out->len && !(out->len > 1 && out->data[out->len - 2] == '\n')) {
        bx_buf_add_char(out, '\n');
    }
}

void bx_md_trim(struct bx_buf *text) {
    size_t start = 0;
    while (text->len && bx_md_is_space(text->data[text->len - 1])) {
        text->len--;
    }
    while (start < text->len && text->data[start] == '\n') {
        start++;
    }
    if (start) {
        memmove(text->data, text->data + start, text->len - start);
        text->len -= start;
    }
    bx_buf_add(text, "", 0);
}

/* ---- pieces written apart ---- */

struct bx_md_apart bx_md_begin_apart(struct bx_md *md, struct bx_buf *inner) {
    struct bx_md_apart a = {md->out, md->wants_space, md->led, md->is_flat};
    md->out = inner;
    md->wants_space = md->led = false;
    return a;
}

void bx_md_end_apart(struct bx_md *md, const struct bx_md_apart *a) {
    md->out = a->outer;
    md->wants_space = a->wants_space;
    md->led = a->led;
    md->is_flat = a->is_flat;
}

void bx_md_flat(struct bx_md *md, lxb_dom_node_t *node, struct bx_buf *ret) {
    struct bx_md_apart a = bx_md_begin_apart(md, ret);
    md->is_flat = true;
    bx_md_children(md, node);
    bx_md_end_apart(md, &a);
    bx_md_trim(ret);
}

/* Each line of text with a prefix: the first another than the rest. */
void bx_md_add_lines(struct bx_buf *out, const struct bx_buf *text, const char *first,
                     const char *rest) {
    const char *prefix = first;
    for (size_t at = 0; at < text->len;) {
        const char *end = memchr(text->data + at, '\n', text->len - at);
        size_t n = end ? (size_t)(end - text->data) - at : text->len - at;
        size_t shown = strlen(prefix);
        while (!n && shown && prefix[shown - 1] == ' ') {
            shown--;
        }
        bx_buf_add(out, prefix, shown);
        bx_buf_add(out, text->data + at, n);
        bx_buf_add_char(out, '\n');
        at += n + 1;
        prefix = rest;
    }
}
