// Patterns: * ? [ ] and the extended forms. The work is bounded, whatever the pattern.
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "bash/sh.h"
#include "common/utf8.h"

enum { MAX_STEPS = 2000000, MAX_NESTING = 60 };

struct matcher {
    unsigned flags;
    long steps;
};

size_t sh_char_length(const char *text, size_t len) {
    size_t n = bx_utf8_length(text, len);
    return n ? n : 1;
}

static uint32_t char_at(const char *text, size_t len, size_t *ret_n) {
    size_t n = bx_utf8_length(text, len);
    if (!n) {
        *ret_n = 1;
        return (unsigned char)*text |
               0x80000000U; // a byte that is no character matches itself only
    }
    return bx_utf8_decode(text, len, ret_n);
}

static uint32_t folded(const struct matcher *m, uint32_t c) {
    return m->flags & SH_MATCH_FOLD && c < 0x110000 ? (uint32_t)towlower((wint_t)c) : c;
}

static bool in_class(const char *name, size_t n, uint32_t c) {
    char text[16];
    if (n >= sizeof text) {
        return false;
    }
    memcpy(text, name, n);
    text[n] = '\0';
    if (strcmp(text, "word") == 0) {
        return c == '_' || (c < 0x110000 && iswalnum((wint_t)c));
    }
    if (strcmp(text, "ascii") == 0) {
        return c < 128;
    }
    wctype_t type = wctype(text);
    return type && c < 0x110000 && iswctype((wint_t)c, type);
}

// A bracket expression at pattern: its length, or 0 when it is none
static size_t bracket(const struct matcher *m, const char *pattern, size_t len, uint32_t c,
                      bool *ret_matches) {
    size_t at = 1;
    bool negated = at < len && (pattern[at] == '!' || pattern[at] == '^'), found = false,
         is_first = true;
    at += negated;
    c = folded(m, c);
    while (at < len && (pattern[at] != ']' || is_first)) {
        is_first = false;
        if (pattern[at] == '[' && at + 1 < len && pattern[at + 1] == ':') {
            const char *end = memmem(pattern + at + 2, len - at - 2, ":]", 2);
            if (end) {
                found |= in_class(pattern + at + 2, (size_t)(end - pattern) - at - 2, c);
                at = (size_t)(end - pattern) + 2;
                continue;
            }
        }
        at += pattern[at] == '\\' && at + 1 < len;
        size_t n;
        uint32_t low = char_at(pattern + at, len - at, &n), high = low;
        at += n;
        if (at + 1 < len && pattern[at] == '-' && pattern[at + 1] != ']') {
            at++;
            at += pattern[at] == '\\' && at + 1 < len;
            high = char_at(pattern + at, len - at, &n);
            at += n;
        }
        found |= c >= folded(m, low) && c <= folded(m, high);
    }
    if (at >= len) {
        return 0;
    }
    *ret_matches = found != negated;
    return at + 1;
}

// Where the ) of an extended pattern is, from behind the (; len when there is none
static size_t closing(const char *pattern, size_t len, size_t at) {
    int depth = 0;
    for (; at < len; at++) {
        if (pattern[at] == '\\') {
            at++;
        } else if (pattern[at] == '(') {
            depth++;
        } else if (pattern[at] == ')' && depth-- == 0) {
            return at;
        }
    }
    return len;
}

static bool match(struct matcher *m, const char *p, size_t pn, const char *t, size_t tn, int depth);

