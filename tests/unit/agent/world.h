/* A workspace in a temporary folder with the real store, registry and permission check; the model says what a script says and
 * the box does what a hook does. Included by one test program each. */
#ifndef BX_TESTS_UNIT_AGENT_WORLD_H
#define BX_TESTS_UNIT_AGENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "base/file.h"
#include "base/path.h"
#include "base/thread.h"
#include "box/box.h"
#include "json/write.h"
#include "tools/embedded.h"

#define W_PATH_SCHEMA                                                                                                  \
    "\"input_schema\":{\"type\":\"object\",\"properties\":{\"file_path\":{\"type\":\"string\"},\"content\":{\"type\":"     \
    "\"string\"}},\"required\":[\"file_path\"]}"
const struct bx_embedded_tool bx_embedded_tools[] = {
    {"read", "{\"name\":\"read\",\"description\":\"Reads a file\",\"permission_level\":\"read_only\"," W_PATH_SCHEMA "}"},
    {"write", "{\"name\":\"write\",\"description\":\"Writes a file\",\"permission_level\":\"write\"," W_PATH_SCHEMA "}"},
    {"run", "{\"name\":\"run\",\"description\":\"Runs\",\"permission_level\":\"execute\"," W_PATH_SCHEMA "}"},
    {"format_disk",
     "{\"name\":\"format_disk\",\"description\":\"Never\",\"permission_level\":\"forbidden\"," W_PATH_SCHEMA "}"},
};
const size_t bx_embedded_tool_count = 4;

/* ---- the box ---- */

static struct {
    pthread_mutex_t lock;
    char calls[8192]; /* "read {"file_path":"/a"}\n" in the order of their starts */
    unsigned running, most; /* at a time */
    const char *output;     /* of every call; NULL = "ok" */
    bool fails;
    uint64_t fuel;          /* of every call */
    uint64_t fuel_limits[8]; /* what the calls were allowed, in their order */
    size_t fuel_count;
    char writable[64]; /* "read:0 write:1 ": whether the root was, call by call */
    void (*during)(struct bx_cancel *cancel); /* while a call runs */
    bool once;                                /* … the first of them only */
} w_box = {.lock = PTHREAD_MUTEX_INITIALIZER};

__attribute__((unused)) static void w_during_once(void (*during)(struct bx_cancel *cancel)) {
    w_box.during = during;
    w_box.once = true;
}

int bx_box_call(struct bx_box *b, const struct bx_box_request *request, struct bx_cancel *cancel,
                struct bx_box_result *ret, struct bx_err *err) {
    (void)b, (void)err;
    void (*during)(struct bx_cancel *);
    {
        BX_LOCKED(&w_box.lock);
        during = w_box.during;
        if (w_box.once)
            w_box.during = NULL;
        size_t n = strlen(w_box.calls);
        snprintf(w_box.calls + n, sizeof w_box.calls - n, "%s " BX_STR_FMT "\n", request->tool, BX_STR_ARG(request->input));
        n = strlen(w_box.writable);
        snprintf(w_box.writable + n, sizeof w_box.writable - n, "%s:%d ", request->tool,
                 request->grant->mounts[0].writable);
        if (w_box.fuel_count < BX_ARRAY_LEN(w_box.fuel_limits))
            w_box.fuel_limits[w_box.fuel_count++] = request->grant->limits.value[BX_LIMIT_FUEL];
        w_box.running++;
        w_box.most = BX_MAX(w_box.most, w_box.running);
    }
    if (during)
        during(cancel);
    {
        BX_LOCKED(&w_box.lock);
        w_box.running--;
    }
    *ret = (struct bx_box_result){.exit = w_box.fails ? BX_BOX_ERROR : BX_BOX_OK,
                                  .limit = bx_cancel_fired(cancel) ? "cancelled" : NULL,
                                  .fuel_used = w_box.fuel,
                                  .out = BX_BUF_INIT(BX_MIB),
                                  .err = BX_BUF_INIT(BX_KIB)};
    bx_buf_addz(&ret->out, w_box.output ? w_box.output : "ok");
    return 0;
}

