/* base/level.h: the permission level, a property of a tool; `tools` states it, `permit` judges it. */
#ifndef BX_BASE_LEVEL_H
#define BX_BASE_LEVEL_H

#include "base/base.h"

enum bx_level { BX_LEVEL_NONE, BX_LEVEL_READ_ONLY, BX_LEVEL_WRITE, BX_LEVEL_EXECUTE, BX_LEVEL_DANGEROUS, BX_LEVEL_FORBIDDEN };

#define BX_LEVEL_COUNT 6

const char *bx_level_name(enum bx_level level); /* "none" "read_only" "write" "execute" "dangerous" "forbidden" */
bool bx_level_parse(struct bx_str s, enum bx_level *ret);

#endif
