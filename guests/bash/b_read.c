// read, mapfile, getopts.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

struct read_options {
    bool raw, exact;
    const char *array;
    int delimiter; // a character, 0 for NUL
    long long max; // -1: none
    int fd;
};

// --- options of builtins: one letter each, as getopt would

struct options {
    char **argv;
    size_t argc, at;
    const char *rest; // of the word that is being read
    const char *value;
};

static int next_option(struct options *o, const char *takes) {
    if (!o->rest || !*o->rest) {
        const char *word = o->at < o->argc ? o->argv[o->at] : "";
        if (word[0] != '-' || !word[1]) {
            return -1;
        }
        o->at++;
        if (strcmp(word, "--") == 0) {
            return -1;
        }
        o->rest = word + 1;
    }
    char c = *o->rest++;
    const char *known = strchr(takes, c);
    if (!known || c == ':') {
        return '?';
    }
    if (known[1] == ':') {
        o->value = *o->rest ? o->rest : o->at < o->argc ? o->argv[o->at++] : "";
        o->rest = NULL;
    }
    return c;
}

// --- read

static bool read_line(struct sh *sh, const struct read_options *o, struct sh_text *line,
                      struct sh_text *mask) {
    long long count = 0;
    while (o->max < 0 || count < o->max) {
        int c = sh_read_char(sh, o->fd);
        if (c < 0) {
            return false;
        }
        if (c == o->delimiter && !o->exact) {
            return true;
        }
        if (c == '\\' && !o->raw) {
            c = sh_read_char(sh, o->fd);
            if (c < 0) {
                return false;
            }
            if (c != '\n') {
                sh_text_char(line, (char)c);
                sh_text_char(mask, 'q');
                count++;
            }
            continue;
        }
        if (c) { // a NUL is dropped
            sh_text_char(line, (char)c);
            sh_text_char(mask, 'u');
            count += ((unsigned)c & 0xC0) != 0x80;
        }
    }
    return true;
}

