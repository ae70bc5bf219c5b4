/* The permission check as tables: the modes in full against a second statement of the table, rules
 * and globs by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/glob.h"
#include "permit/permit.h"
#include "permit/rule.h"

/* What the documentation's table says, written down a second time: a = allow, r = allow in root
 * else ask, d = deny, R = allow in root else deny, b = allow in box (and root) else ask, ? = ask.
 * Columns: none read_only write execute dangerous forbidden. */
static const char *const table[5] = {
    [BX_MODE_PLAN] = "aRdddd", [BX_MODE_DEFAULT] = "ar???d", [BX_MODE_ACCEPT_EDITS] = "aar??d",
    [BX_MODE_AUTO] = "aarb?d", [BX_MODE_BYPASS] = "aaaa?d",
};

static enum bx_verdict expected(char cell, bool outside, bool in_box) {
    switch (cell) {
    case 'a':
        return BX_ALLOW;
    case 'r':
        return outside ? BX_ASK : BX_ALLOW;
    case 'R':
        return outside ? BX_DENY : BX_ALLOW;
    case 'b':
        return outside || !in_box ? BX_ASK : BX_ALLOW;
    case '?':
        return BX_ASK;
    default:
        return BX_DENY;
    }
}

/* Every mode, level, place, kind of caller: 5 × 6 × 2 × 2 × 2 × 2 × 2 × 2 rows. */
static void test_table(void **state) {
    (void)state;
    unsigned rows = 0;
    const char *path = "/a", *host = "https://example.com";
    for (unsigned bits = 0; bits < 5 * 6 * 64; bits++) {
        unsigned level = bits % 6, mode = bits / 6 % 5, flags = bits / 30;
        bool outside = flags & 1, in_box = flags & 2, headless = flags & 4, yes = flags & 8,
             guarded = flags & 16, leaves = flags & 32;
        struct bx_permit_request req = {.tool = "t",
                                        .level = (enum bx_level)level,
                                        .mode = (enum bx_mode)mode,
                                        .in_box = in_box,
                                        .paths = &path,
                                        .path_count = 1,
                                        .paths_outside_root = outside,
                                        .guarded_path = guarded ? "/a/.git/config" : NULL,
                                        .hosts = &host,
                                        .host_count = leaves,
                                        .leaves_box = leaves,
                                        .headless = headless};
        unsigned effective = guarded && level < BX_LEVEL_DANGEROUS ? BX_LEVEL_DANGEROUS : level;
        req.yes_levels = yes ? 1u << effective : (unsigned)~(1u << effective);
        enum bx_verdict want = expected(table[mode][effective], outside, in_box);
        if (want == BX_ALLOW && leaves && mode != BX_MODE_BYPASS)
            want = mode == BX_MODE_PLAN ? BX_DENY : BX_ASK;
        if (want == BX_ASK && yes && !leaves)
            want = BX_ALLOW;
        else if (want == BX_ASK && headless)
            want = BX_DENY;
        struct bx_decision d;
        bx_permit_evaluate(&req, &d);
        if (d.verdict != want)
            fail_msg("mode %u level %u flags %u: %d, not %d (%s)", mode, level, flags,
                     (int)d.verdict, (int)want, d.reason);
        assert_true(d.reason[0]);
        assert_non_null(d.by);
        rows++;
    }
    assert_int_equal(rows, 1920);
}

struct row {
    const char *rules; /* JSON */
    const char *tool;
    enum bx_level level;
    enum bx_mode mode;
    const char *paths[3];
    const char *host, *command, *guarded, *digest;
    bool outside, headless;
    enum bx_verdict want;
    const char *by;
};

#define ALLOW_WRITE "{\"tool\":\"write\",\"verdict\":\"allow\"}"
#define DENY_ALL    "{\"tool\":\"*\",\"verdict\":\"deny\"}"
#define SRC         "{\"tool\":\"write\",\"path\":\"/src/**\",\"verdict\":\"allow\"}"
#define GIT         "{\"tool\":\"bash\",\"command\":\"git *\",\"verdict\":\"allow\"}"
#define THIS_OWN    "{\"tool\":\"own\",\"digest\":\"d1\",\"verdict\":\"allow\"}"
#define W           BX_LEVEL_WRITE
#define R           BX_LEVEL_READ_ONLY
#define X           BX_LEVEL_EXECUTE
#define DEF         BX_MODE_DEFAULT

