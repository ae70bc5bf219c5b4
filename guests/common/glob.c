#include "common/glob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/utf8.h"

enum { MAX_ALTERNATIVES = 256 };

// One character; a byte that is not UTF-8 counts as one, outside of Unicode.
static uint32_t take(const char **at, const char *end) {
    size_t n = 0;
    uint32_t c = bx_utf8_decode(*at, (size_t)(end - *at), &n);
    if (!n) {
        c = 0x110000U + (unsigned char)**at;
        n = 1;
    }
    *at += n;
    return c;
}

static uint32_t take_literal(const char **at, const char *end) {
    if (**at == '\\' && *at + 1 < end) {
        ++*at;
    }
    return take(at, end);
}

// At '['. Sets *ret_end behind the closing bracket, or NULL when there is none ('[' is then
// itself).
static bool match_set(const char *p, const char *end, uint32_t c, const char **ret_end) {
    bool negated = p + 1 < end && (p[1] == '!' || p[1] == '^'), found = false;
    const char *at = p + 1 + negated, *first = at;
    *ret_end = NULL;
    while (at < end && (*at != ']' || at == first)) {
        uint32_t low = take_literal(&at, end), high = low;
        if (end - at >= 2 && at[0] == '-' && at[1] != ']') {
            at++;
            high = take_literal(&at, end);
        }
        found = found || (c >= low && c <= high);
    }
    if (at < end) {
        *ret_end = at + 1;
    }
    return found != negated;
}

// Does the pattern at *p, which is not a star, take one character of s? Moves both on if so.
static bool match_one(const char **p, const char *p_end, const char **s, const char *s_end) {
    const char *after_s = *s, *after_p = *p;
    uint32_t c = take(&after_s, s_end);
    bool ok;
    if (**p == '?') {
        after_p++;
        ok = true;
    } else if (**p == '[') {
        ok = match_set(*p, p_end, c, &after_p);
        if (!after_p) {
            after_p = *p + 1;
            ok = c == '[';
        }
    } else {
        ok = c == take_literal(&after_p, p_end);
    }
    if (ok) {
        *p = after_p;
        *s = after_s;
    }
    return ok;
}

static bool match_name(const char *p, const char *p_end, const char *s, const char *s_end) {
    const char *star_p = NULL, *star_s = NULL;
    while (s < s_end || p < p_end) {
        if (p < p_end && *p == '*') {
            star_p = ++p;
            star_s = s;
        } else if (p < p_end && s < s_end && match_one(&p, p_end, &s, s_end)) {
            continue;
        } else if (star_p && star_s < s_end) { // only the last star ever needs another try
            take(&star_s, s_end);
            p = star_p;
            s = star_s;
        } else {
            return false;
        }
    }
    return true;
}

static const char *part_end(const char *at) {
    const char *slash = strchr(at, '/');
    return slash ? slash : at + strlen(at);
}

static const char *next_part(const char *end) {
    return *end ? end + 1 : end;
}

// The same idea with folders for characters and ** for the star. is_prefix: may path be the start
// of something that matches?
static bool match_parts(const char *p, const char *s, bool is_prefix) {
    const char *star_p = NULL, *star_s = NULL;
    for (;;) {
        const char *p_end = part_end(p), *s_end = part_end(s);
        if (is_prefix && !*s) {
            return *p != '\0';
        }
        if (p_end - p == 2 && p[0] == '*' && p[1] == '*') {
            if (is_prefix) {
                return true;
            }
            p = next_part(p_end);
            if (!*p) {
                return *s != '\0';
            }
            star_p = p;
            star_s = s;
            continue;
        }
        if (!*p && !*s) {
            return true;
        }
        if (*p && *s && match_name(p, p_end, s, s_end)) {
            p = next_part(p_end);
            s = next_part(s_end);
            continue;
        }
        if (!star_p || !*star_s) {
            return false;
        }
        star_s = next_part(part_end(star_s));
        p = star_p;
        s = star_s;
    }
}

