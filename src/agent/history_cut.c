#include "agent/history.h"

#include "base/unwire.h"

/* What a history leaves out, and what it tells instead. Whatever is decided here depends on the log
 * alone: the same cut makes the same messages, today and after a restart. */

#define ONE_LINE_BYTES 400 /* less room than this: one line says that there was an output */
#define ELIDE_FLOOR    200 /* shorter outputs are not worth it */
#define HEAD_MAX       (1 * BX_MIB)
#define MESSAGE_COST   6 /* tokens of a message's frame */

static int64_t block_tokens(const struct bx_block *b) {
    return bx_tokens_estimate(bx_str(b->text)) + bx_tokens_estimate(bx_str(b->arguments)) +
           bx_tokens_estimate(bx_str(b->tool)) + (b->data ? 800 : 0);
}

int64_t bx_message_tokens(const struct bx_message *m) {
    int64_t tokens = MESSAGE_COST;
    for (size_t i = 0; i < m->blocks.n; i++)
        tokens += block_tokens(&m->blocks.p[i]);
    return tokens;
}

static size_t block_bytes(const struct bx_block *b) {
    return (b->text ? strlen(b->text) : 0) + (b->arguments ? strlen(b->arguments) : 0) +
           (b->data ? strlen(b->data) : 0);
}

size_t bx_message_bytes(const struct bx_message *m) {
    size_t n = sizeof *m;
    for (size_t i = 0; i < m->blocks.n; i++)
        n += sizeof m->blocks.p[i] + block_bytes(&m->blocks.p[i]);
    return n;
}

bool bx_message_is_question(const struct bx_message *m) {
    return m->role == BX_ROLE_USER && m->tag == BX_TAG_TALK;
}

static void recount(struct bx_history *h) {
    h->estimate = 0;
    h->bytes = 0;
    for (size_t i = 0; i < h->messages.n; i++) {
        h->estimate += bx_message_tokens(h->messages.p[i]);
        h->bytes += bx_message_bytes(h->messages.p[i]);
    }
}

/* ---- outputs ---- */

/* What stands for this output from now on; the caller's, NULL: it stays as it is. */
static char *less_of(const struct bx_message *m, const struct bx_block *b, size_t max_bytes) {
    size_t n = block_bytes(b);
    if (b->kind == BX_BLOCK_IMAGE && b->data)
        return bx_strdup("[an image was here; it was left out to save room]");
    if (m->role != BX_ROLE_TOOL || n <= BX_MAX(max_bytes, (size_t)ELIDE_FLOOR))
        return NULL;
    if (max_bytes < ONE_LINE_BYTES)
        return bx_asprintf(
            "[This output is left out here to save room; recall {\"call\":\"%.100s\"} "
            "shows it]",
            b->id ? b->id : "");
    return bx_text_shorten(bx_str(b->text), max_bytes, b->id);
}

static void shorten_outputs(struct bx_message *m, size_t max_bytes) {
    for (size_t i = 0; i < m->blocks.n; i++) {
        struct bx_block *b = &m->blocks.p[i];
        char *less = less_of(m, b, max_bytes);
        if (!less)
            continue;
        bx_free(b->text);
        bx_free(b->data);
        b->data = NULL;
        b->text = less;
        if (b->kind == BX_BLOCK_IMAGE)
            b->kind = BX_BLOCK_TEXT;
    }
}

static int64_t tokens_after(const struct bx_message *m, const struct bx_cut *cut) {
    int64_t tokens = bx_message_tokens(m);
    for (size_t i = 0; m->origin <= cut->results_upto && i < m->blocks.n; i++) {
        bx_auto(bx_freep) char *less = less_of(m, &m->blocks.p[i], cut->result_bytes);
        if (less)
            tokens += bx_tokens_estimate(bx_str(less)) -
                      bx_tokens_estimate(bx_str(m->blocks.p[i].text)) -
                      (m->blocks.p[i].data ? 800 : 0);
    }
    return tokens;
}

/* ---- what stands in front ---- */

char *bx_fact_message(const struct bx_fact *f) {
    return bx_asprintf("<pinned-fact by=\"%s\">\n%s\n</pinned-fact>",
                       f->by_model ? "you" : "the user", f->text);
}

