/* store/session_impl.h: a session from the inside: shared by opening, appending and reading. Not for other rooms. */
#ifndef BX_STORE_SESSION_IMPL_H
#define BX_STORE_SESSION_IMPL_H

#include "store/internal.h"
#include "store/ring.h"
#include "store/scan.h"

/* Locks, in this order: append_lock (held across the write and the sync), state_lock (a few lines, readers take only
 * this one, so a reader never waits for the disk of a writer). */
struct bx_session {
    struct bx_store *store;
    int refs; /* the store's table_lock */
    int fd;
    struct bx_doc *header_doc; /* holds the strings of header */
    struct bx_session_header header;
    unsigned damaged_lines;
    uint64_t torn_bytes;

    pthread_mutex_t append_lock;
    struct bx_buf line;     /* the one being built */
    uint64_t synced_end;    /* of the file: durable up to here */
    bool ragged;            /* the file is longer than `end`: a failed append could not be cut off */
    bool sync_failed;       /* what is behind synced_end must be written again before a sync means anything */

    pthread_mutex_t state_lock;
    BX_VEC(uint64_t) offsets;
    uint64_t end;           /* of the file: behind the last visible event */
    struct bx_facts facts;
    struct bx_ring ring;
    struct timespec stamp;  /* of the file, after our last write */
    bool dirty;             /* waits for the flusher */
    bool retired;           /* in the trash: no more appends. Changed under both locks */

    pthread_rwlock_t watch_lock;
    struct bx_session_watch *watches;
};

/* What was left out gets its value; BX_ERR_DENIED in a store that only reads. The strings stay the caller's. */
int bx_session_complete_header(const struct bx_store *store, const struct bx_session_header *h,
                               struct bx_session_header *ret, struct bx_err *err);
void bx_session_write_header(const struct bx_session_header *h, struct bx_buf *out); /* the line */
void bx_session_stamp(struct bx_session *s); /* remembers the time of the file's last change */
void bx_session_notify(struct bx_session *s);

#endif
