#include "agent/given.h"

#define READ_CHUNK (256 * BX_KIB)
#define MAX_LINE   (64 * BX_MIB)

static void rule_deinit(struct bx_given_rule *r) {
    bx_free(r->id);
    bx_free(r->json);
}

void bx_given_deinit(struct bx_given *g) {
    for (size_t i = 0; i < g->rules.n; i++)
        rule_deinit(&g->rules.p[i]);
    bx_vec_free(&g->rules);
}

static size_t find(const struct bx_given *g, struct bx_str id) {
    size_t i = 0;
    while (i < g->rules.n && !bx_str_eqz(id, g->rules.p[i].id))
        i++;
    return i;
}

static void take_out(struct bx_given *g, struct bx_str id) {
    size_t i = find(g, id);
    if (!id.n || i == g->rules.n)
        return;
    rule_deinit(&g->rules.p[i]);
    bx_vec_remove(&g->rules, i);
    g->changes++;
}

/* Answers of older sessions gave rules without a name. */
static void put_in(struct bx_given *g, const struct bx_val *rule, int64_t seq) {
    struct bx_given_rule r = {.max_calls = bx_val_get_int(rule, "max_calls", -1),
                              .allows = bx_str_eqz(bx_val_get_str(rule, "verdict"), "allow")};
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_jw w;
    struct bx_str id = bx_val_get_str(rule, "id");
    r.id = id.n ? bx_str_dup(id) : bx_asprintf("answer-%" PRId64, seq);
    bx_jw_init(&w, &text);
    bx_jw_val(&w, rule);
    if (bx_buf_failed(&text)) { /* larger than any rule that was ever given */
        bx_free(r.id);
        bx_buf_deinit(&text);
        return;
    }
    r.json = bx_buf_steal(&text);
    take_out(g, bx_str(r.id));
    bx_vec_push(&g->rules, r);
    g->changes++;
}

void bx_given_fold(struct bx_given *g, struct bx_str type, const struct bx_val *event) {
    const struct bx_val *rule = bx_val_get(event, "rule");
    if (bx_val_is(rule, BX_VAL_OBJ) &&
        (bx_str_eqz(type, "grant") ||
         (bx_str_eqz(type, "answer") && bx_str_eqz(bx_val_get_str(event, "choice"), "session")))) {
        put_in(g, rule, bx_val_get_int(event, "seq", 0));
    } else if (bx_str_eqz(type, "revoke")) {
        take_out(g, bx_val_str(rule));
    } else if (bx_str_eqz(type, "permission") &&
               bx_str_eqz(bx_val_get_str(event, "decision"), "allow")) {
        size_t i = find(g, bx_val_str(rule));
        if (i < g->rules.n && g->rules.p[i].max_calls >= 0) {
            g->rules.p[i].uses++;
            g->changes++;
        }
    }
}

void bx_given_write(const struct bx_given *g, struct bx_jw *w) {
    for (size_t i = 0; i < g->rules.n; i++) {
        const struct bx_given_rule *r = &g->rules.p[i];
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        if (bx_doc_parse(bx_str(r->json), NULL, &doc, NULL))
            continue;
        bx_jw_obj(w);
        bx_jw_kstr(w, "id", r->id);
        bx_val_foreach_member (bx_doc_root(doc), key, value) {
            if (bx_str_eqz(key, "id") || bx_str_eqz(key, "max_calls"))
                continue;
            bx_jw_keys(w, key);
            bx_jw_val(w, value);
        }
        if (r->max_calls >= 0)
            bx_jw_kint(w, "max_calls", BX_MAX(r->max_calls - r->uses, 0));
        bx_jw_end(w);
    }
}

int bx_given_read(struct bx_session *s, struct bx_given *ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(MAX_LINE + READ_CHUNK);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    *ret = (struct bx_given){.changes = 0};
    while ((n = bx_session_read(s, &cursor, READ_CHUNK, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (bx_str_find_str(line, BX_STR_LIT("\"rule\":")) == (size_t)-1 ||
                bx_doc_parse(line, NULL, &doc, NULL))
                continue;
            bx_given_fold(ret, bx_val_get_str(bx_doc_root(doc), "type"), bx_doc_root(doc));
        }
        bx_buf_reset(&lines);
    }
    return n;
}
