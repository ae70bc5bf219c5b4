/* A temporary folder, filled by name. Included by one test program each. */
#ifndef BX_TESTS_UNIT_FOLDER_H
#define BX_TESTS_UNIT_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/path.h"

static char dir[64];

/* The file in it, and the folders above. Nothing here needs to outlive the test: no flush to the disk. */
__attribute__((unused)) static void put(const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

__attribute__((unused)) static void link_to(const char *name, const char *target) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-folder-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

#endif
