// echo and printf.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bash/sh.h"
#include "common/utf8.h"

static unsigned read_digits(const char **at, unsigned base, int max) {
    unsigned n = 0;
    for (int i = 0; i < max; i++, ++*at) {
        char c = **at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 99;
        if (digit >= base) {
            break;
        }
        n = n * base + digit;
    }
    return n;
}

// A \ escape at *at (behind the \). False: \c, stop all output. zero: octal needs a leading 0 (echo
// -e, %b)
static bool escape(const char **at, struct bx_buf *out, bool zero) {
    static const char from[] = "abeEfnrtv\\", to[] = "\a\b\033\033\f\n\r\t\v\\";
    char c = **at, utf8[4];
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        bx_buf_add_char(out, to[known - from]);
        ++*at;
    } else if (c == 'c' && zero) {
        return false;
    } else if (c == 'x') {
        ++*at;
        const char *start = *at;
        unsigned n = read_digits(at, 16, 2);
        if (*at == start) {
            bx_buf_add_str(out, "\\x");
        } else {
            bx_buf_add_char(out, (char)n);
        }
    } else if (c == 'u' || c == 'U') {
        ++*at;
        bx_buf_add(out, utf8, bx_utf8_encode(utf8, read_digits(at, 16, c == 'u' ? 4 : 8)));
    } else if (zero ? c == '0' : c >= '0' && c <= '7') {
        *at += zero;
        bx_buf_add_char(out, (char)read_digits(at, 8, 3));
    } else if (zero && c >= '1' && c <= '7') {
        bx_buf_add_char(out, (char)read_digits(at, 8, 3));
    } else if (c == '"' && !zero) {
        bx_buf_add_char(out, '"');
        ++*at;
    } else {
        bx_buf_add_char(out, '\\');
    }
    return true;
}

int sh_bi_echo(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    bool newline = true, escapes = false;
    size_t i = 1;
    (void)sh;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] &&
           strspn(argv[i] + 1, "neE") == strlen(argv[i] + 1);
         i++) {
        for (const char *c = argv[i] + 1; *c; c++) {
            newline &= *c != 'n';
            escapes = *c == 'e' ? true : *c == 'E' ? false : escapes;
        }
    }
    for (; i < argc; i++) {
        for (const char *c = argv[i]; *c;) {
            if (*c != '\\' || !escapes) {
                bx_buf_add_char(out, *c++);
                continue;
            }
            c++;
            if (*c >= '1' && *c <= '7') { // only \0nnn is octal here
                bx_buf_add_char(out, '\\');
            } else if (!escape(&c, out, true)) {
                return 0;
            }
        }
        if (i + 1 < argc) {
            bx_buf_add_char(out, ' ');
        }
    }
    if (newline) {
        bx_buf_add_char(out, '\n');
    }
    return 0;
}

// --- printf

struct format {
    struct sh *sh;
    char **args;
    size_t n, at;
    struct bx_buf *out;
    int status;
    bool stops; // \c
};

struct spec {
    char flags[8];
    int width, precision; // -1: none
    bool left;
};

static const char *next_arg(struct format *f) {
    return f->at < f->n ? f->args[f->at++] : NULL;
}

static void bad_number(struct format *f, const char *text, const char *why) {
    sh_say(f->sh, "printf: %s: %s", text, why);
    f->status = 1;
}

static long long int_arg(struct format *f) {
    const char *text = next_arg(f);
    if (!text || !*text) {
        return 0;
    }
    if (*text == '"' || *text == '\'') {
        size_t n;
        return text[1] ? bx_utf8_length(text + 1, strlen(text + 1))
                             ? (long long)bx_utf8_decode(text + 1, strlen(text + 1), &n)
                             : (unsigned char)text[1]
                       : 0;
    }
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 0);
    if (errno == ERANGE && *text != '-') {
        n = (long long)strtoull(text, &end, 0);
        if (errno == ERANGE) {
            errno = 0;
        }
    }
    if (*end) {
        bad_number(f, text, "invalid number");
    }
    return n;
}