bool bx_glob_match_path(const char *pattern, const char *path) {
    return match_parts(pattern, path, false);
}

bool bx_glob_match_name(const char *pattern, const char *name) {
    return match_name(pattern, pattern + strlen(pattern), name, name + strlen(name));
}

bool bx_glob_matches(const struct bx_glob *glob, const char *path) {
    for (size_t i = 0; i < glob->n; i++) {
        if (bx_glob_match_path(glob->patterns[i], path)) {
            return true;
        }
    }
    return false;
}

bool bx_glob_may_match_below(const struct bx_glob *glob, const char *dir) {
    for (size_t i = 0; i < glob->n; i++) {
        if (match_parts(glob->patterns[i], strcmp(dir, ".") == 0 ? "" : dir, true)) {
            return true;
        }
    }
    return false;
}

// The end of the braces that open at p, and the first comma; NULL when they are not closed.
static const char *find_close(const char *p, const char *end) {
    int depth = 0;
    for (; p < end; p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '{') {
            depth++;
        } else if (*p == '}' && --depth == 0) {
            return p;
        }
    }
    return NULL;
}

static const char *find_comma(const char *p, const char *close) {
    int depth = 0;
    for (; p < close; p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '{') {
            depth++;
        } else if (*p == '}') {
            depth--;
        } else if (*p == ',' && depth == 0) {
            return p;
        }
    }
    return close;
}

static bool add(struct bx_glob *glob, const char *text, size_t len, const char **ret_why) {
    if (glob->n == MAX_ALTERNATIVES) {
        *ret_why = "has braces that stand for more than 256 patterns";
        return false;
    }
    glob->patterns = bx_realloc(glob->patterns, (glob->n + 1) * sizeof *glob->patterns);
    glob->patterns[glob->n++] = bx_strndup(text, len);
    return true;
}

static bool expand(struct bx_glob *glob, const char *text, size_t len, int depth,
                   const char **ret_why) {
    const char *end = text + len, *open = text;
    while (open < end && *open != '{') {
        open += 1 + (*open == '\\' && open + 1 < end);
    }
    if (open >= end) {
        return add(glob, text, len, ret_why);
    }
    const char *close = depth < 16 ? find_close(open, end) : NULL;
    if (!close) {
        *ret_why = depth < 16 ? "has a { that is not closed (write \\{ for the character itself)"
                              : "has too many braces";
        return false;
    }
    for (const char *at = open + 1; at <= close;) {
        const char *comma = find_comma(at, close);
        struct bx_buf one = {0};
        bx_buf_add(&one, text, (size_t)(open - text));
        bx_buf_add(&one, at, (size_t)(comma - at));
        bx_buf_add(&one, close + 1, (size_t)(end - close - 1));
        bool ok = expand(glob, one.data, one.len, depth + 1, ret_why);
        bx_buf_deinit(&one);
        if (!ok) {
            return false;
        }
        at = comma + 1;
    }
    return true;
}

bool bx_glob_parse(struct bx_glob *glob, const char *text, size_t len, const char **ret_why) {
    *glob = (struct bx_glob){0};
    if (memchr(text, '\0', len) || len > 4096) {
        *ret_why = "is not a file name pattern";
        return false;
    }
    if (expand(glob, text, len, 0, ret_why)) {
        return true;
    }
    bx_glob_deinit(glob);
    return false;
}

void bx_glob_deinit(struct bx_glob *glob) {
    for (size_t i = 0; i < glob->n; i++) {
        free(glob->patterns[i]);
    }
    free(glob->patterns);
    *glob = (struct bx_glob){0};
}

bool bx_glob_is_plain(const char *pattern) {
    return !strpbrk(pattern, "*?[{\\");
}

size_t bx_glob_plain_prefix(const char *pattern) {
    size_t special = strcspn(pattern, "*?[{\\"), prefix = 0;
    for (size_t i = 0; i < special; i++) {
        if (pattern[i] == '/') {
            prefix = i + 1;
        }
    }
    return prefix;
}
