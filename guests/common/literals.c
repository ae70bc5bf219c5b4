#include "common/literals.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

enum { MAX_TEXTS = 32, MAX_TEXT_BYTES = 64, MAX_SET = 4 };

// A set of texts; n = 0 of a whole means that the texts are too many or not known.
struct texts {
    struct bx_needle at[MAX_TEXTS];
    size_t n;
};

// What is known of a part: all the texts that it can match, or else texts one of which it holds.
struct known {
    bool is_whole;
    struct texts texts;
};

static struct bx_needle joined(struct bx_needle a, struct bx_needle b) {
    char *text = bx_alloc(a.len + b.len + 1);
    if (a.len) {
        memcpy(text, a.text, a.len);
    }
    if (b.len) {
        memcpy(text + a.len, b.text, b.len);
    }
    return (struct bx_needle){text, a.len + b.len};
}

// How much a set of texts narrows the search down; 0: not at all.
static unsigned worth(const struct texts *t) {
    unsigned least = t->n ? ~0U : 0;
    for (size_t i = 0; i < t->n; i++) {
        unsigned best = 0, rest = 0;
        for (size_t j = 0; j < t->at[i].len; j++) {
            unsigned rarity = bx_finder_rarity((unsigned char)t->at[i].text[j]) + 8U;
            rest += rarity < best ? rarity : best;
            best = rarity > best ? rarity : best;
        }
        unsigned sum = best + (rest > 600 ? 600 : rest);
        least = sum < least ? sum : least;
        if (t->at[i].len < (t->n > 1 ? 2U : 1U)) {
            return 0;
        }
    }
    return t->n > BX_NEEDLES_MAX ? 0 : t->n > 2 ? least * 3 / 4 : least;
}

static void better(struct texts *best, const struct texts *t) {
    if (worth(t) > worth(best)) {
        *best = *t;
    }
}

// a followed by b. False when that is too much.
static bool cross(struct texts *a, const struct texts *b) {
    struct texts out = {.n = 0};
    if (a->n * b->n > MAX_TEXTS) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        for (size_t j = 0; j < b->n; j++) {
            if (a->at[i].len + b->at[j].len > MAX_TEXT_BYTES) {
                return false;
            }
            out.at[out.n++] = joined(a->at[i], b->at[j]);
        }
    }
    *a = out;
    return true;
}

static void analyse(const struct bx_node *node, bool is_caseless, struct known *ret);

static void of_set(const struct bx_node *node, bool is_caseless, struct known *ret) {
    *ret = (struct known){.is_whole = true};
    for (unsigned c = 0; c < 256; c++) {
        bool is_upper = c >= 'A' && c <= 'Z';
        if (!bx_set_has(node->set, c) || (is_caseless && is_upper)) {
            continue; // both cases are in the set, and the finder looks for both
        }
        if (ret->texts.n == MAX_SET) {
            *ret = (struct known){.is_whole = false};
            return;
        }
        char byte = (char)c;
        ret->texts.at[ret->texts.n++] = (struct bx_needle){bx_strndup(&byte, 1), 1};
    }
    ret->is_whole = ret->texts.n > 0;
}

static void start_anew(struct texts *run) {
    *run = (struct texts){.n = 1, .at = {{"", 0}}};
}

static void of_cat(const struct bx_node *node, bool is_caseless, struct known *ret) {
    struct known *part = bx_alloc(sizeof *part);
    struct texts *run = bx_alloc(sizeof *run);
    bool is_whole = true;
    *ret = (struct known){.is_whole = false};
    start_anew(run);
    for (const struct bx_node *child = node->first; child; child = child->next) {
        analyse(child, is_caseless, part);
        if (part->is_whole && cross(run, &part->texts)) {
            continue;
        }
        is_whole = false;
        better(&ret->texts, run);
        start_anew(run);
        if (part->is_whole) {
            *run = part->texts;
        } else {
            better(&ret->texts, &part->texts);
        }
    }
    if (is_whole) {
        *ret = (struct known){true, *run};
    } else {
        better(&ret->texts, run);
    }
    free(run);
    free(part);
}

static void of_alt(const struct bx_node *node, bool is_caseless, struct known *ret) {
    struct known *part = bx_alloc(sizeof *part);
    *ret = (struct known){.is_whole = true};
    for (const struct bx_node *child = node->first; child; child = child->next) {
        analyse(child, is_caseless, part);
        ret->is_whole = ret->is_whole && part->is_whole;
        if (!part->texts.n || ret->texts.n + part->texts.n > MAX_TEXTS) {
            *ret = (struct known){.is_whole = false};
            break;
        }
        for (size_t i = 0; i < part->texts.n; i++) {
            ret->texts.at[ret->texts.n++] = part->texts.at[i];
        }
    }
    free(part);
}

static void of_repeat(const struct bx_node *node, bool is_caseless, struct known *ret) {
    analyse(node->first, is_caseless, ret);
    if (node->min == 1 && node->max == 1) {
        return;
    }
    if (node->min == 0) {
        bool is_maybe = node->max == 1 && ret->is_whole && ret->texts.n < MAX_TEXTS;
        if (is_maybe) {
            ret->texts.at[ret->texts.n++] = (struct bx_needle){"", 0};
        } else {
            *ret = (struct known){.is_whole = node->max == 0,
                                  .texts = {.n = node->max == 0, .at = {{"", 0}}}};
        }
        return;
    }
    struct texts *one = bx_alloc(sizeof *one);
    *one = ret->texts;
    bool ok = ret->is_whole;
    for (int i = 1; ok && i < node->min; i++) {
        ok = cross(&ret->texts, one);
    }
    ret->is_whole = ok && node->max == node->min;
    if (!ret->is_whole) {
        for (size_t i = 0; i < ret->texts.n; i++) {
            if (!ret->texts.at[i].len) {
                ret->texts.n = 0;
            }
        }
    }
    free(one);
}

static void analyse(const struct bx_node *node, bool is_caseless, struct known *ret) {
    switch (node->kind) {
    case BX_NODE_SET:
        of_set(node, is_caseless, ret);
        break;
    case BX_NODE_CAT:
        of_cat(node, is_caseless, ret);
        break;
    case BX_NODE_ALT:
        of_alt(node, is_caseless, ret);
        break;
    case BX_NODE_REPEAT:
        of_repeat(node, is_caseless, ret);
        break;
    default: // takes no place
        *ret = (struct known){.is_whole = true, .texts = {.n = 1, .at = {{"", 0}}}};
        break;
    }
}

static bool has_anchor(const struct bx_node *node) {
    if (node->kind == BX_NODE_BEGIN || node->kind == BX_NODE_END) {
        return true;
    }
    for (const struct bx_node *child = node->first; child; child = child->next) {
        if (has_anchor(child)) {
            return true;
        }
    }
    return false;
}

void bx_literals_find(const struct bx_regex *regex, struct bx_literals *ret) {
    struct known *known = bx_alloc(sizeof *known);
    *ret = (struct bx_literals){.n = 0};
    if (regex->root) {
        analyse(regex->root, regex->is_caseless, known);
        if (worth(&known->texts)) {
            memcpy(ret->needles, known->texts.at, known->texts.n * sizeof *ret->needles);
            ret->n = known->texts.n;
            ret->is_all = known->is_whole && regex->is_exact && !has_anchor(regex->root);
        }
    }
    free(known);
}
