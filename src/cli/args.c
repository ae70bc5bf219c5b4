#include "cli/args.h"

const char *bx_args_nearest(const char *typed, const char *(*word)(size_t i)) {
    const char *best = NULL;
    size_t least = strlen(typed) / 3 + 2;
    for (size_t i = 0; word(i); i++) {
        size_t d = bx_str_slips(bx_str(typed), bx_str(word(i)));
        if (d < least) {
            least = d;
            best = word(i);
        }
    }
    return best;
}

static const char *option_word(size_t i) {
    return i < bx_option_count ? bx_options[i].name : NULL;
}

static const char *command_word(size_t i) {
    return i < bx_command_count ? bx_commands[i].name : NULL;
}

/* Is `word` one of the space-separated words of `list`? */
static bool listed(const char *list, const char *word) {
    struct bx_str rest = bx_str(list), piece;
    while (bx_str_split(&rest, ' ', &piece)) {
        if (bx_str_eqz(piece, word)) {
            return true;
        }
    }
    return false;
}

static const struct bx_command *find_command(const char *first, const char *second,
                                             int *ret_words) {
    const struct bx_command *one = NULL;
    for (size_t i = 0; i < bx_command_count; i++) {
        const char *name = bx_commands[i].name;
        const char *space = strchr(name, ' ');
        if (!space && strcmp(name, first) == 0) {
            one = &bx_commands[i];
        } else if (space && second && strlen(first) == (size_t)(space - name) &&
                   strncmp(name, first, strlen(first)) == 0 && strcmp(space + 1, second) == 0) {
            *ret_words = 2;
            return &bx_commands[i];
        }
    }
    *ret_words = one ? 1 : 0;
    return one;
}

/* Is the command one of "tool …"? */
static bool is_in_group(const struct bx_command *c, const char *group) {
    const char *space = strchr(c->name, ' ');
    return space && bx_str_eqz(bx_str_n(c->name, (size_t)(space - c->name)), group);
}

/* "tool" alone, or with an unknown second word: says which there are. */
static int half_command(const char *first, const char *second, struct bx_err *err) {
    struct bx_buf all = BX_BUF_INIT(300);
    for (size_t i = 0; i < bx_command_count; i++) {
        if (is_in_group(&bx_commands[i], first)) {
            bx_buf_addf(&all, "%s%s", all.size ? ", " : "", bx_commands[i].name);
        }
    }
    int r = 0;
    if (all.size) {
        r = second ? bx_fail(err, BX_ERR_INVALID, "there is no \"%s %s\"; there are: %s", first,
                             second, bx_buf_z(&all))
                   : bx_fail(err, BX_ERR_INVALID, "\"%s\" needs one more word; there are: %s",
                             first, bx_buf_z(&all));
    }
    bx_buf_deinit(&all);
    return r;
}

static int parse_option(struct bx_args *a, int argc, char **argv, int *at, struct bx_err *err) {
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    size_t n = equals ? (size_t)(equals - text) : strlen(text);
    for (size_t i = 0; i < bx_option_count; i++) {
        const struct bx_option *o = &bx_options[i];
        if (strlen(o->name) != n || strncmp(o->name, text, n) != 0) {
            continue;
        }
        if (!listed(a->command->options, o->name)) {
            return bx_fail(err, BX_ERR_INVALID, "\"%s\" takes no --%s; see boxagnts %s --help",
                           a->command->name, o->name, a->command->name);
        }
        const char *value = equals ? equals + 1 : NULL;
        if (!o->value && value) {
            return bx_fail(err, BX_ERR_INVALID, "--%s takes no value", o->name);
        }
        if (o->value && !value) {
            if (*at + 1 >= argc) {
                return bx_fail(err, BX_ERR_INVALID, "--%s needs a value: --%s %s", o->name, o->name,
                               o->value);
            }
            value = argv[++*at];
        }
        bx_vec_push(&a->options, ((struct bx_given){o, value}));
        return 0;
    }
    char *name = bx_strndup(text, n);
    const char *near = bx_args_nearest(name, option_word);
    int r =
        near
            ? bx_fail(err, BX_ERR_INVALID, "unknown option --%.60s; did you mean --%s?", name, near)
            : bx_fail(err, BX_ERR_INVALID, "unknown option --%.60s; see boxagnts --help", name);
    bx_free(name);
    return r;
}

