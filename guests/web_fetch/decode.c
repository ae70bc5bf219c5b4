#include "web_fetch/decode.h"

#include <brotli/decode.h>
#include <lexbor/encoding/encoding.h>
#include <lexbor/html/encoding.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "common/utf8.h"

#define MAX_ENCODINGS 3

/* A window of output, and whether there is room for more. */
static size_t make_room(struct bx_buf *out, size_t max_bytes) {
    size_t room = max_bytes - out->len;
    room = room > 65536 ? 65536 : room;
    bx_buf_reserve(out, room);
    return room;
}

/* window_bits: 31 gzip, 15 zlib, -15 bare */
static enum bx_decoded inflate_with(int window_bits, size_t max_bytes, const struct bx_buf *in,
                                    struct bx_buf *out) {
    z_stream z = {.next_in = (unsigned char *)in->data, .avail_in = (unsigned)in->len};
    int r = inflateInit2(&z, window_bits);
    while (r == Z_OK) {
        size_t room = make_room(out, max_bytes);
        if (!room) {
            inflateEnd(&z);
            return BX_DECODED_CUT;
        }
        z.next_out = (unsigned char *)out->data + out->len;
        z.avail_out = (unsigned)room;
        r = inflate(&z, Z_NO_FLUSH);
        out->len += room - z.avail_out;
        if (r == Z_STREAM_END && window_bits == 31 && z.avail_in > 1 && z.next_in[0] == 0x1f &&
            z.next_in[1] == 0x8b) {
            r = inflateReset(&z); // gzip files may stand one behind another
        }
    }
    inflateEnd(&z);
    return r == Z_STREAM_END ? BX_DECODED : BX_DECODED_DAMAGED;
}

static enum bx_decoded inflate_deflate(size_t max_bytes, const struct bx_buf *in,
                                       struct bx_buf *out) {
    enum bx_decoded r = inflate_with(15, max_bytes, in, out);
    if (r == BX_DECODED_DAMAGED && !out->len) {
        r = inflate_with(-15, max_bytes, in, out); // what some servers mean by "deflate"
    }
    return r;
}

static enum bx_decoded unbrotli(size_t max_bytes, const struct bx_buf *in, struct bx_buf *out) {
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *next = (const uint8_t *)in->data;
    size_t left = in->len;
    BrotliDecoderResult r = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    if (!state) {
        bx_die("The tool ran out of memory.");
    }
    while (r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        size_t room = make_room(out, max_bytes), free_bytes = room;
        if (!room) {
            break;
        }
        uint8_t *to = (uint8_t *)out->data + out->len;
        r = BrotliDecoderDecompressStream(state, &left, &next, &free_bytes, &to, NULL);
        out->len += room - free_bytes;
    }
    BrotliDecoderDestroyInstance(state);
    return r == BROTLI_DECODER_RESULT_SUCCESS             ? BX_DECODED
           : r == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT ? BX_DECODED_CUT
                                                          : BX_DECODED_DAMAGED;
}

