/* What is held beside the conversation: recall, memory, packs, instructions of folders,
 * and the report of it all. The guard of the prefix: test_prefix.c. */
#include "unit/agent/world.h"

#include "agent/history.h"
#include "agent/memory.h"

#define READ(id_, path)                                                                            \
    { id_, "read", "{\"file_path\":\"" path "\"}" }

static const char *at(const char *text, const char *part) {
    const char *found = strstr(text, part);
    if (!found)
        fail_msg("\"%s\" is not in:\n%.3000s", part, text);
    return found;
}

static void not_at(const char *text, const char *part) {
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%.3000s", part, text);
}

/* ---- recall ---- */

static void test_a_long_output_is_paged(void **state) {
    struct world *w = *state;
    static char big[60001];
    for (size_t i = 0; i + 10 < sizeof big; i += 10)
        snprintf(big + i, 11, "%09zu\n", i);
    w_box.output = big;
    W_SCRIPT({.calls = {READ("c1", "a")}},
             {.calls = {{"c2", "recall", "{\"call\":\"c1\",\"offset\":40000,\"limit\":100}"}}},
             {.calls = {{"c3", "recall", "{\"call\":\"c1\",\"offset\":59990}"}}}, {.text = "done"});
    w_send(w, "read it", NULL);
    char *handles = w_log(w, "tool_result", "metadata");
    at(handles, "\"handle\":\"c1\"");
    bx_free(handles);
    at(w_model.dump, "bytes are left out here; recall {\"call\":\"c1\",\"offset\":");
    at(w_model.dump, "(c2) 000040000\n000040010\n");
    at(w_model.dump, "000040090\n\n[bytes 40000 to 40100 of 60000; go on with \"offset\":40100]");
    at(w_model.dump, "(c3) 000059990\n");
    at(w_model.tools + strlen(w_model.tools) - 8, "recall "); /* at the end of the list */
}

/* Servers give "call_1" again and again: also when the first one is no longer told, a handle means
 * one call. */
static void test_handles_stay_unique(void **state) {
    struct world *w = *state;
    W_SCRIPT({.calls = {READ("c1", "a")}}, {.text = "done"}, {.calls = {READ("c1", "b")}},
             {.text = "done"});
    w_send(w, "read a", NULL);
    char body[200];
    snprintf(body, sizeof body,
             "{\"by\":\"user\",\"upto\":%d,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}",
             (int)bx_session_last_seq(w->session));
    w_append(w, "compact", body);
    w_send(w, "read b", NULL);
    char *ids = w_log(w, "tool_result", "call");
    assert_string_equal(strrchr(ids, ' ') - strlen("tool_result|c1"), ids);
    not_at(strrchr(ids, ' '), "|c1");
    bx_free(ids);
}

static void test_recall_is_offered_when_there_is_something(void **state) {
    struct world *w = *state;
    W_SCRIPT({.text = "hi"}, {.text = "hi"}, {.text = "hi"});
    w_send(w, "hello", NULL);
    not_at(w_model.tools, "recall");
    w_append(w, "compact",
             "{\"by\":\"user\",\"upto\":3,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}");
    w_send(w, "hello", NULL);
    at(w_model.tools, "recall ");
    w_reopen(w);
    w_send(w, "hello", NULL);
    at(w_model.tools, "recall ");
}

static void test_recall_finds_by_words(void **state) {
    struct world *w = *state;
    w_append(w, "user",
             "{\"run\":\"r\",\"text\":\"The port of the Database is 5433, mind that.\"}"); /* 1 */
    w_append(
        w, "assistant",
        "{\"run\":\"r\",\"turn\":1,\"text\":\"noted\",\"calls\":[{\"id\":\"k1\",\"tool\":\"read\","
        "\"input\":"
        "{\"file_path\":\"/db.conf\"}}],\"finish\":\"tool_calls\"}"); /* 2 */
    w_append(w, "tool_result",
             "{\"run\":\"r\",\"call\":\"k1\",\"tool\":\"read\",\"content\":\"database "
             "host=localhost\"}"); /* 3 */
    w_append(w, "user",
             "{\"run\":\"r\",\"text\":\"the port of the secret database is 1\"}"); /* 4 */
    w_append(w, "rewind", "{\"to\":4}");
    w_append(w, "compact",
             "{\"by\":\"user\",\"upto\":3,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}");
    W_SCRIPT({.calls = {{"1", "recall", "{\"query\":\"DATABASE port\"}"},
                        {"2", "recall", "{\"query\":\"zebra\"}"},
                        {"3", "recall", "{\"seq\":3}"},
                        {"4", "recall", "{\"seq\":4}"},
                        {"5", "recall", "{\"call\":\"nope\"}"},
                        {"6", "recall", "{}"},
                        {"7", "recall", "{\"query\":\" \"}"},
                        {"8", "recall", "{\"seq\":1,\"offset\":1000}"}}},
             {.text = "done"});
    w_send(w, "which port?", NULL);
    at(w_model.dump, "(1) [1] user: The port of the Database is 5433");
    at(w_model.dump, "[3] tool_result of call k1 (read): database host");
    not_at(w_model.dump, "secret"); /* what the user took back is not found */
    at(w_model.dump, "(2) Nothing in this session's log");
    at(w_model.dump, "(3) database host=localhost");
    at(w_model.dump, "(4 error) Event 4 is no message of this conversation");
    at(w_model.dump, "(5 error) There is no result of a call \"nope\"");
    at(w_model.dump, "(6 error) Give one of");
    at(w_model.dump, "(7 error) \"query\" has no words");
    at(w_model.dump, "(8 error) It is 44 bytes long");
}

