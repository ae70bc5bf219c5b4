/* Sessions that leave and come: exports, imports, and what must not come along. */
#include "unit/store/fixture.h"

#include "base/id.h"
#include "store/export.h"
#include "store/import.h"

static void add(struct bx_session *s, const char *type, const char *body) {
    struct bx_err err = {0};
    if (bx_session_append(s, type, bx_str(body), BX_BATCHED, NULL, &err) < 0)
        fail_msg("%s", err.msg);
}

static struct bx_session *make(struct fixture *f) {
    struct bx_session_header h = {
        .title = "a <b>title</b>", .model = "p/m", .root = "/home/somebody/project"};
    struct bx_session *s = NULL;
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    add(s, "run_start", "{\"run\":\"r1\",\"model\":\"p/m\"}");
    add(s, "user", "{\"run\":\"r1\",\"text\":\"see <script>alert(1)</script> & \\\"this\\\"\"}");
    add(s, "assistant",
        "{\"run\":\"r1\",\"turn\":1,\"text\":\"# Head\\nuse `a<b` and **bold**\\n```c\\nif (a < b "
        "&& c)\\n```\\nend\","
        "\"reasoning\":\"because "
        "</details>\",\"calls\":[{\"id\":\"c1\",\"tool\":\"re\\\"ad\",\"input\":{\"path\":\"<img "
        "src=x onerror=alert(1)>\"}}],\"finish\":\"tool_calls\"}");
    add(s, "tool_result",
        "{\"run\":\"r1\",\"call\":\"c1\",\"tool\":\"read\",\"content\":[{\"type\":\"text\","
        "\"text\":\"</pre><h1>x\"},"
        "{\"type\":\"image\",\"mime\":\"image/"
        "png\",\"data\":\"iVBORw0KGgo=\"},{\"type\":\"image\",\"mime\":\"image/svg+xml\","
        "\"data\":\"PHN2Zz4=\"},{\"type\":\"image\",\"mime\":\"image/"
        "png\",\"data\":\"\\\"><script>\"}]}");
    add(s, "user", "{\"run\":\"r1\",\"text\":\"the key is sk-SECRET-0123456789, keep it\"}");
    add(s, "rewind", "{\"to\":5}");
    add(s, "run_end", "{\"run\":\"r1\",\"reason\":\"done\"}");
    return s;
}

static char *exported(struct fixture *f, struct bx_session *s, bool html) {
    struct bx_buf out = BX_BUF_INIT(16 * BX_MIB);
    struct bx_err err = {0};
    if ((html ? bx_session_export_html : bx_session_export_json)(f->store, s, true, &out, &err) < 0)
        fail_msg("%s", err.msg);
    return bx_buf_steal(&out);
}

static struct bx_session *import(struct fixture *f, const char *text, struct bx_warnings *w) {
    struct bx_session *s = NULL;
    struct bx_err err = {0};
    if (bx_session_import(f->store, bx_str(text), "/here", &s, w, &err) < 0)
        fail_msg("%s", err.msg);
    return s;
}

static char *events_of(struct bx_session *s) {
    struct bx_buf lines = BX_BUF_INIT(16 * BX_MIB);
    struct bx_cursor cursor = {.next_seq = 1, .next_delta = UINT64_MAX};
    while (bx_session_read(s, &cursor, BX_MIB, &lines, NULL) > 0) {
    }
    bx_buf_addz(&lines, "");
    return bx_buf_steal(&lines);
}

static bool warns(const struct bx_warnings *w, const char *what) {
    for (size_t i = 0; i < w->texts.n; i++) {
        if (strstr(w->texts.p[i], what))
            return true;
    }
    return false;
}

/* ---- out ---- */

