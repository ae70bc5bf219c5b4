/* The routes below /api/v1/sessions. Worker threads. */
#include "api/sessions.h"
#include "base/clock.h"
#include "permit/permit.h"
#include "store/place.h"
#include "store/search.h"
#include "tools/session.h"

#define SEARCH_MS 1000 /* of one request; it says where to go on */

static void write_time(struct bx_jw *w, const char *key, int64_t wall_ms) {
    char text[25];
    bx_time_format(wall_ms, text);
    bx_jw_kstr(w, key, text);
}

/* hit: what a search found in it, or NULL. */
static void write_hit(struct bx_jw *w, struct bx_agent *agent, const struct bx_session_row *row,
                      const struct bx_search_hit *hit) {
    bx_jw_obj(w);
    bx_jw_kstr(w, "id", row->id);
    bx_jw_kstr(w, "title", row->title ? row->title : "");
    write_time(w, "created_at", row->created_at_ms);
    write_time(w, "updated_at", row->updated_at_ms);
    bx_jw_kstr(w, "model", row->model ? row->model : "");
    bx_jw_kstr(w, "mode", row->mode ? row->mode : "");
    bx_jw_kuint(w, "events", row->events);
    bx_jw_kbool(w, "running", bx_agent_is_running(agent, row->id));
    bx_jw_kbool(w, "waiting", bx_agent_is_waiting(agent, row->id));
    bx_jw_kbool(w, "damaged", row->damaged);
    bx_jw_kstr(w, "kind", row->kind);
    bx_jw_kstr(w, "agent", row->agent[0] ? row->agent : NULL);
    bx_session_write_origin(w, &row->parent, &row->forked_from);
    bx_jw_kbool(w, "pinned", row->pinned);
    bx_jw_kbool(w, "planner", row->planner);
    bx_jw_kint(w, "input_tokens", row->input_tokens);
    bx_jw_kint(w, "output_tokens", row->output_tokens);
    bx_jw_kreal_if(w, "cost", row->cost, row->cost_known);
    if (hit)
        bx_search_write_said(w, hit);
    bx_jw_end(w);
}

void bx_api_write_row(struct bx_jw *w, struct bx_agent *agent, const struct bx_session_row *row) {
    write_hit(w, agent, row, NULL);
}

int bx_api_reply_row(struct bx_api_call *c, const char *id, int status, struct bx_err *err) {
    struct bx_session_row row;
    int r = bx_store_row(c->api->config->store, id, &row, err);
    if (r < 0)
        return r;
    bx_api_write_row(bx_call_json(c, status), c->api->config->agent, &row);
    bx_session_row_deinit(&row);
    return 0;
}

/* NULL when it is not there or empty. */
static const char *query_text(struct bx_api_call *c, const char *name, struct bx_buf *buf) {
    return bx_http_query(c->req, name, buf) && buf->size ? bx_buf_z(buf) : NULL;
}

static int search(struct bx_api_call *c, const struct bx_session_filter *filter, const char *in,
                  size_t limit, struct bx_err *err) {
    struct bx_search found;
    if (strcmp(in, "text") != 0)
        return bx_call_fault(c, "in", err, "\"in\" must be title or text");
    int r =
        bx_store_search(c->api->config->store, filter, limit, SEARCH_MS, c->cancel, &found, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "sessions");
    for (size_t i = 0; i < found.n; i++)
        write_hit(w, c->api->config->agent, &found.hits[i].row, &found.hits[i]);
    bx_jw_end(w);
    bx_jw_kbool(w, "more", found.more);
    bx_jw_kstr(w, "next", found.more ? found.next : NULL);
    bx_jw_end(w);
    bx_search_deinit(&found);
    return 0;
}

static int list_place(struct bx_api_call *c, const char *name, size_t limit, struct bx_err *err) {
    struct bx_session_list list;
    bool trash = strcmp(name, "trash") == 0;
    if (!trash && strcmp(name, "archive") != 0)
        return bx_call_fault(c, "place", err, "\"place\" must be trash or archive");
    int r = bx_store_place_list(c->api->config->store, trash ? BX_PLACE_TRASH : BX_PLACE_ARCHIVE,
                                INT64_MAX, &list, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "sessions");
    for (size_t i = 0; i < BX_MIN(list.n, limit); i++)
        bx_api_write_row(w, c->api->config->agent, &list.rows[i]);
    bx_jw_end(w);
    bx_jw_kbool(w, "more", list.n > limit);
    bx_jw_kstr(w, "next", NULL);
    bx_jw_end(w);
    bx_session_list_deinit(&list);
    return 0;
}

