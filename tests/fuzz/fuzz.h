/* tests/fuzz/fuzz.h: the main of a fuzz target that is run without a fuzzing engine.
 *
 * Each file of the folders (or files) named on the command line is given to LLVMFuzzerTestOneInput, then a few hundred
 * changed copies of it, the same ones in every run. With -DBX_LIBFUZZER the engine brings its own main. */
#ifndef BX_TESTS_FUZZ_H
#define BX_TESTS_FUZZ_H

#include <dirent.h>

#include "base/file.h"
#include "base/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef BX_LIBFUZZER
#define FUZZ_COPIES 300

static inline uint64_t fuzz_random(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 33;
}

/* Flips, overwrites, cuts, doubles and swaps pieces. */
static inline size_t fuzz_change(uint8_t *p, size_t n, size_t cap, uint64_t *seed) {
    static const uint8_t telling[] = {0, '\n', '"', '{', '}', '[', ']', ':', ',', '\\', 0x7f, 0xff, '0', '9', '-', 0xc3};
    for (uint64_t changes = 1 + fuzz_random(seed) % 6; changes > 0 && n > 0; changes--) {
        size_t at = fuzz_random(seed) % n, len = 1 + fuzz_random(seed) % BX_MIN(n - at, (size_t)64);
        switch (fuzz_random(seed) % 5) {
        case 0:
            p[at] = (uint8_t)(p[at] ^ (1u << fuzz_random(seed) % 8));
            break;
        case 1:
            p[at] = telling[fuzz_random(seed) % sizeof telling];
            break;
        case 2:
            memmove(p + at, p + at + len, n - at - len);
            n -= len;
            break;
        case 3:
            if (n + len <= cap) {
                memmove(p + at + len, p + at, n - at);
                n += len;
            }
            break;
        default:
            n = at;
        }
    }
    return n;
}

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
