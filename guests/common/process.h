#ifndef BX_GUEST_PROCESS_H
#define BX_GUEST_PROCESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Processes and pipes inside one call: what a guest has in the place of fork, exec and pipe.
 *
 * A call is a process group: the guest that the tool is, and what it starts. Each process is an instance of its own on a
 * thread of its own; all of them share the call's limits. The interface is engine/wit/process.wit; these are its
 * functions in C (common/process.c), and for tests on this machine over fork and exec (common/process_native.c).
 *
 * A descriptor is a number: 0, 1 and 2 are the caller's own standard input, output and error, whatever they are; 3 and up
 * are pipes; BXP_NULL is an empty input or an output that vanishes. A pipe's two ends are held by processes, as in Unix: a
 * reader sees the end when no process holds the writing end any more. Who makes a pipe holds both ends; a process that is
 * started holds what it was given as 0, 1, 2; a process that ends lets go of all. Other pipes are not inherited.
 */

#define BXP_NULL (-1)

struct bxp_spawn {
    const char *const *argv; /* argv[0] is the command's name: the host chooses the program by it */
    size_t argc;
    const char *const *env; /* all of the new process's environment, "NAME=value"; the host puts BX_BARS into a shell's */
    size_t env_count;
    int32_t in, out, err; /* descriptors of the caller */
};

/* The number of the process, or a negative errno: -ENOENT no such command, -EAGAIN too many processes alive or started
 * one in the other, -E2BIG arguments and environment are too long, -EBADF not a descriptor that can be this. A group that
 * goes on after as many refusals as it may have processes is ended. A command that a rule of the call denies is started, says
 * so on its standard error and ends with 126, whether there is a program of that name or not. */
int32_t bxp_spawn(const struct bxp_spawn *spawn);

int32_t bxp_pipe(void); /* or -EMFILE: 128 in a group */
/* The status, or -ETIMEDOUT, -ECHILD. A process can be waited for once. Statuses beside what the program says: 141 it wrote
 * where nobody reads, 134 it crashed, 126 it could not be started, and what it was killed with. */
int32_t bxp_wait(int32_t pid, int64_t timeout_ms);
/* Ends a process, and all that it started, with this status. -ECHILD when it is not the caller's. pid 0, from the call's own
 * guest: everybody else; they are gone when it returns. */
int32_t bxp_kill(int32_t pid, int32_t status);
/* How many bytes came; 0 at the end, and from what is not the reading end of a pipe of the caller's. */
int32_t bxp_read(int32_t pipe, void *bytes, uint32_t max);
int32_t bxp_write(int32_t pipe, const void *bytes, uint32_t n);
enum bxp_end { BXP_READ_END, BXP_WRITE_END };
int32_t bxp_close(int32_t pipe, enum bxp_end end);
/* Ends this process with a status from 0 to 255, after flushing stdout. */
_Noreturn void bxp_exit(int32_t status);

/*
 * The bytes of a spawn request: numbers are 32 bits, little endian; a text is its length and its bytes, without NUL inside.
 *
 *     in, out, err, argument count, arguments…, variable count, variables…
 */

#endif
