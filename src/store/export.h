/* store/export.h: a session as one document to give away. Any thread.
 *
 * JSON says what it is and comes back by store/import.h. HTML is one page that needs no script and loads nothing, and whatever
 * stands in the session is text in it. Secrets of the workspace are in neither, nor is the folder it worked in. */
#ifndef BX_STORE_EXPORT_H
#define BX_STORE_EXPORT_H

#include "store/session.h"

#define BX_EXPORT_FORMAT "boxagnts-session"

/* Adds to out; BX_ERR_LIMIT when it does not fit. executors: the sessions of all executors below it, too. */
int bx_session_export_json(struct bx_store *store, struct bx_session *s, bool executors, struct bx_buf *out,
                           struct bx_err *err);
int bx_session_export_html(struct bx_store *store, struct bx_session *s, bool executors, struct bx_buf *out,
                           struct bx_err *err);

#endif
