/* permit/shell.h: the commands that a shell line is made of, found by the parser that the `bash` tool itself runs
 * (guests/bash). Pure; bounded in depth and memory whatever the text. */
#ifndef BX_PERMIT_SHELL_H
#define BX_PERMIT_SHELL_H

#include "base/arena.h"

struct bx_shell_part {
    struct bx_str text;  /* as it is written, with assignments and redirections; starts and ends with no space */
    struct bx_str plain; /* its words without quotes, as far as they are known, one space between */
    bool writes;         /* sends output to a file */
    bool unknown;        /* what it runs is only known when it runs: $a x, sh < file, eval "$b" */
};
struct bx_shell_parts {
    struct bx_shell_part *p;
    size_t n;
};
/* Every simple command, wherever it stands: in lists, pipelines, loops, functions, subshells, $(…), here-documents; also
 * what is behind env, xargs, timeout, sh -c, eval, trap and the like (these come after the others, from *ret_derived on). False: it is no shell line that can be read whole. */
bool bx_shell_split(struct bx_str command, struct bx_arena *arena, struct bx_shell_parts *ret, size_t *ret_derived);

#endif
