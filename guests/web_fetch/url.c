#include "web_fetch/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"

#define MAX_URL 8192

static bool is_blank(char c) {
    return (unsigned char)c <= ' ';
}

/* Without blanks at the ends and line breaks inside, and with what may not stand in a URL
 * percent-encoded. */
static void clean(struct bx_buf *out, const char *text, size_t len) {
    while (len && is_blank(text[0])) {
        text++, len--;
    }
    while (len && is_blank(text[len - 1])) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\t' || c == '\n' || c == '\r') {
            continue;
        }
        if (c <= ' ' || c >= 0x7f || strchr("\"<>`{}|^", c)) {
            bx_buf_add_fmt(out, "%%%02X", c);
        } else {
            bx_buf_add_char(out, (char)c);
        }
    }
    bx_buf_reserve(out, 1);
    out->data[out->len] = '\0';
}

/* The length of "scheme" before ":", 0 when there is none. */
static size_t scheme_of(const char *text) {
    size_t n = 0;
    if (!isalpha((unsigned char)text[0])) {
        return 0;
    }
    while (isalnum((unsigned char)text[n]) || strchr("+-.", text[n] ? text[n] : ' ')) {
        n++;
    }
    return text[n] == ':' ? n : 0;
}

/* "/a/./b/../c" -> "/a/c"; what stands behind "?" is left alone. */
static void add_path(struct bx_buf *out, const char *path, size_t len) {
    size_t start = out->len;
    for (size_t at = 0; at < len;) {
        size_t end = at + 1;
        while (end < len && path[end] != '/') {
            end++;
        }
        size_t n = end - at - 1;
        const char *part = path + at + 1;
        bool is_last = end == len;
        if (n == 2 && memcmp(part, "..", 2) == 0) {
            while (out->len > start && out->data[--out->len] != '/') {
            }
            if (is_last) {
                bx_buf_add_char(out, '/');
            }
        } else if (n == 1 && part[0] == '.') {
            if (is_last) {
                bx_buf_add_char(out, '/');
            }
        } else {
            bx_buf_add(out, path + at, n + 1);
        }
        at = end;
    }
    if (out->len == start) {
        bx_buf_add_char(out, '/');
    }
}

static bool take_authority(const char *from, size_t len, struct bx_url *ret, const char **ret_why) {
    const char *at = memchr(from, '@', len);
    if (at) {
        *ret_why = "holds a user name or password, which is refused";
        return false;
    }
    if (!len || from[0] == ':') {
        *ret_why = "has no host";
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)from[i]) && !strchr("-._~:[]", from[i])) {
            *ret_why = "has a host name with characters that cannot be in one; write "
                       "international names in their xn-- form";
            return false;
        }
    }
    ret->authority = bx_strndup(from, len);
    for (char *c = ret->authority; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    const char *usual = ret->is_https ? ":443" : ":80";
    size_t n = strlen(usual);
    if (len > n && strcmp(ret->authority + len - n, usual) == 0) {
        ret->authority[len - n] = '\0';
    }
    return true;
}

static bool parse_clean(const char *text, struct bx_url *ret, const char **ret_why) {
    size_t scheme = scheme_of(text);
    *ret = (struct bx_url){.is_https = true};
    if (scheme && strncmp(text + scheme, "://", 3) == 0) {
        ret->is_https = scheme == 5 && strncasecmp(text, "https", 5) == 0;
        if (!ret->is_https && !(scheme == 4 && strncasecmp(text, "http", 4) == 0)) {
            *ret_why = "is not an http or https URL";
            return false;
        }
        text += scheme + 3;
    } else if (scheme && !isdigit((unsigned char)text[scheme + 1])) {
        *ret_why = "is not an http or https URL";
        return false;
    }
    size_t len = strcspn(text, "/?#\\");
    if (!take_authority(text, len, ret, ret_why)) {
        return false;
    }
    struct bx_buf target = {0};
    const char *path = text + len;
    size_t whole = strcspn(path, "#"), path_len = strcspn(path, "?#");
    if (!path_len) {
        bx_buf_add_char(&target, '/');
    } else {
        char *copy = bx_strndup(path, path_len);
        for (char *c = copy; *c; c++) {
            *c = *c == '\\' ? '/' : *c; // as browsers do
        }
        add_path(&target, copy, path_len);
        free(copy);
    }
    bx_buf_add(&target, path + path_len, whole - path_len);
    ret->target = target.data;
    return true;
}