static int count_operands(const struct bx_args *a, struct bx_err *err) {
    const struct bx_command *c = a->command;
    if (a->operands.n < c->min_operands) {
        return bx_fail(err, BX_ERR_INVALID, "usage: boxagnts %s %s", c->name, c->operands);
    }
    if (a->operands.n > c->max_operands) {
        return bx_fail(err, BX_ERR_INVALID, "\"%s\" is one word too many; usage: boxagnts %s %s",
                       a->operands.p[c->max_operands], c->name, c->operands);
    }
    return 0;
}

static bool asks_for_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* Are there only commands of two words that begin with it? */
static bool is_group(const char *word) {
    int words;
    bool some = false;
    for (size_t i = 0; i < bx_command_count && !some; i++) {
        some = is_in_group(&bx_commands[i], word);
    }
    return some && !find_command(word, NULL, &words);
}

int bx_args_parse(int argc, char **argv, struct bx_args *ret, struct bx_err *err) {
    struct bx_args a = {0};
    int at = 1, words = 0, r = 0;
    const char *first = argc > 1 ? argv[1] : NULL, *second = argc > 2 ? argv[2] : NULL;
    if (first && second && asks_for_help(second) && is_group(first)) {
        *ret = (struct bx_args){.help = true, .group = first};
        return 0;
    }
    if (first && first[0] != '-') {
        a.command = find_command(first, second, &words);
        if (!a.command &&
            (r = half_command(first, second && second[0] != '-' ? second : NULL, err)) < 0) {
            return r;
        }
        if (!a.command && !strchr(first, '/') && strcmp(first, ".") != 0 &&
            strcmp(first, "..") != 0 &&
            access(first, F_OK) < 0) { /* neither a command nor a folder */
            const char *near = bx_args_nearest(first, command_word);
            return near ? bx_fail(err, BX_ERR_INVALID,
                                  "there is no command and no folder \"%s\"; did you mean \"%s\"?",
                                  first, near)
                        : bx_fail(err, BX_ERR_INVALID,
                                  "there is no command and no folder \"%s\"; see boxagnts --help",
                                  first);
        }
    }
    a.help = first && (asks_for_help(first) || strcmp(first, "help") == 0);
    if (!a.command) {
        int ignored;
        const char *standard = first && strcmp(first, "--version") == 0 ? "version" : "serve";
        a.command = find_command(standard, NULL, &ignored);
        words = first && strcmp(first, "--version") == 0;
        if (a.help) {
            a.command = NULL;
            *ret = a;
            return 0;
        }
    }
    bool only_operands = false;
    for (at += words; at < argc && r == 0; at++) {
        if (only_operands || argv[at][0] != '-' || argv[at][1] == '\0') {
            bx_vec_push(&a.operands, argv[at]);
        } else if (strcmp(argv[at], "--") == 0) {
            only_operands = true;
        } else if (asks_for_help(argv[at])) {
            a.help = true;
        } else if (argv[at][1] != '-') {
            r = bx_fail(err, BX_ERR_INVALID, "options have two dashes: -%s", argv[at]);
        } else {
            r = parse_option(&a, argc, argv, &at, err);
        }
    }
    if (r == 0 && !a.help) {
        r = count_operands(&a, err);
    }
    if (r < 0) {
        bx_args_deinit(&a);
        return r;
    }
    bx_vec_push(&a.operands, NULL);
    a.operands.n--;
    *ret = a;
    return 0;
}