void bx_box_result_deinit(struct bx_box_result *r) {
    bx_buf_deinit(&r->out);
    bx_buf_deinit(&r->err);
}

void bx_box_end_worker(struct bx_box *b, const char *worker) {
    (void)b, (void)worker;
}

int bx_box_image(struct bx_box *b, struct bx_str wasm, bool fuel, struct bx_image **ret, struct bx_err *err) {
    (void)b, (void)wasm, (void)fuel, (void)ret;
    return bx_fail(err, BX_ERR_INVALID, "not used here");
}

/* ---- the model ---- */

struct w_call {
    const char *id, *tool, *arguments;
};
struct w_reply {
    const char *text;
    struct w_call calls[10];
    enum bx_finish finish;
    int rc;             /* instead of a reply */
    int64_t input, output; /* tokens; 0 = not said, 5 */
    bool until_stopped; /* text is streamed, then nothing comes until the run is stopped */
};
static struct {
    const struct w_reply *script;
    size_t n, at;
    int64_t window;
    double price; /* US$ for a million tokens of either kind; below 0: not known */
    bool small;
    bool no_tools, once; /* of the last request */
    const char *summary; /* the answer to a request for a summary; NULL: it fails */
    bool summary_hangs; /* until it is stopped */
    size_t summaries;   /* asked for */
    size_t windows;     /* times that a window was waited for */
    char asked_summary[65536]; /* the last request for one */
    int64_t counted;    /* input tokens of every reply as the provider says them; 0: it does not */
    size_t tool_count;
    char tools[8192];   /* their names, each with a space behind */
    char system[65536], dump[262144]; /* "user: hi\nassistant: [read {…}]\ntool c1: ok\n" of the last request */
    pthread_mutex_t lock;
    pthread_cond_t asked;
} w_model = {.lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER};

static void w_dump(const struct bx_model_request *req) {
    struct bx_buf out = BX_BUF_INIT(sizeof w_model.dump - 1);
    static const char *const roles[] = {"user", "assistant", "tool"};
    for (size_t i = 0; i < req->message_count; i++) {
        const struct bx_message *m = req->messages[i];
        bx_buf_addf(&out, "%s:", roles[m->role]);
        for (size_t k = 0; k < m->blocks.n; k++) {
            const struct bx_block *b = &m->blocks.p[k];
            if (b->kind == BX_BLOCK_CALL)
                bx_buf_addf(&out, " [%s %s %s]", b->id, b->tool, b->arguments);
            else if (b->kind == BX_BLOCK_RESULT)
                bx_buf_addf(&out, " (%s%s) %s", b->id, b->is_error ? " error" : "", b->text);
            else if (b->kind == BX_BLOCK_IMAGE)
                bx_buf_addf(&out, " <%s %s>", b->mime, b->data);
            else
                bx_buf_addf(&out, " %s", b->text);
        }
        bx_buf_addc(&out, '\n');
    }
    snprintf(w_model.dump, sizeof w_model.dump, "%s", bx_buf_z(&out));
    snprintf(w_model.system, sizeof w_model.system, "%s", req->system);
    bx_buf_deinit(&out);
}

static int w_hang(struct bx_cancel *cancel, struct bx_err *err) {
    while (bx_cancel_sleep(cancel, 1000) != BX_ERR_CANCELLED) {
    }
    return bx_fail(err, BX_ERR_CANCELLED, "stopped");
}

static int w_sum_up(const struct bx_model_request *req, struct bx_cancel *cancel, struct bx_reply *ret, struct bx_err *err) {
    if (w_model.summary_hangs)
        return w_hang(cancel, err);
    BX_LOCKED(&w_model.lock);
    w_model.summaries++;
    snprintf(w_model.asked_summary, sizeof w_model.asked_summary, "%s", req->messages[0]->blocks.p[0].text);
    if (!w_model.summary)
        return bx_fail(err, BX_ERR_UNAVAILABLE, "no summaries today");
    *ret = (struct bx_reply){.message = bx_message_new(BX_ROLE_ASSISTANT)};
    bx_message_add_text(ret->message, w_model.summary);
    return 0;
}