static const struct row rows[] = {
    /* rules against the mode, and their order */
    {ALLOW_WRITE, "write", W, DEF, {"/a"}, .want = BX_ALLOW, .by = "rule"},
    {ALLOW_WRITE, "edit", W, DEF, {"/a"}, .want = BX_ASK, .by = "mode"},
    {ALLOW_WRITE "," DENY_ALL, "write", W, DEF, {"/a"}, .want = BX_DENY, .by = "rule"},
    {ALLOW_WRITE ",{\"tool\":\"w*\",\"verdict\":\"ask\"}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ASK,
     .by = "rule"},
    {"{\"tool\":\"read\",\"verdict\":\"ask\"}",
     "read",
     R,
     BX_MODE_BYPASS,
     {"/a"},
     .want = BX_ASK,
     .by = "rule"},
    {DENY_ALL, "read", R, BX_MODE_BYPASS, {"/a"}, .want = BX_DENY, .by = "rule"},
    {DENY_ALL, "Sleep", BX_LEVEL_NONE, DEF, {0}, .want = BX_DENY, .by = "rule"},
    {ALLOW_WRITE, "write", W, BX_MODE_PLAN, {"/a"}, .want = BX_DENY, .by = "mode"},
    {ALLOW_WRITE,
     "write",
     BX_LEVEL_FORBIDDEN,
     BX_MODE_BYPASS,
     {"/a"},
     .want = BX_DENY,
     .by = "level"},
    {ALLOW_WRITE, "write", W, DEF, {"/a"}, .headless = true, .want = BX_ALLOW, .by = "rule"},
    {"{\"tool\":\"read\",\"verdict\":\"ask\"}",
     "read",
     R,
     DEF,
     {"/a"},
     .headless = true,
     .want = BX_DENY,
     .by = "headless"},
    {"", "write", W, DEF, {"/a"}, .headless = true, .want = BX_DENY, .by = "headless"},
    /* a yes to one program is none to another of its name; by hand, to the name */
    {THIS_OWN, "own", W, DEF, {0}, .digest = "d1", .want = BX_ALLOW, .by = "rule"},
    {THIS_OWN, "own", W, DEF, {0}, .digest = "d2", .want = BX_ASK, .by = "mode"},
    {THIS_OWN, "own", W, DEF, {0}, .digest = "built in", .want = BX_ASK, .by = "mode"},
    {THIS_OWN, "own", W, DEF, {0}, .digest = NULL, .want = BX_ASK, .by = "mode"},
    {THIS_OWN, "other", W, DEF, {0}, .digest = "d1", .want = BX_ASK, .by = "mode"},
    {ALLOW_WRITE, "write", W, DEF, {0}, .digest = "d2", .want = BX_ALLOW, .by = "rule"},
    {THIS_OWN "," DENY_ALL, "own", W, DEF, {0}, .digest = "d1", .want = BX_DENY, .by = "rule"},
    {"{\"tool\":\"own\",\"path\":\"/.git/config\",\"digest\":\"d1\",\"verdict\":\"allow\"}",
     "own",
     W,
     DEF,
     {"/.git/config"},
     .guarded = "/.git/config",
     .digest = "d2",
     .want = BX_ASK,
     .by = "guarded"},
    /* expiry and counts */
    {"{\"tool\":\"write\",\"verdict\":\"allow\",\"max_calls\":0}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ASK,
     .by = "mode"},
    {"{\"tool\":\"write\",\"verdict\":\"allow\",\"max_calls\":1}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ALLOW,
     .by = "rule"},
    {"{\"tool\":\"write\",\"verdict\":\"allow\",\"expires_at\":1000}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ASK,
     .by = "mode"},
    {"{\"tool\":\"write\",\"verdict\":\"allow\",\"expires_at\":1001}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ALLOW,
     .by = "rule"},
    {"{\"tool\":\"*\",\"verdict\":\"deny\",\"expires_at\":1000}",
     "read",
     R,
     DEF,
     {"/a"},
     .want = BX_ALLOW,
     .by = "mode"},
    {"{\"tool\":\"write\",\"verdict\":\"allow\",\"expires_at\":\"2026-11-23T21:31:05Z\"}",
     "write",
     W,
     DEF,
     {"/a"},
     .want = BX_ALLOW,
     .by = "rule"},
    /* paths: an allow must cover all, a deny any */
    {SRC, "write", W, DEF, {"/src/a.c"}, .want = BX_ALLOW, .by = "rule"},
    {SRC, "write", W, DEF, {"/src"}, .want = BX_ALLOW, .by = "rule"},
    {SRC, "write", W, DEF, {"/srcs/a.c"}, .want = BX_ASK, .by = "mode"},
    {SRC, "write", W, DEF, {"/src/a.c", "/b.c"}, .want = BX_ASK, .by = "mode"},
    {SRC, "write", W, DEF, {0}, .want = BX_ASK, .by = "mode"},
    {SRC, "write", W, DEF, {"/src/a.c"}, .outside = true, .want = BX_ASK, .by = "mode"},
    {SRC, "write", W, BX_MODE_AUTO, {"/src/a.c"}, .outside = true, .want = BX_ASK, .by = "root"},
    {"{\"tool\":\"*\",\"path\":\"/secret/**\",\"verdict\":\"deny\"}",
     "read",
     R,
     DEF,
     {"/a", "/secret/k"},
     .want = BX_DENY,
     .by = "rule"},
    {"{\"tool\":\"*\",\"path\":\"/secret/**\",\"verdict\":\"deny\"}",
     "read",
     R,
     DEF,
     {"/a"},
     .want = BX_ALLOW,
     .by = "mode"},
    {"{\"tool\":\"*\",\"path\":\"**/*.pem\",\"verdict\":\"deny\"}",
     "read",
     R,
     DEF,
     {"/x/y/key.pem"},
     .want = BX_DENY,
     .by = "rule"},
    /* guarded paths: "always allow write" did not mean them */
    {"",
     "write",
     W,
     BX_MODE_BYPASS,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_ASK,
     .by = "guarded"},
    {"",
     "write",
     W,
     BX_MODE_PLAN,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_DENY,
     .by = "mode"},
    {ALLOW_WRITE,
     "write",
     W,
     DEF,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_ASK,
     .by = "guarded"},
    {"{\"tool\":\"write\",\"path\":\"/**\",\"verdict\":\"allow\"}",
     "write",
     W,
     DEF,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_ASK,
     .by = "guarded"},
    {"{\"tool\":\"write\",\"path\":\"/.git/**\",\"verdict\":\"allow\"}",
     "write",
     W,
     DEF,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_ALLOW,
     .by = "rule"},
    {"{\"tool\":\"write\",\"path\":\"/.git/config\",\"verdict\":\"allow\"}",
     "write",
     W,
     DEF,
     {"/.git/config"},
     .guarded = "/.git/config",
     .want = BX_ALLOW,
     .by = "rule"},
    {"",
     "write",
     W,
     BX_MODE_ACCEPT_EDITS,
     {"/.envrc"},
     .guarded = "/.envrc",
     .headless = true,
     .want = BX_DENY,
     .by = "headless"},
    /* hosts */
    {"{\"tool\":\"*\",\"host\":\"*.Example.com\",\"verdict\":\"allow\"}",
     "fetch",
     X,
     DEF,
     {0},
     .host = "https://api.example.com",
     .want = BX_ALLOW,
     .by = "rule"},
    {"{\"tool\":\"*\",\"host\":\"*.example.com\",\"verdict\":\"allow\"}",
     "fetch",
     X,
     DEF,
     {0},
     .host = "https://example.com.evil.org",
     .want = BX_ASK,
     .by = "mode"},
    {"{\"tool\":\"*\",\"host\":\"example.com\",\"verdict\":\"allow\"}",
     "fetch",
     X,
     DEF,
     {0},
     .host = NULL,
     .want = BX_ASK,
     .by = "mode"},
/* commands: nothing hides behind a star */
/* a rule that allows must fit every command of the line, by the shell's own parser */
#define NO_RM "{\"tool\":\"bash\",\"command\":\"rm *\",\"verdict\":\"deny\"}"
    /* one that denies, any of them, however it is written */
};

