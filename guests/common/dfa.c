#include "common/dfa.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

enum {
    MAX_PARTS = 4000,       // of the machine with many states at once
    MAX_TABLE = 256 * 1024, // transitions that are kept
    MAX_STATES = 4096,
    MAX_MEMBERS = 512 * 1024, // of all states together
    SLOTS = 2 * MAX_STATES,
    MATCH = 0,
    UNKNOWN = -1,
};

// The machine with many states at once: a part is left by its byte, or at once.
enum part_kind { PART_BYTE, PART_SPLIT, PART_BEGIN, PART_END, PART_ACCEPT };

struct part {
    enum part_kind kind;
    int set, out, other;
};

// The machine with one state at a time: a state is a set of parts.
struct state {
    uint32_t first, n; // in members
    bool ends;         // a match when the line ends here
};

struct bx_dfa {
    struct part *parts;
    int n_parts, n_sets, begin;
    uint32_t (*sets)[8];
    bool is_too_large, is_sure, is_always, keeps_cr;

    unsigned char classes[256],
        samples[256]; // of bytes that are always treated alike; one byte of each
    size_t n_classes, max_states;

    int32_t *next; // [state * n_classes + class]: the next state's row, MATCH or UNKNOWN
    struct state *states;
    size_t n_states;
    int32_t *members;
    size_t n_members;
    int32_t *slots; // by hash: a state, or nought
    int32_t start;  // the row of the state at the start of a line

    uint32_t *marks, mark; // parts that were seen in this round
    int32_t *found;        // the members of the state that is being made
    size_t n_found;
    int32_t *stack;
    bool has_accepted;
};

static int add_part(struct bx_dfa *d, enum part_kind kind, int out) {
    if (d->n_parts == MAX_PARTS) {
        d->is_too_large = true;
        return 0;
    }
    d->parts[d->n_parts] = (struct part){.kind = kind, .out = out, .other = -1};
    return d->n_parts++;
}

static int add_set(struct bx_dfa *d, const uint32_t *set) {
    for (int i = 0; i < d->n_sets; i++) {
        if (memcmp(d->sets[i], set, sizeof d->sets[i]) == 0) {
            return i;
        }
    }
    if (d->n_sets == MAX_PARTS) {
        d->is_too_large = true;
        return 0;
    }
    memcpy(d->sets[d->n_sets], set, sizeof d->sets[0]);
    return d->n_sets++;
}

static int build(struct bx_dfa *d, const struct bx_node *node, int next);

static int build_cat(struct bx_dfa *d, const struct bx_node *node, int next) {
    size_t n = 0;
    for (const struct bx_node *child = node->first; child; child = child->next) {
        n++;
    }
    const struct bx_node **children = bx_alloc((n + 1) * sizeof *children);
    n = 0;
    for (const struct bx_node *child = node->first; child; child = child->next) {
        children[n++] = child;
    }
    while (n > 0 && !d->is_too_large) { // from its end: each part knows what follows
        next = build(d, children[--n], next);
    }
    free(children);
    return next;
}

static int build_alt(struct bx_dfa *d, const struct bx_node *node, int next) {
    int all = -1;
    for (const struct bx_node *child = node->first; child && !d->is_too_large;
         child = child->next) {
        int one = build(d, child, next);
        if (all >= 0) {
            int split = add_part(d, PART_SPLIT, all);
            d->parts[split].other = one;
            one = split;
        }
        all = one;
    }
    return all < 0 ? next : all;
}

static int build_repeat(struct bx_dfa *d, const struct bx_node *node, int next) {
    if (node->max < 0) {
        int split = add_part(d, PART_SPLIT, next);
        int body = build(d, node->first, split);
        d->parts[split].other = body;
        next = split;
    }
    for (int i = node->min; i < node->max && !d->is_too_large; i++) {
        int body = build(d, node->first, next);
        int split = add_part(d, PART_SPLIT, next);
        d->parts[split].other = body;
        next = split;
    }
    for (int i = 0; i < node->min && !d->is_too_large; i++) {
        next = build(d, node->first, next);
    }
    return next;
}

static int build(struct bx_dfa *d, const struct bx_node *node, int next) {
    int part;
    switch (node->kind) {
    case BX_NODE_SET:
        part = add_part(d, PART_BYTE, next);
        d->parts[part].set = add_set(d, node->set);
        return part;
    case BX_NODE_CAT:
        return build_cat(d, node, next);
    case BX_NODE_ALT:
        return build_alt(d, node, next);
    case BX_NODE_REPEAT:
        return build_repeat(d, node, next);
    case BX_NODE_BEGIN:
        return add_part(d, PART_BEGIN, next);
    case BX_NODE_END:
        d->is_sure =
            d->is_sure && d->keeps_cr; // else of a carriage return before it only PCRE2 knows
        return add_part(d, PART_END, next);
    case BX_NODE_EMPTY:
        break;
    }
    return next;
}

