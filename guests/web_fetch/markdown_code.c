#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "web_fetch/markdown.h"

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
        if ((at == 0 || bx_md_is_space(value[at - 1])) && strncasecmp(value + at, word, len) == 0 &&
            (at + len == n || bx_md_is_space(value[at + len]))) {
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

void bx_md_code(struct bx_md *md, lxb_dom_node_t *node) {
    struct bx_buf raw = {0}, text = {0};
    if (md->is_plain) {
        bx_md_children(md, node);
        return;
    }
    add_verbatim(&raw, node);
    for (size_t i = 0; i < raw.len; i++) { // one line, as it is shown
        bool is_blank = bx_md_is_space(raw.data[i]);
        if (!is_blank || (text.len && text.data[text.len - 1] != ' ')) {
            bx_buf_add_char(&text, is_blank ? ' ' : raw.data[i]);
        }
    }
    bx_md_trim(&text);
    if (text.len) {
        size_t ticks = longest_ticks(&text) + 1;
        bool pads = text.data[0] == '`' || text.data[text.len - 1] == '`';
        bx_md_put_space(md);
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
            if ((at == 0 || bx_md_is_space(value[at - 1])) &&
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

void bx_md_pre(struct bx_md *md, lxb_dom_node_t *node) {
    struct bx_buf text = {0};
    char language[32] = "";
    if (md->is_flat) {
        bx_md_code(md, node);
        return;
    }
    add_verbatim(&text, node);
    bx_md_trim(&text);
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
