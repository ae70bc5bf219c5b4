/* race PATH TIMES: opens and reads it so many times; says how often it was what it may see
 * ("harmless"), refused, or what it may not see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    long good = 0, refused = 0, leaked = 0;
    for (long i = argc > 2 ? atol(argv[2]) : 0; i > 0; i--) {
        char text[64] = "";
        FILE *file = fopen(argv[1], "r");
        if (!file) {
            refused++;
            continue;
        }
        size_t n = fread(text, 1, sizeof text - 1, file);
        text[n] = '\0';
        fclose(file);
        good += !strcmp(text, "harmless");
        leaked += !strcmp(text, "the secret");
    }
    printf("good %ld refused %ld leaked %ld\n", good, refused, leaked);
    return 0;
}
