// wasi:http, in the component model's canonical form. The imports are written by hand: there are
// few of them. wit/ names their types, and component-type is the custom section made of it, which
// build.sh puts behind the module:
//     wasm-tools component embed guests/web_fetch/wit --world web-fetch --dummy -o x.wasm
//     python3 guests/web_fetch/wit/section.py x.wasm guests/web_fetch/component-type
#ifndef BX_GUEST_NATIVE

#include <stdlib.h>
#include <string.h>

#include "web_fetch/http.h"

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES                "wasi:http/types@0.2.12"

IMPORT(TYPES, "[constructor]fields") int fields_new(void);
IMPORT(TYPES, "[method]fields.append")
void fields_append(int self, const char *name, size_t name_n, const char *value, size_t value_n,
                   void *ret);
IMPORT(TYPES, "[method]fields.entries") void fields_entries(int self, void *ret);
IMPORT(TYPES, "[constructor]outgoing-request") int request_new(int fields);
IMPORT(TYPES, "[method]outgoing-request.set-scheme")
int set_scheme(int self, int some, int scheme, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-authority")
int set_authority(int self, int some, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-path-with-query")
int set_path(int self, int some, const char *p, size_t n);
IMPORT("wasi:http/outgoing-handler@0.2.12", "handle")
void handle(int request, int some, int options, void *ret);
IMPORT(TYPES, "[method]future-incoming-response.subscribe") int future_subscribe(int self);
IMPORT(TYPES, "[method]future-incoming-response.get") void future_get(int self, void *ret);
IMPORT(TYPES, "[method]incoming-response.status") int response_status(int self);
IMPORT(TYPES, "[method]incoming-response.headers") int response_headers(int self);
IMPORT(TYPES, "[method]incoming-response.consume") void response_consume(int self, void *ret);
IMPORT(TYPES, "[method]incoming-body.stream") void body_stream(int self, void *ret);
IMPORT("wasi:io/poll@0.2.12", "[method]pollable.block") void pollable_block(int self);
IMPORT("wasi:io/poll@0.2.12", "[resource-drop]pollable") void pollable_drop(int self);
IMPORT("wasi:io/streams@0.2.12", "[method]input-stream.blocking-read")
void stream_read(int self, int64_t n, void *ret);

// A command module's exports (cabi_realloc of common/libc.c) are wrapped with constructors and
// destructors unless something names the constructors; wrapped, it would flush stdout inside a call
// of the host.
extern void __wasm_call_ctors(void);
void *bx_keep_ctors_out(void);
void *bx_keep_ctors_out(void) {
    return (void *)(uintptr_t)__wasm_call_ctors;
}

// Where a call puts a result that is more than a number: 64-bit fields are aligned in it
union area {
    uint64_t align[16];
    uint8_t tag[128];
    int32_t word[32];
};

// error-code's cases, in the order of the interface
enum { ERROR_TIMEOUT = 8, ERROR_DENIED = 15, ERROR_RESPONSE_SIZE = 28 };

static enum bx_http_end end_of(uint8_t error_code) {
    switch (error_code) {
    case ERROR_DENIED:
        return BX_HTTP_DENIED;
    case ERROR_TIMEOUT:
        return BX_HTTP_TIMEOUT;
    case ERROR_RESPONSE_SIZE:
        return BX_HTTP_LARGE;
    default:
        return BX_HTTP_BROKEN;
    }
}

static int make_request(const struct bx_http_request *r) {
    const struct bx_url *url = r->url;
    union area a;
    int fields = fields_new();
    for (size_t i = 0; i < r->header_count; i++) {
        fields_append(fields, r->headers[i].name, strlen(r->headers[i].name), r->headers[i].value,
                      strlen(r->headers[i].value), &a);
    }
    int request = request_new(fields);
    if (set_scheme(request, 1, url->is_https, NULL, 0) ||
        set_authority(request, 1, url->authority, strlen(url->authority)) ||
        set_path(request, 1, url->target, strlen(url->target))) {
        return -1;
    }
    return request;
}

static void take_headers(int response, struct bx_http_answer *ret) {
    union area a;
    fields_entries(response_headers(response), &a);
    const int32_t *entry = (const int32_t *)(uintptr_t)a.word[0];
    ret->header_count = (size_t)a.word[1];
    ret->headers = bx_alloc(ret->header_count * sizeof *ret->headers + 1);
    for (size_t i = 0; i < ret->header_count; i++, entry += 4) {
        ret->headers[i].name = bx_strndup((const char *)(uintptr_t)entry[0], (size_t)entry[1]);
        ret->headers[i].value = bx_strndup((const char *)(uintptr_t)entry[2], (size_t)entry[3]);
    }
}

static enum bx_http_end take_body(int response, size_t max, struct bx_http_answer *ret) {
    union area a;
    response_consume(response, &a);
    if (a.tag[0]) {
        return BX_HTTP_BROKEN;
    }
    body_stream(a.word[1], &a);
    if (a.tag[0]) {
        return BX_HTTP_BROKEN;
    }
    int stream = a.word[1];
    for (;;) {
        stream_read(stream, 65536, &a);
        if (a.tag[0]) {
            return a.tag[4] == 1 ? BX_HTTP_OK : BX_HTTP_BROKEN; // 1: closed
        }
        size_t n = (size_t)a.word[2];
        bool fits = ret->body.len + n <= max;
        bx_buf_add(&ret->body, (const char *)(uintptr_t)a.word[1], fits ? n : max - ret->body.len);
        free((void *)(uintptr_t)a.word[1]);
        if (!fits) {
            return BX_HTTP_LARGE;
        }
    }
}

void bx_http_get(const struct bx_http_request *r, struct bx_http_answer *ret) {
    union area a;
    *ret = (struct bx_http_answer){.end = BX_HTTP_BROKEN};
    int request = make_request(r);
    if (request < 0) {
        return;
    }
    handle(request, 0, 0, &a);
    if (a.tag[0]) {
        ret->end = end_of(a.tag[8]);
        return;
    }
    int future = a.word[2], ready = future_subscribe(future);
    pollable_block(ready);
    pollable_drop(ready);
    memset(&a, 0, sizeof a);
    future_get(future, &a); // some(ok(ok(response))), at 0, 8, 16 and 24
    if (!a.tag[0] || a.tag[8] || a.tag[16]) {
        ret->end = a.tag[0] && !a.tag[8] ? end_of(a.tag[24]) : BX_HTTP_BROKEN;
        return;
    }
    int response = a.word[6];
    ret->status = response_status(response);
    take_headers(response, ret);
    ret->end = take_body(response, r->max_bytes, ret);
}

#endif
