// find_parse.c - the expression of find
#include "programs/find.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

// --- the expression

static struct node *parse_comma(void);

struct node *find_node(eval_fn *eval) {
    struct node *n = tool_alloc(sizeof *n);
    memset(n, 0, sizeof *n);
    n->eval = eval;
    return n;
}

static char *argument(const char *of) {
    if (!*f.argv) {
        tool_die(1, "missing argument to `%s'", of);
    }
    return *f.argv++;
}

static void parse_number(struct node *n, const char *text, const char *of, char **ret_end) {
    const char *p = text;
    n->sign = *p == '+' ? 1 : *p == '-' ? -1 : 0;
    p += n->sign != 0;
    n->number = strtoll(p, ret_end, 10);
    if (*ret_end == p) {
        tool_die(1, "invalid argument `%s' to `%s'", text, of);
    }
}

static struct node *size_node(const char *of) {
    struct node *n = find_node(eval_size);
    char *text = argument(of), *end;
    parse_number(n, text, of, &end);
    static const char letters[] = "bcwkMG";
    static const long long units[] = {512, 1, 2, 1024, 1 << 20, 1 << 30};
    const char *at = *end ? strchr(letters, *end) : letters;
    if (!at || (*end && end[1])) {
        tool_die(1, "invalid -size type `%s'", end);
    }
    n->unit = units[at - letters];
    return n;
}

static struct node *count_node(eval_fn *eval, const char *of, long long unit, char letter) {
    struct node *n = find_node(eval);
    char *text = argument(of), *end;
    parse_number(n, text, of, &end);
    if (*end) {
        tool_die(1, "invalid argument `%s' to `%s'", text, of);
    }
    n->unit = unit;
    n->letter = letter;
    return n;
}

static struct node *newer_node(const char *of, char which, char reference) {
    struct node *n = find_node(eval_newer);
    const char *path = argument(of);
    struct stat st;
    n->letter = which;
    if (reference == 't') {
        if (!tool_date(path, f.now, &n->time)) {
            tool_die(1, "I cannot figure out how to interpret `%s' as a date or time", path);
        }
    } else if (stat(path, &st)) {
        tool_die(1, "%s: %s", tool_quote(path), strerror(errno));
    } else {
        n->time = find_time_of(&st, reference);
    }
    return n;
}

static struct node *regex_node(const char *of, bool is_caseless) {
    struct node *n = find_node(eval_regex);
    const char *text = argument(of), *why;
    struct regex_options options = {
        .syntax = f.syntax, .is_caseless = is_caseless, .is_line = true};
    size_t len = strlen(text);
    n->re = regex_new(&text, &len, 1, &options, &why);
    if (!n->re) {
        tool_die(1, "%s: %s", text, why);
    }
    return n;
}

static long long symbolic_mode(const char *text) {
    long long mode = 0, bits = 0, who = 0;
    for (const char *p = text; *p; p++) {
        if (*p == ',') {
            who = bits = 0;
        } else if (strchr("ugoa", *p)) {
            who |= *p == 'u' ? 0700 : *p == 'g' ? 070 : *p == 'o' ? 07 : 0777;
        } else if (strchr("rwx", *p)) {
            bits = *p == 'r' ? 0444 : *p == 'w' ? 0222 : 0111;
            mode |= bits & (who ? who : 0777);
        } else if (!strchr("+=", *p)) {
            tool_die(1, "invalid mode '%s'", text);
        }
    }
    return mode;
}

static struct node *perm_node(void) {
    struct node *n = find_node(eval_perm);
    const char *text = argument("-perm");
    if (*text == '-' || *text == '/') {
        n->letter = *text++;
    }
    char *end;
    n->number = strtoll(text, &end, 8);
    if (*end || end == text) {
        n->number = symbolic_mode(text);
    }
    return n;
}

static struct node *exec_node(const char *of) {
    struct node *n = find_node(eval_exec);
    n->in_dir = strstr(of, "dir") != NULL;
    n->argv = f.argv;
    for (;; n->argc++) {
        const char *a = f.argv[n->argc];
        if (!a) {
            tool_die(1, "missing argument to `%s'", of);
        }
        if (!strcmp(a, ";")) {
            break;
        }
        if (!strcmp(a, "+") && n->argc && !strcmp(f.argv[n->argc - 1], "{}")) {
            n->is_plus = true;
            break;
        }
    }
    f.argv += n->argc + 1;
    f.has_action = true;
    if (!n->argc) {
        tool_die(1, "missing argument to `%s'", of);
    }
    if (n->is_plus && f.n_plus < (int)TOOL_LEN(f.plus)) {
        f.plus[f.n_plus++] = n;
    }
    return n;
}

