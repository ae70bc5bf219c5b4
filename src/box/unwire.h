/* box/unwire.h: test builds only (-DBX_UNWIRE): BX_UNWIRE=name,name in the environment of the server process switches
 * controls off, so that a test can show that it fails without them. In any other build nothing can be switched off.
 *
 * Names: time cpu fuel memory stack table output written readonly kill cancel, and the parts of the wall. */
#ifndef BX_BOX_UNWIRE_H
#define BX_BOX_UNWIRE_H

#include "base/base.h"

#ifdef BX_UNWIRE
bool bx_unwired(const char *name);
void bx_unwire_set(struct bx_str list); /* in a worker, whose environment is empty */
const char *bx_unwire_list(void);       /* in the server: from the environment */
#else
static inline bool bx_unwired(const char *name) {
    (void)name;
    return false;
}
static inline void bx_unwire_set(struct bx_str list) {
    (void)list;
}
static inline const char *bx_unwire_list(void) {
    return "";
}
#endif

#endif
