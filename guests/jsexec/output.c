#include <stdio.h>
#include <string.h>

#include "jsexec/js.h"

void bx_capture_add(struct bx_capture *c, const char *text, size_t n) {
    size_t room = BX_CAPTURE_HEAD - c->head.len, first = n < room ? n : room;
    bx_buf_add(&c->head, text, first);
    size_t behind = c->total > BX_CAPTURE_HEAD ? c->total - BX_CAPTURE_HEAD : 0;
    c->total += n;
    text += first;
    n -= first;
    if (n && !c->tail) {
        c->tail = bx_alloc(BX_CAPTURE_TAIL);
    }
    if (n > BX_CAPTURE_TAIL) {
        behind += n - BX_CAPTURE_TAIL;
        text += n - BX_CAPTURE_TAIL;
        n = BX_CAPTURE_TAIL;
    }
    while (n) {
        size_t at = behind % BX_CAPTURE_TAIL, part = BX_CAPTURE_TAIL - at;
        part = part < n ? part : n;
        memcpy(c->tail + at, text, part);
        behind += part;
        text += part;
        n -= part;
    }
}

static bool is_inside(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

void bx_capture_text(const struct bx_capture *c, struct bx_buf *out) {
    bx_buf_add(out, c->head.data, c->head.len);
    size_t behind = c->total > BX_CAPTURE_HEAD ? c->total - BX_CAPTURE_HEAD : 0;
    if (!behind) {
        return;
    }
    struct bx_buf tail = {0};
    size_t n = behind < BX_CAPTURE_TAIL ? behind : BX_CAPTURE_TAIL,
           at = (behind - n) % BX_CAPTURE_TAIL;
    for (size_t i = 0; i < n; i++) {
        bx_buf_add_char(&tail, c->tail[(at + i) % BX_CAPTURE_TAIL]);
    }
    size_t cut = 0;
    while (behind > n && out->len && is_inside(out->data[out->len - 1])) {
        out->len--; // half a character
    }
    while (behind > n && out->len && (unsigned char)out->data[out->len - 1] >= 0xc0) {
        out->len--;
    }
    while (behind > n && cut < tail.len && is_inside(tail.data[cut])) {
        cut++;
    }
    if (behind > n) {
        bx_buf_add_fmt(out, "\n[… %zu bytes of output left out …]\n", behind - n);
    }
    bx_buf_add(out, tail.data + cut, tail.len - cut);
    bx_buf_deinit(&tail);
}

void bx_js_print(struct bx_js *js, int fd, const char *text, size_t n) {
    if (js->is_live) {
        FILE *file = fd == 2 ? stderr : stdout;
        if (fd == 2) {
            fflush(stdout); // in the order in which it was written
        }
        fwrite(text, 1, n, file);
        return;
    }
    bx_capture_add(fd == 2 ? &js->err : &js->out, text, n);
    bx_capture_add(&js->both, text, n);
}
