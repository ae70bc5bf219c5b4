/* store/retention.h: which sessions have been left alone for so long that they go. Any thread.
 *
 * Off until the settings say otherwise: {"retention":{"archive_after_days":90,"delete_after_days":365}}, either may be missing
 * or null. Days count from the last event of the session or of its executors, in the trash from when it came there. Archived
 * means: in archive/, out of the list, back with bx_store_restore. Deleted means gone, from the list, the archive and the
 * trash. A pinned session stays where it is, and so does one that works. */
#ifndef BX_STORE_RETENTION_H
#define BX_STORE_RETENTION_H

#include "base/cancel.h"
#include "store/store.h"

struct bx_retention {
    int64_t archive_after_days, delete_after_days; /* -1: never */
};
/* Of the settings; BX_ERR_INVALID says what is wrong with "retention" there. */
int bx_retention_read(const struct bx_val *settings, struct bx_retention *ret, struct bx_err *err);

/* What would go now. */
struct bx_retention_plan {
    struct bx_session_list archive, remove;
    int *remove_from; /* enum bx_place, beside remove.rows */
};
int bx_retention_plan(struct bx_store *s, const struct bx_retention *r, int64_t now_ms, struct bx_retention_plan *ret,
                      struct bx_err *err);
void bx_retention_plan_deinit(struct bx_retention_plan *p);
/* Does it. What cannot go now (it works, a file that does not move) stays for the next time. */
struct bx_retention_done {
    size_t archived, removed, stayed;
};
int bx_retention_apply(struct bx_store *s, const struct bx_retention *r, int64_t now_ms, struct bx_cancel *cancel,
                       struct bx_retention_done *ret, struct bx_err *err);

#endif
