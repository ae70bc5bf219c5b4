/* box/guest.h: one process of a group: its streams and pipes, and what its guest asks. Inside the box room only.
 *
 * In the worker. Everything in both structures is under the group's mutex, but what is constant once the process runs
 * (its number, streams, tool, request). Functions that say so are called with it held. */
#ifndef BX_BOX_GUEST_H
#define BX_BOX_GUEST_H

#include "base/vec.h"
#include "box/group.h"
#include "box/pipe.h"
#include "box/spawn_request.h"

#define BX_PIPES_MAX 128
#define BX_NUDGE_MS  20

struct bx_stream {
    enum { BX_STREAM_NOTHING, BX_STREAM_PIPE, BX_STREAM_CALL_IN, BX_STREAM_CALL_OUT, BX_STREAM_CALL_ERR } kind;
    struct bx_pipe *pipe;
};

struct bx_guest {
    struct bx_group *group;
    int32_t pid, parent; /* parent 0: the root, or nobody waits for it any more */
    unsigned depth;
    struct bx_stream std[3];
    bool holds[BX_PIPES_MAX][2]; /* by pipe and end; its standard streams not counted */
    bool ending;                 /* it is to do nothing more */
    int32_t killed_status;       /* or -1 */
    pthread_t thread;            /* once it is on one */
    bool on_thread;
    struct bxe_cancel *cancel;
    const struct bxe_tool *tool;
    struct bx_spawn_request request; /* not the root */
    const struct bx_bar *bar;        /* that stops it, or NULL */
    bool is_shell;
    const char **env; /* of a shell, with what it is told of the bars; or NULL */
};

struct bx_ended { /* until its parent asks */
    int32_t pid, parent, status;
};

struct bx_group {
    struct bx_group_plan plan;
    struct bxe_budget *budget;
    uint64_t deadline_ms;
    unsigned processes_max;
    pthread_mutex_t mutex;  /* over what follows and over all processes and pipes */
    pthread_cond_t changed; /* a process ended */
    BX_VEC(struct bx_guest *) alive;
    BX_VEC(struct bx_ended) ended;
    struct bx_pipe *pipes[BX_PIPES_MAX];
    int32_t last_pid;
    unsigned refused; /* starts */
    unsigned left;    /* that went on when the root was done */
    BX_VEC(struct bx_barred) barred;
    char *bars_env; /* constant; or NULL */
    size_t input_at;  /* of the call's standard input, which all share */
    bool over;        /* nothing starts any more */
    uint8_t limit;    /* that ended the call, as in DONE */
    uint8_t noted;    /* that somebody came up against and perhaps coped with */
};

/* guest.c. What a guest asks, on its thread; the user is its struct bx_guest. */
extern const struct bxe_process bx_guest_calls;
int64_t bx_guest_read(void *user, uint8_t *into, size_t max);
enum bxe_write bx_guest_write(void *user, int fd, const uint8_t *bytes, size_t n);
/* With the mutex held: what a number means to this process as the input or an output of another; false: it cannot be. */
bool bx_guest_stream(const struct bx_guest *p, int32_t number, enum bx_pipe_end end, struct bx_stream *ret);
void bx_guest_hold_streams(struct bx_guest *p); /* with the mutex held */
void bx_guest_release_all(struct bx_guest *p);  /* its streams and pipes; with the mutex held */
void bx_guest_nudge(const struct bx_guest *p);  /* it waits in the kernel, perhaps; with the mutex held */

/* group.c, for what a guest asks. */
int32_t bx_guest_spawn(void *user, const uint8_t *request, size_t n);
/* With the mutex held: everybody is to end; the first reason is the call's. */
void bx_group_end_all(struct bx_group *g, uint8_t limit);
void bx_group_wake_all(struct bx_group *g);
void bx_group_end_others(struct bx_guest *root, int32_t status); /* returns when they are gone */
void bx_guest_end(struct bx_guest *p);

#endif
