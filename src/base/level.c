#include "base/level.h"

static const char *const names[BX_LEVEL_COUNT] = {"none",    "read_only", "write",
                                                  "execute", "dangerous", "forbidden"};

const char *bx_level_name(enum bx_level level) {
    assert((unsigned)level < BX_LEVEL_COUNT);
    return names[level];
}

bool bx_level_parse(struct bx_str s, enum bx_level *ret) {
    for (unsigned i = 0; i < BX_LEVEL_COUNT; i++) {
        if (bx_str_eqz(s, names[i])) {
            *ret = (enum bx_level)i;
            return true;
        }
    }
    return false;
}
