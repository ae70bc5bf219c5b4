/* write PATH KIB: writes a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    static char block[1024];
    FILE *f = argc > 2 ? fopen(argv[1], "wb") : NULL;
    for (int left = f ? atoi(argv[2]) : 0; left > 0; left--) {
        if (fwrite(block, 1, sizeof block, f) != sizeof block) {
            break;
        }
    }
    if (!f || ferror(f) || fclose(f) != 0) {
        fprintf(stderr, "%s\n", strerror(errno));
        return 1;
    }
    return 0;
}