// One of the alternatives between from and to
static bool match_any(struct matcher *m, const char *p, size_t n, const char *t, size_t tn,
                      int depth) {
    size_t start = 0;
    int nesting = 0;
    for (size_t i = 0; i <= n; i++) {
        if (i < n && p[i] == '\\') {
            i++;
        } else if (i < n && p[i] == '(') {
            nesting++;
        } else if (i < n && p[i] == ')') {
            nesting--;
        } else if (i == n || (p[i] == '|' && nesting == 0)) {
            if (match(m, p + start, i - start, t, tn, depth + 1)) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

static bool match_extended(struct matcher *m, char kind, const char *inner, size_t inner_n,
                           const char *rest, size_t rest_n, const char *t, size_t tn, int depth) {
    if (depth > MAX_NESTING || --m->steps < 0) {
        return false;
    }
    if ((kind == '*' || kind == '?') && match(m, rest, rest_n, t, tn, depth + 1)) {
        return true;
    }
    for (size_t n = 0; n <= tn; n++) {
        bool is_one = match_any(m, inner, inner_n, t, n, depth + 1);
        if (is_one == (kind == '!')) {
            continue;
        }
        if (match(m, rest, rest_n, t + n, tn - n, depth + 1)) {
            return true;
        }
        if ((kind == '*' || kind == '+') && n &&
            match_extended(m, '*', inner, inner_n, rest, rest_n, t + n, tn - n, depth + 1)) {
            return true;
        }
    }
    return false;
}

static bool match(struct matcher *m, const char *p, size_t pn, const char *t, size_t tn,
                  int depth) {
    const char *star_p = NULL, *star_t = NULL, *p_end = p + pn, *t_end = t + tn;
    if (depth > MAX_NESTING) {
        return false;
    }
    for (;;) {
        if (--m->steps < 0) {
            return false;
        }
        size_t left = (size_t)(p_end - p), n = 1, c_n = 1;
        bool is_extended =
            m->flags & SH_MATCH_EXT && left > 1 && p[1] == '(' && strchr("@?*+!", *p);
        size_t close = is_extended ? closing(p, left, 2) : left;
        bool matches = false;
        if (is_extended && close < left) {
            if (match_extended(m, *p, p + 2, close - 2, p + close + 1, left - close - 1, t,
                               (size_t)(t_end - t), depth)) {
                return true;
            }
        } else if (left && *p == '*') {
            while (p < p_end && *p == '*' &&
                   !(m->flags & SH_MATCH_EXT && p + 1 < p_end && p[1] == '(')) {
                p++;
            }
            if (p == p_end) {
                return true;
            }
            star_p = p;
            star_t = t;
            continue;
        } else if (left && t < t_end) {
            uint32_t c = char_at(t, (size_t)(t_end - t), &c_n);
            if (*p == '?') {
                matches = true;
            } else if (*p == '[' && (n = bracket(m, p, left, c, &matches))) {
                ;
            } else {
                size_t skip = *p == '\\' && left > 1;
                uint32_t wanted = char_at(p + skip, left - skip, &n);
                matches = folded(m, wanted) == folded(m, c);
                n += skip;
            }
        } else if (!left && t == t_end) {
            return true;
        }
        if (matches) {
            p += n;
            t += c_n;
            continue;
        }
        if (!star_p || star_t >= t_end) {
            return false;
        }
        star_t += sh_char_length(star_t, (size_t)(t_end - star_t));
        p = star_p;
        t = star_t;
    }
}

bool sh_match(const char *pattern, const char *text, size_t len, unsigned flags) {
    struct matcher m = {flags, MAX_STEPS};
    return match(&m, pattern, strlen(pattern), text, len, 0);
}

bool sh_has_pattern(const char *pattern, bool ext) {
    for (const char *c = pattern; *c; c++) {
        if (*c == '\\' && c[1]) {
            c++;
        } else if (*c == '*' || *c == '?' || (*c == '[' && strchr(c + 1, ']')) ||
                   (ext && c[1] == '(' && strchr("@+!", *c))) {
            return true;
        }
    }
    return false;
}

char *sh_unescape(struct sh *sh, const char *pattern) {
    char *text = sh_arena_alloc(&sh->scratch, strlen(pattern) + 1), *out = text;
    for (const char *c = pattern; *c; c++) {
        c += *c == '\\' && c[1];
        *out++ = *c;
    }
    return text;
}
