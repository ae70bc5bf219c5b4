#include "web_fetch/markdown.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web_fetch/url.h"

enum { MAX_DEPTH = 120, MAX_INDENT = 10, MAX_LINK = 2000 };

static void node_out(struct bx_md *md, lxb_dom_node_t *node);

static bool is_space(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* ---- white space ---- */

static void put_space(struct bx_md *md) {
    struct bx_buf *out = md->out;
    if (md->wants_space && out->len && !is_space(out->data[out->len - 1])) {
        bx_buf_add_char(out, ' ');
    } else if (md->wants_space && !out->len) {
        md->led = true;
    }
    md->wants_space = false;
}

static void put(struct bx_md *md, const char *text, size_t n) {
    if (n) {
        put_space(md);
        bx_buf_add(md->out, text, n);
    }
}

static void put_str(struct bx_md *md, const char *text) {
    put(md, text, strlen(text));
}

static void text_out(struct bx_md *md, const char *text, size_t n) {
    for (size_t at = 0; at < n;) {
        size_t end = at;
        if (is_space(text[at])) {
            md->wants_space = true;
            at++;
            continue;
        }
        while (end < n && !is_space(text[end])) {
            end++;
        }
        put(md, text + at, end - at);
        at = end;
    }
}

static void line_end(struct bx_md *md) {
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
    line_end(md);
    if (!md->is_flat && out->len && !(out->len > 1 && out->data[out->len - 2] == '\n')) {
        bx_buf_add_char(out, '\n');
    }
}

static void trim(struct bx_buf *text) {
    size_t start = 0;
    while (text->len && is_space(text->data[text->len - 1])) {
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

struct apart {
    struct bx_buf *outer;
    bool wants_space, led, is_flat;
};

static struct apart begin_apart(struct bx_md *md, struct bx_buf *inner) {
    struct apart a = {md->out, md->wants_space, md->led, md->is_flat};
    md->out = inner;
    md->wants_space = md->led = false;
    return a;
}

static void end_apart(struct bx_md *md, const struct apart *a) {
    md->out = a->outer;
    md->wants_space = a->wants_space;
    md->led = a->led;
    md->is_flat = a->is_flat;
}

void bx_md_flat(struct bx_md *md, lxb_dom_node_t *node, struct bx_buf *ret) {
    struct apart a = begin_apart(md, ret);
    md->is_flat = true;
    bx_md_children(md, node);
    end_apart(md, &a);
    trim(ret);
}

/* Each line of text with a prefix: the first another than the rest. */
static void add_lines(struct bx_buf *out, const struct bx_buf *text, const char *first,
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

/* Children between two marks; without them when there is more than one block inside. */
static void wrap(struct bx_md *md, lxb_dom_node_t *node, const char *mark, bool *io_inside) {
    if (*io_inside || md->is_plain) {
        bx_md_children(md, node);
        return;
    }
    struct bx_buf inner = {0};
    struct apart a = begin_apart(md, &inner);
    *io_inside = true;
    bx_md_children(md, node);
    *io_inside = false;
    bool led = md->led, trails = md->wants_space;
    end_apart(md, &a);
    bool is_block = inner.len && memchr(inner.data, '\n', inner.len);
    trim(&inner);
    if (inner.len) {
        md->wants_space = md->wants_space || led;
        if (is_block) {
            bx_md_blank(md);
        }
        put_str(md, is_block ? "" : mark);
        put(md, inner.data, inner.len);
        put_str(md, is_block ? "" : mark);
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
    struct apart a = begin_apart(md, &inner);
    md->is_flat = true;
    md->in_link = true;
    bx_md_children(md, node);
    md->in_link = false;
    bool led = md->led, trails = md->wants_space;
    end_apart(md, &a);
    trim(&inner);
    char *url = href[0] == '#' || n > MAX_LINK ? NULL : bx_url_resolve(md->page->base, href, n);
    if (!inner.len) {
        size_t label_len = 0;
        const char *label = bx_attribute(node, "aria-label", &label_len);
        label = label ? label : bx_attribute(node, "title", &label_len);
        bx_buf_add(&inner, label ? label : "", label ? label_len : 0);
    }
    if (inner.len && !is_anchor_sign(&inner)) {
        md->wants_space = md->wants_space || led;
        put_str(md, url ? "[" : "");
        put(md, inner.data, inner.len);
        if (url) {
            put_str(md, "](");
            put_url(md, url);
            put_str(md, ")");
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
        bx_buf_add_char(&text, is_space(alt[i]) ? ' ' : alt[i]);
    }
    if (text.len) {
        put_str(md, md->is_plain ? "[" : "![");
        bx_buf_add(md->out, text.data, text.len);
        put_str(md, "]");
        if (url && !md->is_plain && !md->in_link) {
            put_str(md, "(");
            put_url(md, url);
            put_str(md, ")");
        }
    }
    free(url);
    bx_buf_deinit(&text);
}

/* ---- code ---- */

static size_t longest_ticks(const struct bx_buf *text) {
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < text->len; i++) {
        run = text->data[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static bool has_class(const lxb_dom_node_t *node, const char *word) {
    size_t n = 0, len = strlen(word);
    const char *value = bx_attribute(node, "class", &n);
    for (size_t at = 0; value && at + len <= n; at++) {
        if ((at == 0 || is_space(value[at - 1])) && strncasecmp(value + at, word, len) == 0 &&
            (at + len == n || is_space(value[at + len]))) {
            return true;
        }
    }
    return false;
}

static bool is_line_number(const lxb_dom_node_t *node) {
    static const char *const names[] = {"lineno", "linenos",    "line-number",      "line-numbers",
                                        "gutter", "linenumber", "line-numbers-rows"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (has_class(node, names[i])) {
            return true;
        }
    }
    return false;
}

/* Text as it stands; <br> is a line's end. */
static void add_verbatim(struct bx_buf *out, lxb_dom_node_t *top) {
    lxb_dom_node_t *node = top;
    while (node) {
        bool is_deep = !is_line_number(node) && bx_tag(node) != LXB_TAG_SCRIPT &&
                       bx_tag(node) != LXB_TAG_STYLE && bx_tag(node) != LXB_TAG_BUTTON;
        if (node->type == LXB_DOM_NODE_TYPE_TEXT) {
            size_t n = 0;
            const char *text = bx_node_text(node, &n);
            bx_buf_add(out, text, n);
        } else if (bx_tag(node) == LXB_TAG_BR) {
            bx_buf_add_char(out, '\n');
        }
        node = bx_next_node(node, top, is_deep);
    }
    bx_buf_add(out, "", 0);
}

static void code_out(struct bx_md *md, lxb_dom_node_t *node) {
    struct bx_buf raw = {0}, text = {0};
    if (md->is_plain) {
        bx_md_children(md, node);
        return;
    }
    add_verbatim(&raw, node);
    for (size_t i = 0; i < raw.len; i++) { // one line, as it is shown
        bool is_blank = is_space(raw.data[i]);
        if (!is_blank || (text.len && text.data[text.len - 1] != ' ')) {
            bx_buf_add_char(&text, is_blank ? ' ' : raw.data[i]);
        }
    }
    trim(&text);
    if (text.len) {
        size_t ticks = longest_ticks(&text) + 1;
        bool pads = text.data[0] == '`' || text.data[text.len - 1] == '`';
        put_space(md);
        for (size_t i = 0; i < ticks; i++) {
            bx_buf_add_char(md->out, '`');
        }
        bx_buf_add_fmt(md->out, "%s%s%s", pads ? " " : "", text.data, pads ? " " : "");
        for (size_t i = 0; i < ticks; i++) {
            bx_buf_add_char(md->out, '`');
        }
    }
    bx_buf_deinit(&raw);
    bx_buf_deinit(&text);
}

/* "language-c", "lang-c", "highlight-source-c", "brush: c" of an element's class, or data-lang="c"
 */
static bool language_of(const lxb_dom_node_t *node, char *out, size_t size) {
    static const char *const marks[] = {"language-", "lang-",  "highlight-source-",
                                        "brush: ",   "brush:", "sourceCode "};
    static const char *const attributes[] = {"data-lang", "data-language", "lang-name"};
    size_t n = 0, len = 0;
    const char *from = NULL, *value = bx_attribute(node, "class", &n);
    for (size_t i = 0; value && !from && i < sizeof marks / sizeof *marks; i++) {
        size_t mark = strlen(marks[i]);
        for (size_t at = 0; !from && at + mark < n; at++) {
            if ((at == 0 || is_space(value[at - 1])) &&
                strncasecmp(value + at, marks[i], mark) == 0) {
                from = value + at + mark;
                n -= at + mark;
            }
        }
    }
    for (size_t i = 0; !from && i < sizeof attributes / sizeof *attributes; i++) {
        from = bx_attribute(node, attributes[i], &n);
    }
    while (from && len < n && len < size - 1 &&
           (isalnum((unsigned char)from[len]) || strchr("+#-_.", from[len]))) {
        out[len] = (char)tolower((unsigned char)from[len]);
        len++;
    }
    out[len] = '\0';
    return len > 0;
}

static void find_language(lxb_dom_node_t *pre, char *out, size_t size) {
    lxb_dom_node_t *code = pre->first_child;
    while (code && bx_tag(code) != LXB_TAG_CODE) {
        code = code->next;
    }
    lxb_dom_node_t *up = pre->parent;
    bool is_found = language_of(pre, out, size) || (code && language_of(code, out, size));
    for (int i = 0; !is_found && up && i < 2; i++, up = up->parent) {
        is_found = language_of(up, out, size);
    }
    if (strcmp(out, "none") == 0 || strcmp(out, "default") == 0) {
        out[0] = '\0';
    }
}

static void pre_out(struct bx_md *md, lxb_dom_node_t *node) {
    struct bx_buf text = {0};
    char language[32] = "";
    if (md->is_flat) {
        code_out(md, node);
        return;
    }
    add_verbatim(&text, node);
    trim(&text);
    if (text.len) {
        size_t ticks = longest_ticks(&text);
        find_language(node, language, sizeof language);
        bx_md_blank(md);
        for (size_t i = 0; !md->is_plain && i < (ticks < 3 ? 3 : ticks + 1); i++) {
            bx_buf_add_char(md->out, '`');
        }
        bx_buf_add_str(md->out, md->is_plain ? "" : language);
        bx_buf_add_str(md->out, md->is_plain ? "" : "\n");
        bx_buf_add(md->out, text.data, text.len);
        bx_buf_add_char(md->out, '\n');
        for (size_t i = 0; !md->is_plain && i < (ticks < 3 ? 3 : ticks + 1); i++) {
            bx_buf_add_char(md->out, '`');
        }
        bx_md_blank(md);
    }
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
            put(md, "######", level);
            bx_buf_add_char(md->out, ' ');
        }
        put(md, text.data, text.len);
    }
    bx_md_blank(md);
    bx_buf_deinit(&text);
}

/* A block with a mark before its first line and its other lines set in. */
static void item_out(struct bx_md *md, lxb_dom_node_t *node, const char *mark, const char *rest) {
    struct bx_buf inner = {0};
    struct apart a = begin_apart(md, &inner);
    bx_md_children(md, node);
    end_apart(md, &a);
    trim(&inner);
    if (inner.len) {
        line_end(md);
        bool is_deep = md->lists + md->quotes > MAX_INDENT;
        add_lines(md->out, &inner, is_deep ? "" : mark, is_deep ? "" : rest);
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
        line_end(md);
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
        line_end(md);
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
    line_end(md);
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
            line_end(md);
        }
        return;
    case LXB_TAG_HR:
        bx_md_blank(md);
        put_str(md, md->is_flat || md->is_plain ? "" : "---");
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
        code_out(md, node);
        return;
    case LXB_TAG_PRE:
    case LXB_TAG_LISTING:
    case LXB_TAG_XMP:
        pre_out(md, node);
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
        put_str(md, "“");
        bx_md_children(md, node);
        put_str(md, "”");
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
        text_out(md, text, n);
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
        text_out(md, text, n);
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
    trim(out);
}