static FILE *output_file(const char *of) {
    const char *path = argument(of);
    FILE *out = !strcmp(path, "/dev/stdout")   ? stdout
                : !strcmp(path, "/dev/stderr") ? stderr
                                               : fopen(path, "w");
    if (!out) {
        tool_die(1, "%s: %s", tool_quote(path), strerror(errno));
    }
    return out;
}

static struct node *print_node(const char *a) {
    bool to_file = a[1] == 'f';
    const char *kind = a + 1 + to_file;
    struct node *n = find_node(strcmp(kind, "printf") == 0 ? eval_printf
                               : strcmp(kind, "ls") == 0   ? eval_ls
                                                           : eval_print);
    n->out = to_file ? output_file(a) : NULL;
    if (n->eval == eval_printf) {
        n->text = argument(a);
    }
    n->letter = strcmp(kind, "print0") == 0 ? 0 : '\n';
    f.has_action = true;
    return n;
}

static struct node *text_node(eval_fn *eval, const char *of, bool is_caseless) {
    struct node *n = find_node(eval);
    n->text = argument(of);
    n->letter = is_caseless;
    return n;
}

static struct node *option_node(const char *a) {
    if (!strcmp(a, "-maxdepth") || !strcmp(a, "-mindepth")) {
        char *text = argument(a), *end;
        long n = strtol(text, &end, 10);
        if (*end || end == text || n < 0) {
            tool_die(1, "Expected a positive decimal integer argument to %s, but got %s", a,
                     tool_quote(text));
        }
        *(a[2] == 'a' ? &f.max_depth : &f.min_depth) = (int)n;
    } else if (!strcmp(a, "-depth") || !strcmp(a, "-d")) {
        f.depth_first = true;
    } else if (!strcmp(a, "-follow")) {
        f.follows = true;
    } else if (!strcmp(a, "-regextype")) {
        const char *text = argument(a);
        f.syntax = strstr(text, "extended") || strstr(text, "egrep") || strstr(text, "awk")
                       ? REGEX_EXTENDED
                       : REGEX_BASIC;
    } else if (!strcmp(a, "-daystart")) {
        f.now.tv_sec = (f.now.tv_sec / 86400 + 1) * 86400;
    } else if (strcmp(a, "-mount") && strcmp(a, "-xdev") && strcmp(a, "-noleaf") &&
               strcmp(a, "-warn") && strcmp(a, "-nowarn") && strcmp(a, "-ignore_readdir_race")) {
        return NULL;
    }
    return find_node(eval_true);
}

static struct node *test_node(const char *a) {
    static const struct {
        const char *name;
        eval_fn *eval;
        bool is_caseless;
    } texts[] = {{"-name", eval_name, false},       {"-iname", eval_name, true},
                 {"-path", eval_path, false},       {"-ipath", eval_path, true},
                 {"-wholename", eval_path, false},  {"-iwholename", eval_path, true},
                 {"-lname", eval_link_name, false}, {"-ilname", eval_link_name, true}};
    for (size_t i = 0; i < TOOL_LEN(texts); i++) {
        if (!strcmp(a, texts[i].name)) {
            return text_node(texts[i].eval, a, texts[i].is_caseless);
        }
    }
    if (!strcmp(a, "-regex") || !strcmp(a, "-iregex")) {
        return regex_node(a, a[1] == 'i');
    }
    if (!strcmp(a, "-type") || !strcmp(a, "-xtype")) {
        struct node *n = text_node(eval_type, a, false);
        if (strspn(n->text, "fdlbcps,") != strlen(n->text) || !*n->text) {
            tool_die(1, "Unknown argument to %s: %c", a, *n->text);
        }
        return n;
    }
    if (!strcmp(a, "-size")) {
        return size_node(a);
    }
    if (!strcmp(a, "-links") || !strcmp(a, "-inum")) {
        return count_node(a[1] == 'l' ? eval_links : eval_inum, a, 1, 0);
    }
    size_t len = strlen(a);
    if ((len == 6 && !strcmp(a + 2, "time")) || (len == 5 && !strcmp(a + 2, "min"))) {
        return count_node(eval_age, a, len == 6 ? 86400 : 60, a[1]);
    }
    if (!strcmp(a, "-newer") || !strcmp(a, "-anewer") || !strcmp(a, "-cnewer")) {
        return newer_node(a, a[1] == 'n' ? 'm' : a[1], 'm');
    }
    if (!strncmp(a, "-newer", 6) && len == 8) {
        return newer_node(a, a[6], a[7]);
    }
    if (!strcmp(a, "-perm")) {
        return perm_node();
    }
    if (!strcmp(a, "-empty")) {
        return find_node(eval_empty);
    }
    if (!strcmp(a, "-readable") || !strcmp(a, "-writable") || !strcmp(a, "-executable")) {
        struct node *n = find_node(eval_access);
        n->letter = a[1] == 'e' ? 'x' : 'r';
        return n;
    }
    if (!strcmp(a, "-user") || !strcmp(a, "-group") || !strcmp(a, "-uid") || !strcmp(a, "-gid")) {
        const char *who = argument(a);
        return find_node(!strcmp(who, "user") || !strcmp(who, "1000") ? eval_true : eval_false);
    }
    return NULL;
}

