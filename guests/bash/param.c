// The value of ${…}.
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "bash/sh.h"
#include "common/utf8.h"

static char *kept(struct sh *sh, const char *text) {
    return sh_arena_copy(&sh->scratch, text, strlen(text));
}

static char *number(struct sh *sh, long long n) {
    char text[32];
    snprintf(text, sizeof text, "%lld", n);
    return kept(sh, text);
}

static void set_text(struct sh *sh, struct sh_value *v, const char *text) {
    *v = (struct sh_value){.is_set = text != NULL, .text = text ? kept(sh, text) : NULL};
}

static void set_list(struct sh *sh, struct sh_value *v, char **list, size_t n, bool is_star) {
    (void)sh;
    *v = (struct sh_value){
        .is_set = n > 0, .is_list = true, .is_star = is_star, .list = list, .n = n};
}

static void array_list(struct sh *sh, const char *name, char star, bool keys, struct sh_value *v) {
    const struct sh_var *var = sh_var_get(sh, name);
    size_t n = 0;
    if (!var) {
        const char *special = sh_special(sh, name);
        char **list = sh_arena_alloc(&sh->scratch, sizeof *list);
        if (special) {
            list[n++] = kept(sh, keys ? "0" : special);
        }
        set_list(sh, v, list, n, star == '*');
        return;
    }
    bool is_array = var->flags & (SH_INDEXED | SH_ASSOC);
    char **list = sh_arena_alloc(&sh->scratch, (var->n + 1) * sizeof *list);
    if (!is_array && var->value) {
        list[n++] = kept(sh, keys ? "0" : var->value);
    }
    for (size_t i = 0; is_array && i < var->n; i++) {
        const struct sh_item *item = &var->items[i];
        list[n++] = !keys       ? kept(sh, item->value)
                    : item->key ? kept(sh, item->key)
                                : number(sh, item->index);
    }
    set_list(sh, v, list, n, star == '*');
}

static void special_value(struct sh *sh, char name, struct sh_value *v) {
    char text[32] = "";
    switch (name) {
    case '@':
    case '*': {
        char **list = sh_arena_alloc(&sh->scratch, (sh->n_args + 1) * sizeof *list);
        for (size_t i = 0; i < sh->n_args; i++) {
            list[i] = kept(sh, sh->args[i]);
        }
        set_list(sh, v, list, sh->n_args, name == '*');
        return;
    }
    case '#':
        set_text(sh, v, number(sh, (long long)sh->n_args));
        return;
    case '?':
        set_text(sh, v, number(sh, sh->status));
        return;
    case '$':
        set_text(sh, v, number(sh, sh->pid));
        return;
    case '!':
        set_text(sh, v, sh->last_background ? number(sh, sh->last_background) : NULL);
        return;
    case '-':
        set_text(sh, v, sh_option_letters(sh));
        return;
    default:
        set_text(sh, v, text);
    }
}

// "name", "name[index]", "name[@]" as text: for ${!x}
static bool named_value(struct sh *sh, const char *name, struct sh_value *v) {
    size_t n = strcspn(name, "[");
    if (!name[n]) {
        if (strlen(name) == 1 && strchr("@*#?-$!", name[0])) {
            special_value(sh, name[0], v);
        } else if (name[0] >= '0' && name[0] <= '9') {
            size_t i = (size_t)atoi(name);
            set_text(sh, v, i == 0 ? sh->arg0 : i <= sh->n_args ? sh->args[i - 1] : NULL);
        } else {
            set_text(sh, v, sh_get(sh, name));
        }
        return true;
    }
    char *base = sh_arena_copy(&sh->scratch, name, n), *index = kept(sh, name + n + 1);
    index[strcspn(index, "]")] = '\0';
    if (strcmp(index, "@") == 0 || strcmp(index, "*") == 0) {
        array_list(sh, base, index[0], false, v);
        return true;
    }
    const struct sh_var *var = sh_var_get(sh, base);
    long long i;
    if (var && var->flags & SH_ASSOC) {
        set_text(sh, v, sh_key_get(var, index));
        return true;
    }
    if (!sh_arith(sh, index, &i)) {
        return false;
    }
    var = sh_var_get(sh, base);
    set_text(sh, v, var ? sh_item_get(var, i) : NULL);
    return true;
}

