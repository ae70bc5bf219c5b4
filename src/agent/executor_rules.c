#include "agent/executor.h"

#include "base/vec.h"

/* What the sessions above an executor were given counts for it, too: allowed, denied, taken back. A
 * rule that allows with a count does not pass down: its uses are counted in the log of the session
 * that has it. */

#define LINES_MAX (64 * BX_MIB)

struct source {
    struct bx_session *session;
    struct bx_cursor cursor;
    struct bx_given given;
};
struct bx_inherited {
    BX_VEC(struct source) sources; /* the nearest first */
};

struct bx_inherited *bx_inherited_new(struct bx_executor *e) {
    struct bx_inherited *i = bx_new(struct bx_inherited);
    for (; e && e->manager; e = e->above) {
        struct source s = {.session = bx_session_ref(e->manager->session),
                           .cursor = {.next_seq = 1, .next_delta = UINT64_MAX}};
        bx_vec_push(&i->sources, s);
    }
    return i;
}

void bx_inherited_free(struct bx_inherited *i) {
    for (size_t k = 0; i && k < i->sources.n; k++) {
        bx_session_unref(i->sources.p[k].session);
        bx_given_deinit(&i->sources.p[k].given);
    }
    if (i)
        bx_vec_free(&i->sources);
    bx_free(i);
}

/* Most lines say nothing of rules; their type stands near the beginning. */
static bool may_matter(struct bx_str line) {
    static const char *const types[] = {"\"answer\"", "\"grant\"", "\"revoke\"", "\"permission\""};
    struct bx_str head = bx_str_slice(line, 0, 120);
    for (size_t i = 0; i < BX_ARRAY_LEN(types); i++)
        if (bx_str_find_str(head, bx_str(types[i])) != (size_t)-1)
            return true;
    return false;
}

static void read_lines(struct source *s, struct bx_str lines) {
    struct bx_str line;
    while (bx_str_split(&lines, '\n', &line)) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        if (!line.n || !may_matter(line) || bx_doc_parse(line, NULL, &doc, NULL))
            continue;
        bx_given_fold(&s->given, bx_val_get_str(bx_doc_root(doc), "type"), bx_doc_root(doc));
    }
}

uint64_t bx_inherited_catch_up(struct bx_inherited *i) {
    uint64_t changes = 0;
    for (size_t k = 0; i && k < i->sources.n; k++) {
        struct source *s = &i->sources.p[k];
        bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(LINES_MAX);
        while (bx_session_read(s->session, &s->cursor, 256 * BX_KIB, &lines, NULL) > 0) {
            read_lines(s, bx_buf_str(&lines));
            bx_buf_reset(&lines);
        }
        changes += s->given.changes;
    }
    return changes;
}

void bx_inherited_write(const struct bx_inherited *i, struct bx_jw *w) {
    for (size_t k = 0; i && k < i->sources.n; k++) {
        const struct bx_given *g = &i->sources.p[k].given;
        for (size_t r = 0; r < g->rules.n; r++)
            if (g->rules.p[r].max_calls < 0 || !g->rules.p[r].allows)
                bx_jw_raw(w, bx_str(g->rules.p[r].json));
    }
}
