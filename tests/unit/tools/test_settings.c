#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/path.h"
#include "tools/embedded.h"
#include "tools/mounts.h"
#include "tools/settings.h"

const struct bx_embedded_tool bx_embedded_tools[] = {{NULL, NULL}};
const size_t bx_embedded_tool_count = 0;

/* A root with a folder "part", a folder "other" beside it, and the state. */
static struct { char *dir, *root, *other, *state; } place;

static int setup(void **state) {
    (void)state;
    char scratch[] = "/tmp/bx-settings-XXXXXX";
    assert_non_null(mkdtemp(scratch));
    place.dir = bx_path_real(scratch, NULL);
    place.root = bx_path_join(place.dir, "root");
    place.other = bx_path_join(place.dir, "other");
    place.state = bx_path_join(place.root, ".boxagnts");
    bx_auto(bx_freep) char *part = bx_path_join(place.root, "part"),
                           *deep = bx_path_join(place.other, "deep"),
                           *file = bx_path_join(place.other, "file");
    const char *const dirs[] = {place.root, place.other, place.state, part, deep};
    for (size_t i = 0; i < BX_ARRAY_LEN(dirs); i++)
        assert_int_equal(mkdir(dirs[i], 0755), 0);
    return bx_file_write_atomic(file, BX_STR_LIT("x"), 0644, NULL);
}

static int teardown(void **state) {
    (void)state;
    bx_dir_remove(place.dir, NULL);
    bx_free(place.dir);
    bx_free(place.root);
    bx_free(place.other);
    bx_free(place.state);
    return 0;
}

/* "@" stands for the scratch folder. */
static char *filled(const char *text) {
    struct bx_buf out = BX_BUF_INIT(4096);
    for (; *text; text++) {
        if (*text == '@')
            bx_buf_addz(&out, place.dir);
        else
            bx_buf_addc(&out, *text);
    }
    return bx_buf_steal(&out);
}

static struct bx_doc *parse(const char *json) {
    struct bx_doc *doc = NULL;
    bx_auto(bx_freep) char *text = filled(json);
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &doc, NULL), 0);
    return doc;
}

/* What settings are refused, and what the sentence says. */
static void test_check(void **state) {
    (void)state;
    static const struct {
        const char *limits, *says; /* says NULL: they are good */
    } cases[] = {
        {"{}", NULL},
        {"{\"*\":{\"time\":\"60s\",\"wasm_max_memory_size\":\"64MiB\"}}", NULL},
        {"[]", "must be an object of tool names"},
        {"{\"read\":5}", "\"read\" is no object"},
        {"{\"read\":{\"tiem\":\"1s\"}}", "did you mean \"time\"?"},
        {"{\"read\":{\"map_dir\":[]}}", "did you mean \"map_dirs\"?"},
        {"{\"read\":{\"colour\":\"red\"}}", "there is no limit \"colour\" (for \"read\")"},
        {"{\"read\":{\"time\":\"1ms\"}}", "from 10 ms to 24 h"},
        {"{\"read\":{\"memory\":true}}", "must be a number or a text"},
        {"{\"read\":{\"allowed_outbound_hosts\":[\"example.com\"]}}", "scheme://host"},
        {"{\"read\":{\"allowed_outbound_hosts\":{}}}", "a list of texts, not"},
        {"{\"read\":{\"allowed_outbound_hosts\":[5]}}", "texts that are not empty"},
        {"{\"read\":{\"allowed_outbound_hosts\":[\"\"]}}", "texts that are not empty"},
        {"{\"read\":{\"allowed_outbound_hosts\":\"https://a.example\"}}", NULL},
        {"{\"read\":{\"block_networks\":[\"home\"]}}", "nor the word private"},
        {"{\"read\":{\"guarded_paths\":[\"a/b\"]}}", "a path that starts with /"},
        {"{\"read\":{\"guarded_paths\":[\"b\",\"/a/*.sh\"]}}", NULL},
        {"{\"read\":{\"work_dir\":[\"part\"]}}", "work_dir must be a text"},
        {"{\"read\":{\"work_dir\":\"part\"}}", NULL},
        {"{\"read\":{\"work_dir\":\"@/other\"}}", NULL},
        {"{\"read\":{\"work_dir\":\"none\"}}", "there is no folder"},
        {"{\"read\":{\"work_dir\":\".boxagnts\"}}", "tools must not see"},
        {"{\"read\":{\"map_dirs\":[\"@/other:/data:ro\",\"@/other/deep:/deep\"]}}", NULL},
        {"{\"read\":{\"map_dirs\":[\"@/other/deep:/deep:ro\",\"@/other:/data\"]}}",
         "cannot be read-only"},
        {"{\"read\":{\"map_dirs\":[\"@/other:/data\",\"@/other/deep:/data\"]}}", "/data"},
        {"{\"read\":{\"map_dirs\":[\"@:/all\"]}}", "tools must not see"},
    };
    struct bx_mount base = {.host_path = place.root, .guest_path = "/", .writable = true};
    struct bx_settings_where where = {.base = &base, .base_count = 1, .state = place.state};
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_doc_freep) struct bx_doc *doc = parse(cases[i].limits);
        struct bx_err err = {0};
        int rc = bx_tool_settings_check(bx_doc_root(doc), &where, &err);
        if ((rc == 0) != !cases[i].says || (cases[i].says && !strstr(err.msg, cases[i].says)))
            fail_msg("%s: %d \"%s\"", cases[i].limits, rc, rc ? err.msg : "");
    }
}