static void parse_rules(const char *text, struct bx_rule **rules, size_t *count) {
    bx_auto(bx_freep) char *list = bx_asprintf("[%s]", text);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_err err = {0};
    if (bx_doc_parse(bx_str(list), NULL, &doc, &err) < 0 ||
        bx_rules_parse(bx_doc_root(doc), rules, count, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
}

static void test_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        struct bx_rule *rules;
        size_t count, paths = 0;
        parse_rules(row->rules, &rules, &count);
        while (paths < BX_ARRAY_LEN(row->paths) && row->paths[paths])
            paths++;
        struct bx_permit_request req = {.tool = row->tool,
                                        .digest = row->digest,
                                        .level = row->level,
                                        .mode = row->mode,
                                        .in_box = false,
                                        .paths = row->paths,
                                        .path_count = paths,
                                        .paths_outside_root = row->outside,
                                        .guarded_path = row->guarded,
                                        .hosts = &row->host,
                                        .host_count = row->host != NULL,
                                        .command = row->command,
                                        .headless = row->headless,
                                        .now_ms = 1000,
                                        .rules = rules,
                                        .rule_count = count};
        struct bx_decision d;
        bx_permit_evaluate(&req, &d);
        if (d.verdict != row->want || strcmp(d.by, row->by) != 0)
            fail_msg("row %zu (%s): verdict %d by %s: %s", i, row->rules, (int)d.verdict, d.by,
                     d.reason);
        bx_rules_free(rules, count);
    }
}

