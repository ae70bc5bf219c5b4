// {a,b} and {1..9}: one word becomes several. A word is taken apart into atoms: characters that are
// not quoted, and parts that are opaque.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

enum { MAX_WORDS = 100000, MAX_DEPTH = 20 };

struct atom {
    char c; /* 0: part */
    const struct sh_part *part;
};
struct atoms {
    struct atom *v;
    size_t n, cap;
};
struct braces {
    struct sh *sh;
    struct atoms *results; /* in scratch */
    size_t n, cap;
    const struct sh_word *word;
};

static void add_atom(struct sh *sh, struct atoms *atoms, struct atom atom) {
    if (atoms->n == atoms->cap) {
        size_t cap = atoms->cap * 2 + 16;
        struct atom *v = sh_arena_alloc(&sh->scratch, cap * sizeof *v);
        if (atoms->n) {
            memcpy(v, atoms->v, atoms->n * sizeof *v);
        }
        atoms->v = v;
        atoms->cap = cap;
    }
    atoms->v[atoms->n++] = atom;
}

static void add_text(struct sh *sh, struct atoms *atoms, const char *text) {
    for (; *text; text++) {
        add_atom(sh, atoms, (struct atom){*text, NULL});
    }
}

static void add_atoms(struct sh *sh, struct atoms *atoms, const struct atom *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        add_atom(sh, atoms, v[i]);
    }
}

static void add_result(struct braces *b, struct atoms atoms) {
    if (b->n == b->cap) {
        size_t cap = b->cap * 2 + 8;
        struct atoms *v = sh_arena_alloc(&b->sh->scratch, cap * sizeof *v);
        if (b->n) {
            memcpy(v, b->results, b->n * sizeof *v);
        }
        b->results = v;
        b->cap = cap;
    }
    b->results[b->n++] = atoms;
}

// The } of the { at `at`, and whether there is a comma or .. on its level
static size_t closing(const struct atom *v, size_t n, size_t at, bool *ret_comma) {
    int depth = 0;
    *ret_comma = false;
    for (size_t i = at; i < n; i++) {
        if (v[i].c == '{') {
            depth++;
        } else if (v[i].c == '}' && --depth == 0) {
            return i;
        } else if (v[i].c == ',' && depth == 1) {
            *ret_comma = true;
        }
    }
    return n;
}

static bool range_text(const struct atom *v, size_t n, char *out, size_t max) {
    if (n >= max) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!v[i].c) {
            return false;
        }
        out[i] = v[i].c;
    }
    out[n] = '\0';
    return true;
}

static bool is_letter(const char *text) {
    return text[0] && !text[1] &&
           ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
}

static size_t width_of(const char *text) { // of a number with leading zeros, else 0
    const char *start = text + (*text == '-');
    return start[0] == '0' && start[1] ? strlen(text) : 0;
}

// "1..5..2" into texts; false when it is none
static bool expand_range(struct braces *b, const struct atom *v, size_t n, struct sh_fields *out) {
    char text[80];
    if (!range_text(v, n, text, sizeof text)) {
        return false;
    }
    char *second = strstr(text, "..");
    if (!second) {
        return false;
    }
    *second = '\0';
    second += 2;
    char *third = strstr(second, "..");
    if (third) {
        *third = '\0';
        third += 2;
    }
    long long from, to, step = 1;
    bool letters = is_letter(text) && is_letter(second);
    if (letters) {
        from = text[0];
        to = second[0];
    } else if (!sh_parse_int(text, &from) || !sh_parse_int(second, &to)) {
        return false;
    }
    if (third && !sh_parse_int(third, &step)) {
        return false;
    }
    step = step < 0 ? -step : step ? step : 1;
    size_t width = letters                             ? 0
                   : width_of(text) > width_of(second) ? width_of(text)
                                                       : width_of(second);
    for (long long i = from; from <= to ? i <= to : i >= to; i += from <= to ? step : -step) {
        char number[80];
        if (letters) {
            number[0] = (char)i;
            number[1] = '\0';
        } else {
            snprintf(number, sizeof number, "%0*lld", (int)width, i);
        }
        sh_fields_add(b->sh, out, sh_arena_copy(&b->sh->scratch, number, strlen(number)));
        if (out->n > MAX_WORDS) {
            break;
        }
    }
    return true;
}

