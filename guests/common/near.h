#ifndef BX_GUEST_NEAR_H
#define BX_GUEST_NEAR_H

#include <stdbool.h>

struct bx_answer;

/*
 * Say that a path does not exist, from where on it does not, and which names nearby look like it.
 * Always false.
 */
bool bx_near_missing(const char *path, struct bx_answer *answer);

#endif
