/* permit/narrow.h: does a call fit what a skill, an agent or a planner left of the session's tools (struct bx_narrow)? Pure. */
#ifndef BX_PERMIT_NARROW_H
#define BX_PERMIT_NARROW_H

#include "permit/permit.h"

#define BX_NARROW_TEXT_MAX 320

/* The first narrowing that the call does not fit, or NULL. level: of the call, raised where it touches a guarded path. */
const struct bx_narrow *bx_narrow_missed(const struct bx_permit_request *req, enum bx_level level);
/* What it allows, to go on a sentence that begins with the tool's name. */
void bx_narrow_describe(const struct bx_narrow *n, enum bx_level level, char ret[static BX_NARROW_TEXT_MAX]);

#endif
