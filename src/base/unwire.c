#include "base/unwire.h"

#ifdef BX_UNWIRE
static char names[200];

void bx_unwire_set(struct bx_str list) {
    snprintf(names, sizeof names, BX_STR_FMT, BX_STR_ARG(list));
}

const char *bx_unwire_list(void) {
    const char *list = getenv("BX_UNWIRE");
    return list ? list : "";
}

bool bx_unwired(const char *name) {
    struct bx_str rest = bx_str(names[0] ? names : bx_unwire_list()), piece;
    while (bx_str_split(&rest, ',', &piece)) {
        if (bx_str_eqz(piece, name)) {
            return true;
        }
    }
    return false;
}
#else
typedef int bx_unwire_is_not_compiled_in; /* ISO C wants something in a file */
#endif
