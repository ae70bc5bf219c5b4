// From words to the texts that a command is given: all expansions, in bash's order.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

struct builder {
    struct sh *sh;
    struct sh_fields *out;     // NULL: one text, without splitting and patterns
    struct sh_text text, mask; // mask: 'q' where the character was quoted
    bool has_field;            // there is one, if only an empty one
    bool in_expansion;         // the literals are part of ${x:-…}: they are split too
    bool ended_by_space;
    bool is_assignment; // a tilde counts behind a colon, too
    bool is_failed;
};

static bool expand_parts(struct builder *b, const struct sh_part *parts, bool is_quoted);
static bool expand_part(struct builder *b, const struct sh_part *part, bool is_quoted);

void sh_fields_add(struct sh *sh, struct sh_fields *fields, const char *text) {
    if (fields->n + 1 >= fields->cap) {
        size_t cap = fields->cap * 2 + 16;
        char **v = sh_arena_alloc(&sh->scratch, cap * sizeof *v);
        if (fields->n) {
            memcpy(v, fields->v, fields->n * sizeof *v);
        }
        fields->v = v;
        fields->cap = cap;
    }
    fields->v[fields->n++] = (char *)(uintptr_t)text;
    fields->v[fields->n] = NULL;
}

static void add(struct builder *b, const char *text, size_t n, bool is_quoted) {
    sh_text_add(&b->text, text, n);
    for (size_t i = 0; i < n; i++) {
        sh_text_char(&b->mask, is_quoted ? 'q' : 'u');
    }
    b->has_field |= is_quoted || n;
    b->ended_by_space = false;
}

// The text with a \ before what was quoted and would mean something
static char *escaped(struct builder *b, const char *special) {
    struct sh_text out = {.arena = &b->sh->scratch};
    for (size_t i = 0; i < b->text.len; i++) {
        if (b->mask.data[i] == 'q' && strchr(special, b->text.data[i])) {
            sh_text_char(&out, '\\');
        }
        sh_text_char(&out, b->text.data[i]);
    }
    return out.data ? out.data : sh_arena_copy(&b->sh->scratch, "", 0);
}

static const char pattern_special[] = "*?[]\\()|!@+-^";

static bool has_open_pattern(const struct builder *b) {
    for (size_t i = 0; i < b->text.len; i++) {
        if (b->mask.data[i] == 'u' && strchr("*?[(", b->text.data[i])) {
            return true;
        }
    }
    return false;
}

static void end_field(struct builder *b) {
    char *text = b->text.data ? b->text.data : sh_arena_copy(&b->sh->scratch, "", 0);
    size_t found = 0;
    bool is_pattern = false;
    if (b->text.len && !(b->sh->options & SH_NOGLOB) && has_open_pattern(b)) {
        char *pattern = escaped(b, pattern_special);
        is_pattern = sh_has_pattern(pattern, b->sh->shopts & SH_EXTGLOB);
        found = is_pattern ? sh_pathnames(b->sh, pattern, b->out) : 0;
    }
    if (is_pattern && !found && b->sh->shopts & SH_FAILGLOB) {
        sh_say(b->sh, "no match: %s", text);
        b->is_failed = true;
    } else if (!found && !(is_pattern && b->sh->shopts & SH_NULLGLOB)) {
        sh_fields_add(b->sh, b->out, text);
    }
    b->text = b->mask = (struct sh_text){.arena = &b->sh->scratch};
    b->has_field = false;
}

static const char *separators(struct sh *sh) {
    const char *ifs = sh_get(sh, "IFS");
    return ifs ? ifs : sh_var_get(sh, "IFS") ? "" : " \t\n";
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

// What came out of an expansion outside quotes: cut at the separators
static void add_split(struct builder *b, const char *text, size_t n) {
    if (!b->out) {
        add(b, text, n, false);
        return;
    }
    const char *ifs = separators(b->sh);
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && !strchr(ifs, text[i + run])) {
            run++;
        }
        if (run) {
            add(b, text + i, run, false);
            i += run;
            continue;
        }
        if (is_space(text[i])) {
            if (b->has_field) {
                end_field(b);
                b->ended_by_space = true;
            }
        } else if (b->ended_by_space && !b->has_field) {
            b->ended_by_space = false; // the space before it was part of it
        } else {
            end_field(b);
        }
        i++;
    }
}

static void add_value(struct builder *b, const char *text, bool is_quoted) {
    if (is_quoted) {
        add(b, text, strlen(text), true);
    } else {
        add_split(b, text, strlen(text));
    }
}

static char *joined(struct sh *sh, const struct sh_value *value, bool by_ifs) {
    struct sh_text out = {.arena = &sh->scratch};
    const char *ifs = by_ifs ? separators(sh) : " ";
    for (size_t i = 0; i < value->n; i++) {
        if (i && *ifs) {
            sh_text_add(&out, ifs, sh_char_length(ifs, strlen(ifs)));
        }
        sh_text_add(&out, value->list[i], strlen(value->list[i]));
    }
    return out.data ? out.data : sh_arena_copy(&sh->scratch, "", 0);
}