static char *head_text(const struct bx_cut *cut) {
    struct bx_buf out = BX_BUF_INIT(HEAD_MAX);
    bx_buf_addz(
        &out, "<earlier-conversation>\nThe earlier part of this conversation is no longer shown. ");
    if (*cut->summary)
        bx_buf_addf(&out, "This summary stands for it:\n\n%s\n", cut->summary);
    else
        bx_buf_addz(&out, "There is no summary of it.\n");
    return bx_buf_steal(&out);
}

static char *kept_text(const struct bx_cut *cut) {
    struct bx_buf out = BX_BUF_INIT(HEAD_MAX);
    for (size_t i = 0; i < cut->kept_count; i++)
        bx_buf_addf(&out, "\n%s\n", cut->kept[i]);
    bx_buf_addz(&out, "</earlier-conversation>");
    return bx_buf_steal(&out);
}

/* The message in front, or NULL when nothing was cut off. */
static struct bx_message *head_message(const struct bx_history *h, uint64_t upto, const char *head,
                                       const char *kept) {
    if (!upto || !head)
        return NULL;
    struct bx_buf out = BX_BUF_INIT(HEAD_MAX);
    size_t shown = 0;
    bx_buf_addz(&out, head);
    for (size_t i = 0; i < h->pinned.facts.n && !bx_unwired("pinned_facts"); i++) {
        if (h->pinned.facts.p[i].seq > upto)
            continue; /* it stands behind, where it came */
        bx_auto(bx_freep) char *text = bx_fact_message(&h->pinned.facts.p[i]);
        bx_buf_addf(&out, "%s%s\n", shown++ ? "" : "\n", text);
    }
    bx_buf_addz(&out, kept);
    struct bx_message *m = bx_message_new(BX_ROLE_USER);
    bx_message_add_text(m, bx_buf_z(&out));
    m->origin = upto;
    m->tag = BX_TAG_SUMMARY;
    bx_buf_deinit(&out);
    return m;
}

static void remove_upto(struct bx_history *h, uint64_t upto) {
    size_t kept = 0, pending = h->pending;
    for (size_t i = 0; i < h->messages.n; i++) {
        struct bx_message *m = h->messages.p[i];
        if (m->tag == BX_TAG_SUMMARY || m->origin <= upto) {
            bx_message_free(m);
            pending -= i < h->pending;
        } else {
            h->messages.p[kept++] = m;
        }
    }
    h->messages.n = kept;
    h->pending = pending;
}

void bx_history_make_head(struct bx_history *h) {
    struct bx_message *m = head_message(h, h->upto, h->head, h->kept);
    bool has = h->messages.n && h->messages.p[0]->tag == BX_TAG_SUMMARY;
    if (m && has) {
        bx_message_free(h->messages.p[0]);
        h->messages.p[0] = m;
    } else if (m) {
        bx_vec_push(&h->messages, m);
        memmove(h->messages.p + 1, h->messages.p, (h->messages.n - 1) * sizeof *h->messages.p);
        h->messages.p[0] = m;
        h->pending++;
    }
    recount(h);
}

void bx_history_cut(struct bx_history *h, const struct bx_cut *cut) {
    for (size_t i = 0; i < h->messages.n; i++)
        if (h->messages.p[i]->origin <= cut->results_upto)
            shorten_outputs(h->messages.p[i], cut->result_bytes);
    if (cut->upto > h->upto) {
        h->upto = cut->upto;
        bx_free(h->head);
        bx_free(h->kept);
        h->head = head_text(cut);
        h->kept = kept_text(cut);
        remove_upto(h, cut->upto);
        bx_pinned_forget_told(&h->pinned, cut->upto);
        bx_history_make_head(h);
    }
    recount(h);
}

int64_t bx_history_after(const struct bx_history *h, const struct bx_cut *cut) {
    int64_t tokens = 0;
    bool goes = cut->upto > h->upto;
    if (goes) {
        bx_auto(bx_freep) char *head = head_text(cut), *kept = kept_text(cut);
        struct bx_message *m = head_message(h, cut->upto, head, kept);
        tokens += bx_message_tokens(m);
        bx_message_free(m);
    }
    for (size_t i = 0; i < h->messages.n; i++) {
        const struct bx_message *m = h->messages.p[i];
        if (!goes || (m->tag != BX_TAG_SUMMARY && m->origin > cut->upto))
            tokens += tokens_after(m, cut);
    }
    return tokens;
}
