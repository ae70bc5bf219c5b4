/* base/unwire.h: switching one control off, in test builds only, so that a test can show that it would notice.
 *
 * Any thread. Built with -DBX_UNWIRE=ON, the environment variable BX_UNWIRE holds a comma-separated list of names
 * ("host_check,body_limit"); in every other build bx_unwired is the constant false and the compiler drops the branch. */
#ifndef BX_BASE_UNWIRE_H
#define BX_BASE_UNWIRE_H

#include "base/base.h"

static inline bool bx_unwired(const char *control) {
#ifdef BX_UNWIRE
    struct bx_str rest = bx_str(getenv("BX_UNWIRE")), name;
    while (bx_str_split(&rest, ',', &name)) {
        if (bx_str_eqz(name, control))
            return true;
    }
#else
    (void)control;
#endif
    return false;
}

#endif
