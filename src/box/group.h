/* box/group.h: one call whose guest starts others: its processes, their pipes, their common end.
 *
 * In the worker. The call's own guest, the root, runs on the slot's thread, each process that it or another starts on a
 * thread of the crew. What they ask is engine/wit/process.wit; which image runs a command, embedded.h.
 * Always holds: all processes share the call's time, processor time, fuel, memory and output; at most `processes` of them
 * are alive at a time and starts are nested at most that deep; when the root ends, the time is up, the call is stopped or
 * a common limit is reached, all of them are ended, and bx_group_run returns only when none is left. Every wait of a
 * guest in here ends then, too. Nothing is started that a bar stops, whoever asks and however it is wrapped. */
#ifndef BX_BOX_GROUP_H
#define BX_BOX_GROUP_H

#include "box/guest_thread.h"
#include "box/loader.h"

struct bx_group;

struct bx_group_plan { /* borrowed until bx_group_free */
    struct bx_loader *loader;
    struct bx_guest_crew *crew;
    const struct bx_call_frame *call; /* its limits and form are everybody's */
    const struct bxe_tool *tool;      /* the root's */
    const struct bxe_run *run;        /* the root's, as without a group; `write` may be called by several threads at once */
    const struct bx_bar *bars;        /* a start that one of them stops is a process that says why on its standard error and */
    size_t bar_count;                 /* ends with status 126; no program of a guest is run for it */
};
struct bx_group *bx_group_new(const struct bx_group_plan *plan);
/* Blocks until the call is over. The result is the root's, its amounts are those of all. *ret_limit: as in DONE. */
void bx_group_run(struct bx_group *group, struct bxe_result *ret, uint8_t *ret_limit);
unsigned bx_group_left(const struct bx_group *group); /* after it: processes that ended because the root did */
const struct bx_barred *bx_group_barred(const struct bx_group *group, size_t *ret_count); /* after it; the group's */
void bx_group_stop(struct bx_group *group); /* any thread, also before bx_group_run: the call is cancelled */
void bx_group_free(struct bx_group *group);

#endif
