// sed.c - sed: running the script
#include "programs/sed.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/programs.h"

static struct sed_script script;
static bool is_quiet, is_separate, in_place, is_posix;
static const char *suffix;
static char end_byte = '\n';

static struct {
    char **files; // the rest
    FILE *file;
    const char *name;
    long line;
    char *next; // read ahead, to know which line is the last
    size_t next_len, next_cap;
    bool has_next;
    FILE *out;
    char *temporary;
} in;

static struct tool_buf space, hold, appended;
static bool lacks_end; // the last line of the input has no newline
static bool is_replaced, is_over;
static int status;
static struct regex *last_re;

// --- input

static void close_output(void) {
    if (!in.temporary) {
        return;
    }
    fclose(in.out);
    if (suffix && *suffix) {
        struct tool_buf kept = {0};
        const char *slash = strrchr(in.name, '/'), *base = slash ? slash + 1 : in.name;
        tool_put(&kept, in.name, (size_t)(base - in.name));
        if (strchr(suffix, '*')) {
            for (const char *s = suffix; *s; s++) {
                if (*s == '*') {
                    tool_puts(&kept, base);
                } else {
                    tool_putc(&kept, *s);
                }
            }
        } else {
            tool_puts(&kept, base);
            tool_puts(&kept, suffix);
        }
        rename(in.name, kept.p);
        free(kept.p);
    }
    if (rename(in.temporary, in.name)) {
        tool_warn("cannot rename %s: %s", in.temporary, strerror(errno));
    }
    free(in.temporary);
    in.temporary = NULL;
    in.out = stdout;
}

static bool open_next(void) {
    for (; *in.files; in.files++) {
        const char *path = *in.files;
        struct stat st;
        if (strcmp(path, "-") == 0 && !in_place) {
            in.file = stdin;
        } else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            tool_warn(in_place ? "couldn't edit %s: not a regular file"
                               : "couldn't read %s: Is a directory",
                      path);
            status = in_place ? 4 : 2;
            continue;
        } else if (!(in.file = fopen(path, "r"))) {
            tool_warn("can't read %s: %s", path, strerror(errno));
            status = 2;
            continue;
        }
        in.files++;
        in.name = path;
        if (in_place) {
            struct tool_buf name = {0};
            tool_printf(&name, "%s.sed-%ld", path, (long)st.st_ino % 100000);
            in.temporary = name.p;
            in.out = fopen(in.temporary, "w");
            if (!in.out) {
                tool_die(4, "couldn't open temporary file %s: %s", in.temporary, strerror(errno));
            }
        }
        if (is_separate) {
            in.line = 0;
        }
        return true;
    }
    return false;
}

static bool read_ahead(bool can_change_file) {
    while (!in.has_next) {
        if (!in.file && (!can_change_file || !open_next())) {
            return false;
        }
        if (tool_line(in.file, &in.next, &in.next_cap, &in.next_len, end_byte)) {
            in.has_next = true;
            return true;
        }
        if (in_place && !can_change_file) {
            return false;
        }
        tool_close(in.file);
        in.file = NULL;
        if (is_separate) {
            if (!can_change_file) {
                return false;
            }
            close_output();
        }
    }
    return true;
}

static bool is_last(void) {
    if (read_ahead(!is_separate)) {
        return false;
    }
    return true;
}

static bool next_line(void) {
    if (!read_ahead(true)) {
        return false;
    }
    size_t n = in.next_len;
    lacks_end = in.next[n - 1] != end_byte;
    n -= !lacks_end;
    space.n = 0;
    tool_put(&space, in.next, n);
    in.has_next = false;
    in.line++;
    return true;
}

// --- output

static void put(FILE *out, const char *s, size_t n) {
    static FILE *unended; // where a line without an end was put
    if (unended == out) {
        putc(end_byte, out);
        unended = NULL;
    }
    fwrite(s, 1, n, out);
    if (lacks_end && out == in.out && !in.has_next) {
        unended = out;
    } else {
        putc(end_byte, out);
    }
}

