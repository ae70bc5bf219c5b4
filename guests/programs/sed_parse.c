// sed_parse.c - the script of sed
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/sed.h"

static struct {
    const char *start, *at;
    bool is_extended;
    int fragment;
} p;

static _Noreturn void wrong(const char *why) {
    tool_die(1, "-e expression #%d, char %td: %s", p.fragment, p.at - p.start, why);
}

static void skip_blanks(void) {
    while (*p.at == ' ' || *p.at == '\t') {
        p.at++;
    }
}

static void skip_spaces(void) {
    while (isspace((unsigned char)*p.at) || *p.at == ';') {
        p.at++;
    }
}

static int escape_of(char c) {
    static const char from[] = "ntrafv", to[] = "\n\t\r\a\f\v";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : -1;
}

// The byte of two hexadecimal digits, or -1
static int hex_of(const char *digits) {
    if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])) {
        return -1;
    }
    char text[3] = {digits[0], digits[1], 0};
    return (int)strtol(text, NULL, 16);
}

// Up to the delimiter, which is taken too; \delimiter becomes the delimiter. In a regex brackets
// hide it.
static char *delimited(char end, bool is_regex, size_t *ret_len, const char *why) {
    struct tool_buf buf = {0};
    bool in_bracket = false;
    tool_puts(&buf, "");
    for (; *p.at && (*p.at != end || in_bracket); p.at++) {
        if (*p.at == '\n' && is_regex && end != '\n') {
            wrong(why);
        }
        if (in_bracket) {
            if (*p.at == ']') {
                in_bracket = false;
            } else if (*p.at == '[' && strchr(":.=", p.at[1]) && p.at[1]) {
                const char *close = strchr(p.at + 2, ']');
                if (close) {
                    tool_put(&buf, p.at, (size_t)(close - p.at));
                    p.at = close;
                }
            } else if (*p.at == '\\' && escape_of(p.at[1]) >= 0) {
                tool_putc(&buf, (char)escape_of(*++p.at));
                continue;
            }
        } else if (*p.at == '\\' && p.at[1]) {
            p.at++;
            if (*p.at == end &&
                !(is_regex && strchr(p.is_extended ? ".*[]^$+?(){}|" : ".*[]^$", end))) {
                tool_putc(&buf, end);
                continue;
            }
            if (is_regex && escape_of(*p.at) >= 0) {
                tool_putc(&buf, (char)escape_of(*p.at));
                continue;
            }
            if (is_regex && *p.at == 'x' && hex_of(p.at + 1) > 0) {
                tool_putc(&buf, (char)hex_of(p.at + 1));
                p.at += 2;
                continue;
            }
            tool_putc(&buf, '\\');
        } else if (*p.at == '[' && is_regex) {
            in_bracket = true;
            tool_putc(&buf, *p.at);
            if (p.at[1] == '^') {
                tool_putc(&buf, *++p.at);
            }
            if (p.at[1] == ']') {
                tool_putc(&buf, *++p.at);
            }
            continue;
        }
        tool_putc(&buf, *p.at);
    }
    if (*p.at != end || !end) {
        wrong(why);
    }
    p.at++;
    *ret_len = buf.n;
    return buf.p;
}

static struct regex *compile(const char *text, size_t len, bool is_caseless, bool is_multiline) {
    const char *why;
    struct regex_options options = {.syntax = p.is_extended ? REGEX_EXTENDED : REGEX_BASIC,
                                    .is_caseless = is_caseless,
                                    .is_multiline = is_multiline};
    if (!len) {
        return NULL; // the last one used
    }
    struct regex *re = regex_new(&text, &len, 1, &options, &why);
    if (!re) {
        wrong(why);
    }
    return re;
}

