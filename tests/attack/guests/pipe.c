/* pipe: {"do":"read"} on standard input: opens /read to read it; "both": /both for reading and
 * writing; "write": /write. Then reads. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    char input[100], byte;
    ssize_t n = read(0, input, sizeof input - 1);
    input[n < 0 ? 0 : n] = 0;
    int fd = strstr(input, "both")    ? open("/both", O_RDWR)
             : strstr(input, "write") ? open("/write", O_WRONLY)
                                      : open("/read", O_RDONLY);
    if (fd < 0) {
        printf("open: %s\n", strerror(errno));
        return 1;
    }
    printf("read: %zd\n", read(fd, &byte, 1));
    return 0;
}
