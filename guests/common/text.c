#include "common/text.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

enum { SNIFF_BYTES = 8192 };

static bool starts(const char *start, size_t n, const char *magic, size_t magic_len) {
    return n >= magic_len && memcmp(start, magic, magic_len) == 0;
}

enum bx_encoding bx_text_family(const char *start, size_t n) {
    if (starts(start, n, "\xEF\xBB\xBF", 3)) {
        return BX_ENCODING_UTF8_BOM;
    }
    if (starts(start, n, "\xFF\xFE", 2) && !starts(start, n, "\xFF\xFE\0\0", 4)) {
        return BX_ENCODING_UTF16LE;
    }
    if (starts(start, n, "\xFE\xFF", 2)) {
        return BX_ENCODING_UTF16BE;
    }
    if (memchr(start, '\0', n < SNIFF_BYTES ? n : SNIFF_BYTES)) {
        return BX_ENCODING_BINARY;
    }
    return BX_ENCODING_UTF8;
}

enum bx_encoding bx_text_encoding(const char *start, size_t n) {
    enum bx_encoding family = bx_text_family(start, n);
    if (family != BX_ENCODING_UTF8) {
        return family;
    }
    for (size_t cut = 0; cut < 4 && cut <= n; cut++) {
        if (bx_utf8_valid(start, n - cut)) {
            return cut && n < SNIFF_BYTES ? BX_ENCODING_LATIN1 : BX_ENCODING_UTF8;
        }
    }
    return BX_ENCODING_LATIN1;
}

const char *bx_text_encoding_name(enum bx_encoding encoding) {
    static const char *const names[] = {"utf-8",    "utf-8-bom", "utf-16le",
                                        "utf-16be", "latin-1",   "binary"};
    return names[encoding];
}

size_t bx_text_bom_size(enum bx_encoding encoding) {
    static const size_t sizes[] = {0, 3, 2, 2, 0, 0};
    return sizes[encoding];
}

struct bx_kind bx_text_kind(const char *start, size_t n) {
    static const struct {
        const char *magic;
        size_t len;
        struct bx_kind kind;
    } kinds[] = {
        {"\x89PNG\r\n\x1a\n", 8, {"a PNG image", "image/png", NULL, true}},
        {"\xFF\xD8\xFF", 3, {"a JPEG image", "image/jpeg", NULL, true}},
        {"GIF87a", 6, {"a GIF image", "image/gif", NULL, true}},
        {"GIF89a", 6, {"a GIF image", "image/gif", NULL, true}},
        {"%PDF-",
         5,
         {"a PDF document", NULL,
          "Its text has to be taken out of it by another program (such as pdftotext) first; then "
          "that file can be read.",
          true}},
        {"PK\3\4", 4, {"a ZIP archive (or a document packed as one)", NULL, NULL, true}},
        {"\x1f\x8b",
         2,
         {"gzip data", NULL, "In bash: gzip -dc, or tar -tzf for an archive.", true}},
        {"\x28\xb5\x2f\xfd", 4, {"zstd data", NULL, NULL, false}},
        {"\xFD"
         "7zXZ",
         5,
         {"xz data", NULL, NULL, false}},
        {"\x7f"
         "ELF",
         4,
         {"an ELF program or library", NULL, NULL, false}},
        {"\0asm", 4, {"a WebAssembly module", NULL, NULL, false}},
        {"MZ", 2, {"a Windows program", NULL, NULL, false}},
        {"SQLite format 3", 16, {"an SQLite database", NULL, NULL, false}},
        {"BM", 2, {"a BMP image", NULL, NULL, false}},
    };
    if (starts(start, n, "RIFF", 4) && n >= 12 && memcmp(start + 8, "WEBP", 4) == 0) {
        return (struct bx_kind){"a WebP image", "image/webp", NULL, true};
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (starts(start, n, kinds[i].magic, kinds[i].len)) {
            return kinds[i].kind;
        }
    }
    return (struct bx_kind){"binary data", NULL,
                            "In bash, xxd shows its bytes and strings its texts.", false};
}

