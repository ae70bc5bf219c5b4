/* How many tokens a model takes: what servers say of it, and when they are asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread.h"
#include "model/models.h"
#include "model/window.h"
#include "peers/scripted.c"

static void answers(void **state) {
    (void)state;
    static const struct {
        enum bx_window_answer kind;
        const char *body;
        int64_t tokens;
    } rows[] = {
        {BX_WINDOW_PROPS, "{\"default_generation_settings\":{\"n_ctx\":4096}}", 4096},
        {BX_WINDOW_PROPS, "{\"default_generation_settings\":{\"n_ctx\":0}}", 0},
        {BX_WINDOW_PROPS, "not json", 0},
        {BX_WINDOW_PROPS, "[]", 0},
        {BX_WINDOW_MODELS,
         "{\"data\":[{\"id\":\"x\",\"max_model_len\":1},{\"id\":\"m\",\"max_model_len\":32768}]}",
         32768},
        {BX_WINDOW_MODELS,
         "{\"data\":[{\"id\":\"m\",\"context_length\":200000,\"top_provider\":{\"context_length\":"
         "65536}}]}",
         65536},
        {BX_WINDOW_MODELS,
         "{\"data\":[{\"id\":\"m\",\"context_length\":200000,\"top_provider\":{\"context_length\":"
         "null}}]}",
         200000},
        {BX_WINDOW_MODELS, "{\"data\":[{\"id\":\"m\",\"context_window\":131072}]}", 131072},
        {BX_WINDOW_MODELS, "{\"data\":[{\"id\":\"m\",\"max_context_length\":131072}]}", 131072},
        {BX_WINDOW_MODELS, "[{\"id\":\"m\",\"context_length\":8192}]",
         8192}, /* Together: a bare list */
        {BX_WINDOW_MODELS, "{\"data\":[{\"id\":\"m\",\"meta\":{\"n_ctx_train\":131072}}]}",
         0}, /* trained is not served */
        {BX_WINDOW_MODELS, "{\"data\":[{\"id\":\"m\",\"context_length\":-5}]}", 0},
        {BX_WINDOW_MODELS, "{\"data\":[{\"id\":\"m\",\"context_length\":99999999999999}]}", 0},
        {BX_WINDOW_MODELS, "{\"data\":\"m\"}", 0},
        {BX_WINDOW_PS, "{\"models\":[{\"name\":\"m:latest\",\"context_length\":4096}]}", 4096},
        {BX_WINDOW_PS, "{\"models\":[{\"name\":\"m:8b\",\"context_length\":4096}]}", 0},
        {BX_WINDOW_SHOW,
         "{\"parameters\":\"stop \\\"x\\\"\\nnum_ctx                        8192\\n\","
         "\"model_info\":{\"llama.context_length\":131072}}",
         8192},
        {BX_WINDOW_SHOW,
         "{\"parameters\":\"num_ctx 262144\",\"model_info\":{\"llama.context_length\":131072}}",
         131072}, /* no more than it was trained for */
        {BX_WINDOW_SHOW, "{\"model_info\":{\"llama.context_length\":131072}}",
         0}, /* trained is not served */
        {BX_WINDOW_INSTANCES,
         "{\"models\":[{\"key\":\"x\",\"loaded_instances\":[{\"id\":\"x\",\"config\":{\"context_"
         "length\":1}}]},{\"key\":\"m\",\"max_context_length\":131072,\"loaded_instances\":[{"
         "\"id\":\"m:2\",\"config\":{\"context_length\":4096}}]}]}",
         4096},
        {BX_WINDOW_INSTANCES,
         "{\"models\":[{\"key\":\"m\",\"max_context_length\":131072,\"loaded_instances\":[]}]}", 0},
        {BX_WINDOW_INSTANCES, "{\"models\":7}", 0},
        {BX_WINDOW_LMSTUDIO,
         "{\"id\":\"m\",\"state\":\"loaded\",\"max_context_length\":131072,\"loaded_context_"
         "length\":4096}",
         4096},
        {BX_WINDOW_LMSTUDIO,
         "{\"id\":\"m\",\"state\":\"not-loaded\",\"max_context_length\":131072}", 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        int64_t got = bx_window_read(rows[i].kind, bx_str(rows[i].body), "m");
        if (got != rows[i].tokens)
            fail_msg("%s: %" PRId64, rows[i].body, got);
    }
}

static void words_of_an_error(void **state) {
    (void)state;
    static const struct {
        const char *says;
        int64_t tokens;
    } rows[] = {
        {"This model's maximum context length is 8192 tokens. However, you requested 9000 tokens",
         8192},
        {"the request exceeds the available context size (4096 tokens)", 4096},
        {"Input exceeds the context window of 32768 tokens", 32768},
        {"prompt is too long: 9000 tokens > 8192 maximum", 0},
        {"maximum context length is many tokens", 0},
        {"maximum context length is 7 tokens", 0},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(rows); i++) {
        struct bx_window w = {0};
        bx_windows_heard(&w, bx_str(rows[i].says));
        if (atomic_load(&w.tokens) != rows[i].tokens)
            fail_msg("%s: %" PRId64, rows[i].says, atomic_load(&w.tokens));
    }
}

