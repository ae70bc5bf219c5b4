// Texts written so that a shell reads them back.
#include <string.h>

#include "bash/sh.h"

static bool has_control(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < ' ' || *c == 0x7f) {
            return true;
        }
    }
    return false;
}

static void ansi_c(struct bx_buf *out, const char *text) {
    static const char from[] = "\a\b\033\f\n\r\t\v\\'", to[] = "abEfnrtv\\'";
    bx_buf_add_str(out, "$'");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const char *known = strchr(from, *c);
        if (known) {
            bx_buf_add_char(out, '\\');
            bx_buf_add_char(out, to[known - from]);
        } else if (*c < ' ' || *c == 0x7f) {
            bx_buf_add_fmt(out, "\\%03o", *c);
        } else {
            bx_buf_add_char(out, (char)*c);
        }
    }
    bx_buf_add_char(out, '\'');
}

void sh_quote(struct bx_buf *out, const char *text) {
    if (!*text) {
        bx_buf_add_str(out, "''");
    } else if (has_control(text)) {
        ansi_c(out, text);
    } else {
        for (const char *c = text; *c; c++) {
            if (strchr(" \t'\"\\|&;()<>!{}*[]?^$`", *c) || (*c == '#' && c == text) ||
                (*c == '~' && c == text) || *c == ',') {
                bx_buf_add_char(out, '\\');
            }
            bx_buf_add_char(out, *c);
        }
    }
}

void sh_quote_single(struct bx_buf *out, const char *text) {
    if (has_control(text)) {
        ansi_c(out, text);
        return;
    }
    bx_buf_add_char(out, '\'');
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            bx_buf_add_str(out, "'\\''");
        } else {
            bx_buf_add_char(out, *c);
        }
    }
    bx_buf_add_char(out, '\'');
}

void sh_quote_trace(struct bx_buf *out, const char *text) {
    if (!*text) {
        bx_buf_add_str(out, "''");
    } else if (has_control(text)) {
        ansi_c(out, text);
    } else if (strpbrk(text, " \t'\"\\|&;()<>!{}*[]?^$`") || *text == '#' || *text == '~') {
        sh_quote_single(out, text);
    } else {
        bx_buf_add_str(out, text);
    }
}

static void quote_double(struct bx_buf *out, const char *text) {
    if (has_control(text)) {
        ansi_c(out, text);
        return;
    }
    bx_buf_add_char(out, '"');
    for (const char *c = text; *c; c++) {
        if (strchr("$`\"\\", *c)) {
            bx_buf_add_char(out, '\\');
        }
        bx_buf_add_char(out, *c);
    }
    bx_buf_add_char(out, '"');
}

void sh_declare_text(const struct sh_var *var, struct bx_buf *out) {
    static const struct {
        unsigned flag;
        char letter;
    } letters[] = {{SH_INDEXED, 'a'},  {SH_ASSOC, 'A'},  {SH_INTEGER, 'i'},  {SH_NAMEREF, 'n'},
                   {SH_READONLY, 'r'}, {SH_EXPORT, 'x'}, {SH_TO_LOWER, 'l'}, {SH_TO_UPPER, 'u'}};
    bool any = false;
    bx_buf_add_str(out, "declare -");
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (var->flags & letters[i].flag) {
            bx_buf_add_char(out, letters[i].letter);
            any = true;
        }
    }
    bx_buf_add_fmt(out, "%s %s", any ? "" : "-", var->name);
    if (var->flags & (SH_INDEXED | SH_ASSOC)) {
        if (!(var->flags & SH_IS_SET) && !var->n) {
            return;
        }
        bx_buf_add_str(out, "=(");
        for (size_t i = 0; i < var->n; i++) {
            const struct sh_item *item = &var->items[i];
            bx_buf_add_str(out, i && !item->key ? " [" : "[");
            if (!item->key) {
                bx_buf_add_fmt(out, "%lld", item->index);
            } else if (strpbrk(item->key, " \t\n'\"\\|&;()<>!{}*[]?^$`@")) {
                quote_double(out, item->key);
            } else {
                bx_buf_add_str(out, item->key);
            }
            bx_buf_add_str(out, "]=");
            quote_double(out, item->value);
            if (item->key) {
                bx_buf_add_char(out, ' ');
            }
        }
        bx_buf_add_char(out, ')');
    } else if (var->value) {
        bx_buf_add_char(out, '=');
        quote_double(out, var->value);
    }
}
