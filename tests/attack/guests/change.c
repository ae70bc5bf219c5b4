/* change VERB PATH [PATH]: mkdir, unlink, rename, link, symlink, truncate: changes of a folder that
 * are not writes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int change(const char *verb, const char *a, const char *b) {
    if (strcmp(verb, "mkdir") == 0) {
        return mkdir(a, 0755);
    }
    if (strcmp(verb, "unlink") == 0) {
        return unlink(a);
    }
    if (strcmp(verb, "rename") == 0) {
        return rename(a, b);
    }
    if (strcmp(verb, "link") == 0) {
        return link(a, b);
    }
    if (strcmp(verb, "symlink") == 0) {
        return symlink(a, b);
    }
    if (strcmp(verb, "truncate") == 0) {
        return open(a, O_WRONLY | O_TRUNC) < 0 ? -1 : 0;
    }
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv) {
    if (argc < 3 || change(argv[1], argv[2], argc > 3 ? argv[3] : "") != 0) {
        fprintf(stderr, "%s\n", strerror(errno));
        return 1;
    }
    return 0;
}
