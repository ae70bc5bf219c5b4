/* box/pipe.h: a pipe between two guests of a group: bytes, bounded, in order.
 *
 * In the worker. All functions are called with one mutex held, which is the group's; those that wait let go of it
 * meanwhile. Ends are counted, as in Unix: a reader sees the end when the last writing end was given up, a writer is told
 * when the last reading end was. */
#ifndef BX_BOX_PIPE_H
#define BX_BOX_PIPE_H

#include "base/thread.h"

#define BX_PIPE_BYTES (64 * BX_KIB)

enum bx_pipe_end { BX_PIPE_READ, BX_PIPE_WRITE };
struct bx_pipe;

struct bx_pipe *bx_pipe_new(void); /* nobody holds an end yet */
void bx_pipe_free(struct bx_pipe *pipe);
void bx_pipe_hold(struct bx_pipe *pipe, enum bx_pipe_end end);
bool bx_pipe_release(struct bx_pipe *pipe, enum bx_pipe_end end); /* true: nobody holds either end any more */
void bx_pipe_wake(struct bx_pipe *pipe); /* who waits looks at its *stop again */

struct bx_pipe_wait { /* for how long */
    pthread_mutex_t *mutex;
    const bool *stop;     /* under the mutex; its owner calls bx_pipe_wake */
    uint64_t deadline_ms; /* bx_mono_ms */
};
enum { BX_PIPE_STOPPED = -1, BX_PIPE_LATE = -2, BX_PIPE_BROKEN = -3 };
/* How many bytes came, at least one; 0 at the end; STOPPED, LATE. */
int64_t bx_pipe_read(struct bx_pipe *pipe, uint8_t *into, size_t max, const struct bx_pipe_wait *wait);
/* n when all is in; BROKEN when nobody reads (part of it may be in), STOPPED, LATE. */
int64_t bx_pipe_write(struct bx_pipe *pipe, const uint8_t *p, size_t n, const struct bx_pipe_wait *wait);

#endif