static void make_classes(struct bx_dfa *d) {
    uint32_t lone[2][8] = {{0}};
    lone[0]['\n' >> 5] = 1U << ('\n' & 31);
    lone[1]['\r' >> 5] = 1U << ('\r' & 31);
    d->n_classes = 1;
    for (int i = -2; i < d->n_sets; i++) {
        const uint32_t *set = i < 0 ? lone[i + 2] : d->sets[i];
        int inside[256];
        memset(inside, -1, sizeof inside);
        size_t counts[256] = {0}, hits[256] = {0};
        for (unsigned c = 0; c < 256; c++) {
            counts[d->classes[c]]++;
            hits[d->classes[c]] += bx_set_has(set, c);
        }
        for (unsigned c = 0; c < 256; c++) {
            unsigned old = d->classes[c];
            if (!bx_set_has(set, c) || hits[old] == counts[old]) {
                continue; // the whole class is inside, or none of it
            }
            if (inside[old] < 0) {
                inside[old] = (int)d->n_classes++;
            }
            d->classes[c] = (unsigned char)inside[old];
        }
    }
    for (unsigned c = 0; c < 256; c++) {
        d->samples[d->classes[c]] = (unsigned char)c;
    }
}

// What is reached from a part without a byte.
static void reach(struct bx_dfa *d, int from, bool at_begin, bool at_end) {
    size_t n = 0;
    d->stack[n++] = from;
    while (n) {
        int32_t at = d->stack[--n];
        if (d->marks[at] == d->mark) {
            continue;
        }
        d->marks[at] = d->mark;
        const struct part *part = &d->parts[at];
        switch (part->kind) {
        case PART_SPLIT:
            d->stack[n++] = part->out;
            d->stack[n++] = part->other;
            break;
        case PART_BEGIN:
            if (at_begin) {
                d->stack[n++] = part->out;
            }
            break;
        case PART_END:
            if (at_end) {
                d->stack[n++] = part->out;
            } else {
                d->found[d->n_found++] = at;
            }
            break;
        case PART_BYTE:
            d->found[d->n_found++] = at;
            break;
        case PART_ACCEPT:
            d->has_accepted = true;
            break;
        }
    }
}

static void begin_state(struct bx_dfa *d) {
    d->mark++;
    d->n_found = 0;
    d->has_accepted = false;
}

static bool would_end(struct bx_dfa *d, const int32_t *members, size_t n) {
    size_t kept = d->n_found;
    bool was = d->has_accepted;
    d->mark++;
    d->has_accepted = false;
    for (size_t i = 0; i < n; i++) {
        if (d->parts[members[i]].kind == PART_END) {
            reach(d, d->parts[members[i]].out, true, true);
        }
    }
    bool ends = d->has_accepted;
    d->n_found = kept;
    d->has_accepted = was;
    return ends;
}

static int by_number(const void *a, const void *b) {
    return *(const int32_t *)a - *(const int32_t *)b;
}

static void forget_states(struct bx_dfa *d) {
    d->n_states = 1; // the first is MATCH
    d->n_members = 0;
    memset(d->slots, 0, SLOTS * sizeof *d->slots);
}

// The row of the state whose members were found; made when it is new.
static int32_t finish_state(struct bx_dfa *d) {
    if (d->has_accepted) {
        return MATCH;
    }
    qsort(d->found, d->n_found, sizeof *d->found, by_number);
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < d->n_found; i++) {
        hash = (hash ^ (uint32_t)d->found[i]) * 16777619U;
    }
    uint32_t slot = (hash ^ hash >> 15) % SLOTS;
    for (; d->slots[slot]; slot = (slot + 1) % SLOTS) {
        const struct state *s = &d->states[d->slots[slot]];
        if (s->n == d->n_found &&
            memcmp(d->members + s->first, d->found, d->n_found * sizeof *d->found) == 0) {
            return (int32_t)((size_t)d->slots[slot] * d->n_classes);
        }
    }
    if (d->n_states == d->max_states || d->n_members + d->n_found > MAX_MEMBERS) {
        return UNKNOWN;
    }
    struct state *s = &d->states[d->n_states];
    *s = (struct state){(uint32_t)d->n_members, (uint32_t)d->n_found, false};
    memcpy(d->members + d->n_members, d->found, d->n_found * sizeof *d->found);
    d->n_members += d->n_found;
    s->ends = would_end(d, d->members + s->first, s->n);
    size_t row = d->n_states * d->n_classes;
    for (size_t i = 0; i < d->n_classes; i++) {
        d->next[row + i] = UNKNOWN;
    }
    d->slots[slot] = (int32_t)d->n_states++;
    return (int32_t)row;
}