static void put_raw(const char *s, size_t n) {
    bool old = lacks_end;
    if (n && s[n - 1] == '\n' && end_byte == '\n') {
        lacks_end = false;
        put(in.out, s, n - 1);
        lacks_end = old;
    } else {
        fwrite(s, 1, n, in.out);
    }
}

static void put_file(const char *path) {
    FILE *file = !strcmp(path, "/dev/stdin") ? stdin : fopen(path, "r");
    size_t n;
    if (file) {
        char *text = tool_slurp(file, &n);
        put_raw("", 0);
        if (lacks_end && n) {
            putc('\n', in.out);
        }
        fwrite(text, 1, n, in.out);
        free(text);
        tool_close(file);
    }
}

// What a and r put after the line: entries of a kind and a length
static void append(char kind, const char *text, size_t n) {
    tool_putc(&appended, kind);
    tool_put(&appended, (const char *)&n, sizeof n);
    tool_put(&appended, text, n);
    tool_putc(&appended, 0);
}

static void flush_appended(void) {
    for (size_t at = 0; at < appended.n;) {
        size_t n;
        char kind = appended.p[at];
        memcpy(&n, appended.p + at + 1, sizeof n);
        const char *text = appended.p + at + 1 + sizeof n;
        if (kind == 'r') {
            put_file(text);
        } else {
            put_raw(text, n);
        }
        at += 2 + sizeof n + n;
    }
    appended.n = 0;
}

static void put_visibly(int width) {
    size_t column = 0;
    struct tool_buf one = {0};
    for (size_t i = 0; i < space.n; i++) {
        unsigned char c = (unsigned char)space.p[i];
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
            fputs("\\\n", in.out);
            column = 0;
        }
        fwrite(one.p, 1, one.n, in.out);
        column += one.n;
    }
    fputs("$\n", in.out);
    free(one.p);
}

// --- substitution

struct casing {
    char lasting, once; // U or L; u or l
};

static void add_cased(struct tool_buf *out, const char *s, size_t n, struct casing *k) {
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        char how = k->once ? k->once : k->lasting;
        k->once = 0;
        c = how == 'U' || how == 'u' ? (char)toupper((unsigned char)c)
            : how                    ? (char)tolower((unsigned char)c)
                                     : c;
        tool_putc(out, c);
    }
}

static void add_replacement(struct tool_buf *out, const struct sed_command *c,
                            const struct regex_match *m) {
    struct casing k = {0};
    for (size_t i = 0; i < c->n_parts; i++) {
        const struct sed_part *part = &c->parts[i];
        if (part->change == 'E') {
            k.lasting = 0;
            k.once = 0;
        } else if (part->change == 'U' || part->change == 'L') {
            k.lasting = part->change;
            k.once = 0;
        } else if (part->change) {
            k.once = part->change;
        }
        if (part->text.n) {
            add_cased(out, part->text.p, part->text.n, &k);
        }
        if (part->group >= 0 && m->start[part->group] != (size_t)-1) {
            add_cased(out, space.p + m->start[part->group],
                      m->end[part->group] - m->start[part->group], &k);
        }
    }
}

static struct regex *use(struct regex *re) {
    if (!re && !last_re) {
        tool_die(1, "no previous regular expression");
    }
    return last_re = re ? re : last_re;
}

