/* box/grant.h: what one call may reach. Plain data, borrowed for the call; made by `agent`/`tools` from root, mounts,
 * level and limits; enforced by `box` (and its hosts by `fetch`). */
#ifndef BX_BOX_GRANT_H
#define BX_BOX_GRANT_H

#include "box/limits.h"

struct bx_mount {
    const char *host;  /* absolute, real */
    const char *guest; /* absolute, normal: "/" for the root */
    bool writable;
};

struct bx_grant {
    const struct bx_mount *mounts; /* the first is the root, at "/" */
    size_t mount_count;
    bool read_only;                /* mounts are opened read-only whatever they say (tools of level read_only) */
    const char *const *allowed_outbound_hosts; /* Spin's syntax; none = no network */
    size_t allowed_outbound_host_count;
    const char *const *block_networks;         /* CIDRs, or "private" */
    size_t block_network_count;
    struct bx_limits limits;
};

#endif
