// declare, export, local, readonly, unset, set, shopt, trap.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

struct declaration {
    unsigned add, remove;
    bool prints, functions, names_only, global, is_local, is_export, is_readonly;
};

static unsigned flag_of(char letter) {
    switch (letter) {
    case 'a':
        return SH_INDEXED;
    case 'A':
        return SH_ASSOC;
    case 'i':
        return SH_INTEGER;
    case 'r':
        return SH_READONLY;
    case 'x':
        return SH_EXPORT;
    case 'l':
        return SH_TO_LOWER;
    case 'u':
        return SH_TO_UPPER;
    case 'n':
        return SH_NAMEREF;
    default:
        return 0;
    }
}

static bool take_option(struct sh *sh, struct declaration *d, const char *name, const char *text) {
    for (const char *c = text + 1; *c; c++) {
        unsigned flag = flag_of(*c);
        if (d->is_export && *c == 'n') {
            d->remove |= SH_EXPORT;
            d->add &= ~(unsigned)SH_EXPORT;
        } else if (flag && text[0] == '+') {
            d->remove |= flag;
        } else if (flag) {
            d->add |= flag;
        } else if (*c == 'p') {
            d->prints = true;
        } else if (*c == 'f') {
            d->functions = true;
        } else if (*c == 'F') {
            d->functions = d->names_only = true;
        } else if (*c == 'g') {
            d->global = true;
        } else if (*c != 'I' && *c != 't') {
            sh_say(sh, "%s: -%c: invalid option", name, *c);
            return false;
        }
    }
    return true;
}

static bool declare_one(struct sh *sh, const struct declaration *d, const char *name,
                        const struct sh_assign *assign) {
    unsigned set =
        d->add & (SH_INTEGER | SH_TO_LOWER | SH_TO_UPPER | SH_EXPORT | SH_ASSOC | SH_INDEXED);
    const struct sh_var *before = sh_var_get_raw(sh, assign->name);
    (void)name;
    if (before && before->flags & SH_READONLY && (assign->value || assign->is_array) &&
        !d->is_local) {
        sh_say(sh, "%s: readonly variable", assign->name);
        return false;
    }
    if (d->add & SH_NAMEREF) {
        char *value = assign->value ? sh_expand_text(sh, assign->value) : NULL;
        if (d->is_local) {
            sh_local(sh, assign->name);
        }
        struct sh_var *var = sh_var_make_raw(sh, assign->name);
        free(var->value);
        var->value = value ? bx_strndup(value, strlen(value)) : NULL;
        var->flags |= SH_NAMEREF | (value ? SH_IS_SET : 0);
        return true;
    }
    if (assign->value || assign->is_array) {
        unsigned flags = set | (d->is_local ? SH_MAKE_LOCAL : 0);
        if (d->add & SH_ASSOC && !assign->is_array && !assign->index && before &&
            !(before->flags & SH_ASSOC)) {
            flags &= ~(unsigned)SH_ASSOC;
        }
        if (!sh_assign_one(sh, assign, flags)) {
            return false;
        }
    } else if (d->is_local) {
        sh_local(sh, assign->name);
    }
    struct sh_var *var = sh_var_make(sh, assign->name);
    if (set & (SH_INDEXED | SH_ASSOC) && !(var->flags & (SH_INDEXED | SH_ASSOC))) {
        char *value =
            var->value && set & SH_INDEXED ? bx_strndup(var->value, strlen(var->value)) : NULL;
        unsigned was_set = var->flags & SH_IS_SET;
        sh_clear_array(var, set & (SH_INDEXED | SH_ASSOC));
        var->flags = (var->flags & ~(unsigned)SH_IS_SET) | was_set;
        if (value) {
            sh_set_index(sh, var, 0, value, false);
            free(value);
        }
    }
    var->flags |= set | (d->add & SH_READONLY);
    var->flags &= ~(d->remove & ~(unsigned)SH_READONLY);
    return true;
}

static void print_function(struct sh *sh, const struct sh_function *f, struct bx_buf *out) {
    struct sh_text text = {.arena = &sh->scratch};
    sh_node_text(f->node, &text);
    bx_buf_add(out, text.data, text.len);
    bx_buf_add_char(out, '\n');
}

static int print_all(struct sh *sh, const struct declaration *d, struct bx_buf *out) {
    size_t n;
    if (d->functions) {
        const char **names = sh_names(sh, sh->functions, &n);
        for (size_t i = 0; i < n; i++) {
            if (d->names_only) {
                bx_buf_add_fmt(out, "declare -f %s\n", names[i]);
            } else {
                print_function(sh, sh_function_get(sh, names[i]), out);
            }
        }
        return 0;
    }
    const char **names = sh_names(sh, sh->vars, &n);
    for (size_t i = 0; i < n; i++) {
        const struct sh_var *var = sh_var_get_raw(sh, names[i]);
        if (!d->add || (var->flags & d->add) == d->add) {
            sh_declare_text(var, out);
            bx_buf_add_char(out, '\n');
        }
    }
    return 0;
}

