#include "store/search.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/fold.h"
#include "base/utf8.h"
#include "json/write.h"
#include "store/internal.h"
#include "store/scan.h"

#define NEEDLE_MAX   (8 * 1024)
#define AROUND_BYTES 80
#define PIECE_BYTES  (256 * BX_KIB)
#define PAGE         200
#define FIELDS_MAX   64 /* texts of one event that are looked through */

/* ---- one event ---- */

static char *snippet(struct bx_str text, size_t at, size_t n) {
    size_t from = at > AROUND_BYTES ? at - AROUND_BYTES : 0;
    while (from > 0 && ((unsigned char)text.p[from] & 0xc0) == 0x80)
        from--;
    size_t to = bx_utf8_cut(text, BX_MIN(text.n, at + n + AROUND_BYTES));
    struct bx_buf out = BX_BUF_INIT(n + 3 * AROUND_BYTES + 64);
    bx_buf_addz(&out, from ? "…" : "");
    bool blank = false;
    for (size_t i = from; i < to; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c == 0x7f) {
            blank = true;
            continue;
        }
        if (blank && out.size)
            bx_buf_addc(&out, ' ');
        blank = false;
        bx_buf_addc(&out, (char)c);
    }
    bx_buf_addz(&out, to < text.n ? "…" : "");
    return bx_buf_steal(&out);
}

struct texts {
    struct bx_str p[FIELDS_MAX];
    size_t n;
};

static void take(struct texts *t, struct bx_str text) {
    if (text.n && t->n < FIELDS_MAX)
        t->p[t->n++] = text;
}

static void gather(struct texts *t, const struct bx_val *event) {
    static const char *const spoken[] = {"user", "assistant", "note"};
    struct bx_str type = bx_val_get_str(event, "type");
    for (size_t i = 0; i < BX_ARRAY_LEN(spoken); i++) {
        if (bx_str_eqz(type, spoken[i]))
            take(t, bx_val_get_str(event, "text"));
    }
    if (bx_str_eqz(type, "compact"))
        take(t, bx_val_get_str(event, "summary"));
    if (bx_str_eqz(type, "question"))
        take(t, bx_val_get_str(event, "plan"));
    if (!bx_str_eqz(type, "tool_result"))
        return;
    const struct bx_val *content = bx_val_get(event, "content");
    take(t, bx_val_str(content));
    bx_val_foreach_item (content, block)
        take(t, bx_val_get_str(block, "text"));
}

static void event_says(struct bx_str line, const struct bx_needle *needle,
                       struct bx_search_hit *hit) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_json_limits limits = {.max_size_bytes = BX_EVENT_MAX_BYTES};
    if (bx_doc_parse(line, &limits, &doc, NULL) < 0)
        return;
    struct texts texts = {.n = 0};
    gather(&texts, bx_doc_root(doc));
    for (size_t i = 0; i < texts.n; i++) {
        size_t at = bx_needle_find(needle, texts.p[i]);
        if (at != SIZE_MAX) {
            hit->said[hit->n++] =
                (struct bx_search_said){.seq = (uint64_t)bx_val_get_int(bx_doc_root(doc), "seq", 0),
                                        .text = snippet(texts.p[i], at, needle->text.n)};
            return;
        }
    }
}

/* ---- one file ---- */

struct looking {
    struct bx_needle needle, raw; /* as people write it, and as it stands in JSON */
    struct bx_cancel *cancel;
    uint64_t end_ms; /* 0: none */
};

static bool time_is_up(const struct looking *l) {
    return bx_cancel_fired(l->cancel) || (l->end_ms && bx_mono_ms() >= l->end_ms);
}

/* The whole lines at the front of the piece; true when enough of them have said it. */
static bool piece_says(const struct looking *l, struct bx_str lines, struct bx_search_hit *hit) {
    for (size_t from = 0; from < lines.n;) {
        struct bx_str rest = bx_str_n(lines.p + from, lines.n - from);
        size_t at = bx_needle_find(&l->raw, rest);
        if (at == SIZE_MAX)
            return false;
        size_t begin = from + at, end = from + at;
        while (begin > 0 && lines.p[begin - 1] != '\n')
            begin--;
        const char *nl = memchr(lines.p + end, '\n', lines.n - end);
        end = nl ? (size_t)(nl - lines.p) : lines.n;
        event_says(bx_str_n(lines.p + begin, end - begin), &l->needle, hit);
        if (hit->n == BX_SEARCH_SAID_MAX)
            return true;
        from = end + 1;
    }
    return false;
}

static size_t whole_lines(struct bx_str piece) {
    const char *nl = piece.n ? memrchr(piece.p, '\n', piece.n) : NULL;
    return nl ? (size_t)(nl - piece.p) + 1 : 0;
}

/* True when the file says it. It is read in pieces of whole lines; what is not a line yet waits for
 * the next piece. */
