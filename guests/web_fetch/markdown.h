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

/* For table.c: */
void bx_md_children(struct bx_md *md, lxb_dom_node_t *node);
void bx_md_flat(struct bx_md *md, lxb_dom_node_t *node, struct bx_buf *ret); /* as one line, trimmed */
void bx_md_blank(struct bx_md *md); /* end the line, and leave one free */
/* table.c: false when it is no table of data: it only arranges the page. */
bool bx_md_table(struct bx_md *md, lxb_dom_node_t *table);

#endif