static void test_globs(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool want;
    } globs[] = {
        {"/a", "/a", true},
        {"/a", "/ab", false},
        {"/a*", "/ab", true},
        {"/a*", "/a/b", false},
        {"/*", "/a", true},
        {"/*", "/a/b", false},
        {"/**", "/a/b", true},
        {"/**", "/", true},
        {"**", "/a/b", true},
        {"/a/**", "/a", true},
        {"/a/**", "/a/b/c", true},
        {"/a/**", "/ab", false},
        {"/a/**/z", "/a/z", true},
        {"/a/**/z", "/a/b/c/z", true},
        {"/a/**/z", "/a/bz", false},
        {"/a/**/z", "/a/z/y", false},
        {"**/*.c", "/x/y.c", true},
        {"**/*.c", "/y.c", true},
        {"/**/*.c", "/y.c", true},
        {"/?/b", "/a/b", true},
        {"/?", "/", false},
        {"/a?b", "/a/b", false},
        {"/a**b", "/a/x/b", true},
        {"/a**b", "/a/x/c", false},
        {"/*/x", "/a/x", true},
        {"/*/x", "/a/b/x", false},
        {"/a*b*c", "/a1b2c", true},
        {"/a*b*c", "/a1b2", false},
        {"", "", true},
        {"", "/a", false},
        {"/a/", "/a", false},
        {"/**/b/**/c", "/b/x/b/y/c", true},
        {"/**/a*/b", "/x/a1/c/a2/b", true},
        {"/a/***", "/a/b/c", true},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(globs); i++) {
        if (bx_glob_path(globs[i].pattern, globs[i].path) != globs[i].want)
            fail_msg("%s against %s", globs[i].pattern, globs[i].path);
    }
    assert_true(bx_glob_text("*", BX_STR_LIT("")));
    assert_true(bx_glob_text("a*c", BX_STR_LIT("a/b/c")));
    assert_false(bx_glob_text("a*c", BX_STR_LIT("ab")));
}

/* The plain definition by trying everything: what the fast matcher must agree with. */
static bool slow_glob(const char *p, const char *start, const char *t) {
    if (p[0] == '*' && p[1] == '*') {
        if (p[2] == '/' && (p == start || p[-1] == '/')) {
            for (const char *at = t; at; at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
                if (slow_glob(p + 3, start, at))
                    return true;
            }
            return false;
        }
        for (;; t++) {
            if (slow_glob(p + 2, start, t))
                return true;
            if (!*t)
                return false;
        }
    }
    if (*p == '*') {
        for (;; t++) {
            if (slow_glob(p + 1, start, t))
                return true;
            if (!*t || *t == '/')
                return false;
        }
    }
    if (!*t)
        return !*p || strcmp(p, "/**") == 0;
    return (*p == *t || (*p == '?' && *t != '/')) && slow_glob(p + 1, start, t + 1);
}

static void test_globs_against_definition(void **state) {
    (void)state;
    uint64_t seed = 7;
    unsigned matches = 0;
    for (int i = 0; i < 60000; i++) {
        char pattern[9] = {0}, path[9] = {0};
        for (int k = 0; k < 8; k++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            unsigned r = (unsigned)(seed >> 33);
            pattern[k] = "ab/***?/"[r % 8];
            path[k] = "ab/a/bb/"[r / 8 % 8];
        }
        pattern[(seed >> 50) % 9] = 0;
        path[(seed >> 55) % 9] = 0;
        bool want = slow_glob(pattern, pattern, path);
        matches += want;
        if (bx_glob_path(pattern, path) != want)
            fail_msg("%s against %s: want %d", pattern, path, want);
    }
    assert_true(matches > 500);
}

static void test_glob_cost(void **state) {
    (void)state;
    char path[20001], pattern[200];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    memset(pattern, 0, sizeof pattern);
    for (size_t i = 0; i + 4 < sizeof pattern; i += 4)
        memcpy(pattern + i, "**a*", 4);
    memcpy(pattern + strlen(pattern) - 1, "b", 1);
    assert_false(
        bx_glob_path(pattern, path)); /* ends: exponential matching would not within a lifetime */
}

