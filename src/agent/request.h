/* agent/request.h: the next request of a session, made in one place: for the run that sends it and for those who look at it.
 *
 * The run's thread; looking is for any thread (bx_agent_context_report in agent.h). */
#ifndef BX_AGENT_REQUEST_H
#define BX_AGENT_REQUEST_H

#include "agent/context.h"
#include "agent/internal.h"
#include "agent/pack.h"

/* With the session's packs, the workspace's memory, and shares of the model's window. */
struct bx_context *bx_run_context_new(struct bx_run *run);
/* Fills the request: words are said for this turn only, with what else must be said now (note.c). */
void bx_run_request(struct bx_run *run, const char *words, struct bx_model_request *ret);
/* The guard: says in the log what does not go on from the session's last request, and keeps this one for the next. */
void bx_run_guard_prefix(struct bx_run *run);
/* Before anything is read for it: the model's window, waited for where its endpoint must tell it, and a history that suits it. */
void bx_run_await_window(struct bx_run *run);
struct bx_pack_place bx_agent_pack_place(struct bx_agent *a);
/* After the calls of a turn: instructions of folders that they came into. paths: guest paths. */
void bx_run_tell_folders(struct bx_run *run, const char *const *paths, size_t count);

#endif
