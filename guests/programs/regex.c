// regex.c - POSIX regular expressions over PCRE2
#include "programs/regex.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "common/scout.h"
#include "programs/tool.h"

enum { MATCH_LIMIT = 20000000, DEPTH_LIMIT = 5000000, HEAP_LIMIT_KIB = 131072 };

struct regex {
    pcre2_code *code, *utf; /* utf: for text with bytes above 127; made when first needed */
    pcre2_match_data *data;
    pcre2_match_context *context;
    struct tool_buf pattern;
    uint32_t flags;
    struct tool_buf literal;    /* all that the pattern is; empty: it is more */
    struct bx_scout *scouts[2]; /* for ASCII, for other text; made when first needed */
};

// --- translation

struct translation {
    const char *at, *end;
    bool is_extended;
    struct tool_buf out;
    size_t atom; // where the last atom begins in out; (size_t)-1: none, a quantifier is a character
    bool is_quantified; // the last atom has a quantifier
    size_t opened[64];
    int depth;
    const char *why;
    struct tool_buf text; // what the characters so far stand for
    bool is_plain;        // nothing but characters
};

#define NO_ATOM ((size_t)-1)

static void literal(struct translation *t, const char *s, size_t n) {
    t->atom = t->out.n;
    t->is_quantified = false;
    if (n == 1 && strchr("\\^$.[]|()?*+{}#-/ \t\n", *s) && *s) {
        if (*s == '\n') {
            tool_puts(&t->out, "\\n");
        } else {
            tool_putc(&t->out, '\\');
            tool_putc(&t->out, *s);
        }
    } else if (n == 1 && !*s) {
        tool_puts(&t->out, "\\x00");
    } else {
        tool_put(&t->out, s, n);
    }
    tool_put(&t->text, s, n);
}

static void special(struct translation *t, const char *s, bool is_atom) {
    t->atom = is_atom ? t->out.n : NO_ATOM;
    t->is_quantified = false;
    t->is_plain = false;
    tool_puts(&t->out, s);
}

// A quantifier, whose text is q; what it counts may be missing from a match
static void quantify(struct translation *t, const char *q, size_t n) {
    if (t->is_quantified) { // a** is (a*)*, not the possessive form
        struct tool_buf tail = {0};
        tool_put(&tail, t->out.p + t->atom, t->out.n - t->atom);
        t->out.n = t->atom;
        tool_puts(&t->out, "(?:");
        tool_put(&t->out, tail.p, tail.n);
        tool_putc(&t->out, ')');
        free(tail.p);
    }
    t->is_plain = false;
    tool_put(&t->out, q, n);
    t->is_quantified = true;
}

// "{2,3}" at the place behind the brace; its length with the closing brace, or 0
static size_t interval(const struct translation *t, const char *s, struct tool_buf *ret) {
    const char *p = s;
    tool_putc(ret, '{');
    size_t digits = 0;
    bool has_comma = false;
    for (; p < t->end && ((*p >= '0' && *p <= '9') || (*p == ',' && !has_comma)); p++) {
        if (*p == ',') {
            has_comma = true;
            if (!digits) {
                tool_putc(ret, '0');
            }
        } else {
            digits++;
        }
        tool_putc(ret, *p);
    }
    if (!digits && !has_comma) {
        return 0;
    }
    if (!t->is_extended) {
        if (p + 1 >= t->end || *p != '\\') {
            return 0;
        }
        p++;
    }
    if (p >= t->end || *p != '}') {
        return 0;
    }
    tool_putc(ret, '}');
    return (size_t)(p + 1 - s);
}

static bool bracket(struct translation *t) {
    const char *p = t->at + 1;
    t->atom = t->out.n;
    t->is_quantified = t->is_plain = false;
    tool_putc(&t->out, '[');
    if (p < t->end && *p == '^') {
        tool_putc(&t->out, *p++);
    }
    for (bool is_first = true; p < t->end && (*p != ']' || is_first); is_first = false) {
        if (*p == '[' && p + 1 < t->end && strchr(":.=", p[1]) && p[1]) {
            char kind = p[1];
            const char *q = p + 2;
            while (q + 1 < t->end && (q[0] != kind || q[1] != ']')) {
                q++;
            }
            if (q + 1 >= t->end) {
                t->why = "Unmatched [, [^, [:, [., or [=";
                return false;
            }
            if (kind == ':') {
                tool_put(&t->out, p, (size_t)(q + 2 - p));
            } else {
                tool_putc(&t->out, '\\');
                tool_put(&t->out, p + 2, (size_t)(q - p - 2));
            }
            p = q + 2;
            continue;
        }
        if (*p == '\\' || *p == '[' || *p == ']') {
            tool_putc(&t->out, '\\');
        }
        tool_putc(&t->out, *p++);
    }
    if (p >= t->end) {
        t->why = "Unmatched [, [^, [:, [., or [=";
        return false;
    }
    tool_putc(&t->out, ']');
    t->at = p + 1;
    return true;
}