bool bx_url_parse(const char *text, size_t len, struct bx_url *ret, const char **ret_why) {
    struct bx_buf plain = {0};
    clean(&plain, text, len);
    if (!plain.len) {
        *ret_why = "is empty";
        return false;
    }
    if (plain.len > MAX_URL) {
        *ret_why = "is longer than 8192 bytes";
        return false;
    }
    bool is_good = parse_clean(plain.data, ret, ret_why);
    bx_buf_deinit(&plain);
    return is_good;
}

char *bx_url_text(const struct bx_url *url) {
    struct bx_buf text = {0};
    bx_buf_add_fmt(&text, "%s://%s%s", url->is_https ? "https" : "http", url->authority,
                   url->target);
    return text.data;
}

char *bx_url_host(const struct bx_url *url) {
    const char *a = url->authority, *end = a[0] == '[' ? strchr(a, ']') : strchr(a, ':');
    size_t n = !end ? strlen(a) : (size_t)(end - a) + (a[0] == '[');
    return bx_strndup(a, n);
}

/* base is "scheme://authority/…": where the authority and the path end */
static void base_parts(const char *base, size_t *ret_authority, size_t *ret_path) {
    const char *from = strstr(base, "://");
    size_t at = from ? (size_t)(from - base) + 3 : 0;
    *ret_authority = at + strcspn(base + at, "/?#");
    *ret_path = *ret_authority + strcspn(base + *ret_authority, "?#");
}

static char *resolve(const char *base, const char *link) {
    struct bx_buf out = {0};
    size_t authority, path, scheme = scheme_of(link);
    base_parts(base, &authority, &path);
    if (scheme) {
        bool is_http = (scheme == 4 && strncasecmp(link, "http", 4) == 0) ||
                       (scheme == 5 && strncasecmp(link, "https", 5) == 0);
        if (!is_http || strncmp(link + scheme, "://", 3) != 0) {
            return NULL;
        }
        bx_buf_add_str(&out, link);
        return out.data;
    }
    size_t own = strcspn(link, "?#");
    if (link[0] == '/' && link[1] == '/') {
        bx_buf_add(&out, base, (size_t)(strchr(base, ':') - base) + 1);
        bx_buf_add_str(&out, link);
        return out.data;
    }
    if (link[0] == '#') {
        bx_buf_add(&out, base, strcspn(base, "#"));
        bx_buf_add_str(&out, link);
        return out.data;
    }
    bx_buf_add(&out, base, authority);
    if (link[0] == '/') {
        add_path(&out, link, own);
    } else if (link[0] == '?' || !link[0]) {
        bx_buf_add(&out, base + authority, path - authority);
    } else {
        struct bx_buf joined = {0};
        size_t folder = path;
        while (folder > authority && base[folder - 1] != '/') {
            folder--;
        }
        bx_buf_add(&joined, base + authority, folder - authority);
        if (!joined.len) {
            bx_buf_add_char(&joined, '/');
        }
        bx_buf_add(&joined, link, own);
        add_path(&out, joined.data, joined.len);
        bx_buf_deinit(&joined);
    }
    bx_buf_add_str(&out, link + own);
    return out.data;
}

char *bx_url_resolve(const char *base, const char *link, size_t len) {
    struct bx_buf plain = {0};
    if (len > MAX_URL) {
        return NULL;
    }
    clean(&plain, link, len);
    char *whole = resolve(base, plain.data);
    bx_buf_deinit(&plain);
    return whole;
}

char *bx_url_redirect(const char *base, const char *location) {
    return bx_url_resolve(base, location, strlen(location));
}
