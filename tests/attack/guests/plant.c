/* plant --do="write PATH;remove PATH;move FROM TO;link TARGET PATH;folder PATH;append PATH":
 * changes files one after the other and goes on when one fails; prints how many went. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int put(const char *path, const char *mode) {
    FILE *f = fopen(path, mode);
    return f && fputs("planted\n", f) >= 0 && fclose(f) == 0;
}

static int act(char *text) {
    char *what = strtok(text, " "), *a = strtok(NULL, " "), *b = strtok(NULL, " ");
    if (!what || !a) {
        return 0;
    }
    return strcmp(what, "write") == 0    ? put(a, "w")
           : strcmp(what, "append") == 0 ? put(a, "a")
           : strcmp(what, "remove") == 0 ? remove(a) == 0
           : strcmp(what, "folder") == 0 ? mkdir(a, 0755) == 0
           : strcmp(what, "move") == 0   ? b && rename(a, b) == 0
           : strcmp(what, "link") == 0   ? b && symlink(a, b) == 0
                                         : 0;
}

int main(int argc, char **argv) {
    int done = 0;
    char *list = argc > 1 ? strchr(argv[1], '=') : NULL;
    for (char *at = list ? list + 1 : NULL, *next; at && *at; at = next) {
        size_t n = strcspn(at, ";");
        next = at[n] ? at + n + 1 : at + n;
        at[n] = '\0';
        done += act(at);
    }
    printf("%d done\n", done);
    return 0;
}