/* ---- memory ---- */

static void test_memory_is_told_and_added_to(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    assert_int_equal(
        bx_agent_set_memory(w->agent, BX_STR_LIT("- Tests run with make check.\n"), NULL, &err), 0);
    W_SCRIPT({.calls = {{"1", "remember", "{\"text\":\"The user wants\\nshort answers.\"}"},
                        {"2", "remember", "{\"text\":\"The user wants short answers.\"}"},
                        {"3", "remember", "{\"text\":\"Only here.\",\"for\":\"session\"}"},
                        {"4", "remember", "{\"text\":\"  \"}"}}},
             {.text = "done"}, {.text = "again"},
             {.calls = {{"5", "remember", "{\"text\":\"more\"}"}}}, {.text = "x"});
    w_send(w, "remember", &(struct bx_run_options){.mode = "accept-edits"});
    at(w_model.system, "Tests run with make check.");
    at(w_model.dump, "(1) Remembered.");
    at(w_model.dump, "(2) It is in the memory already.");
    at(w_model.dump, "(3) Pinned for this session.");
    at(w_model.dump, "(4 error) It was not remembered: there is nothing");
    at(w_model.dump, "<pinned-fact by=\"you\">\nOnly here.");
    w_send(w, "and?", NULL);
    at(w_model.system, "- Tests run with make check.\n- The user wants short answers.");
    w_send(w, "in plan mode", &(struct bx_run_options){.mode = "plan", .headless = true});
    at(w_model.dump, "(5 error) Not permitted"); /* it writes */
}

static void test_memory_has_a_bound(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    static char big[20000];
    memset(big, 'm', sizeof big - 1);
    assert_int_equal(bx_agent_set_memory(w->agent, bx_str(big), NULL, &err), BX_ERR_LIMIT);
    at(err.msg, "16384 bytes long, this is 19999");
    assert_int_equal(bx_agent_set_memory(w->agent, bx_str_n(big, BX_MEMORY_MAX_BYTES), NULL, &err),
                     0);
    assert_int_equal(bx_memory_add(w->state, BX_STR_LIT("one more"), &err), BX_ERR_LIMIT);
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("\xff\xfe"), NULL, &err),
                     BX_ERR_INVALID);
}

/* What was remembered after a text was read is not replaced by what was made from that text. */
static void test_memory_is_not_replaced_unseen(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    bx_auto(bx_freep) char *now = NULL;
    char empty[BX_SHA256_HEX + 1], old[BX_SHA256_HEX + 1];
    bx_memory_digest("", empty);
    bx_memory_digest("- One.\n", old);
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("- One.\n"), empty, &err), 0);
    assert_int_equal(bx_memory_add(w->state, BX_STR_LIT("Two."), &err), 0);
    const char *const others[] = {old, empty, ""};
    for (size_t i = 0; i < BX_ARRAY_LEN(others); i++)
        assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("- 1.\n"), others[i], &err),
                         BX_ERR_EXISTS);
    at(err.msg, "has changed meanwhile, nothing was written: read it again");
    assert_int_equal(bx_memory_read(w->state, &now, &err), 0);
    assert_string_equal(now, "- One.\n- Two.\n");
    bx_memory_digest(now, old);
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("- 1.\n- Two.\n"), old, &err), 0);
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("- Any.\n"), NULL, &err), 0);
}

/* ---- facts ---- */