static double float_arg(struct format *f) {
    const char *text = next_arg(f);
    if (!text || !*text) {
        return 0;
    }
    if (*text == '"' || *text == '\'') {
        return (unsigned char)text[1];
    }
    char *end;
    double n = strtod(text, &end);
    if (*end) {
        bad_number(f, text, "invalid number");
    }
    return n;
}

static void pad(struct format *f, const struct spec *s, const char *text, size_t n) {
    size_t width = s->width > 0 ? (size_t)s->width : 0;
    if (!s->left) {
        for (size_t i = n; i < width; i++) {
            bx_buf_add_char(f->out, ' ');
        }
    }
    bx_buf_add(f->out, text, n);
    if (s->left) {
        for (size_t i = n; i < width; i++) {
            bx_buf_add_char(f->out, ' ');
        }
    }
}

static void text_arg(struct format *f, const struct spec *s, const char *text, size_t n) {
    if (s->precision >= 0 && (size_t)s->precision < n) {
        n = (size_t)s->precision;
    }
    pad(f, s, text, n);
}

static void time_arg(struct format *f, const struct spec *s, const char *format, size_t n) {
    char *wanted = bx_strndup(format, n), text[512];
    const char *arg = next_arg(f);
    long long seconds = arg ? atoll(arg) : -1;
    time_t when = seconds == -1   ? time(NULL)
                  : seconds == -2 ? time(NULL) - (time_t)((sh_now_ms() - f->sh->start_ms) / 1000)
                                  : (time_t)seconds;
    struct tm tm;
    localtime_r(&when, &tm);
    size_t len = strftime(text, sizeof text, n ? wanted : "%X", &tm);
    text_arg(f, s, text, len);
    free(wanted);
}

static void b_arg(struct format *f, const struct spec *s) {
    const char *text = next_arg(f);
    struct bx_buf made = {0};
    bx_buf_reserve(&made, 1);
    for (const char *c = text ? text : ""; *c && !f->stops;) {
        if (*c != '\\') {
            bx_buf_add_char(&made, *c++);
        } else {
            c++;
            f->stops = !escape(&c, &made, true);
        }
    }
    text_arg(f, s, made.data, made.len);
    bx_buf_deinit(&made);
}

