/* The registry: names, defaults, lists, settings, keys, offline. No traffic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "model/embedded.h"
#include "base/gzip.h"
#include "model/models.h"

static const unsigned char tour_bytes[] = "GGUF of the tour";
const struct bx_blob bx_tour_gguf = {tour_bytes, sizeof tour_bytes - 1};

static char dir[64], models_dir[80], runtime_dir[80];

static void put(const char *name, size_t size) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", models_dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), (off_t)size), 0);
    fclose(f);
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-models-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(models_dir, sizeof models_dir, "%s/models", dir);
    snprintf(runtime_dir, sizeof runtime_dir, "%s/run", dir);
    unsetenv("OPENAI_API_KEY");
    unsetenv("GROQ_API_KEY");
    return bx_dir_make(models_dir, 0700, NULL);
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

static char *secret(void *user, const char *name) {
    (void)user;
    return strcmp(name, "provider.groq") == 0 ? bx_strdup("g") : NULL;
}

static int make(const char *settings, bool offline, struct bx_models **ret, struct bx_err *err) {
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(bx_doc_parse(bx_str(settings), NULL, &doc, NULL), 0);
    struct bx_models_config config = {.settings = bx_doc_root(doc),
                                      .secret = secret,
                                      .models_dir = models_dir,
                                      .runtime_dir = runtime_dir,
                                      .offline = offline};
    return bx_models_new(&config, ret, err);
}

/* The id of what a name gives, or the error's name. */
static char *get(const char *settings, bool offline, const char *id) {
    struct bx_models *models;
    struct bx_model *model = NULL;
    assert_int_equal(make(settings, offline, &models, NULL), 0);
    int r = bx_models_get(models, id, &model, NULL);
    char *got = bx_strdup(r < 0 ? bx_err_name(r) : bx_model_id(model));
    bx_models_free(models); // a model that is out survives this
    bx_model_unref(model);
    return got;
}

static const char two[] =
    "{\"model\":\"one/a\",\"providers\":{"
    "\"one\":{\"base_url\":\"http://127.0.0.1:8080/"
    "v1\",\"models\":[\"a\",{\"id\":\"b\",\"window\":10}]},"
    "\"two\":{\"base_url\":\"https://two.example/v1\",\"models\":[\"b\",\"c\"]}}}";

static void names(void **state) {
    (void)state;
    put("smollm2.gguf", 1000);
    put("other.gguf", 1000);
    bx_auto(bx_freep) char *path = bx_asprintf("%s/other.gguf", models_dir);
    bx_auto(bx_freep) char *by_path = bx_asprintf("embedded/%s", path);
    const struct {
        const char *settings;
        bool offline;
        const char *id, *got;
    } table[] = {
        {"{}", false, NULL, "embedded/smollm2"},
        {"{}", false, "", "embedded/smollm2"},
        {two, false, NULL, "one/a"},
        {"{}", false, "smollm2", "embedded/smollm2"},
        {"{}", false, "embedded/smollm2", "embedded/smollm2"},
        {"{}", false, "tour", "embedded/tour"},
        {"{}", false, "other", "embedded/other"},
        {"{}", false, "other.gguf", "embedded/other"},
        {"{}", false, path, by_path},
        {"{}", false, by_path, by_path},
        {"{}", false, "/nonexistent/x.gguf", "notfound"},
        {"{}", false, "embedded/none", "notfound"},
        {"{}", false, "openai/gpt-x", "openai/gpt-x"},
        {"{}", false, "openrouter/maker/model", "openrouter/maker/model"},
        {"{}", false, "openai/", "notfound"},
        {"{}", false, "nobody/x", "notfound"},
        {"{}", false, "x", "notfound"},
        {two, false, "a", "one/a"},
        {two, false, "c", "two/c"},
        {two, false, "b", "invalid"}, // two have it
        {"{}", true, "openai/gpt-x", "unavailable"},
        {two, true, "two/c", "unavailable"},
        {two, true, "one/a", "one/a"},
        {"{}", true, "ollama/x", "ollama/x"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(table); i++) {
        bx_auto(bx_freep) char *got = get(table[i].settings, table[i].offline, table[i].id);
        if (strcmp(got, table[i].got) != 0) {
            fail_msg("%s: %s instead of %s", table[i].id ? table[i].id : "(default)", got,
                     table[i].got);
        }
    }
}

static void packed(void **state) {
    (void)state;
    static const unsigned char hello[] = {
        /* printf 'hello hello hello' | gzip -n */
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xcb, 0x48, 0xcd, 0xc9,
        0xc9, 0x57, 0xc8, 0x40, 0x90, 0x00, 0x80, 0x88, 0xf9, 0xe5, 0x11, 0x00, 0x00, 0x00};
    struct bx_str whole = bx_str_n((const char *)hello, sizeof hello);
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB), small = BX_BUF_INIT(4);
    assert_int_equal(bx_gunzip(whole, &out, NULL), 0);
    assert_string_equal(bx_buf_z(&out), "hello hello hello");
    bx_buf_reset(&out);
    assert_int_equal(bx_gunzip(BX_STR_LIT("plain"), &out, NULL), 0);
    assert_string_equal(bx_buf_z(&out), "plain");
    assert_int_equal(bx_gunzip(bx_str_slice(whole, 0, sizeof hello - 6), &out, NULL),
                     BX_ERR_DAMAGED);
    assert_int_equal(bx_gunzip(whole, &small, NULL), BX_ERR_LIMIT);
}