static void *serve(void *user) {
    scripted_serve(user);
    return NULL;
}

struct world {
    struct scripted *peer;
    pthread_t thread;
    struct bx_fetch *fetch;
    struct bx_windows *windows;
    char url[64];
};

static struct world open_world(const char *script) {
    struct world w = {0};
    struct bx_err err;
    if (scripted_new(script, NULL, 0, &w.peer, &err) < 0)
        fail_msg("%s", err.msg);
    pthread_create(&w.thread, NULL, serve, w.peer);
    assert_int_equal(bx_fetch_new(&(struct bx_fetch_config){.offline = true}, &w.fetch, NULL), 0);
    w.windows = bx_windows_new(w.fetch);
    snprintf(w.url, sizeof w.url, "http://127.0.0.1:%u/v1", scripted_port(w.peer));
    return w;
}

static void close_world(struct world *w) {
    bx_windows_free(w->windows);
    bx_fetch_free(w->fetch);
    scripted_stop(w->peer);
    pthread_join(w->thread, NULL);
    scripted_free(w->peer);
}

static void asked_once(void **state) {
    (void)state;
    struct world w = open_world("{\"turns\":[],\"window\":12288}");
    struct bx_window *m = bx_windows_get(w.windows, w.url, "m", true);
    assert_ptr_equal(m, bx_windows_get(w.windows, w.url, "m", true));
    assert_int_equal(atomic_load(&m->tokens), 0); /* nobody wanted to know */
    for (int i = 0; i < 5; i++)
        bx_windows_ask(w.windows, m, NULL);
    bx_windows_settle(w.windows);
    assert_int_equal(atomic_load(&m->tokens), 12288);
    assert_string_equal(atomic_load(&m->from), "provider");
    size_t connections = scripted_connections(w.peer);
    bx_windows_ask(w.windows, m, NULL);
    bx_windows_replied(w.windows, m, NULL);
    bx_windows_settle(w.windows);
    assert_int_equal(scripted_connections(w.peer), connections);
    close_world(&w);
}

static void ollama_knows_after_the_first_reply(void **state) {
    (void)state;
    struct world w =
        open_world("{\"turns\":[],\"paths\":{\"/props\":null,\"/api/ps\":{\"models\":[]},"
                   "\"/api/show\":{\"model_info\":{\"llama.context_length\":131072}}}}");
    struct bx_window *m = bx_windows_get(w.windows, w.url, "llama", true);
    bx_windows_ask(w.windows, m, "key");
    bx_windows_settle(w.windows);
    assert_int_equal(atomic_load(&m->tokens), 0); /* unknown stays unknown */
    assert_null(atomic_load(&m->from));
    close_world(&w);
    w = open_world("{\"turns\":[],\"paths\":{\"/props\":null,\"/api/"
                   "ps\":{\"models\":[{\"model\":\"llama:latest\","
                   "\"context_length\":4096}]}}}");
    m = bx_windows_get(w.windows, w.url, "llama", true);
    bx_windows_replied(w.windows, m, NULL);
    bx_windows_settle(w.windows);
    assert_int_equal(atomic_load(&m->tokens), 4096);
    close_world(&w);
}

static void not_asked_for_ever(void **state) {
    (void)state;
    struct world w = open_world("{\"turns\":[],\"paths\":{\"/props\":null}}");
    struct bx_window *m = bx_windows_get(w.windows, w.url, "m", false);
    for (int i = 0; i < 4; i++) {
        bx_windows_ask(w.windows, m, NULL);
        bx_windows_settle(w.windows);
        bx_windows_replied(w.windows, m, NULL);
        bx_windows_settle(w.windows);
    }
    assert_int_equal(atomic_load(&m->tokens), 0);
    assert_true(scripted_connections(w.peer) <= 2);
    struct bx_window *far = bx_windows_get(w.windows, "http://192.0.2.1/v1", "m", false);
    bx_windows_ask(w.windows, far, NULL); /* ended with the program */
    close_world(&w);
}

static void on_phase(void *user, const char *text) {
    char **heard = user;
    bx_free(*heard);
    *heard = bx_strdup(text);
}

