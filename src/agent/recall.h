/* agent/recall.h: what is in a session's log but not, or not whole, in its context: found and read again.
 *
 * Any thread. The whole log is looked through but for what a rewind took out, so a part that was compacted is found, and one that
 * the user replaced is not. */
#ifndef BX_AGENT_RECALL_H
#define BX_AGENT_RECALL_H

#include "store/session.h"
#include "tools/host.h"

/* As tools/host.h says; max_bytes: of one answer. */
int bx_recall(struct bx_session *s, const struct bx_recall_wish *wish, size_t max_bytes, struct bx_recall_result *ret,
              struct bx_err *err);

#endif
