#include "agent/history.h"

#include "agent/prefix.h"
#include "base/utf8.h"
#include "json/write.h"

#define READ_CHUNK (256 * BX_KIB)
#define MAX_LINE   (64 * BX_MIB)
#define NO_RESULT  "No result: the run ended before this call did."
#define LOADED_MAX 1000

struct bx_history *bx_history_new(const char *session_id, size_t result_max_bytes) {
    struct bx_history *h = bx_new(struct bx_history);
    snprintf(h->session_id, sizeof h->session_id, "%s", session_id);
    h->cursor = (struct bx_cursor){.next_seq = 1,
                                   .next_delta = UINT64_MAX}; /* deltas are of no interest here */
    h->result_max_bytes = result_max_bytes;
    h->factor = 1;
    h->counted = h->cached = -1;
    return h;
}

static void forget_open_calls(struct bx_history *h) {
    for (size_t i = 0; i < h->open_calls.n; i++)
        bx_free(h->open_calls.p[i]);
    h->open_calls.n = 0;
}

void bx_history_free(struct bx_history *h) {
    if (!h)
        return;
    for (size_t i = 0; i < h->messages.n; i++)
        bx_message_free(h->messages.p[i]);
    bx_vec_free(&h->messages);
    forget_open_calls(h);
    bx_vec_free(&h->open_calls);
    bx_vec_free(&h->calls);
    for (size_t i = 0; i < h->loaded.n; i++)
        bx_free(h->loaded.p[i]);
    bx_vec_free(&h->loaded);
    bx_given_deinit(&h->given);
    bx_active_deinit(&h->active);
    bx_free(h->rewound);
    bx_pinned_deinit(&h->pinned);
    bx_free(h->head);
    bx_free(h->kept);
    bx_free(h->first_request);
    bx_free(h->request);
    bx_free(h->broken_what);
    bx_free(h->model);
    bx_prefix_free(h->told);
    bx_free(h);
}

int64_t bx_tokens_estimate(struct bx_str text) {
    size_t wide = 0, marks = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        wide += c >= 0x80;
        marks += c < 0x80 && c > ' ' && !(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') &&
                 !(c >= 'a' && c <= 'z');
    }
    /* A word's characters at 4.5 a token, punctuation at 2, other scripts at 2.5 bytes. */
    return (int64_t)((double)(text.n - wide - marks) / 4.5 + (double)marks / 2 +
                     (double)wide / 2.5 + 0.5);
}

static struct bx_message *add_message(struct bx_history *h, struct bx_message *take_m,
                                      const struct bx_val *event) {
    take_m->origin = (uint64_t)bx_val_get_int(event, "seq", 0);
    h->estimate += bx_message_tokens(take_m);
    h->bytes += bx_message_bytes(take_m);
    bx_vec_push(&h->messages, take_m);
    return take_m;
}

static void add_text(struct bx_history *h, const struct bx_val *event, enum bx_tag tag,
                     const char *text) {
    struct bx_message *m = bx_message_new(BX_ROLE_USER);
    bx_message_add_text(m, text);
    m->tag = (int)tag;
    add_message(h, m, event);
}

char *bx_text_shorten(struct bx_str text, size_t max_bytes, const char *call) {
    if (text.n <= max_bytes)
        return bx_str_dup(text);
    size_t head = bx_utf8_cut(text, max_bytes / 3 * 2), tail = max_bytes / 3, from = text.n - tail;
    while (from < text.n && ((unsigned char)text.p[from] & 0xC0) == 0x80)
        from++;
    size_t line = head;
    while (line > head - head / 4 && text.p[line - 1] != '\n')
        line--;
    if (line > head - head / 4)
        head = line;
    struct bx_buf out = BX_BUF_INIT(text.n + 400);
    bx_buf_add(&out, text.p, head);
    bx_buf_addf(&out, "\n[… %zu of %zu bytes are left out here", from - head, text.n);
    if (call)
        bx_buf_addf(&out, "; recall {\"call\":\"%.100s\",\"offset\":%zu} shows them", call, head);
    bx_buf_addz(&out, " …]\n");
    bx_buf_add(&out, text.p + from, text.n - from);
    return bx_buf_steal(&out);
}

