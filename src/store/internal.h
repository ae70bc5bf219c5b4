/* store/internal.h: what the files of this room know of each other. Not for other rooms. */
#ifndef BX_STORE_INTERNAL_H
#define BX_STORE_INTERNAL_H

#include "base/map.h"
#include "base/thread.h"
#include "base/vec.h"
#include "store/facts.h"
#include "store/index.h"
#include "store/session.h"

#define BX_RECENT_SESSIONS 8

struct bx_store {
    char *dir, *sessions_dir, *trash_dir, *archive_dir;
    enum bx_store_mode mode;
    int lock_fd;

    pthread_mutex_t table_lock;
    struct bx_map *table; /* id -> struct bx_session, borrowed: a session takes itself out with its last reference */

    struct bx_session *recent[BX_RECENT_SESSIONS]; /* references to what was opened last, newest first: see recent.c */

    pthread_mutex_t files_lock; /* settings.json and auth.json: read, change, write */
    bool secrets_were_open;
    struct bx_index *index;

    /* Batched appends wait here for the flusher thread; each entry holds a reference. */
    pthread_mutex_t flush_lock;
    pthread_cond_t flush_wake;
    BX_VEC(struct bx_session *) dirty;
    pthread_t flusher;
    bool flusher_runs, stopping;

    pthread_mutex_t change_lock;
    void (*on_change)(void *user);
    void *on_change_user;
};

char *bx_store_session_path(const struct bx_store *s, const char *id);
void bx_store_changed(struct bx_store *s); /* tells the watcher of the list */
/* Is a file of this name in sessions/ one that we were just writing when a crash came? Others are not ours to touch. */
bool bx_store_is_leftover(const char *name);
int bx_store_check_id(const char *id, struct bx_err *err);

/* flush.c: the thread that brings batched appends to the platter within a few milliseconds. */
int bx_flusher_start(struct bx_store *s, struct bx_err *err);
void bx_flusher_stop(struct bx_store *s); /* after everything is synced */
void bx_flusher_add(struct bx_store *s, struct bx_session *session);

/* settings.c: makes what every workspace needs once. */
int bx_secret_make_missing(struct bx_store *s, struct bx_err *err);

/* recent.c: a page reads a long session by many requests; each would read the whole file to know where its events are. */
/* table_lock is held. The session is the newest now; what had to make room is the caller's to unref once the lock is not held. */
struct bx_session *bx_recent_touch(struct bx_store *s, struct bx_session *session);
/* table_lock is held. Is it held by nobody but here, and its file not what it was? Then it is taken out, the caller's to unref. */
bool bx_recent_is_stale(struct bx_store *s, struct bx_session *session);
void bx_recent_forget(struct bx_store *s, const char *id); /* NULL: all */

/* session.c */
int bx_session_sync(struct bx_session *s, struct bx_err *err);
/* A row of the session as it is now. */
void bx_session_row(struct bx_session *s, struct bx_session_row *ret);
/* Refuses further appends, or (false) takes them again; BX_ERR_BUSY while a run is open. */
int bx_session_retire(struct bx_session *s, bool retired, struct bx_err *err);

#endif