static bool base_value(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    if (p->all_index) {
        array_list(sh, p->name, p->all_index, false, v);
        return true;
    }
    if (!p->index) {
        const char *special =
            p->name[0] && !sh_is_name(p->name, strlen(p->name)) ? NULL : sh_get(sh, p->name);
        if (special) {
            set_text(sh, v, special);
            return true;
        }
        return named_value(sh, p->name, v);
    }
    const struct sh_var *var = sh_var_get(sh, p->name);
    if (var && var->flags & SH_ASSOC) {
        char *key = sh_expand_text(sh, p->index);
        var = sh_var_get(sh, p->name);
        set_text(sh, v, key && var ? sh_key_get(var, key) : NULL);
        return key != NULL;
    }
    long long i;
    if (!sh_expand_index(sh, p->index, &i)) {
        return false;
    }
    var = sh_var_get(sh, p->name);
    if (var && i < 0 && var->n && i + var->items[var->n - 1].index + 1 < 0) {
        sh_say(sh, "%s: bad array subscript", p->name);
    }
    const char *special = var ? NULL : i == 0 ? sh_special(sh, p->name) : NULL;
    set_text(sh, v, var ? sh_item_get(var, i) : special);
    return true;
}

// --- operations on one text

static size_t count_chars(const char *text) {
    size_t n = 0, len = strlen(text);
    for (size_t i = 0; i < len; n++) {
        i += sh_char_length(text + i, len - i);
    }
    return n;
}

static size_t byte_of(const char *text, size_t chars) {
    size_t len = strlen(text), i = 0;
    while (chars-- && i < len) {
        i += sh_char_length(text + i, len - i);
    }
    return i;
}

static unsigned match_flags(const struct sh *sh) {
    return SH_MATCH_EXT * ((sh->shopts & SH_EXTGLOB) != 0) |
           (sh->shopts & SH_NOCASEMATCH ? SH_MATCH_FOLD : 0);
}

static char *without(struct sh *sh, const char *text, const char *pattern, enum sh_op op) {
    size_t n = strlen(text);
    unsigned flags = match_flags(sh) & (unsigned)~SH_MATCH_FOLD;
    bool is_prefix = op == SH_OP_PREFIX || op == SH_OP_PREFIX_LONG,
         is_long = op == SH_OP_PREFIX_LONG || op == SH_OP_SUFFIX_LONG;
    for (size_t i = 0; i <= n; i++) {
        // of the prefix: its length; of the suffix: where it starts
        size_t at = is_prefix == is_long ? n - i : i;
        if (at < n && ((unsigned char)text[at] & 0xC0) == 0x80) {
            continue;
        }
        if (is_prefix && sh_match(pattern, text, at, flags)) {
            return kept(sh, text + at);
        }
        if (!is_prefix && sh_match(pattern, text + at, n - at, flags)) {
            return sh_arena_copy(&sh->scratch, text, at);
        }
    }
    return kept(sh, text);
}

static char *replaced(struct sh *sh, const char *text, const char *pattern, const char *with,
                      enum sh_op op) {
    struct sh_text out = {.arena = &sh->scratch};
    size_t n = strlen(text), with_n = strlen(with);
    unsigned flags = match_flags(sh);
    if (!*pattern && op != SH_OP_REPLACE_START && op != SH_OP_REPLACE_END) {
        return kept(sh, text);
    }
    bool is_done = false, is_plain = !sh_has_pattern(pattern, true) && !strchr(pattern, '(') &&
                                     !(flags & SH_MATCH_FOLD);
    char *plain = sh_unescape(sh, pattern);
    size_t plain_n = strlen(plain);
    for (size_t i = 0; i <= n && !is_done;) {
        size_t match = (size_t)-1;
        if (op == SH_OP_REPLACE_END) {
            match = sh_match(pattern, text + i, n - i, flags) ? n - i : match;
        } else if (is_plain) {
            match = n - i >= plain_n && memcmp(text + i, plain, plain_n) == 0 ? plain_n : match;
        } else {
            for (size_t len = n - i + 1; len-- && match == (size_t)-1;) {
                match = sh_match(pattern, text + i, len, flags) ? len : match;
            }
        }
        if (match != (size_t)-1 &&
            (match || op == SH_OP_REPLACE_START || op == SH_OP_REPLACE_END)) {
            sh_text_add(&out, with, with_n);
            i += match;
            is_done = op != SH_OP_REPLACE_ALL || i >= n;
            if (is_done) {
                sh_text_add(&out, text + i, n - i);
            }
            continue;
        }
        if (op == SH_OP_REPLACE_START || i == n) {
            sh_text_add(&out, text + i, n - i);
            break;
        }
        size_t length = sh_char_length(text + i, n - i);
        sh_text_add(&out, text + i, length);
        i += length;
    }
    return out.data ? out.data : kept(sh, "");
}