static bool address(struct sed_address *a, bool is_second) {
    if (isdigit((unsigned char)*p.at)) {
        char *end;
        a->kind = SED_LINE;
        a->n = strtol(p.at, &end, 10);
        p.at = end;
        if (*p.at == '~') {
            a->kind = SED_STEP;
            a->step = strtol(p.at + 1, &end, 10);
            p.at = end;
        }
        if (!a->n && a->kind == SED_LINE && !is_second) {
            a->kind = SED_ZERO;
        }
        return true;
    }
    if (*p.at == '$') {
        a->kind = SED_LAST;
        p.at++;
        return true;
    }
    if (is_second && (*p.at == '+' || *p.at == '~')) {
        char *end;
        a->kind = *p.at == '+' ? SED_PLUS : SED_MULTIPLE;
        a->n = strtol(p.at + 1, &end, 10);
        p.at = end;
        return true;
    }
    if (*p.at != '/' && *p.at != '\\') {
        return false;
    }
    size_t len;
    p.at += *p.at == '\\';
    char delimiter = *p.at;
    if (!delimiter || delimiter == '\n') {
        wrong("unterminated address regex");
    }
    p.at++;
    char *text = delimited(delimiter, true, &len, "unterminated address regex");
    bool is_caseless = false, is_multiline = false;
    for (; *p.at == 'I' || *p.at == 'M'; p.at++) {
        is_caseless = is_caseless || *p.at == 'I';
        is_multiline = is_multiline || *p.at == 'M';
    }
    a->kind = SED_REGEX;
    a->re = compile(text, len, is_caseless, is_multiline);
    free(text);
    return true;
}

static struct sed_part *add_part(struct sed_command *c) {
    c->parts = tool_realloc(c->parts, (c->n_parts + 1) * sizeof *c->parts);
    struct sed_part *part = &c->parts[c->n_parts++];
    memset(part, 0, sizeof *part);
    part->group = -1;
    return part;
}

static void replacement(struct sed_command *c, const char *text, size_t len) {
    struct sed_part *part = add_part(c);
    for (size_t i = 0; i < len; i++) {
        char ch = text[i];
        if (ch == '&') {
            part->group = 0;
            part = add_part(c);
        } else if (ch == '\\' && i + 1 < len) {
            ch = text[++i];
            if (isdigit((unsigned char)ch)) {
                part->group = ch - '0';
                if (c->re && part->group > regex_groups(c->re)) {
                    tool_die(
                        1,
                        "-e expression #%d, char %td: invalid reference \\%d on `s' command's RHS",
                        p.fragment, p.at - p.start, part->group);
                }
                part = add_part(c);
            } else if (strchr("ULulE", ch)) {
                part = add_part(c);
                part->change = ch;
            } else if (ch == 'x' && i + 2 < len && hex_of(text + i + 1) >= 0) {
                tool_putc(&part->text, (char)hex_of(text + i + 1));
                i += 2;
            } else {
                tool_putc(&part->text, escape_of(ch) >= 0 ? (char)escape_of(ch) : ch);
            }
        } else {
            tool_putc(&part->text, ch);
        }
    }
}

static char *rest_of_line(size_t *ret_len) {
    skip_blanks();
    size_t n = strcspn(p.at, "\n");
    char *text = tool_strndup(p.at, n);
    p.at += n;
    *ret_len = n;
    return text;
}

FILE *sed_output(const char *path) {
    static struct {
        char *path;
        FILE *file;
    } open[32];
    if (!strcmp(path, "/dev/stdout")) {
        return stdout;
    }
    if (!strcmp(path, "/dev/stderr")) {
        return stderr;
    }
    for (size_t i = 0; i < TOOL_LEN(open); i++) {
        if (open[i].path && !strcmp(open[i].path, path)) {
            return open[i].file;
        }
        if (!open[i].path) {
            open[i].path = tool_strdup(path);
            open[i].file = fopen(path, "w");
            if (!open[i].file) {
                tool_die(4, "couldn't open file %s: %s", path, strerror(errno));
            }
            return open[i].file;
        }
    }
    tool_die(1, "too many files to write");
}

