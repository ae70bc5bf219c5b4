#include "agent/pinned.h"

static void fact_deinit(struct bx_fact *f) {
    bx_free(f->id);
    bx_free(f->text);
}

void bx_pinned_deinit(struct bx_pinned *p) {
    for (size_t i = 0; i < p->facts.n; i++)
        fact_deinit(&p->facts.p[i]);
    for (size_t i = 0; i < p->packs.n; i++)
        bx_free(p->packs.p[i]);
    for (size_t i = 0; i < p->told.n; i++)
        bx_free(p->told.p[i].folder);
    bx_vec_free(&p->facts);
    bx_vec_free(&p->packs);
    bx_vec_free(&p->told);
}

const struct bx_fact *bx_pinned_fact(const struct bx_pinned *p, struct bx_str id) {
    for (size_t i = 0; i < p->facts.n; i++)
        if (bx_str_eqz(id, p->facts.p[i].id))
            return &p->facts.p[i];
    return NULL;
}

size_t bx_pinned_fact_bytes(const struct bx_pinned *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->facts.n; i++)
        n += strlen(p->facts.p[i].text);
    return n;
}

bool bx_pinned_was_told(const struct bx_pinned *p, const char *folder) {
    for (size_t i = 0; i < p->told.n; i++)
        if (strcmp(p->told.p[i].folder, folder) == 0)
            return true;
    return false;
}

void bx_pinned_forget_told(struct bx_pinned *p, uint64_t upto) {
    for (size_t i = p->told.n; i-- > 0;) {
        if (p->told.p[i].seq <= upto) {
            bx_free(p->told.p[i].folder);
            bx_vec_remove(&p->told, i);
        }
    }
}

static void drop_fact(struct bx_pinned *p, struct bx_str id) {
    for (size_t i = 0; i < p->facts.n; i++) {
        if (bx_str_eqz(id, p->facts.p[i].id)) {
            fact_deinit(&p->facts.p[i]);
            bx_vec_remove(&p->facts, i);
            return;
        }
    }
}

static size_t find_pack(const struct bx_pinned *p, struct bx_str name) {
    size_t i = 0;
    while (i < p->packs.n && !bx_str_eqz(name, p->packs.p[i]))
        i++;
    return i;
}

static void fold_fact(struct bx_pinned *p, const struct bx_val *event) {
    struct bx_str id = bx_val_get_str(event, "id"), text = bx_val_get_str(event, "text");
    if (!id.n || !text.n || text.n + bx_pinned_fact_bytes(p) > BX_FACTS_MAX_BYTES)
        return;
    drop_fact(p, id);
    struct bx_fact f = {.id = bx_str_dup(id),
                        .text = bx_str_dup(text),
                        .by_model = bx_str_eqz(bx_val_get_str(event, "from"), "model"),
                        .seq = (uint64_t)bx_val_get_int(event, "seq", 0)};
    bx_vec_push(&p->facts, f);
}

static void fold_pack(struct bx_pinned *p, struct bx_str name, bool attach) {
    size_t i = find_pack(p, name);
    if (attach && name.n && i == p->packs.n && p->packs.n < BX_PACKS_MAX) {
        bx_vec_push(&p->packs, bx_str_dup(name));
    } else if (!attach && i < p->packs.n) {
        bx_free(p->packs.p[i]);
        bx_vec_remove(&p->packs, i);
    }
}

bool bx_pinned_fold(struct bx_pinned *p, struct bx_str type, const struct bx_val *event) {
    if (bx_str_eqz(type, "fact")) {
        fold_fact(p, event);
    } else if (bx_str_eqz(type, "fact_drop")) {
        drop_fact(p, bx_val_get_str(event, "id"));
    } else if (bx_str_eqz(type, "attach") || bx_str_eqz(type, "detach")) {
        fold_pack(p, bx_val_get_str(event, "pack"), bx_str_eqz(type, "attach"));
    } else if (bx_str_eqz(type, "instructions")) {
        struct bx_told t = {.folder = bx_str_dup(bx_val_get_str(event, "folder")),
                            .seq = (uint64_t)bx_val_get_int(event, "seq", 0)};
        bx_vec_push(&p->told, t);
    } else {
        return false;
    }
    return true;
}
