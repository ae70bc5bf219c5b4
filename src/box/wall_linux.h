/* box/wall_linux.h: the second wall, around a process that is about to run guests.
 *
 * Called by a worker before its first guest, on its only thread (but see bx_wall_up). WASI is the first wall; this one
 * holds when WASI or Wasmtime has a hole: the kernel lets the process open nothing but the mounted folders, make no
 * socket, start no program. It cannot be taken down again. What the kernel lacks is reported, never claimed. */
#ifndef BX_BOX_WALL_LINUX_H
#define BX_BOX_WALL_LINUX_H

#include "box/grant.h"

enum bx_wall_part {
    BX_WALL_NO_NEW_PRIVS = 1 << 0, /* set-uid programs gain nothing */
    BX_WALL_PARENT_DEATH = 1 << 1, /* dies with its server */
    BX_WALL_DESCRIPTORS = 1 << 2,  /* holds no open file but its socket; later handles of its folders */
    BX_WALL_LANDLOCK = 1 << 3,     /* opens nothing outside its folders */
    BX_WALL_SECCOMP = 1 << 4,      /* only the system calls it needs */
    BX_WALL_RLIMITS = 1 << 5,      /* no core file, bounded descriptors and file size */
    BX_WALL_CAPABILITIES = 1 << 6, /* root's powers dropped; true as well when there were none */
    BX_WALL_ALL = (1 << 7) - 1,
};

struct bx_wall_report {
    unsigned parts;       /* enum bx_wall_part: what is up */
    unsigned landlock_abi; /* 0: the kernel has none */
    char missing[200];    /* in words, "" when all is up */
};

struct bx_wall_plan {
    const struct bx_mount *mounts;
    size_t mount_count;
    uint64_t written_max_bytes; /* RLIMIT_FSIZE */
    pid_t parent;               /* the server */
    int keep_fd;                /* the only descriptor that survives, beside 0, 1, 2 on /dev/null */
    unsigned skip;              /* parts left out: tests that show what a part is good for */
};

/* Everything but seccomp, first thing in the process. BX_ERR_NOTFOUND when a mount cannot be opened. */
int bx_wall_prepare(const struct bx_wall_plan *plan, struct bx_wall_report *ret, struct bx_err *err);
/* The system call filter, for all threads of the process, after what needs more rights was done. Adds to the report. */
void bx_wall_close(const struct bx_wall_plan *plan, struct bx_wall_report *report);

/* True when a write of this thread was cut at written_max_bytes since the last call (SIGXFSZ). */
bool bx_wall_file_size_hit(void);

/* Tries from inside what the wall forbids: a part is in the result when its attempt was refused. For doctor, selftest and
 * the worker's own --probe; NO_NEW_PRIVS, PARENT_DEATH and RLIMITS are read back. */
unsigned bx_wall_probe(void);
const char *bx_wall_part_name(enum bx_wall_part part); /* "landlock" … */

#endif
