// extra.c - what GNU awk has and onetrueawk 2022 lacks, in the place of four of its functions (awk.sh gives the originals the
// names old_…): characters are UTF-8 in length, substr, index, match, toupper and tolower; gensub, strftime, mktime, systime,
// strtonum, and, or, xor, lshift, rshift and compl exist.
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wctype.h>

#include "awk.h"
#include "awkgram.tab.h"
#include "extra.h"

Cell *old_bltin(Node **a, int n);
extern Cell *True, *False; // run.c's

static void tempfree(Cell *x) {
    if (x->csub == CTEMP) {
        tfree(x);
    }
}

enum { MAX_ARGS = 8, MAX_GROUPS = 10, MAX_SHIFT = 63 };

// --- characters

static size_t character(const char *s) { // its bytes, at least 1
    unsigned char c = (unsigned char)*s;
    size_t want = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
    for (size_t i = 1; i < want; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80) {
            return 1;
        }
    }
    return want;
}

static long characters(const char *s, const char *end) {
    long n = 0;
    for (; end ? s < end : *s; s += character(s)) {
        n++;
    }
    return n;
}

static const char *skip(const char *s, long n) {
    for (; n > 0 && *s; n--) {
        s += character(s);
    }
    return s;
}

static Cell *number(double value) {
    Cell *x = gettemp();
    setfval(x, value);
    return x;
}

static Cell *text(const char *s) {
    Cell *x = gettemp();
    setsval(x, s);
    return x;
}

Cell *substr(Node **a, int n) {
    (void)n;
    Cell *x = execute(a[0]), *y = execute(a[1]), *z = a[2] ? execute(a[2]) : NULL;
    double from = getfval(y), count = z ? getfval(z) : 1e15;
    char *copy = strdup(getsval(x));
    tempfree(x);
    tempfree(y);
    if (z) {
        tempfree(z);
    }
    from = from < 1 ? 1 : from > 1e9 ? 1e9 : (double)(long)from; // as GNU's and mawk: the count is not lessened
    const char *start = "", *end = "";
    if (copy && count >= 1) {
        start = skip(copy, (long)from - 1);
        end = skip(start, count > 1e9 ? 1000000000 : (long)count);
    }
    char *cut = strndup(start, (size_t)(end - start));
    x = text(cut ? cut : "");
    free(cut);
    free(copy);
    return x;
}

Cell *sindex(Node **a, int n) {
    (void)n;
    Cell *x = execute(a[0]), *y = execute(a[1]);
    const char *s = getsval(x), *hit = strstr(s, getsval(y));
    double at = hit ? (double)characters(s, hit) + 1 : 0;
    tempfree(x);
    tempfree(y);
    return number(at);
}

Cell *matchop(Node **a, int n) { // ~, !~ and match()
    bool is_call = n == MATCHFCN;
    Cell *x = execute(a[1]);
    const char *s = getsval(x);
    fa *pattern = (fa *)a[2];
    if (a[0]) {
        Cell *y = execute(a[2]);
        pattern = makedfa(getsval(y), is_call);
        tempfree(y);
    }
    bool is_match = is_call ? pmatch(pattern, s) : match(pattern, s);
    if (!is_call) {
        tempfree(x);
        return is_match == (n == MATCH) ? True : False;
    }
    double start = patlen < 0 ? 0 : (double)characters(s, patbeg) + 1;
    double length = patlen < 0 ? -1 : (double)characters(patbeg, patbeg + patlen);
    tempfree(x);
    setfval(rstartloc, start);
    setfval(rlengthloc, length);
    return number(start);
}

static Cell *change_case(const char *s, bool is_upper) {
    char *out = malloc(strlen(s) * 2 + 1), *to = out;
    if (!out) {
        FATAL("out of memory");
    }
    for (size_t n; *s; s += n) {
        n = character(s);
        wchar_t c = n == 2 ? (wchar_t)((s[0] & 0x1f) << 6 | (s[1] & 0x3f)) : (wchar_t)(unsigned char)*s;
        if (n > 2 || (n == 1 && c >= 0x80)) {
            memcpy(to, s, n);
            to += n;
            continue;
        }
        wchar_t d = is_upper ? (wchar_t)towupper((wint_t)c) : (wchar_t)towlower((wint_t)c);
        d = d >= 0x800 ? c : d;
        if (d < 0x80) {
            *to++ = (char)d;
        } else {
            *to++ = (char)(0xc0 | d >> 6);
            *to++ = (char)(0x80 | (d & 0x3f));
        }
    }
    *to = 0;
    Cell *x = text(out);
    free(out);
    return x;
}

// --- the functions of GNU awk

struct args {
    int n;
    char *text[MAX_ARGS]; // copies
    double value[MAX_ARGS];
};

// A regular expression as an argument is its text, not whether the line matches it
static const char *regex_of(Node *node) {
    bool is_literal = node->ntype == NEXPR && node->nobj == MATCH && !node->narg[0];
    return is_literal ? (const char *)((fa *)node->narg[2])->restr : NULL;
}

static void evaluate(struct args *args, Node *list, bool first_is_missing) {
    memset(args, 0, sizeof *args);
    for (Node *node = list; node && !first_is_missing; node = node->nnext) {
        if (args->n == MAX_ARGS) {
            FATAL("too many arguments");
        }
        const char *regex = args->n == 0 ? regex_of(node) : NULL;
        if (regex) {
            args->text[args->n++] = strdup(regex);
            continue;
        }
        Cell *x = execute(node);
        args->value[args->n] = getfval(x);
        args->text[args->n++] = strdup(getsval(x));
        tempfree(x);
    }
}