static bool substitute(const struct sed_command *c) {
    static struct tool_buf made;
    struct regex *re = use(c->re);
    struct regex_match m;
    size_t at = 0, copied = 0;
    long n = 0;
    bool has_any = false;
    made.n = 0;
    tool_puts(&space, "");
    while (at <= space.n && regex_find(re, space.p, space.n, at, false, &m)) {
        bool is_empty = m.end[0] == m.start[0];
        bool touches = is_empty && at && m.start[0] == copied &&
                       n; // an empty match right behind another does not count
        if (!touches) {
            n++;
            if (n >= (c->nth ? c->nth : 1)) {
                tool_put(&made, space.p + copied, m.start[0] - copied);
                add_replacement(&made, c, &m);
                copied = m.end[0];
                has_any = true;
                if (!c->is_global) {
                    break;
                }
            } else {
                tool_put(&made, space.p + copied, m.end[0] - copied);
                copied = m.end[0];
            }
        }
        at = m.end[0];
        if (is_empty) {
            size_t step = at < space.n ? tool_char(space.p + at, space.n - at) : 1;
            if (at < space.n) {
                tool_put(&made, space.p + at, step);
                copied = at + step;
            }
            at += step;
        }
    }
    if (!has_any) {
        return false;
    }
    if (copied < space.n) {
        tool_put(&made, space.p + copied, space.n - copied);
    }
    struct tool_buf old = space;
    space = made;
    made = old;
    tool_puts(&space, "");
    is_replaced = true;
    if (c->prints) {
        put(in.out, space.p, space.n);
    }
    if (c->out) {
        put(c->out, space.p, space.n);
    }
    return true;
}

static void transliterate(const struct sed_command *c) {
    struct tool_buf made = {0};
    tool_puts(&made, "");
    for (size_t i = 0; i < space.n;) {
        size_t len = tool_char(space.p + i, space.n - i);
        const char *to = NULL;
        for (const char *q = c->text, *end = q + c->text_len; q < end && !to;) {
            size_t n = strlen(q);
            const char *with = q + n + 1;
            if (n == len && !memcmp(q, space.p + i, n)) {
                to = with;
            }
            q = with + strlen(with) + 1;
        }
        if (to) {
            tool_puts(&made, to);
        } else {
            tool_put(&made, space.p + i, len);
        }
        i += len;
    }
    free(space.p);
    space = made;
}

// --- addresses

static bool matches_at(const struct sed_address *a) {
    switch (a->kind) {
    case SED_LINE:
        return in.line == a->n;
    case SED_STEP:
        return a->step > 0 ? in.line >= a->n && (in.line - a->n) % a->step == 0 : in.line == a->n;
    case SED_LAST:
        return is_last();
    case SED_REGEX:
        tool_puts(&space, "");
        return regex_find(use(a->re), space.p, space.n, 0, false, NULL);
    default:
        return true;
    }
}

static bool begin_range(struct sed_command *c) {
    c->is_on = true;
    switch (c->to.kind) {
    case SED_LINE:
        c->is_on = c->to.n > in.line;
        c->end_line = c->to.n;
        break;
    case SED_PLUS:
        c->end_line = in.line + c->to.n;
        c->is_on = c->to.n > 0;
        break;
    case SED_MULTIPLE:
        c->end_line = c->to.n > 0 ? (in.line + c->to.n - 1) / c->to.n * c->to.n : in.line;
        c->is_on = c->end_line > in.line;
        break;
    case SED_LAST:
        c->is_on = !is_last();
        break;
    default:
        break;
    }
    return true;
}

static bool is_selected(struct sed_command *c) {
    if (c->to.kind == SED_NONE) {
        return matches_at(&c->from);
    }
    if (c->from.kind == SED_ZERO && in.line == 1 && !c->is_on && c->end_line != -1) {
        c->is_on = true;
        c->end_line = -1;
    }
    if (!c->is_on) {
        return c->from.kind != SED_ZERO && matches_at(&c->from) && begin_range(c);
    }
    if (c->to.kind == SED_REGEX || c->to.kind == SED_LAST) {
        c->is_on = !matches_at(&c->to);
        return true;
    }
    c->is_on = in.line < c->end_line;
    return in.line <= c->end_line || (c->to.kind == SED_LINE && matches_at(&c->from));
}

// --- the commands

enum flow { FLOW_NEXT, FLOW_CYCLE, FLOW_CYCLE_QUIET, FLOW_RESTART, FLOW_END };

