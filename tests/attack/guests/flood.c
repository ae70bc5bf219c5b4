/* flood KIB FD: writes that much to standard output (1) or error (2). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char block[1024];
    int left = argc > 1 ? atoi(argv[1]) : 1, fd = argc > 2 ? atoi(argv[2]) : 1;
    memset(block, 'x', sizeof block);
    for (; left > 0; left--) {
        if (write(fd, block, sizeof block) != sizeof block) {
            return 1;
        }
    }
    return 0;
}
