/* box/pool.h: worker processes, started when needed, replaced when dead. Inside the box room only.
 *
 * In the server; any thread. Workers are told apart by their mounts: one set of folders, one process, whose Landlock wall
 * is exactly that set; a grant that names a worker has processes of its own. A lane is a slot of a worker that belongs to one caller for the time of one call. */
#ifndef BX_BOX_POOL_H
#define BX_BOX_POOL_H

#include "base/cancel.h"
#include "box/box.h"
#include "box/channel.h"
#include "box/keeper.h"

struct bx_pool;
struct bx_process; /* one worker */

struct bx_lane {
    struct bx_process *process;
    int fd;
    uint32_t index;     /* of the slot in its worker */
    uint32_t last_call; /* number of the newest call on it */
    struct bx_buf frame_in, frame_out;
    struct bx_lane *next_free;
};

int bx_pool_new(const struct bx_box_config *config, struct bx_pool **ret, struct bx_err *err);
void bx_pool_free(struct bx_pool *pool); /* kills all workers; no lane may be in use */

/* Waits in turn while the worker has max_calls lanes in use; BX_ERR_CANCELLED. BX_ERR_UNAVAILABLE when no worker can be started or
 * the second wall is required and not up. */
int bx_pool_acquire(struct bx_pool *pool, const struct bx_grant *grant, struct bx_cancel *cancel,
                    struct bx_lane **ret, struct bx_err *err);
size_t bx_pool_waiting(struct bx_pool *pool); /* how many wait for a lane at this moment */
void bx_pool_release(struct bx_pool *pool, struct bx_lane *take_lane);
/* The worker did not do as told: it is killed, other calls on it fail. The lane must still be released. */
void bx_pool_kill(struct bx_pool *pool, struct bx_lane *lane);
void bx_pool_stop_call(struct bx_lane *lane); /* asks the worker to stop the newest call of the lane */
/* Ends the processes of grants with this worker name; those that are in use end with their last call. */
void bx_pool_end_worker(struct bx_pool *pool, const char *worker);
bool bx_lane_is_killed(const struct bx_lane *lane); /* by bx_pool_kill, from whichever call */
/* What the worker said before it died, or "" */
void bx_lane_last_words(struct bx_lane *lane, char *out, size_t size);

pid_t bx_lane_pid(const struct bx_lane *lane); /* of its worker */
const struct bx_box_walls *bx_lane_walls(const struct bx_lane *lane);
uint64_t bx_lane_compat(const struct bx_lane *lane);

/* A worker without folders, for one job. */
int bx_pool_start_compiler(struct bx_pool *pool, struct bx_started *ret, struct bx_err *err);
/* Starts a worker that tries what the wall forbids, and ends it. */
int bx_pool_probe(struct bx_pool *pool, const struct bx_grant *grant, struct bx_box_walls *ret, struct bx_err *err);

#endif
