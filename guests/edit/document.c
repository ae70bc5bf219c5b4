#include "document.h"

#include <stdlib.h>
#include <string.h>

#include "common/guest.h"
#include "common/path.h"
#include "common/utf8.h"

static bool decode_utf16(struct bx_document *doc, const struct bx_buf *bytes) {
    struct bx_utf16 state = {.is_big = doc->encoding == BX_ENCODING_UTF16BE};
    bx_utf16_decode(&state, bytes->data + 2, bytes->len - 2, &doc->text);
    return !state.is_lossy && !state.has_byte && !state.high;
}

bool bx_document_open(struct bx_document *doc, const char *path, struct bx_buf *take_bytes,
                      struct bx_answer *answer) {
    const char *data = take_bytes->data;
    size_t len = take_bytes->len, n_crlf = 0;
    bool ok = true;
    *doc = (struct bx_document){.encoding = bx_text_encoding(data, len)};
    size_t bom = bx_text_bom_size(doc->encoding);
    // the start of the file looked like UTF-8; only all of it tells
    if (doc->encoding == BX_ENCODING_UTF8 && !bx_utf8_valid(data, len)) {
        doc->encoding = BX_ENCODING_LATIN1;
    }
    switch (doc->encoding) {
    case BX_ENCODING_BINARY:
        ok = bx_answer_fail(answer, "%s is %s, not text; edit cannot change it.",
                            bx_path_show(path), bx_text_kind(data, len).name);
        break;
    case BX_ENCODING_UTF16LE:
    case BX_ENCODING_UTF16BE:
        ok = decode_utf16(doc, take_bytes) ||
             bx_answer_fail(answer, "%s is damaged UTF-16; edit cannot change it without loss.",
                            bx_path_show(path));
        break;
    case BX_ENCODING_LATIN1:
        bx_latin1_decode(data, len, &doc->text);
        break;
    case BX_ENCODING_UTF8:
    case BX_ENCODING_UTF8_BOM:
        bx_buf_add(&doc->text, data + bom, len - bom);
        if (!bx_utf8_valid(doc->text.data, doc->text.len)) { // only behind a BOM
            ok = bx_answer_fail(answer, "%s says it is UTF-8 and is not; edit cannot change it.",
                                bx_path_show(path));
        }
        break;
    }
    bx_buf_deinit(take_bytes);
    for (size_t i = 1; i < doc->text.len; i++) {
        n_crlf += doc->text.data[i] == '\n' && doc->text.data[i - 1] == '\r';
    }
    doc->is_crlf = ok && n_crlf && n_crlf * 2 >= bx_text_count(doc->text.data, doc->text.len, '\n');
    return ok;
}

bool bx_document_encode(const struct bx_document *doc, const char *path, struct bx_buf *out,
                        struct bx_answer *answer) {
    const char *text = doc->text.data;
    size_t len = doc->text.len;
    switch (doc->encoding) {
    case BX_ENCODING_UTF16LE:
    case BX_ENCODING_UTF16BE:
        bx_buf_add(out, doc->encoding == BX_ENCODING_UTF16BE ? "\xFE\xFF" : "\xFF\xFE", 2);
        bx_utf16_encode(text, len, doc->encoding == BX_ENCODING_UTF16BE, out);
        return true;
    case BX_ENCODING_LATIN1:
        return bx_latin1_encode(text, len, out) ||
               bx_answer_fail(answer,
                              "%s is not UTF-8 (it was read as Latin-1), and new_string has a "
                              "character that Latin-1 does not have. Use ASCII there, or rewrite "
                              "the whole file as UTF-8 with write.",
                              bx_path_show(path));
    default:
        bx_buf_add(out, "\xEF\xBB\xBF", bx_text_bom_size(doc->encoding));
        bx_buf_add(out, text, len);
        return true;
    }
}
