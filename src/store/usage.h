/* store/usage.h: what a session has used: tokens, money, calls and time, as its events say. Any thread. */
#ifndef BX_STORE_USAGE_H
#define BX_STORE_USAGE_H

#include "json/write.h"
#include "store/session.h"

/* One object: totals, and by model, tool and run (docs/api.md), and beside them what its executors used, all levels together.
 * What was rewound counts: it was paid for. */
int bx_session_usage(struct bx_store *store, struct bx_session *s, struct bx_jw *w, struct bx_err *err);

#endif