static enum flow change(struct sed_command *c) {
    if (c->to.kind == SED_NONE || c->is_inverted || !c->is_on) {
        put_raw(c->text, c->text_len);
    }
    return FLOW_CYCLE_QUIET;
}

static enum flow next_into(struct sed_command *c) {
    if (is_last() && !*in.files) {
        return is_posix && c->name == 'N' ? FLOW_CYCLE_QUIET : FLOW_END;
    }
    if (c->name == 'n') {
        if (!is_quiet) {
            put(in.out, space.p, space.n);
        }
        flush_appended();
        return next_line() ? FLOW_NEXT : FLOW_END;
    }
    struct tool_buf before = space;
    memset(&space, 0, sizeof space);
    flush_appended();
    bool is_read = next_line();
    tool_putc(&before, end_byte);
    tool_put(&before, space.p ? space.p : "", space.n);
    free(space.p);
    space = before;
    return is_read ? FLOW_NEXT : FLOW_END;
}

static void swap_spaces(void) {
    struct tool_buf old = space;
    space = hold;
    hold = old;
    tool_puts(&space, "");
}

static enum flow run_one(struct sed_command *c, size_t *io_at) {
    const char *newline;
    switch (c->name) {
    case '{':
    case '}':
    case ':':
        break;
    case '=':
        fprintf(in.out, "%ld\n", in.line);
        break;
    case 'a':
        append('a', c->text, c->text_len);
        break;
    case 'i':
        put_raw(c->text, c->text_len);
        break;
    case 'c':
        return change(c);
    case 'b':
        *io_at = c->jump;
        break;
    case 't':
    case 'T':
        if (is_replaced == (c->name == 't')) {
            *io_at = c->jump;
        }
        is_replaced = false;
        break;
    case 'd':
        return FLOW_CYCLE_QUIET;
    case 'D':
        newline = space.n ? memchr(space.p, end_byte, space.n) : NULL;
        if (!newline) {
            return FLOW_CYCLE_QUIET;
        }
        size_t cut = (size_t)(newline + 1 - space.p);
        memmove(space.p, space.p + cut, space.n - cut);
        space.n -= cut;
        return FLOW_RESTART;
    case 'F':
        fprintf(in.out, "%s\n", in.name ? in.name : "-");
        break;
    case 'g':
        space.n = 0;
        tool_put(&space, hold.p ? hold.p : "", hold.n);
        break;
    case 'G':
        tool_putc(&space, end_byte);
        tool_put(&space, hold.p ? hold.p : "", hold.n);
        break;
    case 'h':
        hold.n = 0;
        tool_put(&hold, space.p, space.n);
        break;
    case 'H':
        tool_putc(&hold, end_byte);
        tool_put(&hold, space.p, space.n);
        break;
    case 'l':
        put_visibly(c->code ? c->code : 70);
        break;
    case 'n':
    case 'N':
        return next_into(c);
    case 'p':
        put(in.out, space.p, space.n);
        break;
    case 'P':
        newline = space.n ? memchr(space.p, end_byte, space.n) : NULL;
        if (newline) {
            fwrite(space.p, 1, (size_t)(newline + 1 - space.p), in.out);
        } else {
            put(in.out, space.p, space.n);
        }
        break;
    case 'q':
        status = c->code;
        is_over = true;
        return FLOW_CYCLE;
    case 'Q':
        status = c->code;
        is_over = true;
        return FLOW_CYCLE_QUIET;
    case 'r':
        append('r', c->text, strlen(c->text));
        break;
    case 's':
        substitute(c);
        break;
    case 'w':
        put(c->out, space.p, space.n);
        break;
    case 'x':
        swap_spaces();
        break;
    case 'y':
        transliterate(c);
        break;
    case 'z':
        space.n = 0;
        break;
    default:
        tool_die(1, "the command %c does not exist here", c->name);
    }
    return FLOW_NEXT;
}

