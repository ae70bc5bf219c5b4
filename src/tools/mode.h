/* tools/mode.h: a file keeps its permission bits when a guest replaces it.
 *
 * Any thread. WASI can neither read nor set permission bits, and the guests write by a temporary name and a rename: without
 * this an edited script would lose its x and a private file its privacy. So the host looks at the files that a writing call
 * names before it, and gives their bits to what stands there after it (tools/beneath.h). */
#ifndef BX_TOOLS_MODE_H
#define BX_TOOLS_MODE_H

#include "tools/reach.h"

#define BX_KEPT_MODES_MAX 16

struct bx_kept_modes {
    struct {
        const char *path;         /* guest path; the reach's */
        unsigned long long inode; /* before the call */
        unsigned mode;
    } files[BX_KEPT_MODES_MAX];
    size_t n;
};
void bx_modes_keep(struct bx_kept_modes *k, const struct bx_call_reach *reach, const struct bx_grant *grant);
void bx_modes_restore(const struct bx_kept_modes *k, const struct bx_grant *grant);

#endif
