#include <stdlib.h>
#include <string.h>

#include "web_fetch/markdown.h"

enum { MAX_COLUMNS = 60, MAX_SPAN = 60 };

struct spans {
    unsigned left[MAX_COLUMNS]; /* rows that a cell above still reaches into */
};

static bool is_cell(const lxb_dom_node_t *node) {
    return bx_tag(node) == LXB_TAG_TD || bx_tag(node) == LXB_TAG_TH;
}

/* The next row of this table after row, or the first: rows stand in it or in one of its groups. */
static lxb_dom_node_t *next_row(lxb_dom_node_t *table, lxb_dom_node_t *row) {
    lxb_dom_node_t *group = row && row->parent != table ? row->parent : NULL;
    lxb_dom_node_t *node = row ? row->next : table->first_child;
    for (;;) {
        if (!node) {
            if (!group) {
                return NULL;
            }
            node = group->next;
            group = NULL;
            continue;
        }
        unsigned tag = bx_tag(node);
        if (tag == LXB_TAG_TR) {
            return node;
        }
        if (!group && (tag == LXB_TAG_THEAD || tag == LXB_TAG_TBODY || tag == LXB_TAG_TFOOT)) {
            group = node;
            node = node->first_child;
        } else {
            node = node->next;
        }
    }
}

static unsigned number_of(const lxb_dom_node_t *node, const char *name) {
    size_t n = 0;
    const char *value = bx_attribute(node, name, &n);
    long number = value ? strtol(value, NULL, 10) : 1;
    return number < 1 ? 1 : number > MAX_SPAN ? MAX_SPAN : (unsigned)number;
}

static bool has_blocks(lxb_dom_node_t *cell) {
    size_t paragraphs = 0;
    for (lxb_dom_node_t *node = cell; node; node = bx_next_node(node, cell, true)) {
        switch (bx_tag(node)) {
        case LXB_TAG_TABLE:
        case LXB_TAG_PRE:
        case LXB_TAG_BLOCKQUOTE:
        case LXB_TAG_H1:
        case LXB_TAG_H2:
        case LXB_TAG_H3:
        case LXB_TAG_ARTICLE:
        case LXB_TAG_FORM:
            return true;
        case LXB_TAG_P:
            paragraphs++;
            break;
        default:
            break;
        }
    }
    return paragraphs > 3;
}

/* Does this arrange data? Columns by the widest row. */
static bool is_data(lxb_dom_node_t *table, size_t *ret_columns) {
    size_t most = 0, rows = 0;
    for (lxb_dom_node_t *row = next_row(table, NULL); row; row = next_row(table, row)) {
        size_t columns = 0;
        for (lxb_dom_node_t *cell = row->first_child; cell; cell = cell->next) {
            if (is_cell(cell)) {
                columns += number_of(cell, "colspan");
                if (has_blocks(cell)) {
                    return false;
                }
            }
        }
        most = columns > most ? columns : most;
        rows++;
    }
    *ret_columns = most;
    return most > 1 && most <= MAX_COLUMNS && rows > 0;
}

static bool is_header(lxb_dom_node_t *row) {
    bool has_cells = false;
    if (bx_tag(row->parent) == LXB_TAG_THEAD) {
        return true;
    }
    for (lxb_dom_node_t *cell = row->first_child; cell; cell = cell->next) {
        if (bx_tag(cell) == LXB_TAG_TD) {
            return false;
        }
        has_cells = has_cells || bx_tag(cell) == LXB_TAG_TH;
    }
    return has_cells;
}

static void add_cell(struct bx_md *md, lxb_dom_node_t *cell, struct bx_buf *out) {
    struct bx_buf text = {0};
    bx_md_flat(md, cell, &text);
    bx_buf_add_char(out, ' ');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|' && !md->is_plain) {
            bx_buf_add_char(out, '\\');
        }
        bx_buf_add_char(out, text.data[i] == '\n' ? ' ' : text.data[i]);
    }
    bx_buf_add_str(out, text.len ? " |" : "|");
    bx_buf_deinit(&text);
}

static void add_empty(struct bx_buf *out) {
    bx_buf_add_str(out, " |");
}

static void add_row(struct bx_md *md, lxb_dom_node_t *row, size_t columns, struct spans *spans,
                    struct bx_buf *out) {
    size_t column = 0;
    bx_buf_add_char(out, '|');
    for (lxb_dom_node_t *cell = row->first_child; cell && column < columns; cell = cell->next) {
        if (!is_cell(cell)) {
            continue;
        }
        for (; column < columns && spans->left[column]; column++) {
            spans->left[column]--;
            add_empty(out);
        }
        if (column == columns) {
            break;
        }
        unsigned wide = number_of(cell, "colspan"), tall = number_of(cell, "rowspan");
        add_cell(md, cell, out);
        for (unsigned i = 0; i < wide && column < columns; i++, column++) {
            spans->left[column] = tall - 1;
            if (i) {
                add_empty(out);
            }
        }
    }
    for (; column < columns; column++) {
        spans->left[column] -= spans->left[column] > 0;
        add_empty(out);
    }
    bx_buf_add_char(out, '\n');
}

static void add_rule(size_t columns, struct bx_buf *out) {
    bx_buf_add_char(out, '|');
    for (size_t i = 0; i < columns; i++) {
        bx_buf_add_str(out, " --- |");
    }
    bx_buf_add_char(out, '\n');
}

static void add_caption(struct bx_md *md, lxb_dom_node_t *table) {
    for (lxb_dom_node_t *node = table->first_child; node; node = node->next) {
        if (bx_tag(node) == LXB_TAG_CAPTION) {
            struct bx_buf text = {0};
            bx_md_flat(md, node, &text);
            bx_buf_add(md->out, text.data, text.len);
            bx_md_blank(md);
            bx_buf_deinit(&text);
            return;
        }
    }
}

bool bx_md_table(struct bx_md *md, lxb_dom_node_t *table) {
    size_t columns = 0;
    struct spans spans = {0};
    if (md->is_flat || !is_data(table, &columns)) {
        return false;
    }
    bx_md_blank(md);
    add_caption(md, table);
    lxb_dom_node_t *row = next_row(table, NULL);
    if (!md->is_plain && !is_header(row)) { // Markdown has no table without a header
        bx_buf_add_char(md->out, '|');
        for (size_t i = 0; i < columns; i++) {
            add_empty(md->out);
        }
        bx_buf_add_char(md->out, '\n');
        add_rule(columns, md->out);
    }
    for (bool is_first = true; row; row = next_row(table, row), is_first = false) {
        add_row(md, row, columns, &spans, md->out);
        if (is_first && !md->is_plain && is_header(row)) {
            add_rule(columns, md->out);
        }
    }
    bx_md_blank(md);
    return true;
}