void bx_args_deinit(struct bx_args *a) {
    bx_vec_free(&a->operands);
    bx_vec_free(&a->options);
}

const char *bx_args_get(const struct bx_args *a, const char *option) {
    for (size_t i = a->options.n; i-- > 0;) {
        if (strcmp(a->options.p[i].option->name, option) == 0) {
            return a->options.p[i].value;
        }
    }
    return NULL;
}

bool bx_args_has(const struct bx_args *a, const char *option) {
    for (size_t i = 0; i < a->options.n; i++) {
        if (strcmp(a->options.p[i].option->name, option) == 0) {
            return true;
        }
    }
    return false;
}

int bx_args_number(const struct bx_args *a, const char *option, uint64_t min, uint64_t max,
                   uint64_t fallback, uint64_t *ret, struct bx_err *err) {
    const char *text = bx_args_get(a, option);
    uint64_t value = fallback;
    if (text && (!bx_str_to_u64(bx_str(text), &value) || value < min || value > max)) {
        return bx_fail(err, BX_ERR_INVALID,
                       "--%s must be a number from %" PRIu64 " to %" PRIu64 ", not \"%.40s\"",
                       option, min, max, text);
    }
    *ret = value;
    return 0;
}

const char **bx_args_all(const struct bx_args *a, const char *option) {
    BX_VEC(const char *) all = {0};
    for (size_t i = 0; i < a->options.n; i++) {
        if (strcmp(a->options.p[i].option->name, option) == 0) {
            bx_vec_push(&all, a->options.p[i].value);
        }
    }
    bx_vec_push(&all, NULL);
    return all.p;
}

static void add_options(const struct bx_command *command, struct bx_buf *out) {
    for (size_t i = 0; i < bx_option_count; i++) {
        const struct bx_option *o = &bx_options[i];
        if (listed(command->options, o->name)) {
            char left[64];
            snprintf(left, sizeof left, "--%s%s%s", o->name, o->value ? " " : "",
                     o->value ? o->value : "");
            bx_buf_addf(out, "  %-26s %s\n", left, o->help);
        }
    }
}

/* Padded by characters: the names of operands have an ellipsis. */
static void add_command(const struct bx_command *c, struct bx_buf *out) {
    size_t before = out->size, width = 0;
    bx_buf_addf(out, "  %s %s", c->name, c->operands);
    for (size_t i = before; i < out->size; i++) {
        width += ((uint8_t)out->p[i] & 0xc0) != 0x80;
    }
    bx_buf_addf(out, "%*s %s\n", (int)(width < 36 ? 36 - width : 0), "", c->help);
}

void bx_args_usage(const struct bx_args *a, struct bx_buf *out) {
    const struct bx_command *command = a->command;
    if (command) {
        bx_buf_addf(out, "boxagnts %s %s\n\n%s\n", command->name, command->operands, command->help);
        if (command->options[0]) {
            bx_buf_addz(out, "\nOptions:\n");
            add_options(command, out);
        }
        return;
    }
    for (size_t i = 0; a->group && i < bx_command_count; i++) {
        if (is_in_group(&bx_commands[i], a->group)) {
            add_command(&bx_commands[i], out);
        }
    }
    if (a->group) {
        bx_buf_addf(out, "\n`boxagnts %s COMMAND --help` lists a command's options.\n", a->group);
        return;
    }
    bx_buf_addz(
        out,
        "boxagnts: an agent on your own machine; every tool call runs in a sandbox.\n\nUsage:\n"
        "  boxagnts [DIR]             the server and its page, for the project in DIR (default: "
        "here)\n"
        "  boxagnts --workspace-dir DIR --port 30001\n\nCommands:\n");
    for (size_t i = 0; i < bx_command_count; i++) {
        add_command(&bx_commands[i], out);
    }
    bx_buf_addz(out, "\n`boxagnts COMMAND --help` lists a command's options.\n\n"
                     "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a limit ended the run, 130 "
                     "stopped by Ctrl-C.\n");
}
