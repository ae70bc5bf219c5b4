#include "web_fetch/page.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web_fetch/url.h"

#define MAX_TITLE 300

const char *bx_attribute(const lxb_dom_node_t *node, const char *name, size_t *ret_len) {
    if (node->type != LXB_DOM_NODE_TYPE_ELEMENT) {
        return NULL;
    }
    lxb_dom_attr_t *attr = lxb_dom_element_attr_by_name(lxb_dom_interface_element(node),
                                                        (const lxb_char_t *)name, strlen(name));
    if (!attr) {
        return NULL;
    }
    const lxb_char_t *value = lxb_dom_attr_value(attr, ret_len);
    return value ? (const char *)value : "";
}

lxb_dom_node_t *bx_next_node(lxb_dom_node_t *node, const lxb_dom_node_t *top, bool is_deep) {
    if (is_deep && node->first_child) {
        return node->first_child;
    }
    while (node != top && !node->next) {
        node = node->parent;
    }
    return node == top ? NULL : node->next;
}

static bool is_never_read(const lxb_dom_node_t *node) {
    switch (bx_tag(node)) {
    case LXB_TAG_SCRIPT:
    case LXB_TAG_STYLE:
    case LXB_TAG_TEMPLATE:
    case LXB_TAG_NOSCRIPT:
    case LXB_TAG_IFRAME:
    case LXB_TAG_OBJECT:
    case LXB_TAG_EMBED:
    case LXB_TAG_CANVAS:
    case LXB_TAG_SVG:
    case LXB_TAG_VIDEO:
    case LXB_TAG_AUDIO:
    case LXB_TAG_BUTTON:
    case LXB_TAG_SELECT:
    case LXB_TAG_TEXTAREA:
    case LXB_TAG_INPUT:
    case LXB_TAG_DATALIST:
    case LXB_TAG_HEAD:
    case LXB_TAG_LINK:
    case LXB_TAG_META:
        return true;
    default:
        return node->type == LXB_DOM_NODE_TYPE_COMMENT;
    }
}

static bool is_value(const lxb_dom_node_t *node, const char *name, const char *value) {
    size_t n = 0;
    const char *have = bx_attribute(node, name, &n);
    return have && n == strlen(value) && strncasecmp(have, value, n) == 0;
}

static bool is_hidden(const lxb_dom_node_t *node) {
    size_t n = 0;
    if (is_value(node, "aria-hidden", "true") || bx_attribute(node, "hidden", &n)) {
        return true;
    }
    const char *style = bx_attribute(node, "style", &n);
    if (!style) {
        return false;
    }
    char plain[200];
    size_t len = 0;
    for (size_t i = 0; i < n && len < sizeof plain - 1; i++) {
        if (!isspace((unsigned char)style[i])) {
            plain[len++] = (char)tolower((unsigned char)style[i]);
        }
    }
    plain[len] = '\0';
    return strstr(plain, "display:none") || strstr(plain, "visibility:hidden");
}

/* Words of class and id that name what is around a text */
static bool has_furniture_name(const lxb_dom_node_t *node) {
    static const char *const words[] = {
        "cookie",     "cookies",     "consent", "gdpr",       "newsletter",  "sidebar", "sidenav",
        "breadcrumb", "breadcrumbs", "advert",  "ads",        "adsbygoogle", "banner",  "popup",
        "modal",      "navbar",      "nav",     "navigation", "menu",        "footer",  "masthead",
        "share",      "sharing",     "social",  "related",    "recommended", "promo",   "skip",
        "sponsor",    "subscribe",   "toc",     "pagination", "editsection"};
    static const char *const names[] = {"class", "id"};
    for (size_t a = 0; a < 2; a++) {
        size_t n = 0;
        const char *value = bx_attribute(node, names[a], &n);
        for (size_t at = 0; value && at < n && at < 400;) {
            size_t end = at;
            while (end < n && isalnum((unsigned char)value[end])) {
                end++;
            }
            for (size_t i = 0; end > at && i < sizeof words / sizeof *words; i++) {
                if (strlen(words[i]) == end - at &&
                    strncasecmp(words[i], value + at, end - at) == 0) {
                    return true;
                }
            }
            at = end + 1;
        }
    }
    return false;
}

static bool has_furniture_role(const lxb_dom_node_t *node) {
    static const char *const roles[] = {"navigation", "banner", "contentinfo", "complementary",
                                        "search",     "dialog", "alertdialog", "menu",
                                        "menubar",    "toolbar"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (is_value(node, "role", roles[i])) {
            return true;
        }
    }
    return false;
}

static bool is_inside(const lxb_dom_node_t *node, unsigned tag) {
    for (int up = 0; node && up < 64; node = node->parent, up++) {
        if (bx_tag(node) == tag) {
            return true;
        }
    }
    return false;
}

static bool is_furniture(const lxb_dom_node_t *node) {
    switch (bx_tag(node)) {
    case LXB_TAG_NAV:
    case LXB_TAG_ASIDE:
    case LXB_TAG_DIALOG:
    case LXB_TAG_MENU:
        return true;
    case LXB_TAG_HEADER: // an article's own holds its title
    case LXB_TAG_FOOTER:
        return !is_inside(node, LXB_TAG_ARTICLE) && !is_inside(node, LXB_TAG_MAIN);
    case LXB_TAG_HTML:
    case LXB_TAG_BODY:
    case LXB_TAG_MAIN:
    case LXB_TAG_ARTICLE:
    case LXB_TAG_PRE:
    case LXB_TAG_CODE:
    case LXB_TAG_TABLE:
    case LXB_TAG_TBODY:
    case LXB_TAG_TR:
    case LXB_TAG_H1:
    case LXB_TAG_A:
    case LXB_TAG__TEXT:
    case 0:
        return false;
    default:
        return has_furniture_role(node) || has_furniture_name(node);
    }
}