/* ---- folding events ---- */

static void load_tool(struct bx_history *h, struct bx_str name) {
    bool known = !name.n || h->loaded.n >= LOADED_MAX;
    for (size_t i = 0; i < h->loaded.n && !known; i++)
        known = bx_str_eqz(name, h->loaded.p[i]);
    if (!known)
        bx_vec_push(&h->loaded, bx_str_dup(name));
}

/* From here on there is something to recall; the tool joins the list like one that was loaded, so
 * the list grows at its end. */
static void make_recallable(struct bx_history *h) {
    h->recallable = true;
    load_tool(h, BX_STR_LIT("recall"));
}

#define FIRST_REQUEST_MAX 1000
#define REQUEST_MAX       (8 * BX_KIB)

static void fold_user(struct bx_history *h, const struct bx_val *event) {
    const char *text = bx_val_get_z(event, "expanded"); /* "/name args": the skill's words */
    text = text ? text : bx_val_get_z(event, "text");
    text = text ? text : "";
    add_text(h, event, BX_TAG_TALK, text);
    h->pending = h->messages.n;
    if (!h->first_request)
        h->first_request = bx_text_shorten(bx_str(text), FIRST_REQUEST_MAX, NULL);
    bx_free(h->request);
    h->request = bx_text_shorten(bx_str(text), REQUEST_MAX, NULL);
    h->request_seq = (uint64_t)bx_val_get_int(event, "seq", 0);
}

static char *arguments_text(const struct bx_val *input) {
    if (!bx_val_is(input, BX_VAL_OBJ))
        return bx_strdup("{}"); /* broken JSON: providers refuse it in a history; the result says
                                   what was wrong */
    struct bx_buf out = BX_BUF_INIT(MAX_LINE);
    struct bx_jw w;
    bx_jw_init(&w, &out);
    bx_jw_val(&w, input);
    return bx_buf_steal(&out);
}

static void fold_assistant(struct bx_history *h, const struct bx_val *event) {
    const struct bx_val *calls = bx_val_get(event, "calls");
    struct bx_str text = bx_val_get_str(event, "text");
    if (!text.n && !bx_val_len(calls))
        return; /* an empty message is refused by providers */
    struct bx_message *m = bx_message_new(BX_ROLE_ASSISTANT);
    if (text.n)
        bx_message_add_text(m, text.p);
    bx_val_foreach_item (calls, call) {
        struct bx_block *b = bx_message_add(m, BX_BLOCK_CALL);
        b->id = bx_strdup(bx_val_get_z(call, "id"));
        b->tool = bx_strdup(bx_val_get_z(call, "tool"));
        b->arguments = arguments_text(bx_val_get(call, "input"));
    }
    add_message(h, m, event);
    h->pending = h->messages.n;
    forget_open_calls(h);
    bx_val_foreach_item (calls, call2) {
        struct bx_message *result = bx_message_new(BX_ROLE_TOOL);
        struct bx_block *b = bx_message_add(result, BX_BLOCK_RESULT);
        b->id = bx_strdup(bx_val_get_z(call2, "id"));
        b->tool = bx_strdup(bx_val_get_z(call2, "tool"));
        b->text = bx_strdup(NO_RESULT);
        b->is_error = true;
        add_message(h, result, event);
        bx_vec_push(&h->open_calls, bx_strdup(b->id ? b->id : ""));
        bx_vec_push(&h->calls, bx_str_hash(bx_str(b->id)));
    }
}

/* The text of a result; images go to `images`, a user message behind the results (providers take
 * them nowhere else). */
