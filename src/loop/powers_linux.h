/* loop/powers_linux.h: root's powers (the kernel's capabilities), given up by a child of ours that was started as root.
 *
 * In a child before it begins, on its only thread, with or before no_new_privs; for the programs that it becomes, too. What
 * stays is what work on files of other owners needs: whoever runs the server as root (in a container) may have a workspace
 * that belongs to somebody else. Landlock says which files these are. */
#ifndef BX_LOOP_POWERS_LINUX_H
#define BX_LOOP_POWERS_LINUX_H

#include "base/base.h"

bool bx_powers_drop(void);    /* true as well when there were none */
bool bx_powers_dropped(void); /* read back: no others are held, and none can be passed on */

#endif
