#include "box/pipe.h"

#include "base/clock.h"

struct bx_pipe {
    unsigned held[2]; /* by end */
    size_t at, used;  /* of the ring */
    pthread_cond_t readable, writable;
    uint8_t *ring; /* made by the first write */
};

struct bx_pipe *bx_pipe_new(void) {
    struct bx_pipe *pipe = bx_new(struct bx_pipe);
    bx_cond_init(&pipe->readable);
    bx_cond_init(&pipe->writable);
    return pipe;
}

void bx_pipe_free(struct bx_pipe *pipe) {
    if (pipe) {
        pthread_cond_destroy(&pipe->readable);
        pthread_cond_destroy(&pipe->writable);
        bx_free(pipe->ring);
        bx_free(pipe);
    }
}

void bx_pipe_hold(struct bx_pipe *pipe, enum bx_pipe_end end) {
    pipe->held[end]++;
}

bool bx_pipe_release(struct bx_pipe *pipe, enum bx_pipe_end end) {
    assert(pipe->held[end] > 0);
    if (--pipe->held[end] == 0) {
        pthread_cond_broadcast(end == BX_PIPE_READ ? &pipe->writable : &pipe->readable);
    }
    return pipe->held[BX_PIPE_READ] + pipe->held[BX_PIPE_WRITE] == 0;
}

void bx_pipe_wake(struct bx_pipe *pipe) {
    pthread_cond_broadcast(&pipe->readable);
    pthread_cond_broadcast(&pipe->writable);
}

/* One wait, which may end early; STOPPED, LATE, or 0. */
static int64_t wait_for(pthread_cond_t *cond, const struct bx_pipe_wait *w) {
    uint64_t now = bx_mono_ms();
    if (*w->stop || now >= w->deadline_ms) {
        return *w->stop ? BX_PIPE_STOPPED : BX_PIPE_LATE;
    }
    bx_cond_wait_ms(cond, w->mutex, w->deadline_ms - now);
    return *w->stop ? BX_PIPE_STOPPED : 0;
}

int64_t bx_pipe_read(struct bx_pipe *pipe, uint8_t *into, size_t max,
                     const struct bx_pipe_wait *wait) {
    while (pipe->used == 0 && max > 0) {
        if (pipe->held[BX_PIPE_WRITE] == 0) {
            return 0;
        }
        int64_t r = wait_for(&pipe->readable, wait);
        if (r < 0) {
            return r;
        }
    }
    size_t n = BX_MIN(max, pipe->used), first = BX_MIN(n, BX_PIPE_BYTES - pipe->at);
    if (n > 0) {
        memcpy(into, pipe->ring + pipe->at, first);
        memcpy(into + first, pipe->ring, n - first);
        pipe->at = (pipe->at + n) % BX_PIPE_BYTES;
        pipe->used -= n;
        pthread_cond_signal(&pipe->writable);
    }
    if (pipe->used > 0) {
        pthread_cond_signal(&pipe->readable); /* there may be two */
    }
    return (int64_t)n;
}

static size_t put(struct bx_pipe *pipe, const uint8_t *p, size_t n) {
    if (!pipe->ring) {
        pipe->ring = bx_alloc(BX_PIPE_BYTES);
    }
    n = BX_MIN(n, BX_PIPE_BYTES - pipe->used);
    size_t end = (pipe->at + pipe->used) % BX_PIPE_BYTES, first = BX_MIN(n, BX_PIPE_BYTES - end);
    memcpy(pipe->ring + end, p, first);
    memcpy(pipe->ring, p + first, n - first);
    pipe->used += n;
    if (n > 0) {
        pthread_cond_signal(&pipe->readable);
    }
    return n;
}

int64_t bx_pipe_write(struct bx_pipe *pipe, const uint8_t *p, size_t n,
                      const struct bx_pipe_wait *wait) {
    for (size_t done = 0;;) {
        if (pipe->held[BX_PIPE_READ] == 0) {
            return BX_PIPE_BROKEN;
        }
        done += put(pipe, p + done, n - done);
        if (done == n) {
            if (pipe->used < BX_PIPE_BYTES) {
                pthread_cond_signal(&pipe->writable); /* there may be two */
            }
            return (int64_t)n;
        }
        int64_t r = wait_for(&pipe->writable, wait);
        if (r < 0) {
            return r;
        }
    }
}
