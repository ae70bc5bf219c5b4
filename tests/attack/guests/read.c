/* read PATH: prints a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    char block[65536];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!f) {
        fprintf(stderr, "%s\n", strerror(errno));
        return 1;
    }
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;) {
        fwrite(block, 1, n, stdout);
    }
    return ferror(f) ? 1 : 0;
}
