#include "matcher.h"

#include <stdint.h>
#include <string.h>

#include <pcre2.h>

#include "common/guest.h"
#include "common/utf8.h"

enum {
    MATCH_LIMIT = 1000000,
    DEPTH_LIMIT = 20000,
    HEAP_LIMIT_KIB = 16384,
    MAX_PATTERN = 16384,
};

// Bytes do where characters would not make a difference; they are much cheaper.
static bool needs_utf(const struct bx_json *pattern, bool is_caseless) {
    for (size_t i = 0; i < pattern->len; i++) {
        char c = pattern->text[i], next = i + 1 < pattern->len ? pattern->text[i + 1] : '\0';
        if ((unsigned char)c >= 0x80 || c == '.' || (c == '[' && next == '^') ||
            (c == '\\' && next && strchr("pPXWSDNRCxoB", next))) {
            return true;
        }
    }
    return is_caseless && pattern->len == 0;
}

static bool does_not_compile(const struct bx_json *pattern, int code, size_t at,
                             struct bx_answer *answer) {
    PCRE2_UCHAR8 why[200];
    pcre2_get_error_message_8(code, why, sizeof why);
    size_t cut = bx_utf8_cut(pattern->text, pattern->len, at), from = cut > 40 ? cut - 40 : 0;
    while (from < cut && ((unsigned char)pattern->text[from] & 0xC0) == 0x80) {
        from++;
    }
    size_t rest = bx_utf8_cut(pattern->text + cut, pattern->len - cut, 40);
    return bx_answer_fail(
        answer,
        "The pattern does not compile: %s, at character %zu, here: %s%.*s>>>%.*s%s\n"
        "To search for a character such as ( [ { * + ? as it is, put a \\ before it.",
        (const char *)why, cut + 1, from ? "..." : "", (int)(cut - from), pattern->text + from,
        (int)rest, pattern->text + cut, rest < pattern->len - cut ? "..." : "");
}

// The whole pattern is plain text.
static bool is_plain(const struct bx_json *pattern, bool is_caseless) {
    for (size_t i = 0; i < pattern->len; i++) {
        unsigned char c = (unsigned char)pattern->text[i];
        if (!c || strchr("\\^$.[|()?*+{\n", c) || (is_caseless && c >= 0x80)) {
            return false;
        }
    }
    return true;
}

bool bx_matcher_open(struct bx_matcher *m, const struct bx_json *pattern, bool is_caseless,
                     bool is_multiline, struct bx_answer *answer) {
    *m = (struct bx_matcher){.is_multiline = is_multiline};
    if (!pattern->len) {
        return bx_answer_fail(answer, "pattern is empty: give a text or a regular expression.");
    }
    if (pattern->len > MAX_PATTERN) {
        return bx_answer_fail(answer, "pattern is too long (%zu bytes; the most is %d).",
                              pattern->len, MAX_PATTERN);
    }
    if (is_plain(pattern, is_caseless)) {
        bx_scout_init_plain(&m->scout, pattern->text, pattern->len, is_caseless);
        return true;
    }
    bool is_utf = needs_utf(pattern, is_caseless);
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;
    options |= is_caseless ? PCRE2_CASELESS : 0;
    options |= is_multiline ? PCRE2_MULTILINE | PCRE2_DOTALL : 0;
    options |= is_utf ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : 0;
    int code = 0;
    PCRE2_SIZE at = 0;
    m->code = pcre2_compile_8((PCRE2_SPTR8)pattern->text, pattern->len, options, &code, &at, NULL);
    if (!m->code) {
        return does_not_compile(pattern, code, at, answer);
    }
    m->data = pcre2_match_data_create_8(1, NULL);
    m->context = pcre2_match_context_create_8(NULL);
    if (!m->data || !m->context) {
        bx_die("The tool ran out of memory.");
    }
    pcre2_set_match_limit_8(m->context, MATCH_LIMIT);
    pcre2_set_depth_limit_8(m->context, DEPTH_LIMIT);
    pcre2_set_heap_limit_8(m->context, HEAP_LIMIT_KIB);
    bx_scout_init(&m->scout, pattern->text, pattern->len, is_caseless,
                  is_utf ? BX_TEXT_UTF : BX_TEXT_BYTES, false);
    return true;
}

enum bx_match bx_matcher_find(const struct bx_matcher *m, const char *text, size_t len, size_t from,
                              size_t *ret_start, size_t *ret_end) {
    if (!m->code) {
        size_t found = 0;
        const char *hit = bx_finder_find(m->scout.finder, text + from, text + len, &found);
        if (hit) {
            *ret_start = (size_t)(hit - text);
            *ret_end = *ret_start + found;
        }
        return hit ? BX_MATCH_FOUND : BX_MATCH_NONE;
    }
    int status = pcre2_match_8(m->code, (PCRE2_SPTR8)text, len, from, 0, m->data, m->context);
    if (status == PCRE2_ERROR_NOMATCH) {
        return BX_MATCH_NONE;
    }
    if (status < 0) {
        return BX_MATCH_TOO_COSTLY;
    }
    const PCRE2_SIZE *range = pcre2_get_ovector_pointer_8(m->data);
    *ret_start = range[0];
    *ret_end = range[1] > range[0] ? range[1] : range[0]; // \K can put the start behind the end
    return BX_MATCH_FOUND;
}
