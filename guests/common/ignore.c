#include "common/ignore.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/file.h"
#include "common/glob.h"
#include "common/path.h"

enum { MAX_IGNORE_BYTES = 1 << 20 };

struct rule {
    char *pattern;
    bool is_negated;
    bool is_dir_only;
    bool is_path; // has a slash: counts from the folder of the file, else any name below it
};

struct bx_ignore {
    const struct bx_ignore *above;
    size_t dir_len; // to cut from a path, with its slash
    struct rule *rules;
    size_t n;
};

static void add_line(struct bx_ignore *ignore, char *line, size_t len) {
    struct rule rule = {0};
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\r' || line[len - 1] == '\t') &&
           !(len > 1 && line[len - 2] == '\\')) {
        len--;
    }
    if (!len || line[0] == '#') {
        return;
    }
    if (line[0] == '!') {
        rule.is_negated = true;
        line++;
        len--;
    }
    if (len && line[len - 1] == '/') {
        rule.is_dir_only = true;
        len--;
    }
    rule.is_path = memchr(line, '/', len) != NULL;
    if (len && line[0] == '/') {
        line++;
        len--;
    }
    if (!len) {
        return;
    }
    rule.pattern = bx_strndup(line, len);
    ignore->rules = bx_realloc(ignore->rules, (ignore->n + 1) * sizeof rule);
    ignore->rules[ignore->n++] = rule;
}

static bool load_file(const char *path, struct bx_buf *ret) {
    struct stat st;
    if (!bx_path_is_text(path) || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    size_t size = st.st_size < MAX_IGNORE_BYTES ? (size_t)st.st_size : MAX_IGNORE_BYTES;
    bx_buf_reserve(ret, size);
    ssize_t got = bx_file_read(fd, ret->data, size);
    close(fd);
    ret->len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static const struct bx_ignore *load(const char *dir, const char *name,
                                    const struct bx_ignore *above) {
    struct bx_buf text = {0};
    char *path = bx_path_join(dir, name);
    struct bx_ignore *ignore = NULL;
    if (load_file(path, &text)) {
        ignore = bx_alloc(sizeof *ignore);
        *ignore = (struct bx_ignore){.above = above};
        ignore->dir_len = strcmp(dir, ".") == 0 ? 0 : strlen(dir) + 1;
        char *at = text.data, *end = at + text.len;
        at += text.len >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
        while (at < end) {
            char *newline = memchr(at, '\n', (size_t)(end - at));
            size_t len = (size_t)((newline ? newline : end) - at);
            if (!memchr(at, '\0', len)) {
                add_line(ignore, at, len);
            }
            at += len + 1;
        }
    }
    bx_buf_deinit(&text);
    free(path);
    return ignore ? ignore : above;
}

const struct bx_ignore *bx_ignore_load(const char *dir, const struct bx_ignore *above) {
    return load(dir, ".gitignore", load(dir, ".git/info/exclude", above));
}

void bx_ignore_free(const struct bx_ignore *rules, const struct bx_ignore *above) {
    while (rules != above) {
        const struct bx_ignore *next = rules->above;
        for (size_t i = 0; i < rules->n; i++) {
            free(rules->rules[i].pattern);
        }
        free(rules->rules);
        free((void *)(uintptr_t)rules);
        rules = next;
    }
}

bool bx_ignore_test(const struct bx_ignore *rules, const char *path, bool is_dir) {
    const char *name = bx_path_name(path);
    for (; rules; rules = rules->above) {
        for (size_t i = rules->n; i > 0; i--) {
            const struct rule *rule = &rules->rules[i - 1];
            if (rule->is_dir_only && !is_dir) {
                continue;
            }
            if (rule->is_path ? bx_glob_match_path(rule->pattern, path + rules->dir_len)
                              : bx_glob_match_name(rule->pattern, name)) {
                return !rule->is_negated;
            }
        }
    }
    return false;
}
