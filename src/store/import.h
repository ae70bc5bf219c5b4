/* store/import.h: a session from a document of somebody's. Any thread.
 *
 * Taken are our own exports (store/export.h), our .jsonl files, and the .json sessions of BoxAgnts in Rust. Whatever the
 * document says, the result is a chat with an id of its own that is allowed nothing: permissions stay behind, the mode is
 * `default` or `plan`, no message waits to be sent, and every run is closed. What could not be carried over is said. */
#ifndef BX_STORE_IMPORT_H
#define BX_STORE_IMPORT_H

#include "base/vec.h"
#include "store/session.h"

#define BX_IMPORT_MAX_BYTES (64 * BX_MIB)

struct bx_warnings {
    BX_VEC(char *) texts;
};
void bx_warnings_deinit(struct bx_warnings *w);

/* root: the folder that the session's header names. BX_ERR_INVALID: it is none of these documents, and why not. */
int bx_session_import(struct bx_store *store, struct bx_str text, const char *root, struct bx_session **ret,
                      struct bx_warnings *ret_warnings, struct bx_err *err);

#endif
