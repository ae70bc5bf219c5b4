/* box/guest_thread.h: the threads of a worker on which guests run. */
#ifndef BX_BOX_GUEST_THREAD_H
#define BX_BOX_GUEST_THREAD_H

#include "base/thread.h"

/* Once, in the worker, before its first guest. */
void bx_guest_threads_prepare(void);
/* First thing on such a thread: a guest's fault arrives as a signal of its thread; blocked, it would kill the process. */
void bx_guest_thread_begin(void);
/* Ends a system call in which the thread waits (opening a FIFO that nobody reads): it fails with EINTR. To be repeated: a
 * call that the thread is about to make does not notice. The thread must be alive. */
void bx_guest_thread_nudge(pthread_t thread);

/* Threads for what guests start: kept for the next job, because a new one costs more than a small guest. */
struct bx_guest_crew;
struct bx_guest_crew *bx_guest_crew_new(unsigned max_jobs); /* lives as long as the worker */
/* Runs job(user) on a thread. BX_ERR_BUSY: max_jobs run already. */
int bx_guest_crew_start(struct bx_guest_crew *crew, void (*job)(void *user), void *user, struct bx_err *err);

#endif
