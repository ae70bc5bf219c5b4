#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "model/openai.h"

/* What came, as one line: r:reasoning t:text c:name(arguments) f:finish, or the error's name. */
static char *describe(int r, const struct bx_reply *reply) {
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    if (r < 0) {
        bx_buf_addz(&out, bx_err_name(r));
        return bx_buf_steal(&out);
    }
    for (size_t i = 0; i < reply->message->blocks.n; i++) {
        const struct bx_block *b = &reply->message->blocks.p[i];
        if (b->kind == BX_BLOCK_CALL) {
            assert_true(b->id && *b->id);
            bx_buf_addf(&out, "c:%s(%s) ", b->tool, b->arguments);
        } else {
            bx_buf_addf(&out, "%s:%s ", b->kind == BX_BLOCK_TEXT ? "t" : "r", b->text);
        }
    }
    static const char *const finishes[] = {"stop", "calls", "length", "filter"};
    bx_buf_addf(&out, "f:%s", finishes[reply->finish]);
    return bx_buf_steal(&out);
}

/* Events must add up to the reply, in valid pieces. */
struct heard {
    struct bx_buf text, reasoning, calls;
};

static void on_event(void *user, const struct bx_model_event *ev) {
    struct heard *h = user;
    assert_true(bx_utf8_valid(ev->text));
    if (ev->kind == BX_EV_TEXT) {
        bx_buf_adds(&h->text, ev->text);
    } else if (ev->kind == BX_EV_REASONING) {
        bx_buf_adds(&h->reasoning, ev->text);
    } else if (ev->kind == BX_EV_CALL) {
        bx_buf_addf(&h->calls, "<%u %s>", ev->index, ev->tool);
    }
}

static void check_heard(const struct heard *h, const struct bx_reply *reply) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB), reasoning = BX_BUF_INIT(BX_MIB);
    unsigned calls = 0;
    for (size_t i = 0; i < reply->message->blocks.n; i++) {
        const struct bx_block *b = &reply->message->blocks.p[i];
        if (b->kind == BX_BLOCK_CALL) {
            char want[200];
            snprintf(want, sizeof want, "<%u %s>", calls++, b->tool);
            assert_true(!*b->tool || strstr(bx_buf_z(&h->calls), want));
        } else {
            bx_buf_addz(b->kind == BX_BLOCK_TEXT ? &text : &reasoning, b->text);
        }
    }
    assert_string_equal(bx_buf_z(&text), bx_buf_z(&h->text));
    assert_string_equal(bx_buf_z(&reasoning), bx_buf_z(&h->reasoning));
    bx_buf_deinit(&text);
    bx_buf_deinit(&reasoning);
}

static char *read_in_two(struct bx_str all, size_t cut, struct bx_usage *ret_usage) {
    struct heard h = {BX_BUF_INIT(BX_MIB), BX_BUF_INIT(BX_MIB), BX_BUF_INIT(BX_MIB)};
    struct bx_openai_reader *reader = bx_openai_reader_new(true, on_event, &h);
    struct bx_reply reply = {0};
    int r = bx_openai_reader_feed(reader, bx_str_slice(all, 0, cut), NULL);
    r = r < 0 ? r : bx_openai_reader_feed(reader, bx_str_slice(all, cut, all.n), NULL);
    r = r < 0 ? r : bx_openai_reader_end(reader, &reply, NULL);
    char *text = describe(r, &reply);
    if (r == 0) {
        check_heard(&h, &reply);
        *ret_usage = reply.usage;
        bx_reply_deinit(&reply);
    }
    bx_openai_reader_free(reader);
    bx_buf_deinit(&h.text);
    bx_buf_deinit(&h.reasoning);
    bx_buf_deinit(&h.calls);
    return text;
}

#define D(delta) "data: {\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define FIN(reason)                                                                                \
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define DONE       "data: [DONE]\n\n"
#define CALL(rest) D("{\"tool_calls\":[{" rest "}]}")