static void test_facts_have_bounds(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    char id[37], text[2100];
    memset(text, 'f', sizeof text);
    assert_int_equal(bx_agent_add_fact(w->agent, w->session, bx_str_n(text, 2001), false, id, &err),
                     BX_ERR_LIMIT);
    assert_int_equal(bx_agent_add_fact(w->agent, w->session, BX_STR_LIT("  "), false, id, &err),
                     BX_ERR_INVALID);
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            bx_agent_add_fact(w->agent, w->session, bx_str_n(text, 2000), false, id, &err), 0);
    assert_int_equal(bx_agent_add_fact(w->agent, w->session, bx_str_n(text, 2000), false, id, &err),
                     BX_ERR_LIMIT);
    at(err.msg, "take one out first");
    assert_int_equal(bx_agent_drop_fact(w->agent, w->session, id, &err), 0);
    assert_int_equal(bx_agent_drop_fact(w->agent, w->session, id, &err), BX_ERR_NOTFOUND);
    assert_int_equal(bx_agent_add_fact(w->agent, w->session, BX_STR_LIT("short"), false, id, &err),
                     0);
}

/* ---- packs ---- */

static int put_pack(struct world *w, const char *name, const char *json, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(json), NULL, &doc, NULL), 0);
    return bx_agent_put_pack(w->agent, name, bx_doc_root(doc), err);
}

static void test_packs(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    char json[400];
    w_append(w, "user", "{\"run\":\"r\",\"text\":\"said in an earlier message\"}");
    w_put(w, "notes/a.txt", "what the file says");
    snprintf(
        json, sizeof json,
        "{\"description\":\"All about it\",\"items\":[{\"kind\":\"text\",\"text\":\"plain "
        "words\"},{\"kind\":\"file\","
        "\"path\":\"/notes/"
        "a.txt\"},{\"kind\":\"message\",\"session\":\"%s\",\"seq\":1},{\"kind\":\"file\",\"path\":"
        "\"/"
        "gone\"},{\"kind\":\"skill\",\"name\":\"nope\"},{\"kind\":\"message\",\"session\":\"%s\","
        "\"seq\":999}]}",
        w_id(w), w_id(w));
    assert_int_equal(put_pack(w, "it", json, &err), 0);
    assert_int_equal(bx_agent_attach_pack(w->agent, w->session, "it", &err), 0);
    assert_int_equal(bx_agent_attach_pack(w->agent, w->session, "it", &err), 0); /* twice is once */
    assert_int_equal(bx_agent_attach_pack(w->agent, w->session, "nope", &err), BX_ERR_NOTFOUND);
    W_SCRIPT({.text = "1"}, {.text = "2"}, {.text = "3"});
    w_send(w, "hi", NULL);
    const char *pack = at(w_model.system, "<context-pack name=\"it\">\nAll about it\n");
    at(pack, "plain words");
    at(pack, "File /notes/a.txt:\nwhat the file says");
    at(pack, "the user:\nsaid in an earlier message");
    at(pack, "(the file /gone of this pack is missing: ");
    at(pack, "(the skill nope of this pack is missing: ");
    at(pack, "(message 999 of session ");
    assert_int_equal(bx_agent_detach_pack(w->agent, w->session, "it", &err), 0);
    assert_int_equal(bx_agent_detach_pack(w->agent, w->session, "it", &err), BX_ERR_NOTFOUND);
    w_send(w, "hi", &(struct bx_run_options){.packs = (const char *const[]){"it", "lost", NULL}});
    at(w_model.system, "<context-pack name=\"it\">");
    at(w_model.system,
       "(The pack lost is missing: there is no pack \"lost\")"); /* said, not fatal */
    w_expect(w, "attach detach", "pack", "attach|it detach|it attach|it attach|lost");
    assert_int_equal(bx_agent_remove_pack(w->agent, "it", &err), 0);
    assert_int_equal(bx_agent_remove_pack(w->agent, "it", &err), BX_ERR_NOTFOUND);
    w_send(w, "hi", NULL);
    at(w_model.system, "(The pack it is missing");
}

