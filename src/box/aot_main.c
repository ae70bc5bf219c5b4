/* bx-aot [--pack] [--fuel] IN.wasm OUT: a program of the build; compiles a guest for the baseline
 * CPU (box/aot.h), --pack: and compresses it. */
#include "box/aot.h"

int main(int argc, char **argv) {
    struct bx_err err = {0};
    int first = 1;
    bool packed = argc > first && strcmp(argv[first], "--pack") == 0;
    first += packed;
    bool fuel = argc > first && strcmp(argv[first], "--fuel") == 0;
    first += fuel;
    if (argc != first + 2) {
        fprintf(stderr, "usage: bx-aot [--pack] [--fuel] IN.wasm OUT\n");
        return 2;
    }
    if (bx_aot_compile(argv[first], argv[first + 1], fuel, packed, &err) < 0) {
        fprintf(stderr, "bx-aot: %s\n", err.msg);
        return 1;
    }
    return 0;
}