static int print_one(struct sh *sh, const struct declaration *d, const char *command,
                     const char *name, struct bx_buf *out) {
    if (d->functions) {
        const struct sh_function *f = sh_function_get(sh, name);
        if (f && d->names_only) {
            bx_buf_add_fmt(out, "%s\n", name);
        } else if (f) {
            print_function(sh, f, out);
        }
        return f ? 0 : 1;
    }
    const struct sh_var *var = sh_var_get_raw(sh, name);
    if (!var) {
        sh_say(sh, "%s: %s: not found", command, name);
        return 1;
    }
    sh_declare_text(var, out);
    bx_buf_add_char(out, '\n');
    return 0;
}

// An argument that became an assignment only by expansion: export "$name=$value"
static struct sh_assign *from_text(struct sh *sh, const char *text) {
    struct sh_assign *assign = sh_arena_alloc(&sh->scratch, sizeof *assign);
    size_t n = strcspn(text, "=");
    assign->is_append = n && text[n] && text[n - 1] == '+';
    assign->name = sh_arena_copy(&sh->scratch, text, n - assign->is_append);
    if (text[n]) {
        struct sh_part *part = sh_arena_alloc(&sh->scratch, sizeof *part);
        part->kind = SH_QUOTED;
        part->text = text + n + 1;
        part->len = strlen(text + n + 1);
        assign->value = sh_arena_alloc(&sh->scratch, sizeof *assign->value);
        assign->value->parts = part;
    }
    return assign;
}

static int declare_text(struct sh *sh, const struct declaration *d, const char *command,
                        const char *text, struct bx_buf *out) {
    if (d->functions || (d->prints && !strchr(text, '='))) {
        return d->functions && d->add & SH_EXPORT ? 0 : print_one(sh, d, command, text, out);
    }
    struct sh_assign *assign = from_text(sh, text);
    if (!sh_is_name(assign->name, strlen(assign->name))) {
        sh_say(sh, "%s: `%s': not a valid identifier", command, text);
        return 1;
    }
    return declare_one(sh, d, command, assign) ? 0 : 1;
}

int sh_bi_declare(struct sh *sh, const struct sh_word *words, const char *name,
                  struct bx_buf *out) {
    struct declaration d = {.is_export = strcmp(name, "export") == 0,
                            .is_readonly = strcmp(name, "readonly") == 0};
    bool in_function = sh->scope && sh->scope->is_function, options = true;
    int status = 0;
    size_t n = 0;
    d.add = d.is_export ? SH_EXPORT : d.is_readonly ? SH_READONLY : 0;
    d.is_local = in_function && !d.is_export && !d.is_readonly;
    if (strcmp(name, "local") == 0 && !in_function) {
        sh_say(sh, "local: can only be used in a function");
        return 1;
    }
    for (const struct sh_word *word = words->next; word; word = word->next) {
        if (word->assign) {
            options = false;
            n++;
            d.is_local &= !d.global;
            status |= !declare_one(sh, &d, name, word->assign);
            continue;
        }
        struct sh_fields fields = {0};
        if (!sh_expand_word(sh, word, &fields)) {
            return 1;
        }
        for (size_t i = 0; i < fields.n; i++) {
            const char *text = fields.v[i];
            if (options && strcmp(text, "--") == 0) {
                options = false;
            } else if (options && (text[0] == '-' || text[0] == '+') && text[1]) {
                if (!take_option(sh, &d, name, text)) {
                    return 2;
                }
            } else {
                options = false;
                n++;
                d.is_local &= !d.global;
                status |= declare_text(sh, &d, name, text, out);
            }
        }
    }
    return n ? status : print_all(sh, &d, out);
}

int sh_bi_unset(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    bool functions = false, variables = false, raw = false;
    int status = 0;
    (void)out;
    for (size_t i = 1; i < argc; i++) {
        const char *name = argv[i];
        if (name[0] == '-' && name[1]) {
            functions |= strchr(name, 'f') != NULL;
            variables |= strchr(name, 'v') != NULL;
            raw |= strchr(name, 'n') != NULL;
            continue;
        }
        size_t n = strcspn(name, "[");
        char *base = sh_arena_copy(&sh->scratch, name, n);
        if (!functions && name[n]) {
            struct sh_var *var = sh_var_get(sh, base) ? sh_var_make(sh, base) : NULL;
            char *index = sh_arena_copy(&sh->scratch, name + n + 1, strlen(name + n + 1));
            index[strlen(index) ? strlen(index) - 1 : 0] = '\0';
            long long number;
            if (var && var->flags & SH_ASSOC) {
                size_t len = strlen(index);
                if (len > 1 && (index[0] == '\'' || index[0] == '"') &&
                    index[len - 1] == index[0]) {
                    index[len - 1] = '\0';
                    index++;
                }
                sh_item_unset(var, 0, index);
            } else if (var && sh_arith(sh, index, &number)) {
                sh_item_unset(var, number, NULL);
            }
            continue;
        }
        if (!functions && sh_var_get_raw(sh, name)) {
            status |= !sh_var_unset(sh, name, !raw);
        } else if (!variables) {
            sh_function_unset(sh, name);
        }
    }
    return status;
}