static void test_packs_that_are_wrong(void **state) {
    struct world *w = *state;
    static const struct {
        const char *name, *json, *says;
    } rows[] = {
        {"../x", "{\"items\":[]}", "cannot be a pack's name"},
        {".x", "{\"items\":[]}", "cannot be a pack's name"},
        {"", "{\"items\":[]}", "cannot be a pack's name"},
        {"x", "[]", "with \"items\""},
        {"x", "{}", "with \"items\""},
        {"x", "{\"items\":[{\"kind\":\"text\",\"text\":\"a\"},{\"kind\":\"pack\",\"name\":\"x\"}]}",
         "item 2: \"kind\" must be"},
        {"x", "{\"items\":[{\"kind\":\"file\"}]}", "item 1: a file needs \"path\""},
        {"x", "{\"items\":[{\"kind\":\"message\",\"session\":\"s\"}]}",
         "item 1: a message needs \"seq\""},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_err err = {0};
        assert_int_equal(put_pack(w, rows[i].name, rows[i].json, &err), BX_ERR_INVALID);
        at(err.msg, rows[i].says);
    }
    struct bx_err err = {0};
    assert_int_equal(put_pack(w, "hand", "{\"items\":[]}", &err), 0);
    bx_auto(bx_freep) char *path = bx_path_join(w->state, "packs/hand.json");
    assert_int_equal(bx_file_write_atomic(path, BX_STR_LIT("{oops"), 0600, NULL), 0);
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw jw;
    bx_jw_init(&jw, &out);
    bx_jw_arr(&jw);
    bx_agent_list_packs(w->agent, &jw);
    bx_jw_end(&jw);
    at(bx_buf_z(&out), "\"name\":\"hand\"");
    at(bx_buf_z(&out), "\"problem\":\"the pack \\\"hand\\\"");
    bx_buf_deinit(&out);
    assert_int_equal(bx_agent_attach_pack(w->agent, w->session, "hand", &err), BX_ERR_DAMAGED);
}

static void test_a_pack_leads_nowhere_out_of_the_root(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    bx_auto(bx_freep) char *secret = bx_path_join(w->dir, "secret"),
                           *link = bx_path_join(w->root, "link"),
                           *agents = bx_path_join(w->root, "AGENTS.md");
    assert_int_equal(bx_file_write_atomic(secret, BX_STR_LIT("the secret"), 0600, NULL), 0);
    assert_int_equal(symlink(secret, link), 0);
    assert_int_equal(symlink(secret, agents), 0);
    assert_int_equal(
        put_pack(w, "p",
                 "{\"items\":[{\"kind\":\"file\",\"path\":\"/link\"},{\"kind\":\"file\",\"path\":"
                 "\"/../secret\"}]}",
                 &err),
        0);
    assert_int_equal(bx_agent_attach_pack(w->agent, w->session, "p", &err), 0);
    W_SCRIPT({.text = "1"}, {.text = "2"});
    w_send(w, "hi", NULL);
    not_at(w_model.system, "the secret");
    at(w_model.system, "leads out of the root");
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "project_beneath", 1);
    w_send(w, "hi", NULL);
    unsetenv("BX_UNWIRE");
    at(w_model.system, "the secret");
#endif
}

/* ---- instructions of the project ---- */

static void test_nearest_instructions_are_told_when_they_matter(void **state) {
    struct world *w = *state;
    w_put(w, "AGENTS.md", "ROOT RULES");
    w_put(w, "src/AGENTS.md", "SRC RULES");
    w_put(w, "src/api/CLAUDE.md", "API RULES");
    w_put(w, "src/api/x.c", "code");
    w_put(w, "other/AGENTS.md", "OTHER RULES");
    W_SCRIPT({.calls = {READ("1", "src/api/x.c")}}, {.calls = {READ("2", "/src/api/x.c")}},
             {.text = "done"}, {.text = "more"});
    w_send(w, "look", NULL);
    at(w_model.system, "ROOT RULES");
    not_at(w_model.system, "SRC RULES");
    const char *src = at(w_model.dump, "SRC RULES"), *api = at(w_model.dump, "API RULES");
    assert_true(src < api &&
                strstr(w_model.dump, "(1) ok") < src); /* the nearest last, behind the result */
    assert_null(strstr(src + 1, "SRC RULES"));         /* once */
    not_at(w_model.dump, "OTHER RULES");
    w_expect(w, "instructions", "folder file",
             "instructions|/src|/src/AGENTS.md instructions|/src/api|/src/api/CLAUDE.md");
    w_append(w, "compact",
             "{\"by\":\"user\",\"upto\":100,\"summary\":\"x\",\"kept\":[],\"lost\":{\"turns\":1}}");
    W_SCRIPT({.calls = {READ("3", "src/y.c")}}, {.text = "done"});
    w_send(w, "again", NULL); /* what was compacted away is told again when it matters again */
    at(w_model.dump, "SRC RULES");
    not_at(w_model.dump, "API RULES");
}

#ifdef BX_UNWIRE
static void test_without_nested_instructions(void **state) {
    struct world *w = *state;
    w_put(w, "src/AGENTS.md", "SRC RULES");
    W_SCRIPT({.calls = {READ("1", "src/x.c")}}, {.text = "done"});
    setenv("BX_UNWIRE", "nested_instructions", 1);
    w_send(w, "look", NULL);
    unsetenv("BX_UNWIRE");
    not_at(w_model.dump, "SRC RULES");
}
#endif

