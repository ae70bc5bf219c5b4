#include "matcher.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pcre2.h>

#include "common/guest.h"
#include "common/utf8.h"

enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 20000, HEAP_LIMIT_KIB = 16384, MAX_PATTERN = 16384 };

typedef unsigned char lanes __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t halves __attribute__((vector_size(16)));

const char *bx_matcher_memmem(const char *text, size_t len, const char *needle, size_t needle_len) {
    if (len < needle_len) {
        return NULL;
    }
    // places where the first and the last byte fit, sixteen at a time; only those are compared
    size_t i = 0, n = len - needle_len + 1;
    unsigned char first = (unsigned char)needle[0], last = (unsigned char)needle[needle_len - 1];
    lanes firsts, lasts;
    memset(&firsts, first, sizeof firsts);
    memset(&lasts, last, sizeof lasts);
    for (; i + 16 <= n; i += 16) {
        lanes hits = (lanes)((*(const lanes *)(text + i) == firsts) &
                             (*(const lanes *)(text + i + needle_len - 1) == lasts));
        halves any = (halves)hits;
        if (!(any[0] | any[1])) {
            continue;
        }
        for (size_t j = 0; j < 16; j++) {
            if (hits[j] && memcmp(text + i + j, needle, needle_len) == 0) {
                return text + i + j;
            }
        }
    }
    for (; i < n; i++) {
        if (memcmp(text + i, needle, needle_len) == 0) {
            return text + i;
        }
    }
    return NULL;
}

static bool is_special(char c) {
    return c == '\0' || strchr("\\^$.[|()?*+{", c) != NULL;
}

// Behind the [set] or (group) that opens at i; 0 when it is not clear where that is.
static size_t skip_bracket(const char *p, size_t len, size_t i) {
    size_t depth = 0;
    for (; i < len; i++) {
        if (p[i] == '\\') {
            i++;
        } else if (p[i] == '[') {
            if (i + 1 < len && (p[i + 1] == ':' || p[i + 1] == '^')) {
                i++;
            }
            if (i + 1 < len && p[i + 1] == ']') {
                i++; // a bracket that stands first is itself
            }
            while (++i < len && p[i] != ']') {
                i += p[i] == '\\';
                if (p[i] == '[') {
                    return 0; // [[:alpha:]]
                }
            }
        } else if (p[i] == '(') {
            if (i + 1 < len &&
                (p[i + 1] == '*' ||
                 (p[i + 1] == '?' && (i + 2 == len || !strchr(":=!<>", p[i + 2]))))) {
                return 0; // options, comments, conditions, recursion
            }
            depth++;
        } else if (p[i] == ')') {
            depth -= depth > 0;
        }
        if (!depth) {
            return i < len ? i + 1 : 0;
        }
    }
    return 0;
}

// Behind the run that ends at a special character: how much of it every match must hold.
static size_t required_part(const char *p, size_t start, size_t end, size_t len) {
    size_t n = end - start;
    if (end < len && n && (p[end] == '?' || p[end] == '*' || p[end] == '{')) {
        n--; // what stands before it may be there no time
        while (n && ((unsigned char)p[start + n] & 0xC0) == 0x80) {
            n--;
        }
    }
    return n;
}

/*
 * The longest run of characters that every match must hold. Careful rather than clever: sets,
 * groups and escapes end a run; an alternative at the top, or anything unclear, means there is
 * none.
 */
static void find_literal(struct bx_matcher *m, const struct bx_json *pattern) {
    const char *p = pattern->text;
    size_t len = pattern->len, best = 0, best_at = 0, start = 0;
    for (size_t i = 0; i <= len;) {
        if (i < len && !is_special(p[i])) {
            i++;
            continue;
        }
        size_t n = required_part(p, start, i, len);
        if (n > best) {
            best = n;
            best_at = start;
        }
        if (i == len) {
            break;
        }
        if (p[i] == '|' || p[i] == ')') {
            return;
        }
        if (p[i] == '(' || p[i] == '[') {
            i = skip_bracket(p, len, i);
            if (!i) {
                return;
            }
        } else if (p[i] == '\\') {
            char c = i + 1 < len ? p[i + 1] : '\0';
            if (!c || !strchr("bBwWdDsS.()[]{}*+?|^$/\\-_\"'", c)) {
                return; // \Q, \x41, \1 and the like: what follows is not plain text
            }
            i += 2;
        } else if (p[i] == '{') {
            while (i < len && p[i] != '}') {
                i++;
            }
            i += i < len;
        } else {
            i++;
        }
        start = i;
    }
    if (best) {
        m->literal = p + best_at;
        m->literal_len = best;
        m->is_plain = best == len && !memchr(p, '\n', len);
    }
}

// Bytes do where characters would not make a difference; they are much cheaper.
static bool needs_utf(const struct bx_json *pattern, bool is_caseless) {
    for (size_t i = 0; i < pattern->len; i++) {
        char c = pattern->text[i], next = i + 1 < pattern->len ? pattern->text[i + 1] : '\0';
        if ((unsigned char)c >= 0x80 || c == '.' || (c == '[' && next == '^') ||
            (c == '\\' && next && strchr("pPXWSDNRCxo", next))) {
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
    if (!is_caseless) {
        find_literal(m, pattern);
    }
    if (m->is_plain) {
        return true;
    }
    uint32_t options = PCRE2_NEVER_BACKSLASH_C;
    options |= is_caseless ? PCRE2_CASELESS : 0;
    options |= is_multiline ? PCRE2_MULTILINE | PCRE2_DOTALL : 0;
    options |= needs_utf(pattern, is_caseless) ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : 0;
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
    return true;
}

enum bx_match bx_matcher_find(const struct bx_matcher *m, const char *text, size_t len, size_t from,
                              size_t *ret_start, size_t *ret_end) {
    if (m->is_plain) {
        const char *hit = bx_matcher_memmem(text + from, len - from, m->literal, m->literal_len);
        if (hit) {
            *ret_start = (size_t)(hit - text);
            *ret_end = *ret_start + m->literal_len;
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