// "$@" and the like
static void add_list(struct builder *b, const struct sh_value *value, bool is_quoted) {
    if (!b->out) {
        char *text = joined(b->sh, value, value->is_star);
        add(b, text, strlen(text), is_quoted);
        return;
    }
    if (is_quoted && value->is_star) {
        add_value(b, joined(b->sh, value, true), true);
        return;
    }
    for (size_t i = 0; i < value->n; i++) {
        if (i && (is_quoted || b->has_field)) {
            end_field(b);
        }
        add_value(b, value->list[i], is_quoted);
    }
}

static bool expand_param(struct builder *b, const struct sh_part *part, bool is_quoted,
                         bool *ret_is_empty_list) {
    struct sh_value value = {0};
    const struct sh_word *word = NULL;
    if (part->param->is_bad) {
        sh_say(b->sh, "%.*s: bad substitution", (int)(part->len > 200 ? 200 : part->len),
               part->text);
        b->sh->is_erred = true;
        return false;
    }
    if (!sh_param_value(b->sh, part->param, is_quoted || !b->out, &value, &word)) {
        return false;
    }
    if (word) {
        bool before = b->in_expansion;
        b->in_expansion = true;
        if (!word->parts && is_quoted) {
            b->has_field = true;
        }
        bool is_ok = expand_parts(b, word->parts, is_quoted);
        b->in_expansion = before;
        return is_ok;
    }
    if (value.is_list) {
        if (ret_is_empty_list && !value.n && !(value.is_star && is_quoted)) {
            *ret_is_empty_list = true;
        }
        add_list(b, &value, is_quoted);
    } else if (value.is_set) {
        add_value(b, value.text, is_quoted);
    }
    return true;
}

static bool expand_command(struct builder *b, const struct sh_part *part, bool is_quoted) {
    struct bx_buf out = {0};
    if (!sh_capture(b->sh, part->list, &out)) {
        bx_buf_deinit(&out);
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < out.len; i++) { // a NUL is dropped, as in bash
        if (out.data[i]) {
            out.data[n++] = out.data[i];
        }
    }
    while (n && out.data[n - 1] == '\n') {
        n--;
    }
    if (is_quoted) {
        add(b, out.data ? out.data : "", n, true);
    } else {
        add_split(b, out.data ? out.data : "", n);
    }
    bx_buf_deinit(&out);
    return true;
}

static char *quoted_text(struct sh *sh, const struct sh_part *parts) {
    struct builder b = {.sh = sh, .text = {.arena = &sh->scratch}, .mask = {.arena = &sh->scratch}};
    if (!expand_parts(&b, parts, true)) {
        return NULL;
    }
    return b.text.data ? b.text.data : sh_arena_copy(&sh->scratch, "", 0);
}

static bool expand_arith(struct builder *b, const struct sh_part *part, bool is_quoted) {
    char *text = quoted_text(b->sh, part->parts), number[32];
    long long n;
    if (!text || !sh_arith(b->sh, text, &n)) {
        b->sh->is_erred = true;
        return false;
    }
    snprintf(number, sizeof number, "%lld", n);
    add_value(b, number, is_quoted);
    return true;
}

// <( ): what it prints, in a file. >( ) runs when the command is over.
static bool expand_process(struct builder *b, const struct sh_part *part) {
    struct bx_buf out = {0};
    char *path = NULL;
    bool is_ok = part->is_output || sh_capture(b->sh, part->list, &out);
    if (is_ok && !sh_temp_file(b->sh, out.data ? out.data : "", out.len, &path)) {
        sh_say(b->sh, "cannot make a file for the process substitution: %s", sh_strerror(errno));
        is_ok = false;
    }
    bx_buf_deinit(&out);
    if (is_ok) {
        add(b, path, strlen(path), true);
        if (part->is_output) {
            sh_defer(b->sh, path, part->list);
        }
    }
    return is_ok;
}

static bool expand_dquote(struct builder *b, const struct sh_part *part) {
    bool had_field = b->has_field, is_empty_list = false;
    size_t before = b->text.len, fields = b->out ? b->out->n : 0;
    for (const struct sh_part *inner = part->parts; inner; inner = inner->next) {
        bool is_ok = inner->kind == SH_PARAM ? expand_param(b, inner, true, &is_empty_list)
                                             : expand_part(b, inner, true);
        if (!is_ok) {
            return false;
        }
    }
    bool is_nothing = is_empty_list && b->text.len == before && (!b->out || b->out->n == fields);
    b->has_field = is_nothing ? had_field : true;
    return true;
}

