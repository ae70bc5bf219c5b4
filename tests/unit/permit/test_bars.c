/* Which rules about commands go along with a call, for what its line does not show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "permit/rule.h"

static const char *const paths[] = {"/src/a.c", "/b"}, *const hosts[] = {"https://a.example"};

static const struct {
    const char *rule; /* without its tool when it is the call's */
    bool counts, counts_when_asked;
} rules[] = {
    {"'tool':'bash','command':'rm *','verdict':'deny'", true, true},
    {"'tool':'b*','command':'rm *','verdict':'deny'", true, true},
    {"'tool':'*','command':'rm *','verdict':'deny'", true, true},
    {"'tool':'other','command':'rm *','verdict':'deny'", false, false},
    {"'tool':'bash','command':'rm *','verdict':'ask'", true, false},
    {"'tool':'bash','command':'rm *','verdict':'allow'", false, false},
    {"'tool':'bash','verdict':'deny'", false, false},
    {"'tool':'bash','path':'/src/**','verdict':'deny'", false, false},
    {"'tool':'bash','limits':{'time':'1s'},'verdict':'deny'", false, false},
    /* what else it says must be true of the call, as for its line */
    {"'tool':'bash','command':'rm *','path':'/src/**','verdict':'deny'", true, true},
    {"'tool':'bash','command':'rm *','path':'/docs/**','verdict':'deny'", false, false},
    {"'tool':'bash','command':'rm *','host':'a.example','verdict':'deny'", true, true},
    {"'tool':'bash','command':'rm *','host':'b.example','verdict':'deny'", false, false},
    /* the rules are those of the call's start; a start that is stopped uses nothing up */
    {"'tool':'bash','command':'rm *','verdict':'deny','expires_at':1000", false, false},
    {"'tool':'bash','command':'rm *','verdict':'deny','expires_at':1001", true, true},
    {"'tool':'bash','command':'rm *','verdict':'deny','max_calls':1", true, true},
    {"'tool':'bash','command':'rm *','verdict':'deny','max_calls':0", false, false},
};

static void test_rules(void **state) {
    (void)state;
    for (size_t i = 0; i < BX_ARRAY_LEN(rules); i++) {
        bx_auto(bx_freep) char *text = bx_asprintf("[{%s}]", rules[i].rule);
        bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
        struct bx_rule *rule = NULL;
        struct bx_err err = {0};
        size_t count = 0;
        for (char *c = text; *c; c++)
            *c = *c == '\'' ? '"' : *c;
        if (bx_doc_parse(bx_str(text), NULL, &doc, &err) ||
            bx_rules_parse(bx_doc_root(doc), &rule, &count, &err))
            fail_msg("%s: %s", text, err.msg);
        struct bx_permit_request req = {.tool = "bash",
                                        .level = BX_LEVEL_EXECUTE,
                                        .command = "sh ./go.sh",
                                        .paths = paths,
                                        .path_count = 2,
                                        .hosts = hosts,
                                        .host_count = 1,
                                        .now_ms = 1000};
        if (bx_rule_bars(rule, &req, false) != rules[i].counts ||
            bx_rule_bars(rule, &req, true) != rules[i].counts_when_asked)
            fail_msg("%s", text);
        req.command = NULL; /* a program of one's own may start others, too */
        assert_int_equal(bx_rule_bars(rule, &req, false), rules[i].counts);
        bx_rules_free(rule, count);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