static bool is_word(const char *p, size_t n, const char *word) {
    return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

static enum bx_decoded undo(const char *name, size_t n, size_t max_bytes, struct bx_buf *io) {
    struct bx_buf out = {0};
    enum bx_decoded r;
    if (!n || is_word(name, n, "identity")) {
        return BX_DECODED;
    }
    if (is_word(name, n, "gzip") || is_word(name, n, "x-gzip")) {
        r = inflate_with(31, max_bytes, io, &out);
    } else if (is_word(name, n, "deflate")) {
        r = inflate_deflate(max_bytes, io, &out);
    } else if (is_word(name, n, "br")) {
        r = unbrotli(max_bytes, io, &out);
    } else {
        return BX_DECODED_UNKNOWN;
    }
    bx_buf_add(&out, "", 0);
    bx_buf_deinit(io);
    *io = out;
    return r;
}

enum bx_decoded bx_decode_content(const char *encodings, size_t max_bytes, struct bx_buf *io) {
    size_t end = encodings ? strlen(encodings) : 0;
    enum bx_decoded worst = BX_DECODED;
    for (int steps = 0; end && io->len; steps++) { // the last one was put on last
        size_t start = end;
        while (start && encodings[start - 1] != ',') {
            start--;
        }
        const char *name = encodings + start + strspn(encodings + start, " \t");
        size_t n = strcspn(name, " \t,");
        enum bx_decoded r =
            steps < MAX_ENCODINGS ? undo(name, n, max_bytes, io) : BX_DECODED_UNKNOWN;
        if (r == BX_DECODED_UNKNOWN) {
            bx_buf_reset(io);
            return r;
        }
        worst = r == BX_DECODED ? worst : r;
        end = start ? start - 1 : 0;
    }
    return worst;
}

static const lxb_encoding_data_t *meta_encoding(const struct bx_buf *text) {
    size_t n = text->len < 4096 ? text->len : 4096;
    lxb_html_encoding_t em;
    const lxb_encoding_data_t *found = NULL;
    if (lxb_html_encoding_init(&em) == LXB_STATUS_OK) {
        size_t len = 0;
        const lxb_char_t *data = (const lxb_char_t *)text->data;
        const lxb_char_t *name = lxb_html_encoding_prescan(&em, data, data + n, &len);
        found = name ? lxb_encoding_data_by_pre_name(name, len) : NULL;
    }
    lxb_html_encoding_destroy(&em, false);
    if (found &&
        (found->encoding == LXB_ENCODING_UTF_16BE || found->encoding == LXB_ENCODING_UTF_16LE)) {
        return lxb_encoding_data(LXB_ENCODING_UTF_8); // it could be read: it is not that
    }
    return found;
}

/* -1: none; else the bytes of the mark, *ret is set */
static size_t bom_size(const struct bx_buf *text, lxb_encoding_t *ret) {
    const unsigned char *p = (const unsigned char *)text->data;
    if (text->len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *ret = LXB_ENCODING_UTF_8;
        return 3;
    }
    if (text->len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff))) {
        *ret = p[0] == 0xff ? LXB_ENCODING_UTF_16LE : LXB_ENCODING_UTF_16BE;
        return 2;
    }
    return 0;
}

static void convert(const lxb_encoding_data_t *from, const char *bytes, size_t n,
                    struct bx_buf *out) {
    lxb_codepoint_t points[1024];
    static const lxb_codepoint_t bad = LXB_ENCODING_REPLACEMENT_CODEPOINT;
    lxb_encoding_decode_t decode;
    const lxb_char_t *at = (const lxb_char_t *)bytes, *end = at + n;
    lxb_status_t status = lxb_encoding_decode_init_noi(&decode, from, points, 1024);
    if (status == LXB_STATUS_OK) {
        status = lxb_encoding_decode_replace_set_noi(&decode, &bad, 1);
    }
    if (status != LXB_STATUS_OK) {
        return;
    }
    bool is_last = false;
    do {
        if (at < end) {
            status = from->decode(&decode, &at, end);
        }
        if (at >= end && status != LXB_STATUS_SMALL_BUFFER) {
            lxb_encoding_decode_finish_noi(&decode); // half a character at the end
            is_last = true;
        }
        size_t count = lxb_encoding_decode_buf_used_noi(&decode);
        for (size_t i = 0; i < count; i++) {
            char utf8[4];
            uint32_t c = points[i] > 0x10ffff || (points[i] >= 0xd800 && points[i] < 0xe000)
                             ? bad
                             : points[i];
            bx_buf_add(out, utf8, bx_utf8_encode(utf8, c));
        }
        lxb_encoding_decode_buf_used_set_noi(&decode, 0);
    } while (!is_last);
}

const char *bx_decode_text(const char *label, bool is_html, struct bx_buf *io) {
    lxb_encoding_t by_bom = LXB_ENCODING_UTF_8;
    size_t skip = bom_size(io, &by_bom);
    const lxb_encoding_data_t *from = skip ? lxb_encoding_data(by_bom) : NULL;
    if (!from && label) {
        from = lxb_encoding_data_by_pre_name((const lxb_char_t *)label, strlen(label));
    }
    if (!from && is_html && io->len) {
        from = meta_encoding(io);
    }
    if (!from || from->encoding == LXB_ENCODING_REPLACEMENT ||
        from->encoding == LXB_ENCODING_X_USER_DEFINED) {
        bool is_utf8 = bx_utf8_valid(io->data, io->len);
        from = lxb_encoding_data(is_utf8 ? LXB_ENCODING_UTF_8 : LXB_ENCODING_WINDOWS_1252);
    }
    if (from->encoding == LXB_ENCODING_UTF_8 && !skip && bx_utf8_valid(io->data, io->len)) {
        return "utf-8";
    }
    struct bx_buf out = {0};
    bx_buf_reserve(&out, io->len + 16);
    out.data[0] = '\0';
    convert(from, io->data + skip, io->len - skip, &out);
    bx_buf_deinit(io);
    *io = out;
    return (const char *)from->name;
}
