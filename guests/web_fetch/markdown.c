#include "web_fetch/markdown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_fetch/url.h"

enum { MAX_DEPTH = 120, MAX_INDENT = 10, MAX_LINK = 2000 };

static void node_out(struct bx_md *md, lxb_dom_node_t *node);

/* Children between two marks; without them when there is more than one block inside. */
static void wrap(struct bx_md *md, lxb_dom_node_t *node, const char *mark, bool *io_inside) {
    if (*io_inside || md->is_plain) {
        bx_md_children(md, node);
        return;
    }
    struct bx_buf inner = {0};
    struct bx_md_apart a = bx_md_begin_apart(md, &inner);
    *io_inside = true;
    bx_md_children(md, node);
    *io_inside = false;
    bool led = md->led, trails = md->wants_space;
    bx_md_end_apart(md, &a);
    bool is_block = inner.len && memchr(inner.data, '\n', inner.len);
    bx_md_trim(&inner);
    if (inner.len) {
        md->wants_space = md->wants_space || led;
        if (is_block) {
            bx_md_blank(md);
        }
        bx_md_put_str(md, is_block ? "" : mark);
        bx_md_put(md, inner.data, inner.len);
        bx_md_put_str(md, is_block ? "" : mark);
        if (is_block) {
            bx_md_blank(md);
        }
        md->wants_space = trails;
    } else {
        md->wants_space = md->wants_space || led || trails;
    }
    bx_buf_deinit(&inner);
}

/* ---- links and images ---- */

static void put_url(struct bx_md *md, const char *url) {
    for (const char *c = url; *c; c++) {
        if (*c == '(' || *c == ')') {
            bx_buf_add_fmt(md->out, "%%%02X", *c);
        } else {
            bx_buf_add_char(md->out, *c);
        }
    }
}

