#include "api/socket.h"

#include "api/hub.h"
#include "api/ops.h"

#define MAX_SUBSCRIPTIONS 64
#define MAX_JOBS          32 /* of one page at a time */
#define PIECE_BYTES       (32 * BX_KIB)
#define MAX_TEXT          (65 * BX_MIB)

struct subscription {
    struct bx_watch watch; /* first: bx_watch → subscription */
    struct bx_socket *socket;
    struct subscription *next;
    char session[37];
    struct bx_cursor cursor;
    bool opening;   /* a worker is opening the session; it owns the subscription too */
    bool dropped;   /* unsubscribed meanwhile */
    bool caught_up; /* the message of that name was sent */
};

struct bx_socket {
    int refs; /* the connection's, and one a job */
    struct bx_api *api;
    struct bx_ws *ws; /* NULL: closed */
    struct subscription *subscriptions;
    unsigned subscription_count, job_count;
    bool pumping;
    unsigned due; /* bits: enum bx_list that the page is to fetch again */
    struct bx_socket *next, *prev;
};

static void pump(struct bx_socket *s);

/* --- life
 * ------------------------------------------------------------------------------------------------------
 */

static void unref(struct bx_socket *s) {
    if (--s->refs == 0)
        bx_free(s);
}

static struct subscription *find(struct bx_socket *s, const char *session) {
    struct subscription *sub = s->subscriptions;
    while (sub && strcmp(sub->session, session) != 0)
        sub = sub->next;
    return sub;
}

static void drop(struct bx_socket *s, struct subscription *sub) {
    struct subscription **at = &s->subscriptions;
    while (*at != sub)
        at = &(*at)->next;
    *at = sub->next;
    s->subscription_count--;
    bx_hub_leave(s->api->hub, &sub->watch);
    if (sub->opening)
        sub->dropped = true;
    else
        bx_free(sub);
}

static void on_close(void *user, struct bx_ws *ws) {
    struct bx_socket *s = user;
    (void)ws;
    s->ws = NULL;
    while (s->subscriptions)
        drop(s, s->subscriptions);
    if (s->next)
        s->next->prev = s->prev;
    *(s->prev ? &s->prev->next : &s->api->sockets) = s->next;
    unref(s);
}

/* --- out
 * -------------------------------------------------------------------------------------------------------
 */

static void say(struct bx_socket *s, struct bx_buf *text) {
    if (s->ws && !bx_buf_failed(text))
        bx_ws_send(s->ws, bx_buf_str(text));
    bx_buf_deinit(text);
}

static void say_error(struct bx_socket *s, const char *ref, int code, const char *message) {
    struct bx_buf text = BX_BUF_INIT(16 * BX_KIB);
    bx_op_write_error(&text, ref, code, message);
    say(s, &text);
}

static void say_ok(struct bx_socket *s, const char *ref, const struct bx_said *said) {
    struct bx_buf text = BX_BUF_INIT(16 * BX_KIB);
    bx_op_write_ok(&text, ref, said);
    say(s, &text);
}

static void say_events(struct bx_socket *s, const struct subscription *sub, struct bx_str lines) {
    struct bx_str line;
    while (bx_str_split(&lines, '\n', &line)) {
        if (line.n == 0)
            continue;
        struct bx_buf text = BX_BUF_INIT(MAX_TEXT);
        bx_op_write_event(&text, sub->session, line);
        say(s, &text);
    }
}

/* Sends the next piece; false when there is nothing (more) for now. May drop the subscription. */
static bool advance(struct bx_socket *s, struct subscription *sub) {
    struct bx_session *session = bx_watch_session(&sub->watch);
    struct bx_buf lines = BX_BUF_INIT(MAX_TEXT);
    struct bx_err err = {0};
    int n = bx_session_read(session, &sub->cursor, PIECE_BYTES, &lines, &err);
    if (n > 0) {
        say_events(s, sub, bx_buf_str(&lines));
    } else if (n < 0) {
        say_error(s, NULL, n, err.msg);
        drop(s, sub);
    } else if (!sub->caught_up) {
        struct bx_buf text = BX_BUF_INIT(BX_KIB);
        sub->caught_up = true;
        bx_op_write_caught_up(&text, sub->session, sub->cursor.next_seq - 1,
                              bx_agent_is_running(s->api->config->agent, sub->session));
        say(s, &text);
    }
    bx_buf_deinit(&lines);
    return n > 0;
}

