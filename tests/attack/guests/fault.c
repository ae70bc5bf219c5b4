/* fault KIND: one of the ways in which WebAssembly traps. */
#include <limits.h>
#include <string.h>

static volatile int zero, seven = 7, minus_one = -1, least = INT_MIN;
static volatile int sink;

static void takes_int(int x) {
    sink = x;
}

static void (*volatile as_void)(void) = (void (*)(void))takes_int;
static void (*volatile null_call)(void);

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "";
    if (strcmp(kind, "unreachable") == 0) {
        __builtin_trap();
    } else if (strcmp(kind, "divide") == 0) {
        sink = seven / zero;
    } else if (strcmp(kind, "overflow") == 0) {
        sink = least / minus_one;
    } else if (strcmp(kind, "memory") == 0) {
        sink = *(volatile int *)0xfffffff0u;
    } else if (strcmp(kind, "signature") == 0) {
        as_void();
    } else if (strcmp(kind, "null-call") == 0) {
        null_call();
    }
    return 0;
}