static struct node *action_node(const char *a) {
    if (!strcmp(a, "-print") || !strcmp(a, "-print0") || !strcmp(a, "-printf") ||
        !strcmp(a, "-ls") || !strcmp(a, "-fprint") || !strcmp(a, "-fprint0") ||
        !strcmp(a, "-fprintf") || !strcmp(a, "-fls")) {
        return print_node(a);
    }
    if (!strcmp(a, "-exec") || !strcmp(a, "-execdir") || !strcmp(a, "-ok") ||
        !strcmp(a, "-okdir")) {
        return exec_node(a);
    }
    if (!strcmp(a, "-delete")) {
        f.has_action = f.depth_first = true;
        return find_node(eval_delete);
    }
    if (!strcmp(a, "-quit")) {
        f.has_action = true;
        return find_node(eval_quit);
    }
    return !strcmp(a, "-prune")   ? find_node(eval_prune)
           : !strcmp(a, "-true")  ? find_node(eval_true)
           : !strcmp(a, "-false") ? find_node(eval_false)
                                  : NULL;
}

static struct node *parse_one(void) {
    if (!*f.argv) {
        tool_die(1, "expected an expression");
    }
    const char *a = *f.argv++;
    struct node *n;
    if (!strcmp(a, "!") || !strcmp(a, "-not")) {
        n = find_node(eval_not);
        n->left = parse_one();
        return n;
    }
    if (!strcmp(a, "(")) {
        n = parse_comma();
        if (!*f.argv || strcmp(*f.argv, ")")) {
            tool_die(
                1,
                "invalid expression; I was expecting to find a ')' somewhere but did not see one.");
        }
        f.argv++;
        return n;
    }
    n = option_node(a);
    n = n ? n : test_node(a);
    n = n ? n : action_node(a);
    if (!n) {
        tool_die(1, *a == '-' ? "unknown predicate `%s'" : "paths must precede expression: `%s'",
                 a);
    }
    return n;
}

static struct node *pair(eval_fn *eval, struct node *left, struct node *right) {
    struct node *n = find_node(eval);
    n->left = left;
    n->right = right;
    return n;
}

static bool is_word(const char *a, const char *b) {
    return *f.argv && (!strcmp(*f.argv, a) || !strcmp(*f.argv, b));
}

static struct node *parse_and(void) {
    struct node *n = parse_one();
    while (*f.argv && !is_word("-o", "-or") && !is_word(",", ")")) {
        if (is_word("-a", "-and")) {
            f.argv++;
        }
        n = pair(eval_and, n, parse_one());
    }
    return n;
}

static struct node *parse_or(void) {
    struct node *n = parse_and();
    while (is_word("-o", "-or")) {
        f.argv++;
        n = pair(eval_or, n, parse_and());
    }
    return n;
}

static struct node *parse_comma(void) {
    struct node *n = parse_or();
    while (is_word(",", ",")) {
        f.argv++;
        n = pair(eval_comma, n, parse_or());
    }
    return n;
}

struct node *find_parse(void) {
    return parse_comma();
}
