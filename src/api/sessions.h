/* api/sessions.h: what the routes of sessions share. Worker threads. */
#ifndef BX_API_SESSIONS_H
#define BX_API_SESSIONS_H

#include "api/call.h"

/* A row of the list, as one object. */
void bx_api_write_row(struct bx_jw *w, struct bx_agent *agent, const struct bx_session_row *row);
/* The reply is the row of that session. */
int bx_api_reply_row(struct bx_api_call *c, const char *id, int status, struct bx_err *err);
/* 202, and which it is: it runs, or it waits. */
void bx_call_said(struct bx_api_call *c, const struct bx_said *said);
/* Items of the open array: events from `from` on, at most `limit`, before `before`. ret_next: the next seq, 0 at the end. */
int bx_api_write_events(struct bx_session *session, struct bx_jw *w, uint64_t from, uint64_t limit, uint64_t before,
                        uint64_t *ret_next, struct bx_err *err);

#endif
