/* tools/beneath.h: the host's own look at a file that a guest names.
 *
 * Any thread. Every path is opened beneath its mount's folder by the kernel's own resolution (openat2, RESOLVE_BENEATH): a
 * link that a guest planted leads nowhere, whatever moves meanwhile. */
#ifndef BX_TOOLS_BENEATH_H
#define BX_TOOLS_BENEATH_H

#include "box/grant.h"

enum bx_beneath { BX_BENEATH_ANY, BX_BENEATH_WRITABLE }; /* in any mount, or only in one that may be written */

/* A descriptor of what the guest path (normal, absolute) leads to, opened with these flags (O_RDONLY | O_NONBLOCK, O_PATH …;
 * close-on-exec is added); -1 when there is nothing, no mount holds it, or it leads out of its mount. */
int bx_open_beneath(const struct bx_grant *grant, const char *guest_path, enum bx_beneath where, int flags);

#endif