static void test_page_is_text_only(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    add(s, "unqueue",
        "{\"run\":\"r1\",\"id\":\"q\",\"text\":\"/look <a>\",\"why\":\"no <skill>\"}");
    bx_auto(bx_freep) char *page = exported(f, s, true);
    static const char *const never[] = {
        "<script",        "<h1>x",       "onerror=alert(1)>",
        "svg+xml;base64", "http:",       "https:",
        "<b>title",       "javascript:", "src=\"data:image/png;base64,\"",
        "<link",          "url(",        "/home/somebody"};
    for (size_t i = 0; i < BX_ARRAY_LEN(never); i++) {
        if (strstr(page, never[i]))
            fail_msg("the page has %s", never[i]);
    }
    static const char *const always[] = {
        "<!doctype html>",
        "default-src 'none'",
        "prefers-color-scheme:dark",
        "a &lt;b&gt;title&lt;/b&gt;",
        "see &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;this&quot;",
        "<b class=\"h\">Head</b>",
        "<code>a&lt;b</code>",
        "<strong>bold</strong>",
        "<pre>if (a &lt; b &amp;&amp; c)\n</pre>",
        "because &lt;/details&gt;",
        "src=\"data:image/png;base64,iVBORw0KGgo=\"",
        "&lt;/pre&gt;&lt;h1&gt;x",
        "was replaced",
        "/look &lt;a&gt;",
        "no &lt;skill&gt;"};
    for (size_t i = 0; i < BX_ARRAY_LEN(always); i++) {
        if (!strstr(page, always[i]))
            fail_msg("the page lacks %s", always[i]);
    }
    size_t open = 0, closed = 0;
    for (char *at = page; (at = strstr(at, "<details")); at++)
        open++;
    for (char *at = page; (at = strstr(at, "</details")); at++)
        closed++;
    assert_int_equal(open, closed);
    bx_session_unref(s);
}

static void test_secrets_stay(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f);
    assert_int_equal(bx_secret_set(f->store, "provider.x", "sk-SECRET-0123456789", NULL), 0);
    assert_int_equal(bx_secret_set(f->store, "provider.y", "SECRET-0123", NULL),
                     0); /* within the other */
    bx_auto(bx_freep) char *token = bx_secret_get(f->store, "api_token");
    bx_auto(bx_freep) char *body = bx_asprintf("{\"text\":\"%s%s\"}", token, token);
    add(s, "user", body);
    assert_int_equal(
        bx_secret_set(f->store, "mcp.x",
                      "{\"access_token\":\"tok-98765\",\"issuer\":\"https://is.example\"}", NULL),
        0);
    add(s, "user", "{\"text\":\"<tok-98765> of https://is.example\"}");
    bx_auto(bx_freep) char *title = bx_asprintf("{\"title\":\"t %s\"}", token);
    add(s, "title", title);
    for (int html = 0; html < 2; html++) {
        bx_auto(bx_freep) char *text = exported(f, s, html);
        assert_null(strstr(text, "SECRET-0123"));
        assert_null(strstr(text, token));
        assert_non_null(strstr(text, "the key is [secret], keep it"));
        assert_non_null(strstr(text, "[secret][secret]"));
        assert_non_null(
            strstr(text, html ? "&lt;[secret]&gt;" : "<[secret]> of https://is.example"));
        assert_null(strstr(text, "/home/somebody"));
    }
    bx_auto(bx_freep) char *path = bx_asprintf("%s/auth.json", f->dir);
    assert_int_equal(bx_file_write_atomic(path, bx_str("{broken"), 0600, NULL), 0);
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_session_export_json(f->store, s, true, &out, NULL), BX_ERR_DAMAGED);
    bx_buf_deinit(&out);
    bx_session_unref(s);
}

/* ---- in ---- */