static const struct {
    const char *what, *bytes, *reply;
} cases[] = {
    {"text",
     D("{\"role\":\"assistant\",\"content\":null}") D("{\"content\":\"Hel\"}")
         D("{\"content\":\"lo\"}") FIN("stop") DONE,
     "t:Hello f:stop"},
    {"[DONE] missing", D("{\"content\":\"a\"}") FIN("stop"), "t:a f:stop"},
    {"finish missing", D("{\"content\":\"a\"}") DONE, "t:a f:stop"},
    {"cut after an event", D("{\"content\":\"a\"}"), "retry"},
    {"cut inside an event", D("{\"content\":\"a\"}") "data: {\"choices\":[{\"del", "retry"},
    {"nothing at all", "", "retry"},
    {"only [DONE]", DONE, "retry"},
    {"cut behind the finish", D("{\"content\":\"a\"}") FIN("stop") "data: {\"usa", "t:a f:stop"},
    {"CRLF and comments",
     ": ping\r\n\r\ndata: "
     "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\r\n\r\n",
     "t:a f:stop"},
    {"no space behind data",
     "data:{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n",
     "t:a f:stop"},
    {"multibyte", D("{\"content\":\"h\xc3\xa9\xf0\x9f\x98\x80\"}") FIN("stop"),
     "t:h\xc3\xa9\xf0\x9f\x98\x80 f:stop"},
    {"invalid UTF-8", D("{\"content\":\"a\xff\"}") FIN("stop"), "t:a\xef\xbf\xbd f:stop"},
    {"content in parts",
     D("{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]}")
         FIN("stop"),
     "t:ab f:stop"},
    {"reasoning_content", D("{\"reasoning_content\":\"hm\"}") D("{\"content\":\"a\"}") FIN("stop"),
     "r:hm t:a f:stop"},
    {"reasoning", D("{\"reasoning\":\"hm\"}") D("{\"content\":\"a\"}") FIN("stop"),
     "r:hm t:a f:stop"},
    {"<think>",
     D("{\"content\":\"<thi\"}") D("{\"content\":\"nk>\\nhm</thi\"}")
         D("{\"content\":\"nk>\\n\\na\"}") FIN("stop"),
     "r:hm t:a f:stop"},
    {"<think> later is text", D("{\"content\":\"a <think>b</think>\"}") FIN("stop"),
     "t:a <think>b</think> f:stop"},
    {"a call",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"\"}")
         CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\":\"}")
             CALL("\"index\":0,\"function\":{\"arguments\":\"1}\"}") FIN("tool_calls"),
     "c:read({\"a\":1}) f:calls"},
    {"a call that ends with stop",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}")
         FIN("stop"),
     "c:read({}) f:calls"},
    {"without id",
     CALL("\"index\":0,\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}") FIN("tool_calls"),
     "c:read({}) f:calls"},
    {"without index",
     CALL("\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{\"}")
         CALL("\"function\":{\"arguments\":\"}\"}") FIN("tool_calls"),
     "c:read({}) f:calls"},
    {"two without index and id",
     CALL("\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}")
         CALL("\"function\":{\"name\":\"glob\",\"arguments\":\"{}\"}") FIN("tool_calls"),
     "c:read({}) c:glob({}) f:calls"},
    {"two with one index",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}")
         CALL("\"index\":0,\"id\":\"y\",\"function\":{\"name\":\"glob\",\"arguments\":\"{}\"}")
             FIN("tool_calls"),
     "c:read({}) c:glob({}) f:calls"},
    {"two with one id",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}")
         CALL("\"index\":1,\"id\":\"x\",\"function\":{\"name\":\"glob\",\"arguments\":\"{}\"}")
             FIN("tool_calls"),
     "c:read({}) c:glob({}) f:calls"},
    {"two in one delta",
     D("{\"tool_calls\":[{\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"a\",\"arguments\":\"{}"
       "\"}},"
       "{\"index\":1,\"id\":\"y\",\"function\":{\"name\":\"b\",\"arguments\":\"{}\"}}]}")
         FIN("tool_calls"),
     "c:a({}) c:b({}) f:calls"},
    {"interleaved",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"a\",\"arguments\":\"{\"}")
         CALL("\"index\":1,\"id\":\"y\",\"function\":{\"name\":\"b\",\"arguments\":\"{\"}")
             CALL("\"index\":0,\"function\":{\"arguments\":\"}\"}")
                 CALL("\"index\":1,\"function\":{\"arguments\":\"}\"}") FIN("tool_calls"),
     "c:a({}) c:b({}) f:calls"},
    {"arguments before the name",
     CALL("\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}")
         CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\":1}\"}")
             FIN("tool_calls"),
     "c:read({\"a\":1}) f:calls"},
    {"the name again in each piece",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{\"}")
         CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"}\"}")
             FIN("stop"),
     "c:read({}) f:calls"},
    {"arguments as an object",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":{\"a\":1}}")
         FIN("stop"),
     "c:read({\"a\":1}) f:calls"},
    {"no arguments", CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\"}") FIN("stop"),
     "c:read({}) f:calls"},
    {"broken arguments stay as they are",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{\\\"a\\\":\"}")
         FIN("tool_calls"),
     "c:read({\"a\":) f:calls"},
    {"a call cut by the limit",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{\\\"a\\\":\"}")
         FIN("length"),
     "c:read({\"a\":) f:length"},
    {"a whole call at the limit",
     CALL("\"index\":0,\"id\":\"x\",\"function\":{\"name\":\"read\",\"arguments\":\"{}\"}")
         FIN("length"),
     "c:read({}) f:calls"},
    {"a call as text",
     D("{\"content\":\"I look.\\n<tool\"}")
         D("{\"content\":\"_call>\\n{\\\"name\\\":\\\"read\\\",\\\"arguments\\\":{\\\"a\\\":1}}\\n<"
           "/tool_call>\\n\"}") FIN("stop"),
     "t:I look.\n c:read({\"a\":1}) f:calls"},
    {"two calls as text",
     D("{\"content\":\"<tool_call>{\\\"name\\\":\\\"a\\\",\\\"arguments\\\":{}}</"
       "tool_call>\\n<tool_call>{\\\"name\\\":\\\"b\\\",\\\"parameters\\\":{}}</tool_call>\"}")
         FIN("stop"),
     "c:a({}) c:b({}) f:calls"},
    {"a call as text without its end",
     D("{\"content\":\"<tool_call>{\\\"name\\\":\\\"a\\\",\\\"arguments\\\":{}}\"}") FIN("stop"),
     "c:a({}) f:calls"},
    {"a tag that is no call", D("{\"content\":\"<tool_call>nothing</tool_call> b\"}") FIN("stop"),
     "t:<tool_call>nothing</tool_call> b f:stop"},
    {"a tag that never ends", D("{\"content\":\"a <tool_call> b\"}") FIN("stop"),
     "t:a <tool_call> b f:stop"},
    {"nearly a tag", D("{\"content\":\"a <tool_\"}") D("{\"content\":\"x\"}") FIN("stop"),
     "t:a <tool_x f:stop"},
    {"length", D("{\"content\":\"a\"}") FIN("length"), "t:a f:length"},
    {"filter", D("{\"content\":\"a\"}") FIN("content_filter"), "t:a f:filter"},
    {"refusal", D("{\"refusal\":\"no\"}") FIN("stop"), "t:no f:stop"},
    {"empty reply", FIN("stop") DONE, "f:stop"},
    {"second choice",
     "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}\n\n" D(
         "{\"content\":\"a\"}") FIN("stop"),
     "t:a f:stop"},
    {"error in the stream",
     D("{\"content\":\"a\"}") "data: "
                              "{\"error\":{\"message\":\"Overloaded\",\"type\":\"overloaded_"
                              "error\"}}\n\n",
     "retry"},
    {"error with a code", "data: {\"error\":{\"message\":\"x\",\"code\":503}}\n\n", "retry"},
    {"error as a string", "data: {\"error\":\"something is wrong\"}\n\n", "proto"},
    {"context error in the stream",
     "data: {\"error\":{\"message\":\"x\",\"code\":\"context_length_exceeded\"}}\n\n", "limit"},
    {"no JSON", "data: <html>\n\n" FIN("stop"), "proto"},
    {"not this format", "<html>hello</html>", "retry"},
    {"a document",
     "{\"choices\":[{\"message\":{\"content\":\"a\",\"tool_calls\":[{\"id\":\"x\",\"function\":{"
     "\"name\":\"read\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}",
     "t:a c:read({}) f:calls"},
    {"a document behind blanks",
     " \r\n{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
     "t:a f:stop"},
    {"another document", "{\"status\":\"ok\"}", "proto"},
    {"half a document", "{\"choices\":[{\"message\":{\"con", "proto"},
    {"an error document", "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\"}}",
     "proto"},
};