static void test_bad_rules(void **state) {
    (void)state;
    static const struct {
        const char *rules, *says;
    } bad[] = {
        {"3", "object"},
        {"{}", "tool"},
        {"{\"tool\":\"\",\"verdict\":\"deny\"}", "tool"},
        {"{\"tool\":\"a\"}", "verdict"},
        {"{\"tool\":\"a\",\"verdict\":\"maybe\"}", "verdict"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\",\"scope\":\"x\"}", "scope"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\",\"path\":\"src\"}", "path"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\",\"path\":3}", "path"},
        {"{\"tool\":\"a\",\"verdict\":\"allow\",\"paths\":\"/x\"}", "paths"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\",\"expires_at\":\"soon\"}", "expires_at"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\",\"max_calls\":-1}", "max_calls"},
        {"{\"tool\":\"a\",\"verdict\":\"deny\"},{\"tool\":\"b\\u0000c\",\"verdict\":\"deny\"}",
         "rule 2"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        bx_auto(bx_freep) char *list = bx_asprintf("[%s]", bad[i].rules);
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        struct bx_rule *rules = NULL;
        size_t count = 0;
        struct bx_err err = {0};
        assert_int_equal(bx_doc_parse(bx_str(list), NULL, &doc, NULL), 0);
        if (bx_rules_parse(bx_doc_root(doc), &rules, &count, &err) != BX_ERR_INVALID)
            fail_msg("accepted: %s", list);
        if (!strstr(err.msg, bad[i].says))
            fail_msg("%s: %s", list, err.msg);
    }
    struct bx_rule *none = NULL;
    size_t count = 9;
    assert_int_equal(bx_rules_parse(NULL, &none, &count, NULL), 0);
    assert_int_equal(count, 0);
    bx_rules_free(none, count);
}

static void test_describe(void **state) {
    (void)state;
    const char *paths[] = {"/src/a.c", "/src/b.c", "/c", "/d"}, *host = "https://example.com";
    struct bx_permit_request req = {
        .tool = "write", .level = W, .in_box = true, .paths = paths, .path_count = 1};
    struct bx_buf out = BX_BUF_INIT(4096);
    bx_permit_describe(&req, &out);
    assert_string_equal(bx_buf_z(&out),
                        "Let `write` change /src/a.c, inside the sandbox, this once");
    bx_buf_reset(&out);
    req.path_count = 4;
    req.guarded_path = "/c";
    bx_permit_describe(&req, &out);
    assert_string_equal(
        bx_buf_z(&out),
        "Let `write` change /src/a.c, /src/b.c, /c and 1 more (/c is a file that your own programs "
        "run or obey), inside the sandbox, this once");
    bx_buf_reset(&out);
    req = (struct bx_permit_request){
        .tool = "bash", .level = X, .command = "make", .hosts = &host, .host_count = 1};
    bx_permit_describe(&req, &out);
    assert_string_equal(
        bx_buf_z(&out),
        "Let `bash` run “make” and reach https://example.com, outside the sandbox, this once");
    bx_buf_deinit(&out);
}

static void test_reason_is_utf8(void **state) {
    (void)state;
    char tool[700];
    for (size_t shift = 0; shift < 3; shift++) {
        size_t n = shift;
        memset(tool, 'a', shift);
        while (n + 3 < sizeof tool - 1) {
            memcpy(tool + n, "€", 3);
            n += 3;
        }
        tool[n] = 0;
        struct bx_permit_request req = {.tool = tool, .level = BX_LEVEL_FORBIDDEN};
        struct bx_decision d;
        bx_permit_evaluate(&req, &d);
        size_t len = strlen(d.reason);
        assert_true(len < sizeof d.reason);
        assert_memory_equal(d.reason + len - 3, "€", 3);
    }
}

static void test_mode_names(void **state) {
    (void)state;
    for (int m = BX_MODE_PLAN; m <= BX_MODE_BYPASS; m++) {
        enum bx_mode back;
        assert_true(bx_mode_parse(bx_str(bx_mode_name((enum bx_mode)m)), &back));
        assert_int_equal(back, m);
    }
    enum bx_mode untouched = BX_MODE_AUTO;
    assert_false(bx_mode_parse(BX_STR_LIT("Auto"), &untouched));
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),      cmocka_unit_test(test_rules),
        cmocka_unit_test(test_globs),      cmocka_unit_test(test_globs_against_definition),
        cmocka_unit_test(test_glob_cost),  cmocka_unit_test(test_bad_rules),
        cmocka_unit_test(test_describe),   cmocka_unit_test(test_reason_is_utf8),
        cmocka_unit_test(test_mode_names),
    };
    return cmocka_run_group_tests_name("permit", tests, NULL, NULL);
}
