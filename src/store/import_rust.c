/* The sessions of BoxAgnts in Rust: {id, created_at, updated_at, messages: [{role, content: text or
 * blocks}], model, title, …}. A message of the user's that has text begins a run; results of tools
 * stand in messages of the user's. */
#include "base/clock.h"
#include "base/id.h"
#include "base/map.h"
#include "store/import_impl.h"
#include "store/session_impl.h"

#define TEXT_MAX (32 * BX_MIB)

struct rust {
    struct bx_import *im;
    struct bx_map *tools; /* call id -> name */
    char run[37];         /* "" between runs */
    unsigned turn;
    struct bx_str model;
    int64_t t_ms, last_t_ms;
    struct bx_buf body;
    struct bx_jw jw;
};

static struct bx_jw *begin(struct rust *r) {
    bx_buf_reset(&r->body);
    bx_jw_init(&r->jw, &r->body);
    bx_jw_obj(&r->jw);
    if (r->run[0])
        bx_jw_kstr(&r->jw, "run", r->run);
    return &r->jw;
}

static void end(struct rust *r, const char *type) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_jw_end(&r->jw);
    if (bx_buf_failed(&r->body) || bx_doc_parse(bx_buf_str(&r->body), NULL, &doc, NULL) < 0) {
        bx_import_lost(r->im, "messages that are too large");
        return;
    }
    bx_ends_note(&r->im->ends, bx_str(type), bx_doc_root(doc));
    bx_session_writer_event(&r->im->w, type, r->t_ms, bx_buf_str(&r->body));
}

static void end_run(struct rust *r) {
    if (!r->run[0])
        return;
    bx_ends_close(&r->im->ends, &r->im->w,
                  "No result: the session that this was imported from does not have one.", "done");
    r->run[0] = '\0';
}

static void begin_run(struct rust *r, struct bx_str text) {
    end_run(r);
    bx_id_new(r->run);
    r->turn = 0;
    struct bx_jw *w = begin(r);
    bx_jw_kstrn(w, "model", r->model);
    bx_jw_kstr(w, "mode", "default");
    bx_jw_kuint(w, "max_turns", 0);
    end(r, "run_start");
    bx_jw_kstrn(begin(r), "text", text);
    end(r, "user");
}

/* ---- blocks ---- */

static void add_text(struct bx_buf *to, struct bx_str text) {
    if (text.n && to->size)
        bx_buf_addz(to, "\n\n");
    bx_buf_adds(to, text);
}

static void lost_block(struct rust *r, struct bx_str type) {
    static const struct {
        const char *type, *what;
    } known[] = {
        {"image", "images in messages"},
        {"document", "documents in messages"},
        {"redacted_thinking", "reasoning that its provider kept secret"},
        {"collapsed_read_search", "folded searches"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(known); i++) {
        if (bx_str_eqz(type, known[i].type)) {
            bx_import_lost(r->im, known[i].what);
            return;
        }
    }
    bx_import_lost(r->im, "parts of an unknown kind");
}

/* What its terminal showed as more than text: told as a person would write it. */
static bool add_terminal(struct bx_buf *to, const struct bx_val *block) {
    static const struct {
        const char *type, *before, *first, *between, *second;
    } kinds[] = {
        {"user_local_command_output", "! ", "command", "\n", "output"},
        {"user_command", "/", "name", " ", "args"},
        {"user_memory_input", "# ", "key", ": ", "value"},
        {"task_assignment", "", "subject", "\n", "description"},
    };
    struct bx_str type = bx_val_get_str(block, "type");
    for (size_t i = 0; i < BX_ARRAY_LEN(kinds); i++) {
        struct bx_str first = bx_val_get_str(block, kinds[i].first),
                      second = bx_val_get_str(block, kinds[i].second);
        if (!bx_str_eqz(type, kinds[i].type) || !first.n)
            continue;
        bx_buf_addf(to, "%s%s", to->size ? "\n\n" : "", kinds[i].before);
        bx_buf_adds(to, first);
        bx_buf_addz(to, second.n ? kinds[i].between : "");
        bx_buf_adds(to, second);
        return true;
    }
    return false;
}

static void take_error(struct rust *r, const struct bx_val *block) {
    struct bx_jw *w = begin(r);
    bx_jw_kstr(w, "where", "model");
    bx_jw_kstr(w, "code", bx_err_name(BX_ERR_UNAVAILABLE));
    bx_jw_kstrn(w, "text", bx_val_get_str(block, "message"));
    bx_jw_kstr(w, "hint", NULL);
    end(r, "error");
}

/* "content" of a result: a string, or blocks of text and images. */
static void write_content(struct rust *r, struct bx_jw *w, const struct bx_val *content) {
    bx_jw_key(w, "content");
    if (!bx_val_is(content, BX_VAL_ARR)) {
        bx_jw_str(w, bx_val_str(content));
        return;
    }
    bx_jw_arr(w);
    bx_val_foreach_item (content, block) {
        struct bx_str type = bx_val_get_str(block, "type");
        const struct bx_val *source = bx_val_get(block, "source");
        if (bx_str_eqz(type, "text")) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "type", "text");
            bx_jw_kstrn(w, "text", bx_val_get_str(block, "text"));
            bx_jw_end(w);
        } else if (bx_str_eqz(type, "image") && bx_val_get_str(source, "data").n) {
            bx_jw_obj(w);
            bx_jw_kstr(w, "type", "image");
            bx_jw_kstrn(w, "mime", bx_val_get_str(source, "media_type"));
            bx_jw_kstrn(w, "data", bx_val_get_str(source, "data"));
            bx_jw_end(w);
        } else {
            lost_block(r, type);
        }
    }
    bx_jw_end(w);
}