// --- set

static const struct {
    const char *name;
    char letter;
    unsigned flag;
} options[] = {{"allexport", 'a', SH_ALLEXPORT},
               {"errexit", 'e', SH_ERREXIT},
               {"noglob", 'f', SH_NOGLOB},
               {"noexec", 'n', SH_NOEXEC},
               {"nounset", 'u', SH_NOUNSET},
               {"verbose", 'v', SH_VERBOSE},
               {"xtrace", 'x', SH_XTRACE},
               {"noclobber", 'C', SH_NOCLOBBER},
               {"pipefail", 0, SH_PIPEFAIL},
               {"posix", 0, SH_POSIX},
               {"errtrace", 'E', SH_OPT_OTHER},
               {"functrace", 'T', 0},
               {"hashall", 'h', 0},
               {"braceexpand", 'B', 0},
               {"monitor", 'm', 0},
               {"history", 0, 0},
               {"physical", 'P', 0},
               {"privileged", 'p', 0},
               {"notify", 'b', 0},
               {"nolog", 0, 0},
               {"keyword", 'k', 0},
               {"onecmd", 't', 0},
               {"ignoreeof", 0, 0},
               {"emacs", 0, 0},
               {"vi", 0, 0},
               {"histexpand", 'H', 0},
               {"interactive-comments", 0, 0}};

bool sh_option_set(struct sh *sh, const char *name, bool on) {
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) == 0 || (!name[1] && options[i].letter == name[0])) {
            sh->options = on ? sh->options | options[i].flag : sh->options & ~options[i].flag;
            return true;
        }
    }
    return false;
}

char *sh_option_letters(struct sh *sh) {
    char text[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i].letter && options[i].letter != 'C' && sh->options & options[i].flag) {
            text[n++] = options[i].letter;
        }
        if (options[i].letter == 'f') {
            text[n++] = 'h';
        }
    }
    text[n++] = 'B';
    if (sh->options & SH_NOCLOBBER) {
        text[n++] = 'C';
    }
    if (sh->is_command_string) {
        text[n++] = 'c';
    }
    return sh_arena_copy(&sh->scratch, text, n);
}

static void set_args(struct sh *sh, char **args, size_t n) {
    char **fresh = bx_alloc((n + 1) * sizeof *fresh);
    for (size_t i = 0; i < n; i++) {
        fresh[i] = bx_strndup(args[i], strlen(args[i]));
    }
    fresh[n] = NULL;
    for (size_t i = 0; i < sh->n_args; i++) {
        free(sh->args[i]);
    }
    free(sh->args);
    sh->args = fresh;
    sh->n_args = n;
}

int sh_bi_set(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    if (argc == 1) {
        size_t n;
        const char **names = sh_names(sh, sh->vars, &n);
        for (size_t i = 0; i < n; i++) {
            const struct sh_var *var = sh_var_get_raw(sh, names[i]);
            if (var->value) {
                bx_buf_add_fmt(out, "%s=", names[i]);
                sh_quote_trace(out, var->value);
                bx_buf_add_char(out, '\n');
            }
        }
        return 0;
    }
    size_t i = 1;
    for (; i < argc && (argv[i][0] == '-' || argv[i][0] == '+') && argv[i][1]; i++) {
        bool on = argv[i][0] == '-';
        if (strcmp(argv[i], "--") == 0) {
            set_args(sh, argv + i + 1, argc - i - 1);
            return 0;
        }
        for (const char *c = argv[i] + 1; *c; c++) {
            char letter[2] = {*c, 0};
            if (*c == 'o' && i + 1 >= argc) {
                for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
                    bx_buf_add_fmt(out, "%-15s\t%s\n", options[k].name,
                                   sh->options & options[k].flag ? "on" : "off");
                }
            } else if (*c == 'o') {
                const char *name = argv[++i];
                if (!sh_option_set(sh, name, on)) {
                    sh_say(sh, "set: %s: invalid option name", name);
                    return 2;
                }
                break;
            } else if (!sh_option_set(sh, letter, on)) {
                sh_say(sh, "set: %.1s%c: invalid option", argv[i], *c);
                return 2;
            }
        }
    }
    if (i < argc) {
        set_args(sh, argv + i + (strcmp(argv[i], "-") == 0),
                 argc - i - (strcmp(argv[i], "-") == 0));
    }
    return 0;
}

