#include "agent/recall.h"

#include "base/fold.h"
#include "base/utf8.h"
#include "json/write.h"

#define READ_CHUNK    (256 * BX_KIB)
#define MAX_LINE      (64 * BX_MIB)
#define WORDS_MAX     12
#define SNIPPET       300
#define AROUND        120 /* bytes before the first hit */
#define HITS_DEFAULT  8
#define HITS_MAX      30
#define BYTES_DEFAULT (8 * BX_KIB)

/* ---- the log, event by event ---- */

typedef bool on_event(void *user, const struct bx_val *event); /* false: enough */

static int each_event(struct bx_session *s, on_event *fn, void *user, struct bx_err *err) {
    bx_auto(bx_freep) struct bx_seq_range *gone = NULL;
    size_t gone_count = bx_session_rewound(s, &gone);
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(MAX_LINE + READ_CHUNK);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    int n;
    while ((n = bx_session_read(s, &cursor, READ_CHUNK, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (!line.n || bx_doc_parse(line, NULL, &doc, NULL))
                continue;
            uint64_t seq = (uint64_t)bx_val_get_int(bx_doc_root(doc), "seq", 0);
            if (seq && !bx_seq_in(gone, gone_count, seq) && !fn(user, bx_doc_root(doc)))
                return 0;
        }
        bx_buf_reset(&lines);
    }
    return n;
}

/* The words of an event: of a user, of the assistant with its calls, of a tool. False: it has none.
 */
static bool words_of(const struct bx_val *event, struct bx_buf *out) {
    struct bx_str type = bx_val_get_str(event, "type");
    bx_buf_reset(out);
    if (bx_str_eqz(type, "user") || bx_str_eqz(type, "assistant")) {
        struct bx_jw w;
        bx_buf_adds(out, bx_val_get_str(event, "text"));
        bx_val_foreach_item (bx_val_get(event, "calls"), call) {
            if (bx_str_eqz(bx_val_get_str(call, "tool"), "recall"))
                continue; /* a search finds neither itself nor what it found before */
            bx_buf_addf(out, "%s[call ", out->size ? "\n" : "");
            bx_buf_adds(out, bx_val_get_str(call, "tool"));
            bx_buf_addc(out, ' ');
            bx_jw_init(&w, out);
            bx_jw_val(&w, bx_val_get(call, "input"));
            bx_buf_addc(out, ']');
        }
    } else if (bx_str_eqz(type, "tool_result")) {
        const struct bx_val *content = bx_val_get(event, "content");
        bx_buf_adds(out, bx_val_str(content));
        bx_val_foreach_item (bx_val_is(content, BX_VAL_ARR) ? content : NULL, block) {
            if (out->size)
                bx_buf_addc(out, '\n');
            bx_buf_adds(out, bx_val_get(block, "text") ? bx_val_get_str(block, "text")
                                                       : BX_STR_LIT("[image]"));
        }
    }
    return out->size > 0;
}

/* ---- reading one again ---- */

struct reading {
    const struct bx_recall_wish *wish;
    struct bx_buf text;
    bool found, enough;
};

/* Ids repeat when a server gives them again; the last one of an id is meant. */
static bool on_read(void *user, const struct bx_val *event) {
    struct reading *r = user;
    struct bx_buf text = BX_BUF_INIT(MAX_LINE);
    bool is = r->wish->call ? bx_str_eqz(bx_val_get_str(event, "type"), "tool_result") &&
                                  bx_str_eqz(bx_val_get_str(event, "call"), r->wish->call)
                            : bx_val_get_int(event, "seq", 0) == r->wish->seq;
    if (is && words_of(event, &text)) {
        bx_buf_reset(&r->text);
        bx_buf_adds(&r->text, bx_buf_str(&text));
        r->found = true;
    }
    bx_buf_deinit(&text);
    return !(r->found && !r->wish->call);
}

static size_t on_border(struct bx_str text, size_t at) {
    while (at < text.n && ((unsigned char)text.p[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static int read_again(struct bx_session *s, const struct bx_recall_wish *wish, size_t max_bytes,
                      struct bx_recall_result *ret, struct bx_err *err) {
    struct reading r = {.wish = wish, .text = BX_BUF_INIT(MAX_LINE)};
    int rc = each_event(s, on_read, &r, err);
    struct bx_str all = bx_buf_str(&r.text);
    if (!rc && !r.found)
        rc = wish->call
                 ? bx_fail(err, BX_ERR_NOTFOUND,
                           "There is no result of a call \"%.100s\" in this session; find it with "
                           "{\"query\":\"words\"}",
                           wish->call)
                 : bx_fail(err, BX_ERR_NOTFOUND,
                           "Event %" PRId64 " is no message of this conversation", wish->seq);
    else if (!rc && (uint64_t)wish->offset > all.n)
        rc = bx_fail(err, BX_ERR_INVALID,
                     "It is %zu bytes long; offset %" PRId64 " is behind its end", all.n,
                     wish->offset);
    if (!rc) {
        size_t limit = wish->limit > 0 ? (size_t)wish->limit : BYTES_DEFAULT;
        size_t from = on_border(all, (size_t)wish->offset);
        struct bx_str part = bx_str_slice(all, from, BX_MIN(limit, max_bytes));
        part.n = from + part.n < all.n ? bx_utf8_cut(part, part.n) : part.n;
        size_t next = from + part.n;
        bx_buf_adds(&ret->text, part);
        ret->bytes = all.n;
        ret->next = next < all.n ? (int64_t)next : -1;
        if (next < all.n)
            bx_buf_addf(&ret->text, "\n[bytes %zu to %zu of %zu; go on with \"offset\":%zu]", from,
                        next, all.n, next);
    }
    bx_buf_deinit(&r.text);
    return rc;
}

/* ---- searching ---- */

struct hit {
    int64_t seq;
    unsigned score;
    char *line;
};
struct search {
    struct bx_needle words[WORDS_MAX];
    size_t word_count, max, total;
    struct hit hits[HITS_MAX + 1];
    size_t n;
    struct bx_buf text;
};

static char *snippet(const struct bx_val *event, struct bx_str text, size_t at) {
    size_t from = on_border(text, at > AROUND ? at - AROUND : 0);
    struct bx_str part = bx_str_slice(text, from, SNIPPET);
    struct bx_buf out = BX_BUF_INIT(4 * BX_KIB);
    part.n = bx_utf8_cut(part, part.n);
    bx_buf_addf(&out, "[%" PRId64 "] ", bx_val_get_int(event, "seq", 0));
    bx_buf_adds(&out, bx_val_get_str(event, "type"));
    if (bx_val_get_z(event, "call"))
        bx_buf_addf(&out, " of call %.100s (%.60s)", bx_val_get_z(event, "call"),
                    bx_val_get_z(event, "tool") ? bx_val_get_z(event, "tool") : "");
    bx_buf_addf(&out, ": %s", from ? "… " : "");
    for (size_t i = 0; i < part.n; i++)
        bx_buf_addc(&out, (unsigned char)part.p[i] < ' ' ? ' ' : part.p[i]);
    bx_buf_addf(&out, "%s\n", from + part.n < text.n ? " …" : "");
    return bx_buf_steal(&out);
}

/* More of the words first, then the newer. */
static void put(struct search *s, struct hit take_hit) {
    size_t at = s->n;
    while (at > 0 && s->hits[at - 1].score <= take_hit.score)
        at--;
    memmove(&s->hits[at + 1], &s->hits[at], (s->n - at) * sizeof s->hits[0]);
    s->hits[at] = take_hit;
    if (++s->n > s->max)
        bx_free(s->hits[--s->n].line);
}

static bool on_search(void *user, const struct bx_val *event) {
    struct search *s = user;
    if (bx_str_eqz(bx_val_get_str(event, "tool"), "recall") || !words_of(event, &s->text))
        return true;
    struct bx_str text = bx_buf_str(&s->text);
    size_t first = SIZE_MAX;
    unsigned score = 0;
    for (size_t i = 0; i < s->word_count; i++) {
        size_t at = bx_needle_find(&s->words[i], text);
        score += at != SIZE_MAX;
        first = BX_MIN(first, at);
    }
    if (!score)
        return true;
    s->total++;
    if (s->n == s->max && score < s->hits[s->n - 1].score)
        return true;
    put(s, (struct hit){.seq = bx_val_get_int(event, "seq", 0),
                        .score = score,
                        .line = snippet(event, text, first)});
    return true;
}

static void read_words(struct search *s, struct bx_str query) {
    struct bx_str word;
    for (size_t i = 0; i <= query.n; i++) {
        size_t from = i;
        while (i < query.n && (unsigned char)query.p[i] > ' ')
            i++;
        word = bx_str_slice(query, from, i - from);
        if (word.n && s->word_count < WORDS_MAX)
            bx_needle_init(&s->words[s->word_count++], word);
    }
}

static int search(struct bx_session *session, const struct bx_recall_wish *wish, size_t max_bytes,
                  struct bx_recall_result *ret, struct bx_err *err) {
    struct search s = {.max = wish->limit > 0 ? (size_t)BX_MIN(wish->limit, (int64_t)HITS_MAX)
                                              : HITS_DEFAULT,
                       .text = BX_BUF_INIT(MAX_LINE)};
    read_words(&s, bx_str(wish->query));
    int rc = s.word_count ? each_event(session, on_search, &s, err)
                          : bx_fail(err, BX_ERR_INVALID, "\"query\" has no words");
    for (size_t i = 0; i < s.n; i++) {
        if (!rc && ret->text.size + strlen(s.hits[i].line) <= max_bytes)
            bx_buf_addz(&ret->text, s.hits[i].line);
        bx_free(s.hits[i].line);
    }
    if (!rc && !s.n)
        bx_buf_addz(&ret->text, "Nothing in this session's log has any of these words.");
    else if (!rc)
        bx_buf_addf(&ret->text, "%zu of %zu events with these words; {\"seq\":N} shows one whole.",
                    s.n, s.total);
    ret->next = -1;
    ret->bytes = ret->text.size;
    bx_buf_deinit(&s.text);
    return rc;
}

int bx_recall(struct bx_session *s, const struct bx_recall_wish *wish, size_t max_bytes,
              struct bx_recall_result *ret, struct bx_err *err) {
    ret->text = BX_BUF_INIT(MAX_LINE);
    int rc = wish->query ? search(s, wish, max_bytes, ret, err)
                         : read_again(s, wish, max_bytes, ret, err);
    if (rc)
        bx_buf_deinit(&ret->text);
    return rc;
}