int bx_model_ask(struct bx_model *m, const struct bx_model_request *req,
                 void (*on_event)(void *user, const struct bx_model_event *ev), void *user, struct bx_cancel *cancel,
                 struct bx_reply *ret_reply, struct bx_err *err) {
    (void)m;
    const struct w_reply *r = NULL;
    if (req->plain)
        return w_sum_up(req, cancel, ret_reply, err);
    {
        BX_LOCKED(&w_model.lock);
        r = w_model.at < w_model.n ? &w_model.script[w_model.at++] : NULL;
    }
    if (!r)
        return bx_fail(err, BX_ERR_INTERNAL, "the script is over");
    w_dump(req);
    w_model.no_tools = req->no_tools;
    w_model.once = req->once;
    w_model.tool_count = req->tool_count;
    w_model.tools[0] = '\0';
    for (size_t i = 0; i < req->tool_count; i++) {
        size_t n = strlen(w_model.tools);
        snprintf(w_model.tools + n, sizeof w_model.tools - n, "%s ", req->tools[i].name);
    }
    if (r->text) {
        struct bx_model_event ev = {.kind = BX_EV_TEXT, .text = bx_str(r->text)};
        on_event(user, &ev);
    }
    pthread_mutex_lock(&w_model.lock);
    pthread_cond_broadcast(&w_model.asked);
    pthread_mutex_unlock(&w_model.lock);
    if (r->until_stopped)
        return w_hang(cancel, err);
    if (r->rc)
        return bx_fail(err, r->rc, "the model failed");
    struct bx_message *message = bx_message_new(BX_ROLE_ASSISTANT);
    if (r->text)
        bx_message_add_text(message, r->text);
    for (size_t i = 0; i < BX_ARRAY_LEN(r->calls) && r->calls[i].tool; i++) {
        struct bx_block *b = bx_message_add(message, BX_BLOCK_CALL);
        b->id = bx_strdup(r->calls[i].id);
        b->tool = bx_strdup(r->calls[i].tool);
        b->arguments = bx_strdup(r->calls[i].arguments);
    }
    *ret_reply = (struct bx_reply){.message = message,
                                   .finish = r->calls[0].tool ? BX_FINISH_CALLS : r->finish,
                                   .usage = {.input_tokens = r->input ? r->input : w_model.counted ? w_model.counted : -1,
                                             .output_tokens = r->output ? r->output : 5,
                                             .cached_tokens = -1,
                                             .cost = -1}};
    return 0;
}

int bx_models_get(struct bx_models *m, const char *id, struct bx_model **ret, struct bx_err *err) {
    (void)m;
    if (id && strcmp(id, "none") == 0)
        return bx_fail(err, BX_ERR_NOTFOUND, "there is no model \"none\"");
    *ret = NULL;
    return 0;
}
const char *bx_model_id(const struct bx_model *m) {
    (void)m;
    return "test/scripted";
}
int64_t bx_model_window(struct bx_model *m) {
    (void)m;
    return w_model.window;
}
bool bx_model_price(const struct bx_model *m, struct bx_price *ret) {
    (void)m;
    *ret = (struct bx_price){w_model.price, w_model.price, w_model.price};
    return w_model.price >= 0;
}
double bx_model_cost(const struct bx_model *m, const struct bx_usage *u) {
    (void)m;
    return w_model.price < 0 ? -1 : (double)(BX_MAX(u->input_tokens, 0) + u->output_tokens) * w_model.price / 1e6;
}
void bx_model_await_window(struct bx_model *m, void (*on_event)(void *user, const struct bx_model_event *ev), void *user,
                           struct bx_cancel *cancel) {
    (void)m, (void)on_event, (void)user, (void)cancel;
    __atomic_add_fetch(&w_model.windows, 1, __ATOMIC_RELAXED);
}
const char *bx_model_window_from(struct bx_model *m) {
    (void)m;
    return w_model.window ? "settings" : NULL;
}
bool bx_model_is_small(const struct bx_model *m) {
    (void)m;
    return w_model.small;
}
bool bx_model_sees(const struct bx_model *m) {
    (void)m;
    return true;
}
struct bx_model *bx_model_ref(struct bx_model *m) {
    return m;
}
void bx_model_unref(struct bx_model *m) {
    (void)m;
}