static void take_result(struct rust *r, const struct bx_val *block) {
    struct bx_str call = bx_val_get_str(block, "tool_use_id");
    const char *tool = call.n ? bx_map_get(r->tools, call) : NULL;
    if (!tool || !r->run[0]) {
        bx_import_lost(r->im, "results of calls that are not there");
        return;
    }
    struct bx_jw *w = begin(r);
    bx_jw_kuint(w, "turn", r->turn);
    bx_jw_kstrn(w, "call", call);
    bx_jw_kstr(w, "tool", tool);
    write_content(r, w, bx_val_get(block, "content"));
    bx_jw_kbool(w, "is_error", bx_val_get_bool(block, "is_error", false));
    bx_jw_kstr(w, "limit", NULL);
    bx_jw_kstr(w, "receipt", NULL);
    bx_jw_kuint(w, "ms", 0);
    end(r, "tool_result");
}

/* ---- messages ---- */

static void take_user(struct rust *r, const struct bx_val *content) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(TEXT_MAX);
    add_text(&text, bx_val_str(content));
    bx_val_foreach_item (content, block) {
        struct bx_str type = bx_val_get_str(block, "type");
        if (bx_str_eqz(type, "tool_result"))
            take_result(r, block);
        else if (bx_str_eqz(type, "text"))
            add_text(&text, bx_val_get_str(block, "text"));
        else if (bx_str_eqz(type, "system_a_p_i_error"))
            take_error(r, block);
        else if (!add_terminal(&text, block))
            lost_block(r, type);
    }
    if (bx_str_trim(bx_buf_str(&text)).n)
        begin_run(r, bx_buf_str(&text));
}

static size_t write_calls(struct rust *r, struct bx_jw *w, const struct bx_val *content) {
    size_t n = 0;
    bx_jw_karr(w, "calls");
    bx_val_foreach_item (content, block) {
        struct bx_str id = bx_val_get_str(block, "id"), name = bx_val_get_str(block, "name");
        if (!bx_str_eqz(bx_val_get_str(block, "type"), "tool_use") || !id.n || !name.n)
            continue;
        bx_map_put(r->tools, id, bx_str_dup(name));
        bx_jw_obj(w);
        bx_jw_kstrn(w, "id", id);
        bx_jw_kstrn(w, "tool", name);
        bx_jw_kval(w, "input", bx_val_get(block, "input"));
        bx_jw_end(w);
        n++;
    }
    bx_jw_end(w);
    return n;
}

/* What the message took, where it says so; the price was the provider's at that time. */
static void take_cost(struct rust *r, const struct bx_val *cost) {
    if (!bx_val_is(cost, BX_VAL_OBJ))
        return;
    int64_t read = BX_MAX(bx_val_get_int(cost, "cache_read_input_tokens", 0), 0);
    int64_t input = BX_MAX(bx_val_get_int(cost, "input_tokens", 0), 0) + read +
                    BX_MAX(bx_val_get_int(cost, "cache_creation_input_tokens", 0), 0);
    double usd = bx_val_real(bx_val_get(cost, "cost_usd"), -1);
    struct bx_jw *w = begin(r);
    bx_jw_kuint(w, "turn", r->turn);
    bx_jw_kint(w, "input_tokens", input);
    bx_jw_kint(w, "output_tokens", BX_MAX(bx_val_get_int(cost, "output_tokens", 0), 0));
    bx_jw_kint(w, "cached_tokens", read);
    bx_jw_kreal_if(w, "cost", usd, usd >= 0);
    end(r, "usage");
}

