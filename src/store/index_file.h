/* store/index_file.h: the file behind store/index.h, and the folder it is checked against. One thread at a time. */
#ifndef BX_STORE_INDEX_FILE_H
#define BX_STORE_INDEX_FILE_H

#include "store/store.h"

struct bx_index_entry {
    struct bx_session_row row;
    int64_t size_bytes, changed_ns; /* of the session's file when the row was made; size -1: changed in memory since */
};
struct bx_index_entries {
    struct bx_index_entry *p;
    size_t n, cap;
};

void bx_index_entries_deinit(struct bx_index_entries *e);
/* Position of the id, or where it would be. */
size_t bx_index_entries_find(const struct bx_index_entries *e, const char *id, bool *ret_found);
/* Rows of all session files in the folder, sorted: from the file where it is fresh, else read. *ret_stale: the file
 * should be written. A folder that is not there has no sessions. */
int bx_index_file_load(const char *sessions_dir, struct bx_index_entries *ret, bool *ret_stale, struct bx_err *err);
int bx_index_file_save(const char *sessions_dir, const struct bx_index_entries *entries, struct bx_err *err);
/* The rows of a folder, each read from its session's file: of those that were changed before that time. */
int bx_index_folder(const char *dir, int64_t before_ns, struct bx_index_entries *ret, struct bx_err *err);
/* One of them: e->row.id is set, the row becomes what its file says. */
void bx_index_read_session(const char *dir, struct bx_index_entry *e);
bool bx_index_file_stat(const char *sessions_dir, struct bx_index_entry *e);

#endif
