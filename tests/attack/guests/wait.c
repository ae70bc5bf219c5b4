/* wait MS: sleeps in the host, 60 ms at a time, and says so each time. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int left = argc > 1 ? atoi(argv[1]) : 1;
    for (; left > 0; left -= 60) {
        usleep(60 * 1000);
        printf("waiting\n");
        fflush(stdout);
    }
    return 0;
}
