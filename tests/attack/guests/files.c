/* files list PATH: the names of a folder. files read PATH…: the files, by one call. files race PATH
 * TIMES: as race does. All by engine/wit/files.wit. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
    char *data;
    size_t len;
};
#define IMPORT(name) __attribute__((import_module("boxagnts:box/files@0.1.0"), import_name(name)))
IMPORT("entries") void entries(const char *path, size_t len, struct bytes *ret);
IMPORT("contents")
void contents(const char *paths, size_t len, uint32_t each, uint32_t all, struct bytes *ret);

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t n) {
    (void)old_size, (void)align;
    return realloc(old, n);
}

static int32_t number(const char *at) {
    int32_t n;
    memcpy(&n, at, sizeof n);
    return n;
}

static int list(const char *path) {
    struct bytes got;
    entries(path, strlen(path), &got);
    if (number(got.data) < 0) {
        fprintf(stderr, "%d\n", number(got.data));
        return 1;
    }
    for (size_t at = 4; at < got.len; at += strlen(got.data + at) + 1) {
        printf("%s\n", got.data + at);
    }
    return 0;
}

static int read_all(int n, char **paths, int print) {
    char asked[65536];
    size_t len = 0;
    struct bytes got;
    for (int i = 0; i < n; i++) {
        len += (size_t)snprintf(asked + len, sizeof asked - len, "%s", paths[i]) + 1;
    }
    contents(asked, len, UINT32_MAX, UINT32_MAX, &got);
    int32_t status = number(got.data);
    if (status < 0) {
        fprintf(stderr, "%d\n", status);
        free(got.data);
        return 1;
    }
    int leaked = memmem(got.data, got.len, "the secret", 10) != NULL;
    for (size_t at = 0; print && at + 8 <= got.len; at += 8 + (size_t)(status > 0 ? status : 0)) {
        status = number(got.data + at);
        printf("%.*s\n", status > 0 ? (int)status : 0, got.data + at + 8);
    }
    free(got.data);
    return leaked ? 2 : 0;
}

int main(int argc, char **argv) {
    if (argc > 2 && !strcmp(argv[1], "list")) {
        return list(argv[2]);
    }
    if (argc > 2 && !strcmp(argv[1], "read")) {
        return read_all(argc - 2, argv + 2, 1) == 1;
    }
    if (argc > 3 && !strcmp(argv[1], "race")) {
        long good = 0, refused = 0, leaked = 0;
        for (long i = atol(argv[3]); i > 0; i--) {
            int status = read_all(1, argv + 2, 0);
            good += status == 0;
            refused += status == 1;
            leaked += status == 2;
        }
        printf("good %ld refused %ld leaked %ld\n", good, refused, leaked);
        return 0;
    }
    return 64;
}
