#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/schema.h"

/* What the check of input against schema says; "" when it fits. Quotes are written as ' in both. */
static void says(const char *schema, const char *input, const char *want) {
    struct bx_doc *docs[2] = {NULL, NULL};
    const char *texts[2] = {schema, input};
    for (int i = 0; i < 2; i++) {
        char *text = bx_strdup(texts[i]);
        for (char *c = text; *c; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        assert_int_equal(bx_doc_parse(bx_str(text), NULL, &docs[i], NULL), 0);
        bx_free(text);
    }
    struct bx_err err = {0};
    int r = bx_schema_check(bx_doc_root(docs[0]), bx_doc_root(docs[1]), &err);
    for (char *c = err.msg; *c; c++) {
        *c = *c == '"' ? '\'' : *c;
    }
    assert_string_equal(err.msg, want);
    assert_int_equal(r, *want ? BX_ERR_INVALID : 0);
    assert_int_equal(bx_schema_check(bx_doc_root(docs[0]), bx_doc_root(docs[1]), NULL), r);
    bx_doc_free(docs[0]);
    bx_doc_free(docs[1]);
}

#define EDIT                                                                                       \
    "{'type':'object','properties':{'file_path':{'type':'string','minLength':1},"                  \
    "'edits':{'type':'array','maxItems':3,'items':{'type':'object','properties':"                  \
    "{'old':{'type':'string'},'count':{'type':'integer','minimum':1}},'required':['old']}}},"      \
    "'required':['file_path'],'additionalProperties':false}"

static void test_messages(void **state) {
    (void)state;
    says(EDIT, "{'file_path':'a','edits':[{'old':'x','count':2}]}", "");
    says(EDIT, "{'file_path':12}", "file_path: expected a string, got a number (12)");
    says(EDIT, "{'file_path':null}", "file_path: expected a string, got null");
    says(EDIT, "{'file_path':['a']}", "file_path: expected a string, got an array");
    says(EDIT, "{'file_path':''}", "file_path: must not be empty");
    says(EDIT, "{'filepath':'a'}", "unknown member 'filepath'; did you mean 'file_path'?");
    says(EDIT, "{'zzz':'a','file_path':'b'}", "unknown member 'zzz'; there are: file_path, edits");
    says(EDIT, "{}", "the member 'file_path' is missing");
    says(EDIT, "[]", "expected an object, got an array");
    says(EDIT, "{'file_path':'a','edits':[{'old':'x'},{}]}",
         "edits[1]: the member 'old' is missing");
    says(EDIT, "{'file_path':'a','edits':[{'old':'x','count':0}]}",
         "edits[0].count: 0 is too small, the minimum is 1");
    says(EDIT, "{'file_path':'a','edits':[{'old':'x','count':1.5}]}",
         "edits[0].count: expected an integer, got a number (1.5)");
    says(EDIT, "{'file_path':'a','edits':[{'old':'x','count':2.0}]}", "");
    says(EDIT, "{'file_path':'a','edits':'x'}", "edits: expected an array, got a string ('x')");
    says(EDIT, "{'file_path':'a','file_path':'/b'}", "the member 'file_path' is there twice");
}

static void test_keywords(void **state) {
    (void)state;
    says("{'type':['string','null']}", "null", "");
    says("{'type':['string','null']}", "1", "expected a string or null, got a number (1)");
    says("{'enum':['a','b',3]}", "'c'", "'c' is not one of 'a', 'b', 3");
    says("{'enum':['a','b',3]}", "3.0", "");
    says("{'const':1}", "2", "must be 1");
    says("{'maximum':5}", "6", "6 is too large, the maximum is 5");
    says("{'maximum':5}", "'text'", "");
    says("{'exclusiveMinimum':5}", "5", "5 must be greater than 5");
    says("{'exclusiveMaximum':5}", "5", "5 must be less than 5");
    says("{'multipleOf':0.1}", "0.3", "");
    says("{'multipleOf':2}", "3", "3 is not a multiple of 2");
    says("{'minLength':3}", "'\xe2\x82\xac\xe2\x82\xac'",
         "2 characters are too few, the minimum is 3");
    says("{'maxLength':2}", "'\xe2\x82\xac\xe2\x82\xac'", "");
    says("{'maxLength':1}", "'ab'", "2 characters are too many, the maximum is 1");
    says("{'minItems':2}", "[1]", "has 1 items, the minimum is 2");
    says("{'maxItems':1}", "[1,2]", "has 2 items, the maximum is 1");
    says("{'uniqueItems':true}", "[1,2,1.0]", "items 0 and 2 are the same");
    says("{'uniqueItems':true}", "[1,2,3]", "");
    says("{'prefixItems':[{'type':'string'}],'items':{'type':'number'}}", "['a',1,2]", "");
    says("{'prefixItems':[{'type':'string'}],'items':{'type':'number'}}", "['a','b']",
         "[1]: expected a number, got a string ('b')");
    says("{'prefixItems':[{}],'items':false}", "[1,2]", "[1]: nothing is allowed here");
    says("{'additionalProperties':{'type':'number'}}", "{'x':'y'}",
         "x: expected a number, got a string ('y')");
    says("{'x-unknown':1,'format':'uri'}", "'anything'", "");
    says("true", "1", "");
    says("false", "1", "nothing is allowed here");
}

static void test_combined(void **state) {
    (void)state;
    says("{'anyOf':[{'type':'string'},{'type':'number'}]}", "1", "");
    says("{'anyOf':[{'type':'string'},{'type':'number'}]}", "true",
         "expected a string, got a boolean (true)");
    says("{'oneOf':[{'type':'integer'},{'type':'number'}]}", "1",
         "fits 2 of the forms of which it must fit exactly one");
    says("{'oneOf':[{'type':'integer'},{'type':'number'}]}", "1.5", "");
    says("{'allOf':[{'minimum':1},{'maximum':2}]}", "3", "3 is too large, the maximum is 2");
    says("{'not':{'type':'string'}}", "'x'", "has a form that is not allowed");
    says("{'not':{'type':'string'}}", "1", "");
    says("{'$ref':'#/$defs/a','$defs':{'a':{'type':'string'}}}", "1",
         "expected a string, got a number (1)");
    says("{'properties':{'n':{'$ref':'#/definitions/n'}},'definitions':{'n':{'minimum':3}}}",
         "{'n':1}", "n: 1 is too small, the minimum is 3");
    says("{'$ref':'#/$defs/none'}", "1",
         "the tool's schema refers to '#/$defs/none', which it does not have");
    says("{'$defs':{'tree':{'type':'object','properties':{'kids':{'type':'array','items':"
         "{'$ref':'#/$defs/tree'}}}}},'$ref':'#/$defs/tree'}",
         "{'kids':[{'kids':[]},{'kids':[7]}]}",
         "kids[1].kids[0]: expected an object, got a number (7)");
}

/* A schema or an input must not be able to hold the thread, and giving up must not look like
 * fitting. */
static void test_bounded(void **state) {
    (void)state;
    const char *too_much = "too much or too deeply nested to be checked; make the input smaller";
    says("{'$ref':'#'}", "1", too_much);
    says("{'not':{'$ref':'#/not'}}", "1", too_much);
    says("{'$defs':{'a':{'allOf':[{'$ref':'#/$defs/b'},{'$ref':'#/$defs/b'}]},"
         "'b':{'anyOf':[{'$ref':'#/$defs/a'},{'$ref':'#/$defs/a'},{'$ref':'#/$defs/a'}]}},"
         "'$ref':'#/$defs/a'}",
         "1", too_much);
    struct bx_buf b = BX_BUF_INIT(BX_MIB);
    bx_buf_addc(&b, '[');
    for (int i = 0; i < 3000; i++) {
        bx_buf_addf(&b, "%d,", i);
    }
    bx_buf_addz(&b, "0]");
    says("{'uniqueItems':true}", bx_buf_z(&b), too_much);
    bx_buf_deinit(&b);
}

static void usable(const char *schema, bool want) {
    struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(schema), NULL, &doc, NULL), 0);
    struct bx_err err = {0};
    assert_int_equal(bx_schema_validate(bx_doc_root(doc), &err), want ? 0 : BX_ERR_INVALID);
    assert_int_equal(err.msg[0] == '\0', want);
    bx_doc_free(doc);
}

static void test_validate(void **state) {
    (void)state;
    usable("{\"type\":\"object\"}", true);
    usable(
        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}",
        true);
    usable("{\"type\":\"string\"}", false);
    usable("{}", false);
    usable("[]", false);
    usable("{\"type\":\"object\",\"properties\":[]}", false);
    usable("{\"type\":\"object\",\"required\":[1]}", false);
    usable("{\"type\":\"object\",\"required\":{}}", false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages), cmocka_unit_test(test_keywords),
        cmocka_unit_test(test_combined), cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_validate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