// --- shopt

static const struct {
    const char *name;
    unsigned flag;
} shopts[] = {{"globstar", SH_GLOBSTAR},
              {"nullglob", SH_NULLGLOB},
              {"failglob", SH_FAILGLOB},
              {"dotglob", SH_DOTGLOB},
              {"nocaseglob", SH_NOCASEGLOB},
              {"nocasematch", SH_NOCASEMATCH},
              {"extglob", SH_EXTGLOB},
              {"lastpipe", SH_LASTPIPE},
              {"inherit_errexit", SH_INHERIT_ERREXIT},
              {"expand_aliases", 0},
              {"checkwinsize", 0},
              {"cmdhist", 0},
              {"sourcepath", 0},
              {"histappend", 0},
              {"autocd", 0},
              {"cdspell", 0},
              {"execfail", 0},
              {"globasciiranges", 0},
              {"huponexit", 0},
              {"xpg_echo", 0},
              {"localvar_inherit", 0},
              {"patsub_replacement", 0},
              {"extdebug", 0},
              {"login_shell", 0},
              {"promptvars", 0},
              {"interactive_comments", 0},
              {"progcomp", 0}};

int sh_bi_shopt(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    int mode = 0, status = 0; // 's', 'u', 'q', 'o'
    bool is_quiet = false;
    size_t i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        for (const char *c = argv[i] + 1; *c; c++) {
            is_quiet |= *c == 'q';
            mode = *c == 's' || *c == 'u' ? *c : mode;
        }
    }
    for (size_t k = 0; i >= argc && k < sizeof shopts / sizeof shopts[0]; k++) {
        bool on = sh->shopts & shopts[k].flag;
        if (!mode || (mode == 's') == on) {
            bx_buf_add_fmt(out, "%-20s\t%s\n", shopts[k].name, on ? "on" : "off");
        }
    }
    for (; i < argc; i++) {
        size_t k = 0;
        while (k < sizeof shopts / sizeof shopts[0] && strcmp(shopts[k].name, argv[i]) != 0) {
            k++;
        }
        if (k == sizeof shopts / sizeof shopts[0]) {
            if (!sh_option_set(sh, argv[i], mode == 's')) {
                sh_say(sh, "shopt: %s: invalid shell option name", argv[i]);
                status = 1;
            }
            continue;
        }
        if (mode == 's') {
            sh->shopts |= shopts[k].flag;
        } else if (mode == 'u') {
            sh->shopts &= ~shopts[k].flag;
        } else {
            bool on = sh->shopts & shopts[k].flag;
            status |= !on;
            if (!is_quiet) {
                bx_buf_add_fmt(out, "%-20s\t%s\n", shopts[k].name, on ? "on" : "off");
            }
        }
    }
    return status;
}

// --- trap

static int trap_of(const char *name) {
    static const char *const names[] = {"EXIT", "ERR", "DEBUG", "RETURN"};
    if (strcmp(name, "0") == 0) {
        return SH_TRAP_EXIT;
    }
    for (int i = 0; i < 4; i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return i;
        }
    }
    return sh_signal_number(name) >= 0 ? SH_TRAP_OTHER : -1;
}

int sh_bi_trap(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    static const char *const names[] = {"EXIT", "ERR", "DEBUG", "RETURN"};
    size_t i = 1;
    if (i < argc && strcmp(argv[i], "-l") == 0) {
        sh_signal_list(out);
        return 0;
    }
    if (i < argc && strcmp(argv[i], "--") == 0) {
        i++;
    }
    if (i >= argc || strcmp(argv[i], "-p") == 0) {
        for (int k = 0; k < 4; k++) {
            if (sh->traps[k] && (i + 1 >= argc || trap_of(argv[i + 1]) == k)) {
                bx_buf_add_str(out, "trap -- ");
                sh_quote_single(out, sh->traps[k]);
                bx_buf_add_fmt(out, " %s\n", names[k]);
            }
        }
        return 0;
    }
    const char *text = argv[i];
    bool resets = strcmp(text, "-") == 0 || (argc - i == 1 && trap_of(text) >= 0);
    int status = 0;
    for (i += argc - i > 1; i < argc; i++) {
        int trap = trap_of(argv[i]);
        if (trap < 0) {
            sh_say(sh, "trap: %s: invalid signal specification", argv[i]);
            status = 1;
            continue;
        }
        if (trap != SH_TRAP_OTHER) { // signals do not arrive in the box
            free(sh->traps[trap]);
            sh->traps[trap] = resets ? NULL : bx_strndup(text, strlen(text));
        }
    }
    return status;
}
