// awk.c - onetrueawk jumps out of its expressions for `exit`; the box has no such jumps, so the END
// action is run from there instead, and then everything is closed (port.h makes longjmp a call of
// this).
#define BX_PORT_SELF
#include "common/port.h"

struct Node *bx_port_end;
int bx_port_ends;
extern int errorflag;
void *execute(struct Node *);
void closeall(void);

void bx_port_awk_exit(void) {
    struct Node *end = bx_port_end;
    bx_port_end = NULL;
    if (end) {
        execute(end);
    }
    closeall();
    bx_port_exit_flush(errorflag);
}