static void every_split(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_str all = bx_str(cases[i].bytes);
        for (size_t cut = 0; cut <= all.n; cut++) {
            struct bx_usage usage;
            bx_auto(bx_freep) char *got = read_in_two(all, cut, &usage);
            if (strcmp(got, cases[i].reply) != 0) {
                fail_msg("%s, cut at %zu: %s instead of %s", cases[i].what, cut, got,
                         cases[i].reply);
            }
        }
    }
}

static void usage(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        int64_t in, out, cached;
    } table[] = {
        {D("{\"content\":\"a\"}") FIN("stop"), -1, -1, -1},
        {D("{\"content\":\"a\"}")
             FIN("stop") "data: "
                         "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
                         "\"prompt_tokens_details\":{\"cached_tokens\":5}}}\n\n" DONE,
         7, 3, 5},
        {D("{\"content\":\"a\"}")
             FIN("stop") "data: "
                         "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,"
                         "\"prompt_cache_hit_tokens\":4}}\n\n",
         7, 3, 4},
        {D("{\"content\":\"a\"}") "data: "
                                  "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],"
                                  "\"usage\":null,\"x_groq\":{\"usage\":{\"prompt_tokens\":2,"
                                  "\"completion_tokens\":1}}}\n\n",
         2, 1, -1},
        /* what cannot be true would be added up */
        {D("{\"content\":\"a\"}")
             FIN("stop") "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":6917529027641081856,"
                         "\"completion_tokens\":-4611686018427387904,"
                         "\"prompt_tokens_details\":{\"cached_tokens\":1000000000001}}}\n\n",
         -1, -1, -1},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        struct bx_usage u = {0};
        bx_auto(bx_freep) char *got = read_in_two(bx_str(table[i].bytes), 5, &u);
        assert_string_equal(got, "t:a f:stop");
        assert_int_equal(u.input_tokens, table[i].in);
        assert_int_equal(u.output_tokens, table[i].out);
        assert_int_equal(u.cached_tokens, table[i].cached);
    }
}