static void test_round_trip(void **state) {
    struct fixture *f = *state;
    struct bx_session *s = make(f), *copy = NULL;
    bx_auto(bx_freep) char *text = exported(f, s, false);
    struct bx_warnings w;
    copy = import(f, text, &w);
    assert_int_equal(w.texts.n, 0);
    assert_string_not_equal(bx_session_header(s)->id, bx_session_header(copy)->id);
    assert_string_equal(bx_session_header(copy)->root, "/here");
    assert_int_equal(bx_session_header(copy)->created_at_ms, bx_session_header(s)->created_at_ms);
    bx_auto(bx_freep) char *one = events_of(s), *two = events_of(copy);
    assert_string_equal(one, two);
    bx_session_unref(copy);
    bx_warnings_deinit(&w);

    bx_auto(bx_freep) char *path =
        bx_asprintf("%s/sessions/%s.jsonl", f->dir, bx_session_header(s)->id);
    struct bx_buf file = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_file_read(path, &file, NULL), 0);
    copy = import(f, bx_buf_z(&file), &w);
    bx_auto(bx_freep) char *three = events_of(copy);
    assert_string_equal(one, three);
    bx_buf_deinit(&file);
    bx_warnings_deinit(&w);
    bx_session_unref(copy);
    bx_session_unref(s);
}

/* ---- executors ---- */

static struct bx_session *make_executor(struct fixture *f, struct bx_session *manager,
                                        const char *title) {
    struct bx_session_header h = {
        .title = title, .model = "p/m", .kind = "executor", .agent = "scout", .root = "/home/x"};
    struct bx_session *s = NULL;
    char body[300];
    memcpy(h.parent.session, bx_session_header(manager)->id, sizeof h.parent.session);
    snprintf(h.parent.run, sizeof h.parent.run, "r1");
    snprintf(h.parent.call, sizeof h.parent.call, "c1");
    assert_int_equal(bx_session_create(f->store, &h, &s, NULL), 0);
    snprintf(body, sizeof body, "{\"run\":\"r1\",\"executor\":\"%s\",\"state\":\"done\"}",
             bx_session_header(s)->id);
    add(manager, "executor", body);
    add(s, "capability", "{\"mounts\":[{\"host\":\"/\",\"guest\":\"/\",\"writable\":true}]}");
    add(s, "user", "{\"text\":\"the key is sk-SECRET-0123456789 <b>\"}");
    add(s, "grant", "{\"rule\":{\"id\":\"g\",\"tool\":\"bash\"}}");
    add(s, "assistant", "{\"text\":\"found it\"}");
    return s;
}

static struct bx_session *only_child(struct fixture *f, const char *id) {
    struct bx_session_list l;
    struct bx_session *s = NULL;
    struct bx_session_filter filter = {.parent = id, .kind = "executor"};
    assert_int_equal(bx_store_list(f->store, &filter, 10, &l, NULL), 0);
    assert_int_equal(l.n, 1);
    assert_int_equal(bx_session_open(f->store, l.rows[0].id, &s, NULL), 0);
    bx_session_list_deinit(&l);
    return s;
}

static void test_executors_go_along(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    assert_int_equal(bx_secret_set(f->store, "provider.x", "sk-SECRET-0123456789", NULL), 0);
    struct bx_session *s = make(f), *e1 = make_executor(f, s, "look <i>"),
                      *e2 = make_executor(f, e1, "deeper");
    bx_auto(bx_freep) char *page = exported(f, s, true), *text = exported(f, s, false);
    assert_non_null(strstr(page, "<b>scout</b> look &lt;i&gt;</summary>"));
    assert_non_null(strstr(page, "deeper"));
    assert_null(strstr(page, "sk-SECRET") ? page : strstr(text, "sk-SECRET"));
    assert_null(strstr(text, "/home/"));
    struct bx_buf alone = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_session_export_json(f->store, s, false, &alone, NULL), 0);
    assert_null(strstr(bx_buf_z(&alone), "found it"));
    bx_buf_deinit(&alone);

    struct bx_session *copy = import(f, text, &w);
    struct bx_session *c1 = only_child(f, bx_session_header(copy)->id),
                      *c2 = only_child(f, bx_session_header(c1)->id);
    const struct bx_session_header *h = bx_session_header(c1);
    assert_string_not_equal(h->id, bx_session_header(e1)->id);
    assert_string_equal(h->agent, "scout");
    assert_string_equal(h->title, "look <i>");
    assert_string_equal(h->root, "/here");
    assert_string_equal(h->parent.run, "r1");
    assert_string_equal(h->parent.call, "c1");
    bx_auto(bx_freep) char *own = events_of(copy), *first = events_of(c1), *second = events_of(c2);
    assert_non_null(strstr(own, h->id)); /* the manager's event names it */
    assert_null(strstr(own, bx_session_header(e1)->id));
    assert_non_null(strstr(first, bx_session_header(c2)->id));
    assert_non_null(strstr(second, "found it"));
    assert_null(strstr(first, "capability") ? first : strstr(first, "grant"));
    assert_true(warns(&w, "permissions: they are given anew (2)"));
    assert_true(warns(&w, "what executors were allowed") && warns(&w, "(2)"));
    bx_warnings_deinit(&w);
    struct bx_session *all[] = {s, e1, e2, copy, c1, c2};
    for (size_t i = 0; i < BX_ARRAY_LEN(all); i++)
        bx_session_unref(all[i]);
}