/* "*", then names with a star, then the name itself; a list replaces, guarded_paths add up. */
static void test_order(void **state) {
    (void)state;
    bx_auto(bx_doc_freep) struct bx_doc *doc = parse(
        "{\"web_fetch\":{\"time\":\"3s\",\"allowed_outbound_hosts\":[\"https://c.example\"],"
        "\"guarded_paths\":[\"c\"]},"
        "\"web_*\":{\"time\":\"2s\",\"cpu\":\"2s\",\"allowed_outbound_hosts\":"
        "[\"https://b.example\"],\"guarded_paths\":[\"b\"]},"
        "\"*\":{\"time\":\"1s\",\"cpu\":\"1s\",\"memory\":\"1MiB\",\"guarded_paths\":[\"a\"]}}");
    static const struct {
        const char *tool;
        uint64_t time_ms, cpu_ms;
        const char *time_key, *host, *guarded;
    } cases[] = {{"web_fetch", 3000, 2000, "web_fetch", "https://c.example", "abc"},
                 {"web_search", 2000, 2000, "web_*", "https://b.example", "ab"},
                 {"read", 1000, 1000, "*", NULL, "a"}};
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_arena_deinit) struct bx_arena arena = {NULL};
        struct bx_tool_limits l;
        bx_auto(bx_buf_deinit) struct bx_buf guarded = BX_BUF_INIT(16);
        bx_tool_limits_init(&l);
        assert_int_equal(bx_tool_settings_apply(bx_doc_root(doc), cases[i].tool, &arena, &l, NULL),
                         0);
        assert_int_equal(l.limits.value[BX_LIMIT_TIME], cases[i].time_ms);
        assert_int_equal(l.limits.value[BX_LIMIT_CPU], cases[i].cpu_ms);
        assert_int_equal(l.limits.value[BX_LIMIT_MEMORY], 1 << 20);
        assert_int_equal(l.from[BX_LIMIT_TIME], BX_FROM_SETTINGS);
        assert_string_equal(l.key[BX_LIMIT_TIME], cases[i].time_key);
        assert_int_equal(l.from[BX_LIMIT_STACK], BX_FROM_DEFAULT);
        assert_int_equal(l.lists[BX_LIST_HOSTS].n, cases[i].host != NULL);
        if (cases[i].host)
            assert_string_equal(l.lists[BX_LIST_HOSTS].items[0], cases[i].host);
        for (size_t k = 0; k < l.lists[BX_LIST_GUARDED].n; k++)
            bx_buf_addz(&guarded, l.lists[BX_LIST_GUARDED].items[k]);
        assert_string_equal(bx_buf_z(&guarded), cases[i].guarded);
        const char *const over[] = {"time=9s", NULL};
        assert_int_equal(bx_tool_limits_over(&l, over, NULL), 0);
        assert_int_equal(l.limits.value[BX_LIMIT_TIME], 9000);
        assert_int_equal(l.from[BX_LIMIT_TIME], BX_FROM_CALL);
        assert_null(l.key[BX_LIMIT_TIME]);
    }
}

static void test_mount_parse(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *guest; /* or what the message says */
        bool writable;
    } cases[] = {
        {"@/other:/data", 0, "/data", true},
        {"@/other:/data:rw", 0, "/data", true},
        {"@/other:/data/./x/:ro", 0, "/data/x", false},
        {"@/other", BX_ERR_INVALID, "HOST:GUEST", false},
        {"@/other:", BX_ERR_INVALID, "HOST:GUEST", false},
        {":/data", BX_ERR_INVALID, "HOST:GUEST", false},
        {"@/other:data", BX_ERR_INVALID, "HOST:GUEST", false},
        {"@/other:/data:rx", BX_ERR_INVALID, "ro or rw", false},
        {"@/other:/data:ro:ro", BX_ERR_INVALID, "ro or rw", false},
        {"@/other:/", BX_ERR_INVALID, "work_dir", false},
        {"@/other:/data/..", BX_ERR_INVALID, "work_dir", false},
        {"@/none:/data", BX_ERR_NOTFOUND, "there is no folder", false},
        {"@/other/file:/data", BX_ERR_INVALID, "is not a folder", false},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        bx_auto(bx_freep) char *text = filled(cases[i].text);
        struct bx_mount m = {0};
        struct bx_err err = {0};
        int rc = bx_mount_parse(text, &m, &err);
        if (rc != cases[i].code || (rc && !strstr(err.msg, cases[i].guest)))
            fail_msg("%s: %d \"%s\"", text, rc, rc ? err.msg : "");
        if (rc)
            continue;
        assert_string_equal(m.host_path, place.other);
        assert_string_equal(m.guest_path, cases[i].guest);
        assert_int_equal(m.writable, cases[i].writable);
        bx_free((char *)(uintptr_t)m.host_path);
        bx_free((char *)(uintptr_t)m.guest_path);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_mount_parse),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
