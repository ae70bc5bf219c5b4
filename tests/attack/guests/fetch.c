/* fetch HOST PATH [TIMES]: GETs http://HOST/PATH over wasi:http; prints status and body, or
 * "refused N". fetch --url=http://HOST/PATH --then=http://HOST/PATH: one after the other.
 *
 * The imports are written by hand, as the component model's canonical form has them;
 * fetch.component-type beside this file is the custom section that names their types (made by
 * `wasm-tools component embed` from the few lines of wasi:http that are used here) and is put
 * behind the module by build_guests.sh. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES                "wasi:http/types@0.2.12"

IMPORT(TYPES, "[constructor]fields") int fields_new(void);
IMPORT(TYPES, "[constructor]outgoing-request") int request_new(int fields);
IMPORT(TYPES, "[method]outgoing-request.set-scheme")
int set_scheme(int self, int some, int scheme, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-authority")
int set_authority(int self, int some, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-path-with-query")
int set_path(int self, int some, const char *p, size_t n);
IMPORT("wasi:http/outgoing-handler@0.2.12", "handle")
void handle(int request, int some, int options, void *ret);
IMPORT(TYPES, "[method]future-incoming-response.subscribe") int subscribe(int self);
IMPORT(TYPES, "[method]future-incoming-response.get") void get(int self, void *ret);
IMPORT(TYPES, "[method]incoming-response.status") int status_of(int self);
IMPORT(TYPES, "[method]incoming-response.consume") void consume(int self, void *ret);
IMPORT(TYPES, "[method]incoming-body.stream") void stream_of(int self, void *ret);
IMPORT("wasi:io/poll@0.2.12", "[method]pollable.block") void block(int self);
IMPORT("wasi:io/poll@0.2.12", "[resource-drop]pollable") void drop(int self);
IMPORT("wasi:io/streams@0.2.12", "[method]input-stream.blocking-read")
void blocking_read(int self, int64_t n, void *ret);

extern void
__wasm_call_ctors(void); /* named, so that the linker does not wrap cabi_realloc with it */

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size,
                                                                size_t align, size_t size) {
    (void)old_size;
    (void)align;
    return realloc(old, size);
}

union area { /* where a call puts a result that is more than a number */
    uint64_t align[16];
    uint8_t tag[128];
    int32_t word[32];
};

static int fetch(const char *host, const char *path) {
    union area a = {0};
    int request = request_new(fields_new());
    if (set_scheme(request, 1, 0, NULL, 0) || set_authority(request, 1, host, strlen(host)) ||
        set_path(request, 1, path, strlen(path))) {
        return 2;
    }
    handle(request, 0, 0, &a);
    if (a.tag[0]) {
        printf("refused %d\n", a.tag[8]);
        return 1;
    }
    int answer = a.word[2], ready = subscribe(answer);
    block(ready);
    drop(ready);
    memset(&a, 0, sizeof a);
    get(answer, &a);
    if (!a.tag[0] || a.tag[8] || a.tag[16]) {
        printf("refused %d\n", a.tag[24]);
        return 1;
    }
    int response = a.word[6];
    printf("status %d ", status_of(response));
    consume(response, &a);
    stream_of(a.word[1], &a);
    int stream = a.word[1];
    for (size_t total = 0;;) {
        blocking_read(stream, 65536, &a);
        if (a.tag[0]) {
            printf("%sbytes %zu%s\n", total < 100 ? "" : " ", total,
                   a.tag[4] == 1 ? "" : " broken");
            return a.tag[4] != 1;
        }
        const char *p = (const char *)(uintptr_t)a.word[1];
        size_t n = (size_t)a.word[2];
        total += n;
        if (total < 100) {
            printf("%.*s ", (int)n, p);
        }
        free((void *)(uintptr_t)a.word[1]);
    }
}

/* --name=http://HOST/PATH */
static int fetch_url(const char *argument) {
    char host[256] = "";
    const char *start = strstr(argument, "=http://");
    if (!start) {
        return 2;
    }
    const char *path = strchr(start + 8, '/');
    size_t n = path ? (size_t)(path - start - 8) : strlen(start + 8);
    snprintf(host, sizeof host, "%.*s", (int)n, start + 8);
    return fetch(host, path ? path : "/");
}

int main(int argc, char **argv) {
    int failed = 0;
    __wasm_call_ctors();
    for (int i = 1; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        failed |= fetch_url(argv[i]);
    }
    for (int times = argc > 3 ? atoi(argv[3]) : 1; times > 0 && argc > 2 && argv[1][0] != '-';
         times--) {
        failed |= fetch(argv[1], argv[2]);
    }
    fflush(stdout);
    return failed;
}