static void make_start(struct bx_dfa *d) {
    begin_state(d);
    reach(d, d->begin, true, false);
    d->start = finish_state(d);
}

// Where a byte leads from a state. When there is no room for what it leads to, everything is
// forgotten first.
static int32_t step(struct bx_dfa *d, int32_t row, unsigned char c) {
    const struct state *s = &d->states[(size_t)row / d->n_classes];
    if (c == '\n') {
        return d->next[(size_t)row + d->classes[c]] = s->ends ? MATCH : d->start;
    }
    if (c == '\r' && s->ends && !d->keeps_cr) {
        return d->next[(size_t)row + d->classes[c]] = MATCH;
    }
    begin_state(d);
    for (uint32_t i = 0; i < s->n; i++) {
        const struct part *part = &d->parts[d->members[s->first + i]];
        if (part->kind == PART_BYTE && bx_set_has(d->sets[part->set], c)) {
            reach(d, part->out, false, false);
        }
    }
    reach(d, d->begin, false, false); // a match may begin at the next byte
    int32_t to = finish_state(d);
    if (to != UNKNOWN) {
        return d->next[(size_t)row + d->classes[c]] = to;
    }
    int32_t *kept = bx_alloc((d->n_found + 1) * sizeof *kept);
    size_t n_kept = d->n_found;
    memcpy(kept, d->found, n_kept * sizeof *kept);
    forget_states(d);
    make_start(d);
    begin_state(d);
    memcpy(d->found, kept, n_kept * sizeof *kept);
    d->n_found = n_kept;
    free(kept);
    return finish_state(d);
}

struct bx_dfa *bx_dfa_new(const struct bx_regex *regex) {
    struct bx_dfa *d = bx_alloc(sizeof *d);
    *d = (struct bx_dfa){.is_sure = regex->is_exact, .keeps_cr = regex->keeps_cr};
    d->parts = bx_alloc(MAX_PARTS * sizeof *d->parts);
    d->sets = bx_alloc(MAX_PARTS * sizeof *d->sets);
    d->begin = build(d, regex->root, add_part(d, PART_ACCEPT, -1));
    if (d->is_too_large) {
        free(d->parts);
        free(d->sets);
        free(d);
        return NULL;
    }
    make_classes(d);
    d->max_states = MAX_TABLE / d->n_classes;
    d->max_states = d->max_states > MAX_STATES ? MAX_STATES : d->max_states;
    size_t n_parts = (size_t)d->n_parts;
    d->next = bx_alloc(d->max_states * d->n_classes * sizeof *d->next);
    d->states = bx_alloc(d->max_states * sizeof *d->states);
    d->members = bx_alloc(MAX_MEMBERS * sizeof *d->members);
    d->slots = bx_alloc(SLOTS * sizeof *d->slots);
    d->marks = bx_alloc(n_parts * sizeof *d->marks);
    memset(d->marks, 0, n_parts * sizeof *d->marks);
    d->found = bx_alloc((2 * n_parts + 2) * sizeof *d->found); // would_end() puts some behind
    d->stack = bx_alloc((2 * n_parts + 2) * sizeof *d->stack);
    forget_states(d);
    make_start(d);
    d->is_always = d->start == MATCH;
    return d;
}

bool bx_dfa_is_sure(const struct bx_dfa *d) {
    return d->is_sure;
}

const char *bx_dfa_find(struct bx_dfa *d, const char *at, const char *end) {
    const unsigned char *classes = d->classes;
    const int32_t *next = d->next;
    const char *p = at;
    int32_t row = d->start;
    if (d->is_always) {
        return at < end ? at : NULL;
    }
    while (p < end) {
        while (end - p >= 4) { // rows that are known and no match are above nought
            int32_t a = next[row + classes[(unsigned char)p[0]]];
            if (a <= 0) {
                break;
            }
            int32_t b = next[a + classes[(unsigned char)p[1]]];
            if (b <= 0) {
                row = a;
                p += 1;
                break;
            }
            int32_t c = next[b + classes[(unsigned char)p[2]]];
            if (c <= 0) {
                row = b;
                p += 2;
                break;
            }
            row = next[c + classes[(unsigned char)p[3]]];
            if (row <= 0) {
                row = c;
                p += 3;
                break;
            }
            p += 4;
        }
        if (p == end) {
            break;
        }
        int32_t to = next[row + classes[(unsigned char)*p]];
        to = to == UNKNOWN ? step(d, row, (unsigned char)*p) : to;
        if (to == MATCH) {
            return p;
        }
        row = to;
        p++;
    }
    bool is_open = end > at && end[-1] != '\n';
    return is_open && d->states[(size_t)row / d->n_classes].ends ? end - 1 : NULL;
}