int bx_route_sessions_list(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf before = BX_BUF_INIT(BX_CALL_QUERY_MAX),
                                         query = BX_BUF_INIT(BX_CALL_QUERY_MAX),
                                         kind = BX_BUF_INIT(BX_CALL_QUERY_MAX),
                                         parent = BX_BUF_INIT(BX_CALL_QUERY_MAX),
                                         in = BX_BUF_INIT(BX_CALL_QUERY_MAX),
                                         place = BX_BUF_INIT(BX_CALL_QUERY_MAX);
    struct bx_session_list list;
    uint64_t limit, pinned;
    int r = bx_call_query_uint(c, "limit", 1, 500, 50, &limit, err);
    if (r == 0)
        r = bx_call_query_uint(c, "pinned", 0, 1, 0, &pinned, err);
    if (r < 0)
        return r;
    struct bx_session_filter filter = {.before = query_text(c, "before", &before),
                                       .title = query_text(c, "q", &query),
                                       .kind = query_text(c, "kind", &kind),
                                       .parent = query_text(c, "parent", &parent),
                                       .pinned = pinned == 1};
    if (filter.kind && strcmp(filter.kind, "chat") && strcmp(filter.kind, "executor"))
        return bx_call_fault(c, "kind", err, "\"kind\" must be chat or executor");
    if (!filter.kind)
        filter.kind = filter.parent ? "executor" : "chat";
    if (query_text(c, "place", &place))
        return list_place(c, bx_buf_z(&place), (size_t)limit, err);
    if (filter.title && query_text(c, "in", &in) && strcmp(bx_buf_z(&in), "title") != 0)
        return search(c, &filter, bx_buf_z(&in), (size_t)limit, err);
    r = bx_store_list(c->api->config->store, &filter, (size_t)limit, &list, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "sessions");
    for (size_t i = 0; i < list.n; i++)
        bx_api_write_row(w, c->api->config->agent, &list.rows[i]);
    bx_jw_end(w);
    bx_jw_kbool(w, "more", list.more);
    bx_jw_kstr(w, "next", list.more ? list.rows[list.n - 1].id : NULL);
    bx_jw_end(w);
    bx_session_list_deinit(&list);
    return 0;
}

/* A mode that may be set from here; NULL is none. */
static int check_mode(struct bx_api_call *c, const char *mode, struct bx_err *err) {
    enum bx_mode parsed;
    if (!mode)
        return 0;
    if (!bx_mode_parse(bx_str(mode), &parsed))
        return bx_call_fault(c, "mode", err,
                             "there is no mode \"%.60s\": use plan, default, accept-edits or auto",
                             mode);
    if (parsed == BX_MODE_BYPASS) {
        bx_call_fault(c, "mode", err, "bypass can only be switched on when boxagnts is started");
        return BX_ERR_DENIED;
    }
    return 0;
}

static int check_model(struct bx_api_call *c, const char *id, struct bx_err *err) {
    bx_auto(bx_model_unrefp) struct bx_model *model = NULL;
    int r = id && *id ? bx_models_get(c->api->config->models, id, &model, err) : 0;
    if (r < 0)
        snprintf(c->field, sizeof c->field, "model");
    return r;
}

/* The settings' word, else the first model that is ready, else "" (chosen when the first message is
 * sent). */
static char *default_model(struct bx_api_call *c) {
    bx_auto(bx_model_unrefp) struct bx_model *model = NULL;
    if (bx_models_get(c->api->config->models, NULL, &model, NULL) < 0)
        return bx_strdup("");
    return bx_strdup(bx_model_id(model));
}

static char *default_mode(struct bx_api_call *c) {
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    enum bx_mode mode = BX_MODE_DEFAULT;
    if (bx_settings_load(c->api->config->store, &settings, NULL) == 0)
        bx_mode_parse(bx_val_get_str(bx_doc_root(settings), "mode"), &mode);
    return bx_strdup(bx_mode_name(mode == BX_MODE_BYPASS ? BX_MODE_DEFAULT : mode));
}

int bx_route_sessions_create(struct bx_api_call *c, struct bx_err *err) {
    const char *model = bx_val_get_z(c->body, "model"), *mode = bx_val_get_z(c->body, "mode");
    const char *title = bx_val_get_z(c->body, "title");
    int r = check_mode(c, mode, err);
    if (r == 0)
        r = check_model(c, model, err);
    if (r < 0)
        return r;
    bx_auto(bx_freep) char *own_model = model && *model ? bx_strdup(model) : default_model(c);
    bx_auto(bx_freep) char *own_mode = mode ? bx_strdup(mode) : default_mode(c);
    struct bx_session_header header = {.title = title ? title : "",
                                       .model = own_model,
                                       .mode = own_mode,
                                       .root = c->api->config->root,
                                       .kind = "chat"};
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    r = bx_session_create(c->api->config->store, &header, &session, err);
    return r < 0 ? r : bx_api_reply_row(c, bx_session_header(session)->id, 201, err);
}