static void number_spec(const struct spec *s, const char *conversion, char *out, size_t max) {
    char width[16] = "", precision[16] = "";
    if (s->width >= 0) {
        snprintf(width, sizeof width, "%d", s->width > 100000 ? 100000 : s->width);
    }
    if (s->precision >= 0) {
        snprintf(precision, sizeof precision, ".%d", s->precision > 1000 ? 1000 : s->precision);
    }
    snprintf(out, max, "%%%s%s%s%s%s", s->flags, s->left && !strchr(s->flags, '-') ? "-" : "",
             width, precision, conversion);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void int_conversion(struct format *f, const struct spec *s, char conversion) {
    char spec[64], kind[4] = {'l', 'l', conversion, 0};
    number_spec(s, kind, spec, sizeof spec);
    bx_buf_add_fmt(f->out, spec, int_arg(f));
}

static void float_conversion(struct format *f, const struct spec *s, char conversion) {
    char spec[64], kind[2] = {conversion, 0};
    number_spec(s, kind, spec, sizeof spec);
    bx_buf_add_fmt(f->out, spec, float_arg(f));
}
#pragma GCC diagnostic pop

static void quoted_arg(struct format *f, const struct spec *s) {
    const char *text = next_arg(f);
    struct bx_buf made = {0};
    sh_quote(&made, text ? text : "");
    text_arg(f, s, made.data, made.len);
    bx_buf_deinit(&made);
}

// A conversion at *at (behind the %). False after a message
static bool convert(struct format *f, const char **at) {
    struct spec s = {.width = -1, .precision = -1};
    size_t flags = 0;
    const char *c = *at;
    for (; *c && strchr("-+ #0'", *c); c++) {
        s.left |= *c == '-';
        if (*c != '\'' && flags < sizeof s.flags - 1 && !strchr(s.flags, *c)) {
            s.flags[flags++] = *c;
        }
    }
    if (*c == '*') {
        s.width = (int)int_arg(f);
        s.left |= s.width < 0;
        s.width = s.width < 0 ? -s.width : s.width;
        c++;
    } else if (*c >= '0' && *c <= '9') {
        s.width = 0;
        for (; *c >= '0' && *c <= '9'; c++) {
            s.width = s.width < 100000 ? s.width * 10 + (*c - '0') : s.width;
        }
    }
    if (*c == '.') {
        c++;
        s.precision = 0;
        if (*c == '*') {
            s.precision = (int)int_arg(f);
            c++;
        }
        for (; *c >= '0' && *c <= '9'; c++) {
            s.precision = s.precision < 100000 ? s.precision * 10 + (*c - '0') : s.precision;
        }
    }
    while (*c && strchr("hlLjzt", *c)) {
        c++;
    }
    if (*c == '(') {
        const char *end = strstr(c, ")T");
        if (end) {
            time_arg(f, &s, c + 1, (size_t)(end - c - 1));
            *at = end + 2;
            return true;
        }
    }
    const char *text;
    switch (*c) {
    case 's':
        text = next_arg(f);
        text_arg(f, &s, text ? text : "", text ? strlen(text) : 0);
        break;
    case 'c':
        text = next_arg(f);
        pad(f, &s, text ? text : "", text && *text ? 1 : 0);
        break;
    case 'b':
        b_arg(f, &s);
        break;
    case 'q':
        quoted_arg(f, &s);
        break;
    case 'd':
    case 'i':
    case 'o':
    case 'u':
    case 'x':
    case 'X':
        int_conversion(f, &s, *c);
        break;
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
    case 'a':
    case 'A':
        float_conversion(f, &s, *c);
        break;
    case '\0':
        sh_say(f->sh, "printf: `%%': missing format character");
        return false;
    default:
        sh_say(f->sh, "printf: `%c': invalid format character", *c);
        return false;
    }
    *at = c + 1;
    return true;
}

static bool once(struct format *f, const char *format) {
    for (const char *c = format; *c && !f->stops;) {
        if (*c == '\\') {
            c++;
            escape(&c, f->out, false);
        } else if (*c == '%' && c[1] == '%') {
            bx_buf_add_char(f->out, '%');
            c += 2;
        } else if (*c == '%') {
            c++;
            if (!convert(f, &c)) {
                f->status = 1;
                return false;
            }
        } else {
            bx_buf_add_char(f->out, *c++);
        }
    }
    return true;
}

static int store(struct sh *sh, const char *name, const char *value) {
    struct sh_parser p;
    struct sh_text text = {.arena = &sh->scratch};
    sh_text_add(&text, name, strlen(name));
    sh_text_char(&text, '=');
    sh_parser_init(&p, &sh->scratch, text.data, text.len, sh->line);
    struct sh_assign *assign = sh_parse_assign(&p);
    if (!assign) {
        sh_say(sh, "printf: `%s': not a valid identifier", name);
        return 2;
    }
    struct sh_part part = {.kind = SH_QUOTED, .text = value, .len = strlen(value)};
    struct sh_word word = {.parts = &part};
    assign->value = &word;
    return sh_assign_one(sh, assign, 0) ? 0 : 1;
}

int sh_bi_printf(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    const char *name = NULL;
    size_t i = 1;
    struct bx_buf made = {0};
    if (i + 1 < argc && strcmp(argv[i], "-v") == 0) {
        name = argv[i + 1];
        i += 2;
    } else if (i < argc && strncmp(argv[i], "-v", 2) == 0 && argv[i][2]) {
        name = argv[i++] + 2;
    }
    if (i < argc && strcmp(argv[i], "--") == 0) {
        i++;
    }
    if (i >= argc) {
        sh_say(sh, "printf: usage: printf [-v var] format [arguments]");
        return 2;
    }
    struct format f = {
        .sh = sh, .args = argv + i + 1, .n = argc - i - 1, .out = name ? &made : out};
    const char *format = argv[i];
    size_t before;
    bx_buf_reserve(f.out, 1);
    do {
        before = f.at;
    } while (once(&f, format) && !f.stops && f.at < f.n && f.at > before);
    if (name) {
        int failed = store(sh, name, made.data);
        bx_buf_deinit(&made);
        return failed ? failed : f.status;
    }
    return f.status;
}
