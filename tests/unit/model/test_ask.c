/* bx_model_ask against the scripted endpoint, over a real connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/thread.h"
#include "model/models.h"
#include "peers/scripted.c"

struct world {
    struct scripted *peer;
    pthread_t thread;
    struct bx_doc *settings;
    struct bx_models *models;
    struct bx_model *model;
};

static void *serve(void *user) {
    scripted_serve(user);
    return NULL;
}

static char *secret(void *user, const char *name) {
    (void)user;
    return strcmp(name, "provider.my") == 0 ? bx_strdup("key-of-mine") : NULL;
}

/* A busy machine may be taken for a stall, too: such a script goes on however often it is asked. */
static bool stalls(const char *script) {
    return strstr(script, "\"stall_ms\":60000") != NULL;
}

static struct world open_world(const char *script, const char *model_settings) {
    struct world w = {0};
    struct bx_err err;
    if (scripted_new(script, NULL, 0, &w.peer, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    pthread_create(&w.thread, NULL, serve, w.peer);
    bx_auto(bx_freep) char *text = bx_asprintf(
        "{\"providers\":{\"my\":{\"base_url\":\"http://127.0.0.1:%u/v1/"
        "\",\"key_env\":\"BX_TEST_KEY\",\"models\":[{\"id\":\"m\"%s}]}},"
        "\"model_requests\":{\"attempts\":%u,\"retry_base_ms\":1,\"stall_timeout_ms\":%u}}",
        scripted_port(w.peer), model_settings, stalls(script) ? 10u : 3u,
        stalls(script) ? 1000u : 60000u);
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &w.settings, NULL), 0);
    struct bx_models_config config = {.settings = bx_doc_root(w.settings),
                                      .secret = secret,
                                      .models_dir = "/nonexistent",
                                      .runtime_dir = "/nonexistent",
                                      .offline = true};
    if (bx_models_new(&config, &w.models, &err) < 0 ||
        bx_models_get(w.models, "my/m", &w.model, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return w;
}

static void close_world(struct world *w) {
    bx_model_unref(w->model);
    bx_models_free(w->models);
    bx_doc_free(w->settings);
    scripted_stop(w->peer);
    pthread_join(w->thread, NULL);
    scripted_free(w->peer);
}

/* What was heard, with a void reply struck out as the contract says. */
struct heard {
    struct bx_buf text, calls;
    int retries;
    uint64_t wait_ms;
    char reason[480];
    struct bx_cancel *fire_at_text;
    bool once, quick; /* how it is asked */
};

static void on_event(void *user, const struct bx_model_event *ev) {
    struct heard *h = user;
    if (ev->kind == BX_EV_TEXT) {
        bx_buf_adds(&h->text, ev->text);
        if (h->fire_at_text) {
            bx_cancel_fire(h->fire_at_text, "test");
        }
    } else if (ev->kind == BX_EV_CALL) {
        bx_buf_addf(&h->calls, "%s ", ev->tool);
    } else if (ev->kind == BX_EV_RETRY) {
        bx_buf_reset(&h->text);
        bx_buf_reset(&h->calls);
        h->retries++;
        h->wait_ms = ev->wait_ms;
        snprintf(h->reason, sizeof h->reason, BX_STR_FMT, BX_STR_ARG(ev->text));
    }
}

static const struct bx_tool_spec read_tool = {
    .name = "read",
    .description = "Reads",
    .schema = "{\"type\":\"object\",\"properties\":{\"file_path\":{\"type\":\"string\"},\"limit\":{"
              "\"type\":\"integer\"}},"
              "\"required\":[\"file_path\"]}"};

static int ask(struct world *w, const char *question, bool tools, struct bx_cancel *cancel,
               struct heard *h, struct bx_reply *ret, struct bx_err *err) {
    struct bx_message *user = bx_message_new(BX_ROLE_USER);
    bx_message_add_text(user, question);
    const struct bx_message *messages[] = {user};
    struct bx_model_request req = {.system = "Be good.\nFiles: /note.txt, /todo.txt\n",
                                   .messages = messages,
                                   .message_count = 1,
                                   .tools = &read_tool,
                                   .tool_count = tools ? 1 : 0,
                                   .once = h->once,
                                   .quick = h->quick};
    h->text.max = h->calls.max = BX_MIB;
    int r = bx_model_ask(w->model, &req, on_event, h, cancel, ret, err);
    bx_message_free(user);
    return r;
}

static void heard_deinit(struct heard *h) {
    bx_buf_deinit(&h->text);
    bx_buf_deinit(&h->calls);
}

static size_t requests(struct world *w) {
    bx_auto(bx_freep) char *all = scripted_requests(w->peer);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(all), NULL, &doc, NULL), 0);
    return bx_val_len(bx_doc_root(doc));
}