/* What somebody who opens the session wants to see at once: the open question, the list of tasks.
 */
static void write_state(struct bx_jw *w, struct bx_agent *agent, struct bx_registry *registry,
                        struct bx_session *session) {
    char question[37];
    bx_auto(bx_freep) char *todos = bx_session_todos(session);
    bx_agent_open_question(agent, bx_session_header(session)->id, question);
    bx_jw_kstr(w, "question", *question ? question : NULL);
    bx_jw_kraw(w, "todos", bx_str(todos));
    bx_auto(bx_freep) char *budget = bx_session_budget(session),
                           *queued = bx_session_queued(session);
    bx_jw_kraw(w, "budget", bx_str(budget));
    bx_jw_kraw(w, "queued", bx_str(queued));
    bx_auto(bx_tool_session_unrefp) struct bx_tool_session *tools =
        bx_registry_session(registry, bx_session_header(session)->id);
    bx_jw_key(w, "hosts");
    bx_tool_session_write_traffic(tools, w);
}

int bx_route_session_get(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    struct bx_session_row row;
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    const struct bx_session_header *h = bx_session_header(session);
    r = bx_store_row(c->api->config->store, h->id, &row, err);
    if (r < 0)
        return r;
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_key(w, "session");
    bx_api_write_row(w, c->api->config->agent, &row);
    bx_jw_kobj(w, "header");
    bx_jw_kstr(w, "id", h->id);
    write_time(w, "created_at", h->created_at_ms);
    bx_jw_kstr(w, "title", h->title);
    bx_jw_kstr(w, "model", h->model);
    bx_jw_kstr(w, "mode", h->mode);
    bx_jw_kstr(w, "root", h->root);
    bx_jw_kstr(w, "kind", h->kind);
    if (h->agent[0])
        bx_jw_kstr(w, "agent", h->agent);
    bx_session_write_origin(w, &h->parent, &h->forked_from);
    bx_jw_end(w);
    write_state(w, c->api->config->agent, c->api->config->registry, session);
    bx_jw_end(w);
    bx_session_row_deinit(&row);
    return 0;
}

/* The event that sets a member of the session, e.g. title {"title":…}. */
static int append_value(struct bx_session *session, const char *type, const char *member,
                        const struct bx_val *value, struct bx_err *err) {
    if (!value)
        return 0;
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(16 * BX_KIB);
    struct bx_jw w;
    bx_jw_init(&w, &body);
    bx_jw_obj(&w);
    bx_jw_kval(&w, member, value);
    bx_jw_end(&w);
    return bx_session_append(session, type, bx_buf_str(&body), BX_DURABLE, NULL, err);
}

int bx_route_session_patch(struct bx_api_call *c, struct bx_err *err) {
    static const char *const types[] = {"title", "model", "mode", "pin", "planner"};
    static const char *const members[] = {"title", "model", "mode", "pinned", "planner"};
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    const struct bx_val *budget = bx_val_get(c->body, "budget");
    int r = bx_call_session(c, &session, err);
    if (r == 0)
        r = check_mode(c, bx_val_get_z(c->body, "mode"), err);
    if (r == 0)
        r = check_model(c, bx_val_get_z(c->body, "model"), err);
    if (r == 0 && budget && (r = bx_agent_set_budget(session, budget, err)) < 0)
        snprintf(c->field, sizeof c->field, "budget");
    for (size_t i = 0; r == 0 && i < BX_ARRAY_LEN(members); i++)
        r = append_value(session, types[i], members[i], bx_val_get(c->body, members[i]), err);
    return r < 0 ? r : bx_api_reply_row(c, bx_session_header(session)->id, 200, err);
}

/* Adds lines that are one JSON object each as items of the open array; returns how many. */
static size_t add_lines(struct bx_jw *w, struct bx_str lines, size_t max) {
    struct bx_str line;
    size_t count = 0;
    while (count < max && bx_str_split(&lines, '\n', &line)) {
        if (line.n) {
            bx_jw_raw(w, line);
            count++;
        }
    }
    return count;
}

#define PAGE_BYTES (8 * BX_MIB) /* of a page that is read backwards */