static bool is_anchor_sign(const struct bx_buf *text) {
    static const char *const signs[] = {"#", "¶", "§", "🔗", "[edit]", "[¶]"};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (strcmp(text->data, signs[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void link_out(struct bx_md *md, lxb_dom_node_t *node) {
    size_t n = 0;
    const char *href = bx_attribute(node, "href", &n);
    if (!href || md->in_link || md->is_plain) {
        bx_md_children(md, node);
        return;
    }
    struct bx_buf inner = {0};
    struct bx_md_apart a = bx_md_begin_apart(md, &inner);
    md->is_flat = true;
    md->in_link = true;
    bx_md_children(md, node);
    md->in_link = false;
    bool led = md->led, trails = md->wants_space;
    bx_md_end_apart(md, &a);
    bx_md_trim(&inner);
    char *url = href[0] == '#' || n > MAX_LINK ? NULL : bx_url_resolve(md->page->base, href, n);
    if (!inner.len) {
        size_t label_len = 0;
        const char *label = bx_attribute(node, "aria-label", &label_len);
        label = label ? label : bx_attribute(node, "title", &label_len);
        bx_buf_add(&inner, label ? label : "", label ? label_len : 0);
    }
    if (inner.len && !is_anchor_sign(&inner)) {
        md->wants_space = md->wants_space || led;
        bx_md_put_str(md, url ? "[" : "");
        bx_md_put(md, inner.data, inner.len);
        if (url) {
            bx_md_put_str(md, "](");
            put_url(md, url);
            bx_md_put_str(md, ")");
        }
    }
    md->wants_space = trails || md->wants_space;
    free(url);
    bx_buf_deinit(&inner);
}

static void image_out(struct bx_md *md, lxb_dom_node_t *node) {
    size_t n = 0, src_len = 0;
    const char *alt = bx_attribute(node, "alt", &n), *src = bx_attribute(node, "src", &src_len);
    char *url = src && src_len < MAX_LINK ? bx_url_resolve(md->page->base, src, src_len) : NULL;
    struct bx_buf text = {0};
    for (size_t i = 0; alt && i < n && text.len < 500; i++) {
        bx_buf_add_char(&text, bx_md_is_space(alt[i]) ? ' ' : alt[i]);
    }
    if (text.len) {
        bx_md_put_str(md, md->is_plain ? "[" : "![");
        bx_buf_add(md->out, text.data, text.len);
        bx_md_put_str(md, "]");
        if (url && !md->is_plain && !md->in_link) {
            bx_md_put_str(md, "(");
            put_url(md, url);
            bx_md_put_str(md, ")");
        }
    }
    free(url);
    bx_buf_deinit(&text);
}

/* ---- blocks ---- */

static void block_out(struct bx_md *md, lxb_dom_node_t *node) {
    bx_md_blank(md);
    bx_md_children(md, node);
    bx_md_blank(md);
}

static void heading_out(struct bx_md *md, lxb_dom_node_t *node, unsigned level) {
    struct bx_buf text = {0};
    bx_md_flat(md, node, &text);
    bx_md_blank(md);
    if (text.len) {
        if (!md->is_plain && !md->is_flat) {
            bx_md_put(md, "######", level);
            bx_buf_add_char(md->out, ' ');
        }
        bx_md_put(md, text.data, text.len);
    }
    bx_md_blank(md);
    bx_buf_deinit(&text);
}

/* A block with a mark before its first line and its other lines set in. */
static void item_out(struct bx_md *md, lxb_dom_node_t *node, const char *mark, const char *rest) {
    struct bx_buf inner = {0};
    struct bx_md_apart a = bx_md_begin_apart(md, &inner);
    bx_md_children(md, node);
    bx_md_end_apart(md, &a);
    bx_md_trim(&inner);
    if (inner.len) {
        bx_md_line_end(md);
        bool is_deep = md->lists + md->quotes > MAX_INDENT;
        bx_md_add_lines(md->out, &inner, is_deep ? "" : mark, is_deep ? "" : rest);
    }
    bx_buf_deinit(&inner);
}

static void list_out(struct bx_md *md, lxb_dom_node_t *node) {
    bool is_ordered = bx_tag(node) == LXB_TAG_OL;
    size_t n = 0;
    const char *start = is_ordered ? bx_attribute(node, "start", &n) : NULL;
    long number = start ? strtol(start, NULL, 10) : 1;
    if (md->is_flat) {
        bx_md_children(md, node);
        return;
    }
    if (md->lists) {
        bx_md_line_end(md);
    } else {
        bx_md_blank(md);
    }
    md->lists++;
    for (lxb_dom_node_t *item = node->first_child; item; item = item->next) {
        if (bx_page_skips(md->page, item)) {
            continue;
        }
        if (bx_tag(item) == LXB_TAG_LI) {
            char mark[40] = "- ";
            if (is_ordered) {
                snprintf(mark, sizeof mark, "%ld. ", number);
                number += number < 1000000000;
            }
            item_out(md, item, mark, is_ordered ? "   " : "  ");
        } else {
            node_out(md, item);
        }
    }
    md->lists--;
    if (md->lists) {
        bx_md_line_end(md);
    } else {
        bx_md_blank(md);
    }
}

static void quote_out(struct bx_md *md, lxb_dom_node_t *node) {
    if (md->is_flat || md->is_plain) {
        block_out(md, node);
        return;
    }
    bx_md_blank(md);
    md->quotes++;
    item_out(md, node, "> ", "> ");
    md->quotes--;
    bx_md_blank(md);
}

static void definition_out(struct bx_md *md, lxb_dom_node_t *node) {
    if (bx_tag(node) == LXB_TAG_DD && !md->is_flat) {
        md->lists++;
        item_out(md, node, ": ", "  ");
        md->lists--;
        return;
    }
    bx_md_blank(md);
    wrap(md, node, "**", &md->in_strong);
    bx_md_line_end(md);
}

static void element_out(struct bx_md *md, lxb_dom_node_t *node) {
    unsigned tag = bx_tag(node);
    switch (tag) {
    case LXB_TAG_H1:
    case LXB_TAG_H2:
    case LXB_TAG_H3:
    case LXB_TAG_H4:
    case LXB_TAG_H5:
    case LXB_TAG_H6:
        heading_out(md, node, tag - LXB_TAG_H1 + 1);
        return;
    case LXB_TAG_A:
        link_out(md, node);
        return;
    case LXB_TAG_IMG:
        image_out(md, node);
        return;
    case LXB_TAG_BR:
        if (md->is_flat) {
            md->wants_space = true;
        } else {
            bx_md_line_end(md);
        }
        return;
    case LXB_TAG_HR:
        bx_md_blank(md);
        bx_md_put_str(md, md->is_flat || md->is_plain ? "" : "---");
        bx_md_blank(md);
        return;
    case LXB_TAG_STRONG:
    case LXB_TAG_B:
        wrap(md, node, "**", &md->in_strong);
        return;
    case LXB_TAG_EM:
    case LXB_TAG_I:
        wrap(md, node, "_", &md->in_em);
        return;
    case LXB_TAG_DEL:
    case LXB_TAG_S:
    case LXB_TAG_STRIKE:
        wrap(md, node, "~~", &md->in_strike);
        return;
    case LXB_TAG_CODE:
    case LXB_TAG_KBD:
    case LXB_TAG_SAMP:
    case LXB_TAG_TT:
        bx_md_code(md, node);
        return;
    case LXB_TAG_PRE:
    case LXB_TAG_LISTING:
    case LXB_TAG_XMP:
        bx_md_pre(md, node);
        return;
    case LXB_TAG_UL:
    case LXB_TAG_OL:
    case LXB_TAG_DIR:
        list_out(md, node);
        return;
    case LXB_TAG_BLOCKQUOTE:
        quote_out(md, node);
        return;
    case LXB_TAG_DT:
    case LXB_TAG_DD:
        definition_out(md, node);
        return;
    case LXB_TAG_TABLE:
        if (!bx_md_table(md, node)) {
            block_out(md, node);
        }
        return;
    case LXB_TAG_Q:
        bx_md_put_str(md, "“");
        bx_md_children(md, node);
        bx_md_put_str(md, "”");
        return;
    case LXB_TAG_P:
    case LXB_TAG_DIV:
    case LXB_TAG_SECTION:
    case LXB_TAG_ARTICLE:
    case LXB_TAG_MAIN:
    case LXB_TAG_HEADER:
    case LXB_TAG_FOOTER:
    case LXB_TAG_NAV:
    case LXB_TAG_ASIDE:
    case LXB_TAG_FIGURE:
    case LXB_TAG_FIGCAPTION:
    case LXB_TAG_DETAILS:
    case LXB_TAG_SUMMARY:
    case LXB_TAG_ADDRESS:
    case LXB_TAG_FORM:
    case LXB_TAG_FIELDSET:
    case LXB_TAG_HGROUP:
    case LXB_TAG_DL:
    case LXB_TAG_TD:
    case LXB_TAG_TH:
    case LXB_TAG_CAPTION:
    case LXB_TAG_BODY:
    case LXB_TAG_CENTER:
    case LXB_TAG_LI:
    case LXB_TAG_MENU:
    case LXB_TAG_DIALOG:
        block_out(md, node);
        return;
    default:
        bx_md_children(md, node);
    }
}

static void node_out(struct bx_md *md, lxb_dom_node_t *node) {
    if (bx_page_skips(md->page, node)) {
        return;
    }
    if (node->type == LXB_DOM_NODE_TYPE_TEXT) {
        size_t n = 0;
        const char *text = bx_node_text(node, &n);
        bx_md_text(md, text, n);
    } else if (node->type == LXB_DOM_NODE_TYPE_ELEMENT) {
        element_out(md, node);
    }
}

/* All that is below, as one run of text: nested too deep for more. */
static void deep_out(struct bx_md *md, lxb_dom_node_t *top) {
    lxb_dom_node_t *node = top;
    while (node) {
        size_t n = 0;
        const char *text = node->type == LXB_DOM_NODE_TYPE_TEXT ? bx_node_text(node, &n) : "";
        bx_md_text(md, text, n);
        md->wants_space = md->wants_space || node->type == LXB_DOM_NODE_TYPE_ELEMENT;
        node = bx_next_node(node, top, node == top || !bx_page_skips(md->page, node));
    }
}

void bx_md_children(struct bx_md *md, lxb_dom_node_t *node) {
    if (md->depth >= MAX_DEPTH) {
        deep_out(md, node);
        return;
    }
    md->depth++;
    for (lxb_dom_node_t *child = node->first_child; child; child = child->next) {
        node_out(md, child);
    }
    md->depth--;
}

void bx_markdown(const struct bx_page *page, bool is_plain, struct bx_buf *out) {
    struct bx_md md = {.page = page, .is_plain = is_plain, .out = out};
    bx_md_children(&md, page->main);
    bx_md_trim(out);
}
