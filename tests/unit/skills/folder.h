/* A temporary folder for tests of skills. Included by one test program each. */
#ifndef BX_TESTS_UNIT_SKILLS_FOLDER_H
#define BX_TESTS_UNIT_SKILLS_FOLDER_H

#include "skills/skills.h"
#include "unit/folder.h"

/* What is in dir/own, as the workspace's. */
__attribute__((unused)) static struct bx_skills *own_skills(void) {
    bx_auto(bx_freep) char *own = bx_path_join(dir, "own");
    return bx_skills_find(&(struct bx_skills_where){.workspace = own});
}

#endif