static void test_the_window_bounds_what_stands_in_front(void **state) {
    struct world *w = *state;
    static char big[30001];
    memset(big, 'i', sizeof big - 1);
    w_put(w, "AGENTS.md", big);
    W_SCRIPT({.text = "1"}, {.text = "2"});
    w_send(w, "hi", NULL);
    at(w_model.system, big);
    w_model.window = 8192;
    w_send(w, "hi", NULL);
    at(w_model.system, "of 30000 bytes are left out here …]");
    assert_true(strlen(w_model.system) < 20000);
}

/* ---- the report ---- */

static void test_the_report_is_the_request(void **state) {
    struct world *w = *state;
    struct bx_err err = {0};
    char id[37];
    w_put(w, "AGENTS.md", "ROOT RULES");
    assert_int_equal(bx_agent_set_memory(w->agent, BX_STR_LIT("remember"), NULL, &err), 0);
    assert_int_equal(bx_agent_add_fact(w->agent, w->session, BX_STR_LIT("a fact"), false, id, &err),
                     0);
    w_model.window = 32768;
    W_SCRIPT({.calls = {READ("1", "a")}}, {.text = "done"});
    w_send(w, "hi there", NULL);
    struct bx_buf out = BX_BUF_INIT(BX_MIB);
    struct bx_jw jw;
    bx_jw_init(&jw, &out);
    assert_int_equal(bx_agent_context_report(w->agent, w->session, &jw, &err), 0);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_buf_str(&out), NULL, &doc, NULL), 0);
    const struct bx_val *root = bx_doc_root(doc);
    assert_int_equal(bx_val_get_int(root, "window", 0), 32768);
    assert_int_equal(bx_val_get_int(root, "compact_at", 0), 32768 * 80 / 100);
    int64_t sum = 0, estimated = bx_val_get_int(root, "estimated", 0);
    bx_val_foreach_item (bx_val_get(root, "parts"), part) {
        int64_t items = 0;
        bx_val_foreach_item (bx_val_get(part, "items"), item) {
            items += bx_val_get_int(item, "tokens", 0);
        }
        assert_int_equal(items, bx_val_get_int(part, "tokens", 0));
        sum += items;
    }
    assert_int_equal(sum, estimated);
    static const char *const has[] = {"\"instructions\"",    "\"tools\"",
                                      "\"project\"",         "\"memory\"",
                                      "\"facts\"",           "\"history\"",
                                      "\"results\"",         "\"name\":\"/AGENTS.md\"",
                                      "\"name\":\"a fact\"", "\"name\":\"hi there\"",
                                      "\"name\":\"read\"",   "\"broken_by\":null"};
    for (size_t i = 0; i < BX_ARRAY_LEN(has); i++)
        at(bx_buf_z(&out), has[i]);
    /* The run's own count of its last request, and the answer that has come since. */
    char *log = w_log(w, "usage", "estimated"), *bar = strrchr(log, '|');
    int64_t last = strtoll(bar + 1, NULL, 10);
    assert_true(estimated >= last && estimated <= last + 12);
    bx_free(log);
    at(bx_buf_z(&out), "\"name\":\"write\"");
    w_append(w, "planner",
             "{\"planner\":true}"); /* a planner is not told of tools that it may not call */
    bx_buf_reset(&out);
    bx_jw_init(&jw, &out);
    assert_int_equal(bx_agent_context_report(w->agent, w->session, &jw, &err), 0);
    not_at(bx_buf_z(&out), "\"name\":\"write\"");
    at(bx_buf_z(&out), "\"name\":\"role\"");
    bx_buf_deinit(&out);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, w_setup, w_teardown)
    const struct CMUnitTest tests[] = {
        T(test_a_long_output_is_paged),
        T(test_handles_stay_unique),
        T(test_recall_is_offered_when_there_is_something),
        T(test_recall_finds_by_words),
        T(test_memory_is_told_and_added_to),
        T(test_memory_has_a_bound),
        T(test_memory_is_not_replaced_unseen),
        T(test_facts_have_bounds),
        T(test_packs),
        T(test_packs_that_are_wrong),
        T(test_a_pack_leads_nowhere_out_of_the_root),
        T(test_nearest_instructions_are_told_when_they_matter),
        T(test_the_window_bounds_what_stands_in_front),
        T(test_the_report_is_the_request),
#ifdef BX_UNWIRE
        T(test_without_nested_instructions),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