static char *in_case(struct sh *sh, const char *text, const char *pattern, enum sh_op op) {
    struct sh_text out = {.arena = &sh->scratch};
    size_t n = strlen(text);
    bool is_upper = op == SH_OP_UPPER || op == SH_OP_UPPER_ALL,
         is_all = op == SH_OP_UPPER_ALL || op == SH_OP_LOWER_ALL;
    for (size_t i = 0; i < n;) {
        size_t length = sh_char_length(text + i, n - i);
        char one[4];
        bool changes =
            (is_all || i == 0) && (!*pattern || sh_match(pattern, text + i, length, SH_MATCH_EXT));
        if (changes && bx_utf8_length(text + i, n - i)) {
            size_t ignored;
            wint_t c = (wint_t)bx_utf8_decode(text + i, n - i, &ignored);
            sh_text_add(&out, one,
                        bx_utf8_encode(one, (uint32_t)(is_upper ? towupper(c) : towlower(c))));
        } else {
            sh_text_add(&out, text + i, length);
        }
        i += length;
    }
    return out.data ? out.data : kept(sh, "");
}

static char *attributes(struct sh *sh, const struct sh_var *var) {
    char text[16];
    size_t n = 0;
    if (!var) {
        return kept(sh, "");
    }
    static const struct {
        unsigned flag;
        char letter;
    } letters[] = {{SH_INDEXED, 'a'},  {SH_ASSOC, 'A'},  {SH_INTEGER, 'i'},  {SH_NAMEREF, 'n'},
                   {SH_READONLY, 'r'}, {SH_EXPORT, 'x'}, {SH_TO_LOWER, 'l'}, {SH_TO_UPPER, 'u'}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (var->flags & letters[i].flag) {
            text[n++] = letters[i].letter;
        }
    }
    return sh_arena_copy(&sh->scratch, text, n);
}

static char *escapes(struct sh *sh, const char *text) { // ${x@E}
    struct sh_parser p;
    struct sh_text quoted = {.arena = &sh->scratch};
    sh_text_add(&quoted, "$'", 2);
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            sh_text_char(&quoted, '\\');
        }
        sh_text_char(&quoted, *c);
    }
    sh_text_char(&quoted, '\'');
    sh_parser_init(&p, &sh->scratch, quoted.data, quoted.len, 1);
    struct sh_word *word = sh_parse_word(&p, SH_IN_WORD);
    return word ? sh_expand_text(sh, word) : kept(sh, text);
}

static char *transformed(struct sh *sh, const struct sh_param *p, const char *text) {
    struct bx_buf out = {0};
    char *result;
    switch (p->transform) {
    case 'Q':
        sh_quote_single(&out, text);
        break;
    case 'K':
    case 'k':
        sh_quote_single(&out, text);
        break;
    case 'U':
        return in_case(sh, text, "", SH_OP_UPPER_ALL);
    case 'u':
        return in_case(sh, text, "", SH_OP_UPPER);
    case 'L':
        return in_case(sh, text, "", SH_OP_LOWER_ALL);
    case 'E':
        return escapes(sh, text);
    case 'a':
        return attributes(sh, sh_var_get(sh, p->name));
    case 'A': {
        const struct sh_var *var = sh_var_get(sh, p->name);
        if (var) {
            if (!(var->flags & ~(unsigned)SH_IS_SET)) {
                bx_buf_add_fmt(&out, "%s=", var->name);
                sh_quote_single(&out, text);
            } else {
                sh_declare_text(var, &out);
            }
        }
        break;
    }
    default:
        return kept(sh, text);
    }
    result = kept(sh, out.data ? out.data : "");
    bx_buf_deinit(&out);
    return result;
}

// --- substrings and slices

