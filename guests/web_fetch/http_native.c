// The test build: $BX_GUEST_WEB is a folder whose files are answers, head and all, as they would
// come over the wire; a file's name is the URL with every byte but letters and digits as %XX. No
// file: nothing listens. A head that begins with "end denied", "end timeout", "end broken" or "end
// large" says how the exchange ends.
#ifdef BX_GUEST_NATIVE

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web_fetch/http.h"

static bool load(const struct bx_url *url, struct bx_buf *ret) {
    const char *folder = getenv("BX_GUEST_WEB");
    struct bx_buf path = {0};
    char *text = bx_url_text(url);
    bx_buf_add_fmt(&path, "%s/", folder ? folder : ".");
    for (const char *c = text; *c; c++) {
        if (isalnum((unsigned char)*c)) {
            bx_buf_add_char(&path, *c);
        } else {
            bx_buf_add_fmt(&path, "%%%02X", (unsigned char)*c);
        }
    }
    FILE *file = folder ? fopen(path.data, "rb") : NULL;
    if (!file) {
        return false;
    }
    for (size_t n = 1; n;) {
        bx_buf_reserve(ret, 65536);
        n = fread(ret->data + ret->len, 1, 65536, file);
        ret->len += n;
    }
    ret->data[ret->len] = '\0';
    fclose(file);
    return true;
}

static bool take_line(char **at, char **ret) {
    char *end = strchr(*at, '\n');
    if (!end) {
        return false;
    }
    *ret = *at;
    *at = end + 1;
    *end = '\0';
    if (end > *ret && end[-1] == '\r') {
        end[-1] = '\0';
    }
    return true;
}

static enum bx_http_end end_of(const char *word) {
    static const char *const words[] = {"ok", "denied", "timeout", "broken", "large"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], word) == 0) {
            return (enum bx_http_end)i;
        }
    }
    return BX_HTTP_BROKEN;
}

void bx_http_get(const struct bx_http_request *r, struct bx_http_answer *ret) {
    struct bx_buf raw = {0};
    char *at, *line;
    *ret = (struct bx_http_answer){.end = BX_HTTP_BROKEN};
    if (!load(r->url, &raw)) {
        return;
    }
    at = raw.data;
    enum bx_http_end end = BX_HTTP_OK;
    while (take_line(&at, &line) && *line) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "end ", 4) == 0) {
            end = end_of(line + 4);
        } else if (strncmp(line, "HTTP/1.1 ", 9) == 0) {
            ret->status = atoi(line + 9);
        } else if (colon) {
            *colon = '\0';
            ret->headers = bx_realloc(ret->headers, (ret->header_count + 1) * sizeof *ret->headers);
            ret->headers[ret->header_count++] =
                (struct bx_http_header){line, colon + 1 + strspn(colon + 1, " ")};
        }
    }
    size_t n = raw.len - (size_t)(at - raw.data);
    ret->end = end == BX_HTTP_OK && n > r->max_bytes ? BX_HTTP_LARGE : end;
    bx_buf_add(&ret->body, at, n > r->max_bytes ? r->max_bytes : n);
}

#endif