static void substitute(struct sed_command *c) {
    size_t len, with_len;
    char delimiter = *p.at;
    if (!delimiter || delimiter == '\n' || delimiter == '\\') {
        wrong("unterminated `s' command");
    }
    p.at++;
    char *pattern = delimited(delimiter, true, &len, "unterminated `s' command");
    char *with = delimited(delimiter, false, &with_len, "unterminated `s' command");
    bool is_caseless = false, is_multiline = false;
    for (;; p.at++) {
        if (*p.at == 'g') {
            c->is_global = true;
        } else if (*p.at == 'p') {
            c->prints = true;
        } else if (*p.at == 'i' || *p.at == 'I') {
            is_caseless = true;
        } else if (*p.at == 'm' || *p.at == 'M') {
            is_multiline = true;
        } else if (isdigit((unsigned char)*p.at)) {
            char *end;
            c->nth = strtol(p.at, &end, 10);
            p.at = end - 1;
            if (!c->nth) {
                wrong("number option to `s' command may not be zero");
            }
        } else if (*p.at == 'w') {
            size_t n;
            p.at++;
            char *path = rest_of_line(&n);
            c->out = sed_output(path);
            free(path);
            break;
        } else if (*p.at == 'e') {
            wrong("the flag e, which runs programs, does not exist here");
        } else {
            break;
        }
    }
    c->re = compile(pattern, len, is_caseless, is_multiline);
    replacement(c, with, with_len);
    free(pattern);
    free(with);
}

static void transliterate(struct sed_command *c) {
    size_t n, m;
    char delimiter = *p.at;
    if (!delimiter || delimiter == '\n' || delimiter == '\\') {
        wrong("unterminated `y' command");
    }
    p.at++;
    char *from = delimited(delimiter, false, &n, "unterminated `y' command");
    char *to = delimited(delimiter, false, &m, "unterminated `y' command");
    struct tool_buf pairs = {0}; // "from NUL to NUL" for each character, in the command's text
    size_t i = 0, k = 0;
    while (i < n && k < m) {
        size_t step[2];
        const char *side[2] = {from + i, to + k};
        for (int s = 0; s < 2; s++) {
            char c0 = *side[s];
            size_t left = s ? m - k : n - i;
            if (c0 == '\\' && left > 1) {
                char e = side[s][1];
                tool_putc(&pairs, escape_of(e) >= 0 ? (char)escape_of(e) : e);
                step[s] = 2;
            } else {
                step[s] = tool_char(side[s], left);
                tool_put(&pairs, side[s], step[s]);
            }
            tool_putc(&pairs, 0);
        }
        i += step[0];
        k += step[1];
    }
    if (i < n || k < m) {
        wrong("strings for `y' command are different lengths");
    }
    c->text = pairs.p ? pairs.p : tool_strdup("");
    c->text_len = pairs.n;
    free(from);
    free(to);
}

// a, i and c: "a\" and lines, or "a text"; a backslash at the end of a line goes on
static void text_of(struct sed_command *c) {
    struct tool_buf buf = {0};
    skip_blanks();
    if (*p.at == '\\') {
        p.at++;
        skip_blanks();
        if (*p.at == '\n') {
            p.at++;
        }
    }
    if (!*p.at) {
        wrong("expected \\ after `a', `c' or `i'");
    }
    for (; *p.at && *p.at != '\n'; p.at++) {
        if (*p.at == '\\' && p.at[1]) {
            p.at++;
            tool_putc(&buf, *p.at == 't' ? '\t' : *p.at);
        } else {
            tool_putc(&buf, *p.at);
        }
    }
    tool_putc(&buf, '\n');
    c->text = buf.p;
    c->text_len = buf.n;
}

static void end_of_command(void) {
    skip_blanks();
    if (*p.at == '#' || *p.at == '}') {
        return;
    }
    if (*p.at && *p.at != ';' && *p.at != '\n') {
        wrong("extra characters after command");
    }
}

static char *label(void) {
    skip_blanks();
    size_t n = strcspn(p.at, "\n;}");
    while (n && isspace((unsigned char)p.at[n - 1])) {
        n--;
    }
    char *text = tool_strndup(p.at, n);
    p.at += n;
    return text;
}