static bool open_group(struct translation *t) {
    if (t->depth == (int)TOOL_LEN(t->opened)) {
        t->why = "too many groups inside each other";
        return false;
    }
    t->opened[t->depth++] = t->out.n;
    special(t, "(", false);
    return true;
}

static void close_group(struct translation *t) {
    size_t from = t->opened[--t->depth];
    special(t, ")", true);
    t->atom = from;
}

static void branch(struct translation *t) {
    special(t, "|", false);
}

// What follows a backslash in both syntaxes
static bool escaped(struct translation *t, char c) {
    static const char *const words[][2] = {{"<", "\\b(?=\\w)"}, {">", "\\b(?<=\\w)"}, {"`", "\\A"},
                                           {"'", "\\z"},        {"b", "\\b"},         {"B", "\\B"}};
    for (size_t i = 0; i < TOOL_LEN(words); i++) {
        if (c == words[i][0][0]) {
            special(t, words[i][1], false);
            return true;
        }
    }
    char text[8];
    if (strchr("wWsS", c)) {
        snprintf(text, sizeof text, "\\%c", c);
        special(t, text, true);
        return true;
    }
    if (c >= '1' && c <= '9') {
        snprintf(text, sizeof text, "\\g{%c}", c);
        special(t, text, true);
        return true;
    }
    return false;
}

static bool step_extended(struct translation *t, char c) {
    switch (c) {
    case '(':
        return open_group(t);
    case ')':
        if (!t->depth) {
            literal(t, ")", 1);
        } else {
            close_group(t);
        }
        return true;
    case '|':
        branch(t);
        return true;
    case '^':
    case '$':
        special(t, c == '^' ? "^" : "$", false);
        return true;
    case '*':
    case '+':
    case '?':
        if (t->atom == NO_ATOM) {
            if (c == '*') {
                return true; // GNU: means nothing there
            }
            literal(t, &c, 1);
        } else {
            quantify(t, &c, 1);
        }
        return true;
    default:
        literal(t, &c, 1);
        return true;
    }
}

static bool is_basic_end(const char *p, const char *end) {
    return p == end || (p + 1 < end && *p == '\\' && (p[1] == ')' || p[1] == '|'));
}

static bool step_escape(struct translation *t, char c) {
    struct tool_buf q = {0};
    bool is_done = true;
    size_t n;
    if (t->is_extended || !strchr("(){|+?", c)) {
        if (!escaped(t, c)) {
            literal(t, &c, 1);
        }
        return true;
    }
    if (c == '(') {
        return open_group(t);
    }
    if (c == ')' && !t->depth) {
        t->why = "Unmatched ) or \\)";
        return false;
    }
    if (c == ')') {
        close_group(t);
    } else if (c == '|') {
        branch(t);
    } else if (c == '{') {
        n = t->atom == NO_ATOM ? 0 : interval(t, t->at, &q);
        if (n) {
            quantify(t, q.p, q.n);
            t->at += n;
        } else {
            t->why = t->atom == NO_ATOM ? "Invalid preceding regular expression" : "Unmatched \\{";
            is_done = false;
        }
        free(q.p);
    } else if (t->atom == NO_ATOM) {
        literal(t, &c, 1);
    } else {
        quantify(t, &c, 1);
    }
    return is_done;
}

static bool step(struct translation *t) {
    char c = *t->at;
    struct tool_buf q = {0};
    size_t n;
    if (c == '[') {
        return bracket(t);
    }
    if (c == '\\') {
        if (t->at + 1 == t->end) {
            t->why = "Trailing backslash";
            return false;
        }
        t->at += 2;
        return step_escape(t, t->at[-1]);
    }
    if (c == '.') {
        t->at++;
        special(t, ".", true);
        return true;
    }
    if ((unsigned char)c >= 0x80) {
        n = tool_char(t->at, (size_t)(t->end - t->at));
        literal(t, t->at, n);
        t->at += n;
        return true;
    }
    if (t->is_extended) {
        if (c == '{' && t->atom != NO_ATOM && (n = interval(t, t->at + 1, &q)) > 0) {
            quantify(t, q.p, q.n);
            t->at += n + 1;
            free(q.p);
            return true;
        }
        free(q.p);
        t->at++;
        return step_extended(t, c);
    }
    t->at++;
    bool is_start = t->atom == NO_ATOM &&
                    (!t->out.n || t->out.p[t->out.n - 1] == '(' || t->out.p[t->out.n - 1] == '|');
    if (c == '*' && t->atom != NO_ATOM) {
        quantify(t, "*", 1);
    } else if ((c == '^' && is_start) || (c == '$' && is_basic_end(t->at, t->end))) {
        special(t, c == '^' ? "^" : "$", false);
    } else {
        literal(t, &c, 1);
    }
    return true;
}

