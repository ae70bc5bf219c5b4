/* @NAME@: counts the lines, words and bytes of a file.
 *
 * A tool is a command: the input comes as arguments (its descriptor says "input":"argv"), what it prints is the result, and a
 * status other than 0 says that it failed. It sees the folders that it was granted and nothing else: no network, no
 * environment, no other program. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char descriptor[] =
#include "descriptor.h"
    ;

int main(int argc, char **argv) {
    const char *path = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--describe") == 0) {
            fputs(descriptor, stdout);
            return 0;
        }
        if (strncmp(argv[i], "--file-path=", 12) == 0)
            path = argv[i] + 12;
    }
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file) {
        fprintf(stderr, "%s: %s\n", path ? path : "file_path", path ? strerror(errno) : "is missing");
        return 1;
    }
    long lines = 0, words = 0, bytes = 0;
    int last = ' ';
    for (int c; (c = getc(file)) != EOF; last = c) {
        bytes++;
        lines += c == '\n';
        words += !isspace(c) && isspace(last);
    }
    if (ferror(file)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    printf("%ld lines, %ld words, %ld bytes\n", lines, words, bytes);
    return 0;
}
