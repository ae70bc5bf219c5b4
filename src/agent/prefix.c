#include "agent/prefix.h"

#include "base/unwire.h"

struct mark {
    enum bx_part part;
    char *name; /* of a tool or a piece; NULL: a message */
    uint64_t hash, origin;
    int tag;
};
typedef BX_VEC(struct mark) marks_t;

struct bx_prefix {
    char session[37];
    char *model;
    marks_t front, messages; /* pieces of the system text and tools; then the conversation */
};

static uint64_t mix(uint64_t hash, const char *text) {
    return (hash ^ bx_str_hash(bx_str(text))) * 0x100000001b3u + (text ? 1 : 0);
}

static uint64_t hash_message(const struct bx_message *m) {
    uint64_t hash = (uint64_t)m->role + 1;
    for (size_t i = 0; i < m->blocks.n; i++) {
        const struct bx_block *b = &m->blocks.p[i];
        hash = hash * 31 + (uint64_t)b->kind;
        hash = mix(mix(mix(mix(mix(hash, b->text), b->arguments), b->data), b->id), b->tool);
    }
    return hash;
}

static void add(marks_t *to, enum bx_part part, const char *name, uint64_t hash) {
    struct mark m = {.part = part, .name = bx_strdup(name), .hash = hash};
    bx_vec_push(to, m);
}

struct bx_prefix *bx_prefix_take(const struct bx_context *c, const struct bx_history *h,
                                 const char *model) {
    struct bx_prefix *p = bx_new(struct bx_prefix);
    snprintf(p->session, sizeof p->session, "%s", h->session_id);
    p->model = bx_strdup(model);
    for (size_t i = 0; i < c->items.n; i++) {
        const struct bx_context_item *item = &c->items.p[i];
        add(&p->front, item->part, item->name,
            bx_str_hash(bx_str_n(c->system + item->from, item->n)));
    }
    for (size_t i = 0; i < c->tools.n; i++)
        add(&p->front, BX_PART_TOOLS, c->tools.p[i]->name,
            mix(bx_str_hash(bx_str(c->tools.p[i]->description)), c->tools.p[i]->schema_text));
    for (size_t i = 0; i < h->messages.n; i++) {
        struct mark m = {.part = BX_PART_HISTORY,
                         .hash = hash_message(h->messages.p[i]),
                         .origin = h->messages.p[i]->origin,
                         .tag = h->messages.p[i]->tag};
        bx_vec_push(&p->messages, m);
    }
    return p;
}

static void marks_free(marks_t *marks) {
    for (size_t i = 0; i < marks->n; i++)
        bx_free(marks->p[i].name);
    bx_vec_free(marks);
}

void bx_prefix_free(struct bx_prefix *p) {
    if (!p)
        return;
    marks_free(&p->front);
    marks_free(&p->messages);
    bx_free(p->model);
    bx_free(p);
}

const char *bx_prefix_session(const struct bx_prefix *p) {
    return p->session;
}

/* ---- what is different ---- */

static bool has(const marks_t *marks, const struct mark *m) {
    for (size_t i = 0; i < marks->n; i++)
        if (marks->p[i].part == m->part && strcmp(marks->p[i].name, m->name) == 0)
            return true;
    return false;
}

static void say(struct bx_break *b, size_t *said, enum bx_part part, const char *name,
                const char *how) {
    size_t n = strlen(b->what);
    if (!(*said)++)
        b->part = part;
    if (*said <= 4)
        snprintf(b->what + n, sizeof b->what - n, "%s%s%.60s %s", n ? "; " : "",
                 part == BX_PART_TOOLS && strchr(name, ' ') == NULL ? "tool "
                 : part == BX_PART_PACKS                            ? "pack "
                                                                    : "",
                 name, how);
}

/* In the order of the request; what only moved because others came or went is not said. */
static size_t compare_front(const marks_t *a, const marks_t *b, struct bx_break *ret) {
    size_t said = 0, i = 0, k = 0;
    while (i < a->n || k < b->n) {
        const struct mark *x = i < a->n ? &a->p[i] : NULL, *y = k < b->n ? &b->p[k] : NULL;
        if (x && y && x->part == y->part && strcmp(x->name, y->name) == 0) {
            if (x->hash != y->hash)
                say(ret, &said, x->part, x->name, "changed");
            i++, k++;
        } else if (x && !has(b, x)) {
            say(ret, &said, x->part, x->name, "is gone");
            i++;
        } else if (y && !has(a, y)) {
            say(ret, &said, y->part, y->name, "came");
            k++;
        } else { /* both are in both, in another order */
            say(ret, &said, x ? x->part : y->part, x ? x->name : y->name, "moved");
            i += x != NULL, k += y != NULL;
        }
    }
    return said;
}

static bool compare_messages(const marks_t *a, const marks_t *b, struct bx_break *ret) {
    size_t i = 0;
    while (i < a->n && i < b->n && a->p[i].hash == b->p[i].hash)
        i++;
    if (i == a->n)
        return false;
    ret->part = BX_PART_HISTORY;
    const struct mark *x = &a->p[i], *y = i < b->n ? &b->p[i] : NULL;
    if (b->n && b->p[0].tag == BX_TAG_SUMMARY &&
        (a->p[0].tag != BX_TAG_SUMMARY || a->p[0].origin != b->p[0].origin))
        snprintf(ret->what, sizeof ret->what, "the conversation was compacted");
    else if (y && x->origin == y->origin)
        snprintf(ret->what, sizeof ret->what, "what event %" PRIu64 " says is told in another way",
                 x->origin);
    else
        snprintf(ret->what, sizeof ret->what, "event %" PRIu64 " is no longer told", x->origin);
    return true;
}

bool bx_prefix_breaks(const struct bx_prefix *before, const struct bx_prefix *now,
                      struct bx_break *ret) {
    *ret = (struct bx_break){0};
    if (!before || bx_unwired("prefix_guard"))
        return false;
    if (strcmp(before->model, now->model)) {
        snprintf(ret->what, sizeof ret->what, "the model changed from %.100s to %.100s",
                 before->model, now->model);
        return true;
    }
    return compare_front(&before->front, &now->front, ret) > 0 ||
           compare_messages(&before->messages, &now->messages, ret);
}
