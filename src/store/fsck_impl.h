/* store/fsck_impl.h: one file under the check. Not for other rooms. */
#ifndef BX_STORE_FSCK_IMPL_H
#define BX_STORE_FSCK_IMPL_H

#include "base/map.h"
#include "store/fsck.h"
#include "store/internal.h"
#include "store/place.h"

struct bx_fsck {
    struct bx_store *store;
    const struct bx_fsck_options *options;
    void (*found)(void *user, const struct bx_fsck_problem *p);
    void *user;
    struct bx_fsck_report *report;
};
void bx_fsck_say(struct bx_fsck *f, const char *path, uint64_t line, const char *fmt, ...) BX_PRINTF(4, 5);

struct bx_fsck_call {
    uint64_t line;
    char run[37];
    char tool[];
};
/* What a look at one file found; it decides what a repair writes. */
struct bx_fsck_file {
    struct bx_fsck *fsck;
    char *path;
    char id[37]; /* by its name */
    bool bad_header, orphan, wrong;
    bool executor;
    bool waits;              /* the open run waits for a person: it goes on with the next start */
    char run[37];            /* without an end */
    struct bx_map *calls;    /* id -> struct bx_fsck_call: calls without a result */
    uint64_t last_seq;
};
int bx_fsck_look(struct bx_fsck_file *file, struct bx_err *err);
void bx_fsck_file_deinit(struct bx_fsck_file *file);
/* Writes the file anew; the old one is in the folder of kept ones. */
int bx_fsck_repair(struct bx_fsck_file *file, struct bx_err *err);
/* A copy into repair/<time>/, which is made at the first. */
int bx_fsck_keep(struct bx_fsck *f, const char *path, struct bx_err *err);

/* The events of one line each: what a line of a session's file is. */
struct bx_fsck_line {
    bool good;
    uint64_t seq;
    struct bx_doc *doc;
    const char *why; /* not good */
};
void bx_fsck_read_line(struct bx_str text, bool too_long, uint64_t last_seq, struct bx_fsck_line *ret);

#endif
