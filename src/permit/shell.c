#include "permit/shell.h"

#include <bash/ast.h>

#define PARSE_BYTES (16 * BX_MIB)
#define MAX_PARTS   2000
#define MAX_DEPTH   400

struct splitter {
    struct bx_arena *arena;
    struct sh_arena *parse;
    struct bx_shell_parts *parts;
    struct bx_shell_part *derived;
    size_t n_derived;
    int depth;
    bool is_failed, derives; /* derives: what is read now stands in another command's argument */
};

static void walk(struct splitter *s, const struct sh_node *node);
static void walk_word(struct splitter *s, const struct sh_word *word);

static void add(struct splitter *s, struct bx_shell_part part, bool is_derived) {
    struct bx_shell_part **list = is_derived ? &s->derived : &s->parts->p;
    size_t *n = is_derived ? &s->n_derived : &s->parts->n;
    if (*n >= MAX_PARTS) {
        s->is_failed = true;
        return;
    }
    if (*n % 64 == 0) {
        struct bx_shell_part *grown = bx_arena_alloc(s->arena, (*n + 64) * sizeof *grown);
        if (*n)
            memcpy(grown, *list, *n * sizeof *grown);
        *list = grown;
    }
    (*list)[(*n)++] = part;
}

static struct bx_str kept(struct splitter *s, struct bx_str text) {
    return bx_str_n(bx_arena_str(s->arena, text), text.n);
}

static bool enter(struct splitter *s) {
    s->is_failed |= ++s->depth > MAX_DEPTH;
    return !s->is_failed;
}

/* ---- words ---- */

static void walk_parts(struct splitter *s, const struct sh_part *part) {
    if (enter(s)) {
        for (; part; part = part->next) {
            walk(s, part->list);
            walk_parts(s, part->parts);
            if (part->param) {
                walk_word(s, part->param->index);
                walk_word(s, part->param->arg);
                walk_word(s, part->param->arg2);
            }
        }
    }
    s->depth--;
}

static void walk_word(struct splitter *s, const struct sh_word *word) {
    if (word)
        walk_parts(s, word->parts);
}

static void walk_assign(struct splitter *s, const struct sh_assign *assign) {
    for (; assign; assign = assign->next) {
        walk_word(s, assign->index);
        walk_word(s, assign->value);
        for (const struct sh_element *e = assign->elements; e; e = e->next) {
            walk_word(s, e->index);
            walk_word(s, e->value);
        }
    }
}

static void walk_cond(struct splitter *s, const struct sh_cond *cond) {
    if (cond && enter(s)) {
        walk_word(s, cond->a);
        walk_word(s, cond->b);
        walk_cond(s, cond->left);
        walk_cond(s, cond->right);
    }
    s->depth -= cond != NULL;
}

/* The word without its quotes; what is only known when it runs stands there as it is written. */
static void plain_parts(const struct sh_part *part, struct bx_buf *out) {
    for (; part; part = part->next) {
        if (part->kind == SH_DQUOTE)
            plain_parts(part->parts, out);
        else if (part->text)
            bx_buf_add(out, part->text, part->len);
        else
            bx_buf_addc(out, '$');
    }
}

static bool writes_file(const struct sh_redir *r) {
    for (; r; r = r->next) {
        bool opens = r->op == SH_OUT || r->op == SH_CLOBBER || r->op == SH_APPEND ||
                     r->op == SH_BOTH || r->op == SH_ALL || r->op == SH_ALL_APPEND ||
                     r->op == SH_DUP_OUT;
        const char *target = sh_word_constant(r->target);
        bool is_harmless =
            target && (strcmp(target, "/dev/null") == 0 ||
                       (r->op == SH_DUP_OUT && target[strspn(target, "0123456789-")] == 0));
        if (opens && !is_harmless)
            return true;
    }
    return false;
}

/* ---- what runs another command ---- */

static void parse(struct splitter *s, struct bx_str text);

/* An argument that is a script: what cannot be read of it is left out. */
static void parse_argument(struct splitter *s, struct bx_str text) {
    bool before = s->derives;
    s->derives = true;
    parse(s, text);
    s->derives = before;
    s->is_failed = s->depth > MAX_DEPTH || s->n_derived >= MAX_PARTS;
}