static char *content_text(const struct bx_val *content, struct bx_message **images) {
    if (!bx_val_is(content, BX_VAL_ARR))
        return bx_strdup(bx_val_z(content) ? bx_val_z(content) : "");
    struct bx_buf out = BX_BUF_INIT(MAX_LINE);
    bx_val_foreach_item (content, block) {
        const char *text = bx_val_get_z(block, "text"), *data = bx_val_get_z(block, "data");
        if (text) {
            bx_buf_addf(&out, "%s%s", out.size ? "\n" : "", text);
        } else if (data) {
            bx_buf_addf(&out, "%s[image, shown below]", out.size ? "\n" : "");
            if (!*images) {
                *images = bx_message_new(BX_ROLE_USER);
                (*images)->tag = BX_TAG_IMAGES;
            }
            struct bx_block *b = bx_message_add(*images, BX_BLOCK_IMAGE);
            b->mime = bx_strdup(bx_val_get_z(block, "mime"));
            b->data = bx_strdup(data);
        }
    }
    bx_buf_addz(&out, "");
    return bx_buf_steal(&out);
}

static void close_call(struct bx_history *h, const char *id) {
    for (size_t i = 0; i < h->open_calls.n; i++) {
        if (strcmp(h->open_calls.p[i], id) == 0) {
            bx_free(h->open_calls.p[i]);
            bx_vec_remove(&h->open_calls, i);
            return;
        }
    }
}

static void fold_result(struct bx_history *h, const struct bx_val *event) {
    const char *id = bx_val_get_z(event, "call");
    for (size_t i = h->pending; id && i < h->messages.n; i++) {
        struct bx_message *m = h->messages.p[i];
        struct bx_block *b = m->blocks.n ? &m->blocks.p[0] : NULL;
        if (m->role != BX_ROLE_TOOL || !b->id || strcmp(b->id, id))
            continue;
        h->estimate -= bx_message_tokens(m);
        h->bytes -= bx_message_bytes(m);
        struct bx_message *images = NULL;
        bx_auto(bx_freep) char *text = content_text(bx_val_get(event, "content"), &images);
        bx_free(b->text);
        b->text = bx_text_shorten(bx_str(text), h->result_max_bytes, b->id);
        if (strlen(text) > h->result_max_bytes)
            make_recallable(h);
        b->is_error = bx_val_get_bool(event, "is_error", false);
        h->estimate += bx_message_tokens(m);
        h->bytes += bx_message_bytes(m);
        close_call(h, id);
        if (images)
            add_message(h, images, event)->origin = m->origin;
        return;
    }
}

static void fold_usage(struct bx_history *h, const struct bx_val *event) {
    if (bx_val_get(event, "for"))
        return; /* of a request that was not this conversation's */
    if (bx_val_get(event, "prefix"))
        h->told = bx_prefix_fold(h->told, bx_val_get(event, "prefix"));
    int64_t counted = bx_val_get_int(event, "input_tokens", -1),
            ours = bx_val_get_int(event, "estimated", 0);
    h->counted = counted;
    h->cached = bx_val_get_int(event, "cached_tokens", -1);
    h->truncated = bx_val_get_bool(event, "truncated", false);
    if (!h->broken_now) /* the request before this one had the break */
        h->broken_part[0] = '\0';
    h->broken_now = false;
    if (h->truncated) {
        h->truncated_at = BX_MAX(h->truncated_at, counted);
    } else if (counted > 0 && ours > 0) {
        h->factor = BX_MIN(3.0, BX_MAX(0.5, (double)counted / (double)ours));
        h->factor_known = true;
    }
}

static void fold_break(struct bx_history *h, const struct bx_val *event) {
    snprintf(h->broken_part, sizeof h->broken_part, "%s",
             bx_val_get_z(event, "part") ? bx_val_get_z(event, "part") : "");
    bx_free(h->broken_what);
    h->broken_what = bx_str_dup(bx_val_get_str(event, "what"));
    h->broken_now = true;
}