/* How much text stands below each node, in node->user; what is never read counts nothing. The walk
 * goes down and up by itself: a page may be nested deeper than a stack. */
static size_t own_text(const lxb_dom_node_t *node) {
    if (node->type != LXB_DOM_NODE_TYPE_TEXT) {
        return 0;
    }
    size_t n = 0, letters = 0;
    const char *text = bx_node_text(node, &n);
    for (size_t i = 0; i < n; i++) {
        letters += !isspace((unsigned char)text[i]);
    }
    return letters;
}

static void count_text(lxb_dom_node_t *top) {
    lxb_dom_node_t *node = top;
    for (;;) {
        bool is_dead = is_never_read(node) || is_hidden(node);
        node->user = (void *)own_text(node);
        if (!is_dead && node->first_child) {
            node = node->first_child;
            continue;
        }
        while (node != top && !node->next) {
            node->parent->user = (void *)((size_t)node->parent->user + (size_t)node->user);
            node = node->parent;
        }
        if (node == top) {
            return;
        }
        node->parent->user = (void *)((size_t)node->parent->user + (size_t)node->user);
        node = node->next;
    }
}

static size_t text_of(const lxb_dom_node_t *node) {
    return (size_t)node->user;
}

bool bx_page_skips(const struct bx_page *page, const lxb_dom_node_t *node) {
    if (is_never_read(node)) {
        return true;
    }
    if (node->type != LXB_DOM_NODE_TYPE_ELEMENT) {
        return false;
    }
    if (is_hidden(node)) {
        return true;
    }
    // A name alone does not outweigh that most of the text is in there
    return !page->is_whole && node != page->main && is_furniture(node) &&
           text_of(node) * 2 <= text_of(page->main);
}

/* The element that says it is the text, if it holds a good part of it. */
static lxb_dom_node_t *find_main(lxb_dom_node_t *body) {
    lxb_dom_node_t *best = NULL;
    size_t articles = 0;
    for (lxb_dom_node_t *node = body; node; node = bx_next_node(node, body, !is_never_read(node))) {
        bool is_main = bx_tag(node) == LXB_TAG_MAIN || is_value(node, "role", "main");
        bool is_article = bx_tag(node) == LXB_TAG_ARTICLE;
        articles += is_article && !best;
        if (is_main && (!best || text_of(node) > text_of(best))) {
            best = node;
        }
    }
    for (lxb_dom_node_t *node = body; node && !best && articles == 1;
         node = bx_next_node(node, body, !is_never_read(node))) {
        if (bx_tag(node) == LXB_TAG_ARTICLE) {
            best = node;
        }
    }
    return best && text_of(best) * 4 >= text_of(body) ? best : body;
}

static void add_text(struct bx_buf *out, lxb_dom_node_t *top, size_t max) {
    for (lxb_dom_node_t *node = top; node && out->len < max; node = bx_next_node(node, top, true)) {
        size_t n = 0;
        const char *text = node->type == LXB_DOM_NODE_TYPE_TEXT ? bx_node_text(node, &n) : "";
        for (size_t i = 0; i < n && out->len < max; i++) {
            if (!isspace((unsigned char)text[i])) {
                bx_buf_add_char(out, text[i]);
            } else if (out->len && out->data[out->len - 1] != ' ') {
                bx_buf_add_char(out, ' ');
            }
        }
    }
}

static void read_head(struct bx_page *page, lxb_dom_node_t *top, const char *url) {
    struct bx_buf title = {0};
    bool has_base = false, has_title = false;
    lxb_dom_node_t *heading = NULL;
    for (lxb_dom_node_t *node = top; node; node = bx_next_node(node, top, true)) {
        unsigned tag = node->ns == LXB_NS_HTML ? bx_tag(node) : 0;
        size_t n = 0;
        if (tag == LXB_TAG_TITLE && !has_title) {
            has_title = true;
            add_text(&title, node, MAX_TITLE);
        } else if (tag == LXB_TAG_BASE && !has_base) {
            const char *href = bx_attribute(node, "href", &n);
            page->base = href ? bx_url_resolve(url, href, n) : NULL;
            has_base = page->base != NULL;
        } else if (tag == LXB_TAG_H1 && !heading) {
            heading = node;
        }
    }
    if (!title.len && heading) {
        add_text(&title, heading, MAX_TITLE);
    }
    while (title.len && title.data[title.len - 1] == ' ') {
        title.len--;
    }
    page->title = bx_strndup(title.data ? title.data : "", title.len);
    if (!page->base) {
        page->base = bx_strndup(url, strlen(url));
    }
}

void bx_page_open(const char *html, size_t len, const char *url, bool is_whole,
                  struct bx_page *ret) {
    *ret = (struct bx_page){.is_whole = is_whole, .document = lxb_html_document_create()};
    if (!ret->document ||
        lxb_html_document_parse(ret->document, (const lxb_char_t *)html, len) != LXB_STATUS_OK) {
        bx_die("The page needs more memory than the tool may use.");
    }
    lxb_dom_node_t *top = lxb_dom_interface_node(ret->document);
    lxb_dom_node_t *body = lxb_dom_interface_node(lxb_html_document_body_element(ret->document));
    read_head(ret, top, url);
    ret->main = body ? body : top;
    count_text(ret->main);
    if (!is_whole) {
        ret->main = find_main(ret->main);
    }
}

void bx_page_close(struct bx_page *page) {
    lxb_html_document_destroy(page->document);
    free(page->title);
    free(page->base);
}
