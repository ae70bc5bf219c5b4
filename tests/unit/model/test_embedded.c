/* The supervisor of the model server, with this program as the child: it plays the scripted
 * endpoint on the socket. The model "file" says what the child does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/thread.h"
#include "model/models.h"
#include "model/embedded.h"
#include "peers/scripted.c"

static char dir[64];

static int child(int argc, char **argv) {
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    struct scripted *s;
    struct bx_err err;
    if (argc != 6 || bx_file_read(argv[2], &text, &err) < 0) {
        return 3;
    }
    if (bx_str_starts(bx_buf_str(&text), "crash")) {
        fprintf(stderr, "the weights are broken\n");
        return 7;
    }
    if (bx_str_starts(bx_buf_str(&text), "never")) {
        pause();
    }
    if (scripted_new(bx_buf_z(&text), argv[3], 0, &s, &err) < 0) {
        return 4;
    }
    for (int i = 0; i < 20000; i++) { // more than a pipe holds: somebody must read it
        fprintf(stderr, "a line of the log, number %d\n", i);
    }
    scripted_serve(s);
    return 0;
}

static char *model_file(const char *name, const char *content) {
    char *path = bx_asprintf("%s/%s.gguf", dir, name);
    assert_int_equal(bx_file_write_atomic(path, bx_str(content), 0600, NULL), 0);
    return path;
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-embedded-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

struct world {
    struct bx_fetch *fetch;
    struct bx_embedded *e;
    char *run;
};

static struct world open_world(uint64_t idle_ms) {
    struct world w = {.run = bx_asprintf("%s/run", dir)};
    assert_int_equal(bx_fetch_new(&(struct bx_fetch_config){.offline = true}, &w.fetch, NULL), 0);
    struct bx_embedded_config config = {
        .runtime_dir = w.run, .fetch = w.fetch, .threads = 1, .idle_ms = idle_ms};
    assert_int_equal(bx_embedded_new(&config, &w.e, NULL), 0);
    return w;
}

static void close_world(struct world *w) {
    bx_embedded_free(w->e);
    bx_fetch_free(w->fetch);
    bx_free(w->run);
}

static void on_phase(void *user, const char *text) {
    bx_buf_addf(user, "%s;", text);
}

static pid_t only_pid(struct world *w) {
    pid_t pids[4] = {0};
    return bx_embedded_pids(w->e, pids, 4) == 1 ? pids[0] : -1;
}

static void starts_once_and_stops(void **state) {
    (void)state;
    struct world w = open_world(0);
    bx_auto(bx_freep) char *path =
        model_file("a", "{\"turns\":[{\"text\":\"x\"}],\"window\":1234,\"tools\":false}");
    struct bx_embedded_use one, two;
    struct bx_buf phases = BX_BUF_INIT(4096);
    struct bx_err err;
    if (bx_embedded_acquire(w.e, path, 4096, on_phase, &phases, NULL, &one, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(one.window, 1234);
    assert_int_equal(bx_embedded_window(w.e, path, 4096), 1234);
    assert_int_equal(bx_embedded_window(w.e, path, 8192), 0);
    assert_int_equal(bx_embedded_window(w.e, "other", 4096), 0);
    assert_false(one.supports_tools);
    struct stat st;
    assert_int_equal(stat(w.run, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(bx_embedded_acquire(w.e, path, 8192, on_phase, &phases, NULL, &two, NULL), 0);
    assert_int_equal(bx_embedded_window(w.e, path, 8192), 0); /* the child is one of 4096 */
    assert_string_equal(bx_buf_z(&phases), "starting a.gguf;");
    pid_t pid = only_pid(&w);
    assert_true(pid > 0);
    bx_auto(bx_freep) char *socket_path = bx_strdup(one.socket);
    bx_embedded_release(w.e, &one);
    bx_embedded_release(w.e, &two);
    /* nobody uses it: another wish is another child */
    assert_int_equal(bx_embedded_acquire(w.e, path, 8192, NULL, NULL, NULL, &one, NULL), 0);
    assert_true(only_pid(&w) > 0 && only_pid(&w) != pid);
    assert_int_equal(bx_embedded_window(w.e, path, 8192), 1234);
    bx_embedded_release(w.e, &one);
    close_world(&w);
    assert_int_equal(kill(pid, 0), -1); // gone and reaped
    assert_int_equal(access(socket_path, F_OK), -1);
    bx_buf_deinit(&phases);
}