#define ID(n) "01234567-89ab-7cde-8123-00000000000" #n
#define EXECUTOR(id, parent, rest)                                                                 \
    "{\"header\":{\"id\":\"" id "\",\"kind\":\"executor\",\"parent\":{\"session\":\"" parent       \
    "\",\"run\":\"r\",\"call\":\"c\"}}" rest "}"

/* Circles, strangers, the same twice, what is not whole, and names of sessions that are here. */
static void test_wild_executors(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    struct bx_session *here = make(f), *e = make_executor(f, here, "mine");
    bx_auto(bx_freep) char *text =
        bx_asprintf("{\"format\":\"boxagnts-session\",\"v\":1,\"header\":{\"id\":\"" ID(
                        0) "\"},\"events\":["
                           "{\"seq\":1,\"type\":\"executor\",\"executor\":\"" ID(
                               1) "\"},"
                                  "{\"seq\":2,\"type\":\"executor\",\"executor\":\"%s\"},"
                                  "{\"seq\":3,\"type\":\"user\",\"executor\":\"../"
                                  "x\",\"text\":\"t\"}],\"executors\":[" EXECUTOR(
                                      ID(1), ID(0),
                                      ",\"events\":[{\"seq\":1,\"type\":\"mode\",\"mode\":"
                                      "\"bypass\"}]") "," EXECUTOR(ID(1), ID(0),
                                                                   ",\"events\":[]") "," /* twice */
                    EXECUTOR(ID(0), ID(0), ",\"events\":[]") "," /* its own manager */
                    EXECUTOR(ID(2), ID(2), ",\"events\":[]") "," EXECUTOR(
                        ID(3), ID(4), ",\"events\":[]") "," /* before its manager */
                    EXECUTOR(ID(5), ID(0), "") "," EXECUTOR(
                        "../../x", ID(0), ",\"events\":[]") ","
                                                            "{\"header\":{\"id\":\"" ID(
                                                                6) "\",\"parent\":{\"session\":\"%"
                                                                   "s\"}},\"events\":[]},"
                                                                   "7,{},[]]}",
                    bx_session_header(e)->id, bx_session_header(here)->id);
    struct bx_session *s = import(f, text, &w);
    struct bx_session *one = only_child(f, bx_session_header(s)->id);
    bx_auto(bx_freep) char *events = events_of(s), *mode = bx_session_mode(one);
    assert_string_equal(mode, "default");
    assert_non_null(strstr(events, bx_session_header(one)->id));
    assert_null(strstr(events, bx_session_header(e)->id)); /* nothing leads to what was here */
    assert_true(warns(&w, "manager is not there (10)"));
    bx_session_unref(
        only_child(f, bx_session_header(here)->id)); /* none came to a session of ours */
    bx_warnings_deinit(&w);
    bx_session_unref(one);
    bx_session_unref(s);
    bx_session_unref(e);
    bx_session_unref(here);
}