/* Events only: this cursor is past all deltas that there will ever be. */
int bx_api_write_events(struct bx_session *session, struct bx_jw *w, uint64_t from, uint64_t limit,
                        uint64_t before, uint64_t *ret_next, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf lines = BX_BUF_INIT(64 * BX_MIB);
    struct bx_cursor cursor = {.next_seq = from, .next_delta = UINT64_MAX};
    uint64_t last = bx_session_last_seq(session), left = limit, end = BX_MIN(before, last + 1);
    while (left && cursor.next_seq < end) {
        uint64_t stood = cursor.next_seq;
        bx_buf_reset(&lines);
        /* one at a time where they are counted */
        int r =
            bx_session_read(session, &cursor, limit == UINT64_MAX ? 64 * BX_KIB : 1, &lines, err);
        if (r < 0)
            return r;
        if (cursor.next_seq == stood || cursor.next_seq > end)
            break; /* nothing but damaged lines before the end */
        left -= add_lines(w, bx_buf_str(&lines), (size_t)left);
        if (bx_buf_failed(w->out))
            return bx_fail(err, BX_ERR_LIMIT,
                           "these events are too large for one reply: ask for fewer with limit");
    }
    *ret_next = cursor.next_seq <= last ? cursor.next_seq : 0;
    return 0;
}

int bx_route_session_events(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    uint64_t from, before, limit, next = 0;
    int r = bx_call_query_uint(c, "from", 1, INT64_MAX, 1, &from, err);
    if (r == 0)
        r = bx_call_query_uint(c, "before", 1, INT64_MAX, UINT64_MAX, &before, err);
    if (r == 0)
        r = bx_call_query_uint(c, "limit", 1, 5000, 500, &limit, err);
    if (r == 0)
        r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    if (before != UINT64_MAX)
        from = bx_session_page_start(session, before, limit, PAGE_BYTES);
    struct bx_jw *w = bx_call_json(c, 200);
    bx_jw_obj(w);
    bx_jw_karr(w, "events");
    r = bx_api_write_events(session, w, from, limit, before, &next, err);
    if (r < 0)
        return r;
    bx_jw_end(w);
    bx_jw_kuint(w, "first", from);
    bx_jw_key(w, "next");
    if (next)
        bx_jw_uint(w, next);
    else
        bx_jw_null(w);
    bx_jw_end(w);
    return 0;
}

void bx_call_said(struct bx_api_call *c, const struct bx_said *said) {
    struct bx_jw *w = bx_call_json(c, 202);
    bx_jw_obj(w);
    bx_jw_kstr(w, *said->run ? "run" : "queued", *said->run ? said->run : said->queued);
    bx_jw_end(w);
}

int bx_route_session_message(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int64_t replace = bx_val_get_int(c->body, "replace", 0);
    struct bx_run_options options = {.replace = (uint64_t)BX_MAX(replace, 0),
                                     .stop = bx_val_get_bool(c->body, "stop", false)};
    struct bx_said said;
    if (replace < 0)
        return bx_call_fault(c, "replace", err, "\"replace\" is the seq of one of your messages");
    if (options.stop && !replace)
        return bx_call_fault(c, "stop", err, "\"stop\" goes with \"replace\"");
    if (bx_str_trim(bx_val_get_str(c->body, "text")).n == 0)
        return bx_call_fault(c, "text", err, "\"text\" is empty: write a message");
    int r = bx_call_session(c, &session, err);
    if (r == 0)
        r = bx_agent_say(c->api->config->agent, session, bx_val_get_z(c->body, "text"), &options,
                         &said, err);
    if (r == 0)
        bx_call_said(c, &said);
    return r;
}

int bx_route_session_unqueue(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    bx_auto(bx_freep) char *id = bx_str_dup(bx_call_param(c, 1));
    int r = bx_call_session(c, &session, err);
    if (r == 0)
        r = bx_agent_unqueue(c->api->config->agent, session, id, err);
    if (r == 0)
        bx_call_empty(c, 204);
    return r;
}

int bx_route_session_stop(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    r = bx_agent_stop_run(c->api->config->agent, bx_session_header(session)->id, err);
    if (r == BX_ERR_NOTFOUND)
        return bx_fail(err, BX_ERR_BUSY, "nothing runs in this session");
    if (r == 0)
        bx_call_empty(c, 202);
    return r;
}

int bx_route_session_answer(struct bx_api_call *c, struct bx_err *err) {
    bx_auto(bx_session_unrefp) struct bx_session *session = NULL;
    struct bx_answer answer = {
        .text = bx_val_get_z(c->body, "text"),
        .answers = bx_val_get(c->body, "answers"),
        /* the page has its cookie */
        .from = bx_http_field(c->req, "authorization").n ? "api" : "page",
    };
    if (!bx_choice_parse(bx_val_get_str(c->body, "choice"), &answer.choice))
        return bx_call_fault(c, "choice", err,
                             "\"choice\" must be one of the question's choices, e.g. once or no");
    int r = bx_call_session(c, &session, err);
    if (r < 0)
        return r;
    r = bx_agent_answer(c->api->config->agent, bx_session_header(session)->id,
                        bx_val_get_z(c->body, "question"), &answer, err);
    if (r == 0)
        bx_call_empty(c, 202);
    return r;
}