static void errors(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *body;
        int code;
    } table[] = {
        {401, "{\"error\":{\"message\":\"bad key\"}}", BX_ERR_AUTH},
        {403, "", BX_ERR_AUTH},
        {404, "{\"error\":{\"message\":\"no such model\"}}", BX_ERR_NOTFOUND},
        {408, "", BX_ERR_RETRY},
        {429, "{\"error\":{\"message\":\"slow down\"}}", BX_ERR_RETRY},
        {429,
         "{\"error\":{\"message\":\"You exceeded your current "
         "quota\",\"code\":\"insufficient_quota\"}}",
         BX_ERR_DENIED},
        {500, "<html>", BX_ERR_RETRY},
        {503, "{\"error\":{\"message\":\"loading model\"}}", BX_ERR_RETRY},
        {400, "{\"error\":{\"message\":\"bad\"}}", BX_ERR_INVALID},
        {400,
         "{\"error\":{\"message\":\"This model's maximum context length is 8192 "
         "tokens\",\"code\":\"context_length_exceeded\"}}",
         BX_ERR_LIMIT},
        {400,
         "{\"error\":{\"type\":\"exceed_context_size_error\",\"message\":\"the request exceeds the "
         "available context size\"}}",
         BX_ERR_LIMIT},
        {400, "[{\"error\":{\"message\":\"bad\",\"code\":400}}]", BX_ERR_INVALID},
        {413, "{\"error\":{\"message\":\"prompt is too long\"}}", BX_ERR_LIMIT},
        {422, "{\"detail\":\"extra fields\"}", BX_ERR_INVALID},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        struct bx_err err;
        int r = bx_openai_error(table[i].status, bx_str(table[i].body), "Peer", &err);
        if (r != table[i].code) {
            fail_msg("%d %s: %s", table[i].status, table[i].body, bx_err_name(r));
        }
        assert_non_null(strstr(err.msg, "Peer"));
    }
}