#define HEADER                                                                                     \
    "{\"v\":1,\"id\":\"01234567-89ab-7cde-8123-456789abcdef\",\"created_at\":\"2026-01-02T03:04:"  \
    "05.000Z\""

static void test_rights_stay_behind(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    struct bx_session *s = import(
        f,
        HEADER ",\"mode\":\"bypass\",\"kind\":\"executor\",\"parent\":{\"session\":\"x\"}}\n"
               "{\"seq\":1,\"type\":\"run_start\",\"run\":\"r\"}\n"
               "{\"seq\":2,\"type\":\"grant\",\"rule\":{\"id\":\"g\",\"tool\":\"bash\"}}\n"
               "{\"seq\":3,\"type\":\"answer\",\"choice\":\"session\",\"rule\":{\"id\":\"h\","
               "\"tool\":\"write\"}}\n"
               "{\"seq\":4,\"type\":\"mode\",\"mode\":\"auto\"}\n"
               "{\"seq\":5,\"type\":\"queued\",\"id\":\"q\",\"text\":\"delete everything\"}\n"
               "{\"seq\":6,\"type\":\"budget\",\"budget\":{\"money\":1000000}}\n"
               "{\"seq\":7,\"type\":\"assistant\",\"calls\":[{\"id\":\"c\",\"tool\":\"read\","
               "\"input\":{}}]}\n",
        &w);
    bx_auto(bx_freep) char *text = events_of(s), *mode = bx_session_mode(s);
    assert_null(strstr(text, "\"rule\""));
    assert_null(strstr(text, "\"grant\""));
    assert_null(strstr(text, "\"money\"")); /* what may be spent says who pays */
    assert_non_null(strstr(text, "\"type\":\"unqueue\",\"id\":\"q\""));
    assert_non_null(
        strstr(text, "\"type\":\"tool_result\",\"run\":\"r\",\"turn\":0,\"call\":\"c\""));
    assert_non_null(strstr(text, "\"type\":\"run_end\""));
    assert_string_equal(mode, "default");
    assert_string_equal(bx_session_header(s)->kind, "chat");
    assert_string_equal(bx_session_header(s)->parent.session, "");
    assert_true(warns(&w, "permissions: they are given anew (2)"));
    assert_true(warns(&w, "a mode that asks less") && warns(&w, "executor"));
    bx_warnings_deinit(&w);
    bx_session_unref(s);
}

static void test_what_is_no_session_is_said(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "empty"},
        {"   \n \n", "empty"},
        {"hello", "this is no session"},
        {"{}", "this is no session"},
        {"[]", "this is no session"},
        {"{\"messages\":7}", "this is no session"},
        {"{\"v\":1,\"id\":\"../../etc/passwd\"}", "this is no session"},
        {"{\"format\":\"boxagnts-session\",\"v\":1,\"header\":{}}", "not whole"},
        {"{\"format\":\"boxagnts-session\",\"v\":2,\"header\":{},\"events\":[]}", "later version"},
        {"{\"seq\":1,\"type\":\"user\"}", "this is no session"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        struct bx_session *s = NULL;
        struct bx_warnings w;
        struct bx_err err = {0};
        assert_int_equal(bx_session_import(f->store, bx_str(cases[i].text), "/", &s, &w, &err),
                         BX_ERR_INVALID);
        if (!strstr(err.msg, cases[i].says))
            fail_msg("%s: %s", cases[i].text, err.msg);
        bx_warnings_deinit(&w);
    }
    struct bx_session_list l;
    assert_int_equal(bx_store_list(f->store, &(struct bx_session_filter){0}, 10, &l, NULL), 0);
    assert_int_equal(l.n, 0);
    bx_session_list_deinit(&l);
}