static void expand(struct braces *b, const struct atom *head, size_t head_n, const struct atom *v,
                   size_t n, int depth);

// One alternative: head + it + tail, in which more braces may be
static void alternative(struct braces *b, const struct atom *head, size_t head_n,
                        const struct atom *v, size_t n, const struct atom *tail, size_t tail_n,
                        int depth) {
    struct atoms rest = {0};
    add_atoms(b->sh, &rest, v, n);
    add_atoms(b->sh, &rest, tail, tail_n);
    expand(b, head, head_n, rest.v, rest.n, depth + 1);
}

static void expand(struct braces *b, const struct atom *head, size_t head_n, const struct atom *v,
                   size_t n, int depth) {
    for (size_t i = 0; i < n && depth < MAX_DEPTH && b->n < MAX_WORDS; i++) {
        bool has_comma;
        size_t close;
        if (v[i].c != '{' || (close = closing(v, n, i, &has_comma)) == n) {
            continue;
        }
        struct sh_fields range = {0};
        bool is_range = !has_comma && expand_range(b, v + i + 1, close - i - 1, &range);
        if (!has_comma && !is_range) {
            continue;
        }
        struct atoms start = {0};
        add_atoms(b->sh, &start, head, head_n);
        add_atoms(b->sh, &start, v, i);
        for (size_t k = 0; k < range.n; k++) {
            struct atoms one = {0};
            add_text(b->sh, &one, range.v[k]);
            alternative(b, start.v, start.n, one.v, one.n, v + close + 1, n - close - 1, depth);
        }
        int level = 0;
        for (size_t k = i + 1, from = i + 1; has_comma && k <= close; k++) {
            level += v[k].c == '{' ? 1 : v[k].c == '}' ? -1 : 0;
            if ((v[k].c == ',' && level == 0) || k == close) {
                alternative(b, start.v, start.n, v + from, k - from, v + close + 1, n - close - 1,
                            depth);
                from = k + 1;
            }
        }
        return;
    }
    struct atoms whole = {0};
    add_atoms(b->sh, &whole, head, head_n);
    add_atoms(b->sh, &whole, v, n);
    add_result(b, whole);
}

static struct sh_word *word_of(struct braces *b, const struct atoms *atoms) {
    struct sh_arena *arena = &b->sh->scratch;
    struct sh_word *word = sh_arena_alloc(arena, sizeof *word);
    struct sh_part **tail = &word->parts;
    *word = *b->word;
    word->parts = NULL;
    word->next = NULL;
    word->has_brace = false;
    for (size_t i = 0; i < atoms->n;) {
        struct sh_part *part = sh_arena_alloc(arena, sizeof *part);
        if (atoms->v[i].part) {
            *part = *atoms->v[i++].part;
            part->next = NULL;
        } else {
            struct sh_text text = {.arena = arena};
            while (i < atoms->n && !atoms->v[i].part) {
                sh_text_char(&text, atoms->v[i++].c);
            }
            part->kind = SH_LITERAL;
            part->text = text.data;
            part->len = text.len;
        }
        *tail = part;
        tail = &part->next;
    }
    return word;
}

struct sh_word *sh_braces(struct sh *sh, const struct sh_word *word) {
    struct braces b = {.sh = sh, .word = word};
    struct atoms all = {0};
    for (const struct sh_part *part = word->parts; part; part = part->next) {
        if (part->kind == SH_LITERAL) {
            for (size_t i = 0; i < part->len; i++) {
                add_atom(sh, &all, (struct atom){part->text[i], NULL});
            }
        } else {
            add_atom(sh, &all, (struct atom){0, part});
        }
    }
    expand(&b, NULL, 0, all.v, all.n, 0);
    struct sh_word *first = NULL, **tail = &first;
    for (size_t i = 0; i < b.n; i++) {
        *tail = word_of(&b, &b.results[i]);
        tail = &(*tail)->next;
    }
    return first;
}