static void text_and_calls(void **state) {
    (void)state;
    struct world w =
        open_world("[{\"reasoning\":\"hm\",\"text\":\"I "
                   "look.\",\"calls\":[{\"tool\":\"read\",\"input\":{\"file_path\":\"a\"}}]}]",
                   ",\"window\":32768"); /* said, so that nobody asks for it beside */
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "hello", true, NULL, &h, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_CALLS);
    assert_int_equal(reply.message->blocks.n, 3);
    assert_string_equal(reply.message->blocks.p[2].arguments, "{\"file_path\":\"a\"}");
    assert_string_equal(bx_buf_z(&h.text), "I look.");
    assert_string_equal(bx_buf_z(&h.calls), "read ");
    assert_true(reply.usage.input_tokens > 0);
    bx_auto(bx_freep) char *sent = scripted_requests(w.peer);
    assert_non_null(strstr(sent, "\"authorization\":\"Bearer key-of-mine\""));
    assert_non_null(strstr(sent, "\"model\":\"m\""));
    bx_reply_deinit(&reply);
    // a second question goes over the same connection
    assert_int_equal(ask(&w, "hello", true, NULL, &h, &reply, NULL), 0);
    assert_int_equal(scripted_connections(w.peer), 1);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

static void retries(void **state) {
    (void)state;
    static const char *const faults[] = {
        "{\"status\":429}",
        "{\"status\":500}",
        "{\"status\":408}",
        "{\"cut_after\":300}",
        "{\"cut_after\":0}",
        "{\"text\":\"half\",\"stall_ms\":60000}",
        "{\"raw\":\"data: {\\\"error\\\":{\\\"message\\\":\\\"Overloaded\\\"}}\\n\\n\"}",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(faults); i++) {
        bx_auto(bx_freep) char *script =
            bx_asprintf("[{\"tries\":[%s,{\"text\":\"whole\"}]}]", faults[i]);
        struct world w = open_world(script, "");
        struct heard h = {0};
        struct bx_reply reply;
        struct bx_err err = {0};
        if (ask(&w, "hello", false, NULL, &h, &reply, &err) < 0) {
            fail_msg("%s: %s", faults[i], err.msg);
        }
        assert_true(h.retries == 1 || (stalls(script) && h.retries > 1));
        assert_true(h.reason[0]);
        assert_string_equal(bx_buf_z(&h.text), "whole");
        assert_string_equal(reply.message->blocks.p[0].text, "whole");
        assert_int_equal(requests(&w), 1 + h.retries);
        bx_reply_deinit(&reply);
        heard_deinit(&h);
        close_world(&w);
    }
}

