/* store/fsck.h: are the sessions on disk whole? Any thread.
 *
 * Looks at every file of sessions/ and archive/: torn ends, damaged lines, events that are missing or out of order, headers,
 * runs without an end, calls without a result, executors without their manager, what a crash left half written, and the index.
 * It only looks, unless told to repair; a repair keeps the file as it was in repair/<time>/ and loses nothing that can be read. */
#ifndef BX_STORE_FSCK_H
#define BX_STORE_FSCK_H

#include "base/cancel.h"
#include "store/store.h"

struct bx_fsck_problem {
    const char *path;  /* of the file */
    uint64_t line;     /* 1…; 0: the file as a whole */
    const char *text;  /* what is wrong, one sentence */
};
struct bx_fsck_options {
    bool repair;  /* the store must be the owner's */
    bool in_use;  /* a server works on these files: what it is just writing is no problem */
    struct bx_cancel *cancel;
};
struct bx_fsck_report {
    uint64_t files, events, problems, repaired; /* repaired: files */
    char *kept; /* the folder with the files as they were, NULL when nothing was repaired; the caller's */
};
int bx_store_fsck(struct bx_store *s, const struct bx_fsck_options *options,
                  void (*found)(void *user, const struct bx_fsck_problem *p), void *user, struct bx_fsck_report *ret,
                  struct bx_err *err);

#endif