static bool is_wrapper(struct bx_str name) {
    static const char *const names[] = {"command", "builtin",  "exec",    "nohup",   "nice",
                                        "env",     "xargs",    "timeout", "stdbuf",  "time",
                                        "setsid",  "sudo",     "doas",    "busybox", "toybox",
                                        "watch",   "ionice",   "chroot",  "unshare", "flock",
                                        "coproc",  "parallel", "chrt",    "taskset", "script"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (bx_str_eqz(name, names[i]))
            return true;
    return false;
}

static struct bx_str base_name(struct bx_str name) {
    for (size_t i = name.n; i; i--)
        if (name.p[i - 1] == '/')
            return bx_str_slice(name, i, name.n);
    return name;
}

static bool is_shell_name(struct bx_str name) {
    static const char *const names[] = {"sh", "bash", "dash", "ash", "zsh", "ksh", "mksh"};
    for (size_t i = 0; i < BX_ARRAY_LEN(names); i++)
        if (bx_str_eqz(name, names[i]))
            return true;
    return false;
}

/* Is the command's name, or the script that it is given, something that only the running shell will
 * know? */
static bool is_unknown(const struct sh_word *first, const struct bx_str *words, size_t n) {
    const char *name = sh_word_constant(first);
    struct bx_str base = base_name(words[0]);
    if (!name || strpbrk(name, "*?[{~"))
        return true;
    if (bx_str_eqz(base, "source") || bx_str_eqz(base, "."))
        return true;
    if (is_shell_name(base)) { /* without -c it reads its script */
        for (size_t i = 1; i < n; i++)
            if (words[i].n > 1 && words[i].p[0] == '-' && bx_str_ends(words[i], "c"))
                return i + 1 < n && memchr(words[i + 1].p, '$', words[i + 1].n);
        return true;
    }
    if (bx_str_eqz(base, "eval"))
        for (size_t i = 1; i < n; i++)
            if (memchr(words[i].p, '$', words[i].n))
                return true;
    return false;
}

static struct bx_str joined(struct splitter *s, const struct bx_str *words, size_t n) {
    struct bx_buf out = BX_BUF_INIT(PARSE_BYTES);
    for (size_t i = 0; i < n; i++) {
        bx_buf_addz(&out, i ? " " : "");
        bx_buf_adds(&out, words[i]);
    }
    struct bx_str text = kept(s, bx_buf_str(&out));
    bx_buf_deinit(&out);
    return text;
}

/* Every tail of a wrapper's words may be the command that it runs: which one, depends on its
 * options. */
static void derive(struct splitter *s, const struct bx_str *words, size_t n) {
    struct bx_str name = base_name(words[0]);
    bool is_shell = is_shell_name(name),
         runs_c = bx_str_eqz(name, "su") || bx_str_eqz(name, "script") || bx_str_eqz(name, "flock");
    bool is_find = bx_str_eqz(name, "find"), is_eval = bx_str_eqz(name, "eval"),
         is_tail = is_wrapper(name);
    if (name.n && name.n != words[0].n) { /* /bin/rm is rm */
        struct bx_str rest = joined(s, words + 1, n - 1);
        const char *text = bx_arena_printf(s->arena, BX_STR_FMT "%s" BX_STR_FMT, BX_STR_ARG(name),
                                           n > 1 ? " " : "", BX_STR_ARG(rest));
        add(s, (struct bx_shell_part){.text = bx_str(text), .plain = bx_str(text)}, true);
    }
    if (bx_str_eqz(name, "trap") && n > 2)
        parse_argument(s, words[1]);
    if (is_eval && n > 1)
        parse_argument(s, joined(s, words + 1, n - 1));
    for (size_t i = 1; i < n; i++) {
        if (bx_str_starts(words[i], "--split-string=") && bx_str_eqz(name, "env"))
            parse_argument(s, bx_str_slice(words[i], 15, words[i].n));
        bool before_is_c = (is_shell || runs_c) && words[i - 1].n > 1 && words[i - 1].p[0] == '-' &&
                           bx_str_ends(words[i - 1], "c");
        if (before_is_c)
            parse_argument(s, words[i]);
        if (is_tail || (is_find && bx_str_starts(words[i - 1], "-exec")) ||
            (is_find && bx_str_starts(words[i - 1], "-ok"))) {
            struct bx_str text = joined(s, words + i, n - i);
            if (text.n)
                add(s, (struct bx_shell_part){.text = text, .plain = text}, true);
            if (!is_find)
                is_tail = i < 8; /* behind so many words it is its own arguments */
            if (enter(s))
                derive(s, words + i, n - i);
            s->depth--;
        }
    }
}

static void add_simple(struct splitter *s, const struct sh_node *node) {
    struct bx_str words[64];
    size_t n = 0;
    struct bx_buf word = BX_BUF_INIT(PARSE_BYTES);
    for (const struct sh_word *w = node->words; w && n < BX_ARRAY_LEN(words); w = w->next) {
        bx_buf_reset(&word);
        plain_parts(w->parts, &word);
        words[n++] = kept(s, bx_buf_str(&word));
    }
    bx_buf_deinit(&word);
    struct bx_str text = bx_str_n(node->source->text + node->start, node->end - node->start);
    add(s,
        (struct bx_shell_part){.text = kept(s, bx_str_trim(text)),
                               .plain = joined(s, words, n),
                               .writes = writes_file(node->redirs),
                               .unknown = n && is_unknown(node->words, words, n)},
        s->derives);
    if (n)
        derive(s, words, n);
}

/* ---- commands ---- */

static void walk_redirs(struct splitter *s, const struct sh_node *node) {
    for (const struct sh_redir *r = node->redirs; r; r = r->next) {
        walk_word(s, r->target);
        walk_word(s, r->body);
    }
    /* A loop that writes a file is told as a part of its own, which no pattern of a command fits */
    if (node->kind != SH_SIMPLE && writes_file(node->redirs))
        add(s,
            (struct bx_shell_part){
                .text = BX_STR_LIT(">"), .plain = BX_STR_LIT(">"), .writes = true},
            s->derives);
}

static void walk_one(struct splitter *s, const struct sh_node *node) {
    walk_redirs(s, node);
    walk_assign(s, node->assigns);
    for (const struct sh_word *w = node->words; w; w = w->next) {
        walk_word(s, w);
        walk_assign(s, w->assign);
    }
    for (size_t i = 0; i < 3; i++)
        walk_word(s, node->arith[i]);
    walk_cond(s, node->cond);
    for (const struct sh_case_item *item = node->items; item; item = item->next) {
        for (const struct sh_word *w = item->patterns; w; w = w->next)
            walk_word(s, w);
        walk(s, item->body);
    }
    if (node->kind == SH_SIMPLE)
        add_simple(s, node);
    walk(s, node->left);
    walk(s, node->right);
    walk(s, node->other);
}

static void walk(struct splitter *s, const struct sh_node *node) {
    if (!node)
        return;
    if (enter(s))
        for (; node && !s->is_failed; node = node->next)
            walk_one(s, node);
    s->depth--;
}

static void parse(struct splitter *s, struct bx_str text) {
    struct sh_parser parser;
    struct sh_node *node = NULL;
    if (enter(s)) {
        sh_parser_init(&parser, s->parse, text.p, text.n, 1);
        do {
            s->is_failed |= !sh_parse_line(&parser, &node) || s->parse->failed;
            if (!s->is_failed)
                walk(s, node);
        } while (node && !s->is_failed);
    }
    s->depth--;
}

bool bx_shell_split(struct bx_str command, struct bx_arena *arena, struct bx_shell_parts *ret,
                    size_t *ret_derived) {
    struct sh_arena memory = {.max_bytes = PARSE_BYTES};
    struct splitter s = {.arena = arena, .parse = &memory, .parts = ret};
    *ret = (struct bx_shell_parts){NULL, 0};
    parse(&s, command);
    sh_arena_deinit(&memory);
    *ret_derived = ret->n;
    for (size_t i = 0; i < s.n_derived; i++) {
        struct bx_shell_part one = s.derived[i];
        if (ret->n < MAX_PARTS)
            add(&s, one, false);
    }
    return !s.is_failed && ret->n;
}