/* It knows its window once the model is loaded: a run has it loaded, a look does not. */
static void ollama_is_asked_before_the_first_request(void **state) {
    (void)state;
    bx_auto(bx_freep) char *heard = NULL;
    struct world w = open_world(
        "{\"turns\":[],\"paths\":{\"/props\":null,\"/api/show\":{\"parameters\":\"\"},\"/api/ps\":"
        "{\"models\":[]},\"/api/generate\":{\"done\":true}}}");
    struct bx_window *m = bx_windows_get(w.windows, w.url, "m", true);
    bx_windows_ask(w.windows, m, NULL);
    bx_windows_settle(w.windows);
    bx_windows_await(w.windows, m, NULL, NULL, on_phase, &heard);
    assert_string_equal(heard, "loading m");
    assert_int_equal(atomic_load(&m->tokens), 0); /* it did not say, and is not asked again */
    heard[0] = '\0';
    bx_windows_await(w.windows, m, NULL, NULL, on_phase, &heard);
    assert_string_equal(heard, "");
    struct bx_window *far = bx_windows_get(w.windows, w.url, "m2", false); /* not of this machine */
    bx_windows_await(w.windows, far, NULL, NULL, on_phase, &heard);
    assert_string_equal(heard, "");
    close_world(&w);

    w = open_world(
        "{\"turns\":[],\"paths\":{\"/props\":null,\"/api/show\":{\"parameters\":\"num_ctx "
        "16384\"},\"/api/ps\":{\"models\":[{\"name\":\"m\",\"context_length\":2048}]}}}");
    m = bx_windows_get(w.windows, w.url, "m", true);
    bx_windows_await(w.windows, m, NULL, NULL, on_phase, &heard);
    assert_int_equal(atomic_load(&m->tokens), 16384); /* what the user wrote down for it */
    assert_string_equal(heard, "");
    close_world(&w);
}

/* A run that is stopped does not wait, and the next one asks again. */
static void a_stop_ends_the_waiting(void **state) {
    (void)state;
    bx_auto(bx_freep) char *heard = NULL;
    struct world w = open_world("{\"turns\":[],\"window\":12288}");
    struct bx_window *m = bx_windows_get(w.windows, w.url, "m", true);
    bx_auto(bx_cancel_unrefp) struct bx_cancel *stopped = bx_cancel_new(NULL);
    bx_cancel_fire(stopped, "stop");
    bx_windows_await(w.windows, m, NULL, stopped, on_phase, &heard);
    assert_int_equal(atomic_load(&m->tokens), 0);
    bx_windows_await(w.windows, m, NULL, NULL, on_phase, &heard);
    assert_int_equal(atomic_load(&m->tokens), 12288);
    close_world(&w);
}

struct waiter {
    struct bx_windows *windows;
    struct bx_window *window;
};
static void *wait_for_it(void *user) {
    struct waiter *w = user;
    bx_windows_await(w->windows, w->window, NULL, NULL, NULL, NULL);
    return (void *)(uintptr_t)atomic_load(&w->window->tokens);
}

static void several_wait_for_one_answer(void **state) {
    (void)state;
    struct world w = open_world("{\"turns\":[],\"window\":12288}");
    struct waiter all = {w.windows, bx_windows_get(w.windows, w.url, "m", true)};
    pthread_t threads[4];
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++)
        pthread_create(&threads[i], NULL, wait_for_it, &all);
    for (size_t i = 0; i < BX_ARRAY_LEN(threads); i++) {
        void *got;
        pthread_join(threads[i], &got);
        assert_int_equal((uintptr_t)got, 12288);
    }
    assert_int_equal(scripted_connections(w.peer), 1);
    close_world(&w);
}

static void of_a_model(void **state) {
    (void)state;
    struct world w = open_world("{\"turns\":[],\"window\":12288}");
    bx_auto(bx_freep) char *text =
        bx_asprintf("{\"providers\":{\"my\":{\"base_url\":\"%s\",\"models\":[{\"id\":\"set\","
                    "\"window\":100},\"asked\"]}}}",
                    w.url);
    bx_auto(bx_doc_freep) struct bx_doc *settings = NULL;
    struct bx_models *models;
    struct bx_model *set, *asked;
    assert_int_equal(bx_doc_parse(bx_str(text), NULL, &settings, NULL), 0);
    struct bx_models_config config = {.settings = bx_doc_root(settings),
                                      .models_dir = "/nonexistent",
                                      .runtime_dir = "/nonexistent",
                                      .offline = true};
    assert_int_equal(bx_models_new(&config, &models, NULL), 0);
    assert_int_equal(bx_models_get(models, "my/set", &set, NULL), 0);
    assert_int_equal(bx_models_get(models, "my/asked", &asked, NULL), 0);
    assert_int_equal(bx_model_window(set), 100); /* what the user says counts */
    assert_string_equal(bx_model_window_from(set), "settings");
    assert_null(bx_model_window_from(asked));
    while (!bx_model_window(asked)) /* in the background */
        sched_yield();
    assert_int_equal(bx_model_window(asked), 12288);
    assert_string_equal(bx_model_window_from(asked), "provider");
    bx_model_unref(set);
    bx_model_unref(asked);
    bx_models_free(models);
    close_world(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(words_of_an_error),
        cmocka_unit_test(asked_once),
        cmocka_unit_test(ollama_knows_after_the_first_reply),
        cmocka_unit_test(not_asked_for_ever),
        cmocka_unit_test(ollama_is_asked_before_the_first_request),
        cmocka_unit_test(a_stop_ends_the_waiting),
        cmocka_unit_test(several_wait_for_one_answer),
        cmocka_unit_test(of_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
