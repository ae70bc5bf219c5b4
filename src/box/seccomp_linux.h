/* box/seccomp_linux.h: which system calls a worker may make. An allow-list: everything else, known or not, is EPERM. */
#ifndef BX_BOX_SECCOMP_LINUX_H
#define BX_BOX_SECCOMP_LINUX_H

#include "base/base.h"

/* Installs the filter on every thread of the process; no_new_privs must be set. 0 or -errno. Cannot be undone. */
int bx_seccomp_install(void);

#endif