static void test_wild_events(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    struct bx_session *s = import(
        f,
        HEADER
        ",\"title\":7,\"model\":[],\"created_at\":\"x\"}\n"
        "{\"seq\":9007199254740993,\"type\":\"user\",\"text\":\"far\"}\n"
        "{\"seq\":3,\"t\":\"9999-01-01T00:00:00.000Z\",\"type\":\"user\",\"text\":\"gap before\"}\n"
        "{\"seq\":3,\"type\":\"user\",\"text\":\"twice\"}\n"
        "{\"seq\":-1,\"type\":\"user\"}\n"
        "{\"seq\":4,\"type\":{}}\n"
        "not json\n"
        "{\"seq\":5,\"type\":\"weather\",\"seq\":77,\"deep\":[[[[1]]]]}\n",
        &w);
    bx_auto(bx_freep) char *text = events_of(s);
    assert_int_equal(bx_session_last_seq(s), 5);
    assert_non_null(strstr(text, "{\"seq\":1,"));
    assert_null(strstr(text, "twice"));
    assert_null(strstr(text, "9999-"));
    assert_null(strstr(text, ":77")); /* milliseconds may have it */
    assert_non_null(strstr(text, "\"weather\",\"deep\":[[[[1]]]]"));
    assert_true(warns(&w, "not in their order (4)"));
    assert_true(warns(&w, "damaged (1)"));
    bx_warnings_deinit(&w);
    bx_session_unref(s);
}

static void test_rust_session(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    struct bx_session *s = import(
        f,
        "{\"id\":\"abc\",\"created_at\":\"2025-03-04T05:06:07.123456789+00:00\",\"updated_at\":"
        "\"2025-03-05T05:06:07Z\","
        "\"model\":\"openai/gpt\",\"title\":\"Old "
        "one\",\"tags\":[\"x\"],\"total_cost\":1.5,\"checkpoints\":[],\"branch_from\":null,"
        "\"messages\":["
        "{\"role\":\"user\",\"content\":\"hello\",\"uuid\":\"u\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\","
        "\"signature\":\"s\"},{\"type\":\"text\","
        "\"text\":\"I "
        "look\"},{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"read\",\"input\":{\"path\":\"a\"}}"
        ","
        "{\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"glob\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t1\","
        "\"content\":[{\"type\":\"text\",\"text\":"
        "\"content of "
        "a\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/"
        "png\",\"data\":\"QQ==\"}}],"
        "\"is_error\":false},{\"type\":\"tool_result\",\"tool_use_id\":\"nobody\",\"content\":"
        "\"x\"}]},"
        "{\"role\":\"assistant\",\"content\":\"done\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"next\"},{\"type\":\"image\","
        "\"source\":{}},{\"type\":"
        "\"user_command\"},{\"type\":\"new_thing\"}]},"
        "{\"role\":\"system\",\"content\":\"s\"},7,{\"role\":\"assistant\",\"content\":null}]}",
        &w);
    bx_auto(bx_freep) char *text = events_of(s), *title = bx_session_title(s),
                           *model = bx_session_model(s);
    static const char *const has[] = {
        "\"t\":\"2025-03-04T05:06:07.000Z\"",
        "\"t\":\"2025-03-05T05:06:07.000Z\"",
        "\"type\":\"user\"",
        "\"text\":\"hello\"",
        "\"turn\":1,\"text\":\"I "
        "look\",\"reasoning\":\"hm\",\"calls\":[{\"id\":\"t1\",\"tool\":\"read\",\"input\":{"
        "\"path\":\"a\"}},",
        "\"call\":\"t1\",\"tool\":\"read\",\"content\":[{\"type\":\"text\",\"text\":\"content of "
        "a\"},{\"type\":\"image\",\"mime\":"
        "\"image/png\",\"data\":\"QQ==\"}]",
        "\"call\":\"t2\",\"tool\":\"glob\",\"content\":\"No result",
        "\"turn\":2,\"text\":\"done\"",
        "\"text\":\"next\"",
        "\"reason\":\"done\""};
    for (size_t i = 0; i < BX_ARRAY_LEN(has); i++) {
        if (!strstr(text, has[i]))
            fail_msg("no %s in %s", has[i], text);
    }
    assert_string_equal(title, "Old one");
    assert_string_equal(model, "openai/gpt");
    static const char *const lost[] = {"tags (1)",
                                       "totals of tokens",
                                       "images in messages (1)",
                                       "unknown kind (2)",
                                       "results of calls that are not there (1)",
                                       "neither the user's"};
    for (size_t i = 0; i < BX_ARRAY_LEN(lost); i++) {
        if (!warns(&w, lost[i]))
            fail_msg("not said: %s", lost[i]);
    }
    assert_false(warns(&w, "checkpoints"));
    bx_warnings_deinit(&w);
    struct bx_session_row row;
    assert_int_equal(bx_store_row(f->store, bx_session_header(s)->id, &row, NULL), 0);
    assert_false(row.open_run || row.damaged);
    bx_session_row_deinit(&row);
    bx_session_unref(s);
}

