#ifndef BX_GUEST_PAGE_H
#define BX_GUEST_PAGE_H

#include <lexbor/dom/interfaces/text.h>
#include <lexbor/html/html.h>
#include <stdbool.h>

#include "common/buf.h"

/*
 * An HTML page: parsed, and what of it is worth reading.
 */
struct bx_page {
    lxb_html_document_t *document;
    char *title; /* "" without one */
    char *base;  /* what links are relative to */
    lxb_dom_node_t *main; /* what to read: the body, or the part of it that holds the text */
    bool is_whole;        /* nothing was left out */
};

/* Parses html (UTF-8), which came from url. is_whole: menus, side bars and the like are wanted too. */
void bx_page_open(const char *html, size_t len, const char *url, bool is_whole,
                  struct bx_page *ret);
void bx_page_close(struct bx_page *page);

/* Never to be read: scripts, styles, templates, what is hidden. With the page's furniture when that was left out. */
bool bx_page_skips(const struct bx_page *page, const lxb_dom_node_t *node);

/* The tag of an HTML element (LXB_TAG_…), 0 for anything else. */
static inline unsigned bx_tag(const lxb_dom_node_t *node) {
    return node->type == LXB_DOM_NODE_TYPE_ELEMENT ? (unsigned)node->local_name : 0;
}
/* An attribute as a view, NULL when it is not there. */
const char *bx_attribute(const lxb_dom_node_t *node, const char *name, size_t *ret_len);
/* The text of a text node as a view. */
static inline const char *bx_node_text(const lxb_dom_node_t *node, size_t *ret_len) {
    const lexbor_str_t *data = &lxb_dom_interface_text(node)->char_data.data;
    *ret_len = data->length;
    return (const char *)data->data;
}
/* The next node of a walk through everything below top, without going into what is_deep is false for. */
lxb_dom_node_t *bx_next_node(lxb_dom_node_t *node, const lxb_dom_node_t *top, bool is_deep);

#endif