static void request(void **state) {
    (void)state;
    struct bx_message *user = bx_message_new(BX_ROLE_USER),
                      *assistant = bx_message_new(BX_ROLE_ASSISTANT);
    struct bx_message *result = bx_message_new(BX_ROLE_TOOL),
                      *thought = bx_message_new(BX_ROLE_ASSISTANT);
    bx_message_add_text(user, "Say \"hi\"\n");
    struct bx_block *b = bx_message_add(user, BX_BLOCK_IMAGE);
    b->mime = bx_strdup("image/jpeg");
    b->data = bx_strdup("QUJD");
    bx_message_add(thought, BX_BLOCK_REASONING)->text = bx_strdup("hm");
    b = bx_message_add(assistant, BX_BLOCK_CALL);
    b->id = bx_strdup("call_1");
    b->tool = bx_strdup("read");
    b->arguments = bx_strdup("{\"a\":1}");
    b = bx_message_add(assistant, BX_BLOCK_CALL);
    b->id = bx_strdup("call_2");
    b->tool = bx_strdup("read");
    b->arguments = bx_strdup("{\"a\":");
    b = bx_message_add(result, BX_BLOCK_RESULT);
    b->id = bx_strdup("call_1");
    b->tool = bx_strdup("read");
    b->text = bx_strdup("seen");
    const struct bx_message *messages[] = {user, thought, assistant, result};
    struct bx_tool_spec tool = {
        .name = "read", .description = "Reads", .schema = "{\"type\":\"object\"}"};
    struct bx_model_request req = {.system = "Be good",
                                   .messages = messages,
                                   .message_count = 4,
                                   .tools = &tool,
                                   .tool_count = 1};
    struct bx_openai_options o = {
        .model = "m", .stream = true, .stream_usage = true, .images = true};
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_openai_write(&o, &req, &out, NULL), 0);
    assert_string_equal(
        bx_buf_z(&out),
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be good\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Say \\\"hi\\\"\\n\"},"
        "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/jpeg;base64,QUJD\"}}]},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"read\",\"arguments\":\"{"
        "\\\"a\\\":1}\"}},"
        "{\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"read\",\"arguments\":\"{"
        "\\\"invalid_json\\\":\\\"{\\\\\\\"a\\\\\\\":\\\"}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"seen\"}],"
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"read\",\"description\":"
        "\"Reads\",\"parameters\":{\"type\":\"object\"}}}],"
        "\"tool_choice\":\"auto\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    bx_buf_reset(&out);
    o = (struct bx_openai_options){.model = "m",
                                   .max_tokens_key = "max_completion_tokens",
                                   .max_tokens = 9,
                                   .short_ids = true,
                                   .greedy = true};
    req.no_tools = true;
    assert_int_equal(bx_openai_write(&o, &req, &out, NULL), 0);
    assert_non_null(strstr(bx_buf_z(&out), "\"tool_choice\":\"none\""));
    assert_non_null(strstr(bx_buf_z(&out), "\"max_completion_tokens\":9,\"temperature\":0"));
    assert_non_null(strstr(bx_buf_z(&out), "an image that this model cannot see"));
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&out), NULL, &doc, NULL), 0);
    const struct bx_val *list = bx_val_get(bx_doc_root(doc), "messages");
    const char *id = bx_val_get_z(bx_val_at(bx_val_get(bx_val_at(list, 2), "tool_calls"), 0), "id");
    assert_int_equal(strlen(id), 9);
    assert_string_equal(id, bx_val_get_z(bx_val_at(list, 3), "tool_call_id"));
    struct bx_buf small = BX_BUF_INIT(64);
    assert_int_equal(bx_openai_write(&o, &req, &small, NULL), BX_ERR_LIMIT);
    bx_buf_deinit(&small);
    bx_buf_deinit(&out);
    bx_message_free(user);
    bx_message_free(assistant);
    bx_message_free(result);
    bx_message_free(thought);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(usage),
        cmocka_unit_test(errors),
        cmocka_unit_test(request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