static bool slice_bounds(struct sh *sh, const struct sh_param *p, long long count,
                         long long *ret_from, long long *ret_n) {
    long long from, length = 0;
    if (!sh_expand_index(sh, p->arg, &from) ||
        (p->arg2 && !sh_expand_index(sh, p->arg2, &length))) {
        return false;
    }
    from += from < 0 ? count : 0;
    if (from < 0 || from > count) {
        *ret_from = *ret_n = 0;
        return true;
    }
    if (!p->arg2) {
        length = count - from;
    } else if (length < 0) {
        length += count - from;
        if (length < 0) {
            sh_say(sh, "%lld: substring expression < 0", length - (count - from));
            return false;
        }
    }
    *ret_from = from;
    *ret_n = length < count - from ? length : count - from;
    return true;
}

static bool slice_list(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    bool is_args = p->name[0] == '@' || p->name[0] == '*';
    if (is_args) { // $0 is the first
        char **list = sh_arena_alloc(&sh->scratch, (v->n + 1) * sizeof *list);
        list[0] = sh->arg0;
        memcpy(list + 1, v->list, v->n * sizeof *list);
        v->list = list;
        v->n++;
    } else {
        const struct sh_var *var = sh_var_get(sh, p->name);
        long long from;
        if (var && var->flags & SH_INDEXED && var->n && sh_expand_index(sh, p->arg, &from) &&
            from >= 0) {
            size_t skip = 0; // by index, not by place
            long long length = 0;
            while (skip < var->n && var->items[skip].index < from) {
                skip++;
            }
            if (p->arg2 && (!sh_expand_index(sh, p->arg2, &length) || length < 0)) {
                sh_say(sh, "%lld: substring expression < 0", length);
                return false;
            }
            v->list += skip;
            v->n -= skip;
            v->n = p->arg2 && (size_t)length < v->n ? (size_t)length : v->n;
            return true;
        }
    }
    long long from, n;
    if (!slice_bounds(sh, p, (long long)v->n, &from, &n)) {
        return false;
    }
    v->list += from;
    v->n = (size_t)n;
    return true;
}

static bool slice_text(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    long long from, n;
    if (!slice_bounds(sh, p, (long long)count_chars(v->text), &from, &n)) {
        return false;
    }
    const char *start = v->text + byte_of(v->text, (size_t)from);
    v->text = sh_arena_copy(&sh->scratch, start, byte_of(start, (size_t)n));
    return true;
}

// --- all together

static bool apply(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    if (p->op == SH_OP_SUBSTRING) {
        return v->is_list ? slice_list(sh, p, v) : !v->text || slice_text(sh, p, v);
    }
    bool replaces = p->op >= SH_OP_REPLACE && p->op <= SH_OP_REPLACE_END;
    char *pattern = p->arg ? sh_expand_pattern(sh, p->arg) : kept(sh, "");
    char *with = replaces && p->arg2 ? sh_expand_text(sh, p->arg2) : kept(sh, "");
    if (!pattern || !with) {
        return false;
    }
    if (!v->is_list && !v->text) {
        if (p->op == SH_OP_TRANSFORM && p->transform == 'a') {
            set_text(sh, v, attributes(sh, sh_var_get(sh, p->name)));
        }
        return true;
    }
    for (size_t i = 0; i < (v->is_list ? v->n : 1); i++) {
        char **text = v->is_list ? &v->list[i] : &v->text;
        *text = p->op == SH_OP_TRANSFORM ? transformed(sh, p, *text)
                : replaces               ? replaced(sh, *text, pattern, with, p->op)
                : p->op >= SH_OP_UPPER   ? in_case(sh, *text, pattern, p->op)
                                         : without(sh, *text, pattern, p->op);
    }
    return true;
}

static bool assign_default(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    char *text = sh_expand_text(sh, p->arg);
    if (!text) {
        return false;
    }
    if (!sh_is_name(p->name, strlen(p->name)) || p->all_index) {
        sh_say(sh, "$%s: cannot assign in this way", p->name);
        return false;
    }
    struct sh_assign assign = {.name = p->name, .index = p->index};
    struct sh_part part = {.kind = SH_QUOTED, .text = text, .len = strlen(text)};
    struct sh_word word = {.parts = &part};
    assign.value = &word;
    if (!sh_assign_one(sh, &assign, 0)) {
        return false;
    }
    set_text(sh, v, text);
    return true;
}

