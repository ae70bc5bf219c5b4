/* recurse DEPTH, or --n=DEPTH: that many calls inside each other, on the engine's stack. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile unsigned sink;

static __attribute__((noinline, optnone)) unsigned deeper(unsigned left) {
    sink = left;
    return left == 0 ? 1 : deeper(left - 1) * 31u + sink;
}

static int number(const char *arg) {
    const char *value = strchr(arg, '=');
    return atoi(value ? value + 1 : arg);
}

int main(int argc, char **argv) {
    printf("%u\n", deeper(argc > 1 ? (unsigned)number(argv[1]) : 1));
    return 0;
}
