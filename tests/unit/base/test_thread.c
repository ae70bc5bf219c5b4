#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/log.h"
#include "base/thread.h"

struct seen {
    char name[16];
    bool blocked;
};

static void *look(void *user) {
    struct seen *s = user;
    sigset_t mask;
    pthread_getname_np(pthread_self(), s->name, sizeof s->name);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    s->blocked = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
    return s;
}

static void test_start(void **state) {
    (void)state;
    struct seen seen = {0};
    pthread_t thread;
    void *result;
    assert_int_equal(bx_thread_start(&thread, "a name that is too long", look, &seen, NULL), 0);
    pthread_join(thread, &result);
    assert_ptr_equal(result, &seen);
    assert_string_equal(seen.name, "a name that is ");
    assert_true(seen.blocked);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGTERM)); /* ours is as before */
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static int turn;

static void *answer(void *user) {
    (void)user;
    BX_LOCKED(&mutex);
    while (turn != 1) {
        bx_cond_wait_ms(&cond, &mutex, UINT64_MAX);
    }
    turn = 2;
    pthread_cond_broadcast(&cond);
    return NULL;
}

static void test_cond(void **state) {
    (void)state;
    pthread_t thread;
    bx_cond_init(&cond);
    {
        BX_LOCKED(&mutex);
        bool woken = true;
        for (int i = 0; woken && i < 100; i++) { /* it may also wake for no reason */
            woken = bx_cond_wait_ms(&cond, &mutex, 1);
        }
        assert_false(woken);
    }
    assert_int_equal(pthread_mutex_trylock(&mutex), 0); /* the block left it unlocked */
    pthread_mutex_unlock(&mutex);
    assert_int_equal(bx_thread_start(&thread, "answer", answer, NULL, NULL), 0);
    {
        BX_LOCKED(&mutex);
        turn = 1;
        pthread_cond_broadcast(&cond);
        while (turn != 2) {
            assert_true(bx_cond_wait_ms(&cond, &mutex, UINT64_MAX));
        }
    }
    pthread_join(thread, NULL);
    pthread_cond_destroy(&cond);
}

/* What two log calls write to stderr. */
static void test_log(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    int saved = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    setenv("BOXAGNTS_LOG", "warn", 1);
    bx_log_init();
    bx_info("base", "not seen");
    bx_warn("base", "one\nline\x1b[31m %d", 7);
    char *large = bx_alloc(10000);
    memset(large, 'x', 9999);
    bx_error("base", "%s", large);
    bx_free(large);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fds[1]);
    bx_log_set_level(BX_LOG_INFO);
    char got[8192];
    ssize_t n, size = 0;
    while ((n = read(fds[0], got + size, sizeof got - 1 - (size_t)size)) > 0) {
        size += n;
    }
    close(fds[0]);
    got[size] = '\0';
    assert_null(strstr(got, "not seen"));
    assert_non_null(strstr(got, "Z warn  base: one line [31m 7\n"));
    int lines = 0;
    for (const char *at = got; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    assert_int_equal(lines, 2);
    assert_int_equal(got[size - 1], '\n');
    assert_int_equal(size - (strchr(got, '\n') + 1 - got), 2047);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_cond),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