static void never_ready(void **state) {
    (void)state;
    struct world w = open_world(0);
    struct bx_embedded_use use;
    struct bx_err err;
    bx_auto(bx_freep) char *crash = model_file("crash", "crash");
    assert_int_equal(bx_embedded_acquire(w.e, crash, 4096, NULL, NULL, NULL, &use, &err),
                     BX_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "status 7"));
    assert_non_null(strstr(err.msg, "the weights are broken"));
    assert_int_equal(
        bx_embedded_acquire(w.e, "/nonexistent.gguf", 4096, NULL, NULL, NULL, &use, &err),
        BX_ERR_NOTFOUND);
    close_world(&w);
}

static void *fire(void *user) {
    bx_cancel_fire(user, "test");
    return NULL;
}

static void cancel_during_start(void **state) {
    (void)state;
    struct world w = open_world(0);
    struct bx_embedded_use use;
    struct bx_cancel *cancel = bx_cancel_new(NULL);
    bx_auto(bx_freep) char *never = model_file("never", "never");
    pthread_t t;
    pthread_create(&t, NULL, fire, cancel);
    assert_int_equal(bx_embedded_acquire(w.e, never, 4096, NULL, NULL, cancel, &use, NULL),
                     BX_ERR_CANCELLED);
    pthread_join(t, NULL);
    assert_int_equal(only_pid(&w), -1); // the half-started child is not kept
    bx_cancel_unref(cancel);
    close_world(&w);
}

/* Waits on the clock-free fact that the list is empty; the test's own time limit ends it when that
 * never comes. */
static void idle_is_stopped(void **state) {
    (void)state;
    struct world w = open_world(1);
    bx_auto(bx_freep) char *path = model_file("idle", "[]");
    struct bx_embedded_use use;
    assert_int_equal(bx_embedded_acquire(w.e, path, 4096, NULL, NULL, NULL, &use, NULL), 0);
    pid_t pid = only_pid(&w);
    bx_cancel_sleep(NULL, 20);
    assert_int_equal(only_pid(&w), pid); // in use: it stays
    bx_embedded_release(w.e, &use);
    while (only_pid(&w) == pid) {
        bx_cancel_sleep(NULL, 1);
    }
    // and it comes back when it is wanted
    assert_int_equal(bx_embedded_acquire(w.e, path, 4096, NULL, NULL, NULL, &use, NULL), 0);
    assert_true(only_pid(&w) != pid);
    bx_embedded_release(w.e, &use);
    close_world(&w);
}

static void another_model_takes_the_place(void **state) {
    (void)state;
    struct world w = open_world(0);
    bx_auto(bx_freep) char *a = model_file("a", "[]");
    bx_auto(bx_freep) char *b = model_file("b", "[]");
    struct bx_embedded_use one, two;
    assert_int_equal(bx_embedded_acquire(w.e, a, 4096, NULL, NULL, NULL, &one, NULL), 0);
    pid_t first = only_pid(&w);
    bx_embedded_release(w.e, &one);
    assert_int_equal(bx_embedded_acquire(w.e, b, 4096, NULL, NULL, NULL, &two, NULL), 0);
    assert_true(only_pid(&w) > 0 && only_pid(&w) != first);
    bx_embedded_release(w.e, &two);
    close_world(&w);
}

/* ---- through bx_model_ask ---- */

struct heard {
    int retries;
};

static void on_event(void *user, const struct bx_model_event *ev) {
    struct heard *h = user;
    h->retries += ev->kind == BX_EV_RETRY;
}

static void on_start(void *user, const struct bx_model_event *ev) {
    if (ev->kind == BX_EV_PHASE)
        bx_buf_addf(user, BX_STR_FMT ";", BX_STR_ARG(ev->text));
}