static bool expand_part(struct builder *b, const struct sh_part *part, bool is_quoted) {
    switch (part->kind) {
    case SH_LITERAL:
        if (b->in_expansion && !is_quoted) {
            add_split(b, part->text, part->len);
        } else {
            add(b, part->text, part->len, is_quoted);
        }
        return true;
    case SH_QUOTED:
        add(b, part->text, part->len, true);
        return true;
    case SH_DQUOTE:
        return expand_dquote(b, part);
    case SH_PARAM:
        return expand_param(b, part, is_quoted, NULL);
    case SH_COMMAND:
        return expand_command(b, part, is_quoted);
    case SH_ARITH:
        return expand_arith(b, part, is_quoted);
    case SH_PROCESS:
        return expand_process(b, part);
    }
    return false;
}

static bool expand_parts(struct builder *b, const struct sh_part *parts, bool is_quoted) {
    for (; parts; parts = parts->next) {
        if (!expand_part(b, parts, is_quoted)) {
            return false;
        }
    }
    return !b->is_failed;
}

// ~ at the start (and in assignments behind a colon): how many characters of text it stands for
static size_t tilde(struct builder *b, const char *text, size_t n, bool is_whole,
                    const char **ret) {
    size_t end = 1;
    if (!n || text[0] != '~') {
        return 0;
    }
    while (end < n && text[end] != '/' && !(b->is_assignment && text[end] == ':')) {
        end++;
    }
    if (end == n && !is_whole) {
        return 0; // ~"user"
    }
    const char *home = sh_get(b->sh, "HOME");
    if (end == 1) {
        *ret = home ? home : "/";
    } else if (end == 2 && text[1] == '+') {
        *ret = b->sh->cwd;
    } else if (end == 2 && text[1] == '-' && sh_get(b->sh, "OLDPWD")) {
        *ret = sh_get(b->sh, "OLDPWD");
    } else {
        return 0;
    }
    return end;
}

static bool expand_with_tilde(struct builder *b, const struct sh_word *word) {
    const struct sh_part *first = word->parts;
    if (first && first->kind == SH_LITERAL) {
        const char *text = first->text, *value;
        size_t n = first->len, start = 0;
        for (size_t i = 0; i <= n; i++) {
            bool begins = i == 0 || (b->is_assignment && i < n && text[i - 1] == ':');
            size_t length = begins && i < n ? tilde(b, text + i, n - i, !first->next, &value) : 0;
            if (length) {
                add(b, text + start, i - start, false);
                add(b, value, strlen(value), true);
                start = i + length;
                i += length - 1;
            }
        }
        add(b, text + start, n - start, false);
        return expand_parts(b, first->next, false);
    }
    return expand_parts(b, first, false);
}

bool sh_expand_word(struct sh *sh, const struct sh_word *word, struct sh_fields *out) {
    struct sh_word *words = NULL;
    if (word->has_brace) {
        words = sh_braces(sh, word);
    }
    for (const struct sh_word *one = words ? words : word; one; one = words ? one->next : NULL) {
        struct builder b = {
            .sh = sh, .out = out, .text = {.arena = &sh->scratch}, .mask = {.arena = &sh->scratch}};
        if (!expand_with_tilde(&b, one)) {
            return false;
        }
        if (b.has_field) {
            end_field(&b);
        }
        if (b.is_failed) {
            return false;
        }
    }
    return true;
}

bool sh_expand_words(struct sh *sh, const struct sh_word *words, struct sh_fields *out) {
    for (; words; words = words->next) {
        if (!sh_expand_word(sh, words, out)) {
            return false;
        }
    }
    return true;
}

static bool to_builder(struct builder *b, struct sh *sh, const struct sh_word *word) {
    *b = (struct builder){.sh = sh,
                          .text = {.arena = &sh->scratch},
                          .mask = {.arena = &sh->scratch},
                          .is_assignment = true};
    return !word || expand_with_tilde(b, word);
}

char *sh_expand_text(struct sh *sh, const struct sh_word *word) {
    struct builder b;
    if (!to_builder(&b, sh, word)) {
        return NULL;
    }
    return b.text.data ? b.text.data : sh_arena_copy(&sh->scratch, "", 0);
}

char *sh_expand_quoted(struct sh *sh, const struct sh_word *word) {
    return quoted_text(sh, word ? word->parts : NULL);
}

char *sh_expand_pattern(struct sh *sh, const struct sh_word *word) {
    struct builder b;
    return to_builder(&b, sh, word) ? escaped(&b, pattern_special) : NULL;
}

char *sh_expand_regex(struct sh *sh, const struct sh_word *word) {
    struct builder b;
    return to_builder(&b, sh, word) ? escaped(&b, "\\.[]*+?(){}|^$") : NULL;
}

bool sh_expand_index(struct sh *sh, const struct sh_word *index, long long *ret) {
    char *text = sh_expand_quoted(sh, index);
    return text && sh_arith(sh, text, ret);
}
