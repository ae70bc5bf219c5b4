#ifndef BX_GUEST_START_H
#define BX_GUEST_START_H

#include <stdint.h>

/*
 * What common/start.c offers to programs of our own besides the Unix calls of common/port.h. One thread.
 */

/* Starts a program with our environment and where we are; the descriptors are those of common/process.h. What it prints
 * comes after what we have printed. The number of the process, or a negative errno. */
int32_t bx_start(char *const *argv, int32_t in, int32_t out, int32_t err);
/* The same with another environment. */
int32_t bx_start_env(char *const *argv, char *const *env, int32_t in, int32_t out, int32_t err);

/* As if a child had ended with this status: what waitpid() says next. */
int bx_port_done(int status);

/* common/unix.c: the file open under `from` becomes `to`, whatever `to` was. */
int bx_port_move(int from, int to);

/* A program may define it: called once, right before the end. */
void bx_port_at_end(void);

#endif
