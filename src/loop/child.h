/* loop/child.h: a child process that is the same binary or a program by argv; never a shell.
 *
 * Any thread, but PR_SET_PDEATHSIG follows the thread that forks: a child that must die with the server is started from
 * a thread that lives as long as the server (the main thread, or the spawner thread that this room keeps for it). */
#ifndef BX_LOOP_CHILD_H
#define BX_LOOP_CHILD_H

#include <sys/types.h>

#include "base/base.h"

struct bx_child_spec {
    const char *path;          /* "/proc/self/exe" for ourselves */
    const char *const *argv;   /* NULL ended */
    const char *const *env;    /* NULL ended; NULL = empty environment */
    const char *cwd;           /* NULL = "/" */
    int stdin_fd, stdout_fd, stderr_fd; /* -1 = /dev/null */
    const int *keep_fds;       /* inherited as fd 3, 4, … in this order; everything else is closed */
    size_t keep_fd_count;
};

/* Starts it (close_range for all other descriptors, new session, default signals, PDEATHSIG SIGKILL). */
int bx_child_start(const struct bx_child_spec *spec, pid_t *ret_pid, struct bx_err *err);
/* Asks with SIGTERM, waits up to grace_ms, then SIGKILL; reaps; *ret_status as of waitpid. */
int bx_child_stop(pid_t pid, uint64_t grace_ms, int *ret_status);
/* Did it end? true and reaped when so. */
bool bx_child_poll(pid_t pid, int *ret_status);

#endif