static void drop(struct args *args) {
    for (int i = 0; i < args->n; i++) {
        free(args->text[i]);
    }
}

struct out {
    char *p;
    size_t n, cap;
};

static void put(struct out *out, const char *s, size_t n) {
    if (out->n + n + 1 > out->cap) {
        out->cap = (out->n + n + 1) * 2;
        out->p = realloc(out->p, out->cap);
        if (!out->p) {
            FATAL("out of memory");
        }
    }
    memcpy(out->p + out->n, s, n);
    out->n += n;
    out->p[out->n] = 0;
}

static void put_replacement(struct out *out, const char *with, const char *s, const regmatch_t *m) {
    for (; *with; with++) {
        int group = *with == '&' ? 0 : -1;
        if (*with == '\\' && with[1]) {
            with++;
            group = *with >= '0' && *with <= '9' ? *with - '0' : -1;
        }
        if (group < 0) {
            put(out, with, 1);
        } else if (m[group].rm_so >= 0) {
            put(out, s + m[group].rm_so, (size_t)(m[group].rm_eo - m[group].rm_so));
        }
    }
}

static Cell *gensub(const struct args *args) {
    regex_t re;
    regmatch_t m[MAX_GROUPS];
    struct out out = {0};
    if (args->n < 3) {
        FATAL("gensub needs a pattern, a replacement and \"g\" or a number");
    }
    const char *s = args->n > 3 ? args->text[3] : getsval(fieldadr(0)), *start = s;
    bool is_global = args->text[2][0] == 'g' || args->text[2][0] == 'G';
    long wanted = is_global ? 0 : (long)args->value[2], n = 0;
    wanted = !is_global && wanted < 1 ? 1 : wanted;
    if (regcomp(&re, args->text[0], REG_EXTENDED)) {
        FATAL("gensub: the pattern %s is wrong", args->text[0]);
    }
    put(&out, "", 0);
    while (regexec(&re, s, MAX_GROUPS, m, s == start ? 0 : REG_NOTBOL) == 0) {
        bool is_empty = m[0].rm_so == m[0].rm_eo;
        put(&out, s, (size_t)m[0].rm_so);
        n++;
        if (is_global || n == wanted) {
            put_replacement(&out, args->text[1], s, m);
        } else {
            put(&out, s + m[0].rm_so, (size_t)(m[0].rm_eo - m[0].rm_so));
        }
        s += m[0].rm_eo;
        if (!*s || (!is_global && n == wanted)) {
            break;
        }
        if (is_empty) {
            size_t step = character(s);
            put(&out, s, step);
            s += step;
        }
    }
    put(&out, s, strlen(s));
    regfree(&re);
    Cell *x = text(out.p);
    free(out.p);
    return x;
}

static Cell *format_time(const struct args *args) {
    char out[1000];
    time_t when = args->n > 1 ? (time_t)args->value[1] : time(NULL);
    const char *format = args->n ? args->text[0] : "%a %b %e %H:%M:%S %Z %Y";
    struct tm *tm = gmtime(&when);
    return text(tm && strftime(out, sizeof out, format, tm) ? out : "");
}

static Cell *make_time(const struct args *args) {
    struct tm tm = {0};
    int n = args->n ? sscanf(args->text[0], "%d %d %d %d %d %d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) : 0;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return number(n < 6 ? -1 : (double)timegm(&tm));
}

static double string_to_number(const char *s) {
    const char *digits = s + strspn(s, " \t+-");
    bool is_hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    bool is_octal = digits[0] == '0' && digits[1] >= '0' && digits[1] <= '7' && !strpbrk(digits, ".89");
    return is_hex ? (double)strtoll(s, NULL, 16) : is_octal ? (double)strtoll(s, NULL, 8) : strtod(s, NULL);
}

static double bits(int function, const struct args *args) {
    uint64_t r = (uint64_t)args->value[0];
    for (int i = 1; i < args->n; i++) {
        uint64_t v = (uint64_t)args->value[i];
        r = function == FAND ? r & v : function == FOR_ ? r | v : function == FXOR ? r ^ v : v > MAX_SHIFT ? 0 : function == FLSHIFT ? r << v : r >> v;
    }
    return (double)(function == FCOMPL ? ~r & 0x1fffffffffffffULL : r);
}

static Cell *gnu(int function, const struct args *args) {
    if (!args->n && function != FSTRFTIME && function != FSYSTIME) {
        FATAL("a function was called without arguments");
    }
    switch (function) {
    case FGENSUB: return gensub(args);
    case FSTRFTIME: return format_time(args);
    case FMKTIME: return make_time(args);
    case FSYSTIME: return number((double)time(NULL));
    case FSTRTONUM: return number(string_to_number(args->text[0]));
    default: return number(bits(function, args));
    }
}

Cell *bltin(Node **a, int n) { // a[0] is the function, a[1] the list of arguments
    int function = ptoi(a[0]);
    if (function == FLENGTH || function == FTOUPPER || function == FTOLOWER) {
        Cell *x = execute(a[1]), *r;
        if (function == FLENGTH) {
            r = number(isarr(x) ? ((Array *)x->sval)->nelem : (double)characters(getsval(x), NULL));
        } else {
            r = change_case(getsval(x), function == FTOUPPER);
        }
        tempfree(x);
        return r;
    }
    if (function < FGENSUB) {
        return old_bltin(a, n);
    }
    struct args args;
    Node *first = a[1]; // what the grammar gives for f() is $0
    bool is_missing = first->ntype == NVALUE && isrec((Cell *)first->narg[0]) && !first->nnext;
    evaluate(&args, first, is_missing && (function == FSYSTIME || function == FSTRFTIME));
    Cell *r = gnu(function, &args);
    drop(&args);
    return r;
}