static const char *shown_name(struct sh *sh, const struct sh_param *p) {
    struct sh_text text = {.arena = &sh->scratch};
    sh_text_add(&text, p->name, strlen(p->name));
    if (p->index || p->all_index) {
        char *index = p->index ? sh_expand_text(sh, p->index) : NULL;
        sh_text_char(&text, '[');
        sh_text_add(&text, index ? index : &p->all_index, index ? strlen(index) : 1);
        sh_text_char(&text, ']');
    }
    return text.data;
}

static bool unset_is_error(struct sh *sh, const struct sh_param *p) {
    sh_say(sh, "%s: unbound variable", shown_name(sh, p));
    sh->status = sh->is_command_string ? 127 : 1; // as bash does
    sh->flow = SH_EXIT;
    return false;
}

static bool by_default(struct sh *sh, const struct sh_param *p, struct sh_value *v,
                       const struct sh_word **ret_word) {
    bool is_null =
        !v->is_set ||
        (p->is_colon && (v->is_list ? v->n == 0 || (v->n == 1 && !v->list[0][0]) : !v->text[0]));
    switch (p->op) {
    case SH_OP_DEFAULT:
        *ret_word = is_null ? p->arg : NULL;
        return true;
    case SH_OP_ALTERNATE:
        *ret_word = is_null ? NULL : p->arg;
        *v = (struct sh_value){.is_set = false, .is_list = is_null && v->is_list};
        return true;
    case SH_OP_ASSIGN:
        return !is_null || assign_default(sh, p, v);
    default:
        break;
    }
    if (is_null) {
        char *text = p->arg->parts ? sh_expand_text(sh, p->arg) : "";
        if (text) {
            sh_say(sh, "%s: %s", shown_name(sh, p),
                   text[0]       ? text
                   : p->is_colon ? "parameter null or not set"
                                 : "parameter not set");
        }
        sh->status = 127;
        sh->flow = SH_EXIT;
        return false;
    }
    return true;
}

static void all_names(struct sh *sh, const struct sh_param *p, struct sh_value *v) {
    size_t n, count = 0, prefix = strlen(p->name);
    const char **names = sh_names(sh, sh->vars, &n);
    char **list = sh_arena_alloc(&sh->scratch, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(names[i], p->name, prefix) == 0) {
            list[count++] = kept(sh, names[i]);
        }
    }
    set_list(sh, v, list, count, p->all_names == '*');
}

bool sh_param_value(struct sh *sh, const struct sh_param *p, bool is_quoted, struct sh_value *v,
                    const struct sh_word **ret_word) {
    (void)is_quoted;
    *ret_word = NULL;
    if (p->all_names) {
        all_names(sh, p, v);
        return true;
    }
    if (p->is_indirect && p->all_index && p->op == SH_OP_NONE) {
        array_list(sh, p->name, p->all_index, true, v);
        return true;
    }
    if (!base_value(sh, p, v)) {
        sh->is_erred = true;
        return false;
    }
    if (p->is_indirect) {
        const struct sh_var *raw = sh_var_get_raw(sh, p->name);
        if (raw && raw->flags & SH_NAMEREF && raw->value) {
            set_text(sh, v, raw->value);
        } else if (!v->text || !v->text[0]) {
            if (!v->is_set) {
                sh_say(sh, "%s: invalid indirect expansion", p->name);
                sh->is_erred = true;
                return false;
            }
            set_text(sh, v, NULL);
        } else if (!named_value(sh, kept(sh, v->text), v)) {
            return false;
        }
    }
    bool has_default = p->op >= SH_OP_DEFAULT && p->op <= SH_OP_ALTERNATE;
    if (!v->is_set && sh->options & SH_NOUNSET && !has_default && !v->is_list) {
        return unset_is_error(sh, p);
    }
    if (p->is_length) {
        size_t n = v->is_list ? v->n : v->text ? count_chars(v->text) : 0;
        set_text(sh, v, number(sh, (long long)n));
        return true;
    }
    if (has_default) {
        return by_default(sh, p, v, ret_word);
    }
    if (p->op != SH_OP_NONE && !apply(sh, p, v)) {
        sh->is_erred = true;
        return false;
    }
    return true;
}
