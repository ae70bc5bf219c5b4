// sed.c - sed: running the script
#include "programs/sed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/programs.h"

struct sed_run sed = {.end_byte = '\n'};
static struct sed_script script;
static bool is_over;

// --- addresses

static bool matches_at(const struct sed_address *a) {
    switch (a->kind) {
    case SED_LINE:
        return sed.line == a->n;
    case SED_STEP:
        return a->step > 0 ? sed.line >= a->n && (sed.line - a->n) % a->step == 0
                           : sed.line == a->n;
    case SED_LAST:
        return sed_is_last();
    case SED_REGEX:
        tool_puts(&sed.space, "");
        return regex_find(sed_use(a->re), sed.space.p, sed.space.n, 0, false, NULL);
    default:
        return true;
    }
}

static bool begin_range(struct sed_command *c) {
    c->is_on = true;
    switch (c->to.kind) {
    case SED_LINE:
        c->is_on = c->to.n > sed.line;
        c->end_line = c->to.n;
        break;
    case SED_PLUS:
        c->end_line = sed.line + c->to.n;
        c->is_on = c->to.n > 0;
        break;
    case SED_MULTIPLE:
        c->end_line = c->to.n > 0 ? (sed.line + c->to.n - 1) / c->to.n * c->to.n : sed.line;
        c->is_on = c->end_line > sed.line;
        break;
    case SED_LAST:
        c->is_on = !sed_is_last();
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
    if (c->from.kind == SED_ZERO && sed.line == 1 && !c->is_on && c->end_line != -1) {
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
    c->is_on = sed.line < c->end_line;
    return sed.line <= c->end_line || (c->to.kind == SED_LINE && matches_at(&c->from));
}

// --- the commands

enum flow { FLOW_NEXT, FLOW_CYCLE, FLOW_CYCLE_QUIET, FLOW_RESTART, FLOW_END };

static enum flow change(struct sed_command *c) {
    if (c->to.kind == SED_NONE || c->is_inverted || !c->is_on) {
        sed_put_raw(c->text, c->text_len);
    }
    return FLOW_CYCLE_QUIET;
}

static enum flow next_into(struct sed_command *c) {
    if (sed_is_last() && !*sed.files) {
        return sed.is_posix && c->name == 'N' ? FLOW_CYCLE_QUIET : FLOW_END;
    }
    if (c->name == 'n') {
        if (!sed.is_quiet) {
            sed_put(sed.out, sed.space.p, sed.space.n);
        }
        sed_flush_appended();
        return sed_next_line() ? FLOW_NEXT : FLOW_END;
    }
    struct tool_buf before = sed.space;
    memset(&sed.space, 0, sizeof sed.space);
    sed_flush_appended();
    bool is_read = sed_next_line();
    tool_putc(&before, sed.end_byte);
    tool_put(&before, sed.space.p ? sed.space.p : "", sed.space.n);
    free(sed.space.p);
    sed.space = before;
    return is_read ? FLOW_NEXT : FLOW_END;
}

static void swap_spaces(void) {
    struct tool_buf old = sed.space;
    sed.space = sed.hold;
    sed.hold = old;
    tool_puts(&sed.space, "");
}

static enum flow run_one(struct sed_command *c, size_t *io_at) {
    const char *newline;
    switch (c->name) {
    case '{':
    case '}':
    case ':':
        break;
    case '=':
        fprintf(sed.out, "%ld\n", sed.line);
        break;
    case 'a':
        sed_append('a', c->text, c->text_len);
        break;
    case 'i':
        sed_put_raw(c->text, c->text_len);
        break;
    case 'c':
        return change(c);
    case 'b':
        *io_at = c->jump;
        break;
    case 't':
    case 'T':
        if (sed.is_replaced == (c->name == 't')) {
            *io_at = c->jump;
        }
        sed.is_replaced = false;
        break;
    case 'd':
        return FLOW_CYCLE_QUIET;
    case 'D':
        newline = sed.space.n ? memchr(sed.space.p, sed.end_byte, sed.space.n) : NULL;
        if (!newline) {
            return FLOW_CYCLE_QUIET;
        }
        size_t cut = (size_t)(newline + 1 - sed.space.p);
        memmove(sed.space.p, sed.space.p + cut, sed.space.n - cut);
        sed.space.n -= cut;
        return FLOW_RESTART;
    case 'F':
        fprintf(sed.out, "%s\n", sed.name ? sed.name : "-");
        break;
    case 'g':
        sed.space.n = 0;
        tool_put(&sed.space, sed.hold.p ? sed.hold.p : "", sed.hold.n);
        break;
    case 'G':
        tool_putc(&sed.space, sed.end_byte);
        tool_put(&sed.space, sed.hold.p ? sed.hold.p : "", sed.hold.n);
        break;
    case 'h':
        sed.hold.n = 0;
        tool_put(&sed.hold, sed.space.p, sed.space.n);
        break;
    case 'H':
        tool_putc(&sed.hold, sed.end_byte);
        tool_put(&sed.hold, sed.space.p, sed.space.n);
        break;
    case 'l':
        sed_put_visibly(c->code ? c->code : 70);
        break;
    case 'n':
    case 'N':
        return next_into(c);
    case 'p':
        sed_put(sed.out, sed.space.p, sed.space.n);
        break;
    case 'P':
        newline = sed.space.n ? memchr(sed.space.p, sed.end_byte, sed.space.n) : NULL;
        if (newline) {
            fwrite(sed.space.p, 1, (size_t)(newline + 1 - sed.space.p), sed.out);
        } else {
            sed_put(sed.out, sed.space.p, sed.space.n);
        }
        break;
    case 'q':
        sed.status = c->code;
        is_over = true;
        return FLOW_CYCLE;
    case 'Q':
        sed.status = c->code;
        is_over = true;
        return FLOW_CYCLE_QUIET;
    case 'r':
        sed_append('r', c->text, strlen(c->text));
        break;
    case 's':
        sed_substitute(c);
        break;
    case 'w':
        sed_put(c->out, sed.space.p, sed.space.n);
        break;
    case 'x':
        swap_spaces();
        break;
    case 'y':
        sed_transliterate(c);
        break;
    case 'z':
        sed.space.n = 0;
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
    while (!is_over && (keeps_line || sed_next_line())) {
        sed.is_replaced = false;
        enum flow flow = run_script();
        keeps_line = flow == FLOW_RESTART;
        if (!sed.is_quiet && (flow == FLOW_CYCLE || flow == FLOW_END)) {
            sed_put(sed.out, sed.space.p, sed.space.n);
        }
        sed_flush_appended();
        if (flow == FLOW_END) {
            break;
        }
    }
    if (sed.temporary && is_over) { // q keeps the rest of a file that is edited
        while (sed.has_next || (sed.file && tool_line(sed.file, &sed.next, &sed.next_cap,
                                                      &sed.next_len, sed.end_byte))) {
            fwrite(sed.next, 1, sed.next_len, sed.out);
            sed.has_next = false;
        }
    }
    sed_close();
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
            sed.is_quiet = true;
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
            sed.in_place = sed.is_separate = true;
            sed.suffix = optarg;
            break;
        case 's':
            sed.is_separate = true;
            break;
        case 'z':
            sed.end_byte = 0;
            break;
        case 'P':
            sed.is_posix = true;
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
    sed.is_quiet = sed.is_quiet || script.is_quiet_by_script;
    static char *standard[] = {(char *)"-", NULL};
    sed.files = *argv ? argv : standard;
    sed.out = stdout;
    if (sed.in_place && !*argv) {
        tool_die(1, "no input files");
    }
    run();
    return sed.status;
}