static void no_retries(void **state) {
    (void)state;
    static const struct {
        const char *fault;
        int code;
    } table[] = {
        {"{\"status\":400}", BX_ERR_INVALID},
        {"{\"status\":401,\"error\":\"the key key-of-mine is bad\"}", BX_ERR_AUTH},
        {"{\"status\":403}", BX_ERR_AUTH},
        {"{\"status\":404}", BX_ERR_NOTFOUND},
        {"{\"status\":400,\"error\":\"maximum context length is 10\"}", BX_ERR_LIMIT},
        {"{\"status\":429,\"retry_after\":3600}", BX_ERR_RETRY},
        {"{\"status\":429,\"retry_after\":\"Fri, 31 Dec 2100 23:59:59 GMT\"}", BX_ERR_RETRY},
        {"{\"raw\":\"data: nonsense\\n\\n\"}", BX_ERR_PROTO},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        bx_auto(bx_freep) char *script = bx_asprintf("[%s]", table[i].fault);
        struct world w = open_world(script, "");
        struct heard h = {0};
        struct bx_reply reply = {0};
        struct bx_err err;
        int r = ask(&w, "hello", false, NULL, &h, &reply, &err);
        if (r != table[i].code) {
            fail_msg("%s: %s %s", table[i].fault, bx_err_name(r), r < 0 ? err.msg : "");
        }
        assert_null(reply.message);
        assert_int_equal(requests(&w), 1);
        assert_null(strstr(err.msg, "key-of-mine")); // also when the server repeats it
        heard_deinit(&h);
        close_world(&w);
    }
}

/* An error that is cut in the middle of the key. */
static void half_a_key(void **state) {
    (void)state;
    char before[401];
    memset(before, 'x', sizeof before - 1);
    before[sizeof before - 1] = '\0';
    for (size_t n = 280; n < 300; n++) {
        bx_auto(bx_freep) char *script = bx_asprintf(
            "[{\"status\":401,\"error\":\"%s key-of-mine %s\"}]", before + 400 - n, before);
        struct world w = open_world(script, "");
        struct heard h = {0};
        struct bx_reply reply = {0};
        struct bx_err err;
        assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, &err), BX_ERR_AUTH);
        assert_null(strstr(err.msg, "key-"));
        heard_deinit(&h);
        close_world(&w);
    }
}

static void gives_up(void **state) {
    (void)state;
    struct world w = open_world("[{\"status\":503,\"error\":\"no room\"}]", "");
    struct heard h = {0};
    struct bx_reply reply;
    struct bx_err err;
    assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, &err), BX_ERR_RETRY);
    assert_non_null(strstr(err.msg, "no room"));
    assert_int_equal(requests(&w), 3);
    heard_deinit(&h);
    close_world(&w);
}

/* For a request that there is another way for: one retry, no long pause, none after a time limit.
 */
static void gives_up_soon(void **state) {
    (void)state;
    static const struct {
        const char *tries;
        size_t asked;
        int code;
    } table[] = {
        {"{\"status\":503},{\"status\":503},{\"text\":\"a\"}", 2, BX_ERR_RETRY},
        {"{\"status\":503},{\"text\":\"a\"}", 2, 0},
        {"{\"status\":429,\"retry_after\":20},{\"text\":\"a\"}", 1, BX_ERR_RETRY},
        {"{\"text\":\"abc\",\"stall_ms\":60000},{\"text\":\"a\"}", 1, BX_ERR_TIMEOUT},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        bx_auto(bx_freep) char *script = bx_asprintf("[{\"tries\":[%s]}]", table[i].tries);
        struct world w = open_world(script, "");
        struct heard h = {.quick = true};
        struct bx_reply reply = {0};
        struct bx_err err;
        int r = ask(&w, "hello", false, NULL, &h, &reply, &err);
        if (r != table[i].code || requests(&w) != table[i].asked)
            fail_msg("%s: %s after %zu", table[i].tries, bx_err_name(r), requests(&w));
        bx_reply_deinit(&reply);
        heard_deinit(&h);
        close_world(&w);
    }
}