/* Another model counts in another way, and may be served with another window; choosing the same one
 * again says that it is. */
static void forget_counts(struct bx_history *h) {
    h->truncated_at = 0;
    h->truncated = h->factor_known = false;
    h->factor = 1;
    h->counted = h->cached = -1;
}

/* What it says is built for a moment only: the strings are the event's. */
static void fold_compact(struct bx_history *h, const struct bx_val *event) {
    const struct bx_val *kept = bx_val_get(event, "kept"), *lost = bx_val_get(event, "lost");
    struct bx_cut cut = {
        .upto = (uint64_t)bx_val_get_int(event, "upto", 0),
        .results_upto = (uint64_t)bx_val_get_int(event, "results_upto", 0),
        .result_bytes = (size_t)BX_MAX(bx_val_get_int(event, "result_bytes", 0), 0),
        .summary = bx_val_get_z(event, "summary") ? bx_val_get_z(event, "summary") : ""};
    bx_auto(bx_freep) const char **texts = bx_alloc((bx_val_len(kept) + 1) * sizeof *texts);
    bx_val_foreach_item (kept, text) {
        if (bx_val_z(text))
            texts[cut.kept_count++] = bx_val_z(text);
    }
    cut.kept = texts;
    h->turns_gone += (size_t)BX_MAX(bx_val_get_int(lost, "turns", 0), 0);
    bx_history_cut(h, &cut);
    h->after_cut = bx_val_get_int(event, "after_tokens", 0);
    make_recallable(h);
}

/* Facts and instructions are told where they came, so that what stands before them stays the same.
 */
static void fold_pinned(struct bx_history *h, struct bx_str type, const struct bx_val *event) {
    if (bx_str_eqz(type, "fact")) {
        const struct bx_fact *f = bx_pinned_fact(&h->pinned, bx_val_get_str(event, "id"));
        bx_auto(bx_freep) char *text = f ? bx_fact_message(f) : NULL;
        if (text)
            add_text(h, event, BX_TAG_FACT, text);
    } else if (bx_str_eqz(type, "instructions")) {
        const char *text = bx_val_get_z(event, "text");
        if (text)
            add_text(h, event, BX_TAG_PROJECT, text);
    }
}

static void remove_fact(struct bx_history *h, uint64_t seq) {
    for (size_t i = 0; i < h->messages.n; i++) {
        struct bx_message *m = h->messages.p[i];
        if (m->tag != BX_TAG_FACT || m->origin != seq)
            continue;
        h->estimate -= bx_message_tokens(m);
        h->bytes -= bx_message_bytes(m);
        bx_message_free(m);
        bx_vec_remove(&h->messages, i);
        h->pending -= i < h->pending;
        return;
    }
    bx_history_make_head(h);
}

static bool fold_beside(struct bx_history *h, struct bx_str type, const struct bx_val *event) {
    const struct bx_fact *f = bx_str_eqz(type, "fact") || bx_str_eqz(type, "fact_drop")
                                  ? bx_pinned_fact(&h->pinned, bx_val_get_str(event, "id"))
                                  : NULL;
    uint64_t was = f ? f->seq : 0;
    if (!bx_pinned_fold(&h->pinned, type, event))
        return false;
    if (was)
        remove_fact(h, was);
    fold_pinned(h, type, event);
    return true;
}

static void fold_loaded(struct bx_history *h, const struct bx_val *event) {
    bx_val_foreach_item (bx_val_get(event, "tools"), name) {
        load_tool(h, bx_val_str(name));
    }
}

