/* Narrowings as a table: what fits, what is denied by them whatever else allows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "permit/permit.h"

static const struct row {
    const char *tools[4], *tool;
    enum bx_level max_level, level;
    const char *command, *path, *host, *guarded;
    bool denied;
} rows[] = {
    {{"read"}, "read", BX_LEVEL_DANGEROUS, BX_LEVEL_READ_ONLY, .path = "/a"},
    {{"read"}, "write", BX_LEVEL_DANGEROUS, BX_LEVEL_WRITE, .path = "/a", .denied = true},
    {{"read"}, "reader", BX_LEVEL_DANGEROUS, BX_LEVEL_READ_ONLY, .path = "/a", .denied = true},
    {{"read", "write"}, "write", BX_LEVEL_DANGEROUS, BX_LEVEL_WRITE, .path = "/a"},
    {{"mcp__*"}, "mcp__git__log", BX_LEVEL_DANGEROUS, BX_LEVEL_EXECUTE, .denied = false},
    {{"mcp__git__*"}, "mcp__gut__log", BX_LEVEL_DANGEROUS, BX_LEVEL_EXECUTE, .denied = true},
    {{"read"},
     "TodoWrite",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_NONE,
     .denied = false}, /* touches nothing */
    {{"*"}, "bash", BX_LEVEL_READ_ONLY, BX_LEVEL_EXECUTE, .command = "ls", .denied = true},
    {{"*"}, "write", BX_LEVEL_WRITE, BX_LEVEL_WRITE, .path = "/a"},
    {{"*"},
     "write",
     BX_LEVEL_WRITE,
     BX_LEVEL_WRITE,
     .path = "/.git/x",
     .guarded = "/.git/x",
     .denied = true},
    {{"bash(git *)"}, "bash", BX_LEVEL_DANGEROUS, BX_LEVEL_EXECUTE, .command = "git log -1"},
    {{"bash(git *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "rm -r /",
     .denied = true},
    {{"bash(git *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "git log; rm -r /",
     .denied = true},
    {{"bash(git *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "git log $(rm -r /)",
     .denied = true},
    {{"bash(git *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "git log > /etc/x",
     .denied = true},
    {{"bash(git *)", "bash(head *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "git log | head -3"},
    {{"bash(git *)", "bash(head *)"},
     "bash",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .command = "git log | tee x",
     .denied = true},
    {{"bash ( git * )"}, "bash", BX_LEVEL_DANGEROUS, BX_LEVEL_EXECUTE, .command = "git log"},
    {{"write(/docs/**)"}, "write", BX_LEVEL_DANGEROUS, BX_LEVEL_WRITE, .path = "/docs/a/b"},
    {{"write(/docs/**)"},
     "write",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_WRITE,
     .path = "/src/a",
     .denied = true},
    {{"write(/docs/**)"},
     "write",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_WRITE,
     .denied = true}, /* names no path */
    {{"web_fetch(https://*.example.com)"},
     "web_fetch",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .host = "https://api.example.com"},
    {{"web_fetch(https://*.example.com)"},
     "web_fetch",
     BX_LEVEL_DANGEROUS,
     BX_LEVEL_EXECUTE,
     .host = "https://example.org",
     .denied = true},
    {{NULL}, "read", BX_LEVEL_DANGEROUS, BX_LEVEL_READ_ONLY, .path = "/a", .denied = true},
};

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        struct bx_narrow narrows[2] = {
            {.by = "agent any", .max_level = BX_LEVEL_DANGEROUS},
            {.by = "skill s", .tools = row->tools, .max_level = row->max_level}};
        char tool[] = "*", id[] = "all";
        struct bx_rule all = {.id = id, .tool = tool, .verdict = BX_ALLOW, .calls_left = -1};
        struct bx_permit_request req = {.tool = row->tool,
                                        .level = row->level,
                                        .mode = BX_MODE_BYPASS,
                                        .in_box = true,
                                        .paths = &row->path,
                                        .path_count = row->path != NULL,
                                        .guarded_path = row->guarded,
                                        .hosts = &row->host,
                                        .host_count = row->host != NULL,
                                        .command = row->command,
                                        .rules = &all,
                                        .rule_count = 1,
                                        .narrows = narrows,
                                        .narrow_count = 2};
        struct bx_decision d;
        bx_permit_evaluate(&req, &d);
        if ((d.verdict == BX_DENY) != row->denied || (strcmp(d.by, "narrow") == 0) != row->denied)
            fail_msg("row %zu: verdict %d by %s: %s", i, (int)d.verdict, d.by, d.reason);
        if (row->denied && !strstr(d.reason, "skill s"))
            fail_msg("row %zu does not say who took it away: %s", i, d.reason);
    }
}

static void test_patterns(void **state) {
    (void)state;
    static const char *const good[] = {"read", "mcp__*", "bash(git *)", "bash (ls)", "*"},
                             *const bad[] = {"", "a b", "bash()", "(git *)", "Bash(git *", "a,b"};
    for (size_t i = 0; i < BX_ARRAY_LEN(good); i++)
        assert_int_equal(bx_narrow_check_pattern(bx_str(good[i]), NULL), 0);
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        struct bx_err err = {0};
        assert_int_equal(bx_narrow_check_pattern(bx_str(bad[i]), &err), BX_ERR_INVALID);
        assert_true(err.msg[0] != 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_patterns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