/* A date that has passed means now: the usual pause, and another try. */
static void retry_after_past_date(void **state) {
    (void)state;
    struct world w = open_world("[{\"tries\":[{\"status\":503,\"retry_after\":\"Thu, 01 Jan 1970 "
                                "00:00:00 GMT\"},{\"text\":\"a\"}]}]",
                                "");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, NULL), 0);
    assert_int_equal(h.retries, 1);
    assert_true(h.wait_ms < 1000);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

/* What a reply costs: as its provider says, else by the settings' price, else nobody knows. */
static void cost(void **state) {
    (void)state;
    static const struct {
        const char *usage, *settings;
        double cost;
    } table[] = {
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":1000,\"cost\":0.25}", "", 0.25},
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":1000,\"cost\":0}", "", 0},
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":1000}", "", -1},
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":500000}",
         ",\"price\":{\"input\":3,\"output\":8}", 7},
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":0,\"prompt_tokens_details\":{"
         "\"cached_tokens\":500000}}",
         ",\"price\":{\"input\":4,\"output\":8,\"cached\":1}", 2.5},
        {"{\"prompt_tokens\":1000000,\"completion_tokens\":0,\"prompt_tokens_details\":{"
         "\"cached_tokens\":500000}}",
         ",\"price\":{\"input\":4,\"output\":8}", 4},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        bx_auto(bx_freep) char *script =
            bx_asprintf("[{\"text\":\"a\",\"usage\":%s}]", table[i].usage);
        struct world w = open_world(script, table[i].settings);
        struct heard h = {0};
        struct bx_reply reply;
        struct bx_price price;
        assert_int_equal(bx_model_price(w.model, &price), *table[i].settings != 0);
        assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, NULL), 0);
        double is = bx_model_cost(w.model, &reply.usage);
        if (is < table[i].cost - 1e-9 || is > table[i].cost + 1e-9)
            fail_msg("row %zu: %f", i, is);
        bx_reply_deinit(&reply);
        heard_deinit(&h);
        close_world(&w);
    }
}

static void retry_after(void **state) {
    (void)state;
    struct world w =
        open_world("[{\"tries\":[{\"status\":429,\"retry_after\":1},{\"text\":\"a\"}]}]", "");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, NULL), 0);
    assert_int_equal(h.wait_ms, 1000);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

/* Each of these would last forever without the token. */
static void cancelled(void **state) {
    (void)state;
    static const char *const scripts[] = {
        "[{\"text\":\"again \",\"forever\":true}]",
        "[{\"text\":\"a long text that has more than one "
        "piece\",\"stall_ms\":3600000,\"stall_after\":500}]",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(scripts); i++) {
        struct world w = open_world(scripts[i], "");
        struct heard h = {.fire_at_text = bx_cancel_new(NULL)};
        struct bx_reply reply;
        assert_int_equal(ask(&w, "hello", false, h.fire_at_text, &h, &reply, NULL),
                         BX_ERR_CANCELLED);
        assert_int_equal(requests(&w), 1);
        bx_cancel_unref(h.fire_at_text);
        heard_deinit(&h);
        close_world(&w);
    }
}

static void continued(void **state) {
    (void)state;
    struct world w = open_world(
        "{\"turns\":[{\"text\":\"one, \",\"finish\":\"length\"},{\"tries\":["
        "{\"text\":\"tw\",\"stall_ms\":60000},{\"text\":\"two, \",\"finish\":\"length\"}]}],"
        "\"when\":[{\"contains\":\"one, two, \",\"turns\":[{},{\"text\":\"three\"}]}]}",
        "");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "count", false, NULL, &h, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_STOP);
    assert_int_equal(reply.message->blocks.n, 1);
    assert_string_equal(reply.message->blocks.p[0].text, "one, two, three");
    assert_string_equal(bx_buf_z(&h.text), "one, two, three");
    assert_true(h.retries >= 1);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

