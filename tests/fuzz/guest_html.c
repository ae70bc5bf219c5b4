/* What web_fetch does with bytes of strangers: compressions, encodings, HTML, Markdown, links. The
 * guest's own code, natively and with sanitizers, so without the product's rooms, whose names it
 * shares. The first byte of an input says how it is compressed. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/change.h"
#include "web_fetch/decode.h"
#include "web_fetch/markdown.h"
#include "web_fetch/url.h"

enum { MAX_TEXT = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_url(const char *text, size_t n) {
    struct bx_url url = {0};
    const char *why = "";
    char *whole = bx_url_resolve("https://example.org/a/b?c", text, n);
    free(whole);
    if (bx_url_parse(text, n, &url, &why)) {
        char *again = bx_url_text(&url), *host = bx_url_host(&url);
        struct bx_url second = {0};
        if (!bx_url_parse(again, strlen(again), &second, &why) ||
            strcmp(second.authority, url.authority) != 0 ||
            strcmp(second.target, url.target) != 0) {
            abort(); // what was parsed once reads the same the second time
        }
        free(second.authority);
        free(second.target);
        free(again);
        free(host);
    }
    free(url.authority);
    free(url.target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const encodings[] = {"", "gzip", "deflate", "br", "gzip, br"};
    static const char *const labels[] = {NULL,          "utf-8",    "shift_jis", "gb18030",
                                         "iso-2022-jp", "utf-16le", "euc-kr",    "big5"};
    struct bx_buf text = {0};
    if (!size) {
        return 0;
    }
    bx_buf_add(&text, data + 1, size - 1);
    try_url((const char *)data + 1, size - 1 < 9000 ? size - 1 : 9000);
    if (bx_decode_content(encodings[data[0] % 5], MAX_TEXT, &text) != BX_DECODED_UNKNOWN &&
        text.len <= MAX_TEXT) {
        bx_decode_text(labels[data[0] / 5 % 8], true, &text);
        for (int plain = 0; plain < 2; plain++) {
            struct bx_page page;
            struct bx_buf out = {0};
            bx_page_open(text.data ? text.data : "", text.len, "https://example.org/a/b", plain,
                         &page);
            bx_markdown(&page, plain, &out);
            bx_page_close(&page);
            bx_buf_deinit(&out);
        }
    }
    bx_buf_deinit(&text);
    return 0;
}

#ifndef BX_LIBFUZZER
static int try_file(const char *path) {
    FILE *file = fopen(path, "rb");
    static uint8_t bytes[1 << 20];
    size_t n = file ? fread(bytes, 1, sizeof bytes, file) : 0, cap = n + 512;
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        return 1;
    }
    uint8_t *copy = malloc(cap);
    uint64_t seed = n + 1;
    LLVMFuzzerTestOneInput(bytes, n);
    for (int i = 0; i < FUZZ_COPIES; i++) {
        memcpy(copy, bytes, n);
        size_t changed = fuzz_change(copy, n, cap, &seed);
        uint8_t *exact = malloc(changed + !changed); // so that a read behind the end is seen
        memcpy(exact, copy, changed);
        LLVMFuzzerTestOneInput(exact, changed);
        free(exact);
    }
    free(copy);
    return 0;
}

int main(int argc, char **argv) {
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    int tried = 0, failed = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (e->d_name[0] != '.') {
            tried++;
            failed |= try_file(path);
        }
    }
    if (dir) {
        closedir(dir);
    }
    if (!failed && tried) {
        printf("%d inputs and %d changed copies of each\n", tried, FUZZ_COPIES);
    }
    return failed || !tried;
}
#endif
