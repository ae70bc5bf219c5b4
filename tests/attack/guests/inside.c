/* inside: what a guest sees: its arguments, its environment, the size of its input. */
#include <stdio.h>

extern char **environ;

int main(int argc, char **argv) {
    char block[4096];
    size_t input = 0, env = 0;
    for (size_t n; (n = fread(block, 1, sizeof block, stdin)) > 0;) {
        input += n;
    }
    while (environ && environ[env]) {
        env++;
    }
    printf("args %d last %s env %zu input %zu\n", argc, argv[argc - 1], env, input);
    return 0;
}