/* Who counts each request goes on by itself. */
static void once_is_not_continued(void **state) {
    (void)state;
    struct world w = open_world(
        "{\"turns\":[{\"text\":\"one, \",\"finish\":\"length\"},{\"text\":\"two\"}]}", "");
    struct heard h = {.once = true};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "count", false, NULL, &h, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_LENGTH);
    assert_string_equal(reply.message->blocks.p[0].text, "one, ");
    assert_int_equal(requests(&w), 1);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

/* A call that the limit cut is the agent's to mend, not ours to continue. */
static void cut_call_is_not_continued(void **state) {
    (void)state;
    struct world w = open_world("[{\"text\":\"I\",\"calls\":[{\"tool\":\"read\",\"arguments\":\"{"
                                "\\\"file\"}],\"finish\":\"length\"}]",
                                "");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "hello", true, NULL, &h, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_LENGTH);
    assert_int_equal(requests(&w), 1);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

static void key_is_missing(void **state) {
    (void)state;
    struct world w = open_world("[{\"text\":\"a\"}]", "");
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    static const char settings[] = "{\"providers\":{\"far\":{\"base_url\":\"https://models.example/"
                                   "v1\",\"key_env\":\"BX_TEST_FAR\"}}}";
    assert_int_equal(bx_doc_parse(bx_str(settings), NULL, &doc, NULL), 0);
    struct bx_models *models;
    struct bx_models_config config = {
        .settings = bx_doc_root(doc), .models_dir = "/nonexistent", .runtime_dir = "/nonexistent"};
    assert_int_equal(bx_models_new(&config, &models, NULL), 0);
    bx_model_unref(w.model);
    assert_int_equal(bx_models_get(models, "far/m", &w.model, NULL), 0);
    struct heard h = {0};
    struct bx_reply reply;
    struct bx_err err;
    assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, &err), BX_ERR_AUTH);
    assert_non_null(strstr(err.msg, "BX_TEST_FAR"));
    heard_deinit(&h);
    bx_models_free(models);
    close_world(&w);
}

static void nothing_listens(void **state) {
    (void)state;
    struct world w = open_world("[]", "");
    static const char settings[] =
        "{\"providers\":{\"ollama\":{\"base_url\":\"http://127.0.0.1:1/v1\"}}}";
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(settings), NULL, &doc, NULL), 0);
    assert_int_equal(bx_models_reload(w.models, bx_doc_root(doc), NULL), 0);
    bx_model_unref(w.model);
    assert_int_equal(bx_models_get(w.models, "ollama/x", &w.model, NULL), 0);
    struct heard h = {0};
    struct bx_reply reply;
    struct bx_err err;
    assert_int_equal(ask(&w, "hello", false, NULL, &h, &reply, &err), BX_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "ollama serve"));
    assert_int_equal(h.retries, 0);
    heard_deinit(&h);
    close_world(&w);
}

/* ---- the constrained mode ---- */

static void constrained_call(void **state) {
    (void)state;
    struct world w =
        open_world("{\"by\":\"request\",\"turns\":[{\"text\":\"{\\\"tool\\\":\\\"read\\\","
                   "\\\"arguments\\\":{\\\"file_path\\\":\\\"/note.txt\\\"}}\"}]}",
                   ",\"constrained\":true");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "What is in note.txt?", true, NULL, &h, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_CALLS);
    assert_int_equal(reply.message->blocks.n, 1);
    assert_string_equal(reply.message->blocks.p[0].tool, "read");
    assert_string_equal(reply.message->blocks.p[0].arguments, "{\"file_path\":\"/note.txt\"}");
    assert_string_equal(bx_buf_z(&h.text), ""); // the JSON is not shown
    assert_string_equal(bx_buf_z(&h.calls), "read ");
    bx_auto(bx_freep) char *sent = scripted_requests(w.peer);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(sent), NULL, &doc, NULL), 0);
    const struct bx_val *body = bx_val_get(bx_val_at(bx_doc_root(doc), 0), "body");
    assert_null(bx_val_get(body, "tools"));
    const struct bx_val *schema =
        bx_val_get(bx_val_get(bx_val_get(body, "response_format"), "json_schema"), "schema");
    const struct bx_val *choices = bx_val_get(schema, "anyOf");
    assert_int_equal(bx_val_len(choices), 1); // the question names a file: "none" is no choice
    const struct bx_val *arguments =
        bx_val_get(bx_val_get(bx_val_at(choices, 0), "properties"), "arguments");
    assert_int_equal(bx_val_len(bx_val_get(arguments, "properties")), 1); // only what is required
    const struct bx_val *names =
        bx_val_get(bx_val_get(bx_val_get(arguments, "properties"), "file_path"), "enum");
    assert_int_equal(bx_val_len(names), 1);
    assert_string_equal(bx_val_z(bx_val_at(names, 0)), "/note.txt");
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

