#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "permit/permit.h"

/* tests/cases/permit/: the check as data, row by row. */

enum column { MODE, LEVEL, WHERE, RUNS, HOST, WHO, NARROW, RULES, DECISION, BY, COLUMNS };

static const char *const paths[] = {"/src/a.c"}, *const guarded_paths[] = {"/.git/hooks/x"},
                         *const hosts[] = {"https://a.example"}, *const fits[] = {"too*", NULL},
                         *const misses[] = {"other", NULL};
static const struct bx_narrow narrow_fits = {.by = "test",
                                             .tools = fits,
                                             .max_level = BX_LEVEL_DANGEROUS},
                              narrow_misses = {
                                  .by = "test", .tools = misses, .max_level = BX_LEVEL_DANGEROUS};

static bool is(struct bx_str s, const char *word) {
    return bx_str_eqz(s, word);
}

/* "allow+deny" as rules of settings.json */
static void make_rules(struct bx_str words, struct bx_rule **ret, size_t *ret_count) {
    struct bx_buf text = BX_BUF_INIT(BX_KIB * 4);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_str word;
    size_t n = 0;
    bx_buf_addc(&text, '[');
    while (!is(words, "-") && bx_str_split(&words, '+', &word)) {
        bool named = is(word, "named");
        bx_buf_addf(&text, "%s{\"id\":\"r%zu\",\"tool\":\"tool\",%s\"verdict\":\"%.*s\"}",
                    n ? "," : "", n, named ? "\"path\":\"/.git/hooks/x\"," : "",
                    named ? 5 : (int)word.n, named ? "allow" : word.p);
        n++;
    }
    bx_buf_addc(&text, ']');
    assert_int_equal(bx_doc_parse(bx_buf_str(&text), NULL, &doc, NULL), 0);
    assert_int_equal(bx_rules_parse(bx_doc_root(doc), ret, ret_count, NULL), 0);
    assert_int_equal(*ret_count, n);
    bx_buf_deinit(&text);
}

static void fill(const struct bx_str *c, struct bx_permit_request *req) {
    enum bx_level yes = BX_LEVEL_NONE;
    bool guarded = is(c[WHERE], "guarded");
    *req = (struct bx_permit_request){.tool = "tool",
                                      .in_box = is(c[RUNS], "box"),
                                      .paths = guarded ? guarded_paths : paths,
                                      .path_count = 1,
                                      .paths_outside_root = is(c[WHERE], "outside"),
                                      .guarded_path = guarded ? guarded_paths[0] : NULL,
                                      .hosts = is(c[HOST], "-") ? NULL : hosts,
                                      .host_count = !is(c[HOST], "-"),
                                      .leaves_box = is(c[HOST], "new"),
                                      .headless = !is(c[WHO], "page")};
    assert_true(bx_mode_parse(c[MODE], &req->mode));
    assert_true(bx_level_parse(c[LEVEL], &req->level));
    if (bx_str_starts(c[WHO], "yes-")) {
        assert_true(bx_level_parse(bx_str_slice(c[WHO], 4, c[WHO].n), &yes));
        req->yes_levels = 1u << yes;
    }
    if (!is(c[NARROW], "-")) {
        req->narrows = is(c[NARROW], "fits") ? &narrow_fits : &narrow_misses;
        req->narrow_count = 1;
    }
}

static void check_row(struct bx_str line) {
    static const char *const verdicts[] = {"allow", "ask", "deny"};
    struct bx_str c[COLUMNS], rest = line, word;
    struct bx_permit_request req;
    struct bx_decision got;
    struct bx_rule *rules = NULL;
    size_t n = 0, count = 0;
    while (bx_str_split(&rest, ' ', &word))
        if (word.n) {
            assert_true(n < COLUMNS);
            c[n++] = word;
        }
    assert_int_equal(n, COLUMNS);
    fill(c, &req);
    make_rules(c[RULES], &rules, &count);
    req.rules = rules;
    req.rule_count = count;
    bx_permit_evaluate(&req, &got);
    if (!is(c[DECISION], verdicts[got.verdict]) || !is(c[BY], got.by))
        fail_msg("%.*s: it is %s by %s (%s)", (int)line.n, line.p, verdicts[got.verdict], got.by,
                 got.reason);
    assert_true(got.reason[0]); /* for the model and the person */
    bx_rules_free(rules, count);
}

/* ---- tests/cases/permit/commands.txt ---- */

static void check_command(struct bx_str line) {
    static const char *const verdicts[] = {"allow", "ask", "deny"};
    struct bx_str rest = line, mode, want, by;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    struct bx_rule *rules = NULL;
    struct bx_decision got;
    struct bx_permit_request req = {.tool = "bash", .level = BX_LEVEL_EXECUTE, .now_ms = 1000};
    assert_true(bx_str_split(&rest, ' ', &mode) && bx_str_split(&rest, ' ', &want) &&
                bx_str_split(&rest, ' ', &by));
    bx_auto(bx_freep) char *both = bx_asprintf("[%.*s]", (int)rest.n, rest.p);
    char *rules_at = strstr(both, "\" [{");
    assert_non_null(rules_at);
    rules_at[1] = ',';
    assert_int_equal(bx_doc_parse(bx_str(both), NULL, &doc, NULL), 0);
    assert_int_equal(bx_rules_parse(bx_val_at(bx_doc_root(doc), 1), &rules, &req.rule_count, NULL),
                     0);
    assert_true(bx_mode_parse(mode, &req.mode));
    req.rules = rules;
    req.command = bx_val_z(bx_val_at(bx_doc_root(doc), 0));
    bx_permit_evaluate(&req, &got);
    if (!is(want, verdicts[got.verdict]) || !is(by, got.by))
        fail_msg("%.*s\nit is %s by %s (%s)", (int)line.n, line.p, verdicts[got.verdict], got.by,
                 got.reason);
    bx_rules_free(rules, req.rule_count);
}

static size_t each_row(const char *path, void (*check)(struct bx_str line)) {
    bx_auto(bx_buf_deinit) struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct bx_str rest, line;
    size_t rows = 0;
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    rest = bx_buf_str(&text);
    while (bx_str_split(&rest, '\n', &line)) {
        if (!line.n || line.p[0] == '#')
            continue;
        check(line);
        rows++;
    }
    return rows;
}

static void test_table(void **state) {
    (void)state;
    assert_true(each_row(BX_TESTS_DIR "/cases/permit/table.txt", check_row) > 700);
}

static void test_commands(void **state) {
    (void)state;
    assert_true(each_row(BX_TESTS_DIR "/cases/permit/commands.txt", check_command) > 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_commands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
