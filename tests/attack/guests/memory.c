/* memory MIB: takes that much memory, a MiB at a time; says how far it came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *volatile keep; /* volatile: the compiler would drop an allocation that nobody reads */

int main(int argc, char **argv) {
    int want = argc > 1 ? atoi(argv[1]) : 1, got = 0;
    while (got < want && (keep = malloc(1 << 20))) {
        memset(keep, 1, 1 << 20);
        got++;
    }
    printf("%d MiB\n", got);
    return got < want;
}