static void constrained_answer(void **state) {
    (void)state;
    struct world w = open_world("{\"by\":\"request\",\"turns\":[{\"text\":\"It is pelican.\"}]}",
                                ",\"constrained\":true");
    struct bx_message *user = bx_message_new(BX_ROLE_USER),
                      *call = bx_message_new(BX_ROLE_ASSISTANT);
    struct bx_message *result = bx_message_new(BX_ROLE_TOOL);
    bx_message_add_text(user, "What is the secret word in note.txt?");
    struct bx_block *b = bx_message_add(call, BX_BLOCK_CALL);
    b->id = bx_strdup("x");
    b->tool = bx_strdup("read");
    b->arguments = bx_strdup("{}");
    b = bx_message_add(result, BX_BLOCK_RESULT);
    b->id = bx_strdup("x");
    b->tool = bx_strdup("read");
    b->text = bx_strdup("     1\tThe secret word is pelican.\n");
    const struct bx_message *messages[] = {user, call, result};
    struct bx_model_request req = {
        .messages = messages, .message_count = 3, .tools = &read_tool, .tool_count = 1};
    struct heard h = {.text = BX_BUF_INIT(BX_MIB), .calls = BX_BUF_INIT(BX_MIB)};
    struct bx_reply reply;
    assert_int_equal(bx_model_ask(w.model, &req, on_event, &h, NULL, &reply, NULL), 0);
    assert_int_equal(reply.finish, BX_FINISH_STOP);
    assert_string_equal(bx_buf_z(&h.text), "It is pelican.");
    bx_auto(bx_freep) char *sent = scripted_requests(w.peer);
    assert_non_null(
        strstr(sent, "Text:\\nThe secret word is pelican.\\n")); // the line number is gone
    assert_null(strstr(sent, "response_format"));
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    bx_message_free(user);
    bx_message_free(call);
    bx_message_free(result);
    close_world(&w);
}

/* No word of the question speaks for a tool: one request, plain. */
static void constrained_talk(void **state) {
    (void)state;
    struct world w =
        open_world("{\"by\":\"request\",\"turns\":[{\"text\":\"Hi.\"}]}", ",\"constrained\":true");
    struct heard h = {0};
    struct bx_reply reply;
    assert_int_equal(ask(&w, "Hello!", true, NULL, &h, &reply, NULL), 0);
    assert_string_equal(bx_buf_z(&h.text), "Hi.");
    assert_int_equal(requests(&w), 1);
    bx_reply_deinit(&reply);
    heard_deinit(&h);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_calls),
        cmocka_unit_test(retries),
        cmocka_unit_test(no_retries),
        cmocka_unit_test(half_a_key),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(gives_up_soon),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(retry_after_past_date),
        cmocka_unit_test(cost),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(continued),
        cmocka_unit_test(once_is_not_continued),
        cmocka_unit_test(cut_call_is_not_continued),
        cmocka_unit_test(key_is_missing),
        cmocka_unit_test(nothing_listens),
        cmocka_unit_test(constrained_call),
        cmocka_unit_test(constrained_answer),
        cmocka_unit_test(constrained_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
