/* bx-aot [--fuel] IN.wasm OUT: a program of the build; compiles a guest for the baseline CPU
 * (box/aot.h). */
#include "box/aot.h"

int main(int argc, char **argv) {
    struct bx_err err = {0};
    bool fuel = argc > 1 && strcmp(argv[1], "--fuel") == 0;
    int first = fuel ? 2 : 1;
    if (argc != first + 2) {
        fprintf(stderr, "usage: bx-aot [--fuel] IN.wasm OUT\n");
        return 2;
    }
    if (bx_aot_compile(argv[first], argv[first + 1], fuel, &err) < 0) {
        fprintf(stderr, "bx-aot: %s\n", err.msg);
        return 1;
    }
    return 0;
}