static void take_assistant(struct rust *r, const struct bx_val *message) {
    const struct bx_val *content = bx_val_get(message, "content");
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(TEXT_MAX),
                                         reasoning = BX_BUF_INIT(TEXT_MAX);
    add_text(&text, bx_val_str(content));
    bx_val_foreach_item (content, block) {
        struct bx_str type = bx_val_get_str(block, "type");
        if (bx_str_eqz(type, "text"))
            add_text(&text, bx_val_get_str(block, "text"));
        else if (bx_str_eqz(type, "thinking"))
            add_text(&reasoning, bx_val_get_str(block, "thinking"));
        else if (!bx_str_eqz(type, "tool_use"))
            lost_block(r, type);
    }
    if (!r->run[0])
        begin_run(r, BX_STR_LIT("(The imported session begins with an answer.)"));
    struct bx_jw *w = begin(r);
    bx_jw_kuint(w, "turn", ++r->turn);
    bx_jw_kstrn(w, "text", bx_buf_str(&text));
    if (reasoning.size)
        bx_jw_kstrn(w, "reasoning", bx_buf_str(&reasoning));
    size_t calls = write_calls(r, w, content);
    bx_jw_kstr(w, "finish", calls ? "tool_calls" : "stop");
    end(r, "assistant");
    take_cost(r, bx_val_get(message, "cost"));
}

/* ---- the file ---- */

static void say_what_stays(struct rust *r, const struct bx_val *root) {
    static const struct {
        const char *member, *what;
    } members[] = {
        {"tags", "tags"},
        {"checkpoints", "checkpoints"},
        {"branch_from", "which session it is a branch of"},
        {"parent_session_id", "which session it came from"},
        {"remote_session_url", "its address on a remote server"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(members); i++) {
        const struct bx_val *v = bx_val_get(root, members[i].member);
        if (bx_val_len(v) || bx_val_str(v).n)
            bx_import_lost(r->im, members[i].what);
    }
    if (bx_val_real(bx_val_get(root, "total_cost"), 0) > 0 ||
        bx_val_get_int(root, "total_tokens", 0) > 0)
        bx_import_lost(r->im, "totals of tokens and cost");
}

/* Its times have up to nine digits of a second and an offset that is always UTC. */
static int64_t time_of(const struct bx_val *root, const char *key, int64_t otherwise) {
    struct bx_str s = bx_val_get_str(root, key);
    char text[25];
    int64_t ms = 0;
    if (s.n < 19)
        return otherwise;
    snprintf(text, sizeof text, "%.19sZ", s.p);
    return bx_time_parse(bx_str(text), &ms) && ms > 0 && ms <= bx_wall_ms() ? ms : otherwise;
}

static int begin_session(struct rust *r, const struct bx_val *root, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *header = NULL;
    char t[25];
    struct bx_jw w;
    r->t_ms = time_of(root, "created_at", bx_wall_ms());
    r->last_t_ms = BX_MAX(r->t_ms, time_of(root, "updated_at", r->t_ms));
    bx_time_format(r->t_ms, t);
    bx_jw_init(&w, &text);
    bx_jw_obj(&w);
    bx_jw_kval(&w, "title", bx_val_get(root, "title"));
    bx_jw_kval(&w, "model", bx_val_get(root, "model"));
    bx_jw_kstr(&w, "created_at", t);
    bx_jw_end(&w);
    if (bx_buf_failed(&text) || bx_doc_parse(bx_buf_str(&text), NULL, &header, NULL) < 0)
        return bx_fail(err, BX_ERR_INVALID,
                       "the title or the model of this session is no text of a usual length");
    r->model = bx_str_slice(bx_val_get_str(root, "model"), 0, 400);
    return bx_import_begin(r->im, bx_doc_root(header), err);
}

static void rust_deinit(struct rust *r) {
    bx_map_free(r->tools);
    bx_buf_deinit(&r->body);
}

int bx_import_rust(struct bx_import *im, const struct bx_val *root, struct bx_err *err) {
    bx_auto(rust_deinit) struct rust r = {
        .im = im, .tools = bx_map_new(bx_free), .body = BX_BUF_INIT(BX_EVENT_MAX_BYTES)};
    int rc = begin_session(&r, root, err);
    if (rc < 0)
        return rc;
    const struct bx_val *messages = bx_val_get(root, "messages");
    size_t left = bx_val_len(messages);
    bx_val_foreach_item (messages, message) {
        struct bx_str role = bx_val_get_str(message, "role");
        if (--left == 0)
            r.t_ms = r.last_t_ms;
        if (bx_str_eqz(role, "user"))
            take_user(&r, bx_val_get(message, "content"));
        else if (bx_str_eqz(role, "assistant"))
            take_assistant(&r, message);
        else
            bx_import_lost(im, "messages that are neither the user's nor the assistant's");
    }
    end_run(&r);
    say_what_stays(&r, root);
    return 0;
}