/* What a rewind takes back; rules, titles and the ends of runs count all the same. */
static bool is_taken_back(const struct bx_history *h, struct bx_str type,
                          const struct bx_val *event) {
    static const char *const types[] = {"user",         "assistant", "tool_result",
                                        "tools_loaded", "compact",   "instructions"};
    bool conversation = false;
    for (size_t i = 0; i < BX_ARRAY_LEN(types) && !conversation; i++)
        conversation = bx_str_eqz(type, types[i]);
    return conversation &&
           bx_seq_in(h->rewound, h->rewound_count, (uint64_t)bx_val_get_int(event, "seq", 0));
}

static void fold(struct bx_history *h, const struct bx_val *event) {
    struct bx_str type = bx_val_get_str(event, "type");
    if (is_taken_back(h, type, event))
        return;
    bx_active_fold(&h->active, type, event);
    if (bx_str_eqz(type, "user")) {
        fold_user(h, event);
    } else if (bx_str_eqz(type, "assistant")) {
        fold_assistant(h, event);
    } else if (bx_str_eqz(type, "tool_result")) {
        fold_result(h, event);
    } else if (bx_str_eqz(type, "compact")) {
        fold_compact(h, event);
    } else if (bx_str_eqz(type, "usage")) {
        fold_usage(h, event);
    } else if (bx_str_eqz(type, "cache_break")) {
        fold_break(h, event);
    } else if (bx_str_eqz(type, "tools_loaded")) {
        fold_loaded(h, event);
    } else if (bx_str_eqz(type, "title")) {
        h->has_title = true;
    } else if (bx_str_eqz(type, "model")) {
        forget_counts(h);
        bx_given_fold(&h->given, type, event);
    } else if (bx_str_eqz(type, "run_start")) {
        if (!bx_str_eqz(bx_val_get_str(event, "model"), h->model ? h->model : "")) {
            if (h->model)
                forget_counts(h);
            bx_free(h->model);
            h->model = bx_str_dup(bx_val_get_str(event, "model"));
        }
        snprintf(h->open_run, sizeof h->open_run, BX_STR_FMT,
                 BX_STR_ARG(bx_val_get_str(event, "run")));
        forget_open_calls(h);
    } else if (bx_str_eqz(type, "run_end")) {
        h->open_run[0] = '\0';
        forget_open_calls(h);
    } else if (!fold_beside(h, type, event)) {
        bx_given_fold(&h->given, type, event);
    }
}

/* The log was rewound since the last time: what was folded may be of what it took out. */
static void start_over_when_rewound(struct bx_history *h, struct bx_session *s) {
    struct bx_seq_range *now = NULL;
    size_t n = bx_session_rewound(s, &now);
    if (n == h->rewound_count && (!n || now[n - 1].to == h->rewound[n - 1].to)) {
        bx_free(now);
        return;
    }
    struct bx_history *fresh = bx_history_new(h->session_id, h->result_max_bytes), old = *h;
    fresh->factor = h->factor;
    fresh->rewound = now;
    fresh->rewound_count = n;
    *h = *fresh;
    *fresh = old;
    bx_history_free(fresh);
}

int bx_history_catch_up(struct bx_history *h, struct bx_session *s, struct bx_err *err) {
    start_over_when_rewound(h, s);
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(MAX_LINE + READ_CHUNK);
    int n;
    while ((n = bx_session_read(s, &h->cursor, READ_CHUNK, &lines, err)) > 0) {
        struct bx_str rest = bx_buf_str(&lines), line;
        while (bx_str_split(&rest, '\n', &line)) {
            bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
            if (!line.n || bx_doc_parse(line, NULL, &doc, NULL))
                continue; /* the store counts damaged lines; the rest of the session goes on */
            if (bx_val_get(bx_doc_root(doc), "seq"))
                fold(h, bx_doc_root(doc));
        }
        bx_buf_reset(&lines);
    }
    return n;
}

bool bx_history_knows_call(const struct bx_history *h, const char *id) {
    uint64_t hash = bx_str_hash(bx_str(id));
    for (size_t i = 0; i < h->calls.n; i++)
        if (h->calls.p[i] == hash)
            return true;
    return false;
}