static bool translate(struct translation *t) {
    t->atom = NO_ATOM;
    t->is_plain = true;
    while (t->at < t->end) {
        if (!step(t)) {
            return false;
        }
    }
    if (t->depth) {
        t->why = t->is_extended ? "Unmatched ( or \\(" : "Unmatched ( or \\(";
        return false;
    }
    return true;
}

// --- use

static pcre2_code *compile(const struct regex *re, uint32_t more, const char **ret_why) {
    static char why[200];
    int code;
    PCRE2_SIZE at;
    pcre2_code *made =
        pcre2_compile((PCRE2_SPTR)re->pattern.p, re->pattern.n, re->flags | more, &code, &at, NULL);
    if (!made && ret_why) {
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        *ret_why = why;
    }
    return made;
}

static bool add_pattern(struct regex *re, const char *pattern, size_t n,
                        const struct regex_options *options, bool is_only, const char **ret_why) {
    struct translation t = {
        .at = pattern, .end = pattern + n, .is_extended = options->syntax == REGEX_EXTENDED};
    bool is_regular = options->syntax == REGEX_BASIC || options->syntax == REGEX_EXTENDED;
    if (options->syntax == REGEX_PERL) {
        tool_put(&re->pattern, pattern, n);
        return true;
    }
    if (is_regular) {
        if (!translate(&t)) {
            *ret_why = t.why;
            return false;
        }
    } else {
        t.is_plain = true;
        for (size_t i = 0; i < n; i++) {
            literal(&t, pattern + i, 1);
        }
    }
    if (t.out.n) {
        tool_put(&re->pattern, t.out.p, t.out.n);
    }
    if (is_only && t.is_plain && t.text.n && !options->is_caseless && !options->is_word &&
        !options->is_line) {
        tool_put(&re->literal, t.text.p, t.text.n);
    }
    free(t.out.p);
    free(t.text.p);
    return true;
}