static const char *const list_notices[] = {[BX_LIST_SESSIONS] = "{\"op\":\"sessions\"}",
                                           [BX_LIST_TOOLS] = "{\"op\":\"tools\"}",
                                           [BX_LIST_AGENTS] = "{\"op\":\"agents\"}",
                                           [BX_LIST_SKILLS] = "{\"op\":\"skills\"}"};

/* Sends while there is room: the subscriptions take turns. */
static void pump(struct bx_socket *s) {
    if (s->pumping || !s->ws)
        return;
    s->pumping = true;
    bx_ws_cork(s->ws);
    for (unsigned i = 0; i < BX_ARRAY_LEN(list_notices); i++)
        if (s->due & 1u << i && bx_ws_has_room(s->ws)) {
            s->due &= ~(1u << i);
            bx_ws_send(s->ws, bx_str(list_notices[i]));
        }
    for (bool more = true; more && bx_ws_has_room(s->ws);) {
        more = false;
        for (struct subscription *sub = s->subscriptions, *next; sub && bx_ws_has_room(s->ws);
             sub = next) {
            next = sub->next;
            more |= sub->watch.feed && advance(s, sub);
        }
    }
    s->pumping = false;
    bx_ws_uncork(s->ws);
}

static void on_writable(void *user, struct bx_ws *ws) {
    (void)ws;
    pump(user);
}

static void on_news(struct bx_watch *w) {
    pump(((struct subscription *)w)->socket);
}

/* --- jobs: what a page asks for that may take the disk
 * --------------------------------------------------------- */

struct job {
    struct bx_socket *socket; /* a reference */
    enum bx_op op;
    struct bx_doc *doc;
    char *ref;
    struct subscription *sub; /* subscribe */
    struct bx_session *session;
    struct bx_said said;
    int result;
    struct bx_err err;
};

static int work_answer(struct job *j, struct bx_agent *agent, const struct bx_val *message) {
    struct bx_answer answer = {.text = bx_val_get_z(message, "text"),
                               .answers = bx_val_get(message, "answers"),
                               .from = "page"};
    if (!bx_choice_parse(bx_val_get_str(message, "choice"), &answer.choice))
        return bx_fail(&j->err, BX_ERR_INVALID,
                       "\"choice\" must be one of the question's choices, e.g. once or no");
    return bx_agent_answer(agent, bx_val_get_z(message, "session"),
                           bx_val_get_z(message, "question"), &answer, &j->err);
}

static void work(void *user) { /* a worker thread: nothing of the socket but its api */
    struct job *j = user;
    const struct bx_serve_config *config = j->socket->api->config;
    const struct bx_val *message = bx_doc_root(j->doc);
    const char *id = bx_val_get_z(message, "session");
    struct bx_run_options options = {.replace = (uint64_t)bx_val_get_int(message, "replace", 0),
                                     .stop = bx_val_get_bool(message, "stop", false)};
    if (j->op == BX_OP_STOP) {
        j->result = bx_agent_stop_run(config->agent, id, &j->err);
        return;
    }
    if (j->op == BX_OP_ANSWER) {
        j->result = work_answer(j, config->agent, message);
        return;
    }
    j->result = bx_session_open(config->store, id, &j->session, &j->err);
    if (j->result == 0 && j->op == BX_OP_SEND)
        j->result = bx_agent_say(config->agent, j->session, bx_val_get_z(message, "text"), &options,
                                 &j->said, &j->err);
}

static void done_subscribe(struct job *j) {
    struct subscription *sub = j->sub;
    struct bx_socket *s = j->socket;
    sub->opening = false;
    if (sub->dropped) {
        bx_free(sub);
    } else if (j->result < 0) {
        say_error(s, j->ref, j->result, j->err.msg);
        drop(s, sub);
    } else {
        bx_hub_join(s->api->hub, bx_steal(&j->session), &sub->watch);
        pump(s);
    }
}