static void put_char(struct bx_buf *out, uint32_t c) {
    char bytes[4];
    bx_buf_add(out, bytes, bx_utf8_encode(bytes, c));
}

static void utf16_unit(struct bx_utf16 *state, uint32_t unit, struct bx_buf *out) {
    bool is_low = unit >= 0xDC00 && unit < 0xE000;
    if (state->high && is_low) {
        put_char(out, 0x10000 + ((state->high - 0xD800) << 10) + (unit - 0xDC00));
        state->high = 0;
        return;
    }
    if (state->high || is_low) {
        put_char(out, 0xFFFD);
        state->is_lossy = true;
        state->high = 0;
        if (is_low) {
            return;
        }
    }
    if (unit >= 0xD800 && unit < 0xDC00) {
        state->high = unit;
    } else {
        put_char(out, unit);
    }
}

void bx_utf16_decode(struct bx_utf16 *state, const char *bytes, size_t n, struct bx_buf *out) {
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (!state->has_byte) {
            state->byte = byte;
            state->has_byte = true;
            continue;
        }
        state->has_byte = false;
        utf16_unit(state,
                   state->is_big ? (uint32_t)state->byte << 8 | byte
                                 : (uint32_t)byte << 8 | state->byte,
                   out);
    }
}

static void put_unit(struct bx_buf *out, uint32_t unit, bool is_big) {
    bx_buf_add_char(out, (char)(is_big ? unit >> 8 : unit & 0xFF));
    bx_buf_add_char(out, (char)(is_big ? unit & 0xFF : unit >> 8));
}

void bx_utf16_encode(const char *utf8, size_t n, bool is_big, struct bx_buf *out) {
    for (size_t at = 0; at < n;) {
        size_t len = 1;
        uint32_t c = bx_utf8_decode(utf8 + at, n - at, &len);
        if (c >= 0x10000) {
            put_unit(out, 0xD800 + ((c - 0x10000) >> 10), is_big);
            put_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF), is_big);
        } else {
            put_unit(out, c, is_big);
        }
        at += len ? len : 1;
    }
}

void bx_latin1_decode(const char *bytes, size_t n, struct bx_buf *out) {
    for (size_t i = 0; i < n; i++) {
        put_char(out, (unsigned char)bytes[i]);
    }
}

bool bx_latin1_encode(const char *utf8, size_t n, struct bx_buf *out) {
    for (size_t at = 0; at < n;) {
        size_t len = 0;
        uint32_t c = bx_utf8_decode(utf8 + at, n - at, &len);
        if (!len || c > 0xFF) {
            return false;
        }
        bx_buf_add_char(out, (char)c);
        at += len;
    }
    return true;
}

void bx_base64_encode(const char *bytes, size_t n, struct bx_buf *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bx_buf_reserve(out, n / 3 * 4 + 4);
    for (size_t at = 0; at < n; at += 3) {
        uint32_t three = 0;
        for (size_t i = 0; i < 3; i++) {
            three = three << 8 | (at + i < n ? (unsigned char)bytes[at + i] : 0);
        }
        for (size_t i = 0; i < 4; i++) {
            bool is_pad = at + i > n;
            bx_buf_add_char(out, is_pad ? '=' : digits[three >> (18 - 6 * i) & 63]);
        }
    }
}

size_t bx_text_count(const char *text, size_t n, char c) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) { // the compiler makes SIMD of this
        count += text[i] == c;
    }
    return count;
}

const char *bx_text_size(unsigned long long n_bytes, char *out) {
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    unsigned long long tenths = n_bytes * 10 / 1024;
    size_t unit = 0;
    if (n_bytes < 1024) {
        snprintf(out, 32, "%llu byte%s", n_bytes, n_bytes == 1 ? "" : "s");
        return out;
    }
    while (tenths >= 10240 && unit < 3) {
        tenths /= 1024;
        unit++;
    }
    snprintf(out, 32, "%llu.%llu %s", tenths / 10, tenths % 10, units[unit]);
    return out;
}