static bool file_says(const struct looking *l, const char *path, struct bx_buf *piece,
                      struct bx_search_hit *hit) {
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bx_buf_reset(piece);
    while (fd >= 0 &&
           !bx_cancel_fired(
               l->cancel)) { /* a file is looked at to its end: where to go on is a session */
        char *space = bx_buf_space(piece, PIECE_BYTES);
        ssize_t got = space ? read(fd, space, PIECE_BYTES) : 0;
        if (got <= 0)
            break;
        bx_buf_grew(piece, (size_t)got);
        size_t old = piece->size - (size_t)got; /* has no line end */
        size_t n = whole_lines(bx_str_n(piece->p + old, (size_t)got));
        n += n ? old : 0;
        if (n && piece_says(l, bx_str_n(piece->p, n), hit))
            break;
        bx_buf_consume(piece, n);
    }
    return hit->n > 0;
}

/* ---- all of them ---- */

/* The needle as it stands within the quotes of a JSON string. */
static void raw_form(struct bx_str needle, struct bx_buf *out) {
    bx_json_quote(out, needle);
    bx_buf_cut(out, out->size - 1);
    bx_buf_consume(out, 1);
}

static void free_hit(struct bx_search_hit *hit) {
    bx_session_row_deinit(&hit->row);
    for (size_t i = 0; i < hit->n; i++)
        bx_free(hit->said[i].text);
}

void bx_search_deinit(struct bx_search *s) {
    for (size_t i = 0; i < s->n; i++)
        free_hit(&s->hits[i]);
    bx_free(s->hits);
    *s = (struct bx_search){0};
}

static void write_one(struct bx_jw *w, const struct bx_search_said *said) {
    bx_jw_kuint(w, "seq", said->seq);
    bx_jw_kstr(w, "text", said->text);
    bx_jw_end(w);
}

void bx_search_write_said(struct bx_jw *w, const struct bx_search_hit *hit) {
    if (!hit->n)
        return;
    bx_jw_kobj(w, "hit");
    write_one(w, &hit->said[0]);
    bx_jw_karr(w, "hits");
    for (size_t i = 0; i < hit->n; i++) {
        bx_jw_obj(w);
        write_one(w, &hit->said[i]);
    }
    bx_jw_end(w);
}

struct found {
    BX_VEC(struct bx_search_hit) hits;
};

/* Looks through one page of the list. True: it was not looked at to its end; `next` is where it
 * stopped. */
static bool search_page(struct bx_store *s, const struct looking *l, struct bx_session_list *page,
                        size_t limit, struct found *found, struct bx_buf *piece,
                        char next[static 37]) {
    for (size_t i = 0; i < page->n; i++) {
        struct bx_session_row *row = &page->rows[i];
        if (found->hits.n == limit || (found->hits.n + i > 0 && time_is_up(l)))
            return true;
        bx_auto(bx_freep) char *path = bx_store_session_path(s, row->id);
        struct bx_search_hit hit = {.n = 0};
        memcpy(next, row->id, 37);
        if (file_says(l, path, piece, &hit) ||
            bx_needle_find(&l->needle, bx_str(row->title)) != SIZE_MAX) {
            hit.row = *row;
            memset(row, 0, sizeof *row); /* its strings moved */
            bx_vec_push(&found->hits, hit);
        }
    }
    return false;
}

int bx_store_search(struct bx_store *s, const struct bx_session_filter *filter, size_t limit,
                    uint64_t timeout_ms, struct bx_cancel *cancel, struct bx_search *ret,
                    struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf raw = BX_BUF_INIT(64 * BX_KIB);
    bx_auto(bx_buf_deinit) struct bx_buf piece = BX_BUF_INIT(BX_EVENT_MAX_BYTES + 2 * PIECE_BYTES);
    struct bx_session_filter rest = *filter;
    struct found found = {0};
    char next[37] = "";
    bool more = true, stopped = false;
    int rc = 0;
    *ret = (struct bx_search){0};
    if (strlen(filter->title) > NEEDLE_MAX)
        return bx_fail(err, BX_ERR_INVALID, "what is searched for has at most %d bytes",
                       NEEDLE_MAX);
    rest.title = NULL;
    raw_form(bx_str(filter->title), &raw);
    struct looking l = {.cancel = cancel, .end_ms = timeout_ms ? bx_mono_ms() + timeout_ms : 0};
    bx_needle_init(&l.needle, bx_str(filter->title));
    bx_needle_init(&l.raw, bx_buf_str(&raw));
    while (rc == 0 && more && !stopped) {
        struct bx_session_list page = {0};
        rc = bx_store_list(s, &rest, PAGE, &page, err);
        more = rc == 0 && page.more;
        stopped = search_page(s, &l, &page, limit, &found, &piece, next);
        bx_session_list_deinit(&page);
        rest.before = next;
    }
    *ret = (struct bx_search){.hits = found.hits.p, .n = found.hits.n, .more = stopped};
    memcpy(ret->next, next, sizeof next);
    if (rc == 0 && bx_cancel_fired(cancel))
        rc = bx_fail(err, BX_ERR_CANCELLED, "the search was stopped");
    if (rc < 0)
        bx_search_deinit(ret);
    return rc;
}
