#ifndef BX_GUEST_MARKDOWN_H
#define BX_GUEST_MARKDOWN_H

#include "web_fetch/page.h"

/*
 * A page as Markdown, or as plain text: the same without marks and addresses.
 *
 * Recursion is bounded: what is nested deeper than MAX_DEPTH is written as one run of text.
 */
struct bx_md {
    const struct bx_page *page;
    bool is_plain;
    struct bx_buf *out;
    bool wants_space; /* white space was seen and stands before whatever comes next */
    bool led;         /* it was seen before anything was written to out */
    bool is_flat;     /* no blocks here: a heading, a link, a cell */
    bool in_strong, in_em, in_link, in_strike;
    unsigned depth, lists, quotes;
};

void bx_markdown(const struct bx_page *page, bool is_plain, struct bx_buf *out);

/* ---- for the files that write a page: markdown.c (blocks, links), markdown_code.c, table.c ---- */
void bx_md_children(struct bx_md *md, lxb_dom_node_t *node);
void bx_md_flat(struct bx_md *md, lxb_dom_node_t *node, struct bx_buf *ret); /* as one line, trimmed */
void bx_md_code(struct bx_md *md, lxb_dom_node_t *node);
void bx_md_pre(struct bx_md *md, lxb_dom_node_t *node);
/* table.c: false when it is no table of data: it only arranges the page. */
bool bx_md_table(struct bx_md *md, lxb_dom_node_t *table);

/* markdown_text.c: white space that was seen is written before what comes next, and once. */
bool bx_md_is_space(char c);
void bx_md_put_space(struct bx_md *md);
void bx_md_put(struct bx_md *md, const char *text, size_t n);
void bx_md_put_str(struct bx_md *md, const char *text);
void bx_md_text(struct bx_md *md, const char *text, size_t n); /* of the page: its white space is none of ours */
void bx_md_line_end(struct bx_md *md);
void bx_md_blank(struct bx_md *md); /* end the line, and leave one free */
void bx_md_trim(struct bx_buf *text);
/* Each line of text with a prefix: the first another than the rest. */
void bx_md_add_lines(struct bx_buf *out, const struct bx_buf *text, const char *first, const char *rest);

/* A piece written apart, into inner, until the end. */
struct bx_md_apart {
    struct bx_buf *outer;
    bool wants_space, led, is_flat;
};
struct bx_md_apart bx_md_begin_apart(struct bx_md *md, struct bx_buf *inner);
void bx_md_end_apart(struct bx_md *md, const struct bx_md_apart *a);

#endif