struct cutter {
    const char *text, *mask, *ifs;
    size_t n, at;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

static bool separates(const struct cutter *c, size_t at) {
    return c->mask[at] == 'u' && strchr(c->ifs, c->text[at]) != NULL;
}

static void skip_blanks(struct cutter *c) {
    while (c->at < c->n && separates(c, c->at) && is_blank(c->text[c->at])) {
        c->at++;
    }
}

static char *next_field(struct sh *sh, struct cutter *c) {
    size_t start = c->at;
    while (c->at < c->n && !separates(c, c->at)) {
        c->at++;
    }
    char *field = sh_arena_copy(&sh->scratch, c->text + start, c->at - start);
    skip_blanks(c);
    if (c->at < c->n && separates(c, c->at) && !is_blank(c->text[c->at])) {
        c->at++;
        skip_blanks(c);
    }
    return field;
}

// The last name gets all that is left, but for blanks at its end, and a single separator that ends
// it
static char *last_field(struct sh *sh, struct cutter *c) {
    struct cutter probe = *c;
    char *one = next_field(sh, &probe);
    if (probe.at >= probe.n) {
        return one;
    }
    size_t end = c->n;
    while (end > c->at && separates(c, end - 1) && is_blank(c->text[end - 1])) {
        end--;
    }
    return sh_arena_copy(&sh->scratch, c->text + c->at, end - c->at);
}

static int store_fields(struct sh *sh, const struct read_options *o, char **names, size_t n,
                        struct cutter *c) {
    skip_blanks(c);
    if (o->array) {
        struct sh_fields fields = {0};
        while (c->at < c->n) {
            sh_fields_add(sh, &fields, next_field(sh, c));
        }
        return sh_set_array(sh, o->array, (const char *const *)fields.v, fields.n) ? 0 : 1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *value = c->at >= c->n ? "" : i + 1 < n ? next_field(sh, c) : last_field(sh, c);
        struct sh_parser p;
        struct sh_text text = {.arena = &sh->scratch};
        sh_text_add(&text, names[i], strlen(names[i]));
        sh_text_char(&text, '=');
        sh_parser_init(&p, &sh->scratch, text.data, text.len, sh->line);
        struct sh_assign *assign = sh_parse_assign(&p);
        if (!assign || assign->is_array) {
            sh_say(sh, "read: `%s': not a valid identifier", names[i]);
            return 1;
        }
        struct sh_part part = {.kind = SH_QUOTED, .text = value, .len = strlen(value)};
        struct sh_word word = {.parts = &part};
        assign->value = &word;
        if (!sh_assign_one(sh, assign, 0)) {
            return 1;
        }
    }
    return 0;
}

int sh_bi_read(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    struct read_options o = {.delimiter = '\n', .max = -1};
    struct options options = {.argv = argv, .argc = argc, .at = 1};
    int c;
    (void)out;
    while ((c = next_option(&options, "ra:d:n:N:p:t:u:sei:")) > 0) {
        switch (c) {
        case 'r':
            o.raw = true;
            break;
        case 'a':
            o.array = options.value;
            break;
        case 'd':
            o.delimiter = (unsigned char)options.value[0];
            break;
        case 'N':
        case 'n':
            o.max = atoll(options.value);
            o.exact = c == 'N';
            break;
        case 'u':
            o.fd = atoi(options.value);
            break;
        case '?':
            sh_say(sh, "read: %s: invalid option", argv[options.at - 1]);
            return 2;
        default:
            break; // -p, -s, -e: there is no terminal; -t: input comes at once or ends
        }
    }
    if (o.fd < 0 || o.fd >= SH_FDS || !sh->fds[o.fd]) {
        sh_say(sh, "read: %d: invalid file descriptor: Bad file descriptor", o.fd);
        return 1;
    }
    struct sh_text line = {.arena = &sh->scratch}, mask = {.arena = &sh->scratch};
    bool is_whole = read_line(sh, &o, &line, &mask);
    const char *ifs = sh_get(sh, "IFS");
    struct cutter cutter = {.text = line.data ? line.data : "",
                            .mask = mask.data,
                            .n = line.len,
                            .ifs = o.exact                 ? ""
                                   : ifs                   ? ifs
                                   : sh_var_get(sh, "IFS") ? ""
                                                           : " \t\n"};
    int status;
    if (options.at >= argc && !o.array) {
        status = sh_set(sh, "REPLY", cutter.text) ? 0 : 1;
    } else {
        status = store_fields(sh, &o, argv + options.at, argc - options.at, &cutter);
    }
    return status ? status : is_whole ? 0 : 1;
}

int sh_bi_mapfile(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    struct options options = {.argv = argv, .argc = argc, .at = 1};
    bool strips = false, keeps = false;
    int delimiter = '\n', fd = 0, c;
    long long max = 0, skip = 0, origin = 0;
    (void)out;
    while ((c = next_option(&options, "td:n:O:s:u:C:c:")) > 0) {
        switch (c) {
        case 't':
            strips = true;
            break;
        case 'd':
            delimiter = (unsigned char)options.value[0];
            break;
        case 'n':
            max = atoll(options.value);
            break;
        case 'O':
            origin = atoll(options.value);
            keeps = true;
            break;
        case 's':
            skip = atoll(options.value);
            break;
        case 'u':
            fd = atoi(options.value);
            break;
        case '?':
            sh_say(sh, "mapfile: %s: invalid option", argv[options.at - 1]);
            return 2;
        default:
            break;
        }
    }
    const char *name = options.at < argc ? argv[options.at] : "MAPFILE";
    if (!sh_is_name(name, strlen(name))) {
        sh_say(sh, "mapfile: `%s': not a valid identifier", name);
        return 1;
    }
    struct sh_var *var = sh_var_make(sh, name);
    if (var->flags & SH_READONLY) {
        sh_say(sh, "%s: readonly variable", name);
        return 1;
    }
    if (!keeps) {
        sh_clear_array(var, SH_INDEXED);
    }
    for (long long n = 0; !max || n < max + skip; n++) {
        struct bx_buf line = {0};
        int last = -1;
        while ((c = sh_read_char(sh, fd)) >= 0) {
            last = c;
            if (c != delimiter || !strips) {
                bx_buf_add_char(&line, (char)c);
            }
            if (c == delimiter) {
                break;
            }
        }
        if (last >= 0 && n >= skip) {
            sh_set_index(sh, var, origin++, line.data ? line.data : "", false);
        }
        bx_buf_deinit(&line);
        if (last < 0) {
            break;
        }
    }
    return 0;
}

int sh_bi_getopts(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    (void)out;
    if (argc < 3) {
        sh_say(sh, "getopts: usage: getopts optstring name [arg ...]");
        return 2;
    }
    const char *letters = argv[1], *name = argv[2], *index = sh_get(sh, "OPTIND");
    char **args = argc > 3 ? argv + 3 : sh->args;
    size_t n = argc > 3 ? argc - 3 : sh->n_args, at = index ? (size_t)atoi(index) : 1;
    bool is_silent = letters[0] == ':';
    int within = sh->getopts_at ? sh->getopts_at : 1;
    char number[16], found[2] = "?";
    at = at ? at : 1;
    const char *word = at <= n ? args[at - 1] : NULL;
    if (within == 1 && (!word || word[0] != '-' || !word[1] || strcmp(word, "--") == 0)) {
        snprintf(number, sizeof number, "%zu", at + (word && strcmp(word, "--") == 0));
        sh_set(sh, "OPTIND", number);
        sh_set(sh, name, "?");
        sh_var_unset(sh, "OPTARG", true);
        return 1;
    }
    char letter = word[within++];
    const char *known = letter == ':' ? NULL : strchr(letters, letter);
    bool ends_word = !word[within];
    const char *value = NULL;
    char bad[2] = {letter, 0};
    if (!known) {
        value = is_silent ? bad : NULL;
        if (!is_silent) {
            sh_complain(sh, "%s: illegal option -- %c", sh->arg0, letter);
        }
    } else if (known[1] == ':') {
        if (!ends_word) {
            value = word + within;
        } else if (at < n) {
            value = args[at++];
        }
        ends_word = true;
        found[0] = letter;
        if (!value) {
            found[0] = is_silent ? ':' : '?';
            value = is_silent ? bad : NULL;
            if (!is_silent) {
                sh_complain(sh, "%s: option requires an argument -- %c", sh->arg0, letter);
            }
        }
    } else {
        found[0] = letter;
    }
    at += ends_word;
    snprintf(number, sizeof number, "%zu", at);
    if (value) {
        sh_set(sh, "OPTARG", value);
    } else {
        sh_var_unset(sh, "OPTARG", true);
    }
    sh_set(sh, "OPTIND", number);
    sh->getopts_at = ends_word ? 0 : within;
    return sh_set(sh, name, found) ? 0 : 1;
}
