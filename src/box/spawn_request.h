/* box/spawn_request.h: what a guest says when it starts another (its bytes: guests/common/process.h).
 *
 * Pure. The guest is not trusted: every length is checked. */
#ifndef BX_BOX_SPAWN_REQUEST_H
#define BX_BOX_SPAWN_REQUEST_H

#include "base/base.h"

#define BX_SPAWN_REQUEST_MAX BX_MIB

struct bx_spawn_request {
    int32_t in, out, err; /* numbers as the guest gave them */
    const char **argv;    /* at least one */
    size_t argc;
    const char **env; /* "NAME=value" */
    size_t env_count;
    char *texts; /* what the two point into */
};
/* 0, or an error number of WASI, negative: E2BIG larger than BX_SPAWN_REQUEST_MAX, EINVAL anything else. */
int32_t bx_spawn_request_decode(const void *p, size_t n, struct bx_spawn_request *ret);
void bx_spawn_request_deinit(struct bx_spawn_request *r); /* a zeroed one is fine */

#endif
