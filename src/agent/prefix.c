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

/* ---- in the log ---- */

static bool same_marks(const marks_t *a, const marks_t *b) {
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = a->p[i].part == b->p[i].part && a->p[i].hash == b->p[i].hash &&
               strcmp(a->p[i].name, b->p[i].name) == 0;
    return same;
}

static void write_hash(struct bx_jw *w, uint64_t hash) {
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    bx_jw_z(w, text);
}

void bx_prefix_write(const struct bx_prefix *now, const struct bx_prefix *told, struct bx_jw *w) {
    bx_jw_kstr(w, "model", now->model);
    if (!told || !same_marks(&told->front, &now->front)) {
        bx_jw_karr(w, "front");
        for (size_t i = 0; i < now->front.n; i++) {
            const struct mark *m = &now->front.p[i];
            bx_jw_arr(w);
            bx_jw_z(w, bx_part_name(m->part));
            bx_jw_z(w, m->name);
            write_hash(w, m->hash);
            bx_jw_end(w);
        }
        bx_jw_end(w);
    }
    size_t keep = 0;
    while (told && keep < told->messages.n && keep < now->messages.n &&
           told->messages.p[keep].hash == now->messages.p[keep].hash)
        keep++;
    bx_jw_kuint(w, "keep", keep);
    bx_jw_karr(w, "messages");
    for (size_t i = keep; i < now->messages.n; i++) {
        const struct mark *m = &now->messages.p[i];
        bx_jw_arr(w);
        bx_jw_uint(w, m->origin);
        write_hash(w, m->hash);
        if (m->tag == BX_TAG_SUMMARY)
            bx_jw_z(w, bx_part_name(BX_PART_SUMMARY));
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static bool read_hash(const struct bx_val *v, uint64_t *ret) {
    const char *text = bx_val_z(v);
    char *end = NULL;
    *ret = text ? strtoull(text, &end, 16) : 0;
    return text && *text && !*end;
}

static bool read_front(const struct bx_val *front, marks_t *ret) {
    bx_val_foreach_item (front, v) {
        const char *part = bx_val_z(bx_val_at(v, 0)), *name = bx_val_z(bx_val_at(v, 1));
        enum bx_part i = 0;
        uint64_t hash;
        while (part && i < BX_PART_COUNT && strcmp(part, bx_part_name(i)) != 0)
            i++;
        if (!part || !name || i == BX_PART_COUNT || !read_hash(bx_val_at(v, 2), &hash))
            return false;
        add(ret, i, name, hash);
    }
    return true;
}

static bool read_messages(const struct bx_val *messages, marks_t *ret) {
    bx_val_foreach_item (messages, v) {
        struct mark m = {.part = BX_PART_HISTORY,
                         .tag = bx_val_at(v, 2) ? BX_TAG_SUMMARY : BX_TAG_TALK};
        int64_t origin = bx_val_int(bx_val_at(v, 0), -1);
        if (origin < 0 || !read_hash(bx_val_at(v, 1), &m.hash))
            return false;
        m.origin = (uint64_t)origin;
        bx_vec_push(ret, m);
    }
    return true;
}

struct bx_prefix *bx_prefix_fold(struct bx_prefix *take_told, const struct bx_val *v) {
    struct bx_prefix *p = take_told ? take_told : bx_new(struct bx_prefix);
    const struct bx_val *front = bx_val_get(v, "front");
    int64_t keep = bx_val_get_int(v, "keep", -1);
    bool ok = bx_val_get_z(v, "model") && keep >= 0 && (uint64_t)keep <= p->messages.n &&
              (front || take_told);
    if (front)
        marks_free(&p->front);
    if (ok) {
        bx_free(p->model);
        p->model = bx_strdup(bx_val_get_z(v, "model"));
        p->messages.n = (size_t)keep;
    }
    if (ok && read_front(front, &p->front) &&
        read_messages(bx_val_get(v, "messages"), &p->messages))
        return p;
    bx_prefix_free(p); /* a damaged line was skipped before it: the next one is whole again */
    return NULL;
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