static int ask_file(const char *path, struct bx_reply *ret, struct heard *h, struct bx_err *err) {
    bx_auto(bx_freep) char *run = bx_asprintf("%s/run", dir);
    struct bx_models_config config = {.models_dir = dir, .runtime_dir = run, .offline = true};
    struct bx_models *models;
    struct bx_model *model;
    assert_int_equal(bx_models_new(&config, &models, NULL), 0);
    assert_int_equal(bx_models_get(models, path, &model, NULL), 0);
    struct bx_message *user = bx_message_new(BX_ROLE_USER);
    bx_message_add_text(user, "hello");
    const struct bx_message *messages[] = {user};
    struct bx_model_request req = {.messages = messages, .message_count = 1};
    int r = bx_model_ask(model, &req, on_event, h, NULL, ret, err);
    if (r == 0) {
        assert_int_equal(bx_model_window(model), 32768);
    }
    bx_message_free(user);
    bx_model_unref(model);
    bx_models_free(models);
    return r;
}

static void ask_embedded(void **state) {
    (void)state;
    bx_auto(bx_freep) char *path = model_file("good", "[{\"text\":\"hi\"}]");
    struct heard h = {0};
    struct bx_reply reply;
    struct bx_err err;
    if (ask_file("embedded/good", &reply, &h, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_string_equal(reply.message->blocks.p[0].text, "hi");
    bx_reply_deinit(&reply);
}

/* It is known before the first request of a run, and to whoever looks at the model later. */
static void window_is_known_in_time(void **state) {
    (void)state;
    bx_auto(bx_freep) char *run = bx_asprintf("%s/run", dir);
    bx_auto(bx_freep) char *path = model_file("told", "{\"turns\":[],\"window\":1234}");
    struct bx_models_config config = {.models_dir = dir, .runtime_dir = run, .offline = true};
    struct bx_models *models;
    struct bx_model *first, *later;
    struct bx_buf phases = BX_BUF_INIT(4096);
    assert_int_equal(bx_models_new(&config, &models, NULL), 0);
    assert_int_equal(bx_models_get(models, "embedded/told", &first, NULL), 0);
    assert_int_equal(bx_model_window(first), 0);
    assert_null(bx_model_window_from(first));
    bx_model_await_window(first, on_start, &phases, NULL);
    assert_string_equal(bx_buf_z(&phases), "starting told.gguf;");
    assert_int_equal(bx_model_window(first), 1234);
    assert_int_equal(bx_models_get(models, "embedded/told", &later, NULL), 0);
    assert_int_equal(bx_model_window(later), 1234);
    assert_string_equal(bx_model_window_from(later), "embedded");
    bx_model_await_window(later, on_start, &phases, NULL);
    assert_string_equal(bx_buf_z(&phases), "starting told.gguf;");
    bx_buf_deinit(&phases);
    bx_model_unref(first);
    bx_model_unref(later);
    bx_models_free(models);
}

/* A child that dies at every request: once more with a fresh one, then a clear error. */
static void ask_crashing(void **state) {
    (void)state;
    bx_auto(bx_freep) char *path =
        model_file("dies", "{\"turns\":[{\"text\":\"hi\"}],\"die\":true}");
    struct heard h = {0};
    struct bx_reply reply;
    struct bx_err err;
    assert_int_equal(ask_file("embedded/dies", &reply, &h, &err), BX_ERR_UNAVAILABLE);
    assert_int_equal(h.retries, 1);
    assert_non_null(strstr(err.msg, "dies.gguf ended (status 9)"));
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--model-server") == 0) {
        _exit(child(argc, argv)); // its leaks are not the test's
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_once_and_stops),         cmocka_unit_test(never_ready),
        cmocka_unit_test(cancel_during_start),           cmocka_unit_test(idle_is_stopped),
        cmocka_unit_test(another_model_takes_the_place), cmocka_unit_test(ask_embedded),
        cmocka_unit_test(window_is_known_in_time),       cmocka_unit_test(ask_crashing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