static void arguments(struct sed_command *c) {
    size_t n;
    switch (c->name) {
    case 's':
        substitute(c);
        break;
    case 'y':
        transliterate(c);
        break;
    case 'a':
    case 'i':
    case 'c':
        text_of(c);
        break;
    case 'b':
    case 't':
    case 'T':
        c->text = label();
        break;
    case ':':
        skip_blanks();
        n = strcspn(p.at, "\n; \t");
        c->text = tool_strndup(p.at, n);
        p.at += n;
        if (!*c->text) {
            wrong("\":\" lacks a label");
        }
        break;
    case 'r':
    case 'R':
    case 'w':
    case 'W':
        c->text = rest_of_line(&n);
        if (!n) {
            wrong("missing filename in r/R/w/W commands");
        }
        if (c->name == 'w' || c->name == 'W') {
            c->out = sed_output(c->text);
        }
        break;
    case 'q':
    case 'Q':
    case 'l':
    case 'L': {
        char *end;
        skip_blanks();
        c->code = (int)strtol(p.at, &end, 10);
        p.at = end;
        break;
    }
    case '{':
    case '}':
    case '=':
    case 'd':
    case 'D':
    case 'F':
    case 'g':
    case 'G':
    case 'h':
    case 'H':
    case 'n':
    case 'N':
    case 'p':
    case 'P':
    case 'x':
    case 'z':
        break;
    case 'e':
        wrong("the command e, which runs programs, does not exist here");
        break;
    default:
        tool_die(1, "-e expression #%d, char %td: unknown command: `%c'", p.fragment,
                 p.at - p.start, c->name);
    }
    if (c->name != '{' && c->name != '}') {
        end_of_command();
    }
}

void sed_parse(struct sed_script *script, const char *text, bool is_extended, int fragment) {
    p.start = p.at = text;
    p.is_extended = is_extended;
    p.fragment = fragment;
    if (!strncmp(text, "#n\n", 3) && !script->n) {
        script->is_quiet_by_script = true;
    }
    for (skip_spaces(); *p.at; skip_spaces()) {
        struct sed_command c = {0};
        if (*p.at == '#') {
            p.at += strcspn(p.at, "\n");
            continue;
        }
        if (address(&c.from, false)) {
            skip_blanks();
            if (*p.at == ',') {
                p.at++;
                skip_blanks();
                if (!address(&c.to, true)) {
                    wrong("unexpected `,'");
                }
            }
        }
        if (c.from.kind == SED_ZERO && c.to.kind != SED_REGEX) {
            wrong("invalid usage of line address 0");
        }
        for (skip_blanks(); *p.at == '!'; skip_blanks()) {
            c.is_inverted = true;
            p.at++;
        }
        if (!*p.at || *p.at == '\n' || *p.at == ';') {
            wrong("missing command");
        }
        c.name = *p.at++;
        arguments(&c);
        script->commands =
            tool_realloc(script->commands, (script->n + 1) * sizeof *script->commands);
        script->commands[script->n++] = c;
    }
}

void sed_resolve(struct sed_script *script) {
    size_t open[64];
    int depth = 0;
    for (size_t i = 0; i < script->n; i++) {
        struct sed_command *c = &script->commands[i];
        if (c->name == '{') {
            if (depth == (int)TOOL_LEN(open)) {
                tool_die(1, "too many `{'");
            }
            open[depth++] = i;
        } else if (c->name == '}') {
            if (!depth) {
                tool_die(1, "-e expression #1, char 0: unexpected `}'");
            }
            script->commands[open[--depth]].jump = i;
        } else if (strchr("btT", c->name)) {
            c->jump = *c->text ? (size_t)-1 : script->n;
            for (size_t k = 0; k < script->n && *c->text; k++) {
                if (script->commands[k].name == ':' && !strcmp(script->commands[k].text, c->text)) {
                    c->jump = k;
                }
            }
            if (c->jump == (size_t)-1) {
                tool_die(1, "can't find label for jump to `%s'", c->text);
            }
        }
    }
    if (depth) {
        tool_die(1, "-e expression #1, char 0: unmatched `{'");
    }
}
