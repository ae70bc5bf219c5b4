/* Linked to every unit test. An assertion that fails in another thread than the test's, or in a
 * process that the test forked, cannot end the test: cmocka would end the program without a word of
 * why, or go on with the other tests in the child. Here it says what failed, and aborts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static pid_t test_thread;

__attribute__((constructor)) static void remember(void) {
    test_thread = gettid();
}

/* All of cmocka's assertions end here; this one comes before the library's. */
__attribute__((visibility("default"))) void _fail(const char *const file, const int line) {
    void (*fail_of_cmocka)(const char *file, int line);
    *(void **)&fail_of_cmocka = dlsym(RTLD_NEXT, "_fail");
    if (gettid() != test_thread)
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* print what it has, then abort() */
    fail_of_cmocka(file, line);
    abort(); /* not reached */
}