static void done(void *user) {
    struct job *j = user;
    struct bx_socket *s = j->socket;
    s->job_count--;
    if (j->op == BX_OP_SUBSCRIBE)
        done_subscribe(j);
    else if (j->result < 0)
        say_error(s, j->ref, j->result, j->err.msg);
    else
        say_ok(s, j->ref, &j->said);
    if (j->session)
        bx_session_unref(j->session);
    bx_doc_free(j->doc);
    bx_free(j->ref);
    bx_free(j);
    unref(s);
}

static bool start_job(struct bx_socket *s, enum bx_op op, struct bx_doc **doc, char **ref,
                      struct subscription *sub) {
    struct job *j = bx_new(struct job);
    *j = (struct job){.socket = s, .op = op, .doc = *doc, .ref = *ref, .sub = sub};
    if (s->job_count >= MAX_JOBS || !bx_workers_run(s->api->quick, work, done, j)) {
        say_error(s, *ref, BX_ERR_BUSY, "too much is waiting: try again in a moment");
        bx_free(j);
        return false;
    }
    *doc = NULL;
    *ref = NULL;
    s->refs++;
    s->job_count++;
    return true;
}

/* --- in
 * --------------------------------------------------------------------------------------------------------
 */

static void subscribe(struct bx_socket *s, struct bx_doc **doc, char **ref) {
    const struct bx_val *message = bx_doc_root(*doc);
    const char *session = bx_val_get_z(message, "session");
    struct bx_cursor cursor = {.next_seq = (uint64_t)bx_val_get_int(message, "from", 1)};
    struct subscription *sub = find(s, session);
    if (sub) { /* anew from there */
        sub->cursor = cursor;
        sub->caught_up = false;
        pump(s);
        return;
    }
    if (s->subscription_count == MAX_SUBSCRIPTIONS) {
        say_error(s, *ref, BX_ERR_LIMIT, "one page can watch 64 sessions: unsubscribe from one");
        return;
    }
    sub = bx_new(struct subscription);
    *sub = (struct subscription){
        .watch.news = on_news, .socket = s, .cursor = cursor, .opening = true};
    memcpy(sub->session, session, sizeof sub->session);
    sub->next = s->subscriptions;
    s->subscriptions = sub;
    s->subscription_count++;
    if (!start_job(s, BX_OP_SUBSCRIBE, doc, ref, sub)) {
        sub->opening = false;
        drop(s, sub);
    }
}

static void on_text(void *user, struct bx_ws *ws, struct bx_str text) {
    struct bx_socket *s = user;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    bx_auto(bx_freep) char *ref = NULL;
    struct bx_err err = {0};
    enum bx_op op;
    int r = bx_op_parse(text, &op, &doc, &ref, &err);
    if (r < 0) {
        say_error(s, ref, r, err.msg);
        return;
    }
    struct subscription *sub;
    switch (op) {
    case BX_OP_PING:
        bx_ws_send(ws, BX_STR_LIT("{\"op\":\"pong\"}"));
        break;
    case BX_OP_SUBSCRIBE:
        subscribe(s, &doc, &ref);
        break;
    case BX_OP_UNSUBSCRIBE:
        sub = find(s, bx_val_get_z(bx_doc_root(doc), "session"));
        if (sub)
            drop(s, sub);
        break;
    case BX_OP_SEND:
    case BX_OP_STOP:
    case BX_OP_ANSWER:
        start_job(s, op, &doc, &ref, NULL);
        break;
    }
}

void bx_socket_open(struct bx_api *api, struct bx_http_exchange *ex) {
    static const struct bx_ws_handler handler = {on_text, on_writable, on_close};
    struct bx_socket *s = bx_new(struct bx_socket);
    s->api = api;
    s->refs = 1;
    s->ws = bx_http_exchange_upgrade(ex, &handler, s);
    if (!s->ws) {
        bx_free(s);
        return;
    }
    s->next = api->sockets;
    if (s->next)
        s->next->prev = s;
    api->sockets = s;
}

void bx_sockets_changed(struct bx_api *api, enum bx_list list) {
    for (struct bx_socket *s = api->sockets; s; s = s->next) {
        s->due |= 1u << list;
        pump(s);
    }
}

void bx_sockets_list_changed(void *api) {
    bx_sockets_changed(api, BX_LIST_SESSIONS);
}
