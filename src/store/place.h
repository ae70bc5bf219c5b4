/* store/place.h: where a session's file is: in sessions/, in trash/ (deleted, with undo) or in archive/ (kept, out of the list).
 *
 * Any thread. A session and the executors below it move together: either all of them or, where one cannot, none. Files move
 * executors first, so that a crash in between leaves the session where it was, and the same call again ends the move. */
#ifndef BX_STORE_PLACE_H
#define BX_STORE_PLACE_H

#include "base/vec.h"
#include "store/store.h"

/* A session of the list and all executors below it: it first, every manager before its executors. */
struct bx_family {
    BX_VEC(char *) ids;
};
int bx_store_family(struct bx_store *s, const char *id, struct bx_family *ret, struct bx_err *err);
void bx_family_deinit(struct bx_family *f);

enum bx_place { BX_PLACE_SESSIONS, BX_PLACE_TRASH, BX_PLACE_ARCHIVE, BX_PLACE_COUNT };

/* BX_ERR_BUSY while it or one of its executors has an open run: nothing moved then. */
int bx_store_trash(struct bx_store *s, const char *id, struct bx_err *err);
int bx_store_archive(struct bx_store *s, const char *id, struct bx_err *err);
/* Brings back from trash/ or archive/. BX_ERR_NOTFOUND: it is in neither; BX_ERR_EXISTS: it is in the list already. */
int bx_store_restore(struct bx_store *s, const char *id, struct bx_err *err);
/* Deletes for good, from trash/ or archive/. */
int bx_store_purge(struct bx_store *s, enum bx_place from, const char *id, struct bx_err *err);

/* The rows of trash/ or archive/, newest first, read from their files: those that came there (trash) or were last written
 * (archive) before that time; INT64_MAX: all. */
int bx_store_place_list(struct bx_store *s, enum bx_place place, int64_t before_ms, struct bx_session_list *ret,
                        struct bx_err *err);
bool bx_store_place_has(const struct bx_store *s, enum bx_place place, const char *id);

#endif
