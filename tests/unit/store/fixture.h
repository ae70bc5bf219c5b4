/* A store in a temporary folder, open for its owner. Included by one test program each. */
#ifndef BX_TESTS_UNIT_STORE_FIXTURE_H
#define BX_TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "store/store.h"

struct fixture {
    char dir[64];
    struct bx_store *store;
};

static void start(struct fixture *f) {
    struct bx_err err = {0};
    if (bx_store_open(f->dir, BX_STORE_OWNER, &f->store, &err) < 0)
        fail_msg("%s", err.msg);
}

static int setup(void **state) {
    struct fixture *f = bx_new(struct fixture);
    snprintf(f->dir, sizeof f->dir, "/tmp/bx-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    start(f);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    struct fixture *f = *state;
    bx_store_close(f->store);
    bx_dir_remove(f->dir, NULL);
    bx_free(f);
    return 0;
}

#endif
