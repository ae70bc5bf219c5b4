/* store/index.h: the rows of the session list, in memory, sorted by id (which is by time of creation).
 *
 * Any thread. Loaded once from `sessions/index`; a row counts while its file has the size and time of change that the row
 * was made from, else the file is read again. The owner loads on a thread of its own, everybody who needs the rows before
 * that is done waits. The file is a cache: it may be deleted at any time. */
#ifndef BX_STORE_INDEX_H
#define BX_STORE_INDEX_H

#include "store/store.h"

struct bx_index;

struct bx_index *bx_index_new(const char *sessions_dir);
/* writable: load in the background and write the file anew when rows were stale. */
int bx_index_start(struct bx_index *ix, bool writable, struct bx_err *err);
void bx_index_free(struct bx_index *ix); /* waits for the loader; a writable one writes the file */
/* A session's row is new or changed. Never waits for the loader. */
void bx_index_put(struct bx_index *ix, struct bx_session_row *take_row);
/* The row of a session whose file came to be there by other means than this store's appends. */
void bx_index_reread(struct bx_index *ix, const char *id);
void bx_index_remove(struct bx_index *ix, const char *id);
int bx_index_list(struct bx_index *ix, const struct bx_session_filter *filter, size_t limit,
                  struct bx_session_list *ret, struct bx_err *err);
int bx_index_row(struct bx_index *ix, const char *id, struct bx_session_row *ret, struct bx_err *err);

#endif
