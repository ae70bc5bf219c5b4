/* A temporary folder for tests of skills. Included by one test program each. */
#ifndef BX_TESTS_UNIT_SKILLS_FOLDER_H
#define BX_TESTS_UNIT_SKILLS_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/path.h"
#include "skills/skills.h"

static char dir[64];

__attribute__((unused)) static void put(const char *name, const char *text) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    bx_auto(bx_freep) char *parent = bx_path_dir(path);
    assert_int_equal(bx_dir_make(parent, 0700, NULL), 0);
    FILE *file = fopen(path, "w"); /* nothing here needs to outlive the test: no flush to the disk */
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-skills-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

/* What is in dir/own, as the workspace's. */
__attribute__((unused)) static struct bx_skills *own_skills(void) {
    bx_auto(bx_freep) char *own = bx_path_join(dir, "own");
    return bx_skills_find(&(struct bx_skills_where){.workspace = own});
}

#endif