struct regex *regex_new(const char *const *patterns, const size_t *lens, size_t n,
                        const struct regex_options *options, const char **ret_why) {
    struct regex *re = tool_alloc(sizeof *re);
    memset(re, 0, sizeof *re);
    if (options->is_line) {
        tool_puts(&re->pattern, "^(?:");
    } else if (options->is_word) {
        tool_puts(&re->pattern, "(?<!\\w)(?:");
    }
    for (size_t i = 0; i < n; i++) {
        if (i) {
            tool_putc(&re->pattern, '|');
        }
        if (n > 1) {
            tool_puts(&re->pattern, "(?:");
        }
        if (!add_pattern(re, patterns[i], lens[i], options, n == 1, ret_why)) {
            return NULL;
        }
        if (n > 1) {
            tool_putc(&re->pattern, ')');
        }
    }
    if (options->is_line) {
        tool_puts(&re->pattern, ")$");
    } else if (options->is_word) {
        tool_puts(&re->pattern, ")(?!\\w)");
    }
    if (!re->pattern.p) {
        tool_puts(&re->pattern, "");
    }
    re->flags = (options->is_caseless ? PCRE2_CASELESS : 0) |
                (options->is_multiline ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY) |
                (options->syntax == REGEX_PERL ? 0 : PCRE2_DOTALL) | PCRE2_NEVER_BACKSLASH_C;
    re->code = compile(re, 0, ret_why);
    if (!re->code) { // perhaps it needs to be seen as UTF-8
        re->utf = compile(re, PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, ret_why);
        re->code = re->utf;
    }
    if (!re->code) {
        return NULL;
    }
    re->data = pcre2_match_data_create_from_pattern(re->code, NULL);
    re->context = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(re->context, MATCH_LIMIT);
    pcre2_set_depth_limit(re->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(re->context, HEAP_LIMIT_KIB);
    return re;
}

bool regex_has_high(const char *s, size_t n) {
    uint64_t bits = 0, word;
    for (; n >= 8; s += 8, n -= 8) {
        memcpy(&word, s, 8);
        bits |= word;
    }
    for (; n; s++, n--) {
        bits |= (uint64_t)(unsigned char)*s;
    }
    return (bits & 0x8080808080808080U) != 0;
}

static const char *find_text(const char *text, size_t len, const char *needle, size_t n);

bool regex_find(struct regex *re, const char *text, size_t len, size_t from, bool not_bol,
                struct regex_match *ret) {
    if (re->literal.n) {
        const char *found =
            from <= len ? find_text(text + from, len - from, re->literal.p, re->literal.n) : NULL;
        if (found && ret) {
            memset(ret, 0xff, sizeof *ret);
            ret->start[0] = (size_t)(found - text);
            ret->end[0] = ret->start[0] + re->literal.n;
        }
        return found != NULL;
    }
    pcre2_code *code = re->code;
    if (regex_has_high(text, len)) {
        if (!re->utf) {
            re->utf = compile(re, PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, NULL);
            re->utf = re->utf ? re->utf : re->code;
        }
        code = re->utf;
    }
    int r = pcre2_match(code, (PCRE2_SPTR)text, len, from, not_bol ? PCRE2_NOTBOL : 0, re->data,
                        re->context);
    if (r < 0) {
        if (r != PCRE2_ERROR_NOMATCH && r != PCRE2_ERROR_PARTIAL) {
            tool_warn("a line takes the pattern too much work: left out");
        }
        return false;
    }
    if (!ret) {
        return true;
    }
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(re->data);
    for (size_t i = 0; i < REGEX_GROUPS; i++) {
        bool is_there = i < (size_t)r && at[2 * i] != PCRE2_UNSET;
        ret->start[i] = is_there ? at[2 * i] : (size_t)-1;
        ret->end[i] = is_there ? at[2 * i + 1] : (size_t)-1;
    }
    return true;
}

int regex_groups(const struct regex *re) {
    uint32_t n = 0;
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return (int)n;
}

// The scout sees the same text as PCRE2, which regex_find() asks line by line
static struct bx_scout *scout_for(struct regex *re, bool is_ascii) {
    struct bx_scout **scout = &re->scouts[!is_ascii];
    if (*scout) {
        return *scout;
    }
    *scout = tool_alloc(sizeof **scout);
    if (re->literal.n) {
        bx_scout_init_plain(*scout, re->literal.p, re->literal.n, false);
    } else {
        bx_scout_init(*scout, re->pattern.p, re->pattern.n, re->flags & PCRE2_CASELESS,
                      is_ascii ? BX_TEXT_ASCII : BX_TEXT_UCP, true);
    }
    return *scout;
}

const char *regex_find_line(struct regex *re, const char *at, const char *end, bool is_ascii,
                            size_t *ret_len) {
    struct bx_scout *scout = scout_for(re, is_ascii);
    const char *from = at, *line = NULL;
    while (at < end && !line) {
        bool is_sure;
        const char *place = bx_scout_next(scout, at, end, &is_sure);
        if (!place) {
            at = end;
            break;
        }
        const char *before = memrchr(at, '\n', (size_t)(place - at));
        const char *stop = memchr(place, '\n', (size_t)(end - place));
        before = before ? before + 1 : at;
        stop = stop ? stop : end;
        if (is_sure ||
            (bx_scout_may_match(scout, before, stop, &is_sure) &&
             (is_sure || regex_find(re, before, (size_t)(stop - before), 0, false, NULL)))) {
            line = before;
            *ret_len = (size_t)(stop - before);
        }
        at = stop + (stop < end);
    }
    bx_scout_passed(scout, (size_t)(at - from));
    return line;
}

// Looks for the needle's rarest byte, by a rough table of how rare they are
static const char *find_text(const char *text, size_t len, const char *needle, size_t n) {
    static const char common[] = " etaoinsrlhdcumpfgwybv,.\"'=-_/()0123456789;:xkETAOINSR\t\n";
    size_t rare = 0, rank = 0;
    if (!n) {
        return text;
    }
    for (size_t i = 0; i < n; i++) {
        const char *at = memchr(common, needle[i], sizeof common - 1);
        size_t r = at ? (size_t)(at - common) : sizeof common;
        if (r >= rank) {
            rank = r;
            rare = i;
        }
    }
    for (const char *p = text, *end = text + len; (size_t)(end - p) >= n;) {
        const char *q = memchr(p + rare, needle[rare], (size_t)(end - p) - n + 1);
        if (!q) {
            return NULL;
        }
        if (!memcmp(q - rare, needle, n)) {
            return q - rare;
        }
        p = q - rare + 1;
    }
    return NULL;
}