/* ---- the world ---- */

struct world {
    char dir[64], root[80], state[80];
    struct bx_store *store;
    struct bx_registry *registry;
    struct bx_agent *agent;
    struct bx_session *session;
};

static void w_open(struct world *w) {
    assert_int_equal(bx_store_open(w->state, BX_STORE_OWNER, &w->store, NULL), 0);
    struct bx_registry_config rc = {.state_dir = w->state};
    assert_int_equal(bx_registry_new(&rc, &w->registry, NULL), 0);
    struct bx_agent_config ac = {.store = w->store, .registry = w->registry, .root = w->root};
    assert_int_equal(bx_agent_new(&ac, &w->agent, NULL), 0);
}

static void w_close(struct world *w) {
    bx_session_unref(w->session);
    w->session = NULL;
    bx_agent_free(w->agent);
    bx_registry_free(w->registry);
    bx_store_close(w->store);
}

static int w_setup(void **state) {
    struct world *w = bx_new(struct world);
    snprintf(w->dir, sizeof w->dir, "/tmp/bx-agent-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->root, sizeof w->root, "%s/root", w->dir);
    snprintf(w->state, sizeof w->state, "%s/state", w->dir);
    assert_int_equal(bx_dir_make(w->root, 0700, NULL), 0);
    w_open(w);
    struct bx_session_header h = {.title = "", .model = "", .mode = "default", .root = w->root, .kind = "chat"};
    assert_int_equal(bx_session_create(w->store, &h, &w->session, NULL), 0);
    w_box.calls[0] = w_box.writable[0] = '\0';
    w_box.running = w_box.most = 0;
    w_box.output = NULL;
    w_box.fails = false;
    w_box.once = false;
    w_box.fuel = w_box.fuel_count = 0;
    w_box.during = NULL;
    w_model.at = w_model.n = 0;
    w_model.window = w_model.counted = 0;
    w_model.summary = NULL;
    w_model.summaries = w_model.windows = 0;
    w_model.summary_hangs = false;
    w_model.price = -1;
    w_model.small = false;
    *state = w;
    return 0;
}

/* As after a crash or a restart: everything anew from the disk. */
__attribute__((unused)) static void w_reopen(struct world *w) {
    char id[37];
    snprintf(id, sizeof id, "%s", bx_session_header(w->session)->id);
    w_close(w);
    w_open(w);
    assert_int_equal(bx_session_open(w->store, id, &w->session, NULL), 0);
}

static int w_teardown(void **state) {
    struct world *w = *state;
    w_close(w);
    bx_dir_remove(w->dir, NULL);
    bx_free(w);
    return 0;
}

__attribute__((unused)) static void w_append(struct world *w, const char *type, const char *body) {
    struct bx_err err = {0};
    if (bx_session_append(w->session, type, bx_str(body), BX_BATCHED, NULL, &err))
        fail_msg("%s", err.msg);
}

/* A file of the root. */
__attribute__((unused)) static void w_put(struct world *w, const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(w->root, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    assert_int_equal(bx_file_write_atomic(path, bx_str(text), 0600, NULL), 0);
}

__attribute__((unused)) static void w_script(const struct w_reply *script, size_t n) {
    w_model.script = script;
    w_model.n = n;
    w_model.at = 0;
}
#define W_SCRIPT(...)                                                                                                  \
    do {                                                                                                               \
        static const struct w_reply script_[] = {__VA_ARGS__};                                                         \
        w_script(script_, BX_ARRAY_LEN(script_));                                                                      \
    } while (0)

static const char *w_id(struct world *w) {
    return bx_session_header(w->session)->id;
}

/* How many tools a model is offered: all but the forbidden one and recall, which has nothing to recall. */
__attribute__((unused)) static size_t w_offered(struct world *w) {
    size_t count = 0;
    struct bx_tool **all = bx_registry_all(w->registry, &count);
    for (size_t i = 0; i < count; i++)
        bx_tool_unref(all[i]);
    bx_free(all);
    return count - 2;
}

__attribute__((unused)) static void w_send(struct world *w, const char *text, const struct bx_run_options *o) {
    struct bx_err err = {0};
    if (bx_agent_send(w->agent, w->session, text, o, NULL, &err))
        fail_msg("send: %s", err.msg);
    bx_agent_wait(w->agent, w_id(w));
}

/* All events as "type" or "type(member=value,…)" for the members that are asked for, joined by spaces. */
static char *w_log(struct world *w, const char *types, const char *members) {
    struct bx_buf lines = BX_BUF_INIT(64 * BX_MIB), out = BX_BUF_INIT(BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    while (bx_session_read(w->session, &cursor, BX_MIB, &lines, NULL) > 0) {
    }
    struct bx_str rest = bx_buf_str(&lines), line;
    while (bx_str_split(&rest, '\n', &line)) {
        struct bx_doc *doc = NULL;
        if (!line.n || bx_doc_parse(line, NULL, &doc, NULL))
            continue;
        const char *type = bx_val_get_z(bx_doc_root(doc), "type");
        struct bx_str wanted = bx_str(types), one;
        bool take = !*types;
        while (!take && bx_str_split(&wanted, ' ', &one))
            take = bx_str_eqz(one, type);
        if (take && bx_val_get(bx_doc_root(doc), "seq")) {
            bx_buf_addf(&out, "%s%s", out.size ? " " : "", type);
            struct bx_str list = bx_str(members);
            while (bx_str_split(&list, ' ', &one)) {
                const struct bx_val *v = one.n ? bx_val_get_n(bx_doc_root(doc), one) : NULL;
                if (!v)
                    continue;
                struct bx_buf text = BX_BUF_INIT(BX_MIB);
                struct bx_jw jw;
                bx_jw_init(&jw, &text);
                bx_jw_val(&jw, v);
                bx_buf_addf(&out, "|%s", bx_val_is(v, BX_VAL_STR) ? bx_val_z(v) : bx_buf_z(&text));
                bx_buf_deinit(&text);
            }
        }
        bx_doc_free(doc);
    }
    bx_buf_deinit(&lines);
    bx_buf_addz(&out, "");
    return bx_buf_steal(&out);
}

__attribute__((unused)) static void w_expect(struct world *w, const char *types, const char *members, const char *want) {
    char *got = w_log(w, types, members);
    if (strcmp(got, want))
        fail_msg("\n got: %s\nwant: %s", got, want);
    bx_free(got);
}

/* Waits until the log has the text. */
__attribute__((unused)) static void w_wait_for(struct world *w, const char *types, const char *members, const char *text) {
    for (bool found = false; !found; sched_yield()) {
        char *got = w_log(w, types, members);
        found = strstr(got, text) != NULL;
        bx_free(got);
    }
}

/* Waits until the session's run has a question open, and returns its id. */
__attribute__((unused)) static char *w_question(struct world *w) {
    while (!bx_agent_is_waiting(w->agent, w_id(w)))
        sched_yield();
    for (;;) { /* open before its event is written */
        char *ids = w_log(w, "question", "question"), *last = strrchr(ids, '|');
        char *answered = last ? w_log(w, "answer", "question") : NULL;
        bool open = last && !strstr(answered, last + 1);
        char *id = open ? bx_strdup(last + 1) : NULL;
        bx_free(ids);
        bx_free(answered);
        if (id)
            return id;
        sched_yield();
    }
}

#endif
