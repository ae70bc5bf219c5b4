/* skills/args.h: what a skill was called with, held against its parameters. Pure, any thread. */
#ifndef BX_SKILLS_ARGS_H
#define BX_SKILLS_ARGS_H

#include "skills/meta.h"

struct bx_skill_args {
    struct bx_str all; /* the whole text; a view */
    bx_texts words;    /* for $1 … */
    char **values;     /* one a parameter of the skill; NULL = not given */
    size_t count;
};
/* BX_ERR_INVALID names the parameter at fault, or all that are missing, and what is allowed. inherited may be NULL: the
 * arguments of a skill that uses this one, whose parameters of the same name count (those of `outer`). */
int bx_skill_args_read(const struct bx_skill_meta *meta, struct bx_str text, const struct bx_skill_args *inherited,
                 const struct bx_skill_meta *outer, struct bx_skill_args *ret, struct bx_err *err);
void bx_skill_args_deinit(struct bx_skill_args *a);

#endif
