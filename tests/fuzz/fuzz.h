/* tests/fuzz/fuzz.h: the main of a fuzz target that is run without a fuzzing engine.
 *
 * Each file of the folders (or files) named on the command line is given to LLVMFuzzerTestOneInput, then a few hundred
 * changed copies of it, the same ones in every run. With -DBX_LIBFUZZER the engine brings its own main. */
#ifndef BX_TESTS_FUZZ_H
#define BX_TESTS_FUZZ_H

#include <dirent.h>

#include "base/file.h"
#include "base/path.h"
#include "fuzz/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef BX_LIBFUZZER
static inline int fuzz_file(const char *path) {
    struct bx_buf text = BX_BUF_INIT(16 * BX_MIB);
    struct bx_err err;
    if (bx_file_read(path, &text, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    size_t cap = text.size + 512;
    uint8_t *copy = bx_alloc(cap);
    uint64_t seed = text.size + 1;
    LLVMFuzzerTestOneInput((const uint8_t *)bx_buf_z(&text), text.size);
    for (int i = 0; i < FUZZ_COPIES; i++) {
        memcpy(copy, bx_buf_z(&text), text.size);
        size_t n = fuzz_change(copy, text.size, cap, &seed);
        uint8_t *exact = bx_memdup(copy, n); /* so that a read behind the end is seen */
        LLVMFuzzerTestOneInput(exact, n);
        bx_free(exact);
    }
    bx_free(copy);
    bx_buf_deinit(&text);
    return 0;
}

static int fuzz_visit(void *user, const char *name) {
    bx_auto(bx_freep) char *path = bx_path_join(user, name);
    return fuzz_file(path);
}

int main(int argc, char **argv) {
    int rc = argc > 1 ? 0 : 1;
    for (int i = 1; i < argc && rc == 0; i++) {
        DIR *dir = opendir(argv[i]);
        if (dir) {
            closedir(dir);
            rc = bx_dir_each(argv[i], fuzz_visit, argv[i], NULL);
        } else {
            rc = fuzz_file(argv[i]);
        }
    }
    return rc ? 1 : 0;
}
#endif

#endif
