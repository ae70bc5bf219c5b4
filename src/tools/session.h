/* tools/session.h: what the tools of one session remember from call to call, on the host's side.
 *
 * Any thread. There is one bx_tool_session for each session id; the registry finds it and a call reaches it by
 * bx_tool_ctx.session (NULL for a call by a person, who has no session). It lives in memory only: after a restart, or when
 * so many other sessions were active that it had to go, a session begins anew; every member must be safe to lose.
 *
 * To remember something more: a file pair of its own with a struct, its init and deinit, and functions that take the
 * struct bx_tool_session; a member here; two lines in session.c. What the member holds is read and changed under `lock`,
 * which is held for a few lines only, never while a call runs. Memory of a member is bounded by the member. */
#ifndef BX_TOOLS_SESSION_H
#define BX_TOOLS_SESSION_H

#include <pthread.h>

#include "tools/seen.h"
#include "tools/shell.h"
#include "tools/traffic.h"

struct bx_tool_session {
    const char *id;       /* never changes */
    int refs;             /* atomic */
    pthread_mutex_t lock; /* of the members: */
    struct bx_seen seen;  /* versions of files */
    struct bx_shell_state shell; /* where it is, and what it exported */
    struct bx_traffic traffic;   /* bytes by host */
};
struct bx_tool_session *bx_tool_session_ref(struct bx_tool_session *s);
void bx_tool_session_unref(struct bx_tool_session *s); /* NULL is fine */
BX_DEFINE_AUTO(struct bx_tool_session, bx_tool_session_unref)

/* All of them. At most `max` are kept; then the one that was used longest ago goes, but never one that a call still holds:
 * two states of one session would contradict each other. */
struct bx_tool_sessions;
#define BX_TOOL_SESSIONS_MAX 1000

struct bx_tool_sessions *bx_tool_sessions_new(size_t max);
void bx_tool_sessions_free(struct bx_tool_sessions *all);
/* A new reference; made when it is not there yet. NULL for the id "". */
struct bx_tool_session *bx_tool_sessions_get(struct bx_tool_sessions *all, const char *id);

#endif
