// sed_lines.c - sed: the lines that come in, and what goes out
#include "programs/sed.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct tool_buf appended;

// --- input

void sed_close(void) {
    if (!sed.temporary) {
        return;
    }
    fclose(sed.out);
    if (sed.suffix && *sed.suffix) {
        struct tool_buf kept = {0};
        const char *slash = strrchr(sed.name, '/'), *base = slash ? slash + 1 : sed.name;
        tool_put(&kept, sed.name, (size_t)(base - sed.name));
        if (strchr(sed.suffix, '*')) {
            for (const char *s = sed.suffix; *s; s++) {
                if (*s == '*') {
                    tool_puts(&kept, base);
                } else {
                    tool_putc(&kept, *s);
                }
            }
        } else {
            tool_puts(&kept, base);
            tool_puts(&kept, sed.suffix);
        }
        rename(sed.name, kept.p);
        free(kept.p);
    }
    if (rename(sed.temporary, sed.name)) {
        tool_warn("cannot rename %s: %s", sed.temporary, strerror(errno));
    }
    free(sed.temporary);
    sed.temporary = NULL;
    sed.out = stdout;
}

static bool open_next(void) {
    for (; *sed.files; sed.files++) {
        const char *path = *sed.files;
        struct stat st;
        if (strcmp(path, "-") == 0 && !sed.in_place) {
            sed.file = stdin;
        } else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            tool_warn(sed.in_place ? "couldn't edit %s: not a regular file"
                                   : "couldn't read %s: Is a directory",
                      path);
            sed.status = sed.in_place ? 4 : 2;
            continue;
        } else if (!(sed.file = fopen(path, "r"))) {
            tool_warn("can't read %s: %s", path, strerror(errno));
            sed.status = 2;
            continue;
        }
        sed.files++;
        sed.name = path;
        if (sed.in_place) {
            struct tool_buf name = {0};
            tool_printf(&name, "%s.sed-%ld", path, (long)st.st_ino % 100000);
            sed.temporary = name.p;
            sed.out = fopen(sed.temporary, "w");
            if (!sed.out) {
                tool_die(4, "couldn't open temporary file %s: %s", sed.temporary, strerror(errno));
            }
        }
        if (sed.is_separate) {
            sed.line = 0;
        }
        return true;
    }
    return false;
}

static bool read_ahead(bool can_change_file) {
    while (!sed.has_next) {
        if (!sed.file && (!can_change_file || !open_next())) {
            return false;
        }
        if (tool_line(sed.file, &sed.next, &sed.next_cap, &sed.next_len, sed.end_byte)) {
            sed.has_next = true;
            return true;
        }
        if (sed.in_place && !can_change_file) {
            return false;
        }
        tool_close(sed.file);
        sed.file = NULL;
        if (sed.is_separate) {
            if (!can_change_file) {
                return false;
            }
            sed_close();
        }
    }
    return true;
}

bool sed_is_last(void) {
    if (read_ahead(!sed.is_separate)) {
        return false;
    }
    return true;
}

bool sed_next_line(void) {
    if (!read_ahead(true)) {
        return false;
    }
    size_t n = sed.next_len;
    sed.lacks_end = sed.next[n - 1] != sed.end_byte;
    n -= !sed.lacks_end;
    sed.space.n = 0;
    tool_put(&sed.space, sed.next, n);
    sed.has_next = false;
    sed.line++;
    return true;
}

// --- output

void sed_put(FILE *out, const char *s, size_t n) {
    static FILE *unended; // where a line without an end was put
    if (unended == out) {
        putc(sed.end_byte, out);
        unended = NULL;
    }
    fwrite(s, 1, n, out);
    if (sed.lacks_end && out == sed.out && !sed.has_next) {
        unended = out;
    } else {
        putc(sed.end_byte, out);
    }
}

void sed_put_raw(const char *s, size_t n) {
    bool old = sed.lacks_end;
    if (n && s[n - 1] == '\n' && sed.end_byte == '\n') {
        sed.lacks_end = false;
        sed_put(sed.out, s, n - 1);
        sed.lacks_end = old;
    } else {
        fwrite(s, 1, n, sed.out);
    }
}

static void put_file(const char *path) {
    FILE *file = !strcmp(path, "/dev/stdin") ? stdin : fopen(path, "r");
    size_t n;
    if (file) {
        char *text = tool_slurp(file, &n);
        sed_put_raw("", 0);
        if (sed.lacks_end && n) {
            putc('\n', sed.out);
        }
        fwrite(text, 1, n, sed.out);
        free(text);
        tool_close(file);
    }
}

// What a and r put after the line: entries of a kind and a length
void sed_append(char kind, const char *text, size_t n) {
    tool_putc(&appended, kind);
    tool_put(&appended, (const char *)&n, sizeof n);
    tool_put(&appended, text, n);
    tool_putc(&appended, 0);
}

void sed_flush_appended(void) {
    for (size_t at = 0; at < appended.n;) {
        size_t n;
        char kind = appended.p[at];
        memcpy(&n, appended.p + at + 1, sizeof n);
        const char *text = appended.p + at + 1 + sizeof n;
        if (kind == 'r') {
            put_file(text);
        } else {
            sed_put_raw(text, n);
        }
        at += 2 + sizeof n + n;
    }
    appended.n = 0;
}

void sed_put_visibly(int width) {
    size_t column = 0;
    struct tool_buf one = {0};
    for (size_t i = 0; i < sed.space.n; i++) {
        unsigned char c = (unsigned char)sed.space.p[i];
        static const char from[] = "\\\a\b\f\n\r\t\v", to[] = "\\abfnrtv";
        const char *at = c ? strchr(from, c) : NULL;
        one.n = 0;
        if (at) {
            tool_printf(&one, "\\%c", to[at - from]);
        } else if (isprint(c)) {
            tool_putc(&one, (char)c);
        } else {
            tool_printf(&one, "\\%03o", c);
        }
        if (width > 1 && column + one.n > (size_t)width - 1) {
            fputs("\\\n", sed.out);
            column = 0;
        }
        fwrite(one.p, 1, one.n, sed.out);
        column += one.n;
    }
    fputs("$\n", sed.out);
    free(one.p);
}
