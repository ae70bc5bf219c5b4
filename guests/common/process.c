// process.h over the imports of engine/wit/process.wit, in the component model's canonical form: a
// list is a pointer and a length, a returned list comes through memory that the host asks of
// cabi_realloc.
#include "common/process.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct list {
    uint8_t *bytes;
    size_t n;
};

#define IMPORT(name) __attribute__((import_module("boxagnts:box/process@0.1.0"), import_name(name)))

IMPORT("pipe") int32_t host_pipe(void);
IMPORT("spawn") int32_t host_spawn(const uint8_t *request, size_t n);
IMPORT("wait") int32_t host_wait(int32_t pid, int64_t timeout_ms);
IMPORT("kill") int32_t host_kill(int32_t pid, int32_t status);
IMPORT("read") void host_read(int32_t pipe, uint32_t max, struct list *ret);
IMPORT("write") int32_t host_write(int32_t pipe, const void *bytes, size_t n);
IMPORT("close") int32_t host_close(int32_t pipe, int32_t end);
IMPORT("exit") void host_exit(int32_t status);

enum { REQUEST_MAX = 1 << 20, PIECE_MAX = 1 << 16 };

static uint8_t *put_number(uint8_t *at, uint32_t n) {
    for (int i = 0; i < 4; i++) {
        *at++ = (uint8_t)(n >> (8 * i));
    }
    return at;
}

static uint8_t *put_texts(uint8_t *at, const char *const *texts, size_t count) {
    at = put_number(at, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(texts[i]);
        at = put_number(at, (uint32_t)n);
        memcpy(at, texts[i], n);
        at += n;
    }
    return at;
}

// False when together with what is in *io_size they are too long.
static bool add_size(size_t *io_size, const char *const *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        *io_size += 4 + strlen(texts[i]);
        if (*io_size > REQUEST_MAX) {
            return false;
        }
    }
    return true;
}

int32_t bxp_spawn(const struct bxp_spawn *spawn) {
    size_t size = 5 * 4;
    if (!add_size(&size, spawn->argv, spawn->argc) ||
        !add_size(&size, spawn->env, spawn->env_count)) {
        return -E2BIG;
    }
    uint8_t *request = malloc(size);
    if (!request) {
        return -ENOMEM;
    }
    uint8_t *at = put_number(request, (uint32_t)spawn->in);
    at = put_number(at, (uint32_t)spawn->out);
    at = put_number(at, (uint32_t)spawn->err);
    at = put_texts(at, spawn->argv, spawn->argc);
    put_texts(at, spawn->env, spawn->env_count);
    int32_t r = host_spawn(request, size);
    free(request);
    return r;
}

int32_t bxp_pipe(void) {
    return host_pipe();
}

int32_t bxp_wait(int32_t pid, int64_t timeout_ms) {
    return host_wait(pid, timeout_ms);
}

int32_t bxp_kill(int32_t pid, int32_t status) {
    return host_kill(pid, status);
}

int32_t bxp_read(int32_t pipe, void *bytes, uint32_t max) {
    struct list got = {0};
    host_read(pipe, max < PIECE_MAX ? max : PIECE_MAX, &got);
    if (got.n) {
        memcpy(bytes, got.bytes, got.n);
        free(got.bytes);
    }
    return (int32_t)got.n;
}

int32_t bxp_write(int32_t pipe, const void *bytes, uint32_t n) {
    return host_write(pipe, bytes, n);
}

int32_t bxp_close(int32_t pipe, enum bxp_end end) {
    return host_close(pipe, (int32_t)end);
}

_Noreturn void bxp_exit(int32_t status) {
    host_exit(status);
    exit(status ? 1 : 0);
}

// Named, so that the linker does not wrap cabi_realloc with it.
extern void __wasm_call_ctors(void);

// Where a program does not link common/libc.c, which has its own
__attribute__((weak, export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                      size_t align, size_t n);
__attribute__((weak)) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t n) {
    (void)old_size;
    void *p = n ? realloc(old, n) : (void *)align;
    if (!p) {
        __builtin_trap();
    }
    return p;
}