/* A file as the other program writes it: every kind of message and block that it has. */
static void test_rust_file(void **state) {
    struct fixture *f = *state;
    struct bx_warnings w;
    struct bx_buf file = BX_BUF_INIT(BX_MIB), said = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_file_read(BX_TESTS_DIR "/unit/store/rust_session.json", &file, NULL), 0);
    struct bx_session *s = import(f, bx_buf_z(&file), &w);
    bx_auto(bx_freep) char *events = events_of(s);
    struct bx_str rest = bx_str(events), line;
    while (bx_str_split(&rest, '\n', &line)) { /* what matters of each, one a line */
        static const char *const members[] = {
            "text", "reasoning", "call", "input_tokens", "output_tokens", "cached_tokens", "cost"};
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        if (!line.n || bx_doc_parse(line, NULL, &doc, NULL))
            continue;
        const struct bx_val *e = bx_doc_root(doc);
        bx_buf_adds(&said, bx_val_get_str(e, "type"));
        for (size_t i = 0; i < BX_ARRAY_LEN(members); i++) {
            const struct bx_val *v = bx_val_get(e, members[i]);
            if (bx_val_is(v, BX_VAL_STR))
                bx_buf_addf(&said, " | %s", bx_val_z(v));
            else if (v)
                bx_buf_addf(&said, " | %g", bx_val_real(v, 0));
        }
        bx_buf_addc(&said, '\n');
    }
    assert_string_equal(
        bx_buf_z(&said),
        "run_start\n"
        "user | Which files are there?\n"
        "assistant | I look. | It wants a list.\n"
        "usage | 1250 | 40 | 50 | 0.0125\n"
        "tool_result | toolu_1\n"
        "tool_result | toolu_2\n"
        "assistant | Two files.\n"
        "run_end\n"
        "run_start\n"
        "user | ! ls\na.txt\n\n/review src 2\n\n# colour: blue\n\nCount them\nAll of them.\n"
        "error | overloaded\n"
        "run_end\n"
        "run_start\n"
        "user | And this picture?\n"
        "assistant | A cat.\n"
        "run_end\n");
    static const char *const lost[] = {"images in messages (1)",
                                       "documents in messages (1)",
                                       "kept secret (1)",
                                       "folded searches (1)",
                                       "tags (1)",
                                       "checkpoints (1)",
                                       "branch of (1)",
                                       "which session it came from (1)"};
    for (size_t i = 0; i < BX_ARRAY_LEN(lost); i++)
        if (!warns(&w, lost[i]))
            fail_msg("not said: %s", lost[i]);
    bx_warnings_deinit(&w);
    bx_buf_deinit(&said);
    bx_buf_deinit(&file);
    bx_session_unref(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_page_is_text_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_secrets_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_executors_go_along, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wild_executors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights_stay_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_no_session_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wild_events, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rust_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rust_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