static void small_and_tour(void **state) {
    (void)state;
    put("large.gguf", 800ul * 1024 * 1024); // a hole in the disk
    struct bx_models *models;
    struct bx_model *model;
    struct bx_buf text = BX_BUF_INIT(4096);
    char path[120];
    assert_int_equal(make("{}", true, &models, NULL), 0);
    assert_int_equal(bx_models_get(models, "smollm2", &model, NULL), 0);
    assert_true(bx_model_is_small(model));
    bx_model_unref(model);
    assert_int_equal(bx_models_get(models, "large", &model, NULL), 0);
    assert_false(bx_model_is_small(model));
    bx_model_unref(model);
    assert_int_equal(bx_models_get(models, "tour", &model, NULL), 0);
    assert_false(bx_model_is_small(model));
    bx_model_unref(model);
    snprintf(path, sizeof path, "%s/tour.gguf", runtime_dir);
    assert_int_equal(bx_file_read(path, &text, NULL), 0);
    assert_string_equal(bx_buf_z(&text), "GGUF of the tour");
    bx_buf_deinit(&text);
    bx_models_free(models);
}

static const struct bx_model_info *info(const struct bx_model_infos *infos, const char *id) {
    for (size_t i = 0; i < infos->n; i++) {
        if (strcmp(infos->items[i].id, id) == 0) {
            return &infos->items[i];
        }
    }
    fail_msg("%s is not in the list", id);
    return NULL;
}

static void lists(void **state) {
    (void)state;
    static const char settings[] = "{\"providers\":{\"openai\":{\"models\":[\"x\"]},\"groq\":{"
                                   "\"models\":[{\"id\":\"y\",\"window\":9,\"name\":\"Y\"}]}}}";
    struct bx_models *models;
    struct bx_model_infos infos;
    assert_int_equal(make(settings, false, &models, NULL), 0);
    bx_models_list(models, &infos);
    assert_true(info(&infos, "embedded/smollm2")->available);
    assert_true(info(&infos, "embedded/smollm2")->constrained);
    assert_true(info(&infos, "embedded/tour")->available);
    assert_false(info(&infos, "openai/x")->available);
    assert_non_null(strstr(info(&infos, "openai/x")->why, "OPENAI_API_KEY"));
    assert_true(info(&infos, "groq/y")->available); // by a secret
    assert_int_equal(info(&infos, "groq/y")->window, 9);
    assert_string_equal(info(&infos, "groq/y")->name, "Y");
    bx_model_infos_deinit(&infos);
    setenv("OPENAI_API_KEY", "k", 1);
    bx_models_list(models, &infos);
    assert_true(info(&infos, "openai/x")->available);
    bx_model_infos_deinit(&infos);
    unsetenv("OPENAI_API_KEY");
    bx_models_free(models);
}

static void count_keys(void *user, const struct bx_provider_info *p) {
    int *counts = user;
    counts[0]++;
    counts[1] += p->has_key;
    assert_non_null(p->base_url);
}

static void providers(void **state) {
    (void)state;
    struct bx_models *models;
    int counts[2] = {0};
    assert_int_equal(make(two, false, &models, NULL), 0);
    bx_models_each_provider(models, count_keys, counts);
    assert_int_equal(counts[0], 12 + 2);
    assert_int_equal(counts[1], 1);
    bx_models_free(models);
}

static void bad_settings(void **state) {
    (void)state;
    static const char *const bad[] = {
        "{\"providers\":{\"x\":{}}}",
        "{\"providers\":{\"x\":{\"base_url\":\"ftp://a\"}}}",
        "{\"providers\":{\"x\":{\"base_url\":\"https://user:pw@a/v1\"}}}",
        "{\"providers\":{\"embedded\":{\"base_url\":\"http://a\"}}}",
        "{\"providers\":{\"a/b\":{\"base_url\":\"http://a\"}}}",
        "{\"providers\":{\"x\":{\"base_url\":\"http://"
        "a\",\"models\":[{\"id\":\"m\",\"price\":3}]}}}",
        "{\"providers\":{\"x\":{\"base_url\":\"http://"
        "a\",\"models\":[{\"id\":\"m\",\"price\":{\"input\":1}}]}}}",
        "{\"providers\":{\"x\":{\"base_url\":\"http://"
        "a\",\"models\":[{\"id\":\"m\",\"price\":{\"input\":-1,\"output\":1}}]}}}",
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(bad); i++) {
        struct bx_models *models = NULL;
        struct bx_err err;
        assert_int_equal(make(bad[i], false, &models, &err), BX_ERR_INVALID);
        assert_null(models);
        assert_non_null(strstr(err.msg, "providers"));
    }
    // a reload that fails leaves everything as it was
    struct bx_models *models;
    struct bx_model *model;
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    assert_int_equal(make(two, false, &models, NULL), 0);
    assert_int_equal(bx_doc_parse(bx_str(bad[0]), NULL, &doc, NULL), 0);
    assert_int_equal(bx_models_reload(models, bx_doc_root(doc), NULL), BX_ERR_INVALID);
    assert_int_equal(bx_models_get(models, NULL, &model, NULL), 0);
    assert_string_equal(bx_model_id(model), "one/a");
    bx_model_unref(model);
    bx_models_free(models);
}

static void nothing_there(void **state) {
    (void)state;
    assert_int_equal(bx_dir_remove(models_dir, NULL), 0);
    struct bx_models *models;
    struct bx_model *model;
    struct bx_err err;
    assert_int_equal(make("{}", false, &models, NULL), 0);
    assert_int_equal(bx_models_get(models, NULL, &model, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, models_dir));
    assert_int_equal(bx_models_get(models, "smollm2", &model, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "model pull"));
    bx_models_free(models);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),         cmocka_unit_test(small_and_tour),
        cmocka_unit_test(packed),        cmocka_unit_test(lists),
        cmocka_unit_test(providers),     cmocka_unit_test(bad_settings),
        cmocka_unit_test(nothing_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
