/* box/grant.h: what one call may reach. A view: everything is borrowed from who made it, for the time of the call.
 *
 * Any thread. The box enforces mounts and limits itself; hosts and networks are enforced by whoever answers outbound
 * requests (bx_box_request.outbound), and stand here because the receipt says them. */
#ifndef BX_BOX_GRANT_H
#define BX_BOX_GRANT_H

#include "box/bar.h"
#include "box/limits.h"

struct bx_mount {
    const char *host_path;  /* absolute, without symbolic links (bx_path_real) */
    const char *guest_path; /* absolute: "/" for the root */
    bool writable;
};

#define BX_MOUNTS_MAX 32

struct bx_grant {
    const struct bx_mount *mounts;
    size_t mount_count;
    struct bx_limits limits;
    const char *const *hosts; /* allowed_outbound_hosts, as written; none: no network but by granted_hosts */
    size_t host_count;
    const char *const *granted_hosts; /* by a person, when the call began; whether they still count is asked at each request */
    size_t granted_host_count;
    const char *const *block_networks; /* as written; bx_grant_init: "private" */
    size_t block_network_count;
    const char *const *guarded_paths; /* beside the built-in names: a name at any depth, or a guest path with "*" */
    size_t guarded_path_count;
    const char *const *within_hosts; /* the same syntax; whatever else allows a host, it must be among these too; NULL: no such bound */
    size_t within_host_count;
    const struct bx_bar *bars; /* commands that no guest of the call may start */
    size_t bar_count;
    uint16_t self_port; /* of our own server: what `self` in hosts means; 0: nothing */
    const char *worker; /* whose worker process runs it: calls of one name share theirs with no other; NULL: the common one of these
                           mounts */
};

void bx_grant_init(struct bx_grant *g); /* reaches nothing, default limits */
/* Member "mounts" of the object that is open: [{"host","guest","writable"}]. */
void bx_mounts_write(struct bx_jw *w, const struct bx_mount *mounts, size_t count);
/* BX_ERR_INVALID when a mount is not absolute, has no name, is there twice, or there are too many. */
int bx_grant_check(const struct bx_grant *g, struct bx_err *err);
void bx_grant_write(struct bx_jw *w, const struct bx_grant *g); /* one object, for receipts */

#endif
