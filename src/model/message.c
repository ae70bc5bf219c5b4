#include "model/message.h"

#include "model/model.h"

void bx_block_deinit(struct bx_block *b) {
    bx_free(b->text);
    bx_free(b->mime);
    bx_free(b->data);
    bx_free(b->id);
    bx_free(b->tool);
    bx_free(b->arguments);
    *b = (struct bx_block){0};
}

struct bx_message *bx_message_new(enum bx_role role) {
    struct bx_message *m = bx_new(struct bx_message);
    m->role = role;
    return m;
}

void bx_message_free(struct bx_message *m) {
    if (!m) {
        return;
    }
    for (size_t i = 0; i < m->blocks.n; i++) {
        bx_block_deinit(&m->blocks.p[i]);
    }
    bx_vec_free(&m->blocks);
    bx_free(m);
}

struct bx_block *bx_message_add(struct bx_message *m, enum bx_block_kind kind) {
    bx_vec_push(&m->blocks, (struct bx_block){.kind = kind});
    return &m->blocks.p[m->blocks.n - 1];
}

void bx_message_add_text(struct bx_message *m, const char *text) {
    bx_message_add(m, BX_BLOCK_TEXT)->text = bx_strdup(text);
}

void bx_reply_deinit(struct bx_reply *r) {
    bx_message_free(r->message);
    *r = (struct bx_reply){0};
}