static enum flow run_script(void) {
    for (size_t at = 0; at < script.n; at++) {
        struct sed_command *c = &script.commands[at];
        if (is_selected(c) == c->is_inverted) {
            if (c->name == '{') {
                at = c->jump;
            }
            continue;
        }
        enum flow flow = run_one(c, &at);
        if (flow != FLOW_NEXT) {
            return flow;
        }
    }
    return FLOW_CYCLE;
}

static void run(void) {
    bool keeps_line = false;
    while (!is_over && (keeps_line || next_line())) {
        is_replaced = false;
        enum flow flow = run_script();
        keeps_line = flow == FLOW_RESTART;
        if (!is_quiet && (flow == FLOW_CYCLE || flow == FLOW_END)) {
            put(in.out, space.p, space.n);
        }
        flush_appended();
        if (flow == FLOW_END) {
            break;
        }
    }
    if (in.temporary && is_over) { // q keeps the rest of a file that is edited
        while (in.has_next ||
               (in.file && tool_line(in.file, &in.next, &in.next_cap, &in.next_len, end_byte))) {
            fwrite(in.next, 1, in.next_len, in.out);
            in.has_next = false;
        }
    }
    close_output();
}

// --- options

static const struct option longs[] = {{"quiet", 0, 0, 'n'},
                                      {"silent", 0, 0, 'n'},
                                      {"expression", 1, 0, 'e'},
                                      {"file", 1, 0, 'f'},
                                      {"regexp-extended", 0, 0, 'E'},
                                      {"in-place", 2, 0, 'i'},
                                      {"separate", 0, 0, 's'},
                                      {"unbuffered", 0, 0, 'u'},
                                      {"null-data", 0, 0, 'z'},
                                      {"zero-terminated", 0, 0, 'z'},
                                      {"line-length", 1, 0, 'l'},
                                      {"posix", 0, 0, 'P'},
                                      {"debug", 0, 0, 'u'},
                                      {"sandbox", 0, 0, 'u'},
                                      {"follow-symlinks", 0, 0, 'u'},
                                      {"version", 0, 0, 'V'},
                                      {0}};

static void add_script_file(struct tool_buf *text, const char *path) {
    FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
    size_t n;
    if (!file) {
        tool_die(1, "couldn't open file %s: %s", path, strerror(errno));
    }
    char *all = tool_slurp(file, &n);
    if (!strncmp(all, "#!", 2)) {
        all[1] = ' ';
    }
    tool_put(text, all, n);
}

int sed_main(int argc, char **argv) {
    struct tool_buf text = {0};
    bool is_extended = false;
    for (int c; (c = getopt_long(argc, argv, "ne:f:Eri::suzl:V", longs, NULL)) != -1;) {
        switch (c) {
        case 'n':
            is_quiet = true;
            break;
        case 'e':
            tool_puts(&text, text.n ? "\n" : "");
            tool_puts(&text, optarg);
            break;
        case 'f':
            tool_puts(&text, text.n ? "\n" : "");
            add_script_file(&text, optarg);
            break;
        case 'E':
        case 'r':
            is_extended = true;
            break;
        case 'i':
            in_place = is_separate = true;
            suffix = optarg;
            break;
        case 's':
            is_separate = true;
            break;
        case 'z':
            end_byte = 0;
            break;
        case 'P':
            is_posix = true;
            break;
        case 'V':
            puts("sed (BoxAgnts) 4.9");
            return 0;
        case 'u':
        case 'l':
            break;
        default:
            fprintf(stderr,
                    "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n");
            return 1;
        }
    }
    argv += optind;
    if (!text.p) {
        if (!*argv) {
            fprintf(stderr,
                    "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n");
            return 1;
        }
        tool_puts(&text, *argv++);
    }
    sed_parse(&script, text.p, is_extended, 1);
    sed_resolve(&script);
    is_quiet = is_quiet || script.is_quiet_by_script;
    static char *standard[] = {(char *)"-", NULL};
    in.files = *argv ? argv : standard;
    in.out = stdout;
    if (in_place && !*argv) {
        tool_die(1, "no input files");
    }
    run();
    return status;
}
