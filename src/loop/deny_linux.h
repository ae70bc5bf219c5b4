/* loop/deny_linux.h: system calls that a child of ours never needs, refused by seccomp. A deny-list, for programs whose needs are
 * not ours to list (llama.cpp, git); guests' workers have an allow-list (box/seccomp_linux.h).
 *
 * In a child before it begins; for all its threads and the programs that it becomes. Always refused: what changes the system,
 * looks into other processes, or reaches files past Landlock. */
#ifndef BX_LOOP_DENY_LINUX_H
#define BX_LOOP_DENY_LINUX_H

#include "base/base.h"

enum bx_deny {
    BX_DENY_EXEC = 1 << 0,      /* becoming another program */
    BX_DENY_PROCESSES = 1 << 1, /* starting other processes; threads may be started */
    BX_DENY_SOCKETS = 1 << 2,   /* all; without it: other families than Unix, and connecting */
};
int bx_deny_install(unsigned what, struct bx_err *err); /* no_new_privs must be set */

#endif
