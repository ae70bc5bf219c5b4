/* cli/remote.h: a command whose workspace belongs to a running server asks that server. Main thread.
 *
 * The server's address stands in the lock file, the token in auth.json: who may read these files may ask. */
#ifndef BX_CLI_REMOTE_H
#define BX_CLI_REMOTE_H

#include "json/json.h"
#include "store/store.h"

/* One request below /api/v1; body may be empty. ret: the answer's JSON, NULL when it is empty. BX_ERR_UNAVAILABLE: no server
 * (a `run` holds the workspace). An error of the server's comes with its code and its words. */
int bx_remote_call(const char *state_dir, const char *method, const char *path, struct bx_str body, struct bx_doc **ret,
                   struct bx_err *err);

#endif
