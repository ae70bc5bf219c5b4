/* Text of unknown origin on a page. */
#include "base/utf8.h"
#include "store/export_impl.h"

static void add_char(struct bx_buf *out, char c) {
    unsigned char u = (unsigned char)c;
    if (c == '&')
        bx_buf_addz(out, "&amp;");
    else if (c == '<')
        bx_buf_addz(out, "&lt;");
    else if (c == '>')
        bx_buf_addz(out, "&gt;");
    else if (c == '"')
        bx_buf_addz(out, "&quot;");
    else if (c == '\'')
        bx_buf_addz(out, "&#39;");
    else if (u >= ' ' ? u != 0x7f : c == '\n' || c == '\t')
        bx_buf_addc(out, c);
    else
        bx_buf_addz(out, "\xef\xbf\xbd");
}

void bx_html_text(struct bx_buf *out, struct bx_str text) {
    for (size_t i = 0; i < text.n; i++)
        add_char(out, text.p[i]);
}

/* ---- Markdown: what is not well formed stays as it is ---- */

/* `code` and **strong** within one line. */
static void add_inline(struct bx_buf *out, struct bx_str line) {
    while (line.n) {
        bool code = line.p[0] == '`', strong = line.n > 4 && line.p[0] == '*' && line.p[1] == '*';
        struct bx_str mark = bx_str(code ? "`" : "**");
        struct bx_str inner =
            code || strong ? bx_str_slice(line, mark.n, line.n) : (struct bx_str){0};
        size_t end = inner.n ? bx_str_find_str(inner, mark) : (size_t)-1;
        if (end == (size_t)-1 || end == 0) {
            add_char(out, line.p[0]);
            line = bx_str_slice(line, 1, line.n);
            continue;
        }
        bx_buf_addz(out, code ? "<code>" : "<strong>");
        bx_html_text(out, bx_str_slice(inner, 0, end));
        bx_buf_addz(out, code ? "</code>" : "</strong>");
        line = bx_str_slice(inner, end + mark.n, inner.n);
    }
}

static unsigned heading(struct bx_str line) {
    unsigned level = 0;
    while (level < line.n && line.p[level] == '#')
        level++;
    return level >= 1 && level <= 6 && level < line.n && line.p[level] == ' ' ? level : 0;
}

void bx_html_markdown(struct bx_buf *out, struct bx_str text) {
    struct bx_str line;
    bool code = false;
    while (bx_str_split(&text, '\n', &line)) {
        struct bx_str bare = bx_str_trim(line);
        unsigned level = code ? 0 : heading(line);
        if (bx_str_starts(bare, "```")) {
            bx_buf_addz(out, code ? "</pre>" : "<pre>");
            code = !code;
        } else if (level) {
            bx_buf_addf(out, "<b class=\"h\">");
            add_inline(out, bx_str_trim(bx_str_slice(line, level, line.n)));
            bx_buf_addz(out, "</b>");
        } else {
            if (code)
                bx_html_text(out, line);
            else
                add_inline(out, line);
            bx_buf_addc(out, '\n');
        }
    }
    if (code)
        bx_buf_addz(out, "</pre>");
}
