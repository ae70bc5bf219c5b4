#include "base/glob.h"

/* Two places to come back to are enough: the last `*`, which may not eat a slash, and the last
 * `**`, which may. A `**` before the last one need not be tried again: whatever it would eat more,
 * the last one can eat as well. */
bool bx_glob_path(const char *pattern, const char *path) {
    const char *p = pattern, *t = path;
    const char *star_p = NULL, *star_t = NULL, *deep_p = NULL, *deep_t = NULL;
    bool folders = false; /* the last `**` is one between slashes: it eats whole folders */
    for (;;) {
        if (p[0] == '*' && p[1] == '*') {
            folders = p[2] == '/' && (p == pattern || p[-1] == '/');
            p += folders ? 3 : 2;
            deep_p = p;
            deep_t = t;
            star_p = NULL;
        } else if (*p == '*') {
            star_p = ++p;
            star_t = t;
        } else if (!*t && !*p) {
            return true;
        } else if (!*t && strcmp(p, "/**") == 0) {
            return true;
        } else if (*t && (*p == *t || (*p == '?' && *t != '/'))) {
            p++;
            t++;
        } else if (star_p && *star_t && *star_t != '/') {
            p = star_p;
            t = ++star_t;
        } else if (deep_p && *deep_t) {
            deep_t = folders ? strchr(deep_t, '/') : deep_t;
            if (!deep_t)
                return false;
            p = deep_p;
            t = ++deep_t;
            star_p = NULL;
        } else {
            return false;
        }
    }
}

bool bx_glob_text(const char *pattern, struct bx_str text) {
    const char *p = pattern, *star = NULL;
    size_t t = 0, star_t = 0;
    for (;;) {
        if (*p == '*') {
            star = ++p;
            star_t = t;
        } else if (t == text.n && !*p) {
            return true;
        } else if (t < text.n && *p == text.p[t]) {
            p++;
            t++;
        } else if (star && star_t < text.n) {
            p = star;
            t = ++star_t;
        } else {
            return false;
        }
    }
}
